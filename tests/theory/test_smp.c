// SPDX-License-Identifier: GPL-3.0-or-later
/* Several vCPUs a VM: gangs that do not divide, siblings that may not get apart, a lock whose holder loses
 * its pCPU, and hardware threads. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/lock.h"
#include "tests/lab.h"

Suite *smp_suite(void);

/* Two gangs of two and a single on two pCPUs, in turn: the single's turn leaves one idle, 5 of 6 are used. */
START_TEST(what_does_not_divide_is_idle)
{
    struct lab *l = lab_open("vlab: 1\nname: gangs\nrun: {duration: 60s}\n"
                             "hosts: [{name: h, cpu: {cores: 2, scheduler: rr}}]\n"
                             "vms: [{name: g, count: 2, host: h, vcpus: 2, cpu: {cosched: strict},\n"
                             "       workload: {kind: loop, threads: 2, steps: [{cpu: 1s}]}},\n"
                             "      {name: s, host: h, workload: {kind: loop, steps: [{cpu: 1s}]}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "host.h", "cpu.util", "share"), 5. / 6, .002);
    ck_near(lab_value(l, "vm.g-0", "cpu.run", "share"), 1. / 3, .001);
    ck_near(lab_value(l, "vm.g-1", "cpu.run", "share"), 1. / 3, .001);
    ck_near(lab_value(l, "vm.s", "cpu.run", "share"), 1. / 3, .001);
    /* The pCPU that idles is held for the gang that is next: one of its two is stopped meanwhile. */
    ck_near(lab_value(l, "vm.g-0", "cpu.costop", "total") + lab_value(l, "vm.g-1", "cpu.costop", "total"), 20,
            .1);
    ck_near(lab_value(l, "vm.g-0", "slice", "p50"), .010, 1e-9);
    lab_close(l);
}
END_TEST

/* One of two siblings shares its pCPU with a hog. Free, the other runs all the time; relaxed, no more than 3
 * ms ahead; strict, at the same times. */
START_TEST(siblings_stay_together)
{
    static const char *const how[] = {"none", "relaxed", "strict"};
    struct lab *l =
        lab_open("vlab: 1\nname: skew\nrun: {duration: 60s}\n"
                 "hosts: [{name: h, cpu: {cores: 2, scheduler: stride, balance: {idle: false, every: 0s}}}]\n"
                 "vms: [{name: a, host: h, vcpus: 2, cpu: {cosched: %s, weight: 2000},\n"
                 "       workload: {kind: loop, threads: 2, steps: [{cpu: 1s}]}},\n"
                 "      {name: hog, host: h, cpu: {pin: [1]},\n"
                 "       workload: {kind: loop, steps: [{cpu: 1s}]}}]\n",
                 how[_i]);
    lab_run(l, 1);
    double a = lab_value(l, "vm.a.vcpu0", "cpu.run", "total"),
           b = lab_value(l, "vm.a.vcpu1", "cpu.run", "total");
    double stopped = lab_value(l, "vm.a.vcpu0", "cpu.costop", "total");
    ck_near(b, 30, _i == 2 ? 10.1 : .1); /* strict: a pCPU that is held for a gang is idle */
    ck_near(a - b, _i ? 0 : 30, _i ? .00305 : .1);
    if (_i == 1) ck_near(stopped, 30, .1);
    if (_i == 0) ck_near(stopped, 0, 0);
    lab_close(l);
}
END_TEST

struct locked {
    uint64_t taken, waited, yields;
    double mean_ms, longest_ms; /* of those that waited: from asking to holding */
    double spun_ms;             /* a wait: the VM's overhead */
};

#define HOLD_MS .2
#define Q_MS    10.

/* A VM of two with a short critical section among longer work; its first vCPU takes turns with m - 1 hogs,
 * its second has a pCPU of its own, or, `both`, as many hogs beside it, out of step. */
static struct locked run_locked(const char *wait, const char *cosched, int m, bool both)
{
    struct lab *l =
        lab_open("vlab: 1\nname: lock\nrun: {duration: 20s}\n"
                 "hosts: [{name: h, cpu: {cores: 2, scheduler: rr, slice: 10ms,\n"
                 "                        balance: {idle: false, every: 0s}}}]\n"
                 "vms: [{name: a, host: h, vcpus: 2, cpu: {cosched: %s},\n"
                 "       workload: {kind: loop, threads: 2,\n"
                 "         steps: [{cpu: {exponential: 500us}}, {lock: {hold: 200us, wait: %s}}]}},\n"
                 "      {name: hog, count: %d, host: h, cpu: {pin: [0]},\n"
                 "       workload: {kind: loop, steps: [{cpu: 1s}]}},\n"
                 "      {name: hug, count: %d, host: h, cpu: {pin: [1]}, start: {at: %s},\n"
                 "       workload: {kind: loop, steps: [{cpu: 1s}]}}]\n",
                 cosched, wait, m - 1, m - 1, both ? "17ms" : "1h");
    struct rec_block *out = malloc(sizeof *out);
    rec_block_init(out);
    struct model *model = model_new(lab_scenario(l), 1, MODEL_ALL, out);
    char *why = NULL;
    ck_assert_msg(model_run(model, &why) == 0, "%s", why ? why : "?");
    struct lock_stats s = lock_stats(&model->vms[0]);
    model_free(model);
    free(out);
    lab_run(l, 1);
    double waited = (double)s.waited;
    struct locked got = {.taken = s.taken,
                         .waited = s.waited,
                         .yields = s.yields,
                         .mean_ms = (double)s.wait_ns / waited / 1e6,
                         .longest_ms = (double)s.longest_ns / 1e6,
                         .spun_ms = lab_value(l, "vm.a", "cpu.overhead", "total") * 1e3 / waited};
    lab_close(l);
    return got;
}

/* The second vCPU spins until the first one's next turn, and the rest of its hold. */
START_TEST(a_spinner_waits_for_the_holders_next_turn)
{
    int m = _i;
    struct locked spin = run_locked("spin", "none", m, false);
    ck_assert_uint_gt(spin.waited, 1000);
    ck_near(spin.longest_ms, (m - 1) * Q_MS, HOLD_MS);
    ck_assert(spin.mean_ms > 4 * HOLD_MS / 2);
    ck_near(spin.spun_ms, spin.mean_ms, .3); /* what the first one waits, it does not all spin */
    ck_assert_uint_eq(spin.yields, 0);
}
END_TEST

/* It gives its turn to the holder instead: the wait is the rest of a hold and a look. */
START_TEST(a_yielder_lends_the_holder_its_turn)
{
    int m = _i;
    struct locked yield = run_locked("yield", "none", m, false), spin = run_locked("spin", "none", m, false);
    ck_assert(yield.mean_ms <= Q_MS / 10);
    ck_assert(yield.mean_ms <= HOLD_MS + .02);
    ck_assert_uint_gt(yield.yields, 100);
    ck_assert_uint_gt(yield.taken, spin.taken);
    /* With hogs beside both: a spinner has turns of its own to lose, and a lock to be handed while it is off.
     */
    yield = run_locked("yield", "none", m, true), spin = run_locked("spin", "none", m, true);
    ck_assert(spin.mean_ms > (m - 1) * Q_MS);
    ck_assert(spin.longest_ms <= m * Q_MS + HOLD_MS);
    ck_assert(yield.mean_ms <= Q_MS / 10);
    ck_assert_uint_gt(yield.taken, 5 * spin.taken);
}
END_TEST

/* A gang is preempted whole: nobody spins for a holder that does not run. */
START_TEST(a_gang_never_spins_for_an_absent_holder)
{
    struct locked gang = run_locked("spin", "strict", _i, true);
    ck_assert_uint_gt(gang.waited, 1000);
    ck_assert(gang.spun_ms <= HOLD_MS);
}
END_TEST

/* Two threads of a core do 1.3 of its work; two VMs on two cores have one each. */
START_TEST(an_idle_core_comes_before_a_second_thread)
{
    static const double rate[] = {1000, 1000, (1000 + 2 * 650) / 3., 650};
    struct lab *l =
        lab_open("vlab: 1\nname: smt\nrun: {duration: 10s}\n"
                 "hosts: [{name: h, cpu: {cores: 2, threads_per_core: 2, scheduler: %s}}]\n"
                 "vms: [{name: v, count: %d, host: h, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\n",
                 _i % 2 ? "rr" : "cfs", _i);
    lab_run(l, 1);
    double done = 0;
    for (int i = 0; i < _i; i++) {
        char vm[24];
        snprintf(vm, sizeof vm, "vm.v-%d", i);
        done += lab_value(l, vm, "work.done", "total");
    }
    ck_near(done / 10 / _i, rate[_i - 1], 1);
    lab_close(l);
}
END_TEST

Suite *smp_suite(void)
{
    Suite *s = suite_create("smp");
    TCase *t = tcase_create("smp");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_does_not_divide_is_idle);
    tcase_add_loop_test(t, siblings_stay_together, 0, 3);
    tcase_add_loop_test(t, a_spinner_waits_for_the_holders_next_turn, 2, 5);
    tcase_add_loop_test(t, a_yielder_lends_the_holder_its_turn, 2, 5);
    tcase_add_loop_test(t, a_gang_never_spins_for_an_absent_holder, 2, 5);
    tcase_add_loop_test(t, an_idle_core_comes_before_a_second_thread, 1, 5);
    suite_add_tcase(s, t);
    return s;
}
