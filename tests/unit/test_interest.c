// SPDX-License-Identifier: GPL-3.0-or-later
/* The figures that expectations compare, and the words they and the swept keys have in titles. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/once.h"
#include "out/interest.h"
#include "out/phrase.h"
#include "tests/lab.h"

Suite *interest_suite(void);

static const char text[] =
    "vlab: 1\nname: x\nrun: {duration: 1s}\n"
    "hosts: [{name: h1, cpu: {cores: 1, scheduler: rr, slice: 10ms}}]\n"
    "sweep: {vms.batch.count: [1, 3]}\n"
    "vms: [{name: db, workload: {kind: requests, arrivals: {periodic: 100ms}, steps: [{cpu: 1ms}]}},\n"
    "      {name: batch, count: 2, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\n"
    "expect: ['max(vm.batch-*.wait.max) < 1s', 'vm.db.latency.p99 < 9 * "
    "vm.db.latency.p99@vms.batch.count=1',\n"
    "         'vm.batch-0.cpu.run <= 99%', 'vm.batch-0.cpu.run >= 1%', 'cluster.fairness >= 0.1',\n"
    "         'vm.db.work.done / vm.batch-0.work.done <= 9',\n"
    "         'vm.db.latency.p99@vms.batch.count=3 / vm.db.latency.p99@vms.batch.count=1 >= 0.5']\n";

struct world {
    struct scenario_file *file;
    struct scenario *sc[2];
    struct meter *meter[2];
    struct runset *runs;
    struct report_expect expects[8];
    struct report rp;
};

static void open_world(struct world *w)
{
    struct diag d;
    diag_init(&d);
    *w = (struct world){.runs = runset_new(2, 1)};
    w->file = scenario_parse("x.yaml", text, sizeof text - 1, &d);
    for (size_t p = 0; p < 2; p++) {
        char *why = NULL;
        w->sc[p] = w->file ? scenario_at(w->file, p, &d) : NULL;
        if (!w->sc[p]) diag_print(&d, stderr, false);
        ck_assert_ptr_nonnull(w->sc[p]);
        w->meter[p] = once_sim(&(struct once){.sc = w->sc[p], .seed = 1}, &why);
        ck_assert_msg(w->meter[p] != NULL, "%s", why ? why : "stopped");
        runset_put(w->runs, p, 0, 1, meter_output(w->meter[p]));
    }
    diag_done(&d);
    for (size_t i = 0; i < w->sc[0]->n_expects; i++)
        w->expects[i] = (struct report_expect){.text = "", .parsed = w->sc[0]->expects[i]};
    w->rp = (struct report){.runs = w->runs, .expects = w->expects, .n_expects = w->sc[0]->n_expects};
}

static void close_world(struct world *w)
{
    for (size_t p = 0; p < 2; p++) {
        meter_free(w->meter[p]);
        scenario_free(w->sc[p]);
    }
    runset_free(w->runs);
    scenario_close(w->file);
}

static double mean_at(const struct world *w, const struct interest *i, size_t point)
{
    struct estimate e = interest_at(&w->rp, i, point);
    ck_assert_uint_eq(e.n, 1);
    return e.mean;
}

START_TEST(expectations_name_the_figures)
{
    struct world w;
    struct interest list[INTEREST_MAX];
    open_world(&w);
    ck_assert_uint_eq(interest_of(&w.rp, list), 5); /* each once, at whatever point it is asked */
    ck_assert_str_eq(list[0].name, "max(vm.batch-*.wait.max)");
    ck_assert_str_eq(list[0].unit, "s");
    ck_assert_str_eq(list[1].name, "vm.db.latency.p99");
    ck_assert_str_eq(list[2].name, "vm.batch-0.cpu.run.share"); /* what == 50% would mean */
    ck_assert(list[2].percent && !list[1].percent);
    ck_assert_str_eq(list[3].name, "cluster.fairness.share");
    ck_assert(!list[3].percent); /* an index, not a share of anything */
    ck_assert_str_eq(list[4].name, "vm.db.work.done.total / vm.batch-0.work.done.total");
    ck_assert_str_eq(list[4].per, "work.done");
    ck_assert_ptr_null(list[1].per); /* two points make no quotient */
    /* One batch VM waits for the database alone; of three, the longest waits for the two others too. */
    ck_near(mean_at(&w, &list[0], 0), .001, 1e-9);
    ck_near(mean_at(&w, &list[0], 1), .021, 1e-9);
    for (size_t p = 0; p < 2; p++) {
        const struct results *r = meter_output(w.meter[p])->results;
        ck_near(mean_at(&w, &list[4], p),
                results_find(r, "vm.db", "work.done", "total")->value /
                    results_find(r, "vm.batch-0", "work.done", "total")->value,
                1e-12);
        ck_near(mean_at(&w, &list[1], p), results_find(r, "vm.db", "latency", "p99")->value, 0);
        ck_near(mean_at(&w, &list[2], p), results_find(r, "vm.batch-0", "cpu.run", "share")->value, 0);
    }
    close_world(&w);
}
END_TEST

