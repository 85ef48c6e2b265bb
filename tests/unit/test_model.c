// SPDX-License-Identifier: GPL-3.0-or-later
/* The model where every number can be worked out on paper: guests, requests, limits, ticks, demand. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab.h"

Suite *model_suite(void);

#define ONE_CORE "hosts: [{name: h, cpu: {cores: 1, scheduler: rr}}]\n"

static struct lab *lab_of(const char *run, const char *hosts, const char *vms)
{
    return lab_open("vlab: 1\nname: m\nrun: {%s}\n%svms: [%s]\n", run, hosts, vms);
}

/* Two tasks of one vCPU, 10 ms of work each: with a quantum of 1 ms they take turns, without they do not. */
START_TEST(guest_tasks_rotate_by_quantum)
{
    struct lab *l =
        lab_open("vlab: 1\nname: m\nrun: {duration: 1s}\n" ONE_CORE
                 "vms: [{name: v, host: h, guest_quantum: %s, workload: {kind: requests, threads: 2,\n"
                 "       arrivals: {sequence: [{periodic: 1ns, for: 3ns}]}, steps: [{cpu: 10ms}]}}]\n",
                 _i ? "1ms" : "none");
    lab_run(l, 1);
    ck_assert_uint_eq(lab_exact(l, "vm.v", "work.done", "total"), 2);
    /* Arrivals at 1 and 2 ns. Apart they end at 10 and 20 ms; in turns at 19 and 20 ms. */
    ck_near(lab_value(l, "vm.v", "latency", "mean"), _i ? 19.5e-3 - 1.5e-9 : 15e-3 - 1.5e-9, 2e-9);
    ck_near(lab_value(l, "vm.v", "latency", "max"), 20e-3 - 1e-9, 2e-9);
    lab_close(l);
}
END_TEST

/* Three tasks on two vCPUs of two pCPUs: 30 ms of work for each task are done after 45 ms of wall time. */
START_TEST(a_guest_uses_all_its_vcpus)
{
    struct lab *l = lab_of("duration: 1s", "hosts: [{name: h, cpu: {cores: 2, scheduler: rr, slice: 1s}}]\n",
                           "{name: v, host: h, vcpus: 2, guest_quantum: 1ms,"
                           " workload: {kind: loop, threads: 3, steps: [{cpu: 30ms}], until: {count: 3}}}");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.v", "work.time", "total"), 45e-3, 1.001e-3);
    ck_near(lab_value(l, "vm.v", "cpu.run", "total"), 90e-3, 1e-9);
    lab_close(l);
}
END_TEST

/* Requests every 10 ms, 15 ms each, one thread, at most two waiting: the queue fills, then every third is
 * lost. */
START_TEST(a_full_queue_turns_requests_away)
{
    struct lab *l = lab_of("duration: 3s", ONE_CORE,
                           "{name: v, host: h, workload: {kind: requests, queue: 2, arrivals: {periodic: "
                           "10ms}, steps: [{cpu: 15ms}]}}");
    lab_run(l, 1);
    uint64_t lost = lab_exact(l, "vm.v", "queue.lost", "total"),
             done = lab_exact(l, "vm.v", "work.done", "total");
    ck_assert_uint_eq(done, 199); /* busy from 10 ms on, one each 15 ms, the last whole one ends at 2.995 s */
    ck_assert_uint_ge(lost, 97);
    ck_assert_uint_le(lost, 98); /* 299 came before 3 s; 199 answered, 2 or 3 inside */
    ck_near(lab_value(l, "vm.v", "backlog", "max"), 3, 0);
    ck_assert_uint_eq(lab_exact(l, "vm.v", "events.lost", "total"), lost);
    lab_close(l);
}
END_TEST

START_TEST(arrivals_come_when_they_are_said_to)
{
    char file[] = "test-arrivals-XXXXXX";
    int fd = mkstemp(file);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(dprintf(fd, "0.1\n0.25\n0.25\n0.9\n"), 18);
    close(fd);
    struct lab *l = lab_open(
        "vlab: 1\nname: m\nrun: {duration: 2s, sample: 50ms}\n" ONE_CORE
        "vms: [{name: t, host: h, workload: {kind: requests, arrivals: {trace: %s}, steps: [{cpu: 1ms}]}},\n"
        "      {name: s, host: h, workload: {kind: requests, arrivals: {sequence: [{periodic: 100ms, for: "
        "1s},"
        " {periodic: 50ms, for: 500ms}]}, steps: [{sleep: 1ms}]}}]\n",
        file);
    lab_run(l, 1);
    unlink(file);
    ck_assert_uint_eq(lab_exact(l, "vm.t", "work.done", "total"), 4);
    ck_near(lab_value(l, "vm.t", "latency", "max"), 2e-3,
            1e-9); /* the second of the two at .25 waits for the first */
    ck_assert_uint_eq(lab_exact(l, "vm.s", "work.done", "total"),
                      9 + 9); /* one at the end of a stretch is none */
    lab_close(l);
}
END_TEST

