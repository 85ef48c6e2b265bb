// SPDX-License-Identifier: GPL-3.0-or-later
/* Autoscaling: one decision at a time. */
#include <check.h>

#include "policy/scale.h"

Suite *scale_suite(void);

#define S    INT64_C(1000000000)
#define U(x) ((int64_t)((x)*1000000))

static const struct scale_cfg threshold = {
    .above_u = U(.8), .below_u = U(.3), .target_u = -1, .add = 2, .remove = 1, .least = 1, .most = 10};
static const struct scale_cfg target = {
    .above_u = -1, .below_u = -1, .target_u = U(.5), .least = 1, .most = 10};

static int64_t decide(const struct scale_cfg *cfg, uint32_t n, double metric)
{
    struct scale s = {-1};
    return scale_decide(&s, cfg, n, U(metric), 0);
}

START_TEST(thresholds)
{
    ck_assert_int_eq(decide(&threshold, 4, .81), 2);
    ck_assert_int_eq(decide(&threshold, 4, .8), 0); /* above, not at */
    ck_assert_int_eq(decide(&threshold, 4, .5), 0);
    ck_assert_int_eq(decide(&threshold, 4, .3), 0);
    ck_assert_int_eq(decide(&threshold, 4, .29), -1);
    struct scale_cfg up = threshold, down = threshold;
    up.below_u = -1, down.above_u = -1; /* one of them alone */
    ck_assert_int_eq(decide(&up, 4, 0), 0);
    ck_assert_int_eq(decide(&up, 4, 1), 2);
    ck_assert_int_eq(decide(&down, 4, 1), 0);
    ck_assert_int_eq(decide(&down, 4, 0), -1);
}

START_TEST(to_the_target)
{
    ck_assert_int_eq(decide(&target, 4, .5), 0);
    ck_assert_int_eq(decide(&target, 4, 1), 4);
    ck_assert_int_eq(decide(&target, 4, .500001), 1); /* rounded up: rather one too many */
    ck_assert_int_eq(decide(&target, 4, .38), 0);     /* 3.04 are needed: 4 */
    ck_assert_int_eq(decide(&target, 4, .375), -1);
    ck_assert_int_eq(decide(&target, 4, .1), -3);
}

START_TEST(bounds)
{
    ck_assert_int_eq(decide(&threshold, 9, 1), 1);
    ck_assert_int_eq(decide(&threshold, 10, 1), 0);
    ck_assert_int_eq(decide(&threshold, 1, 0), 0);
    ck_assert_int_eq(decide(&target, 4, 100), 6);
    ck_assert_int_eq(decide(&target, 4, 0), -3);
    ck_assert_int_eq(decide(&target, 0, 0), 1);    /* below the least */
    ck_assert_int_eq(decide(&target, 14, .5), -4); /* above the most */
    struct scale_cfg tiny = target;
    tiny.target_u = 1;
    struct scale s = {-1};
    ck_assert_int_eq(scale_decide(&s, &tiny, 4, INT64_MAX, 0), 6); /* no overflow */
    struct scale_cfg bold = threshold;
    bold.remove = 5; /* more than there are */
    ck_assert_int_eq(decide(&bold, 3, 0), -2);
}

START_TEST(cools_down)
{
    struct scale_cfg cfg = threshold;
    struct scale s = {-1};
    cfg.cooldown_ns = 60 * S;
    ck_assert_int_eq(scale_decide(&s, &cfg, 4, U(.5), 0), 0); /* no change begins no cool-down */
    ck_assert_int_eq(scale_decide(&s, &cfg, 4, U(1), 10 * S), 2);
    ck_assert_int_eq(s.changed_ns, 10 * S);
    ck_assert_int_eq(scale_decide(&s, &cfg, 6, U(1), 70 * S - 1), 0);
    ck_assert_int_eq(scale_decide(&s, &cfg, 6, U(0), 70 * S - 1), 0); /* nor the other way */
    ck_assert_int_eq(scale_decide(&s, &cfg, 6, U(1), 70 * S), 2);
    ck_assert_int_eq(scale_decide(&s, &cfg, 10, U(1), 130 * S), 0); /* at the bound: not a change */
    ck_assert_int_eq(s.changed_ns, 70 * S);
    ck_assert_int_eq(scale_decide(&s, &cfg, 10, U(0), 131 * S), -1);
}

/* Demand jumps from 2 to 6 VMs' worth; a VM that boots counts, so one decision is enough. */
START_TEST(a_slow_boot_is_answered_once)
{
    struct scale s = {-1};
    uint32_t n = 4, changes = 0;
    for (int64_t t = 0; t < 100; t++) {
        double demand = t < 10 ? 2 : 6;
        int64_t by = scale_decide(&s, &target, n, U(demand / n), t * S);
        n = (uint32_t)(n + by);
        changes += by != 0;
    }
    ck_assert_uint_eq(changes, 1);
    ck_assert_uint_eq(n, 10); /* 12 would be needed, 10 is the most */
}

Suite *scale_suite(void)
{
    Suite *s = suite_create("scale");
    TCase *t = tcase_create("scale");
    tcase_add_test(t, thresholds);
    tcase_add_test(t, to_the_target);
    tcase_add_test(t, bounds);
    tcase_add_test(t, cools_down);
    tcase_add_test(t, a_slow_boot_is_answered_once);
    suite_add_tcase(s, t);
    return s;
}
