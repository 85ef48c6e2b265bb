// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/meter.h"
#include "out/num.h"

void csv_field(FILE *f, const char *text)
{
    size_t len = strlen(text);
    bool space = len && (text[0] == ' ' || text[len - 1] == ' ');
    if (!space && !strpbrk(text, ",\"\r\n")) {
        fputs(text, f);
        return;
    }
    putc('"', f);
    for (; *text; text++) {
        if (*text == '"') putc('"', f);
        putc(*text, f);
    }
    putc('"', f);
}

static void fields(FILE *f, const char *const *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        csv_field(f, text[i]);
        putc(',', f);
    }
}

static void each_run(FILE *f, const struct report *rp,
                     void (*table)(FILE *, const struct report *, const char *, size_t, size_t))
{
    for (size_t point = 0; point < runset_points(rp->runs); point++) {
        char *name = report_point_text(rp, point);
        for (size_t rep = 0; rep < runset_reps(rp->runs); rep++)
            if (runset_get(rp->runs, point, rep)) table(f, rp, name, point, rep);
        free(name);
    }
}

/* The columns that say which run a row is of, and where to. */
struct place {
    FILE *f;
    const struct report *rp;
    const char *point;
    size_t rep;
    uint64_t seed;
};

static void rows(void *ctx, const struct results *r)
{
    const struct place *at = ctx;
    char num[NUM_LEN];
    for (size_t i = 0; i < results_count(r); i++) {
        const struct result *x = results_at(r, i);
        fields(at->f, (const char *const[]){at->rp->scenario, at->rp->backend, at->point}, 3);
        fprintf(at->f, "%zu,%" PRIu64 ",", at->rep, at->seed);
        fields(at->f, (const char *const[]){x->entity, x->metric, x->stat, x->unit}, 4);
        fprintf(at->f, "%s\n", x->is_exact ? num_whole(num, x->exact) : num_text(num, x->value));
    }
}

static const char row_heads[] = "scenario,backend,point,rep,seed,entity,metric,stat,unit,value\n";

static void summary(FILE *f, const struct report *rp, const char *name, size_t point, size_t rep)
{
    struct place at = {f, rp, name, rep, runset_seed(rp->runs, point, rep)};
    rows(&at, runset_get(rp->runs, point, rep)->results);
}

void csv_summary(FILE *f, const struct report *rp)
{
    fputs(row_heads, f);
    each_run(f, rp, summary);
}

static void entities(FILE *f, const struct report *rp, const char *name, size_t point, size_t rep)
{
    struct place at = {f, rp, name, rep, runset_seed(rp->runs, point, rep)};
    const struct run_output *out = runset_get(rp->runs, point, rep);
    if (out->each) meter_entities(out->each, rows, &at);
}

void csv_entities(FILE *f, const struct report *rp)
{
    fputs(row_heads, f);
    each_run(f, rp, entities);
}

static void series(FILE *f, const struct report *rp, const char *name, size_t point, size_t rep)
{
    const struct series *s = runset_get(rp->runs, point, rep)->series;
    char num[NUM_LEN];
    for (size_t row = 0; s && row < s->n_rows; row++) {
        for (size_t col = 0; col < s->n_cols; col++) {
            double v = s->v[row * s->n_cols + col];
            if (isnan(v)) continue;
            csv_field(f, name);
            fprintf(f, ",%zu,%s,", rep, num_seconds(num, s->t_ns[row]));
            fields(f, (const char *const[]){s->entities[col], s->metrics[col], s->units[col]}, 3);
            fprintf(f, "%s\n", num_text(num, v));
        }
    }
}

void csv_series(FILE *f, const struct report *rp)
{
    fputs("point,rep,t,entity,metric,unit,value\n", f);
    each_run(f, rp, series);
}

static void events(FILE *f, const struct report *rp, const char *name, size_t point, size_t rep)
{
    const struct run_output *out = runset_get(rp->runs, point, rep);
    char num[NUM_LEN];
    for (size_t i = 0; i < out->n_happenings; i++) {
        const struct happening *h = &out->happenings[i];
        csv_field(f, name);
        fprintf(f, ",%zu,%s,", rep, num_seconds(num, h->t_ns));
        fields(f, (const char *const[]){h->entity, h->kind, h->cause ? h->cause : ""}, 3);
        fprintf(f, "%s\n", num_text(num, h->value));
    }
}

void csv_events(FILE *f, const struct report *rp)
{
    fputs("point,rep,t,entity,kind,cause,value\n", f);
    each_run(f, rp, events);
}