/* busy is demand: its time passes whether it is served or not. Two VMs want 10 ms each on one pCPU. */
START_TEST(demand_passes_work_waits)
{
    struct lab *l = lab_open("vlab: 1\nname: m\nrun: {duration: 1s}\n"
                             "hosts: [{name: h, cpu: {cores: 1, scheduler: rr, slice: 4ms}}]\n"
                             "vms: [{name: v, count: 2, host: h, workload: {kind: loop, steps: [{%s: 10ms}], "
                             "until: {count: 1}}}]\n",
                             _i ? "cpu" : "busy");
    lab_run(l, 1);
    double a = lab_value(l, "vm.v-0", "work.time", "total"), b = lab_value(l, "vm.v-1", "work.time", "total");
    if (_i) {
        ck_near(a, 18e-3, 0); /* 4 4' 4 4' 2 2' */
        ck_near(b, 20e-3, 0);
    } else {
        ck_near(a, 10e-3, 0);
        ck_near(b, 10e-3, 0);
        ck_near(lab_value(l, "vm.v-0", "cpu.run", "total"), 6e-3, 0);
        ck_near(lab_value(l, "vm.v-1", "cpu.run", "total"), 4e-3, 0);
        ck_near(lab_value(l, "cluster", "unserved", "share"), .5, 1e-12);
    }
    lab_close(l);
}
END_TEST

START_TEST(with_a_tick_slices_end_on_it)
{
    struct lab *l = lab_of("duration: 10s",
                           "hosts: [{name: h, cpu: {cores: 1, scheduler: rr, slice: 10ms, tick: 4ms}}]\n",
                           "{name: v, count: 2, host: h, workload: {kind: loop, steps: [{cpu: 1s}]}}");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.v-0", "slice", "p50"), 12e-3, 0);
    ck_near(lab_value(l, "vm.v-1", "slice", "max"), 12e-3, 0);
    lab_close(l);
}
END_TEST

/* On a machine where a vCPU stops 100 us after it is told to, turns of 10 ms last 10.1; Linux's own scheduler
 * tells nobody. */
START_TEST(a_kick_prolongs_turns)
{
    char path[] = "/tmp/vlab-test-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_gt(dprintf(fd, "vlab_host: 1\nmeasured: {kick: 100us}\n"), 0);
    close(fd);
    struct lab *l =
        lab_open("run: {duration: 1s}\nhosts: [{name: h, profile: %s, cpu: {scheduler: %s, slice: 10ms}}]\n"
                 "vms: [{name: a, count: 3, workload: {kind: loop, steps: [{cpu: 10s}]}}]\n",
                 path, _i ? "eevdf" : "rr");
    unlink(path);
    lab_run(l, 1);
    double turn = _i ? .010 : .0101;
    ck_near(lab_value(l, "vm.a-0", "slice", "p50"), turn, turn / 100);
    ck_near(lab_value(l, "vm.a-1", "wait", "p50"), 2 * turn, turn / 50);
    ck_near(lab_value(l, "vm.a-2", "cpu.run", "share"), 1. / 3, .01);
    if (!_i) ck_near(lab_value(l, "host.h", "cpu.guest", "share"), 1, 0); /* nobody stands still meanwhile */
    lab_close(l);
}
END_TEST

START_TEST(a_reservation_is_a_floor)
{
    static const char *const schedulers[] = {"rr", "credit", "cfs", "eevdf", "stride"};
    struct lab *l = lab_open(
        "vlab: 1\nname: m\nrun: {duration: 20s, warmup: 1s}\n"
        "hosts: [{name: h, cpu: {cores: 1, scheduler: %s}}]\n"
        "vms: [{name: r, host: h, cpu: {reservation: 60%%}, workload: {kind: loop, steps: [{cpu: 1ms}]}},\n"
        "      {name: v, count: 4, host: h, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\n",
        schedulers[_i]);
    lab_run(l, 1);
    ck_assert(lab_value(l, "vm.r", "cpu.run", "share") >= .59);
    ck_near(lab_value(l, "host.h", "cpu.util", "share"), 1, 1e-9);
    lab_close(l);
}
END_TEST

/* Without balancing a vCPU stays where it began: pCPU 1 idles while two share pCPU 0. */
START_TEST(without_balancing_nobody_moves)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: m\nrun: {duration: 1s}\n"
        "hosts: [{name: h, cpu: {cores: 2, scheduler: rr, balance: {idle: %s, every: 0s}}}]\n"
        "vms: [{name: a, host: h, workload: {kind: loop, steps: [{cpu: 10ms}]}},\n"
        "      {name: b, host: h, workload: {kind: loop, steps: [{cpu: 10ms}], until: {count: 10}}},\n"
        "      {name: c, host: h, workload: {kind: loop, steps: [{cpu: 10ms}]}}]\n",
        _i ? "true" : "false");
    lab_run(l, 1);
    /* a and c share a pCPU; b has the other until it is done after 100 ms. */
    ck_near(lab_value(l, "vm.b", "work.time", "total"), .1, .0001);
    ck_near(lab_value(l, "host.h", "cpu.util", "share"), _i ? 1 : .55, .011);
    ck_assert_uint_eq(lab_exact(l, "host.h", "events.moved", "total"), _i ? 1 : 0);
    lab_close(l);
}
END_TEST

