// SPDX-License-Identifier: GPL-3.0-or-later
/* Over-commitment of 4 pCPUs (C12): as demand for wall time a binomial, as work a closed M/M/4//n. */
#include <check.h>
#include <math.h>

#include "tests/lab.h"

Suite *overcommit_suite(void);

static const struct {
    const char *step;
    int n;
    double unserved;
} cases[] = {
    {"busy", 8, .0160}, {"busy", 12, .0765}, {"busy", 16, .1689},
    {"cpu", 8, .0230},  {"cpu", 12, .1331},  {"cpu", 16, .3302},
};

/* Mean of ready/(run+ready) where n sources are each on with probability 1/4 (binomial). */
static double binomial_unserved(int n)
{
    double p = pow(.75, n), run = 0, wanted = 0;
    for (int k = 0; k <= n; k++) {
        run += p * fmin(k, 4);
        wanted += p * k;
        p *= (double)(n - k) / (k + 1) / 3;
    }
    return 1 - run / wanted;
}

/* The same where on-time is work: birth and death with rates (n-k)/300 and min(k,4)/100 a ms. */
static double closed_unserved(int n)
{
    double p = 1, run = 0, wanted = 0;
    for (int k = 0; k <= n; k++) {
        run += p * fmin(k, 4);
        wanted += p * k;
        p *= (n - k) / 300. / (fmin(k + 1, 4) / 100);
    }
    return 1 - run / wanted;
}

START_TEST(the_published_numbers_are_the_formulas)
{
    double f = cases[_i].step[0] == 'b' ? binomial_unserved(cases[_i].n) : closed_unserved(cases[_i].n);
    ck_near(cases[_i].unserved, f, 5e-5);
}
END_TEST

START_TEST(unserved)
{
    struct lab *l = lab_open("vlab: 1\nname: c12\nrun: {duration: 105s, warmup: 5s, sample: 1s}\n"
                             "hosts: [{name: h, cpu: {cores: 4, scheduler: credit}}]\n"
                             "vms: [{name: v, count: %d, host: h,\n"
                             "       workload: {kind: loop, steps: [{%s: {exponential: 100ms}}, {sleep: "
                             "{exponential: 300ms}}]}}]\n",
                             cases[_i].n, cases[_i].step);
    struct lab_mean m = lab_replicate(l, 30, "cluster", "unserved", "share");
    ck_near(m.mean, cases[_i].unserved, .01);
    ck_assert_msg(fabs(m.mean - cases[_i].unserved) <= 4 * m.se, "mean %.5f, se %.5f", m.mean, m.se);
    lab_close(l);
}
END_TEST

Suite *overcommit_suite(void)
{
    Suite *s = suite_create("overcommit");
    TCase *t = tcase_create("overcommit");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, the_published_numbers_are_the_formulas, 0, 6);
    tcase_add_loop_test(t, unserved, 0, 6);
    suite_add_tcase(s, t);
    return s;
}
