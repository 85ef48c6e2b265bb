// SPDX-License-Identifier: GPL-3.0-or-later
/* Expectations against runs with known numbers: verdicts, intervals, points, and what is said of a failure.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/expect_eval.h"
#include "metrics/results.h"
#include "scenario/names.h"
#include "scenario/scenario.h"

Suite *expect_suite(void);

#define MAX_REPS 5
#define POINTS   3

/* vms.b.count is 0, 1, 2 at points 0, 1, 2. */
#define FILE_HEAD                                                                                            \
    "hosts: [{name: h}]\nvms:\n- {name: a, workload: {steps: [{cpu: 1ms}]}}\n- {name: b, count: 2, "         \
    "workload: {steps: [{cpu: 1ms}]}}\n"                                                                     \
    "- {name: one, count: 1, workload: {steps: [{cpu: 1ms}]}}\nsweep: {vms.b.count: [0, 1, 2]}\nexpect:\n- " \
    "\""

struct store {
    struct results *runs[POINTS][MAX_REPS];
    uint32_t n_reps;
};

static const struct results *get(void *ctx, size_t point, uint32_t rep)
{
    const struct store *s = ctx;
    return point < POINTS ? s->runs[point][rep] : NULL;
}

/* a's latency: mean 10 ms x (point + 1), moved by `noise` from one replication to the next. */
static void fill(struct store *s, uint32_t n_reps, double noise)
{
    s->n_reps = n_reps;
    for (size_t p = 0; p < POINTS; p++) {
        for (uint32_t i = 0; i < n_reps; i++) {
            struct results *r = results_new();
            double e = noise * ((double)i - (n_reps - 1) / 2.0);
            results_add(r, "vm.a", "latency", "p99", "s", 0.010 * (double)(p + 1) + e);
            results_add(r, "vm.a", "throughput", "mean", "1/s", 100.0 - 5.0 * (double)p);
            results_add(r, "vm.a", "cpu.run", "share", "", 0.5);
            results_add(r, "vm.a", "cpu.run", "total", "s", 5.0);
            results_add(r, "vm.a.vcpu0", "cpu.run", "share", "", 0.9);
            results_add(r, "vm.one-0", "cpu.run", "share", "", 0.125);
            for (size_t b = 0; b < p; b++) {
                char name[20];
                snprintf(name, sizeof name, "vm.b-%zu", b);
                results_add(r, name, "cpu.run", "share", "", 0.25 * (double)(b + 1));
                results_add_exact(r, name, "work.done", "total", "", 9007199254740993u + b);
            }
            results_add_exact(r, "vm.a", "work.done", "total", "", 9007199254740993u); /* 2^53 + 1 */
            results_add_exact(r, "vm.a", "work.checksum", "total", "", 4503599627370495u);
            results_add_exact(r, "vm.one-0", "work.checksum", "total", "", 4503599627370494u);
            s->runs[p][i] = r;
        }
    }
}

static void empty(struct store *s)
{
    for (size_t p = 0; p < POINTS; p++)
        for (uint32_t i = 0; i < s->n_reps; i++)
            results_free(s->runs[p][i]);
}

static char *ask(const char *line, size_t point, struct store *s, struct expect_result *r, const char *place)
{
    char text[1000];
    struct diag d;
    snprintf(text, sizeof text, FILE_HEAD "%s\"\n", line);
    diag_init(&d);
    struct scenario_file *f = scenario_parse("e.yaml", text, strlen(text), &d);
    struct scenario *sc = f ? scenario_at(f, point, &d) : NULL;
    if (!sc) diag_print(&d, stderr, false);
    ck_assert_msg(sc && sc->n_expects == 1, "%s", line);
    struct expect_runs runs = {.at = get, .ctx = s, .n_reps = s->n_reps};
    *r = expect_eval(sc->expects[0], &runs);
    ck_assert_str_eq(sc->expects[0]->text, line);
    char *why = expect_explain(sc->expects[0], r, place);
    scenario_free(sc);
    scenario_close(f);
    diag_done(&d);
    return why;
}

