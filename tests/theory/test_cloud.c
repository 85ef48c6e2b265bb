// SPDX-License-Identifier: GPL-3.0-or-later
/* The cloud's truths: high availability, pre-copy end to end, a boot storm, the quota. */
#include "tests/lifelab.h"

Suite *cloud_suite(void);

/* Detect 15 s, dispatch 5 s, boot 100 s: down for 120 s, however long the host's repair takes. */
START_TEST(high_availability)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 2000s, seed: 1}\nhosts: [{name: h, count: 2, memory: 4GiB}]\n"
        "images: [{name: i, boot: {shared: 0B, own: 0B, cpu: 0s, time: 100s}}]\n"
        "storage: [{name: san, hosts: [h-0, h-1], iops: 1000, bandwidth: 1GB/s}]\n"
        "cloud: {place: first-fit, ha: {detect: 15s, dispatch: 5s}}\n"
        "vms: [{name: a, memory: 3GiB, disk: {on: san, size: 1GiB, from: i}, workload: {steps: [{cpu: "
        "1s}]}}]\n"
        "events: [{at: 500s, fail: h-0, for: 500s}, {at: 800s, fail: h-1, for: 10s}, {at: 1200s, fail: "
        "a}]\n");
    life_run(l, 1);
    /* 100 s of the first boot; 120 s; then, before 15 s are over, the host is back: 10 + 100 s; itself: 120
     * s. */
    ck_near(lab_value(l, "vm.a", "cpu.down", "total"), 100 + 120 + 110 + 120, 1e-6);
    ck_assert_int_eq(life_when(l, "vm.a", "restarted", 0), 520 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.a", "restarted", 1), 1220 * LIFE_SEC);
    ck_assert_int_eq(life_count(l, "vm.a", "restarted"), 2);
    ck_assert_int_eq(life_when(l, "host.h-0", "detected", 0), 515 * LIFE_SEC);
    lab_close(l);
}
END_TEST

#define PRE                                                                                                  \
    "vlab: 1\nname: t\nrun: {duration: 100s, seed: 1}\nhosts: [{name: h, count: 2, memory: 4GiB}]\ncloud: "  \
    "{place: "                                                                                               \
    "first-fit}\nvms: [{name: a, host: h-0, memory: %s, migrate: {rate: %s, step: 0b/s, stop_below: %s, "    \
    "max_rounds: 30, dirty: {rate: %s}}, workload: {steps: [{cpu: 1s}]}}]\nevents: [{at: 1s, migrate: a, "   \
    "to: h-1}]\n"

START_TEST(pre_copy)
{
    struct lab *l = lab_open(PRE, "1024MB", "1000Mb/s", "1MB", "25MB/s");
    life_run(l, 1);
    ck_near(lab_value(l, "vm.a", "migration.time", "total"), 10.239, 0.0005);
    ck_near(life_total(l, "vm.a", "migration.bytes"), 1279.92e6, 1e4);
    ck_near(lab_value(l, "vm.a", "migration.downtime", "total"), 0.00262, 1e-5);
    ck_near(lab_value(l, "vm.a", "cpu.down", "total"), 0.00262, 1e-5);
    lab_close(l);
    static const struct {
        const char *dirty;
        double took;
    } t[] = {{"0B/s", 4.000}, {"32768000B/s", 5.328}, {"65536000B/s", 7.984}, {"117964800B/s", 38.474}};
    for (int i = 0; i < 4; i++) {
        l = lab_open(PRE, "500MiB", "1048576000b/s", "2MiB", t[i].dirty);
        life_run(l, 1);
        ck_near(lab_value(l, "vm.a", "migration.time", "total"), t[i].took, 0.0006);
        lab_close(l);
    }
    l = lab_open(PRE, "500MiB", "1048576000b/s", "2MiB", "157286400B/s");
    life_run(l, 1);
    ck_assert_int_eq(life_count(l, "vm.a", "diverged"), 1);
    ck_assert_int_eq(life_count(l, "vm.a", "migrated"), 0);
    lab_close(l);
}
END_TEST

