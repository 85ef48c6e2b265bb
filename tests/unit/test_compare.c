// SPDX-License-Identifier: GPL-3.0-or-later
/* The verdicts of `vlab validate` on made-up pairs: what agrees, differs, cannot be told, is only shown. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/compare_rows.h"
#include "tests/lab.h"

Suite *compare_suite(void);

#define PAIRS 5

/* One run of a VM that never idles, as far as the comparison looks. */
struct made {
    struct results *r;
    struct ecdf e;
    struct run_output out;
};

static void make(struct made *m, double run, double slice, const double *wait, const double *share, size_t n,
                 double p50)
{
    m->r = results_new();
    results_add(m->r, "vm.v", "cpu.run", "share", "", run);
    results_add(m->r, "vm.v", "cpu.ready", "share", "", 1 - run);
    results_add(m->r, "vm.v", "slice", "p50", "s", slice);
    results_add(m->r, "vm.v", "wait", "p50", "s", p50);
    m->e = (struct ecdf){
        .entity = "vm.v", .metric = "wait", .unit = "s", .n = n, .x = wait, .share = share, .count = 100};
    m->out = (struct run_output){.results = m->r, .ecdfs = &m->e, .n_ecdfs = n ? 1 : 0};
}

static struct lab *one_vm(const char *steps)
{
    return lab_open("vlab: 1\nname: c\nhosts: [{name: h}]\nvms: [{name: v, host: h, workload: {kind: loop, "
                    "steps: [%s]}}]\n",
                    steps);
}

static const struct compare_row *row_of(const struct compare *c, const char *metric)
{
    for (size_t i = 0; i < c->n_rows; i++)
        if (!strcmp(c->rows[i].metric, metric)) return &c->rows[i];
    ck_abort_msg("no row %s", metric);
    return NULL;
}

struct wait {
    double x[2], share[2];
    double p50;
};

static void compare_pairs(struct lab *l, struct compare *c, double run, const double noise[PAIRS],
                          double slice, const struct wait *sim_wait, const struct wait *real_wait)
{
    compare_init(c, lab_scenario(l), PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        struct made sim, real;
        make(&sim, .5, .010, sim_wait->x, sim_wait->share, 2, sim_wait->p50);
        make(&real, run + noise[i], slice + noise[i] / 50, real_wait->x, real_wait->share, 2, real_wait->p50);
        compare_add(c, &sim.out, &real.out);
        results_free(sim.r);
        results_free(real.r);
    }
    compare_judge(c);
}

static const struct wait ten = {{.010, .010}, {1, 1}, .010};
static const double quiet[PAIRS] = {-.001, .001, 0, .002, -.002}, noisy[PAIRS] = {-.1, .1, 0, .15, -.15};

START_TEST(within_the_bound_is_agreement)
{
    struct lab *l = one_vm("{cpu: 1ms}");
    struct compare c;
    compare_pairs(l, &c, .508, quiet, .0103, &ten, &ten);
    ck_assert_int_eq(row_of(&c, "cpu.run")->verdict, COMPARE_AGREES);
    ck_near(row_of(&c, "cpu.run")->difference, .008, 1e-12);
    ck_assert_int_eq(row_of(&c, "slice")->verdict, COMPARE_AGREES);
    compare_done(&c);
    compare_pairs(l, &c, .515, quiet, .0107, &ten, &ten);
    ck_assert_int_eq(row_of(&c, "cpu.run")->verdict, COMPARE_DIFFERS);
    ck_assert_int_eq(row_of(&c, "slice")->verdict, COMPARE_DIFFERS);
    ck_assert_int_eq(row_of(&c, "wait")->verdict, COMPARE_AGREES);
    compare_done(&c);
    lab_close(l);
}
END_TEST

START_TEST(too_wide_a_spread_decides_nothing)
{
    struct lab *l = one_vm("{cpu: 1ms}");
    struct compare c;
    compare_pairs(l, &c, .5, noisy, .010, &ten, &ten);
    ck_assert_int_eq(row_of(&c, "cpu.run")->verdict, COMPARE_UNDECIDED);
    compare_done(&c);
    lab_close(l);
}
END_TEST

/* Waits of 8 or 12 ms, half of each: medians of 8, 10 and 12 are the same distribution. Of 8 only, they are
 * not. */
