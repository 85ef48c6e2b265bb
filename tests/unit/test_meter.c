// SPDX-License-Identifier: GPL-3.0-or-later
/* The meter against the table of names, against folding, and against records that break a law. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/names.h"
#include "tests/lab.h"

Suite *meter_suite(void);

static void expect_rows(const struct lab *l, const struct name_metric *m, const char *metric,
                        const char *entity)
{
    char stats[128];
    snprintf(stats, sizeof stats, "%s", name_stats(m->kind));
    for (char *save = NULL, *st = strtok_r(stats, " ", &save); st; st = strtok_r(NULL, " ", &save)) {
        const struct result *r = results_find(lab_output(l)->results, entity, metric, st);
        bool may_lack =
            m->kind == NAME_EVENTS && strcmp(st, "total") != 0; /* first and last of what never was */
        if (m->kind == NAME_TIME || strcmp(metric, "slowdown") == 0) may_lack = strstr(entity, "db") != NULL;
        ck_assert_msg(r || may_lack, "no %s.%s.%s", entity, metric, st);
        if (r) ck_assert_str_eq(r->unit, name_unit(m, st));
    }
}

/* Told only where there is such a thing: those of test_meter_up.c and test_meter_power.c. */
static bool above_the_hosts(const char *metric)
{
    static const char *const all[] = {"boot.time", "vms.down", "hosts.on", "rejected",
                                      "power",     "energy",   "cost",     "covert.ber"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(metric, all[i])) return true;
    return strncmp(metric, "migration.", 10) == 0;
}

/* Every metric that the table says is built comes out, with every stat, on every kind of entity it names. */
START_TEST(every_metric_of_the_table_comes_out)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: all\nrun: {duration: 2s}\n"
        "hosts: [{name: h, cpu: {cores: 1, scheduler: rr}, memory: 1GiB, nics: [{name: n}],\n"
        "  disks: [{name: s, iops: 10000/s, pool: 1GiB}]}]\n"
        "storage: [{name: st, pool: 1GiB}]\n"
        "networks: [{name: lan, nics: [h/n]}]\npeers: [{name: p, on: lan}]\n"
        "vms: [{name: db, host: h, workload: {kind: requests, arrivals: {periodic: 20ms}, steps: "
        "[{cpu: 1ms}]}},\n"
        "      {name: w, host: h, role: victim, memory: 64MiB, disk: [{on: s, size: 64MiB}, {on: st, size: "
        "1MiB}], nic: lan,\n"
        "       workload: {kind: loop, steps: [{cpu: 1ms}, {touch: {pages: 9, of: 1MiB}}, {disk: {write: "
        "4KiB}},\n"
        "         {disk: {read: 4KiB, on: st}}, {net: {send: 1kB, to: p}}, {ops: {io_port: 1}}], until: "
        "{count: 100}}},\n"
        "      {name: x, host: h, role: victim, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\n");
    lab_run(l, 1);
    size_t built = 0;
    for (size_t i = 0; i < name_count(); i++) {
        const struct name_metric *m = name_at(i);
        if (m->later || above_the_hosts(m->name)) continue;
        built++;
        char metric[64];
        snprintf(metric, sizeof metric, "%s",
                 m->kind == NAME_EVENTS               ? "events.finished"
                 : !strcmp(m->name, "exits.REASON")   ? "exits.io_port"
                 : !strcmp(m->name, "net.reach.NAME") ? "net.reach.db"
                                                      : m->name);
        bool requests =
            !strcmp(metric, "latency") || !strcmp(metric, "backlog") || !strcmp(metric, "queue.lost");
        const char *vm = requests ? "vm.db" : "vm.w";
        if (m->on & NAME_ON_VM) expect_rows(l, m, metric, vm);
        if (m->on & NAME_ON_VCPU) expect_rows(l, m, metric, "vm.x.vcpu0");
        if (m->on & NAME_ON_HOST) expect_rows(l, m, metric, "host.h");
        if (m->on & NAME_ON_PCPU) expect_rows(l, m, metric, "host.h.pcpu0");
        if (m->on & NAME_ON_CLUSTER) expect_rows(l, m, metric, "cluster");
        if (m->on & NAME_ON_DISK) expect_rows(l, m, metric, "host.h.disk.s");
        if (m->on & NAME_ON_STORAGE) expect_rows(l, m, metric, "storage.st");
        if (m->on & NAME_ON_NIC) expect_rows(l, m, metric, "host.h.nic.n");
        if (m->on & NAME_ON_NETWORK) expect_rows(l, m, metric, "network.lan");
        if (m->on & NAME_ON_PEER) expect_rows(l, m, metric, "peer.p");
    }
    ck_assert_uint_gt(built, 50);
    /* And nothing comes out that the table does not know. */
    for (size_t i = 0; i < results_count(lab_output(l)->results); i++) {
        const struct result *r = results_at(lab_output(l)->results, i);
        const struct name_metric *m = name_find(r->metric);
        ck_assert_msg(m && !m->later && name_has_stat(m->kind, r->stat), "unknown row %s.%s.%s", r->entity,
                      r->metric, r->stat);
    }
    lab_close(l);
}
END_TEST

