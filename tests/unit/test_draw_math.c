// SPDX-License-Identifier: GPL-3.0-or-later
/* The functions under the draws against libm in long double (64 bits), in units of the last place of
 * the nearest double (an ulp). */
#include <check.h>
#include <math.h>
#include <stdbool.h>

#include "base/draw.h"
#include "base/draw_math.h"

Suite *draw_math_suite(void);

#define INF   HUGE_VAL
#define NOT_A __builtin_nan("") /* NAN and INFINITY are floats, which double promotion is warned of */
#define L(x)  ((long double)(x))
#define ULPS  1.25 /* what draw.h states of log, exp and pow */
enum { N = 200000 };

static double ulps(double got, long double want)
{
    double w = fabs((double)want);
    if (got == (double)want) return 0;
    return (double)(fabsl(L(got) - want) / L(nextafter(w, INF) - w));
}

static double uniform(struct rng *r)
{
    return (rng_u32(r) + rng_u32(r) * 0x1p-32) * 0x1p-32;
}

START_TEST(log_is_good_to_the_last_place)
{
    struct rng r = rng_at(1, 0, 0);
    double worst = 0;
    for (int i = 0; i < N; i++) {
        double u = uniform(&r), x[] = {u, 0.5 + 1.5 * u, 1 + (u - 0.5) * 0x1p-6,
                                       ldexp(1 + u, (int)(rng_u32(&r) % 2046) - 1022)};
        for (int j = 0; j < 4; j++)
            worst = fmax(worst, x[j] > 0 ? ulps(draw_log(x[j]), logl(L(x[j]))) : 0);
    }
    ck_assert_msg(worst < ULPS, "worst: %g ulp", worst);
    ck_assert(draw_log(0) == -INF && draw_log(INF) == INF && draw_log(1) == 0);
    ck_assert(isnan(draw_log(-1)) && isnan(draw_log(NOT_A)));
    ck_assert_double_lt(ulps(draw_log(0x1.8p-1070), logl(0x1.8p-1070L)), 1.5);
}
END_TEST

START_TEST(exp_is_good_to_the_last_place)
{
    struct rng r = rng_at(2, 0, 0);
    double worst = 0;
    for (int i = 0; i < N; i++) {
        double u = uniform(&r), x[] = {4 * u - 2, -708 + 1417 * u, (u - 0.5) * 0x1p-20};
        for (int j = 0; j < 3; j++)
            worst = fmax(worst, ulps(draw_exp(x[j]), expl(L(x[j]))));
    }
    ck_assert_msg(worst < ULPS, "worst: %g ulp", worst);
    ck_assert(draw_exp(0) == 1 && draw_exp(-INF) == 0 && draw_exp(INF) == INF);
    ck_assert(draw_exp(709.8) == INF && draw_exp(-746) == 0 && isnan(draw_exp(NOT_A)));
    ck_assert_double_lt(ulps(draw_exp(-740), expl(-740)), 1.01); /* below the normal range */
}
END_TEST

START_TEST(pow_is_good_to_the_last_place)
{
    struct rng r = rng_at(3, 0, 0);
    double worst = 0;
    for (int i = 0; i < N; i++) {
        double x = ldexp(1 + uniform(&r), (int)(rng_u32(&r) % 128) - 64), lg = log(x);
        double y[] = {(uniform(&r) - 0.5) * 1400 / lg, (uniform(&r) - 0.5) * 80 / lg, 2 * uniform(&r) - 1};
        for (int j = 0; j < 3; j++)
            worst = fmax(worst, ulps(draw_pow(x, y[j]), powl(L(x), L(y[j]))));
    }
    ck_assert_msg(worst < ULPS, "worst: %g ulp", worst);
}
END_TEST

static bool same(double a, double b)
{
    return (isnan(a) && isnan(b)) || draw_math_bits(a) == draw_math_bits(b);
}

/* All pairs of special values as C's Annex F has them, signed zeros included. */
START_TEST(pow_has_its_domain_as_in_c)
{
    static const double v[] = {0.0,   -0.0,   1,      -1,         2,          -2,     3,   -3,   0.5,  -0.5,
                               1e300, -1e300, 0x1p53, 0x1p53 + 2, 0x1p52 + 1, 5e-324, INF, -INF, NOT_A};
    enum { COUNT = sizeof v / sizeof v[0] };
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++) {
            double got = draw_pow(v[i], v[j]), want = pow(v[i], v[j]);
            bool near = isfinite(want) && want != 0 && fabs(got - want) <= 4e-16 * fabs(want);
            ck_assert_msg(near || same(got, want), "pow(%g, %g): %g, not %g", v[i], v[j], got, want);
        }
}
END_TEST

/* Every row anew: inv belongs to its middle, hi + lo is -log(inv), hi short enough to be added exactly. */
START_TEST(table_of_logarithms_is_right)
{
    for (int i = 0; i < 128; i++) {
        const struct draw_math_row *row = &draw_math_rows[i];
        double c = i < 76 ? 0.703125 + i / 256.0 : 1 + (i - 76) / 128.0;
        ck_assert_double_eq(row->inv, nearbyint(0x1p14 / c) * 0x1p-14);
        ck_assert_double_eq(row->hi * 0x1p42, nearbyint(row->hi * 0x1p42));
        ck_assert_double_le(fabs(row->lo), 0x1p-43);
        long double lo = -logl(L(row->inv)) - L(row->hi); /* logl's own last bit is 2^-65 here */
        ck_assert_double_le((double)fabsl(lo - L(row->lo)), 0x1p-64);
    }
    ck_assert(draw_math_rows[76].inv == 1 && draw_math_rows[76].hi == 0 && draw_math_rows[76].lo == 0);
}
END_TEST

START_TEST(the_others_are_good_to_what_they_state)
{
    for (int i = 0; i <= 1000; i++) {
        double q = i / 1000.0, t = q * 170, z = q * 20;
        ck_assert_double_lt(fabs(draw_math_cos_quarter(q) - (double)cosl(L(q) * M_PIl / 2)), 0x1p-50);
        ck_assert_double_lt(fabs(draw_math_gamma1p(t) / (double)tgammal(1 + L(t)) - 1), 1e-13);
        long double zl = L(z), want = zl / 2 * erfcl(-zl / sqrtl(2)) + expl(-zl * zl / 2) / sqrtl(2 * M_PIl);
        ck_assert_double_lt(fabs(draw_math_normal_plus(z) / (double)want - 1), 1e-13);
        ck_assert_double_eq(draw_math_sqrt(t), sqrt(t));
        ck_assert_double_eq(draw_math_small(i - 500), i - 500);
    }
    ck_assert(draw_math_gamma1p(171) == INF && draw_math_gamma1p(1e9) == INF);
}
END_TEST

Suite *draw_math_suite(void)
{
    Suite *s = suite_create("draw_math");
    TCase *t = tcase_create("draw_math");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, log_is_good_to_the_last_place);
    tcase_add_test(t, exp_is_good_to_the_last_place);
    tcase_add_test(t, pow_is_good_to_the_last_place);
    tcase_add_test(t, pow_has_its_domain_as_in_c);
    tcase_add_test(t, table_of_logarithms_is_right);
    tcase_add_test(t, the_others_are_good_to_what_they_state);
    suite_add_tcase(s, t);
    return s;
}
