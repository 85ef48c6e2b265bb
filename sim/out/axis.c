// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/axis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const struct {
    const char *name, *base;
    double size;
} units[] = {
    {"", "", 1},          {"%", "%", 1},        {"/s", "/s", 1},      {"ns", "s", 1e-9},
    {"us", "s", 1e-6},    {"ms", "s", 1e-3},    {"s", "s", 1},        {"m", "s", 60},
    {"h", "s", 3600},     {"d", "s", 86400},    {"B", "B", 1},        {"KiB", "B", 1024},
    {"MiB", "B", 0x1p20}, {"GiB", "B", 0x1p30}, {"TiB", "B", 0x1p40}, {"kB", "B", 1e3},
    {"MB", "B", 1e6},     {"GB", "B", 1e9},     {"TB", "B", 1e12},    {"MB/s", "B/s", 1e6},
    {"GB/s", "B/s", 1e9}, {"Mb/s", "b/s", 1e6}, {"Gb/s", "b/s", 1e9},
};
enum { N_UNITS = sizeof units / sizeof *units };

bool axis_number(const char *text, double *x, const char **base)
{
    size_t digits = strspn(text, "+-.0123456789eE"); /* strtod also takes "inf", "nan" and hexadecimals */
    char *end;
    *x = strtod(text, &end);
    if (end == text || end > text + digits) return false;
    for (size_t i = 0; i < N_UNITS; i++) {
        if (strcmp(end, units[i].name) != 0) continue;
        *x *= units[i].size;
        *base = units[i].base;
        return true;
    }
    return false;
}

bool axis_follows(const struct report *rp, size_t key, size_t of)
{
    size_t points = runset_points(rp->runs);
    for (size_t i = 1; i < points; i++)
        for (size_t k = 0; k < i; k++) {
            const char *const *a = rp->points[i].values, *const *b = rp->points[k].values;
            if (strcmp(a[of], b[of]) == 0 && strcmp(a[key], b[key]) != 0) return false;
        }
    return true;
}

/* It follows a key that does not follow it. */
static bool coarser(const struct report *rp, size_t key)
{
    for (size_t k = 0; k < rp->points[0].n; k++)
        if (k != key && axis_follows(rp, key, k) && !axis_follows(rp, k, key)) return true;
    return false;
}

/* How many different values the key has; *numeric where all are numbers of one kind. */
static size_t variety(const struct report *rp, size_t key, bool *numeric)
{
    size_t n = 0, points = runset_points(rp->runs);
    const char *base = NULL;
    *numeric = true;
    for (size_t i = 0; i < points; i++) {
        const char *v = rp->points[i].values[key], *b = "";
        bool seen = false;
        double x;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(v, rp->points[k].values[key]) == 0;
        n += !seen;
        *numeric = *numeric && axis_number(v, &x, &b) && (!base || strcmp(base, b) == 0);
        base = b;
    }
    return n;
}

/* The largest unit of which the greatest value is at least 1 (the smallest where it is of none). */
static double size_of_unit(struct axis *a, const char *base, double greatest)
{
    static const struct {
        const char *base, *name;
        double size;
    } shown[] = {{"s", "s", 1},        {"s", "ms", 1e-3},    {"s", "us", 1e-6},    {"s", "ns", 1e-9},
                 {"B", "TiB", 0x1p40}, {"B", "GiB", 0x1p30}, {"B", "MiB", 0x1p20}, {"B", "KiB", 1024},
                 {"B", "B", 1},        {"B/s", "GB/s", 1e9}, {"B/s", "MB/s", 1e6}, {"b/s", "Gb/s", 1e9},
                 {"b/s", "Mb/s", 1e6}};
    double size = 1;
    a->unit = base;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if (strcmp(shown[i].base, base) != 0) continue;
        a->unit = shown[i].name;
        size = shown[i].size;
        if (greatest >= size * (1 - 1e-12)) break;
    }
    return size;
}

/* 100us as ms is 0.1, not 0.09999999999999999. */
static double rounded(double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.12g", x);
    return strtod(text, NULL);
}

