// SPDX-License-Identifier: GPL-3.0-or-later
/* A VM's life, as power.h has it: what a failure costs, a pause, a stop in order; boots cut short. */
#include "tests/lifelab.h"

Suite *power_suite(void);

#define HOSTS                                                                                                \
    "hosts: [{name: h, cpu: {cores: 2}, memory: {size: 8GiB, ref_cost: 100ns}, nics: [{name: e, "            \
    "bandwidth: 1Gb/s}], disks: [{name: d, iops: 1000, bandwidth: 100MB/s}]}]\n"                             \
    "networks: [{name: lan, kind: bridge, nics: [h/e]}]\npeers: [{name: pc, on: lan}]\n"                     \
    "images: [{name: desk, boot: {shared: 20MB, own: 10MB, cpu: 100ms, time: 200ms}}]\n"

/* Every kind of step: wherever a failure finds it, the iteration is done again with the same draws. */
#define LOOP                                                                                                 \
    "vms:\n- name: a\n  vcpus: 2\n  memory: 64MiB\n  disk: {on: d, size: 1GiB}\n  nic: lan\n"                \
    "  workload: {steps: [{cpu: {exponential: 3ms}}, {busy: {uniform: [1ms, 3ms]}}, {sleep: "                \
    "{exponential: 4ms}}, {touch: {pages: 2000, of: 32MiB, write: 50%%}}, {disk: {write: 64KiB}}, {disk: "   \
    "{read: 64KiB}}, {net: {send: 100kB, to: pc}}, {ops: {syscall: 100}}, {lock: {hold: 1ms, wait: "         \
    "spin}}], until: {count: 150}}\n"

static struct lab *loop(const char *events)
{
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 20s, seed: 1}\n" HOSTS LOOP "%s", events);
    life_run(l, 1);
    return l;
}

START_TEST(a_loop_does_its_work_again)
{
    struct lab *l = loop("");
    ck_assert_uint_eq(lab_exact(l, "vm.a", "work.done", "total"), 150);
    uint64_t sum = lab_exact(l, "vm.a", "work.checksum", "total");
    int64_t alone = life_when(l, "vm.a", "finished", 0);
    lab_close(l);
    ck_assert_int_gt(alone, 0);
    for (int i = 0; i < 25; i++) {
        char events[400];
        snprintf(events, sizeof events,
                 "events:\n- {at: %dms, fail: a, for: 50ms}\n- {at: %dms, fail: h, for: 70ms}\n"
                 "- {at: %dms, fail: a, for: 1ms}\n",
                 100 + 7 * i, 403 + 11 * i, 901 + 3 * i);
        l = loop(events);
        ck_assert_uint_eq(lab_exact(l, "vm.a", "work.done", "total"), 150);
        ck_assert_uint_eq(lab_exact(l, "vm.a", "work.checksum", "total"), sum);
        ck_assert_int_eq(life_count(l, "vm.a", "failed"), 3);
        ck_assert_int_gt(life_when(l, "vm.a", "finished", 0), alone); /* it had to do some again */
        ck_near(lab_value(l, "vm.a", "availability", "share"), 1 - 0.121 / 20, 1e-9);
        lab_close(l);
    }
}
END_TEST

/* 100 requests a second of 25 ms, one thread: 4 of 10 are... all that come are served, lost, or still there.
 */
START_TEST(requests_inside_are_lost_and_counted)
{
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\n" HOSTS
                             "vms:\n- name: a\n  workload: {kind: requests, arrivals: {periodic: 10ms}, "
                             "steps: [{cpu: 25ms}]}\n"
                             "events: [{at: 2005ms, fail: a, for: 1s}]\n");
    life_run(l, 1);
    double aborted = -1;
    const struct run_output *o = lab_output(l);
    for (size_t i = 0; i < o->n_happenings; i++)
        if (strcmp(o->happenings[i].kind, "aborted") == 0) aborted = o->happenings[i].value;
    /* From 10 ms on every 10 ms: 200 came, 79 of them were served (each 25 ms from 10 ms on). */
    ck_assert_int_eq((int)aborted, 200 - 79);
    ck_assert_int_eq((int)life_total(l, "vm.a", "queue.lost"), 200 - 79 + 100);
    /* Again from 3010 ms, when the next comes: 279 are served until the end. */
    ck_assert_int_eq((int)life_total(l, "vm.a", "work.done"), 79 + 279);
    lab_close(l);
}
END_TEST

