// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/compare_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_statistics.h>

#include "base/assert.h"

#define SHARE_BOUND 0.010 /* of share */
#define LIMIT_BOUND 0.015 /* where a limit holds it: the quota's clock is coarse */
#define SLICE_BOUND 0.05  /* slices and waits under the dispatcher */
#define EEVDF_BOUND 0.10  /* under the host's own scheduler, whose slices end on its tick */
#define RATE_BOUND  0.05
#define TIME_FLOOR  200e-6 /* s: what a kick and a switch take; closer no slice can be held on real time */

static struct compare_row *add_row(struct compare *c, size_t pairs, const char *entity, const char *metric,
                                   const char *stat, const char *unit, double bound)
{
    if (c->n_rows == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 16;
        c->rows = realloc(c->rows, c->cap * sizeof *c->rows);
        ASSERT(c->rows);
    }
    struct compare_row *r = &c->rows[c->n_rows++];
    *r = (struct compare_row){.entity = entity,
                              .metric = metric,
                              .stat = stat,
                              .unit = unit,
                              .bound = bound,
                              .relative = unit[0] != '\0'};
    r->sim = calloc(pairs, sizeof *r->sim);
    r->real = calloc(pairs, sizeof *r->real);
    r->gap = calloc(pairs, sizeof *r->gap);
    ASSERT(r->sim && r->real && r->gap);
    return r;
}

/* A VM's slices are worth comparing where it runs until it is stopped, not until its work is done. */
static bool never_idle(const struct sc_vm *vm)
{
    if (vm->work.requests) return false;
    const struct step *s = prog_steps(vm->work.prog);
    for (uint32_t i = 0; i < vm->work.prog->n_steps; i++)
        if (s[i].kind == STEP_SLEEP) return false;
    return true;
}

void compare_init(struct compare *c, const struct scenario *sc, size_t pairs)
{
    *c = (struct compare){0};
    c->names = calloc(sc->n_vms + 1, sizeof *c->names);
    ASSERT(c->names);
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        const struct sc_vm *vm = &sc->vms[i];
        char *e = NULL;
        if (asprintf(&e, "vm.%s", vm->name) < 0) e = NULL;
        ASSERT(e);
        c->names[c->n_names++] = e;
        bool eevdf = strcmp(sc->hosts[vm->host].scheduler, "eevdf") == 0;
        double times = eevdf ? EEVDF_BOUND : SLICE_BOUND;
        bool idles = !never_idle(vm);
        add_row(c, pairs, e, "cpu.run", "share", "", vm->limit_ppm ? LIMIT_BOUND : SHARE_BOUND)->shown =
            idles;
        add_row(c, pairs, e, "cpu.ready", "share", "", vm->limit_ppm ? LIMIT_BOUND : SHARE_BOUND)->shown =
            idles;
        if (vm->limit_ppm) add_row(c, pairs, e, "cpu.throttled", "share", "", LIMIT_BOUND);
        if (!idles) {
            add_row(c, pairs, e, "slice", "p50", "s", times);
            add_row(c, pairs, e, "wait", "p50", "s", times);
        } else {
            add_row(c, pairs, e, "throughput", "mean", "1/s", RATE_BOUND);
        }
    }
}

static void free_row(struct compare_row *r)
{
    free(r->sim);
    free(r->real);
    free(r->gap);
}

void compare_done(struct compare *c)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        free_row(&c->rows[i]);
    }
    for (size_t i = 0; i < c->n_names; i++)
        free(c->names[i]);
    free(c->rows);
    free(c->names);
    *c = (struct compare){0};
}

/* The q-quantile of a distribution, as far as its buckets tell; NaN: there is none. */
static double quantile(const struct run_output *o, const struct compare_row *r, double q)
{
    for (size_t i = 0; i < o->n_ecdfs; i++) {
        const struct ecdf *e = &o->ecdfs[i];
        if (strcmp(e->entity, r->entity) != 0 || strcmp(e->metric, r->metric) != 0) continue;
        for (size_t k = 0; k < e->n; k++)
            if (e->share[k] >= q) return e->x[k];
    }
    return (double)NAN;
}

/* How far the ranges about two medians are apart. Of what is no median, infinitely: it does not help. */
static double gap_between(const struct run_output *sim, const struct run_output *real,
                          const struct compare_row *r)
{
    if (strcmp(r->stat, "p50") != 0) return HUGE_VAL;
    double a = quantile(sim, r, .45), b = quantile(sim, r, .55), x = quantile(real, r, .45),
           y = quantile(real, r, .55);
    if (isnan(a) || isnan(x)) return HUGE_VAL;
    return x > b ? x - b : a > y ? a - y : 0;
}

void compare_add(struct compare *c, const struct run_output *sim, const struct run_output *real)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        struct compare_row *r = &c->rows[i];
        const struct result *s = results_find(sim->results, r->entity, r->metric, r->stat);
        const struct result *k = results_find(real->results, r->entity, r->metric, r->stat);
        if (!s || !k) continue;
        r->sim[r->n] = s->value;
        r->real[r->n] = k->value;
        r->gap[r->n++] = gap_between(sim, real, r);
    }
}

static void judge(struct compare_row *r)
{
    double *d = calloc(r->n, sizeof *d), *work = calloc(r->n, sizeof *work);
    ASSERT(d && work);
    for (size_t i = 0; i < r->n; i++)
        d[i] = r->real[i] - r->sim[i];
    r->spread = 1.2533 * gsl_stats_mad(d, 1, r->n, work) / sqrt((double)r->n);
    r->difference = gsl_stats_median(d, 1, r->n);
    r->sim_median = gsl_stats_median(r->sim, 1, r->n);
    r->real_median = gsl_stats_median(r->real, 1, r->n);
    double bound = r->relative ? r->bound * fabs(r->sim_median) : r->bound;
    if (strcmp(r->unit, "s") == 0) bound = fmax(bound, TIME_FLOOR);
    r->allowed = fmax(bound, 2 * r->spread);
    bool meets = gsl_stats_median(r->gap, 1, r->n) <= bound;
    if (r->shown)
        r->verdict = COMPARE_SHOWN;
    else if (meets)
        r->verdict = COMPARE_AGREES;
    else if (2 * r->spread > 3 * bound)
        r->verdict = COMPARE_UNDECIDED;
    else
        r->verdict = fabs(r->difference) <= r->allowed ? COMPARE_AGREES : COMPARE_DIFFERS;
    free(d);
    free(work);
}

void compare_judge(struct compare *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n_rows; i++) {
        if (c->rows[i].n == 0) {
            free_row(&c->rows[i]);
            continue;
        }
        judge(&c->rows[i]);
        c->rows[kept++] = c->rows[i];
    }
    c->n_rows = kept;
}

const char *compare_verdict_name(enum compare_verdict v)
{
    static const char *const names[] = {"agrees", "DIFFERS", "undecided", "shown"};
    return names[v];
}
