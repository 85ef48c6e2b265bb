// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/compare_run.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "out/csv_read.h"
#include "out/manifest.h"

#define MOST_REPS 100000

enum { SCENARIO, BACKEND, POINT, REP, SEED, ENTITY, METRIC, STAT, UNIT, VALUE, N_COLUMNS };

static char *text(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&s, fmt, ap) < 0) s = NULL;
    va_end(ap);
    ASSERT(s);
    return s;
}

/* Whether a point has all of "@KEY=VALUE@KEY=VALUE". */
static bool is_asked(const char *point, const char *at)
{
    while (*at == '@') {
        size_t len = strcspn(++at, "@");
        const char *p = point;
        for (;; p++) {
            size_t n = strcspn(p, ";");
            if (n == len && strncmp(p, at, len) == 0) break;
            p += n;
            if (*p == '\0') return false;
        }
        at += len;
    }
    return true;
}

/* What is read before the set of runs can be made: whose results. */
struct run {
    size_t point, rep;
    uint64_t seed;
    struct results *results;
};

struct reading {
    struct compare_run *r;
    struct run *runs;
    size_t n, cap, reps;
};

static size_t point_number(struct compare_run *r, const char *point)
{
    for (size_t i = 0; i < r->n_points; i++)
        if (strcmp(r->points[i], point) == 0) return i;
    r->points = realloc(r->points, (r->n_points + 1) * sizeof *r->points);
    ASSERT(r->points);
    r->points[r->n_points] = text("%s", point);
    return r->n_points++;
}

static struct results *results_of(struct reading *x, size_t point, size_t rep, uint64_t seed)
{
    for (size_t i = x->n; i-- > 0;)
        if (x->runs[i].point == point && x->runs[i].rep == rep) return x->runs[i].results;
    if (x->n == x->cap) {
        x->cap = x->cap ? 2 * x->cap : 64;
        x->runs = realloc(x->runs, x->cap * sizeof *x->runs);
        ASSERT(x->runs);
    }
    x->runs[x->n] = (struct run){point, rep, seed, results_new()};
    if (rep >= x->reps) x->reps = rep + 1;
    return x->runs[x->n++].results;
}

static bool whole(const char *s, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(s, &end, 10);
    return isdigit((unsigned char)s[0]) && *end == '\0' && errno == 0;
}

static bool take_row(struct reading *x, const struct csv_row *row, const char *at)
{
    const char *const *f = row->field;
    uint64_t rep, seed, exact;
    char *end;
    if (row->n != N_COLUMNS || !whole(f[REP], &rep) || rep >= MOST_REPS || !whole(f[SEED], &seed))
        return false;
    if (!x->r->scenario) {
        x->r->scenario = text("%s", f[SCENARIO]);
        x->r->backend = text("%s", f[BACKEND]);
    }
    if (!is_asked(f[POINT], at)) return true;
    struct results *r = results_of(x, point_number(x->r, f[POINT]), rep, seed);
    if (results_find(r, f[ENTITY], f[METRIC], f[STAT])) return false;
    if (whole(f[VALUE], &exact)) {
        results_add_exact(r, f[ENTITY], f[METRIC], f[STAT], f[UNIT], exact);
        return true;
    }
    double value = strtod(f[VALUE], &end);
    if (end == f[VALUE] || *end) return false;
    results_add(r, f[ENTITY], f[METRIC], f[STAT], f[UNIT], value);
    return true;
}

static void read_table(struct reading *x, FILE *f, const char *path, const char *at, char **why)
{
    struct csv_row *row = calloc(1, sizeof *row);
    ASSERT(row);
    int got = csv_read(f, row); /* the heading */
    if (got == 1 && (row->n != N_COLUMNS || strcmp(row->field[VALUE], "value") != 0)) got = -1;
    while (got == 1 && (got = csv_read(f, row)) == 1)
        if (!take_row(x, row, at)) got = -1;
    if (got < 0) *why = text("%s:%zu: this is not the table that vlab writes", path, row->line);
    free(row);
}

static void make_set(struct reading *x)
{
    struct compare_run *r = x->r;
    r->runs = runset_new(r->n_points, x->reps);
    r->outs = calloc(x->n, sizeof *r->outs);
    ASSERT(r->outs);
    r->n_outs = x->n;
    for (size_t i = 0; i < x->n; i++) {
        r->outs[i].results = x->runs[i].results;
        runset_put(r->runs, x->runs[i].point, x->runs[i].rep, x->runs[i].seed, &r->outs[i]);
    }
}

int compare_run_open(struct compare_run *r, const char *name, char **why)
{
    size_t len = strcspn(name, "@");
    *r = (struct compare_run){.name = text("%s", name)};
    char *dir = text("%.*s", (int)len, name), *path = text("%s/summary.csv", dir);
    struct reading x = {.r = r};
    FILE *f = fopen(path, "re");
    if (!manifest_is_ours(dir))
        *why = text("%s is not a vlab run directory (no manifest.json of ours in it)", dir);
    else if (!f)
        *why = text("%s: %s", path, strerror(errno));
    else
        read_table(&x, f, path, name + len, why);
    if (f) fclose(f);
    if (!*why && x.n == 0) *why = text("%s: no run has the point %s", dir, name + len);
    if (!*why) make_set(&x);
    for (size_t i = 0; *why && i < x.n; i++)
        results_free(x.runs[i].results);
    free(x.runs);
    free(dir);
    free(path);
    return *why ? -1 : 0;
}

void compare_run_close(struct compare_run *r)
{
    for (size_t i = 0; i < r->n_points; i++)
        free(r->points[i]);
    for (size_t i = 0; i < r->n_outs; i++)
        results_free((struct results *)(uintptr_t)r->outs[i].results);
    if (r->runs) runset_free(r->runs);
    free(r->points);
    free(r->outs);
    free(r->name);
    free(r->scenario);
    free(r->backend);
    *r = (struct compare_run){0};
}
