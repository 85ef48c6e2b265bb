// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/interest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "metrics/expect_eval.h"

static const struct results *results_at_point(void *ctx, size_t point, uint32_t rep)
{
    const struct run_output *out = runset_get(ctx, point, rep);
    return out ? out->results : NULL;
}

struct estimate interest_at(const struct report *rp, const struct interest *w, size_t point)
{
    size_t reps = runset_reps(rp->runs);
    struct expect_runs runs = {results_at_point, (void *)(uintptr_t)rp->runs, (uint32_t)reps};
    double *v = alloc_array(reps, sizeof *v);
    for (size_t rep = 0; rep < reps; rep++)
        v[rep] = expect_figure(&w->node, &runs, point, (uint32_t)rep);
    struct estimate e = runset_estimate_of(v, reps);
    free(v);
    e.few = e.n > 1 && expect_events(&w->node, &runs, point) < RESULTS_EVENTS;
    if (e.few) e.lo = e.hi = (double)NAN;
    return e;
}

static const char *call_name(enum expect_kind kind)
{
    switch (kind) {
    case EXPECT_SUM: return "sum";
    case EXPECT_MEAN: return "mean";
    case EXPECT_MAX: return "max";
    case EXPECT_MIN: return "min";
    default: return NULL;
    }
}

static bool is_figure(const struct expect_node *n)
{
    return n->kind == EXPECT_TERM || (call_name(n->kind) && n->n_args);
}

static const struct expect_node *first_term(const struct expect_node *n)
{
    return call_name(n->kind) ? n->args[0] : n;
}

/* Of two figures, asked at one point. */
static bool is_quotient(const struct expect_node *n)
{
    if (n->kind != EXPECT_DIV || !is_figure(n->a) || !is_figure(n->b)) return false;
    const struct expect_node *a = first_term(n->a), *b = first_term(n->b);
    return a->here == b->here && a->point == b->point;
}

static void write_name(const struct expect_node *n, char *out, size_t size)
{
    if (n->kind == EXPECT_DIV) {
        write_name(n->a, out, size);
        size_t at = strlen(out);
        if (at + 4 < size) {
            strcpy(out + at, " / ");
            write_name(n->b, out + at + 3, size - at - 3);
        }
        return;
    }
    const char *call = call_name(n->kind);
    size_t at = call ? (size_t)snprintf(out, size, "%s(", call) : 0, terms = call ? n->n_args : 1;
    for (size_t i = 0; i < terms && at < size; i++) {
        const struct expect_node *t = call ? n->args[i] : n;
        at +=
            (size_t)snprintf(out + at, size - at, "%s%s.%s.%s", i ? ", " : "", t->entity, t->metric, t->stat);
    }
    if (call && at < size) snprintf(out + at, size - at, ")");
}

struct find {
    const struct report *rp;
    struct interest *list;
    size_t n;
};

static bool has_value(const struct report *rp, const struct interest *w)
{
    for (size_t p = 0; p < runset_points(rp->runs); p++)
        if (interest_at(rp, w, p).n) return true;
    return false;
}

static void add(struct find *f, const struct expect_node *n)
{
    const struct expect_node *t = first_term(n->kind == EXPECT_DIV ? n->a : n);
    /* A checksum is equal or not; how large it is says nothing. */
    if (f->n == INTEREST_MAX || strcmp(t->metric, "work.checksum") == 0) return;
    struct interest *w = &f->list[f->n];
    char unit[40];
    *w = (struct interest){.node = *n, .entity = t->entity, .metric = t->metric, .stat = t->stat};
    if (n->kind == EXPECT_DIV) w->per = first_term(n->b)->metric;
    const char *text = expect_unit_text(n->unit, unit, sizeof unit);
    w->unit = text == unit ? "" : text;
    w->percent = n->percent;
    write_name(n, w->name, sizeof w->name);
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->list[i].name, w->name) == 0) return;
    if (has_value(f->rp, w)) f->n++;
}

static void walk(struct find *f, const struct expect_node *n)
{
    if (!n) return;
    if (is_quotient(n)) {
        add(f, n);
        return;
    }
    if (is_figure(n)) add(f, n);
    walk(f, n->a);
    walk(f, n->b);
}

/* What the VMs wait for longest, all points together; in doubt for a pCPU. */
static const char *longest_wait(const struct report *rp, const char *const *vms, size_t n)
{
    static const char *const waits[] = {"cpu.ready", "cpu.swapwait", "cpu.diskwait", "cpu.netwait"};
    size_t best = 0;
    double most = -1;
    for (size_t k = 0; k < sizeof waits / sizeof *waits; k++) {
        double sum = 0;
        for (size_t p = 0; p < runset_points(rp->runs); p++)
            for (size_t i = 0; i < n && i < INTEREST_MAX; i++) {
                struct estimate e = report_pick(rp, p, vms[i], waits[k], "share");
                sum += e.n ? e.mean : 0;
            }
        if (sum > most) best = k;
        if (sum > most) most = sum;
    }
    return waits[best];
}

size_t interest_of(const struct report *rp, struct interest list[INTEREST_MAX])
{
    struct find f = {.rp = rp, .list = list};
    for (size_t i = 0; i < rp->n_expects; i++) {
        if (!rp->expects[i].parsed) continue;
        walk(&f, rp->expects[i].parsed->lhs);
        walk(&f, rp->expects[i].parsed->rhs);
    }
    if (f.n) return f.n;
    const char **vms;
    size_t n = report_vms(rp, runset_points(rp->runs) - 1, &vms);
    const char *metric = longest_wait(rp, vms, n);
    for (size_t i = 0; i < n && f.n < INTEREST_MAX; i++)
        add(&f,
            &(struct expect_node){
                .kind = EXPECT_TERM, .percent = true, .entity = vms[i], .metric = metric, .stat = "share"});
    free(vms);
    return f.n;
}
