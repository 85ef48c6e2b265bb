// SPDX-License-Identifier: GPL-3.0-or-later
/* Time slicing and isolation on one pCPU, where every number can be worked out by hand (C17, C7). */
#include <check.h>
#include <math.h>
#include <stdio.h>

#include "tests/lab.h"

Suite *slicing_suite(void);

/* Round robin among N hogs: efficiency q/(q+c), longest wait (N-1)(q+c)+c. */
static const struct slicing {
    const char *slice;
    double q, efficiency, longest_ms;
} slicings[] = {{"100us", .1e-3, .6667, .5},
                {"1ms", 1e-3, .9524, 3.2},
                {"10ms", 10e-3, .9950, 30.2},
                {"30ms", 30e-3, .9983, 90.2}};

START_TEST(round_robin_pays_a_switch_a_slice)
{
    const struct slicing *s = &slicings[_i];
    const double c = 50e-6, T = 60;
    struct lab *l =
        lab_open("vlab: 1\nname: c17\nrun: {duration: 60s}\n"
                 "hosts: [{name: h, cpu: {cores: 1, scheduler: rr, slice: %s, switch_cost: 50us}}]\n"
                 "vms: [{name: v, count: 4, host: h, workload: {kind: loop, steps: [{cpu: 1s}]}}]\n",
                 s->slice);
    lab_run(l, 1);
    double efficiency = lab_value(l, "host.h", "cpu.guest", "share");
    ck_near(efficiency, s->q / (s->q + c), c / T);
    ck_near(efficiency, s->efficiency, 5e-5);
    double longest = 0;
    for (int i = 0; i < 4; i++) {
        char vm[24];
        snprintf(vm, sizeof vm, "vm.v-%d", i);
        longest = fmax(longest, lab_value(l, vm, "wait", "max"));
        ck_near(lab_value(l, vm, "slice", "p50"), s->q, 1e-9);
    }
    ck_near(longest, 3 * (s->q + c) + c, 1e-9);
    ck_near(longest * 1e3, s->longest_ms, .051);
    ck_near(lab_value(l, "host.h", "cpu.switch", "share") + efficiency, 1, 1e-12);
    lab_close(l);
}
END_TEST

START_TEST(a_hog_more_is_a_share_less)
{
    struct lab *l =
        lab_open("vlab: 1\nname: c7\nrun: {duration: 60s}\n"
                 "hosts: [{name: h, cpu: {cores: 1, scheduler: credit}}]\n"
                 "vms: [{name: victim, host: h, workload: {kind: loop, steps: [{cpu: 1ms}]}},\n"
                 "      {name: hog, count: %d, host: h, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\n",
                 _i);
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.victim", "cpu.run", "share"), 1. / (_i + 1), .002);
    lab_close(l);
}
END_TEST

static const char *const weighted[] = {"credit", "cfs", "eevdf", "stride"};

START_TEST(three_to_one_by_weight)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: c7\nrun: {duration: 60s}\n"
        "hosts: [{name: h, cpu: {cores: 1, scheduler: %s}}]\n"
        "vms: [{name: victim, host: h, cpu: {weight: 3000}, workload: {kind: loop, steps: [{cpu: 1ms}]}},\n"
        "      {name: hog, host: h, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\n",
        weighted[_i]);
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.victim", "cpu.run", "share"), .75, .002);
    lab_close(l);
}
END_TEST

static const char *const all[] = {"rr", "credit", "cfs", "eevdf", "stride"};

START_TEST(a_hog_held_to_a_quarter)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: c7\nrun: {duration: 60s}\n"
        "hosts: [{name: h, cpu: {cores: 1, scheduler: %s}}]\n"
        "vms: [{name: victim, host: h, workload: {kind: loop, steps: [{cpu: 1ms}]}},\n"
        "      {name: hog, host: h, cpu: {limit: 25%%}, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\n",
        all[_i]);
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.victim", "cpu.run", "share"), .75, .002);
    ck_near(lab_value(l, "vm.hog", "cpu.run", "share"), .25, .002);
    ck_assert(lab_value(l, "vm.hog", "cpu.throttled", "share") > .3);
    lab_close(l);
}
END_TEST

