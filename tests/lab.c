// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/lab.h"

#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/once.h"

struct lab {
    struct scenario_file *file;
    struct scenario *sc;
    struct meter *meter;
};

static void fail_with(struct diag *d)
{
    diag_print(d, stderr, false);
    ck_abort_msg("the scenario was refused: %s", d->n ? d->items[0].text : "?");
}

struct lab *lab_open(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    ck_assert_int_gt(len, 0);
    struct lab *l = calloc(1, sizeof *l);
    struct diag d;
    diag_init(&d);
    l->file = scenario_parse("test.yaml", text, (size_t)len, &d);
    if (!l->file) fail_with(&d);
    l->sc = scenario_at(l->file, 0, &d);
    if (!l->sc) fail_with(&d);
    diag_done(&d);
    free(text);
    return l;
}

void lab_close(struct lab *l)
{
    meter_free(l->meter);
    scenario_free(l->sc);
    scenario_close(l->file);
    free(l);
}

const struct scenario *lab_scenario(const struct lab *l)
{
    return l->sc;
}
const struct run_output *lab_output(const struct lab *l)
{
    return meter_output(l->meter);
}

void lab_run(struct lab *l, uint64_t seed)
{
    meter_free(l->meter);
    char *why = NULL;
    l->meter = once_sim(&(struct once){.sc = l->sc, .seed = seed, .no_series = false}, &why);
    ck_assert_msg(l->meter != NULL, "the run failed: %s", why ? why : "stopped");
}

static const struct result *find(const struct lab *l, const char *e, const char *metric, const char *stat)
{
    const struct result *r = results_find(meter_output(l->meter)->results, e, metric, stat);
    ck_assert_msg(r != NULL, "there is no %s.%s.%s", e, metric, stat);
    return r;
}

double lab_value(const struct lab *l, const char *e, const char *metric, const char *stat)
{
    return find(l, e, metric, stat)->value;
}

uint64_t lab_exact(const struct lab *l, const char *e, const char *metric, const char *stat)
{
    const struct result *r = find(l, e, metric, stat);
    ck_assert(r->is_exact);
    return r->exact;
}

char *lab_text(const struct lab *l)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    const struct run_output *o = meter_output(l->meter);
    for (size_t i = 0; i < results_count(o->results); i++) {
        const struct result *r = results_at(o->results, i);
        fprintf(f, "%s.%s.%s %.17g %s\n", r->entity, r->metric, r->stat, r->value, r->unit);
    }
    for (size_t i = 0; i < o->n_happenings; i++)
        fprintf(f, "%lld %s %s %.17g\n", (long long)o->happenings[i].t_ns, o->happenings[i].entity,
                o->happenings[i].kind, o->happenings[i].value);
    for (size_t i = 0; i < o->series->n_rows * o->series->n_cols; i++)
        fprintf(f, "%.17g\n", o->series->v[i]);
    fclose(f);
    return text;
}

struct lab_mean lab_replicate(struct lab *l, int reps, const char *e, const char *metric, const char *stat)
{
    double sum = 0, sum2 = 0;
    for (int r = 1; r <= reps; r++) {
        lab_run(l, (uint64_t)r);
        double x = lab_value(l, e, metric, stat);
        sum += x;
        sum2 += x * x;
    }
    double mean = sum / reps, var = (sum2 - sum * mean) / (reps - 1);
    return (struct lab_mean){mean, sqrt((var > 0 ? var : 0) / reps)};
}
