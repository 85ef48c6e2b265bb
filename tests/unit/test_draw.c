// SPDX-License-Identifier: GPL-3.0-or-later
/* Draws against GSL: each distribution's mean, variance and whole shape, at fixed seeds. Bounds are 4.5
 * standard errors from the distribution's own moments, and p > 1e-5 for the Kolmogorov-Smirnov and
 * chi-square tests. The bits are test_draw_bits.c's, the functions under the draws test_draw_math.c's. */
#include <check.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "tests/often.h"

Suite *draw_suite(void);

enum { N = 300000 };
#define SCALE 1000000000 /* large against 1, so that whole numbers do not show in the shape */

struct shape {
    const char *name;
    struct dist d;
    double (*cdf)(double x);      /* of X / SCALE */
    double (*moment)(unsigned n); /* E[(X / SCALE)^n] */
};

static double fact(unsigned n)
{
    return gsl_sf_fact(n);
}

static double exponential_cdf(double x)
{
    return gsl_cdf_exponential_P(x, 1);
}
static double exponential_moment(unsigned n)
{
    return fact(n);
}
static double uniform_cdf(double x)
{
    return gsl_cdf_flat_P(x, 1, 3);
}
static double uniform_moment(unsigned n)
{
    return (pow(3, n + 1) - 1) / ((n + 1) * 2);
}

/* Mean 1, sd 1/8: nothing is cut. */
static double normal_cdf(double x)
{
    return gsl_cdf_gaussian_P(x - 1, 0.125);
}
static double normal_moment(unsigned n)
{
    double v = 1.0 / 64;
    return n == 1 ? 1 : n == 2 ? 1 + v : n == 3 ? 1 + 3 * v : 1 + 6 * v + 3 * v * v;
}

/* Mean 1, sd 1/2: sigma^2 = ln 1.25. */
#define LOG_S2 0.22314355131420976
static double lognormal_cdf(double x)
{
    return gsl_cdf_lognormal_P(x, -LOG_S2 / 2, sqrt(LOG_S2));
}
static double lognormal_moment(unsigned n)
{
    return exp(-(double)n * LOG_S2 / 2 + n * n * LOG_S2 / 2);
}

static double weibull_cdf(double x)
{
    return gsl_cdf_weibull_P(x, 1, 0.8);
}
static double weibull_moment(unsigned n)
{
    return gsl_sf_gamma(1 + n / 0.8);
}
static double bell_cdf(double x)
{
    return gsl_cdf_weibull_P(x, 1, 3.5);
}
static double bell_moment(unsigned n)
{
    return gsl_sf_gamma(1 + n / 3.5);
}
static double pareto_cdf(double x)
{
    return gsl_cdf_pareto_P(x, 9, 1);
}
static double pareto_moment(unsigned n)
{
    return 9.0 / (9.0 - n);
}

/* scv 4: branch probabilities (1 +- sqrt(3/5))/2, half of the mean in each. */
static double hyperexp_sum(double (*f)(double mean, double arg), double arg)
{
    double p = (1 + sqrt(0.6)) / 2;
    return p * f(1 / (2 * p), arg) + (1 - p) * f(1 / (2 * (1 - p)), arg);
}
static double branch_cdf(double mean, double x)
{
    return gsl_cdf_exponential_P(x, mean);
}
static double branch_moment(double mean, double n)
{
    return fact((unsigned)n) * pow(mean, n);
}
static double hyperexp_cdf(double x)
{
    return hyperexp_sum(branch_cdf, x);
}
static double hyperexp_moment(unsigned n)
{
    return hyperexp_sum(branch_moment, n);
}

static double erlang_of(unsigned k, unsigned n)
{
    double m = 1;
    for (unsigned i = 0; i < n; i++)
        m *= (double)(k + i) / k;
    return m;
}
static double erlang3_cdf(double x)
{
    return gsl_cdf_gamma_P(x, 3, 1.0 / 3);
}
static double erlang3_moment(unsigned n)
{
    return erlang_of(3, n);
}
static double erlang40_cdf(double x)
{
    return gsl_cdf_gamma_P(x, 40, 1.0 / 40);
}
static double erlang40_moment(unsigned n)
{
    return erlang_of(40, n);
}

