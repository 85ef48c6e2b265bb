// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/prom.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "out/num.h"

struct sample {
    char *family;
    size_t order; /* as the rows came: the second key of the sort */
    size_t point;
    const struct result *like;
    double value;
};

/* Prometheus wants base units in the name; a share is a ratio. */
static const char *unit_suffix(const struct result *r)
{
    static const struct {
        const char *unit, *suffix;
    } known[] = {{"s", "_seconds"}, {"1/s", "_per_second"}, {"B", "_bytes"},  {"B/s", "_bytes_per_second"},
                 {"W", "_watts"},   {"J", "_joules"},       {"%", "_percent"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(r->unit, known[i].unit) == 0) return known[i].suffix;
    return strcmp(r->stat, "share") == 0 ? "_ratio" : "";
}

/* net.reach.NAME is one metric, NAME a label: names that differ only in what is no letter stay apart. */
static const char reach[] = "net.reach.";

static const char *reach_to(const struct result *r)
{
    return strncmp(r->metric, reach, sizeof reach - 1) == 0 ? r->metric + sizeof reach - 1 : NULL;
}

static size_t metric_len(const struct result *r)
{
    return reach_to(r) ? sizeof reach - 2 : strlen(r->metric);
}

static char *family(const struct result *r)
{
    const char *suffix = unit_suffix(r);
    size_t size = strlen(r->metric) + strlen(suffix) + sizeof "vlab_";
    char *name = alloc_array(size, 1);
    snprintf(name, size, "vlab_%.*s%s", (int)metric_len(r), r->metric, suffix);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c)) *c = '_';
    return name;
}

static int by_family(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    int c = strcmp(x->family, y->family);
    return c ? c : (x->order > y->order) - (x->order < y->order);
}

static void escaped(FILE *f, const char *text, bool quotes)
{
    for (; *text; text++) {
        if (*text == '\\' || (quotes && *text == '"')) putc('\\', f);
        if (*text == '\n')
            fputs("\\n", f);
        else
            putc(*text, f);
    }
}

static void label(FILE *f, const char *name, const char *text, const char *after)
{
    fprintf(f, "%s=\"", name);
    escaped(f, text, true);
    fprintf(f, "\"%s", after);
}

static void value(FILE *f, double x)
{
    char num[NUM_LEN];
    fprintf(f, " %s\n", isnan(x) ? "NaN" : isinf(x) ? (x > 0 ? "+Inf" : "-Inf") : num_text(num, x));
}

static void help(FILE *f, const struct sample *s)
{
    fprintf(f, "# HELP %s The metric ", s->family);
    fprintf(f, "%.*s", (int)metric_len(s->like), s->like->metric);
    if (*s->like->unit) fputs(" in ", f);
    escaped(f, s->like->unit, false);
    fprintf(f, " (vlab explain has its meaning).\n# TYPE %s gauge\n", s->family);
}

void prom_report(FILE *f, const struct report *rp)
{
    struct sample *s = NULL;
    size_t n = 0, cap = 0;
    for (size_t i = 0; i < runset_points(rp->runs); i++) {
        struct runset_row *rows;
        size_t n_rows = runset_rows(rp->runs, i, &rows);
        for (size_t k = 0; k < n_rows; k++) {
            s = alloc_grow(s, n, &cap, sizeof *s);
            s[n] = (struct sample){family(rows[k].like), n, i, rows[k].like, rows[k].e.mean};
            n++;
        }
        free(rows);
    }
    if (n) qsort(s, n, sizeof *s, by_family);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(s[i].family, s[i - 1].family) != 0) help(f, &s[i]);
        fprintf(f, "%s{", s[i].family);
        label(f, "scenario", rp->scenario, ",");
        label(f, "backend", rp->backend, ",");
        char *point = report_point_text(rp, s[i].point);
        if (*point) label(f, "point", point, ",");
        free(point);
        label(f, "entity", s[i].like->entity, ",");
        if (reach_to(s[i].like)) label(f, "to", reach_to(s[i].like), ",");
        label(f, "stat", s[i].like->stat, "}");
        value(f, s[i].value);
    }
    for (size_t i = 0; i < n; i++)
        free(s[i].family);
    free(s);
}
