// SPDX-License-Identifier: GPL-3.0-or-later
#include "metrics/expect_eval.h"

#include <fnmatch.h>
#include <gsl/gsl_cdf.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/unit.h"

struct value {
    double v;
    uint64_t exact;
    bool is_exact;
    bool none;    /* no value: something was not measured */
    bool nothing; /* a glob that no entity fits: there is nothing to ask */
};

struct eval {
    const struct expect_runs *runs;
    uint32_t rep;
    bool moved; /* all terms are taken at `point` */
    size_t point;
    const struct expect_node *missing;
};

static const struct results *results_of(const struct eval *e, const struct expect_node *n)
{
    return e->runs->at(e->runs->ctx, e->moved ? e->point : n->point, e->rep);
}

static struct value of_result(const struct result *x)
{
    return (struct value){.v = x->value, .exact = x->exact, .is_exact = x->is_exact, .none = isnan(x->value)};
}

/* A count that made one single member may be called by its group's name. */
static const struct result *find_sole_member(const struct results *r, const struct expect_node *n)
{
    char name[400], next[400];
    const char *dot = strchr(n->entity, '.');
    const char *end = dot ? strchr(dot + 1, '.') : NULL;
    int len = end ? (int)(end - n->entity) : (int)strlen(n->entity);
    const char *rest = end ? end : "";
    snprintf(name, sizeof name, "%.*s-0%s", len, n->entity, rest);
    snprintf(next, sizeof next, "%.*s-1%s", len, n->entity, rest);
    const struct result *x = results_find(r, name, n->metric, n->stat);
    return x && !results_find(r, next, n->metric, n->stat) ? x : NULL;
}

static struct value term(struct eval *e, const struct expect_node *n)
{
    const struct results *r = results_of(e, n);
    const struct result *x = r ? results_find(r, n->entity, n->metric, n->stat) : NULL;
    if (r && !x) x = find_sole_member(r, n);
    struct value out = x ? of_result(x) : (struct value){.none = true};
    if (out.none && !e->missing) e->missing = n;
    return out;
}

static unsigned dots(const char *s)
{
    unsigned n = 0;
    for (; *s; s++)
        n += *s == '.';
    return n;
}

static bool fits(const struct expect_node *t, const char *entity)
{
    return dots(entity) == dots(t->entity) && fnmatch(t->entity, entity, 0) == 0;
}

/* Both exact, and it fits: exact; else in doubles. */
static struct value plus(struct value a, struct value b)
{
    struct value out = {.v = a.v + b.v, .none = a.none || b.none};
    out.is_exact = a.is_exact && b.is_exact && !__builtin_add_overflow(a.exact, b.exact, &out.exact);
    return out;
}

static void gather(enum expect_kind kind, struct value *sum, uint32_t *n, struct value x)
{
    bool better = kind == EXPECT_MAX ? x.v > sum->v : x.v < sum->v;
    /* Whole numbers that round to the same double still have an order. */
    if (x.is_exact && sum->is_exact)
        better = kind == EXPECT_MAX ? x.exact > sum->exact : x.exact < sum->exact;
    if (!(*n)++)
        *sum = x;
    else if (kind == EXPECT_SUM || kind == EXPECT_MEAN)
        *sum = plus(*sum, x);
    else if (better)
        *sum = x;
}

static struct value call(struct eval *e, const struct expect_node *call)
{
    struct value sum = {.is_exact = true};
    uint32_t n = 0, entities = 0;
    for (uint32_t i = 0; i < call->n_args; i++) {
        const struct expect_node *t = call->args[i];
        if (!t->glob) {
            struct value x = term(e, t);
            entities++;
            if (!x.none) gather(call->kind, &sum, &n, x);
            continue;
        }
        const struct results *r = results_of(e, t);
        for (size_t j = 0; r && j < results_count(r); j++) {
            const struct result *x = results_at(r, j);
            if (!fits(t, x->entity)) continue;
            entities++;
            if (!strcmp(x->metric, t->metric) && !strcmp(x->stat, t->stat) && !isnan(x->value))
                gather(call->kind, &sum, &n, of_result(x));
        }
    }
    if (!n && entities) {
        if (!e->missing) e->missing = call->args[0];
        return (struct value){.none = true};
    }
    if (!n && call->kind != EXPECT_SUM) return (struct value){.nothing = true};
    if (call->kind == EXPECT_MEAN) {
        sum.v /= n;
        sum.is_exact = false;
    }
    return sum;
}