START_TEST(what_came_before_the_warmup_is_not_counted)
{
    struct lab *l = lab_open("vlab: 1\nname: w\nrun: {duration: 3s, warmup: 1s}\n"
                             "hosts: [{name: h}]\n"
                             "vms: [{name: v, host: h, start: {at: 500ms}, workload: {kind: loop, steps: "
                             "[{cpu: 100ms}, {sleep: 100ms}]}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.v", "cpu.run", "total"), 1, 1e-9);
    ck_near(lab_value(l, "vm.v", "cpu.idle", "total"), 1, 1e-9);
    ck_near(lab_value(l, "vm.v", "cpu.down", "total"), 0, 0);
    ck_assert_uint_eq(lab_exact(l, "vm.v", "work.done", "total"), 10);
    ck_assert_uint_eq(lab_exact(l, "vm.v", "events.started", "total"), 0);
    ck_near(lab_value(l, "host.h", "cpu.util", "share"), .5, 1e-9);
    lab_close(l);
}
END_TEST

/* The samples of a share add up to its total. */
START_TEST(samples_sum_to_totals)
{
    struct lab *l = lab_open("vlab: 1\nname: s\nrun: {duration: 3s, sample: 7ms}\n"
                             "hosts: [{name: h, cpu: {cores: 2, scheduler: credit, switch_cost: 5us}}]\n"
                             "vms: [{name: v, count: 5, host: h, cpu: {limit: 70%%}, workload: {kind: "
                             "requests, arrivals: {poisson: 90/s}, steps: [{cpu: {exponential: 5ms}}]}}]\n");
    lab_run(l, 1);
    const struct series *s = lab_output(l)->series;
    ck_assert_uint_eq(s->n_rows, 428); /* whole samples of 7 ms in 3 s */
    for (size_t c = 0; c < s->n_cols; c++) {
        if (strcmp(s->metrics[c], "cpu.ready") && strcmp(s->metrics[c], "cpu.run")) continue;
        double sum = 0;
        for (size_t r = 0; r < s->n_rows; r++)
            sum += s->v[r * s->n_cols + c] * .007;
        ck_near(sum, lab_value(l, s->entities[c], s->metrics[c], "total"),
                .00401); /* the last 4 ms are in no sample */
    }
    lab_close(l);
}
END_TEST

START_TEST(a_large_group_is_one_entity)
{
    struct lab *l =
        lab_open("vlab: 1\nname: many\nrun: {duration: 2s}\n"
                 "hosts: [{name: h, cpu: {cores: 8, scheduler: stride}}]\n"
                 "vms: [{name: v, count: %d, host: h, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\n",
                 _i);
    lab_run(l, 1);
    const struct results *r = lab_output(l)->results;
    bool folded = _i > 100;
    ck_assert(!!results_find(r, "vm.v", "cpu.run", "total") == folded);
    ck_assert(!!results_find(r, "vm.v-0.vcpu0", "cpu.run", "total") == !folded);
    size_t named = 0;
    double total = 0;
    for (size_t i = 0; i < results_count(r); i++) {
        const struct result *x = results_at(r, i);
        if (strcmp(x->metric, "cpu.ready") || strcmp(x->stat, "share") || strncmp(x->entity, "vm.v-", 5) ||
            strstr(x->entity, ".vcpu"))
            continue;
        named++;
        total += x->value;
    }
    ck_assert_uint_eq(named, 100); /* all of them, or the worst */
    if (folded) {
        ck_near(lab_value(l, "vm.v", "cpu.run", "total"), 16, 1e-9);
        ck_near(lab_value(l, "vm.v", "cpu.run", "mean"), 8. / _i, 1e-9);
        ck_assert(total / 100 >= lab_value(l, "vm.v", "cpu.ready", "mean"));
    }
    lab_close(l);
}
END_TEST

