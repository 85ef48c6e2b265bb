// SPDX-License-Identifier: GPL-3.0-or-later
/* Replications: means, Student-t intervals, rows that only some have. */
#include <check.h>
#include <math.h>

#include "metrics/runset.h"

#include "tests/unit/made_up.h"

Suite *runset_suite(void);

START_TEST(the_interval_is_students)
{
    /* t(0.975; 2) = 4.30265273, t(0.975; 9) = 2.26215716: from printed tables. */
    struct estimate e = runset_estimate_of((double[]){1, 2, 3}, 3);
    ck_assert_uint_eq(e.n, 3);
    ck_assert_double_eq_tol(e.mean, 2, 1e-15);
    ck_assert_double_eq_tol(e.sd, 1, 1e-15);
    ck_assert_double_eq_tol(e.hi - e.mean, 4.30265273 / sqrt(3), 1e-7);
    double ten[10];
    for (int i = 0; i < 10; i++)
        ten[i] = i % 2 ? 1 : -1;
    e = runset_estimate_of(ten, 10);
    ck_assert_double_eq_tol(e.mean - e.lo, 2.26215716 * sqrt(10.0 / 9) / sqrt(10), 1e-7);
}
END_TEST

START_TEST(one_run_has_no_interval_and_none_no_value)
{
    struct estimate e = runset_estimate_of((double[]){0.1}, 1);
    ck_assert(e.n == 1 && e.mean == 0.1 && e.lo == 0.1 && e.hi == 0.1);
    e = runset_estimate_of((double[]){(double)NAN, 3, (double)NAN}, 3);
    ck_assert(e.n == 1 && e.mean == 3);
    e = runset_estimate_of(NULL, 0);
    ck_assert(e.n == 0 && isnan(e.mean));
}
END_TEST

START_TEST(equal_values_have_themselves_as_mean)
{
    double v[30];
    for (int i = 0; i < 30; i++)
        v[i] = 1.0 / 3;
    struct estimate e = runset_estimate_of(v, 30);
    ck_assert(e.mean == 1.0 / 3 && e.lo == e.mean && e.hi == e.mean);
}
END_TEST

START_TEST(rows_of_any_replication_are_there_once)
{
    struct made *m = made_small(3);
    struct runset_row *rows;
    size_t n = runset_rows(m->rs, 0, &rows);
    ck_assert_uint_eq(n, 11);
    ck_assert_str_eq(rows[2].like->stat, "p50");
    ck_assert_uint_eq(rows[2].e.n, 3);
    ck_assert_double_eq_tol(rows[2].e.mean, 0.0062, 1e-15);
    ck_assert(rows[4].e.is_exact && rows[4].e.exact == 9007199254740993u);
    ck_assert_str_eq(rows[10].like->metric, "events.lost");
    ck_assert_uint_eq(rows[10].e.n, 1);
    ck_assert_uint_eq(runset_estimate(m->rs, 0, "vm.db", "no.such", "mean").n, 0);
    ck_assert_uint_eq(runset_seed(m->rs, 0, 2), 44);
    free(rows);
    made_done(m);
}
END_TEST

Suite *runset_suite(void)
{
    Suite *s = suite_create("runset");
    TCase *t = tcase_create("runset");
    tcase_add_test(t, the_interval_is_students);
    tcase_add_test(t, one_run_has_no_interval_and_none_no_value);
    tcase_add_test(t, equal_values_have_themselves_as_mean);
    tcase_add_test(t, rows_of_any_replication_are_there_once);
    suite_add_tcase(s, t);
    return s;
}
