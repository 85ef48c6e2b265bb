// SPDX-License-Identifier: GPL-3.0-or-later
#include "metrics/runset.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/alloc.h"

struct place {
    const struct run_output *out;
    uint64_t seed;
};

struct runset {
    size_t n_points, n_reps;
    struct place *at; /* [point * n_reps + rep] */
};

struct runset *runset_new(size_t n_points, size_t n_reps)
{
    ASSERT(n_points > 0 && n_reps > 0);
    struct runset *rs = alloc_array(1, sizeof *rs);
    rs->n_points = n_points;
    rs->n_reps = n_reps;
    rs->at = alloc_array(n_points * n_reps, sizeof *rs->at);
    return rs;
}

void runset_free(struct runset *rs)
{
    if (rs) free(rs->at);
    free(rs);
}

size_t runset_points(const struct runset *rs)
{
    return rs->n_points;
}

size_t runset_reps(const struct runset *rs)
{
    return rs->n_reps;
}

static struct place *place(const struct runset *rs, size_t point, size_t rep)
{
    ASSERT(point < rs->n_points && rep < rs->n_reps);
    return &rs->at[point * rs->n_reps + rep];
}

size_t runset_done(const struct runset *rs)
{
    size_t n = 0;
    for (size_t p = 0; p < runset_points(rs); p++)
        for (size_t r = 0; r < runset_reps(rs); r++)
            n += runset_get(rs, p, r) != NULL;
    return n;
}

void runset_put(struct runset *rs, size_t point, size_t rep, uint64_t seed, const struct run_output *out)
{
    struct place *p = place(rs, point, rep);
    ASSERT(p->out == NULL && out != NULL);
    *p = (struct place){out, seed};
}

const struct run_output *runset_get(const struct runset *rs, size_t point, size_t rep)
{
    return place(rs, point, rep)->out;
}

uint64_t runset_seed(const struct runset *rs, size_t point, size_t rep)
{
    return place(rs, point, rep)->seed;
}

struct estimate runset_estimate_of(const double *v, size_t n)
{
    struct estimate e = {.mean = (double)NAN, .sd = (double)NAN, .lo = (double)NAN, .hi = (double)NAN};
    double mean = 0, squares = 0; /* Welford 1962: equal values leave the mean exactly theirs */
    for (size_t i = 0; i < n; i++) {
        if (isnan(v[i])) continue;
        double d = v[i] - mean;
        e.n++;
        mean += d / (double)e.n;
        squares += d * (v[i] - mean);
    }
    if (e.n == 0) return e;
    e.mean = e.lo = e.hi = mean;
    e.sd = e.n > 1 ? sqrt(squares / (double)(e.n - 1)) : 0.0;
    if (e.n > 1) {
        double half =
            gsl_cdf_tdist_Pinv(0.5 + RUNSET_CONFIDENCE / 2, (double)(e.n - 1)) * e.sd / sqrt((double)e.n);
        e.lo = mean - half;
        e.hi = mean + half;
    }
    return e;
}

static struct estimate estimate(const struct runset *rs, size_t point, const char *entity, const char *metric,
                                const char *stat, double *v)
{
    size_t n = 0;
    bool exact = true;
    const struct result *first = NULL;
    uint64_t events = 0;
    for (size_t rep = 0; rep < rs->n_reps; rep++) {
        const struct run_output *out = runset_get(rs, point, rep);
        const struct result *x = out ? results_find(out->results, entity, metric, stat) : NULL;
        if (!x) continue;
        if (!first) first = x;
        exact = exact && x->is_exact && x->exact == first->exact;
        v[n++] = x->value;
        events += events < RESULTS_EVENTS ? results_events(out->results, entity, metric) : 0;
    }
    struct estimate e = runset_estimate_of(v, n);
    e.few = n > 1 && events < RESULTS_EVENTS;
    if (e.few) e.lo = e.hi = (double)NAN;
    if (first && exact) {
        e.is_exact = true;
        e.exact = first->exact;
    }
    return e;
}

struct estimate runset_estimate(const struct runset *rs, size_t point, const char *entity, const char *metric,
                                const char *stat)
{
    double *v = alloc_array(rs->n_reps, sizeof *v);
    struct estimate e = estimate(rs, point, entity, metric, stat, v);
    free(v);
    return e;
}

size_t runset_rows(const struct runset *rs, size_t point, struct runset_row **rows)
{
    struct results *seen = results_new();
    double *v = alloc_array(rs->n_reps, sizeof *v);
    size_t n = 0, cap = 0;
    *rows = NULL;
    for (size_t rep = 0; rep < rs->n_reps; rep++) {
        const struct run_output *out = runset_get(rs, point, rep);
        for (size_t i = 0; out && i < results_count(out->results); i++) {
            const struct result *x = results_at(out->results, i);
            if (rep > 0) {
                if (results_find(seen, x->entity, x->metric, x->stat)) continue;
            }
            if (rs->n_reps > 1) results_add(seen, x->entity, x->metric, x->stat, x->unit, 0);
            *rows = alloc_grow(*rows, n, &cap, sizeof **rows);
            (*rows)[n++] = (struct runset_row){x, estimate(rs, point, x->entity, x->metric, x->stat, v)};
        }
    }
    free(v);
    results_free(seen);
    return n;
}
