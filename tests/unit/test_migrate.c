// SPDX-License-Identifier: GPL-3.0-or-later
/* Migration: no work is lost or done twice, whatever a task is at, however fast the hosts; what fails in each
 * phase; settings go along. */
#include "tests/lifelab.h"

Suite *migrate_suite(void);

/* 1 GiB at 8 Gb/s: 1.07 s a whole copy. */
#define HOSTS                                                                                                \
    "vlab: 1\nname: t\nrun: {duration: 20s, seed: 1}\n"                                                      \
    "hosts:\n- {name: h, cpu: {cores: 2, speed: 1.0}, memory: {size: 8GiB, ref_cost: 100ns}, nics: [{name: " \
    "e, "                                                                                                    \
    "bandwidth: 10Gb/s}]}\n- {name: g, cpu: {cores: 2, speed: %s}, memory: {size: 8GiB, ref_cost: "          \
    "100ns}, nics: [{name: e, bandwidth: 10Gb/s}]}\n"                                                        \
    "storage: [{name: san, hosts: [h, g], iops: 2000, bandwidth: 200MB/s}]\n"                                \
    "networks: [{name: lan, kind: bridge, nics: [h/e, g/e]}]\npeers: [{name: pc, on: lan}]\n"                \
    "cloud: {place: first-fit}\n"

static const char *const methods[] = {"pre-copy", "stop-and-copy", "post-copy"};

/* Every kind of step, two vCPUs, four of them one after another at random times. */
static struct lab *steps(const char *speed, const char *method, const char *events)
{
    struct lab *l = lab_open(
        HOSTS
        "vms:\n- name: a\n  host: h\n  vcpus: 2\n  memory: 64MiB\n  disk: {on: san, size: 1GiB}\n  nic: lan\n"
        "  migrate: {method: %s, rate: 4Gb/s, step: 0b/s, downtime: 3ms, stop_below: 4MiB, diverge: stop}\n"
        "  workload: {steps: [{cpu: {exponential: 3ms}}, {busy: {uniform: [1ms, 3ms]}}, {sleep: "
        "{exponential: 4ms}}, {touch: {pages: 2000, of: 32MiB, write: 50%%}}, {disk: {write: 64KiB}}, {disk: "
        "{read: 64KiB}}, {net: {send: 100kB, to: pc}}, {ops: {syscall: 100}}, {lock: {hold: 1ms, wait: "
        "spin}}], until: {count: 600}}\n%s",
        speed, method, events);
    life_run(l, 1);
    return l;
}

START_TEST(whatever_its_tasks_are_at)
{
    static const char *const speeds[] = {"1.0", "0.7", "1.9"};
    struct lab *l = steps("1.0", "pre-copy", "");
    uint64_t sum = lab_exact(l, "vm.a", "work.checksum", "total");
    ck_assert_uint_eq(lab_exact(l, "vm.a", "work.done", "total"), 600);
    lab_close(l);
    for (int i = 0; i < 18; i++) {
        char events[400];
        snprintf(events, sizeof events,
                 "events: [{at: %dus, migrate: a, to: g}, {at: %dus, migrate: a, to: h}, {at: %dus, migrate: "
                 "a, to: g}, {at: %dus, migrate: a, to: h}]\n",
                 100100 + 3177 * i, 700100 + 1313 * i, 1400100 + 771 * i, 2000000 + 977 * i);
        l = steps(speeds[i % 3], methods[i / 3 % 3], events);
        ck_assert_uint_eq(lab_exact(l, "vm.a", "work.done", "total"), 600);
        ck_assert_uint_eq(lab_exact(l, "vm.a", "work.checksum", "total"), sum);
        ck_assert_int_eq(life_count(l, "vm.a", "migrated"), 4);
        ck_assert_int_eq(life_count(l, "vm.a", "cancelled"), 0);
        /* Twelve milliseconds at least. */
        ck_assert(lab_value(l, "vm.a", "cpu.down", "total") >= 0.012);
        lab_close(l);
    }
}
END_TEST

#define HOG                                                                                                  \
    "vms:\n- {name: a, host: h, memory: 1GiB, migrate: {method: %s, rate: 8Gb/s, step: 0b/s, downtime: "     \
    "100ms}, workload: "                                                                                     \
    "{steps: [{cpu: 100ms}], until: {count: 100}}}\n%s"

/* 10 s of work; from 5 s on at another speed: the time is exact. */
START_TEST(another_speed)
{
    for (int i = 0; i < 3; i++) {
        bool slow = i == 1;
        struct lab *l = lab_open(HOSTS HOG, slow ? "0.5" : "2.0", "post-copy",
                                 "events: [{at: 5033ms, migrate: a, to: g}]\n");
        life_run(l, 1);
        int64_t left = 10 * LIFE_SEC - 5033 * LIFE_MS;
        ck_assert_int_eq(life_when(l, "vm.a", "finished", 0), 5133 * LIFE_MS + (slow ? 2 * left : left / 2));
        lab_close(l);
    }
}
END_TEST