START_TEST(a_median_on_the_edge_of_two_values)
{
    struct lab *l = one_vm("{cpu: 1ms}");
    struct compare c;
    const struct wait low = {{.008, .012}, {.51, 1}, .008}, high = {{.008, .012}, {.49, 1}, .012};
    const struct wait eight = {{.008, .012}, {.90, 1}, .008}, twelve = {{.008, .012}, {.10, 1}, .012};
    compare_pairs(l, &c, .5, quiet, .010, &low, &high);
    ck_assert_int_eq(row_of(&c, "wait")->verdict, COMPARE_AGREES);
    ck_near(row_of(&c, "wait")->difference, .004, 1e-12);
    compare_done(&c);
    compare_pairs(l, &c, .5, quiet, .010, &eight, &twelve);
    ck_assert_int_eq(row_of(&c, "wait")->verdict, COMPARE_DIFFERS);
    compare_done(&c);
    lab_close(l);
}
END_TEST

START_TEST(what_hangs_on_the_core_s_speed_is_shown)
{
    struct lab *l = one_vm("{cpu: 1ms}, {sleep: 1ms}");
    struct compare c;
    compare_pairs(l, &c, .9, quiet, .010, &ten, &ten);
    ck_assert_int_eq(row_of(&c, "cpu.run")->verdict, COMPARE_SHOWN);
    ck_assert_uint_eq(c.n_rows,
                      2); /* no throughput was measured, and slices of a VM that sleeps say nothing */
    compare_done(&c);
    lab_close(l);
}
END_TEST

/* Of a VM that touches, halts and comes to an end: what is counted is counted for each unit of work. */
START_TEST(counts_are_for_each_unit_of_work)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: c\nhosts: [{name: h}]\nvms: [{name: v, host: h, role: victim, workload: {kind: "
        "loop, until: {count: 9}, steps: [{cpu: 1ms}, {touch: {pages: 1, of: 1MiB}}, {ops: {hlt: 2}}]}}]\n");
    struct compare c;
    for (int ends = 0; ends < 2; ends++) {
        compare_init(&c, lab_scenario(l), 1);
        struct run_output out[2] = {0};
        for (int k = 0; k < 2; k++) { /* the hardware does twice the work */
            struct results *r = results_new();
            results_add(r, "vm.v", "exits.hlt", "total", "", 18 * (k + 1));
            results_add(r, "vm.v", "work.done", "total", "", 9 * (k + 1));
            results_add(r, "vm.v", "mem.hardfaults", "total", "", 4 + k);
            results_add(r, "vm.v", "mem.refs", "total", "", 9 * (k + 1));
            results_add(r, "vm.v", "work.checksum", "total", "", 77 + k);
            results_add(r, "vm.v", "events.finished", "total", "", ends);
            results_add(r, "vm.v", "slowdown", "mean", "", 1 + .1 * k);
            out[k].results = r;
        }
        compare_add(&c, &out[0], &out[1]);
        compare_judge(&c);
        ck_near(row_of(&c, "exits.hlt")->sim_median, 2, 0);
        ck_assert_int_eq(row_of(&c, "exits.hlt")->verdict, COMPARE_AGREES);
        ck_near(row_of(&c, "mem.hardfaults")->real_median, 5. / 18, 1e-12);
        ck_assert_int_eq(row_of(&c, "mem.hardfaults")->verdict, COMPARE_DIFFERS);
        ck_assert_int_eq(row_of(&c, "slowdown")->verdict, COMPARE_AGREES);
        ck_assert_uint_eq(c.n_rows, ends ? 4 : 3); /* sums of unfinished work say nothing */
        if (ends) ck_assert_int_eq(row_of(&c, "work.checksum")->verdict, COMPARE_DIFFERS); /* by one bit */
        for (int k = 0; k < 2; k++)
            results_free((struct results *)(uintptr_t)out[k].results);
        compare_done(&c);
    }
    lab_close(l);
}
END_TEST

Suite *compare_suite(void)
{
    Suite *s = suite_create("compare");
    TCase *t = tcase_create("compare");
    tcase_add_test(t, within_the_bound_is_agreement);
    tcase_add_test(t, too_wide_a_spread_decides_nothing);
    tcase_add_test(t, a_median_on_the_edge_of_two_values);
    tcase_add_test(t, what_hangs_on_the_core_s_speed_is_shown);
    tcase_add_test(t, counts_are_for_each_unit_of_work);
    suite_add_tcase(s, t);
    return s;
}