START_TEST(pinned_apart_nobody_waits)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: c7\nrun: {duration: 60s}\n"
        "hosts: [{name: h, cpu: {cores: 2, scheduler: %s}}]\n"
        "vms: [{name: victim, host: h, cpu: {pin: [0]}, workload: {kind: loop, steps: [{cpu: 1ms}]}},\n"
        "      {name: hog, host: h, cpu: {pin: [1]}, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\n",
        all[_i]);
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.victim", "cpu.run", "share"), 1, 0);
    ck_near(lab_value(l, "vm.victim", "cpu.ready", "total"), 0, 0);
    lab_close(l);
}
END_TEST

/* 120 ms of work at 50 of every 100 ms: 50 + 50 + 20, so it ends at 220 ms, to the nanosecond. */
START_TEST(quota_stretches_work)
{
    struct lab *l = lab_open("vlab: 1\nname: quota\nrun: {duration: 1s}\n"
                             "hosts: [{name: h, cpu: {cores: 1, scheduler: %s}}]\n"
                             "vms: [{name: v, host: h, cpu: {limit: 50%%, period: 100ms},\n"
                             "       workload: {kind: loop, steps: [{cpu: 120ms}], until: {count: 1}}}]\n",
                             all[_i]);
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.v", "work.time", "total"), .220, 0);
    ck_near(lab_value(l, "vm.v", "cpu.throttled", "total"), .100, 0);
    ck_assert_uint_eq(lab_exact(l, "vm.v", "events.finished", "total"), 1);
    ck_near(lab_value(l, "vm.v", "events.finished", "first"), .220, 0);
    lab_close(l);
}
END_TEST

START_TEST(a_slower_core_takes_longer)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: speed\nrun: {duration: 20s}\n"
        "hosts: [{name: fast, cpu: {cores: 1}}, {name: slow, cpu: {cores: 1, speed: 0.6}}]\n"
        "vms: [{name: a, host: fast, workload: {kind: loop, steps: [{cpu: 1ms}], until: {count: 10000}}},\n"
        "      {name: b, host: slow, workload: {kind: loop, steps: [{cpu: 1ms}], until: {count: 10000}}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.a", "work.time", "total"), 10, 0);
    ck_near(lab_value(l, "vm.b", "work.time", "total"), 10 / .6, 1e-5);
    ck_assert_uint_eq(lab_exact(l, "vm.a", "work.done", "total"), lab_exact(l, "vm.b", "work.done", "total"));
    lab_close(l);
}
END_TEST

/* 8192 lines at 50 ns each switch: two working sets that fill the cache throw each other out. */
START_TEST(a_cold_cache_is_refilled)
{
    struct lab *l =
        lab_open("vlab: 1\nname: cache\nrun: {duration: 10s}\n"
                 "hosts: [{name: h, cpu: {cores: 1, scheduler: rr, slice: 10ms, switch_cost: 2us,\n"
                 "                        cache: {share: %s, line: 50ns}}}]\n"
                 "vms: [{name: v, count: 2, host: h, cpu: {working_set: 512KiB},\n"
                 "       workload: {kind: loop, steps: [{cpu: 1s}]}}]\n",
                 _i ? "1MiB" : "512KiB");
    lab_run(l, 1);
    double refill = _i ? 0 : 8192 * 50e-9, want = 10e-3 / (10e-3 + 2e-6 + refill);
    ck_near(lab_value(l, "host.h", "cpu.guest", "share"), want, 2e-4);
    lab_close(l);
}
END_TEST

Suite *slicing_suite(void)
{
    Suite *s = suite_create("slicing");
    TCase *t = tcase_create("slicing");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, round_robin_pays_a_switch_a_slice, 0, 4);
    tcase_add_loop_test(t, a_hog_more_is_a_share_less, 1, 5);
    tcase_add_loop_test(t, three_to_one_by_weight, 0, 4);
    tcase_add_loop_test(t, a_hog_held_to_a_quarter, 0, 5);
    tcase_add_loop_test(t, pinned_apart_nobody_waits, 0, 5);
    tcase_add_loop_test(t, quota_stretches_work, 0, 5);
    tcase_add_test(t, a_slower_core_takes_longer);
    tcase_add_loop_test(t, a_cold_cache_is_refilled, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