/* Five clients: none is ever away for good, nor two in its place. */
START_TEST(clients_think_again)
{
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\n" HOSTS
                             "vms:\n- name: a\n  workload: {kind: requests, clients: 5, think: 10ms, "
                             "threads: unlimited, steps: [{sleep: 10ms}]}\n"
                             "events: [{at: 1005ms, fail: a, for: 1s}, {at: 4013ms, fail: a, for: 500ms}]\n");
    life_run(l, 1);
    /* A cycle takes 20 ms up; while it is down a request is lost at once, and the client thinks again. */
    ck_near(life_total(l, "vm.a", "work.done"), 5 * (10 - 1.5) / 0.02, 10);
    ck_near(life_total(l, "vm.a", "queue.lost"), 5 * 1.5 / 0.01, 10);
    lab_close(l);
}
END_TEST

START_TEST(a_pause_costs_time_only)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\n" HOSTS
        "vms:\n- name: a\n  workload: {kind: requests, arrivals: {periodic: 10ms}, "
        "steps: [{cpu: 2ms}]}\n"
        "- name: b\n  workload: {steps: [{sleep: 600ms}, {cpu: 100ms}], until: {count: 3}}\n"
        "events: [{at: 2011ms, pause: a}, {at: 3011ms, resume: a}, {at: 50ms, pause: b}, "
        "{at: 550ms, resume: b}, {at: 560ms, resume: b}, {at: 650ms, pause: b}, {at: 750ms, resume: b}]\n");
    life_run(l, 1);
    ck_assert_int_eq((int)life_total(l, "vm.a", "queue.lost"), 0);
    ck_assert_int_eq((int)life_total(l, "vm.a", "work.done"), 999);
    /* The one that came at 2010 had 1 ms of its 2. */
    ck_near(lab_value(l, "vm.a", "latency", "max"), 1.002, 0.002);
    ck_near(lab_value(l, "vm.a", "cpu.down", "total"), 1, 1e-9);
    /* It slept through the first, the second cost it 100 ms. */
    ck_assert_int_eq(life_when(l, "vm.b", "finished", 0), 2200 * LIFE_MS);
    ck_assert_int_eq(life_count(l, "vm.b", "resumed"), 2);
    lab_close(l);
}
END_TEST

START_TEST(a_stop_serves_who_is_inside)
{
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\n" HOSTS
                             "vms:\n- name: a\n  workload: {kind: requests, arrivals: {periodic: 10ms}, "
                             "steps: [{cpu: 15ms}]}\n"
                             "events: [{at: 1005ms, stop: a}, {at: 5005ms, start: a}]\n");
    life_run(l, 1);
    /* 100 came; the last is done at 10 + 100 * 15 ms. */
    ck_assert_int_eq(life_when(l, "vm.a", "stopped", 0), 1510 * LIFE_MS);
    ck_assert_int_eq(life_count(l, "vm.a", "aborted"), 0);
    /* Those of 1010 .. 5000 ms found it closed; then from 5010 on (4990 ms / 15 ms). */
    ck_assert_int_eq((int)life_total(l, "vm.a", "queue.lost"), 400);
    ck_assert_int_eq((int)life_total(l, "vm.a", "work.done"), 100 + 332);
    lab_close(l);
}
END_TEST

#define WRITER                                                                                               \
    "vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\n" HOSTS                                                \
    "vms:\n- name: a\n  memory: 1GiB\n  disk: {on: d, size: 1GiB, cache: 512MiB}\n  workload: {steps: "      \
    "[{disk: "                                                                                               \
    "{write: 1MiB, pattern: sequential%s}}, {sleep: 10ms}], until: {count: 60}}\n%s"

