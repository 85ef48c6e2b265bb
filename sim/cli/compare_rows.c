// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/compare_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_statistics.h>

#include "base/assert.h"

#define SHARE_BOUND    0.010 /* of share */
#define LIMIT_BOUND    0.015 /* where a limit holds it: the quota's clock is coarse */
#define SLICE_BOUND    0.05  /* slices and waits under the dispatcher */
#define EEVDF_BOUND    0.10  /* under the host's own scheduler, whose slices end on its tick */
#define RATE_BOUND     0.05
#define LATENCY_BOUND  0.10
#define SLOWDOWN_BOUND 0.20
#define TIME_FLOOR     200e-6 /* s: what a kick and a switch take; closer no slice can be held on real time */

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

static const struct step *first_of(const struct sc_vm *vm, enum step_kind kind)
{
    const struct step *s = prog_steps(vm->work.prog);
    for (uint32_t i = 0; i < vm->work.prog->n_steps; i++)
        if (s[i].kind == (uint32_t)kind) return &s[i];
    return NULL;
}

/* A VM's slices are worth comparing where it runs until it is stopped, not until its work is done. */
static bool never_idle(const struct sc_vm *vm)
{
    return !vm->work.requests && !first_of(vm, STEP_SLEEP) && !first_of(vm, STEP_DISK) &&
           !first_of(vm, STEP_NET);
}

/* Whether some VM's work ends before the run may: then slices are of two kinds, with it and without, and
 * which is the more frequent hangs on the core's speed. */
static bool any_ends(const struct scenario *sc)
{
    for (uint32_t i = 0; i < sc->n_vms; i++)
        if (sc->vms[i].work.until != UINT64_MAX) return true;
    return false;
}

/* Who runs when: shares, slices, waits. */
static void rows_cpu(struct compare *c, size_t pairs, const char *e, const struct sc_vm *vm,
                     const struct scenario *sc)
{
    bool eevdf = strcmp(sc->hosts[vm->host].scheduler, "eevdf") == 0;
    double times = eevdf ? EEVDF_BOUND : SLICE_BOUND;
    double share = vm->limit_ppm ? LIMIT_BOUND : SHARE_BOUND;
    bool idles = !never_idle(vm) || any_ends(sc);
    add_row(c, pairs, e, "cpu.run", "share", "", share)->shown = idles;
    add_row(c, pairs, e, "cpu.ready", "share", "", share)->shown = idles;
    if (vm->limit_ppm) add_row(c, pairs, e, "cpu.throttled", "share", "", LIMIT_BOUND);
    if (idles) return;
    add_row(c, pairs, e, "slice", "p50", "s", times);
    add_row(c, pairs, e, "wait", "p50", "s", times);
}

/* What comes of it. */
static void rows_work(struct compare *c, size_t pairs, const char *e, const struct sc_vm *vm)
{
    if (vm->work.requests) {
        add_row(c, pairs, e, "throughput", "mean", "1/s", RATE_BOUND);
        add_row(c, pairs, e, "latency", "p50", "s", LATENCY_BOUND);
    }
    if (vm->victim) add_row(c, pairs, e, "slowdown", "mean", "x", SLOWDOWN_BOUND);
    if (vm->work.until != UINT64_MAX) add_row(c, pairs, e, "work.checksum", "total", "sum", 0)->at_end = true;
}

static void rows_events(struct compare *c, size_t pairs, const char *e, const struct sc_vm *vm)
{
    static const char *const exits[PROG_NOPS] = {[OP_IO_PORT] = "exits.io_port",
                                                 [OP_MMIO] = "exits.mmio",
                                                 [OP_HLT] = "exits.hlt",
                                                 [OP_DOORBELL] = "exits.doorbell"};
    const struct step *s = prog_steps(vm->work.prog);
    bool has[PROG_NOPS] = {false};
    for (uint32_t i = 0; i < vm->work.prog->n_steps; i++)
        if (s[i].kind == STEP_OPS && s[i].how < PROG_NOPS) has[s[i].how] = true;
    for (uint32_t op = 0; op < PROG_NOPS; op++)
        if (has[op] && exits[op])
            add_row(c, pairs, e, exits[op], "total", "/work", RATE_BOUND)->per = "work.done";
    if (first_of(vm, STEP_TOUCH))
        add_row(c, pairs, e, "mem.hardfaults", "total", "/ref", RATE_BOUND)->per = "mem.refs";
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
        rows_cpu(c, pairs, e, vm, sc);
        rows_work(c, pairs, e, vm);
        rows_events(c, pairs, e, vm);
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

/* NaN: it has none. */
static double value_of(const struct run_output *o, const struct compare_row *r)
{
    const struct result *x = results_find(o->results, r->entity, r->metric, r->stat);
    const struct result *by = r->per ? results_find(o->results, r->entity, r->per, "total") : NULL;
    const struct result *end =
        r->at_end ? results_find(o->results, r->entity, "events.finished", "total") : NULL;
    if (!x || (r->per && (!by || by->value <= 0)) || (r->at_end && (!end || end->value < 1)))
        return (double)NAN;
    return by ? x->value / by->value : x->value;
}

void compare_add(struct compare *c, const struct run_output *sim, const struct run_output *real)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        struct compare_row *r = &c->rows[i];
        double s = value_of(sim, r), k = value_of(real, r);
        if (isnan(s) || isnan(k)) continue;
        r->sim[r->n] = s;
        r->real[r->n] = k;
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
    r->real_spread = 1.2533 * gsl_stats_mad(r->real, 1, r->n, work) / sqrt((double)r->n);
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