START_TEST(boot_storm)
{
    for (int linked = 0; linked < 2; linked++) {
        struct lab *l =
            lab_open("vlab: 1\nname: t\nrun: {duration: 100s, seed: 1}\nhosts: [{name: h, cpu: {cores: 64}, "
                     "disks: [{name: d, bandwidth: 200MB/s}]}]\n"
                     "images: [{name: i, boot: {shared: 300MB, own: %s, cpu: 0s, time: 0s}}]\n"
                     "vms: [{name: v, count: 50, host: h, disk: {on: d, size: 1GiB, from: i, clone: %s}}]\n",
                     linked ? "20MB" : "0B", linked ? "linked" : "full");
        life_run(l, 1);
        int64_t last = 0;
        for (int v = 0; v < 50; v++) {
            char name[40];
            snprintf(name, sizeof name, "vm.v-%d", v);
            int64_t t = life_when(l, name, "booted", 0);
            ck_assert_int_gt(t, 0);
            if (t > last) last = t;
        }
        ck_near((double)last / 1e9, linked ? 6.5 : 75, 1e-4);
        lab_close(l);
    }
}
END_TEST

/* Fifty full copies, one every 2.15 s: each has the disk for 1.5 s and to itself. */
START_TEST(a_stagger_ends_the_storm)
{
    const double read = 300e6 / 200e6, every = 2.15, n = 50;
    struct lab *l =
        lab_open("vlab: 1\nname: t\nrun: {duration: 107500ms, seed: 1}\nhosts: [{name: h, cpu: {cores: 50}, "
                 "disks: [{name: d, bandwidth: 200MB/s}]}]\n"
                 "images: [{name: i, boot: {shared: 300MB, own: 0B, cpu: 0s, time: 0s}}]\n"
                 "vms: [{name: v, count: 50, host: h, disk: {on: d, size: 1GiB, from: i, clone: full}, "
                 "start: {every: 2150ms}}]\n");
    life_run(l, 1);
    ck_near(lab_value(l, "host.h.disk.d", "disk.util", "share"), n * read / (n * every), 1e-6);
    ck_near(lab_value(l, "host.h.disk.d", "disk.util", "share"), .698, 5e-4);
    for (int v = 0; v < n; v++) {
        char name[40];
        snprintf(name, sizeof name, "vm.v-%d", v);
        ck_near((double)life_when(l, name, "booted", 0) / 1e9, v * every + read, 1e-6);
    }
    lab_close(l);
}
END_TEST

/* Erlang's C: the chance to wait for one of c servers, of which a are busy in the mean. */
static double erlang_c(int c, double a)
{
    double b = 1;
    for (int k = 1; k <= c; k++)
        b = a * b / (k + a * b);
    return b / (1 - a / c * (1 - b));
}

/* Mean time in a queue of c servers with a service of 1 s. */
static double mm_time(int c, double load)
{
    return 1 + erlang_c(c, c * load) / (c * (1 - load));
}

/* Twelve hosts of 100 to 200 W, a fifth busy; packed on four of them, the others off. */
START_TEST(consolidation)
{
    const int cores = _i ? 4 : 1, seeds = 4;
    double power[2] = {0, 0}, time[2] = {0, 0}, on[2] = {0, 0};
    for (int packed = 0; packed < 2; packed++) {
        struct lab *l = lab_open(
            "vlab: 1\nname: t\nrun: {duration: %s, warmup: 500s, seed: 1}\nhosts: [{name: h, count: 12, cpu: "
            "{cores: %d, scheduler: rr, slice: 1s}, power: {idle: 100W, busy: 200W, off: 0W}, limit: {cpu: "
            "60%%}}]\ncloud: {place: %s}\nvms: [{name: v, count: 12, vcpus: %d, cpu: {reservation: %d%%}, "
            "workload: {kind: requests, arrivals: {poisson: %s/s}, steps: [{cpu: {exponential: 1s}}]}}]\n",
            _i ? "6000s" : "40000s", cores, packed ? "pack-and-power-off" : "worst-fit", cores, 20 * cores,
            _i ? "0.8" : "0.2");
        for (int seed = 1; seed <= seeds; seed++) {
            if (seed == 1)
                life_run(l, 1);
            else
                lab_run(l, (uint64_t)seed);
            power[packed] += lab_value(l, "cluster", "power", "mean") / seeds;
            on[packed] += lab_value(l, "cluster", "hosts.on", "mean") / seeds;
            for (int v = 0; v < 12; v++) {
                char name[40];
                snprintf(name, sizeof name, "vm.v-%d", v);
                time[packed] += lab_value(l, name, "latency", "mean") / 12 / seeds;
            }
        }
        lab_close(l);
    }
    const double apart = 12 * (100 + 100 * .2), together = 4 * (100 + 100 * .6);
    ck_near(apart, 1440, 1e-9);
    ck_near(together, 640, 1e-9);
    ck_near(power[0], apart, .02 * apart);
    ck_near(power[1], together, .02 * together);
    ck_near(on[0], 12, .01);
    ck_near(on[1], 4, .01);
    const double ratio = mm_time(cores, .6) / mm_time(cores, .2);
    ck_near(ratio, cores == 1 ? 2.000 : 1.176, 5e-4);
    ck_near(time[1] / time[0], ratio, .02 * ratio);
}
END_TEST

