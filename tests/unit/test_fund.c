// SPDX-License-Identifier: GPL-3.0-or-later
/* Min-funding and the states of free memory, by themselves. */
#include <check.h>

#include "policy/fund.h"
#include "policy/memstate.h"

Suite *fund_suite(void);

/* Takes pages one by one until so many are left; who holds what then. */
static void divide(struct fund_claim *c, uint32_t n, int64_t left, uint32_t tax_ppm)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += c[i].pages;
    for (; sum > left; sum--)
        c[fund_least(c, n, tax_ppm)].pages--;
}

START_TEST(without_tax_shares_count)
{
    struct fund_claim c[] = {{1000, 256, 256}, {1000, 256, 0}};
    divide(c, 2, 358, 0);
    ck_assert_int_eq(c[0].pages, 179);
    ck_assert_int_eq(c[1].pages, 179);
    struct fund_claim w[] = {{2000, 300, 0}, {1000, 300, 300}};
    divide(w, 2, 300, 0);
    ck_assert_int_eq(w[0].pages, 200);
    ck_assert_int_eq(w[1].pages, 100);
}
END_TEST

/* One uses all it has, the other 50: 50 + 4 * 52 = 258 is more than 256, so all comes from the idle one. */
START_TEST(idle_pages_are_taxed)
{
    struct fund_claim c[] = {{1000, 256, 256}, {1000, 256, 50}};
    divide(c, 2, 358, 750000);
    ck_assert_int_eq(c[0].pages, 256);
    ck_assert_int_eq(c[1].pages, 102);
}
END_TEST

START_TEST(ties_and_nothing)
{
    struct fund_claim c[] = {{1, 0, 0}, {7, 14, 3}, {7, 14, 3}};
    ck_assert_uint_eq(fund_least(c, 3, 750000), 1);
    ck_assert_uint_eq(fund_least(c, 1, 750000), FUND_NONE);
    ck_assert_int_eq(fund_compare(&c[1], &c[2], 1), 0);
    struct fund_claim big[] = {{10000, INT64_C(1) << 57, 5}, {10000, (INT64_C(1) << 57) - 1, 5}};
    ck_assert_uint_eq(fund_least(big, 2, 999999), 0);
    ck_assert_int_eq(fund_compare(&big[1], &big[0], 999999), 1);
}
END_TEST

START_TEST(states_have_hysteresis)
{
    struct memstate_marks m = memstate_marks(10000);
    static const struct {
        int free;
        enum memstate state;
    } walk[] = {{10000, MEMSTATE_HIGH}, {400, MEMSTATE_HIGH}, {399, MEMSTATE_SOFT}, {599, MEMSTATE_SOFT},
                {200, MEMSTATE_SOFT},   {199, MEMSTATE_HARD}, {399, MEMSTATE_HARD}, {99, MEMSTATE_LOW},
                {199, MEMSTATE_LOW},    {200, MEMSTATE_HARD}, {400, MEMSTATE_SOFT}, {600, MEMSTATE_HIGH},
                {0, MEMSTATE_LOW},      {600, MEMSTATE_HIGH}};
    enum memstate st = MEMSTATE_HIGH;
    for (size_t i = 0; i < sizeof walk / sizeof *walk; i++) {
        st = memstate_next(&m, st, walk[i].free);
        ck_assert_msg(st == walk[i].state, "step %zu: %d free is state %d", i, walk[i].free, (int)st);
    }
    struct memstate_marks none = memstate_marks(0);
    ck_assert_int_eq(memstate_next(&none, MEMSTATE_HIGH, 0), MEMSTATE_HIGH);
    ck_assert_int_eq(memstate_marks(1).pages[MEMSTATE_LOW], 1);
}
END_TEST

Suite *fund_suite(void)
{
    Suite *s = suite_create("fund");
    TCase *t = tcase_create("policies");
    tcase_add_test(t, without_tax_shares_count);
    tcase_add_test(t, idle_pages_are_taxed);
    tcase_add_test(t, ties_and_nothing);
    tcase_add_test(t, states_have_hysteresis);
    suite_add_tcase(s, t);
    return s;
}