static const struct {
    const char *line;
    size_t point;
    enum expect_verdict verdict;
} single[] = {
    {"vm.a.latency.p99 < 50ms", 0, EXPECT_HOLDS},
    {"vm.a.latency.p99 < 10us", 0, EXPECT_FAILS},
    {"vm.a.latency.p99 > 25ms", 2, EXPECT_HOLDS},
    {"vm.a.latency.p99 > 25ms", 1, EXPECT_FAILS},
    {"vm.a.latency.p99 == 20ms", 1, EXPECT_HOLDS},
    {"vm.a.latency.p99 == 21ms", 1, EXPECT_FAILS},
    {"vm.a.latency.p99 == 21ms within 1ms", 1, EXPECT_HOLDS},
    {"vm.a.latency.p99 == 21ms within 4%", 1, EXPECT_FAILS},
    {"vm.a.latency.p99 == 21ms within 5%", 1, EXPECT_HOLDS},
    {"vm.a.latency.p99 < 19ms within 10%", 1, EXPECT_HOLDS},
    {"vm.a.cpu.run == 49.5% within 1pp", 0, EXPECT_HOLDS},
    {"vm.a.cpu.run == 48.5% within 1pp", 0, EXPECT_FAILS},
    {"vm.a.cpu.run == 0.505 within 0.01", 0, EXPECT_HOLDS},
    {"vm.a.cpu.run <= 5s", 0, EXPECT_HOLDS}, /* against a time: its total */
    {"vm.a.cpu.run > 5s", 0, EXPECT_FAILS},
    {"vm.a.throughput >= 0.9 * vm.a.throughput@vms.b.count=0", 2, EXPECT_HOLDS},
    {"vm.a.throughput >= 0.91 * vm.a.throughput@vms.b.count=0", 2, EXPECT_FAILS},
    {"vm.a.latency.p99@vms.b.count=2 == 3 * vm.a.latency.p99@vms.b.count=0 within 0.001%", 1, EXPECT_HOLDS},
    {"vm.a.latency.p99@vms.b.count=2 - vm.a.latency.p99@vms.b.count=0 == 20ms within 1us", 1, EXPECT_HOLDS},
    {"(vm.a.latency.p99 + 10ms) * 2 / 4 == 15ms within 1us", 1, EXPECT_HOLDS},
    {"vm.a.latency.p99 * vm.a.throughput == 1.9 within 0.1%", 1, EXPECT_HOLDS},
    {"1 / vm.a.throughput < 11ms", 0, EXPECT_HOLDS}, /* a rate's inverse is a time */
    {"sum(vm.b-*.cpu.run) == 75%", 2, EXPECT_HOLDS},
    {"mean(vm.b-*.cpu.run) == 37.5%", 2, EXPECT_HOLDS},
    {"max(vm.b-*.cpu.run) == 50%", 2, EXPECT_HOLDS},
    {"min(vm.b-*.cpu.run) == 25%", 2, EXPECT_HOLDS},
    {"max(vm.*.cpu.run) == 50%", 2, EXPECT_HOLDS}, /* vm.a.vcpu0 is not a VM */
    {"max(vm.*.vcpu*.cpu.run) == 90%", 2, EXPECT_HOLDS},
    {"max(vm.a.cpu.run, vm.b-*.cpu.run) == 50%", 1, EXPECT_HOLDS},
    {"max(vm.b-*.cpu.run)@vms.b.count=1 == 25%", 2, EXPECT_HOLDS},
    {"sum(vm.b-*.cpu.run) < 1%", 0, EXPECT_HOLDS},   /* of none: 0 */
    {"max(vm.b-*.cpu.run) < 1%", 0, EXPECT_HOLDS},   /* of none: nothing to ask */
    {"vm.one.cpu.run == 12.5%", 0, EXPECT_HOLDS},    /* the only one of its count */
    {"vm.a.latency.mean < 5s", 0, EXPECT_UNDECIDED}, /* not measured */
    /* Exactly, where doubles cannot tell. */
    {"vm.a.work.done == 9007199254740993", 0, EXPECT_HOLDS},
    {"vm.a.work.done == 9007199254740992", 0, EXPECT_FAILS},
    {"vm.a.work.done > 9007199254740992", 0, EXPECT_HOLDS},
    {"vm.b-1.work.done@vms.b.count=2 - vm.b-0.work.done@vms.b.count=2 == 1", 2, EXPECT_HOLDS},
    {"max(vm.b-*.work.done) > min(vm.b-*.work.done)", 2, EXPECT_HOLDS},
    {"vm.a.work.checksum == vm.one.work.checksum", 0, EXPECT_FAILS},
    {"vm.a.work.checksum == vm.one.work.checksum + 1", 0, EXPECT_HOLDS},
};