static const struct shape shapes[] = {
    {"exponential", {.kind = DIST_EXPONENTIAL, .a = SCALE}, exponential_cdf, exponential_moment},
    {"uniform", {.kind = DIST_UNIFORM, .a = SCALE, .b = INT64_C(3) * SCALE}, uniform_cdf, uniform_moment},
    {"normal", {.kind = DIST_NORMAL, .a = SCALE, .b = SCALE / 8}, normal_cdf, normal_moment},
    {"lognormal", {.kind = DIST_LOGNORMAL, .a = SCALE, .b = SCALE / 2}, lognormal_cdf, lognormal_moment},
    {"weibull 0.8", {.kind = DIST_WEIBULL, .a = SCALE, .x = 0.8}, weibull_cdf, weibull_moment},
    {"weibull 3.5", {.kind = DIST_WEIBULL, .a = SCALE, .x = 3.5}, bell_cdf, bell_moment},
    {"pareto", {.kind = DIST_PARETO, .a = SCALE, .x = 9}, pareto_cdf, pareto_moment},
    {"hyperexponential", {.kind = DIST_HYPEREXP, .a = SCALE, .x = 4}, hyperexp_cdf, hyperexp_moment},
    {"erlang 3", {.kind = DIST_ERLANG, .a = SCALE, .n = 3}, erlang3_cdf, erlang3_moment},
    {"erlang 40", {.kind = DIST_ERLANG, .a = SCALE, .n = 40}, erlang40_cdf, erlang40_moment},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Half of the sample from one long stream, half as the first draw of streams of their own, as a run does. */
static double *sample(const struct dist *d)
{
    double *x = malloc(N * sizeof *x);
    struct rng one = rng_at(11, 22, 33);
    for (int i = 0; i < N; i++) {
        struct rng own = rng_at(44, 0, (uint64_t)i);
        x[i] = (double)draw_amount(d, i % 2 ? &own : &one, NULL, 0) / SCALE;
    }
    return x;
}

START_TEST(mean_and_variance_are_the_distributions)
{
    const struct shape *s = &shapes[_i];
    struct dist d = s->d;
    ck_assert_int_eq(draw_make(&d), 0);
    double m1 = s->moment(1), m2 = s->moment(2), m3 = s->moment(3), m4 = s->moment(4);
    double var = m2 - m1 * m1, c4 = m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1 * m1 * m1 * m1;
    double *x = sample(&d), sum = 0, sq = 0;
    for (int i = 0; i < N; i++)
        sum += x[i];
    for (int i = 0; i < N; i++)
        sq += (x[i] - sum / N) * (x[i] - sum / N);
    free(x);
    double z_mean = (sum / N - m1) / sqrt(var / N), z_var = (sq / N - var) / sqrt((c4 - var * var) / N);
    ck_assert_msg(fabs(z_mean) < 4.5, "%s: mean %g, not %g: z = %g", s->name, sum / N, m1, z_mean);
    ck_assert_msg(fabs(z_var) < 4.5, "%s: variance %g, not %g: z = %g", s->name, sq / N, var, z_var);
    ck_assert_double_eq_tol(draw_mean(&d, NULL) / SCALE, m1, 1e-9 * m1);
}
END_TEST

/* P(sqrt(n) D > t) = 2 sum (-1)^(k-1) exp(-2 k^2 t^2) */
static double kolmogorov_q(double t)
{
    double q = 0;
    for (int k = 1; k < 50; k++)
        q += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * t * t);
    return q;
}

START_TEST(shape_is_the_distributions)
{
    const struct shape *s = &shapes[_i];
    struct dist d = s->d;
    ck_assert_int_eq(draw_make(&d), 0);
    double *x = sample(&d), worst = 0;
    qsort(x, N, sizeof *x, by_value);
    for (int i = 0; i < N; i++) {
        double f = s->cdf(x[i]);
        worst = fmax(worst, fmax(f - (double)i / N, (i + 1.0) / N - f));
    }
    free(x);
    double p = kolmogorov_q(worst * sqrt(N));
    ck_assert_msg(p > 1e-5, "%s: largest distance %g of %d, p = %g", s->name, worst, N, p);
}
END_TEST

