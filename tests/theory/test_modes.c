// SPDX-License-Identifier: GPL-3.0-or-later
/* The price of mediation, worked out by hand: prices of events, hypervisors of type 1 and 2, hosts of different
 * speed, hardware threads (C4, C11, C16, C24). */
#include <check.h>
#include <math.h>
#include <stdio.h>

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
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 10s}\n"
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
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 10s}\n"
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
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 20s}\n"
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
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 20s, warmup: 1s}\n"
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

/* At 50 % of host load on its pCPU a type 2 VM keeps half, a type 1 VM all; on an idle host both the same (C24). */
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
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    return s;
}