static void sort_numbers(struct axis *a)
{
    for (size_t i = 1; i < a->n; i++) { /* insertion: a sweep has few values */
        double x = a->x[i];
        char *w = a->word[i];
        size_t k = i;
        for (; k > 0 && a->x[k - 1] > x; k--) {
            a->x[k] = a->x[k - 1];
            a->word[k] = a->word[k - 1];
        }
        a->x[k] = x;
        a->word[k] = w;
    }
}

/* Where the value stands; n where it is new. */
static size_t find(const struct axis *a, const char *value)
{
    size_t k = 0;
    for (; k < a->n; k++) {
        ASSERT(a->word[k] != NULL);
        if (strcmp(a->word[k], value) == 0) break;
    }
    return k;
}

/* What the axis has at this point: the key's value; for words, also what that does not settle of its zip. */
static char *word_at(const struct axis *a, const struct report *rp, size_t point)
{
    const struct report_point *p = &rp->points[point];
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    ASSERT(f != NULL);
    fputs(p->values[a->key], f);
    for (size_t k = 0; !a->numeric && k < p->n; k++) {
        if (!report_same_axis(rp, k, a->key) || axis_follows(rp, k, a->key) || report_repeats(rp, k))
            continue;
        fprintf(f, "\n%s", p->values[k]);
    }
    fclose(f);
    return text;
}

/* Whether a value of the key settles all of its zip. */
static bool tells_all(const struct report *rp, size_t key)
{
    for (size_t k = 0; k < rp->points[0].n; k++)
        if (report_same_axis(rp, k, key) && !axis_follows(rp, k, key)) return false;
    return true;
}

static void fill(struct axis *a, const struct report *rp)
{
    size_t points = runset_points(rp->runs);
    const char *base = "";
    a->x = alloc_array(points, sizeof *a->x);
    a->word = alloc_array(points, sizeof *a->word);
    a->place = alloc_array(points, sizeof *a->place);
    for (size_t i = 0; i < points; i++) {
        char *v = word_at(a, rp, i);
        if (find(a, v) < a->n) {
            free(v);
            continue;
        }
        if (a->numeric && !axis_number(v, &a->x[a->n], &base)) a->x[a->n] = 0;
        a->word[a->n++] = v;
    }
    a->unit = "";
    if (a->numeric) {
        sort_numbers(a);
        double size = size_of_unit(a, base, fabs(a->x[a->n - 1]));
        for (size_t i = 0; i < a->n; i++)
            a->x[i] = rounded(a->x[i] / size);
        a->logarithmic = a->x[0] > 0 && a->x[a->n - 1] / a->x[0] >= 30;
    }
    for (size_t i = 0; i < points; i++) {
        char *v = word_at(a, rp, i);
        a->place[i] = find(a, v);
        free(v);
    }
    a->other = alloc_array(rp->points[0].n, sizeof *a->other);
    for (size_t k = 0; k < rp->points[0].n; k++) {
        a->other[k] = !report_same_axis(rp, k, a->key) && !axis_follows(rp, k, a->key) && !coarser(rp, k);
        for (size_t j = 0; j < k && a->other[k]; j++)
            a->other[k] = !a->other[j] || !axis_follows(rp, k, j);
    }
}

bool axis_make(struct axis *a, const struct report *rp)
{
    size_t best = 1;
    *a = (struct axis){.unit = ""};
    for (int pass = 0; pass < 4 && best == 1; pass++) { /* numbers, words; the same again, of two values */
        for (size_t k = 0; rp->points && k < rp->points[0].n; k++) {
            bool numeric;
            size_t n = variety(rp, k, &numeric);
            numeric = numeric && tells_all(rp, k);
            if (n <= best || numeric != (pass % 2 == 0) || (n == 2 && pass < 2) || coarser(rp, k)) continue;
            best = n;
            a->key = k;
            a->numeric = numeric;
        }
    }
    if (best > 1) fill(a, rp);
    return best > 1;
}

void axis_done(struct axis *a)
{
    free(a->x);
    for (size_t i = 0; i < a->n; i++)
        free(a->word[i]);
    free(a->word);
    free(a->place);
    free(a->other);
    *a = (struct axis){.unit = ""};
}