/* The mean survives the rounding to whole numbers even where the mean is 1: nearest would give 0.9595. */
START_TEST(rounding_does_not_move_the_mean)
{
    static const int64_t means[] = {1, 2, 3, 10};
    for (int k = 0; k < 4; k++) {
        struct dist d = {.kind = DIST_EXPONENTIAL, .a = means[k]};
        ck_assert_int_eq(draw_make(&d), 0);
        struct rng r = rng_at(5, 6, 7);
        double sum = 0, mean = (double)means[k];
        for (int i = 0; i < N; i++)
            sum += (double)draw_amount(&d, &r, NULL, 0);
        double z = (sum / N - mean) / sqrt((mean * mean + 0.25) / N); /* rounding adds at most 1/4 */
        ck_assert_msg(fabs(z) < 4.5, "mean %g: %g, z = %g", mean, sum / N, z);
    }
}
END_TEST

START_TEST(whole_numbers_are_equally_likely)
{
    static const int64_t pool[] = {-7, 100, 101, 102, 103, 104, 105, 106};
    struct dist d[] = {{.kind = DIST_UNIFORM, .a = 100, .b = 107}, {.kind = DIST_EMPIRICAL, .at = 1, .n = 7}};
    for (int k = 0; k < 2; k++) {
        double bins[7] = {0}, chi2 = 0;
        ck_assert_int_eq(draw_make(&d[k]), 0);
        ck_assert_double_eq(draw_mean(&d[k], pool), 103);
        ck_assert_int_eq(draw_least(&d[k], pool), 100);
        struct rng r = rng_at(8, 9, 10);
        for (int i = 0; i < N; i++) {
            int64_t x = draw_amount(&d[k], &r, pool, 0);
            ck_often(x >= 100 && x < 107);
            bins[x - 100]++;
        }
        for (int i = 0; i < 7; i++)
            chi2 += (bins[i] - N / 7.0) * (bins[i] - N / 7.0) / (N / 7.0);
        ck_assert_double_gt(gsl_cdf_chisq_Q(chi2, 6), 1e-5);
    }
}
END_TEST

START_TEST(what_is_not_drawn_takes_nothing_from_the_stream)
{
    static const int64_t pool[] = {9, 5, -3, INT64_MAX};
    struct dist c = {.kind = DIST_CONST, .a = 42}, q = {.kind = DIST_SEQUENCE, .at = 1, .n = 3};
    ck_assert(draw_make(&c) == 0 && draw_make(&q) == 0);
    struct rng r = rng_at(1, 1, 1), was = r;
    ck_assert_int_eq(draw_amount(&c, &r, NULL, 0), 42);
    static const int64_t want[] = {5, 0, INT64_C(1) << 62};
    for (uint64_t i = 0; i < 9; i++)
        ck_assert_int_eq(draw_amount(&q, &r, pool, i), want[i % 3]);
    ck_assert_int_eq(draw_least(&q, pool), 0);
    ck_assert(r.state == was.state && r.inc == was.inc);
}
END_TEST

/* The others take the same number of outputs whatever comes of them: the streams stay in step. */
START_TEST(a_longer_mean_lengthens_every_draw)
{
    for (int k = 0; k < SHAPES; k++) {
        struct dist one = shapes[k].d, two = one;
        two.a *= 2;
        two.b *= 2;
        ck_assert(draw_make(&one) == 0 && draw_make(&two) == 0);
        struct rng r = rng_at(3, 2, 1), s = r;
        for (int i = 0; i < 2000; i++) {
            int64_t x = draw_amount(&one, &r, NULL, 0), y = draw_amount(&two, &s, NULL, 0);
            if (llabs(y - 2 * x) > 2) ck_abort_msg("%s: %ld and %ld", shapes[k].name, (long)x, (long)y);
            ck_often(r.state == s.state);
        }
    }
}
END_TEST

