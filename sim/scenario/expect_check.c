// SPDX-License-Identifier: GPL-3.0-or-later
/* Whether a run could break an expectation at all. The difference of both sides is written as a sum of
 * terms with factors; terms that are the same thing are put together, and what is left is bounded. */
#include <math.h>
#include <string.h>

#include "base/assert.h"
#include "scenario/expect_in.h"

#define MAX_TERMS 64

struct bounds {
    double lo, hi;
};

struct form {
    double constant;
    struct {
        double factor;
        const struct expect_node *what;
    } terms[MAX_TERMS];
    unsigned n, seen;
    bool full;
};

static bool same(const struct expect_node *a, const struct expect_node *b)
{
    if (!a || !b) return a == b;
    if (a->kind != b->kind || a->n_args != b->n_args) return false;
    if (a->kind == EXPECT_NUM) return a->num >= b->num && a->num <= b->num;
    if (a->kind == EXPECT_TERM) /* `x@k=0` is x where k is 0, but another thing at every other point. */
        return a->here == b->here && a->point == b->point && !strcmp(a->entity, b->entity) &&
               !strcmp(a->metric, b->metric) && !strcmp(a->stat, b->stat);
    for (uint32_t i = 0; i < a->n_args; i++)
        if (!same(a->args[i], b->args[i])) return false;
    return same(a->a, b->a) && same(a->b, b->b);
}

static bool constant(const struct expect_node *n, double *v)
{
    double a, b;
    if (n->kind == EXPECT_NUM) return *v = n->num, true;
    if (n->kind < EXPECT_ADD || n->kind > EXPECT_DIV || !constant(n->a, &a) || !constant(n->b, &b))
        return false;
    *v = n->kind == EXPECT_ADD   ? a + b
         : n->kind == EXPECT_SUB ? a - b
         : n->kind == EXPECT_MUL ? a * b
                                 : a / b;
    return true;
}

/* 0 x infinity is 0 here: a bound of something that is not there. */
static double times(double a, double b)
{
    return a == 0 || b == 0 ? 0 : a * b;
}

static struct bounds product(struct bounds x, struct bounds y)
{
    double v[4] = {times(x.lo, y.lo), times(x.lo, y.hi), times(x.hi, y.lo), times(x.hi, y.hi)};
    struct bounds out = {v[0], v[0]};
    for (int i = 1; i < 4; i++) {
        out.lo = fmin(out.lo, v[i]);
        out.hi = fmax(out.hi, v[i]);
    }
    return out;
}

static struct bounds bounds_of(const struct expect_node *n)
{
    struct bounds a, b, all = {-HUGE_VAL, HUGE_VAL};
    switch (n->kind) {
    case EXPECT_NUM: return (struct bounds){n->num, n->num};
    case EXPECT_TERM: return (struct bounds){0, n->most};
    case EXPECT_SUM: return (struct bounds){0, HUGE_VAL};
    case EXPECT_MEAN:
    case EXPECT_MAX:
    case EXPECT_MIN:
        all = (struct bounds){HUGE_VAL, -HUGE_VAL};
        for (uint32_t i = 0; i < n->n_args; i++) {
            a = bounds_of(n->args[i]);
            all = (struct bounds){fmin(all.lo, a.lo), fmax(all.hi, a.hi)};
        }
        return all;
    default: break;
    }
    a = bounds_of(n->a);
    b = bounds_of(n->b);
    if (n->kind == EXPECT_ADD) return (struct bounds){a.lo + b.lo, a.hi + b.hi};
    if (n->kind == EXPECT_SUB) return (struct bounds){a.lo - b.hi, a.hi - b.lo};
    if (n->kind == EXPECT_MUL) return product(a, b);
    if (b.lo > 0 || b.hi < 0) return product(a, (struct bounds){1 / b.hi, 1 / b.lo});
    if (b.lo >= 0 && a.lo >= 0) return (struct bounds){isinf(b.hi) ? 0 : a.lo / b.hi, HUGE_VAL};
    return all;
}

static void add_term(struct form *f, const struct expect_node *n, double factor)
{
    f->seen++;
    for (unsigned i = 0; i < f->n; i++) {
        if (!same(f->terms[i].what, n)) continue;
        f->terms[i].factor += factor;
        return;
    }
    if (f->n == MAX_TERMS) {
        f->full = true;
        return;
    }
    f->terms[f->n].what = n;
    f->terms[f->n++].factor = factor;
}

static void flatten(struct form *f, const struct expect_node *n, double factor)
{
    double v;
    if (constant(n, &v)) {
        f->constant += factor * v;
    } else if (n->kind == EXPECT_ADD || n->kind == EXPECT_SUB) {
        flatten(f, n->a, factor);
        flatten(f, n->b, n->kind == EXPECT_ADD ? factor : -factor);
    } else if (n->kind == EXPECT_MUL && constant(n->a, &v)) {
        flatten(f, n->b, factor * v);
    } else if ((n->kind == EXPECT_MUL || n->kind == EXPECT_DIV) && constant(n->b, &v)) {
        flatten(f, n->a, n->kind == EXPECT_MUL ? factor * v : factor / v);
    } else {
        add_term(f, n, factor);
    }
}

/* Bounds of lhs - scale * rhs; *left: how many terms are left in it. */
static struct bounds difference(const struct expect *e, double scale, unsigned *seen, unsigned *left)
{
    struct form f = {0};
    flatten(&f, e->lhs, 1);
    flatten(&f, e->rhs, -scale);
    struct bounds out = {f.constant, f.constant};
    *seen = f.seen;
    *left = 0;
    for (unsigned i = 0; i < f.n; i++) {
        double k = f.terms[i].factor;
        if (fabs(k) < 1e-12) continue;
        ++*left;
        struct bounds t = product(bounds_of(f.terms[i].what), (struct bounds){k, k});
        out.lo += t.lo;
        out.hi += t.hi;
    }
    if (f.full || isnan(out.lo) || isnan(out.hi)) return (struct bounds){-HUGE_VAL, HUGE_VAL};
    return out;
}

static bool always(const struct expect *e, double tolerance, struct bounds upper, struct bounds lower)
{
    switch (e->op) {
    case EXPECT_LT: return upper.hi < tolerance;
    case EXPECT_LE: return upper.hi <= tolerance;
    case EXPECT_GE: return lower.lo >= -tolerance;
    case EXPECT_GT: return lower.lo > -tolerance;
    case EXPECT_EQ: return upper.hi <= tolerance && lower.lo >= -tolerance;
    }
    return false;
}

const char *expect_unbreakable(const struct expect *e)
{
    unsigned seen, left;
    struct bounds d = difference(e, 1, &seen, &left);
    if (!seen) return "nothing in it is measured";
    if (!left) return "both sides are the same thing";
    if (!e->relative)
        return always(e, e->within, d, d) ? e->within > 0 ? "its tolerance takes in everything that can be"
                                                          : "it holds whatever is measured"
                                          : NULL;
    /* Relative to a right side that may be negative: nothing is claimed. */
    if (bounds_of(e->rhs).lo < 0) return NULL;
    struct bounds upper = difference(e, 1 + e->within, &seen, &left),
                  lower = difference(e, 1 - e->within, &seen, &left);
    return always(e, 0, upper, lower) ? "its tolerance takes in everything that can be" : NULL;
}
