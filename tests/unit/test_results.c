// SPDX-License-Identifier: GPL-3.0-or-later
/* Results: every row that went in is found, by name and in order. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "metrics/results.h"

Suite *results_suite(void);

START_TEST(rows_are_kept_in_order_and_found)
{
    struct results *r = results_new();
    enum { N = 5000 };
    char entity[32];
    ck_assert_ptr_null(results_find(r, "vm.0", "cpu.run", "share"));
    for (int i = 0; i < N; i++) {
        snprintf(entity, sizeof entity, "vm.%d", i / 2);
        results_add(r, entity, i % 2 ? "cpu.run" : "cpu.ready", "share", "", i);
    }
    ck_assert_uint_eq(results_count(r), N);
    for (int i = 0; i < N; i++) {
        snprintf(entity, sizeof entity, "vm.%d", i / 2);
        const struct result *x = results_find(r, entity, i % 2 ? "cpu.run" : "cpu.ready", "share");
        ck_assert_ptr_eq(x, results_at(r, (size_t)i));
        ck_assert(x->value == i && !x->is_exact);
        ck_assert_str_eq(x->entity, entity);
    }
    ck_assert_ptr_null(results_find(r, "vm.0", "cpu.run", "total"));
    ck_assert_ptr_null(results_find(r, "share", "vm.0", "cpu.run"));
    results_free(r);
}
END_TEST

START_TEST(strings_are_copied_once_each)
{
    struct results *r = results_new();
    char entity[] = "vm.db", metric[] = "latency";
    results_add(r, entity, metric, "mean", "s", 0.5);
    results_add(r, entity, metric, "p99", "s", 1.5);
    memset(entity, 'x', 5);
    memset(metric, 'x', 7);
    ck_assert_str_eq(results_at(r, 0)->entity, "vm.db");
    ck_assert_ptr_eq(results_at(r, 0)->entity, results_at(r, 1)->entity);
    ck_assert_ptr_eq(results_at(r, 0)->unit, results_at(r, 1)->unit);
    results_free(r);
}
END_TEST

START_TEST(whole_numbers_beyond_2_53_stay_whole)
{
    struct results *r = results_new();
    results_add_exact(r, "vm.db", "work.checksum", "total", "", (UINT64_C(1) << 53) + 1);
    const struct result *x = results_find(r, "vm.db", "work.checksum", "total");
    ck_assert(x->is_exact && x->exact == 9007199254740993u && x->value == 9007199254740992.0);
    results_free(r);
}
END_TEST

START_TEST(a_figure_has_one_value)
{
    struct results *r = results_new();
    results_add(r, "vm.db", "latency", "mean", "s", 1);
    results_add(r, "vm.db", "latency", "mean", "s", 2);
}
END_TEST

Suite *results_suite(void)
{
    Suite *s = suite_create("results");
    TCase *t = tcase_create("results");
    tcase_add_test(t, rows_are_kept_in_order_and_found);
    tcase_add_test(t, strings_are_copied_once_each);
    tcase_add_test(t, whole_numbers_beyond_2_53_stay_whole);
    tcase_add_test_raise_signal(t, a_figure_has_one_value, 6);
    suite_add_tcase(s, t);
    return s;
}