START_TEST(without_expectations_it_is_who_was_ready)
{
    struct world w;
    struct interest list[INTEREST_MAX];
    open_world(&w);
    w.rp.n_expects = 0;
    ck_assert_uint_eq(interest_of(&w.rp, list), 4); /* the VMs of the last point */
    ck_assert_str_eq(list[0].metric, "cpu.ready");
    ck_assert(list[0].percent);
    ck_assert_uint_eq(interest_at(&w.rp, &list[2], 0).n, 0); /* batch-2 is not there at the first */
    close_world(&w);
}
END_TEST

static const struct {
    const char *key, *words;
} keys[] = {{"vms.batch.count", "the number of batch VMs"},
            {"hosts.h1.cpu.scheduler", "the scheduler of h1"},
            {"hosts.h1.cpu.slice", "the time slice of h1"},
            {"vms.db.cpu.weight", "the CPU weight of db"},
            {"vms.db.workload.arrivals.poisson", "the arrival rate of db"},
            {"vms.db.workload.steps.0.cpu", "vms.db.workload.steps.0.cpu"}, /* no words of its own */
            {"vms.count.cpu.pin", "vms.count.cpu.pin"},
            {"run.seed", "run.seed"}};

START_TEST(keys_in_words)
{
    char out[120];
    ck_assert_str_eq(phrase_key(keys[_i].key, out, sizeof out), keys[_i].words);
}
END_TEST

static struct interest figure(enum expect_kind kind, const char *entity, const char *metric, const char *stat)
{
    return (struct interest){
        .node = {.kind = kind}, .entity = entity, .metric = metric, .stat = stat, .unit = "s"};
}

START_TEST(figures_in_words)
{
    char out[120];
    struct interest p99 = figure(EXPECT_TERM, "vm.db", "latency", "p99"),
                    mean = figure(EXPECT_TERM, "vm.db", "latency", "mean"),
                    other = figure(EXPECT_TERM, "vm.web", "latency", "mean"),
                    most = figure(EXPECT_MAX, "vm.loop-*", "wait", "max"),
                    good = figure(EXPECT_TERM, "host.h1", "cpu.guest", "share"),
                    all = figure(EXPECT_TERM, "cluster", "unserved", "share");
    const struct interest *list[] = {&p99, &mean, &other};
    ck_assert_str_eq(phrase_figures(list, 1, out, sizeof out), "db's p99 latency");
    ck_assert_str_eq(phrase_figures(list, 2, out, sizeof out), "db's latency");
    ck_assert_str_eq(phrase_figures(list, 3, out, sizeof out), "latency");
    list[0] = &most;
    ck_assert_str_eq(phrase_figures(list, 1, out, sizeof out), "the longest wait for a pCPU of loop-*");
    list[0] = &good;
    ck_assert_str_eq(phrase_figures(list, 1, out, sizeof out), "h1's efficiency");
    list[0] = &all;
    ck_assert_str_eq(phrase_figures(list, 1, out, sizeof out), "the cluster's unserved demand");
    ck_assert_str_eq(phrase_curve(&p99, out, sizeof out), "db p99");
    ck_assert_str_eq(phrase_curve(&most, out, sizeof out), "the most of loop-*");
    ck_assert_str_eq(phrase_curve(&good, out, sizeof out), "h1");
    ck_assert_uint_eq(strlen(phrase_figures(list, 1, out, 10)), 9); /* cut, not overrun */
}
END_TEST

Suite *interest_suite(void)
{
    Suite *s = suite_create("interest");
    TCase *t = tcase_create("interest");
    tcase_add_test(t, expectations_name_the_figures);
    tcase_add_test(t, without_expectations_it_is_who_was_ready);
    tcase_add_loop_test(t, keys_in_words, 0, sizeof keys / sizeof *keys);
    tcase_add_test(t, figures_in_words);
    suite_add_tcase(s, t);
    return s;
}