START_TEST(negatives_are_cut_and_the_mean_says_so)
{
    struct dist d = {.kind = DIST_NORMAL, .a = 10000, .b = 20000};
    ck_assert_int_eq(draw_make(&d), 0);
    struct rng r = rng_at(6, 6, 6);
    double sum = 0, zeros = 0;
    for (int i = 0; i < N; i++) {
        int64_t x = draw_amount(&d, &r, NULL, 0);
        ck_often(x >= 0);
        sum += (double)x;
        zeros += x == 0;
    }
    double want = 10000 * gsl_cdf_ugaussian_P(0.5) + 20000 * exp(-0.125) / sqrt(2 * M_PI);
    double p0 = gsl_cdf_ugaussian_P(-0.5);
    ck_assert_double_eq_tol(draw_mean(&d, NULL), want, 1e-8);
    ck_assert_double_lt(fabs(sum / N - want), 4.5 * 20000 / sqrt(N));
    ck_assert_double_lt(fabs(zeros / N - p0), 4.5 * sqrt(p0 * (1 - p0) / N) + 1e-4);
}
END_TEST

START_TEST(extremes_stay_in_range)
{
    const int64_t top = INT64_C(1) << 62;
    struct dist d[] = {
        {.kind = DIST_EXPONENTIAL, .a = top},        {.kind = DIST_NORMAL, .a = top, .b = top},
        {.kind = DIST_LOGNORMAL, .a = 1, .b = top},  {.kind = DIST_WEIBULL, .a = 1, .x = 1e-300},
        {.kind = DIST_PARETO, .a = 1, .x = 1e-5},    {.kind = DIST_HYPEREXP, .a = top, .x = DRAW_MAX_SCV},
        {.kind = DIST_UNIFORM, .a = 0, .b = top},    {.kind = DIST_ERLANG, .a = top, .n = DRAW_MAX_STAGES},
        {.kind = DIST_EXPONENTIAL, .a = 0},          {.kind = DIST_LOGNORMAL, .a = 0, .b = 0},
        {.kind = DIST_WEIBULL, .a = 0, .x = 1e-300}, {.kind = DIST_UNIFORM, .a = 5, .b = 5},
    };
    for (size_t k = 0; k < sizeof d / sizeof d[0]; k++) {
        ck_assert_int_eq(draw_make(&d[k]), 0);
        struct rng r = rng_at(k, 1, 2);
        int64_t least = draw_least(&d[k], NULL);
        for (int i = 0; i < 300; i++) {
            int64_t x = draw_amount(&d[k], &r, NULL, 0);
            ck_assert_msg(x >= least && x <= top, "case %zu: %ld", k, (long)x);
            if (k >= 8) ck_assert_int_eq(x, d[k].b);
        }
    }
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    const int64_t over = (INT64_C(1) << 62) + 1;
    struct dist d[] = {
        {.kind = DIST_NKINDS},
        {.kind = UINT32_MAX},
        {.kind = DIST_CONST, .a = -1},
        {.kind = DIST_CONST, .a = over},
        {.kind = DIST_EXPONENTIAL, .a = -1},
        {.kind = DIST_UNIFORM, .a = 3, .b = 2},
        {.kind = DIST_UNIFORM, .a = 0, .b = over},
        {.kind = DIST_NORMAL, .a = 1, .b = -1},
        {.kind = DIST_LOGNORMAL, .a = 0, .b = 1},
        {.kind = DIST_LOGNORMAL, .a = 1, .b = -1},
        {.kind = DIST_WEIBULL, .a = 1, .x = 0},
        {.kind = DIST_WEIBULL, .a = 1, .x = __builtin_nan("")},
        {.kind = DIST_WEIBULL, .a = 1, .x = HUGE_VAL},
        {.kind = DIST_WEIBULL, .a = 1, .x = 0x1p-1070},
        {.kind = DIST_PARETO, .a = 1, .x = -1},
        {.kind = DIST_HYPEREXP, .a = 1, .x = 0.99},
        {.kind = DIST_HYPEREXP, .a = 1, .x = __builtin_nan("")},
        {.kind = DIST_HYPEREXP, .a = 1, .x = 1e13},
        {.kind = DIST_ERLANG, .a = 1, .n = 0},
        {.kind = DIST_ERLANG, .a = 1, .n = DRAW_MAX_STAGES + 1},
        {.kind = DIST_EMPIRICAL, .n = 0},
        {.kind = DIST_SEQUENCE, .n = 0},
    };
    for (size_t k = 0; k < sizeof d / sizeof d[0]; k++)
        ck_assert_msg(draw_make(&d[k]) == -1, "case %zu", k);
    ck_assert(isinf(draw_mean(&(struct dist){.kind = DIST_PARETO, .a = 1, .x = 1}, NULL)));
}
END_TEST

