// SPDX-License-Identifier: GPL-3.0-or-later
#include "metrics/contrast.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>

#include "base/assert.h"

static bool all_equal(const double *v, size_t n, double to)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] != to) return false;
    return true;
}

/* The interval and the probability of a mean with its standard error. */
static void judge(struct contrast *c, double error, double df)
{
    double half = gsl_cdf_tdist_Pinv(0.5 + CONTRAST_CONFIDENCE / 2, df) * error;
    c->low = c->difference - half;
    c->high = c->difference + half;
    if (error > 0)
        c->p = 2 * gsl_cdf_tdist_Q(fabs(c->difference) / error, df);
    else
        c->p = c->difference == 0 ? 1 : 0; /* the same each time */
}

struct contrast contrast_paired(const double *a, const double *b, size_t n)
{
    struct contrast c = {.paired = true, .low = (double)NAN, .high = (double)NAN, .p = (double)NAN};
    ASSERT(n > 0);
    double *d = calloc(n, sizeof *d);
    ASSERT(d);
    c.same = true;
    for (size_t i = 0; i < n; i++) {
        d[i] = b[i] - a[i];
        c.same = c.same && a[i] == b[i];
    }
    c.a = gsl_stats_mean(a, 1, n);
    c.b = gsl_stats_mean(b, 1, n);
    c.difference = gsl_stats_mean(d, 1, n);
    if (n > 1) {
        double sd = all_equal(d, n, d[0]) ? 0 : gsl_stats_sd(d, 1, n);
        judge(&c, sd / sqrt((double)n), (double)(n - 1));
    }
    free(d);
    return c;
}

struct contrast contrast_welch(const double *a, size_t n_a, const double *b, size_t n_b)
{
    struct contrast c = {.low = (double)NAN, .high = (double)NAN, .p = (double)NAN};
    ASSERT(n_a > 0 && n_b > 0);
    c.a = gsl_stats_mean(a, 1, n_a);
    c.b = gsl_stats_mean(b, 1, n_b);
    c.difference = c.b - c.a;
    c.same = all_equal(a, n_a, a[0]) && all_equal(b, n_b, a[0]);
    if (n_a < 2 || n_b < 2) return c;
    double va = all_equal(a, n_a, a[0]) ? 0 : gsl_stats_variance(a, 1, n_a) / (double)n_a,
           vb = all_equal(b, n_b, b[0]) ? 0 : gsl_stats_variance(b, 1, n_b) / (double)n_b, v = va + vb;
    double df =
        v > 0 ? v * v / (va * va / (double)(n_a - 1) + vb * vb / (double)(n_b - 1)) : (double)(n_a + n_b - 2);
    judge(&c, sqrt(v), df);
    return c;
}

void contrast_holm(double *p, size_t n)
{
    size_t *order = calloc(n + 1, sizeof *order), m = 0;
    double *asked = calloc(n + 1, sizeof *asked), most = 0;
    ASSERT(order && asked);
    for (size_t i = 0; i < n; i++) {
        asked[i] = isnan(p[i]) ? HUGE_VAL : p[i];
        m += isnan(p[i]) ? 0 : 1;
    }
    gsl_sort_index(order, asked, 1, n);
    for (size_t k = 0; k < m; k++) { /* the smallest first, each against those that are left */
        most = fmax(most, fmin(1, p[order[k]] * (double)(m - k)));
        p[order[k]] = most;
    }
    free(order);
    free(asked);
}