/* Pre-copy: its 1.0737 s, then 100 ms stopped. Each phase is hit: who fails, and where the VM is then. */
START_TEST(failures_in_each_phase)
{
    static const struct {
        const char *method, *fails;
        int at_ms;
        int failed, migrated, cancelled;
        const char *on; /* where it runs in the end */
    } t[] = {
        {"pre-copy", "a", 1500, 1, 0, 1, "h"},      {"pre-copy", "h", 1500, 1, 0, 1, "h"},
        {"pre-copy", "g", 1500, 0, 0, 1, "h"},      {"pre-copy", "a", 2120, 1, 0, 1, "h"},
        {"pre-copy", "h", 2120, 1, 0, 1, "h"},      {"pre-copy", "g", 2120, 0, 0, 1, "h"},
        {"pre-copy", "a", 2300, 1, 1, 0, "g"},      {"pre-copy", "h", 2300, 0, 1, 0, "g"},
        {"stop-and-copy", "a", 1500, 1, 0, 1, "h"}, {"stop-and-copy", "h", 1500, 1, 0, 1, "h"},
        {"stop-and-copy", "g", 1500, 0, 0, 1, "h"}, {"stop-and-copy", "g", 2120, 0, 0, 1, "h"},
        {"post-copy", "a", 1050, 1, 0, 1, "h"},     {"post-copy", "h", 1050, 1, 0, 1, "h"},
        {"post-copy", "g", 1050, 0, 0, 1, "h"},     {"post-copy", "a", 1500, 1, 1, 1, "g"},
        {"post-copy", "h", 1500, 1, 1, 1, "g"},     {"post-copy", "g", 1500, 1, 1, 1, "g"},
        {"post-copy", "h", 2300, 0, 1, 0, "g"},     {"post-copy", "g", 2300, 1, 1, 0, "g"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        char events[200];
        snprintf(events, sizeof events,
                 "events: [{at: 1s, migrate: a, to: g}, {at: %dms, fail: %s, for: 1s}, {at: "
                 "5s, start: a}]\n",
                 t[i].at_ms, t[i].fails);
        struct lab *l = lab_open(HOSTS HOG, "1.0", t[i].method, events);
        life_run(l, 1);
        ck_assert_msg(life_count(l, "vm.a", "failed") == t[i].failed, "row %zu: %d failed", i,
                      life_count(l, "vm.a", "failed"));
        ck_assert_msg(life_count(l, "vm.a", "migrated") == t[i].migrated, "row %zu: migrated", i);
        ck_assert_msg(life_count(l, "vm.a", "cancelled") == t[i].cancelled, "row %zu: cancelled", i);
        ck_assert_uint_eq(lab_exact(l, "vm.a", "work.done", "total"), 100);
        struct life in = {.lab = l};
        life_begin(&in, 1);
        life_to(&in, 19 * LIFE_SEC);
        ck_assert_msg(strcmp(life_vm(&in, "a")->host->sc->name, t[i].on) == 0, "row %zu: on the other", i);
        for (uint32_t h = 0; h < 2; h++) /* nothing is kept for anybody */
            ck_assert_int_eq(in.m->hosts[h].expects, 0);
        life_end(&in);
        lab_close(l);
    }
}
END_TEST

/* Two hogs on one pCPU each after the first moved: weights and limits set before and while it moves hold. */
START_TEST(settings_go_along)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 21s, warmup: 11s, seed: 1}\n"
        "hosts: [{name: h, cpu: {scheduler: stride, slice: 1ms}, memory: 4GiB}, {name: g, cpu: {scheduler: "
        "stride, slice: 1ms}, memory: 4GiB}]\n"
        "cloud: {place: first-fit, overcommit: {cpu: unlimited}}\nvms:\n"
        "- {name: a, host: h, memory: 1GiB, migrate: {rate: 8Gb/s, step: 0b/s}, workload: {steps: [{cpu: "
        "1s}]}}\n"
        "- {name: b, host: g, memory: 1GiB, workload: {steps: [{cpu: 1s}]}}\n"
        "- {name: c, host: h, memory: 1GiB, migrate: {rate: 8Gb/s, step: 0b/s}, cpu: {period: 10ms}, "
        "workload: {steps: [{cpu: 1s}]}}\n"
        "events: [{at: 1s, set: vms.a.cpu.weight, to: 3000}, {at: 2s, migrate: a, to: g}, {at: 4s, set: "
        "vms.c.cpu.limit, to: 20%%}, {at: 5s, migrate: c, to: g}, {at: 5500ms, set: vms.c.cpu.limit, to: "
        "20%%}]\n");
    life_run(l, 1);
    ck_assert_int_eq(life_count(l, "vm.a", "migrated") + life_count(l, "vm.c", "migrated"), 2);
    /* c 20 %, or its fair share of .2; the rest is 3 to 1. */
    double a = lab_value(l, "vm.a", "cpu.run", "share"), b = lab_value(l, "vm.b", "cpu.run", "share"),
           c = lab_value(l, "vm.c", "cpu.run", "share");
    ck_near(a + b + c, 1, 1e-6);
    ck_near(a / b, 3, 0.03);
    ck_near(c, 0.2, 0.002);
    lab_close(l);
}
END_TEST

