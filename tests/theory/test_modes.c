// SPDX-License-Identifier: GPL-3.0-or-later
/* The price of mediation, worked out by hand: prices of events, hypervisors of type 1 and 2, hosts of
 * different speed, hardware threads (C4, C11, C16, C24). */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/once.h"
#include "tests/lab.h"

Suite *modes_suite(void);

/* 10 system calls of 1 us and 5 port accesses of 2 us over 100 us of work. */
START_TEST(an_event_costs_its_price)
{
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 10s, warmup: 1s}\n"
                             "hosts: [{name: h, cpu: 1, mode_costs: {syscall: 1us, io_port: 2us}}]\n"
                             "vms: [{name: v, mode: %s, guest: modified,\n"
                             "       workload: {steps: [{cpu: 100us}, {ops: {syscall: 10, io_port: 5}}]}}]\n",
                             _i ? "paravirtual" : "hardware");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.v", "cpu.run", "share"), 1, 1e-9);
    ck_near(lab_value(l, "vm.v", "cpu.overhead", "share"), 20. / 120, 1e-5);
    ck_near(lab_value(l, "vm.v", "cpu.guest", "share"), 100. / 120, 1e-5);
    ck_near(lab_value(l, "host.h", "cpu.overhead", "share"), 20. / 120, 1e-5);
    double done = lab_value(l, "vm.v", "work.done", "total");
    ck_near(done, 9 / 120e-6, 1);
    ck_near(lab_value(l, "vm.v", "exits.io_port", "total"), 5 * done, 5);
    lab_close(l);
}
END_TEST

/* What the guest's own host costs where there is none: nothing. */
START_TEST(bare_metal_has_no_overhead)
{
    struct lab *l =
        lab_open("vlab: 1\nname: t\nrun: {duration: 10s}\n"
                 "hosts: [{name: h, cpu: 1, mode_costs: {syscall: 1us}}]\n"
                 "vms: [{name: v, mode: bare, workload: {steps: [{cpu: 100us}, {ops: {syscall: 10}}]}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.v", "cpu.overhead", "share"), 0, 0);
    ck_near(lab_value(l, "vm.v", "work.done", "total"), 100000, 1);
    lab_close(l);
}
END_TEST

/* A task that gives way to another of its guest pays for the switch before it goes on. */
START_TEST(the_guest_s_own_switches_have_a_price)
{
    struct lab *l =
        lab_open("vlab: 1\nname: t\nrun: {duration: 10s}\n"
                 "hosts: [{name: h, cpu: 1, mode_costs: {context_switch: 10us}}]\n"
                 "vms: [{name: v, guest_quantum: 1ms, workload: {threads: 3, steps: [{cpu: 1ms}]}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.v", "cpu.overhead", "share"), 10. / 1010, 1e-5);
    ck_near(lab_value(l, "vm.v", "work.done", "total"), 10 / 1.01e-3, 1);
    lab_close(l);
}
END_TEST

/* The same job of 10 s on hosts of speed 1.0 and .6 (C4). */
START_TEST(a_slower_host_takes_longer)
{
    struct lab *l =
        lab_open("vlab: 1\nname: t\nrun: {duration: 20s}\n"
                 "hosts: [{name: a, cpu: 1}, {name: b, cpu: {cores: 1, speed: 0.6}}]\n"
                 "vms: [{name: on-a, host: a, draws: job, workload: {steps: [{cpu: 10s}], until: 1}},\n"
                 "      {name: on-b, host: b, draws: job, workload: {steps: [{cpu: 10s}], until: 1}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.on-a", "work.time", "total"), 10, 1e-9);
    ck_near(lab_value(l, "vm.on-b", "work.time", "total"), 10 / .6, 2e-9);
    ck_assert_uint_eq(lab_exact(l, "vm.on-a", "work.checksum", "total"),
                      lab_exact(l, "vm.on-b", "work.checksum", "total"));
    lab_close(l);
}
END_TEST