static struct value compute(struct eval *e, const struct expect_node *n)
{
    switch (n->kind) {
    case EXPECT_NUM: return (struct value){.v = n->num, .exact = n->exact, .is_exact = n->is_exact};
    case EXPECT_TERM: return term(e, n);
    case EXPECT_SUM:
    case EXPECT_MEAN:
    case EXPECT_MAX:
    case EXPECT_MIN: return call(e, n);
    default: break;
    }
    struct value a = compute(e, n->a), b = compute(e, n->b), out = {0};
    switch (n->kind) {
    case EXPECT_ADD: out = plus(a, b); break;
    case EXPECT_SUB:
        out.v = a.v - b.v;
        out.is_exact = a.is_exact && b.is_exact && a.exact >= b.exact;
        out.exact = a.exact - b.exact;
        break;
    case EXPECT_MUL:
        out.v = a.v * b.v;
        out.is_exact = a.is_exact && b.is_exact && !__builtin_mul_overflow(a.exact, b.exact, &out.exact);
        break;
    default: out.v = a.v / b.v; break;
    }
    out.none = a.none || b.none || isnan(out.v);
    out.nothing = a.nothing || b.nothing;
    return out;
}

double expect_figure(const struct expect_node *n, const struct expect_runs *runs, size_t point, uint32_t rep)
{
    struct eval e = {.runs = runs, .rep = rep, .moved = true, .point = point};
    struct value x = compute(&e, n);
    return x.none || x.nothing ? (double)NAN : x.v;
}

static bool exactly(enum expect_op op, uint64_t a, uint64_t b)
{
    switch (op) {
    case EXPECT_LT: return a < b;
    case EXPECT_LE: return a <= b;
    case EXPECT_EQ: return a == b;
    case EXPECT_GE: return a >= b;
    case EXPECT_GT: return a > b;
    }
    return false;
}

/* The interval [lo, hi] of left - right against what is allowed. */
static enum expect_verdict judge(enum expect_op op, double lo, double hi, double tol)
{
    bool in, out;
    switch (op) {
    case EXPECT_LT: in = hi < tol, out = lo >= tol; break;
    case EXPECT_LE: in = hi <= tol, out = lo > tol; break;
    case EXPECT_GE: in = lo >= -tol, out = hi < -tol; break;
    case EXPECT_GT: in = lo > -tol, out = hi <= -tol; break;
    default: in = lo >= -tol && hi <= tol, out = lo > tol || hi < -tol; break;
    }
    return in ? EXPECT_HOLDS : out ? EXPECT_FAILS : EXPECT_UNDECIDED;
}

/* A stated tolerance takes in its own bound, whatever way the last bit was rounded. */
static double tolerance(const struct expect *x, double lhs, double rhs)
{
    if (x->within <= 0) return 0;
    return (x->relative ? x->within * fabs(rhs) : x->within) + 1e-15 * (fabs(lhs) + fabs(rhs));
}

static struct expect_result single(const struct expect *x, struct value a, struct value b,
                                   struct expect_result r)
{
    r.lo = r.hi = a.v - b.v;
    if (a.is_exact && b.is_exact && x->within <= 0) {
        r.is_exact = true;
        r.lhs_exact = a.exact;
        r.rhs_exact = b.exact;
        r.verdict = exactly(x->op, a.exact, b.exact) ? EXPECT_HOLDS : EXPECT_FAILS;
    } else {
        r.verdict = judge(x->op, r.lo, r.hi, tolerance(x, a.v, b.v));
    }
    return r;
}

/* --- too few events --- */

/* What a term rests on in one run. */
static uint64_t events_of_term(const struct eval *e, const struct expect_node *t)
{
    const struct results *r = results_of(e, t);
    uint64_t sum = 0;
    if (!r || results_events(r, "", t->metric) == UINT64_MAX) return UINT64_MAX;
    if (!t->glob) {
        const struct result *x = results_find(r, t->entity, t->metric, t->stat);
        if (!x) x = find_sole_member(r, t);
        return x ? results_events(r, x->entity, t->metric) : 0;
    }
    for (size_t i = 0; i < results_count(r); i++) {
        const struct result *x = results_at(r, i);
        bool is = !strcmp(x->metric, t->metric) && !strcmp(x->stat, t->stat) && fits(t, x->entity);
        sum += is ? results_events(r, x->entity, t->metric) : 0;
    }
    return sum;
}

/* The fewest that a figure of these rests on, in all runs. UINT64_MAX: no figure is of that kind. */
static uint64_t events_of(const struct expect_node *n, const struct eval *at)
{
    const struct expect_runs *runs = at->runs;
    uint64_t sum = 0;
    if (n->kind == EXPECT_NUM) return UINT64_MAX;
    if (n->kind >= EXPECT_ADD && n->kind <= EXPECT_DIV) {
        uint64_t a = events_of(n->a, at), b = events_of(n->b, at);
        return a < b ? a : b;
    }
    for (uint32_t rep = 0; rep < runs->n_reps; rep++) {
        struct eval e = *at;
        e.rep = rep;
        for (uint32_t i = 0; i < (n->kind == EXPECT_TERM ? 1 : n->n_args); i++) {
            uint64_t k = events_of_term(&e, n->kind == EXPECT_TERM ? n : n->args[i]);
            if (k == UINT64_MAX) return k; /* the terms of a call are of one metric, or it is not judged so */
            sum += k;
        }
    }
    return sum;
}