/* To the host that it has moved to: refused, and nothing of it begins. (That it begins on is refused as the
 * file is read.) */
START_TEST(where_it_is_already)
{
    struct lab *l =
        steps("1.0", methods[_i], "events: [{at: 200ms, migrate: a, to: g}, {at: 3s, migrate: a, to: g}]\n");
    ck_assert_int_eq(life_count(l, "vm.a", "refused"), 1);
    ck_assert_int_eq(life_when(l, "vm.a", "refused", 0), 3 * LIFE_SEC);
    ck_assert_int_eq(life_count(l, "vm.a", "migrating"), 1);
    ck_assert_int_eq(life_count(l, "vm.a", "migrated"), 1);
    lab_close(l);
}
END_TEST

/* Post-copy: pages that it refers to come ahead; each once. */
START_TEST(post_copy_brings_each_page_once)
{
    struct lab *l =
        lab_open(HOSTS "vms:\n- {name: a, host: h, memory: 64MiB, migrate: {method: post-copy, rate: "
                       "100Mb/s, downtime: 10ms}, "
                       "workload: {steps: [{touch: {pages: 500, of: 32MiB, write: 50%%}}, {cpu: 1ms}]}}\n"
                       "events: [{at: 3s, migrate: a, to: g}]\n",
                 "1.0");
    life_run(l, 1);
    ck_assert_int_eq(life_count(l, "vm.a", "migrated"), 1);
    ck_near(life_total(l, "vm.a", "migration.bytes"), 32.0 * 1048576, 0.5);
    ck_assert(life_total(l, "vm.a", "mem.faults") > 100);
    ck_near(lab_value(l, "vm.a", "cpu.down", "total"), 0.010, 1e-9);
    lab_close(l);
}
END_TEST

/* A VM's seats on a host are in a row. The large ones leave, between small ones that stay; those a little
 * smaller come and take a gap each; so the large ones, when they return, end beyond the sum of all. */
START_TEST(seats_with_gaps)
{
    char vms[4000], events[2000];
    size_t v = 0, e = 0;
    for (int i = 0; i < 6; i++) {
        v += (size_t)snprintf(vms + v, sizeof vms - v,
                              "- {name: large%d, host: h, vcpus: 8, memory: 1MiB, migrate: {method: %s}, "
                              "workload: {steps: [{cpu: 1ms}]}}\n"
                              "- {name: small%d, host: h, memory: 1MiB, workload: {steps: [{cpu: 1ms}]}}\n"
                              "- {name: less%d, host: g, vcpus: 7, memory: 1MiB, migrate: {method: %s}, "
                              "workload: {steps: [{cpu: 1ms}]}}\n",
                              i, methods[_i], i, i, methods[_i]);
        e += (size_t)snprintf(events + e, sizeof events - e,
                              "- {at: 1s, migrate: large%d, to: g}\n- {at: 2s, migrate: less%d, to: h}\n"
                              "- {at: 3s, migrate: large%d, to: h}\n",
                              i, i, i);
    }
    struct lab *l = lab_open(HOSTS "vms:\n%sevents:\n%s", "1.0", vms, events);
    life_run(l, 1);
    for (int i = 0; i < 6; i++) {
        char name[20];
        snprintf(name, sizeof name, "vm.large%d", i);
        ck_assert_int_eq(life_count(l, name, "migrated"), 2);
        ck_assert(lab_value(l, name, "work.done", "total") > 100);
    }
    lab_close(l);
}
END_TEST

Suite *migrate_suite(void)
{
    Suite *s = suite_create("migrate");
    TCase *tc = tcase_create("migrate");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, whatever_its_tasks_are_at);
    tcase_add_test(tc, another_speed);
    tcase_add_test(tc, failures_in_each_phase);
    tcase_add_test(tc, settings_go_along);
    tcase_add_loop_test(tc, where_it_is_already, 0, 3);
    tcase_add_test(tc, post_copy_brings_each_page_once);
    tcase_add_loop_test(tc, seats_with_gaps, 0, 3);
    suite_add_tcase(s, tc);
    return s;
}