/* The second thread of a core adds 30 %; a core's two threads together are slower than two cores. */
START_TEST(a_second_thread_adds_thirty_percent)
{
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 10s}\n"
                             "hosts: [{name: h, cpu: {cores: 1, threads_per_core: 2, scheduler: rr}}]\n"
                             "vms: [{name: v, count: %d, host: h, workload: {steps: [{cpu: 1ms}]}}]\n",
                             _i + 1);
    lab_run(l, 1);
    double done = lab_value(l, "cluster", "work.done", "total");
    ck_near(done / 10000, _i == 0 ? 1 : 1.3, .003);
    ck_near(lab_value(l, "host.h", "cpu.util", "share"), _i == 0 ? .5 : 1, 1e-9);
    lab_close(l);
}
END_TEST

static double share_under_load(int type, const char *load, const char *scheduler)
{
    struct lab *l =
        lab_open("vlab: 1\nname: t\nrun: {duration: 20s, warmup: 1s}\n"
                 "hosts: [{name: h, hypervisor: {type: %d, load: %s}, cpu: {cores: 1, scheduler: %s}}]\n"
                 "vms: [{name: v, host: h, workload: {steps: [{cpu: 10ms}]}}]\n",
                 type, load, scheduler);
    lab_run(l, 1);
    double share = lab_value(l, "vm.v", "cpu.run", "share");
    double hostos = lab_value(l, "host.h", "cpu.hostos", "share");
    ck_near(share + hostos, 1, 1e-9); /* nobody else is there, and both always want */
    lab_close(l);
    return share;
}

/* At 50 % of host load on its pCPU a type 2 VM keeps half, a type 1 VM all; on an idle host both the same
 * (C24). */
START_TEST(only_a_hosted_hypervisor_shares_with_the_host)
{
    static const char *const schedulers[] = {"rr", "credit", "cfs", "eevdf", "stride"};
    const char *s = schedulers[_i];
    ck_near(share_under_load(2, "50%", s), .50, .01);
    ck_assert(share_under_load(1, "50%", s) >= .99);
    ck_near(share_under_load(2, "0%", s), share_under_load(1, "0%", s), .01);
    ck_near(share_under_load(2, "20%", s), .80, .01);
}
END_TEST

/* --- three composed programs, priced by hand --- */

/* Prices in ns: Adams and Agesen's cycles at 3.8 GHz, Xen's differences, and for what no paper has the
 * profile's own (see profiles_table.h). Typed here once more, so that a slip in either shows. */
#define CY(n) ((n) / 3.8)
enum { N_MODES = 6 };
static const char *const modes[N_MODES] = {"bare",     "container",          "paravirtual",
                                           "hardware", "binary-translation", "emulation"};
/* Rows as in `modes`, without the second: a container pays what bare metal does. */
static double price(const char *op, int mode)
{
    static const struct {
        const char *op;
        double native, paravirtual, hardware, translation, emulation;
    } table[] = {
        {"syscall", CY(242), CY(242), CY(246), CY(2308), CY(242) * 50},
        {"page_fault", CY(1093), CY(1093) + 1310, CY(11242), CY(3927), CY(1093) * 50},
        {"io_port", CY(3209), 2000, CY(15826), CY(216), CY(4000)},
        {"cr8", CY(150), CY(150), CY(177), CY(35), CY(200)},
        {"call_ret", CY(11), CY(11), CY(11), CY(51), CY(11) * 50},
        {"divide", CY(889), CY(889) + 500, CY(1014), CY(3223), CY(889) * 50},
        {"pte_modify", CY(5), CY(5) + 900, CY(17020), CY(2121), CY(5) * 50},
        {"doorbell", 300, 800, CY(15826), CY(3927), 1000},
        {"mmio", CY(3209), 2000, CY(18000), CY(4143), CY(4000)},
        {"hlt", 1000, 1500, CY(15826), 2000, 1000},
        {"context_switch", 770, 770 + 1200, 12000, 18100, 770 * 50},
        {"fork", 110e3, 198e3, 2520e3, 874e3, 110e3 * 50},
        {"exec", 530e3, 768e3, 6630e3, 2300e3, 530e3 * 50},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].op, op) != 0) continue;
        const double by_mode[N_MODES] = {table[i].native,   table[i].native,      table[i].paravirtual,
                                         table[i].hardware, table[i].translation, table[i].emulation};
        return by_mode[mode];
    }
    ck_abort_msg("no price of %s", op);
    return 0;
}