START_TEST(one_run_decides)
{
    struct store s;
    struct expect_result r;
    fill(&s, 1, 0);
    char *why = ask(single[_i].line, single[_i].point, &s, &r, NULL);
    ck_assert_msg(r.verdict == single[_i].verdict, "%s: %s (%s)", single[_i].line,
                  expect_verdict_name(r.verdict), why);
    free(why);
    empty(&s);
}
END_TEST

START_TEST(replications_need_the_whole_interval_inside)
{
    struct store s;
    struct expect_result r;
    /* Five values 18, 19, 20, 21, 22 ms: sd 1.5811, half width t(4, .975) = 2.77645 x sd/sqrt 5 = 1.96324 ms.
     */
    fill(&s, 5, 0.001);
    free(ask("vm.a.latency.p99 < 22ms", 1, &s, &r, NULL));
    ck_assert_int_eq(r.verdict, EXPECT_HOLDS);
    ck_assert_double_eq_tol(r.lhs, 0.020, 1e-12);
    ck_assert_double_eq_tol(r.hi, -0.002 + 0.00196324, 1e-8);
    ck_assert_double_eq_tol(r.lo, -0.002 - 0.00196324, 1e-8);
    free(ask("vm.a.latency.p99 < 21.9ms", 1, &s, &r, NULL));
    ck_assert_int_eq(r.verdict, EXPECT_UNDECIDED);
    free(ask("vm.a.latency.p99 < 18.1ms", 1, &s, &r, NULL));
    ck_assert_int_eq(r.verdict, EXPECT_UNDECIDED);
    free(ask("vm.a.latency.p99 < 18ms", 1, &s, &r, NULL));
    ck_assert_int_eq(r.verdict, EXPECT_FAILS);
    free(ask("vm.a.latency.p99 == 20ms within 2ms", 1, &s, &r, NULL));
    ck_assert_int_eq(r.verdict, EXPECT_HOLDS);
    free(ask("vm.a.latency.p99 == 20ms within 9%", 1, &s, &r, NULL));
    ck_assert_int_eq(r.verdict, EXPECT_UNDECIDED);
    free(ask("vm.a.latency.p99 == 25ms within 1ms", 1, &s, &r, NULL));
    ck_assert_int_eq(r.verdict, EXPECT_FAILS);
    /* Noise that both sides share is gone from the difference. */
    free(ask("vm.a.latency.p99@vms.b.count=1 - vm.a.latency.p99@vms.b.count=0 == 10ms within 1us", 1, &s, &r,
             NULL));
    ck_assert_int_eq(r.verdict, EXPECT_HOLDS);
    free(ask("vm.a.work.done == 9007199254740993", 1, &s, &r, NULL));
    ck_assert_int_eq(r.verdict, EXPECT_HOLDS);
    free(ask("vm.a.work.done == 9007199254740992", 1, &s, &r, NULL));
    ck_assert_int_eq(r.verdict, EXPECT_FAILS);
    empty(&s);
}
END_TEST