static bool too_few(const struct expect *x, const struct expect_runs *runs, bool steady, uint64_t *events)
{
    if (!expect_mentions(x, "availability")) return false;
    struct eval here = {.runs = runs};
    uint64_t a = events_of(x->lhs, &here), b = events_of(x->rhs, &here);
    *events = a < b ? a : b;
    return *events < RESULTS_EVENTS && !(steady && *events > 0);
}

uint64_t expect_events(const struct expect_node *n, const struct expect_runs *runs, size_t point)
{
    return events_of(n, &(struct eval){.runs = runs, .moved = true, .point = point});
}

struct expect_result expect_eval(const struct expect *x, const struct expect_runs *runs)
{
    struct expect_result r = {.n_reps = runs->n_reps, .verdict = EXPECT_UNDECIDED};
    struct value a = {0}, b = {0};
    double mean = 0, m2 = 0;
    bool all_exact_equal = true, steady = true;
    struct value first[2];
    ASSERT(runs->n_reps > 0);
    for (uint32_t i = 0; i < runs->n_reps; i++) {
        struct eval e = {.runs = runs, .rep = i};
        a = compute(&e, x->lhs);
        b = compute(&e, x->rhs);
        if (a.none || b.none) {
            r.missing = e.missing;
            r.lhs = r.rhs = r.lo = r.hi = (double)NAN;
            return r;
        }
        if (a.nothing || b.nothing) {
            r.verdict = EXPECT_HOLDS;
            return r;
        }
        if (i == 0) {
            first[0] = a;
            first[1] = b;
        }
        steady = steady && a.v == first[0].v && b.v == first[1].v;
        if (!(a.is_exact && b.is_exact && a.exact == b.exact)) all_exact_equal = false;
        /* Welford: means and the sum of squares of the difference. */
        double d = a.v - b.v, k = i + 1;
        if (a.is_exact && b.is_exact && a.exact != b.exact && d == 0) d = a.exact > b.exact ? 1 : -1;
        r.lhs += (a.v - r.lhs) / k;
        r.rhs += (b.v - r.rhs) / k;
        double delta = d - mean;
        mean += delta / k;
        m2 += delta * (d - mean);
    }
    if (runs->n_reps == 1) return single(x, a, b, r);
    double n = runs->n_reps,
           half = all_exact_equal ? 0 : gsl_cdf_tdist_Pinv(0.975, n - 1) * sqrt(m2 / (n - 1) / n);
    r.lo = mean - half;
    r.hi = mean + half;
    r.few = too_few(x, runs, steady, &r.events);
    r.verdict = r.few ? EXPECT_UNDECIDED : judge(x->op, r.lo, r.hi, tolerance(x, r.lhs, r.rhs));
    return r;
}

const char *expect_verdict_name(enum expect_verdict v)
{
    static const char *const names[] = {"holds", "undecided", "fails"};
    return names[v];
}

static void show(struct buf *b, const struct expect *x, double v, bool is_exact, uint64_t exact)
{
    char unit[40], text[80];
    if (is_exact) {
        buf_printf(b, "%" PRIu64, exact);
        return;
    }
    const char *u = expect_unit_text(x->lhs->unit, unit, sizeof unit);
    bool percent = !*u && (x->lhs->percent || x->rhs->percent);
    buf_puts(b, unit_show(percent ? "%" : u, v, text, sizeof text));
}

static void show_within(struct buf *b, const struct expect *x)
{
    char unit[40], text[80];
    if (x->within <= 0) return;
    const char *u = expect_unit_text(x->lhs->unit, unit, sizeof unit);
    if (x->relative || x->within_pp)
        buf_printf(b, " within %.6g%s", x->within * 100, x->relative ? "%" : "pp");
    else
        buf_printf(b, " within %s", unit_show(u, x->within, text, sizeof text));
}

char *expect_explain(const struct expect *x, const struct expect_result *r, const char *place)
{
    struct buf b;
    buf_init(&b);
    if (r->missing) {
        buf_printf(&b, "%s: no value of %s.%s.%s", x->text, r->missing->entity, r->missing->metric,
                   r->missing->stat);
    } else if (isnan(r->lhs)) {
        buf_printf(&b, "%s: it has no value", x->text);
    } else {
        buf_printf(&b, "%s is ", x->left);
        show(&b, x, r->lhs, r->is_exact, r->lhs_exact);
        buf_printf(&b, ", wanted %s ", expect_op_text(x->op));
        show(&b, x, r->rhs, r->is_exact, r->rhs_exact);
        show_within(&b, x);
        if (r->few) {
            buf_printf(&b, "; too few events: %" PRIu64 " failures in %u runs, an interval takes %d",
                       r->events, r->n_reps, RESULTS_EVENTS);
        } else if (r->n_reps > 1) {
            buf_puts(&b, "; difference ");
            show(&b, x, r->lo, false, 0);
            buf_puts(&b, " to ");
            show(&b, x, r->hi, false, 0);
            buf_printf(&b, " (95 %%, n = %u)", r->n_reps);
        }
    }
    if (place && *place) buf_printf(&b, " (at %s)", place);
    return buf_take(&b, NULL);
}
