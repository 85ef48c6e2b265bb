// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static void summary(FILE *f, const struct report *rp, const char *name, size_t point, size_t rep)
{
    const struct results *r = runset_get(rp->runs, point, rep)->results;
    char num[NUM_LEN];
    for (size_t i = 0; i < results_count(r); i++) {
        const struct result *x = results_at(r, i);
        fields(f, (const char *const[]){rp->scenario, rp->backend, name}, 3);
        fprintf(f, "%zu,%" PRIu64 ",", rep, runset_seed(rp->runs, point, rep));
        fields(f, (const char *const[]){x->entity, x->metric, x->stat, x->unit}, 4);
        fprintf(f, "%s\n", x->is_exact ? num_whole(num, x->exact) : num_text(num, x->value));
    }
}

void csv_summary(FILE *f, const struct report *rp)
{
    fputs("scenario,backend,point,rep,seed,entity,metric,stat,unit,value\n", f);
    each_run(f, rp, summary);
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