START_TEST(siblings_share_one_quota)
{
    struct lab *l = lab_of(
        "duration: 10s", "hosts: [{name: h, cpu: {cores: 4, scheduler: credit}}]\n",
        "{name: v, host: h, vcpus: 4, cpu: {limit: 150%}, workload: {kind: loop, steps: [{cpu: 3ms}]}}");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.v", "cpu.run", "total"), 15, .01);
    lab_close(l);
}
END_TEST

START_TEST(vms_start_one_after_the_other)
{
    struct lab *l = lab_of("duration: 1s", "hosts: [{name: h, cpu: {cores: 4}}]\n",
                           "{name: v, count: 3, host: h, start: {at: 100ms, every: 200ms}, workload: {kind: "
                           "loop, steps: [{cpu: 1ms}]}}");
    lab_run(l, 1);
    for (int i = 0; i < 3; i++) {
        char vm[16];
        snprintf(vm, sizeof vm, "vm.v-%d", i);
        ck_near(lab_value(l, vm, "cpu.down", "total"), .1 + .2 * i, 1e-12);
        ck_near(lab_value(l, vm, "events.started", "first"), .1 + .2 * i, 1e-12);
    }
    lab_close(l);
}
END_TEST

/* What a VM alone would have, and what its neighbours make of it. */
START_TEST(slowdown_is_against_the_vm_alone)
{
    struct lab *l =
        lab_of("duration: 10s", ONE_CORE,
               "{name: a, host: h, role: victim, workload: {kind: loop, steps: [{cpu: 1ms}]}},"
               "{name: b, host: h, role: victim, workload: {kind: loop, steps: [{cpu: 1ms}, {sleep: 1ms}]}},"
               "{name: c, host: h, workload: {kind: loop, steps: [{cpu: 1ms}]}}");
    lab_run(l, 1);
    double a = lab_value(l, "vm.a", "slowdown", "mean"), b = lab_value(l, "vm.b", "slowdown", "mean");
    ck_near(a, 2.1, .02); /* ten of every 21 ms */
    ck_near(b, 21. / 2, .1);
    ck_near(lab_value(l, "cluster", "isolation", "mean"), b, 0);
    lab_close(l);
}
END_TEST

/* Victims that serve requests, on two hosts of type 2: in the pass of one alone the other is not there, nor
 * are the threads of its host. Nobody is in anybody's way. */
START_TEST(victims_of_two_hosts_are_alone_each)
{
    struct lab *l = lab_open(
        "run: {duration: 1s}\n"
        "hosts:\n"
        "  - {name: h, count: 2, cpu: {scheduler: rr, slice: 500us}, hypervisor: {type: 2, load: 50%%}}\n"
        "vms:\n"
        "  - {name: a, host: h-0, role: victim, workload: {kind: requests, arrivals: {periodic: 4ms}, "
        "steps: [{cpu: 1ms}]}}\n"
        "  - {name: b, host: h-1, role: victim, workload: {kind: requests, arrivals: {periodic: 4ms}, "
        "steps: [{cpu: 1ms}]}}\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.a", "slowdown", "mean"), 1, 0);
    ck_near(lab_value(l, "vm.b", "slowdown", "mean"), 1, 0);
    ck_near(lab_value(l, "cluster", "isolation", "mean"), 1, 0);
    lab_close(l);
}
END_TEST

Suite *model_suite(void)
{
    Suite *s = suite_create("model");
    TCase *t = tcase_create("model");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, guest_tasks_rotate_by_quantum, 0, 2);
    tcase_add_test(t, a_guest_uses_all_its_vcpus);
    tcase_add_test(t, a_full_queue_turns_requests_away);
    tcase_add_test(t, arrivals_come_when_they_are_said_to);
    tcase_add_loop_test(t, demand_passes_work_waits, 0, 2);
    tcase_add_test(t, with_a_tick_slices_end_on_it);
    tcase_add_loop_test(t, a_kick_prolongs_turns, 0, 2);
    tcase_add_loop_test(t, a_reservation_is_a_floor, 0, 5);
    tcase_add_loop_test(t, without_balancing_nobody_moves, 0, 2);
    tcase_add_test(t, siblings_share_one_quota);
    tcase_add_test(t, vms_start_one_after_the_other);
    tcase_add_test(t, slowdown_is_against_the_vm_alone);
    tcase_add_test(t, victims_of_two_hosts_are_alone_each);
    suite_add_tcase(s, t);
    return s;
}