START_TEST(a_failure_shows_both_sides)
{
    struct store s;
    struct expect_result r;
    fill(&s, 1, 0);
    char *why = ask("vm.a.latency.p99 < 12.5ms", 2, &s, &r, "vms.b.count=2");
    ck_assert_str_eq(why, "vm.a.latency.p99 is 30 ms, wanted < 12.5 ms (at vms.b.count=2)");
    free(why);
    why = ask("vm.a.cpu.run == 40% within 1pp", 0, &s, &r, NULL);
    ck_assert_str_eq(why, "vm.a.cpu.run is 50 %, wanted == 40 % within 1pp");
    free(why);
    why = ask("vm.a.throughput >= 0.95 * vm.a.throughput@vms.b.count=0", 2, &s, &r, "");
    ck_assert_str_eq(why, "vm.a.throughput is 90/s, wanted >= 95/s");
    free(why);
    why = ask("vm.a.work.done == 9007199254740992", 0, &s, &r, NULL);
    ck_assert_str_eq(why, "vm.a.work.done is 9007199254740993, wanted == 9007199254740992");
    free(why);
    why = ask("vm.a.latency.mean < 5s", 0, &s, &r, NULL);
    ck_assert_str_eq(why, "vm.a.latency.mean < 5s: no value of vm.a.latency.mean");
    free(why);
    empty(&s);
}
END_TEST

START_TEST(a_line_whose_every_term_has_its_point_is_fixed)
{
    static const char text[] = FILE_HEAD
        "vm.a.throughput@vms.b.count=1 > 5/s\"\n- vm.a.throughput@vms.b.count=1 > vm.a.throughput * 0.5\n";
    struct diag d;
    diag_init(&d);
    struct scenario_file *f = scenario_parse("e.yaml", text, strlen(text), &d);
    struct scenario *sc = scenario_at(f, 2, &d);
    ck_assert_ptr_nonnull(sc);
    ck_assert(sc->expects[0]->fixed && !sc->expects[1]->fixed);
    ck_assert_uint_eq(sc->expects[1]->point, 2);
    scenario_free(sc);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

START_TEST(every_metric_has_its_row)
{
    for (size_t i = 0; i < name_count(); i++) {
        const struct name_metric *m = name_at(i);
        ck_assert_ptr_eq(name_find(m->name), m);
        ck_assert(m->about[0] && m->formula[0] && m->on);
        ck_assert(name_stats(m->kind) && name_stats(m->kind)[0]);
    }
    ck_assert_ptr_eq(name_find("events.throttle"), name_find("events.KIND"));
    ck_assert_ptr_null(name_find("events.nothing"));
    ck_assert_ptr_null(name_find("cpu"));
    ck_assert(name_has_stat(NAME_DIST, "p99") && !name_has_stat(NAME_DIST, "p9") &&
              !name_has_stat(NAME_DIST, ""));
    ck_assert_str_eq(name_unit(name_find("latency"), "count"), "");
    ck_assert_str_eq(name_unit(name_find("work.done"), "rate"), "1/s");
    ck_assert_str_eq(name_unit(name_find("cpu.run"), "share"), "");
    ck_assert_str_eq(name_unit(name_find("cpu.run"), "total"), "s");
}
END_TEST

Suite *expect_suite(void)
{
    Suite *s = suite_create("expect");
    TCase *t = tcase_create("expect");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, one_run_decides, 0, (int)(sizeof single / sizeof single[0]));
    tcase_add_test(t, replications_need_the_whole_interval_inside);
    tcase_add_test(t, a_failure_shows_both_sides);
    tcase_add_test(t, a_line_whose_every_term_has_its_point_is_fixed);
    tcase_add_test(t, every_metric_has_its_row);
    suite_add_tcase(s, t);
    return s;
}
