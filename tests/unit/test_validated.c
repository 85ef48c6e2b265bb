// SPDX-License-Identifier: GPL-3.0-or-later
/* What many comparisons come to: errors as factors, rankings, the table, the figure's data. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/validated.h"
#include "tests/lab.h"

Suite *validated_suite(void);

static void add(struct validated *v, const char *at, const char *metric, const char *unit, double sim,
                double real, double real_spread, bool judged)
{
    const struct validated_row r = {.scenario = "s",
                                    .point = at,
                                    .entity = "vm.a",
                                    .metric = metric,
                                    .stat = "mean",
                                    .unit = unit,
                                    .sim = sim,
                                    .real = real,
                                    .difference = real - sim,
                                    .spread = real_spread,
                                    .real_spread = real_spread,
                                    .verdict = judged ? "agrees" : "shown",
                                    .judged = judged};
    validated_add(v, &r);
}

START_TEST(errors_are_factors)
{
    struct validated v = {0};
    add(&v, "", "latency", "s", 1, 2, 0, true);
    add(&v, "", "slice", "s", 2, 1, 0, true);
    add(&v, "", "cpu.run", "", .5, .5, 0, true);
    add(&v, "", "cpu.ready", "", .005, .009, 0, true); /* too small a share */
    add(&v, "", "throttled", "", 0, .3, 0, true);      /* no factor of nothing */
    add(&v, "", "wait", "s", 1, 100, 0, false);        /* not judged */
    add(&v, "", "pause", "s", 1, 4, 0, true);
    struct validated_summary s = validated_sum(&v);
    ck_assert_uint_eq(s.errors, 4);
    ck_near(exp(s.worst), 4, 1e-12);
    ck_assert_str_eq(s.worst_row->metric, "pause");
    ck_near(exp(s.mean), 2, 1e-12); /* 2, 1/2, 1, 4: as factors 2 2 1 4 */
    ck_assert_uint_eq(s.rankings, 0);
    validated_done(&v);
    s = validated_sum(&v);
    ck_assert(s.errors == 0 && !s.worst_row);
}
END_TEST

/* Three policies: the hardware tells 1 from 2 and 3, but not 2 from 3. The simulator has 1 and 3 the wrong
 * way. */
START_TEST(rankings_that_the_hardware_tells_apart)
{
    struct validated v = {0};
    add(&v, "p=1", "latency", "s", 2, 1, .1, true);
    add(&v, "p=2", "latency", "s", 3, 2, .1, true);
    add(&v, "p=3", "latency", "s", 1, 2.1, .1, true);
    add(&v, "p=1", "slice", "s", 1, 1, 0, true); /* another row's points are its own */
    add(&v, "p=2", "slice", "s", 1, 2, 0, true); /* the simulator sees no difference: it does not agree */
    add(&v, "p=1", "wait", "s", 1, 1, 0, false);
    add(&v, "p=2", "wait", "s", 1, 2, 0, false);
    struct validated_summary s = validated_sum(&v);
    ck_assert_uint_eq(s.rankings, 3);
    ck_assert_uint_eq(s.agreeing, 1);
    validated_done(&v);
}
END_TEST

START_TEST(the_table_says_all)
{
    struct validated v = {0};
    char *text = NULL;
    size_t len = 0;
    add(&v, "a=1, b=2", "latency", "s", .001, .0011, .00005, true);
    FILE *f = open_memstream(&text, &len);
    validated_csv(f, &v);
    fclose(f);
    ck_assert_str_eq(text,
                     "scenario,point,entity,metric,stat,unit,sim,kvm,difference,spread,verdict\n"
                     "s,\"a=1, b=2\",vm.a,latency,mean,s,0.001,0.0011,0.00010000000000000005,5e-05,agrees\n");
    free(text);
    validated_done(&v);
}
END_TEST

Suite *validated_suite(void)
{
    Suite *s = suite_create("validated");
    TCase *t = tcase_create("validated");
    tcase_add_test(t, errors_are_factors);
    tcase_add_test(t, rankings_that_the_hardware_tells_apart);
    tcase_add_test(t, the_table_says_all);
    suite_add_tcase(s, t);
    return s;
}
