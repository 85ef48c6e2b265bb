// SPDX-License-Identifier: GPL-3.0-or-later
/* Whether two sets of runs differ: against figures worked out by hand, and against luck. */
#include <check.h>
#include <math.h>

#include "base/rng.h"
#include "metrics/contrast.h"
#include "tests/lab.h"
#include "tests/often.h"

Suite *contrast_suite(void);

/* Gosset's sleep data (1908): ten patients, two drugs. t = 4.0621 of 9 degrees of freedom, p = .002833;
 * unpaired by Welch t = 1.8608, 17.776 degrees, p = .07939. */
static const double first[] = {.7, -1.6, -.2, -1.2, -.1, 3.4, 3.7, .8, 0, 2},
                    other[] = {1.9, .8, 1.1, .1, -.1, 4.4, 5.5, 1.6, 4.6, 3.4};

START_TEST(as_in_the_textbook)
{
    struct contrast c = contrast_paired(first, other, 10);
    ck_near(c.a, .75, 1e-12);
    ck_near(c.b, 2.33, 1e-12);
    ck_near(c.difference, 1.58, 1e-12);
    ck_near(c.low, .7001142, 1e-6);
    ck_near(c.high, 2.4598858, 1e-6);
    ck_near(c.p, .00283289, 1e-7);
    ck_assert(c.paired && !c.same);
    c = contrast_welch(first, 10, other, 10);
    ck_near(c.low, -.2054832, 1e-6);
    ck_near(c.high, 3.3654832, 1e-6);
    ck_near(c.p, .07939414, 1e-7);
    ck_assert(!c.paired);
}
END_TEST

START_TEST(what_is_the_same_and_what_is_alone)
{
    const double a[] = {1, 2, 3}, b[] = {2, 3, 4};
    struct contrast c = contrast_paired(a, a, 3);
    ck_assert(c.same && c.difference == 0 && c.low == 0 && c.high == 0 && c.p == 1);
    c = contrast_paired(a, b, 3); /* one more each time: no luck in that */
    ck_assert(!c.same && c.difference == 1 && c.low == 1 && c.high == 1 && c.p == 0);
    c = contrast_paired(a, b, 1);
    ck_assert(!c.same && c.difference == 1 && isnan(c.low) && isnan(c.p));
    c = contrast_welch(a, 3, b, 1);
    ck_assert(isnan(c.low) && isnan(c.p) && c.difference == 0);
    c = contrast_welch((const double[]){5, 5}, 2, (const double[]){5, 5, 5}, 3);
    ck_assert(c.same && c.p == 1);
    c = contrast_welch((const double[]){5, 5}, 2, (const double[]){6, 6, 6}, 3);
    ck_assert(!c.same && c.p == 0 && c.low == 1);
}
END_TEST

/* Holm's own steps: the smallest times 4, the next times 3 ... and never below the one before. */
START_TEST(holm_by_hand)
{
    double p[] = {.02, (double)NAN, .005, .03, .04};
    contrast_holm(p, 5);
    ck_near(p[2], .02, 1e-15);
    ck_near(p[0], .06, 1e-15);
    ck_near(p[3], .06, 1e-15);
    ck_near(p[4], .06, 1e-15); /* .04 by itself, but not before .03 */
    ck_assert(isnan(p[1]));
    double one[] = {.9, .8};
    contrast_holm(one, 2);
    ck_assert(one[0] == 1 && one[1] == 1);
    contrast_holm(NULL, 0);
}
END_TEST

/* A hundred figures without a difference, ten runs a side, 400 times: an interval misses zero once in 20, and
 * Holm lets any figure through in one table of 20 at most. */
START_TEST(luck_is_seen_as_luck)
{
    enum { TABLES = 400, FIGURES = 100, RUNS = 10 };
    struct rng r = rng_at(3, 1, 4);
    int missed[2] = {0}, wrong_tables[2] = {0};
    for (int t = 0; t < FEWER(TABLES); t++) {
        double p[2][FIGURES];
        for (int f = 0; f < FIGURES; f++) {
            double a[RUNS], b[RUNS];
            for (int k = 0; k < RUNS; k++) {
                double common = 0, x = 0, y = 0; /* sums of draws: near normal */
                for (int s = 0; s < 12; s++) {
                    common += (double)rng_u32(&r) / 4294967296.0;
                    x += (double)rng_u32(&r) / 4294967296.0;
                    y += (double)rng_u32(&r) / 4294967296.0;
                }
                a[k] = common + x;
                b[k] = common + y;
            }
            struct contrast c[2] = {contrast_paired(a, b, RUNS), contrast_welch(a, RUNS, b, RUNS)};
            for (int w = 0; w < 2; w++) {
                missed[w] += c[w].low > 0 || c[w].high < 0;
                p[w][f] = c[w].p;
            }
        }
        for (int w = 0; w < 2; w++) {
            bool any = false;
            contrast_holm(p[w], FIGURES);
            for (int f = 0; f < FIGURES; f++)
                any |= p[w][f] < 1 - CONTRAST_CONFIDENCE;
            wrong_tables[w] += any;
        }
    }
    double n = FEWER(TABLES);
    ck_near(missed[0] / (n * FIGURES), .05, 4 * sqrt(.05 * .95 / (n * FIGURES)));
    ck_assert_int_lt(missed[1],
                     missed[0]); /* what they have in common is luck to Welch: he is overcautious here */
    ck_assert_double_le(wrong_tables[0] / n, .05 + 4 * sqrt(.05 * .95 / n));
    ck_assert_double_le(wrong_tables[1] / n, .05);
}
END_TEST

Suite *contrast_suite(void)
{
    Suite *s = suite_create("contrast");
    TCase *t = tcase_create("contrast");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, as_in_the_textbook);
    tcase_add_test(t, what_is_the_same_and_what_is_alone);
    tcase_add_test(t, holm_by_hand);
    tcase_add_test(t, luck_is_seen_as_luck);
    suite_add_tcase(s, t);
    return s;
}
