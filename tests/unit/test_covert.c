// SPDX-License-Identifier: GPL-3.0-or-later
/* Hearing a covert channel: error rates without noise, under noise, with outliers, drift and a defence. */
#include <check.h>
#include <math.h>

#include "base/draw.h"
#include "policy/covert.h"

Suite *covert_suite(void);

#define MS   INT64_C(1000000)
#define BITS 20000

static struct rng rng;
static struct covert c;

static void begin(uint64_t key)
{
    rng = rng_at(rng_key(21, key, RNG_TIE), 0, 0);
    covert_begin(&c);
}

static int64_t noise(int64_t sd)
{
    struct dist d = {.kind = DIST_NORMAL, .a = 1000 * MS, .b = sd};
    ck_assert_int_eq(draw_make(&d), 0);
    return draw_amount(&d, &rng, NULL, 0) - 1000 * MS;
}

/* Wrong bits of n, a share `ones` of them 1; a 0 leaves `zero` of a slot, a 1 `one`. */
static int wrong(int n, double ones, int64_t zero, int64_t one, int64_t sd)
{
    int errors = 0;
    for (int i = 0; i < n; i++) {
        bool bit = rng_u32(&rng) < ones * 4294967296.;
        int64_t got = (bit ? one : zero) + (sd ? noise(sd) : 0);
        errors += covert_hear(&c, got > 0 ? got : 0) != bit;
    }
    return errors;
}

START_TEST(one_by_one)
{
    begin(1);
    ck_assert_int_eq(covert_border(&c), 0);
    ck_assert(!covert_hear(&c, 100 * MS)); /* nothing to hold it against */
    ck_assert(covert_hear(&c, 50 * MS));
    ck_assert_int_eq(covert_border(&c), 75 * MS);
    ck_assert(!covert_hear(&c, 75 * MS));
    ck_assert(covert_hear(&c, 75 * MS - 1));
    ck_assert(!covert_hear(&c, 90 * MS));
}

/* Silent but for the sender: only what comes before both bits were heard may be wrong. */
START_TEST(without_noise)
{
    for (uint64_t k = 0; k < 50; k++) {
        begin(100 + k);
        int before = wrong(32, .5, 100 * MS, 50 * MS, 0);
        ck_assert_int_le(before, 12);
        ck_assert_int_eq(wrong(1000, .5, 100 * MS, 50 * MS, 0), 0);
        ck_assert_int_gt(covert_border(&c), 65 * MS);
        ck_assert_int_lt(covert_border(&c), 85 * MS);
    }
}

/* Q(d / 2s), within 4 deviations of the count and a tenth; 50 ms apart. */
START_TEST(under_noise)
{
    static const int sd_ms[] = {8, 10, 15, 25, 40};
    int64_t sd = sd_ms[_i] * MS;
    double q = erfc(25. / sd_ms[_i] / sqrt(2)) / 2, expected = q * BITS;
    begin(2);
    int errors = wrong(BITS, .5, 300 * MS, 250 * MS, sd);
    ck_assert_double_lt(errors, expected * 1.1 + 4 * sqrt(expected) + 12);
    ck_assert_double_gt(errors, expected - 4 * sqrt(expected));
}

/* One in five bits is a 1: the border leans towards the many, and costs little. */
START_TEST(few_ones)
{
    begin(3);
    ck_assert_int_lt(wrong(BITS, .2, 100 * MS, 50 * MS, 5 * MS), BITS / 100);
}

/* A slot without any CPU time among the first, and later one in a hundred. The middle of the extremes would
 * be 50 ms, and every 1 would be taken for a 0. */
START_TEST(outliers)
{
    begin(4);
    wrong(3, .5, 100 * MS, 80 * MS, 0);
    covert_hear(&c, 0);
    wrong(1000, .5, 100 * MS, 80 * MS, 2 * MS); /* until the outlier is forgotten */
    int errors = 0;
    for (int i = 0; i < 100; i++) {
        errors += wrong(99, .5, 100 * MS, 80 * MS, 2 * MS);
        covert_hear(&c, 0);
    }
    ck_assert_int_lt(errors, 100);
}

/* A third VM takes 30 ms of every slot from now on: all looks like a 1 until the means have followed. */
START_TEST(another_load)
{
    begin(5);
    ck_assert_int_lt(wrong(2000, .5, 100 * MS, 50 * MS, 3 * MS), 20);
    int while_it_follows = wrong(1000, .5, 70 * MS, 20 * MS, 3 * MS);
    ck_assert_int_lt(while_it_follows, 500);
    ck_assert_int_lt(wrong(5000, .5, 70 * MS, 20 * MS, 3 * MS), 50);
}

/* Fixed slots: the receiver has the same whatever is sent, and learns nothing. */
START_TEST(defended)
{
    begin(6);
    int errors = wrong(10000, .5, 50 * MS, 50 * MS, 0);
    ck_assert_int_gt(errors, 4800);
    ck_assert_int_lt(errors, 5200);
    begin(7);
    errors = wrong(10000, .5, 50 * MS, 50 * MS, 5 * MS); /* noise tells as little */
    ck_assert_int_gt(errors, 4800);
    ck_assert_int_lt(errors, 5200);
}

Suite *covert_suite(void)
{
    Suite *s = suite_create("covert");
    TCase *t = tcase_create("covert");
    tcase_add_test(t, one_by_one);
    tcase_add_test(t, without_noise);
    tcase_add_loop_test(t, under_noise, 0, 5);
    tcase_add_test(t, few_ones);
    tcase_add_test(t, outliers);
    tcase_add_test(t, another_load);
    tcase_add_test(t, defended);
    suite_add_tcase(s, t);
    return s;
}