/* --- records that break a law --- */

static char *finish_with(const struct rec *recs, size_t n)
{
    struct lab *l = lab_open("vlab: 1\nname: law\nrun: {duration: 1s}\nhosts: [{name: h}]\n"
                             "vms: [{name: v, host: h, workload: {kind: requests, arrivals: {periodic: 1s}, "
                             "steps: [{cpu: 1ms}]}}]\n");
    struct meter *m = meter_new(lab_scenario(l), &(struct meter_opts){.only_vm = UINT32_MAX});
    struct rec_reader r = meter_reader(m);
    r.read(r.ctx, recs, n);
    char *why = NULL;
    int bad = meter_finish(m, 1000000000, &why);
    ck_assert_int_eq(bad != 0, why != NULL);
    meter_free(m);
    lab_close(l);
    return why;
}

#define STATE(t, v, f, x)                                                                                    \
    {                                                                                                        \
        .t_ns = t, .value = v, .kind = REC_STATE, .from = f, .to = x                                         \
    }
#define IDLE(t, v)                                                                                           \
    {                                                                                                        \
        .t_ns = t, .value = v, .kind = REC_IDLE, .vm = UINT32_MAX                                            \
    }

static void expect_broken(const struct rec *recs, size_t n, const char *word)
{
    char *why = finish_with(recs, n);
    if (!word)
        ck_assert_msg(!why, "%s", why);
    else
        ck_assert_msg(why && strstr(why, word), "wanted `%s`, got `%s`", word, why ? why : "nothing");
    free(why);
}

START_TEST(broken_laws_are_named)
{
    const int64_t s = 1000000000;
    const struct rec good[] = {STATE(s / 4, s / 4, VCPU_IDLE, VCPU_RUN), IDLE(s / 4, s / 4),
                               STATE(s, s - s / 4, VCPU_RUN, VCPU_RUN)};
    expect_broken(good, 3, NULL);
    expect_broken(good, 2, "conservation"); /* the rest of the run is missing */
    const struct rec gap[] = {STATE(s / 4, s / 4, VCPU_IDLE, VCPU_READY),
                              STATE(s, s / 2, VCPU_READY, VCPU_READY), IDLE(s, s)};
    expect_broken(gap, 3, "left ready");
    const struct rec overlap[] = {good[0], IDLE(s / 2, s / 2), good[2]};
    expect_broken(overlap, 3, "pcpu0");
    const struct rec lost[] = {good[0], good[1], {.t_ns = s / 2, .kind = REC_ARRIVE}, good[2]};
    expect_broken(lost, 4, "flow balance");
    const struct rec little[] = {good[0],
                                 good[1],
                                 {.t_ns = s / 2, .kind = REC_ARRIVE},
                                 {.t_ns = s * 3 / 4, .value = s / 8, .kind = REC_DONE},
                                 good[2]};
    expect_broken(little, 5, "Little's law");
    const struct rec fine[] = {good[0],
                               good[1],
                               {.t_ns = s / 2, .kind = REC_ARRIVE},
                               {.t_ns = s * 3 / 4, .value = s / 4, .kind = REC_DONE},
                               good[2]};
    expect_broken(fine, 5, NULL);
}
END_TEST

Suite *meter_suite(void)
{
    Suite *s = suite_create("meter");
    TCase *t = tcase_create("meter");
    tcase_add_test(t, every_metric_of_the_table_comes_out);
    tcase_add_test(t, what_came_before_the_warmup_is_not_counted);
    tcase_add_test(t, samples_sum_to_totals);
    tcase_add_loop_test(t, a_large_group_is_one_entity, 100, 102);
    tcase_add_test(t, broken_laws_are_named);
    suite_add_tcase(s, t);
    return s;
}
