// SPDX-License-Identifier: GPL-3.0-or-later
/* Blast radius: the table of fail.h, row by row. Whom it names fails and nobody else; who shares nothing with
 * the target has, to the last bit, the rows it has in a run without the failure. */
#include "tests/lifelab.h"

Suite *fail_suite(void);

/* Ten VMs, each on what the others are not on, as far as may be. h-0 and h-1 are in rack r0. */
#define WORLD                                                                                                \
    "vlab: 1\nname: t\nrun: {duration: 6s, seed: 1}\n"                                                       \
    "hosts:\n- {name: h, count: 2, cpu: {cores: 2}, memory: 8GiB, rack: r0, nics: [{name: e, bandwidth: "    \
    "1Gb/s}], disks: [{name: d, iops: 500, bandwidth: 100MB/s}]}\n"                                          \
    "- {name: g, count: 2, cpu: {cores: 4}, memory: 8GiB, rack: r1, vmm: [one, two], nics: [{name: e, "      \
    "bandwidth: 1Gb/s}], disks: [{name: d, iops: 500, bandwidth: 100MB/s, pool: 1GiB}, {name: f, iops: "     \
    "500, bandwidth: 100MB/s}]}\n"                                                                           \
    "storage: [{name: san, hosts: [h-0, h-1], iops: 500, bandwidth: 100MB/s}]\n"                             \
    "networks: [{name: lan, kind: bridge, nics: [h-0/e]}, {name: net, kind: bridge, nics: [g-1/e]}]\n"       \
    "peers: [{name: pc, on: lan}, {name: tv, on: net}]\nvms:\n"                                              \
    "- {name: a, host: h-0, cpu: {pin: [0]}, disk: {on: d, size: 1GiB}, workload: {steps: " DISK "}}\n"      \
    "- {name: b, host: h-0, cpu: {pin: [1]}, nic: lan, workload: {steps: " SEND "pc}}]}}\n"                  \
    "- {name: c, host: h-1, cpu: {pin: [0]}, disk: {on: san, size: 1GiB}, workload: {steps: " DISK "}}\n"    \
    "- {name: d, host: h-1, cpu: {pin: [1]}, workload: {steps: " CPU "}}\n"                                  \
    "- {name: k1, host: g-0, cpu: {pin: [0]}, mode: container, kernel: k, workload: {steps: " CPU "}}\n"     \
    "- {name: k2, host: g-0, cpu: {pin: [1]}, mode: container, kernel: k, workload: {steps: " CPU "}}\n"     \
    "- {name: v1, host: g-0, cpu: {pin: [2]}, vmm: one, workload: {steps: " CPU "}}\n"                       \
    "- {name: v2, host: g-0, cpu: {pin: [3]}, vmm: two, workload: {steps: " CPU "}}\n"                       \
    "- {name: p, host: g-1, cpu: {pin: [0]}, disk: {on: d, size: 900MiB, provision: thin}, workload: "       \
    "{steps: " DISK "}}\n"                                                                                   \
    "- {name: q, host: g-1, cpu: {pin: [1]}, nic: net, disk: {on: f, size: 1GiB}, workload: "                \
    "{steps: " SEND "tv}}]}}\n"
#define DISK "[{cpu: {exponential: 1ms}}, {disk: {write: 1MiB}}]"
#define CPU  "[{cpu: {exponential: 2ms}}, {sleep: {exponential: 2ms}}]"
#define SEND "[{cpu: {exponential: 1ms}}, {sleep: 1ms}, {net: {send: 50kB, to: "

static const char vms[][3] = {"a", "b", "c", "d", "k1", "k2", "v1", "v2", "p", "q"};
enum { N = sizeof vms / sizeof vms[0] };

static const struct row {
    const char *target;
    uint16_t fail, slow; /* bits, in the order of vms: who fails; who goes on and notices */
} table[] = {
    {"a", 1 << 0, 0},
    {"d", 1 << 3, 0},
    {"k", 1 << 4 | 1 << 5, 0},
    {"g-0/vmm/one", 1 << 4 | 1 << 5 | 1 << 6, 0}, /* the first: of all that name none */
    {"g-0/vmm/two", 1 << 7, 0},
    {"h-0", 1 << 0 | 1 << 1, 0},
    {"h-1", 1 << 2 | 1 << 3, 0},
    {"g-0", 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7, 0},
    {"r0", 0xf, 0},
    {"r1", 0x3f0, 0},
    {"h-0/d", 0, 1 << 0},
    {"san", 0, 1 << 2},
    {"g-1/f", 0, 0},
    {"h-0/e", 0, 1 << 1},
    {"lan", 0, 1 << 1},
    {"g-1/d/pool", 0, 1 << 8},
};