START_TEST(what_was_flushed_stays)
{
    /* None flushed, failed: what is acknowledged is on the device or counted. */
    struct lab *l = lab_open(WRITER, "", "events: [{at: 5s, fail: a}]\n");
    life_run(l, 1);
    ck_assert_int_eq((int)life_total(l, "vm.a", "work.done"), 60);
    double device = life_total(l, "host.h.disk.d", "disk.bytes");
    ck_assert(life_lost(l) > 0);
    ck_near(device + life_lost(l), 60 * 1048576.0, 0.5);
    lab_close(l);
    /* Each flushed. */
    l = lab_open(WRITER, ", flush: true", "events: [{at: 5s, fail: a}]\n");
    life_run(l, 1);
    ck_assert_int_eq((int)life_total(l, "vm.a", "work.done"), 60);
    ck_near(life_total(l, "host.h.disk.d", "disk.bytes"), 60 * 1048576.0, 0.5);
    ck_near(life_lost(l), 0, 0);
    lab_close(l);
    /* Stopped in order: all of it goes to the device first, and that takes its time. */
    l = lab_open(WRITER, "", "events: [{at: 5s, stop: a}]\n");
    life_run(l, 1);
    ck_near(life_total(l, "host.h.disk.d", "disk.bytes"), 60 * 1048576.0, 0.5);
    ck_near(life_lost(l), 0, 0);
    ck_assert_int_gt(life_when(l, "vm.a", "stopped", 0), 5 * LIFE_SEC);
    lab_close(l);
    /* It fails while it writes back: what has gone to the device stays, but it is failed, not stopped. */
    l = lab_open(WRITER, "", "events: [{at: 5s, stop: a}, {at: 5100ms, fail: a, for: 1s}]\n");
    life_run(l, 1);
    ck_near(life_total(l, "host.h.disk.d", "disk.bytes") + life_lost(l), 60 * 1048576.0, 0.5);
    ck_assert_int_eq(life_when(l, "vm.a", "failed", 0), 5100 * LIFE_MS);
    ck_assert_int_eq(life_count(l, "vm.a", "stopped"), 0);
    lab_close(l);
}
END_TEST

/* Boot: 20 MB and 10 MB at 100 MB/s, 100 ms, 200 ms. Cut short anywhere, it begins anew. */
START_TEST(a_boot_is_cut_short_anywhere)
{
    static const char vm[] = "vms:\n- name: a\n  disk: {on: d, size: 1GiB, from: desk}\n  workload: {steps: "
                             "[{cpu: 1ms}], until: {count: 100}}\n";
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 5s, seed: 1}\n" HOSTS "%s", vm);
    life_run(l, 1);
    int64_t boot = life_when(l, "vm.a", "booted", 0);
    ck_assert_int_ge(boot, 600 * LIFE_MS);
    lab_close(l);
    for (int at = 5; at < 600; at += 45) {
        bool host = at % 2;
        l = lab_open("vlab: 1\nname: t\nrun: {duration: 5s, seed: 1}\n" HOSTS
                     "%sevents: [{at: %dms, fail: %s, for: 1s}]\n",
                     vm, at, host ? "h" : "a");
        life_run(l, 1);
        ck_assert_int_eq(life_count(l, "vm.a", "booted"), 1);
        int64_t took = life_when(l, "vm.a", "booted", 0) - life_when(l, "vm.a", "started", 1);
        ck_assert_int_eq(life_when(l, "vm.a", "started", 1), (at + 1000) * LIFE_MS);
        ck_assert_int_ge(took, boot - LIFE_MS);
        ck_assert_int_le(took, boot + 300 * LIFE_MS); /* behind what it had asked for before */
        ck_assert_int_eq((int)life_total(l, "vm.a", "work.done"), 100);
        lab_close(l);
        /* A stop while it boots is at once. */
        l = lab_open("vlab: 1\nname: t\nrun: {duration: 5s, seed: 1}\n" HOSTS
                     "%sevents: [{at: %dms, stop: a}]\n",
                     vm, at);
        life_run(l, 1);
        ck_assert_int_eq(life_when(l, "vm.a", "stopped", 0), at * LIFE_MS);
        ck_assert_int_eq(life_count(l, "vm.a", "booted"), 0);
        lab_close(l);
    }
}
END_TEST

Suite *power_suite(void)
{
    Suite *s = suite_create("power");
    TCase *tc = tcase_create("power");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_loop_does_its_work_again);
    tcase_add_test(tc, requests_inside_are_lost_and_counted);
    tcase_add_test(tc, clients_think_again);
    tcase_add_test(tc, a_pause_costs_time_only);
    tcase_add_test(tc, a_stop_serves_who_is_inside);
    tcase_add_test(tc, what_was_flushed_stays);
    tcase_add_test(tc, a_boot_is_cut_short_anywhere);
    suite_add_tcase(s, tc);
    return s;
}