/* What draw_make derives gives back the mean and deviation it was made from, to 12 digits: an error that
 * a sample of any size we can afford would hide. */
START_TEST(constants_give_back_the_moments)
{
    static const int64_t means[] = {1, 1000, 123456789, INT64_C(1) << 60};
    for (int i = 0; i < 4; i++) {
        double mean = (double)means[i];
        for (int k = -4; k <= 4; k++) {
            double cv = pow(10, k), sd = floor(cv * mean), scv = 1 + cv;
            struct dist d = {
                .kind = DIST_LOGNORMAL, .a = means[i], .b = sd < 0x1p62 ? (int64_t)sd : means[i]};
            ck_assert_int_eq(draw_make(&d), 0);
            double s2 = d.v * d.v, ratio = (double)d.b / mean;
            ck_assert_double_le(fabs(exp(d.u + s2 / 2) / mean - 1), 1e-12);
            ck_assert_double_le(fabs(expm1(s2) - ratio * ratio), 1e-12 * ratio * ratio);
            d = (struct dist){.kind = DIST_HYPEREXP, .a = means[i], .x = scv};
            ck_assert_int_eq(draw_make(&d), 0);
            /* E[X^2]/mean^2 - 1 of two branches with half of the mean each */
            ck_assert_double_le(fabs((1 / d.u + 1 / (1 - d.u)) / 2 - 1 - scv), 1e-12 * scv);
        }
    }
}
END_TEST

/* A lower bound that a draw ever passed would let a loop that takes no time through. */
START_TEST(no_draw_is_under_the_least)
{
    struct dist d[] = {{.kind = DIST_NORMAL, .a = 1000, .b = 10},
                       {.kind = DIST_LOGNORMAL, .a = 1000, .b = 300},
                       {.kind = DIST_PARETO, .a = 1000, .x = 3}};
    for (int k = 0; k < 3; k++) {
        ck_assert_int_eq(draw_make(&d[k]), 0);
        int64_t least = draw_least(&d[k], NULL);
        ck_assert_int_gt(least, 0);
        struct rng r = rng_at(3, 3, 3);
        for (int i = 0; i < N; i++)
            ck_often(draw_amount(&d[k], &r, NULL, 0) >= least);
    }
}
END_TEST

Suite *draw_suite(void)
{
    Suite *s = suite_create("draw");
    TCase *t = tcase_create("draw");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, mean_and_variance_are_the_distributions, 0, SHAPES);
    tcase_add_loop_test(t, shape_is_the_distributions, 0, SHAPES);
    tcase_add_test(t, rounding_does_not_move_the_mean);
    tcase_add_test(t, whole_numbers_are_equally_likely);
    tcase_add_test(t, what_is_not_drawn_takes_nothing_from_the_stream);
    tcase_add_test(t, a_longer_mean_lengthens_every_draw);
    tcase_add_test(t, negatives_are_cut_and_the_mean_says_so);
    tcase_add_test(t, extremes_stay_in_range);
    tcase_add_test(t, what_cannot_be_is_refused);
    tcase_add_test(t, constants_give_back_the_moments);
    tcase_add_test(t, no_draw_is_under_the_least);
    suite_add_tcase(s, t);
    return s;
}