START_TEST(blast_radius)
{
    const struct row *row = &table[_i];
    char *without[N];
    struct lab *l = lab_open(WORLD);
    life_run(l, 1);
    for (int v = 0; v < N; v++) {
        char name[40];
        snprintf(name, sizeof name, "vm.%s", vms[v]);
        without[v] = life_rows(l, name);
        ck_assert_uint_gt(strlen(without[v]), 500);
    }
    lab_close(l);
    l = lab_open(WORLD "events: [{at: 1234567us, fail: %s, for: 1500ms}]\n", row->target);
    life_run(l, 1);
    for (int v = 0; v < N; v++) {
        char name[40];
        snprintf(name, sizeof name, "vm.%s", vms[v]);
        char *with = life_rows(l, name);
        bool same = strcmp(with, without[v]) == 0, fails = row->fail >> v & 1, slow = row->slow >> v & 1;
        ck_assert_msg(same == (!fails && !slow), "%s fails, %s is %s", row->target, vms[v],
                      same ? "as without" : "not as without");
        ck_assert_int_eq(life_count(l, name, "failed"), fails);
        ck_near(lab_value(l, name, "cpu.down", "total"), fails ? 1.5 : 0, 1e-9);
        free(with);
        free(without[v]);
    }
    lab_close(l);
}
END_TEST

#define TWO                                                                                                  \
    "vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\nhosts: [{name: h, count: 2, rack: r}]\nvms: [{name: "  \
    "a, "                                                                                                    \
    "host: h-0, workload: {steps: [{cpu: 1ms}]}}, {name: b, host: h-1, workload: {steps: [{cpu: 1ms}]}}]\n"

static void down_times(const char *events, double a, double b)
{
    struct lab *l = lab_open(TWO "%s", events);
    life_run(l, 1);
    ck_near(lab_value(l, "vm.a", "cpu.down", "total"), a, 1e-9);
    ck_near(lab_value(l, "vm.b", "cpu.down", "total"), b, 1e-9);
    lab_close(l);
}

/* It is back when all is over, in whatever order; a repair of a target ends that target's failures. */
START_TEST(several_at_once)
{
    down_times("events: [{at: 1s, fail: h-0, for: 3s}, {at: 2s, fail: r, for: 4s}]", 5, 4);
    down_times("events: [{at: 1s, fail: h-0, for: 6s}, {at: 2s, fail: r, for: 1s}]", 6, 1);
    down_times("events: [{at: 1s, fail: r, for: 2s}, {at: 2s, fail: r, for: 2s}]", 3, 3);
    down_times("events: [{at: 1s, fail: h-0, for: 2s}, {at: 2s, fail: h-0, for: 4s}, {at: 5s, fail: h-1}]", 5,
               5);
    down_times("events: [{at: 1s, fail: h-0}, {at: 3s, repair: h-0}, {at: 4s, repair: h-0}, {at: 5s, fail: "
               "h-0, for: "
               "1s}]",
               3, 0);
    /* A repair ends an era: the first's end, at 5 s, is not the second's. */
    down_times("events: [{at: 1s, fail: h-0, for: 4s}, {at: 2s, repair: h-0}, {at: 4s, fail: h-0, for: 3s}]",
               4, 0);
    down_times("events: [{at: 1s, fail: a, for: 4s}, {at: 2s, repair: a}, {at: 4s, fail: a, for: 3s}]", 4, 0);
    /* The VM's own failure and its host's. */
    down_times("events: [{at: 1s, fail: a, for: 1s}, {at: 1500ms, fail: h-0, for: 3s}]", 3.5, 0);
    down_times("events: [{at: 1s, fail: a}, {at: 3s, start: a}]", 2, 0);
    down_times("events: [{at: 1s, fail: a}]", 9, 0);
}
END_TEST

/* A failed disk: what waits there is done later, all of it, with the same sum. */
START_TEST(a_disk_loses_nothing)
{
    double done[2], bytes[2];
    for (int i = 0; i < 2; i++) {
        struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\nhosts: [{name: h, disks: "
                                 "[{name: d, iops: 100, bandwidth: "
                                 "100MB/s}]}]\nvms: [{name: a, disk: {on: d, size: 1GiB}, workload: {kind: "
                                 "requests, threads: 8, arrivals: "
                                 "{periodic: 20ms}, steps: [{disk: {write: 64KiB}}]}}]\n%s",
                                 i ? "events: [{at: 3003ms, fail: h/d, for: 2s}]" : "");
        life_run(l, 1);
        done[i] = life_total(l, "vm.a", "work.done");
        bytes[i] = life_total(l, "host.h.disk.d", "disk.bytes");
        ck_near(life_total(l, "vm.a", "queue.lost"), 0, 0);
        ck_assert_int_eq(lab_value(l, "vm.a", "latency", "max") > 1.9, i);
        lab_close(l);
    }
    ck_assert(done[0] == 499);
    ck_near(done[1], done[0], 1);
    ck_near(bytes[1], bytes[0], 65536);
}
END_TEST

Suite *fail_suite(void)
{
    Suite *s = suite_create("fail");
    TCase *tc = tcase_create("fail");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, blast_radius, 0, sizeof table / sizeof table[0]);
    tcase_add_test(tc, several_at_once);
    tcase_add_test(tc, a_disk_loses_nothing);
    suite_add_tcase(s, tc);
    return s;
}