static const char *const ops[PROG_NOPS] = {"syscall",        "page_fault", "io_port",  "cr8",  "call_ret",
                                           "divide",         "pte_modify", "doorbell", "mmio", "hlt",
                                           "context_switch", "fork",       "exec"};

/* What one iteration takes, from the counts in the scenario's own steps. */
static double iteration_ns(const struct prog *p, int mode)
{
    double ns = 0;
    bool virtual = mode >= 2, emulated = mode == 5;
    for (uint32_t i = 0; i < p->n_steps; i++) {
        const struct step *s = &prog_steps(p)[i];
        double n = (double)s->amount.a;
        if (s->kind == STEP_CPU) ns += n * (emulated ? 50 : 1);
        if (s->kind == STEP_OPS) ns += n * price(ops[s->how], mode);
        if (s->kind == STEP_DISK) /* handed over word by word, by a doorbell, or by a system call */
            ns += emulated ? (n / 2 + 1) * price("io_port", mode)
                           : price(virtual ? "doorbell" : "syscall", mode);
    }
    return ns;
}

START_TEST(three_programs_cost_what_their_counts_say)
{
    struct diag d;
    diag_init(&d);
    struct scenario_file *f = scenario_open("scenarios/10-modes.yaml", &d);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(scenario_points(f), N_MODES);
    struct scenario *sc = scenario_at(f, (size_t)_i, &d);
    ck_assert_ptr_nonnull(sc);
    char *why = NULL;
    struct meter *m = once_sim(&(struct once){.sc = sc, .seed = 1}, &why);
    ck_assert_msg(m != NULL, "%s", why);
    ck_assert_uint_eq(sc->n_vms, 3);
    for (uint32_t v = 0; v < sc->n_vms; v++) {
        char entity[80];
        snprintf(entity, sizeof entity, "vm.%s", sc->vms[v].name);
        double done = results_find(meter_output(m)->results, entity, "work.done", "total")->value;
        double want = iteration_ns(sc->vms[v].work.prog, _i), bare = iteration_ns(sc->vms[v].work.prog, 0);
        ck_assert_msg(fabs(done - (double)sc->run.duration_ns / want) <= 1.001,
                      "%s as %s: %g iterations, by hand %g", entity, modes[_i], done,
                      (double)sc->run.duration_ns / want);
        double guest = results_find(meter_output(m)->results, entity, "cpu.guest", "share")->value;
        /* What is useful is the same, where no mode is cheaper than native. */
        if (_i < 3 && !sc->vms[v].n_disks)
            ck_near(guest * want / bare, 1, 30 * want / (double)sc->run.duration_ns);
    }
    meter_free(m);
    scenario_free(sc);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

Suite *modes_suite(void)
{
    Suite *s = suite_create("modes");
    TCase *t = tcase_create("prices");
    tcase_add_loop_test(t, an_event_costs_its_price, 0, 2);
    tcase_add_test(t, bare_metal_has_no_overhead);
    tcase_add_test(t, the_guest_s_own_switches_have_a_price);
    tcase_add_test(t, a_slower_host_takes_longer);
    tcase_add_loop_test(t, a_second_thread_adds_thirty_percent, 0, 2);
    tcase_add_loop_test(t, only_a_hosted_hypervisor_shares_with_the_host, 0, 5);
    tcase_add_loop_test(t, three_programs_cost_what_their_counts_say, 0, N_MODES);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    return s;
}