/* A VM that computes comes every 100 s and stays for 30, on one of three hosts of one core. Hosts nobody is
 * on are switched off at once, and on again for who comes; or they stay on. */
START_TEST(what_nobody_is_on_is_off)
{
    double power[2], on[2];
    for (int packed = 0; packed < 2; packed++) {
        struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 10100s, warmup: 100s, seed: 1}\nhosts: "
                                 "[{name: h, count: 3, cpu: "
                                 "{cores: 1}, power: {idle: 100W, busy: 200W, off: 5W}}]\ncloud: {place: %s, "
                                 "overcommit: {cpu: 1}, "
                                 "requests: {arrivals: {periodic: 100s}, lifetime: 30s, flavours: [{most: 2, "
                                 "vm: {name: v, workload: "
                                 "{steps: [{cpu: 700ms}]}}}]}}\n",
                                 packed ? "pack-and-power-off" : "first-fit");
        life_run(l, 1);
        power[packed] = lab_value(l, "cluster", "power", "mean");
        on[packed] = lab_value(l, "cluster", "hosts.on", "mean");
        ck_assert_int_eq(life_count(l, "host.h-0", "on"), packed ? 100 : 0);
        ck_near(lab_value(l, "cluster", "events.started", "total"), 100, 0);
        ck_near(life_total(l, "vm.v-0", "work.done"), 4200, 0); /* it waits for nothing */
        lab_close(l);
    }
    ck_near(power[0], .3 * 200 + .7 * 100 + 2 * 100, 1e-6);
    ck_near(power[1], .3 * 200 + .7 * 5 + 2 * 5, 1e-6);
    ck_near(on[0], 3, 1e-9);
    ck_near(on[1], .3, 1e-9);
}
END_TEST

START_TEST(a_quota_refuses)
{
    struct lab *l =
        lab_open("vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\nhosts: [{name: h, cpu: {cores: 8}}]\n"
                 "cloud: {place: first-fit, quota: {vcpus: 3}}\n"
                 "vms: [{name: v, count: 2, workload: {steps: [{cpu: 1s}]}}]\n"
                 "events: [{at: 1s, add: {name: w, workload: {steps: [{cpu: 1s}]}}}, {at: 2s, add: {name: "
                 "x, workload: {steps: [{cpu: 1s}]}}}]\n");
    life_run(l, 1);
    ck_assert_int_eq(life_count(l, "vm.w", "rejected"), 0);
    ck_assert_int_eq(life_when(l, "vm.x", "rejected", 0), 2 * LIFE_SEC);
    ck_assert_int_eq(life_count(l, "vm.x", "started"), 0);
    lab_close(l);
}
END_TEST

Suite *cloud_suite(void)
{
    Suite *s = suite_create("cloud");
    TCase *tc = tcase_create("cloud");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, high_availability);
    tcase_add_test(tc, pre_copy);
    tcase_add_test(tc, boot_storm);
    tcase_add_test(tc, a_stagger_ends_the_storm);
    tcase_add_loop_test(tc, consolidation, 0, 2);
    tcase_add_test(tc, what_nobody_is_on_is_off);
    tcase_add_test(tc, a_quota_refuses);
    suite_add_tcase(s, tc);
    return s;
}
