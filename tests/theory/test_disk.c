// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks against arithmetic and queueing theory, through whole scenarios. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab.h"

Suite *disk_suite(void);

/* The first `kind` of an entity, in s; -1: there was none. */
static double first_of(const struct lab *l, const char *entity, const char *kind)
{
    const struct run_output *o = lab_output(l);
    for (size_t i = 0; i < o->n_happenings; i++)
        if (!strcmp(o->happenings[i].entity, entity) && !strcmp(o->happenings[i].kind, kind))
            return (double)o->happenings[i].t_ns / 1e9;
    return -1;
}

/* --- sharing --- */

START_TEST(test_two_to_one)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 20s}\n"
        "hosts: [{name: h, cpu: {cores: 2}, disks: [{name: d, bandwidth: 200MB/s, queue: fair}]}]\n"
        "vms:\n"
        "  - {name: a, host: h, disk: {on: d, weight: 2000}, workload: {threads: 4, steps: [{disk: {read: "
        "1MB}}]}}\n"
        "  - {name: b, host: h, disk: {on: d}, workload: {threads: 4, steps: [{disk: {write: 250kB}}]}}\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.a", "disk.bytes", "rate"), 400e6 / 3, 400e6 / 3 * .005);
    ck_near(lab_value(l, "vm.b", "disk.bytes", "rate"), 200e6 / 3, 200e6 / 3 * .005);
    ck_near(lab_value(l, "host.h.disk.d", "disk.util", "share"), 1, 1e-9);
    lab_close(l);
}
END_TEST

/* 8000 requests a second; host 1 has weights 1000 and 2500, host 2 500 (which asks for 10 a second) and 1000
 * (limited to 2000). Among hosts first, host 2 may have 2400 and uses 2010; at once among all, the two of
 * host 1 share what is left 2:5 after 10, and weight 1000 gets as much as its like. */
static void store_shares(const char *queue, const char *divide, double a, double b, double d)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 11s, warmup: 1s}\n"
        "hosts: [{name: h1, cpu: {cores: 2}}, {name: h2, cpu: {cores: 2}}]\n"
        "storage: [{name: san, hosts: [h1, h2], iops: 8000/s, queue: %s, divide: %s}]\n"
        "vms:\n"
        "  - {name: a, host: h1, disk: {weight: 1000}, workload: {threads: 32, steps: [{disk: {read: "
        "4KiB}}]}}\n"
        "  - {name: b, host: h1, disk: {weight: 2500}, workload: {threads: 32, steps: [{disk: {read: "
        "4KiB}}]}}\n"
        "  - {name: c, host: h2, disk: {weight: 500},\n"
        "     workload: {kind: requests, arrivals: {periodic: 100ms}, steps: [{disk: {read: 4KiB}}]}}\n"
        "  - {name: d, host: h2, disk: {weight: 1000, limit: 2000/s}, workload: {threads: 32, steps: [{disk: "
        "{read: "
        "4KiB}}]}}\n",
        queue, divide);
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.a", "disk.ops", "rate"), a, a * .005);
    ck_near(lab_value(l, "vm.b", "disk.ops", "rate"), b, b * .005);
    ck_near(lab_value(l, "vm.c", "disk.ops", "rate"), 10, .2);
    ck_near(lab_value(l, "vm.d", "disk.ops", "rate"), d, d * .005);
    lab_close(l);
}

START_TEST(test_store_shares)
{
    store_shares("fair", "hosts", 1711, 4279, 2000);
    store_shares("mclock", "hosts", 1711, 4279, 2000);
    store_shares("fair", "flat", 1776, 4439, 1776);
    store_shares("mclock", "flat", 1776, 4439, 1776);
}
END_TEST

/* --- devices --- */

START_TEST(test_token_bucket)
{
    struct lab *l =
        lab_open("vlab: 1\nname: t\nrun: {duration: 100s}\n"
                 "hosts: [{name: h, disks: [{name: d, bandwidth: 10MB/s, burst: 100MB, peak: 100MB/s}]}]\n"
                 "vms: [{name: a, host: h, disk: d,\n"
                 "       workload: {threads: 1, steps: [{disk: {read: 1MB}}], until: {count: 1000}}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.a", "work.time", "total"), 90, 90e-6);
    ck_near(lab_value(l, "host.h.disk.d", "disk.busy", "mean"), .9, 1e-6);
    lab_close(l);
}
END_TEST

START_TEST(test_latency_overlaps)
{
    /* Ten at once, 1 ms each at the server, 30 ms afterwards: 10 every 31 ms would be one at a time; a closed
     * loop of ten has 10 / (1 + 30) a ms only while the server keeps up: 1000/s at most, here 10/31 a ms. */
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 31s}\n"
        "hosts: [{name: h, disks: [{name: d, iops: 1000/s, latency: 30ms}]}]\n"
        "vms: [{name: a, host: h, disk: d, workload: {threads: 10, steps: [{disk: {read: 4KiB}}]}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.a", "disk.ops", "total"), 10000, 10);
    ck_near(lab_value(l, "vm.a", "disk.latency", "max"), .040, 1e-9); /* the last of the first ten */
    ck_near(lab_value(l, "host.h.disk.d", "disk.busy", "mean"), 10. / 31, 1e-3);
    lab_close(l);
}
END_TEST

START_TEST(test_hp97560)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 600s}\n"
        "hosts: [{name: h, disks: [{name: d, model: hdd, preset: hp97560, queue: fifo}]}]\n"
        "vms: [{name: a, host: h, disk: d, workload: {threads: 1, steps: [{disk: {read: 8KiB}}]}}]\n");
    lab_run(l, 1);
    double mean = lab_value(l, "vm.a", "disk.latency", "mean");
    ck_near(mean, .025860, .025860 * .01);
    ck_near(lab_value(l, "host.h.disk.d", "disk.util", "share"), 1, 1e-9);
    lab_close(l);
}
END_TEST

/* The elevator serves 16 that wait in less time than first come first served. */
START_TEST(test_elevator)
{
    double ops[2];
    for (int i = 0; i < 2; i++) {
        struct lab *l = lab_open(
            "vlab: 1\nname: t\nrun: {duration: 200s}\n"
            "hosts: [{name: h, disks: [{name: d, model: hdd, preset: hp97560, queue: %s}]}]\n"
            "vms: [{name: a, host: h, disk: d, workload: {threads: 16, steps: [{disk: {read: 8KiB}}]}}]\n",
            i ? "deadline" : "fifo");
        lab_run(l, 1);
        ops[i] = lab_value(l, "vm.a", "disk.ops", "rate");
        lab_close(l);
    }
    ck_near(ops[0], 1 / .025860, .01 / .025860);
    ck_assert_msg(ops[1] > 1.2 * ops[0], "elevator %g, fifo %g a second", ops[1], ops[0]);
}
END_TEST

/* n requests always out, D dies, exponential: a closed network of single servers, in which n D / (n + D - 1)
 * are busy; 16 and 32: 10.894. */
START_TEST(test_ssd_closed)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 12s}\n"
        "hosts: [{name: h, disks: [{name: d, model: ssd, channels: 8, dies: 4, read: {exponential: "
        "60us}}]}]\n"
        "vms: [{name: a, host: h, disk: d, workload: {threads: 16, steps: [{disk: {read: 4KiB}}]}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "host.h.disk.d", "disk.busy", "mean"), 16. * 32 / 47, 16. * 32 / 47 * .005);
    ck_near(lab_value(l, "host.h.disk.d", "disk.util", "share"), 16. / 47, 16. / 47 * .005);
    lab_close(l);
}
END_TEST

/* 16 at once, each to one of 32 dies: 32 (1 - (31/32)^16) = 12.745 distinct dies are hit. The first request
 * at a die has it done after one read; their mean latency is that of the rest too: all are counted. */
START_TEST(test_ssd_batches)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 10s, sample: 1s}\n"
        "hosts: [{name: h, cpu: {cores: 16}, disks: [{name: d, model: ssd, read: 60us}]}]\n"
        "vms: [{name: a, count: 16, host: h, disk: d,\n"
        "       workload: {kind: requests, arrivals: {periodic: 1ms}, steps: [{disk: {read: 4KiB}}]}}]\n");
    lab_run(l, 1);
    /* In each ms dies are busy for 16 reads of 60 us in all. */
    ck_near(lab_value(l, "host.h.disk.d", "disk.busy", "mean"), .96, .001);
    /* A batch's mean latency: each request waits for those of the 15 others that go to its die before it,
     * 15/32/2. */
    ck_near(lab_value(l, "host.h.disk.d", "disk.latency", "mean"), 60e-6 * (1 + 15. / 64), 60e-6 * .005);
    lab_close(l);
}
END_TEST

/* --- space --- */

#define POOL                                                                                                 \
    "vlab: 1\nname: t\nrun: {duration: 16h, sample: 10m}\n"                                                  \
    "hosts: [{name: h, cpu: {cores: 5}, disks: [{name: d, pool: 100GB, grain: 1MB}]}]\n"                     \
    "vms: [{name: a, count: 5, host: h, disk: {size: 40GB, used: 10GB, provision: thin},\n"                  \
    "       workload: {threads: 1, steps: [{sleep: 36s}, {disk: {write: 10MB, pattern: sequential}}%s]}}]\n"

START_TEST(test_thin_pool)
{
    struct lab *l = lab_open(POOL, "");
    lab_run(l, 1);
    ck_near(first_of(l, "host.h.disk.d", "pool-alarm"), 6 * 3600, 36);
    ck_near(first_of(l, "host.h.disk.d", "pool-full"), 10 * 3600, 36.1);
    ck_near(first_of(l, "vm.a-4", "pool-full"), 10 * 3600, 36.1);
    ck_near(lab_value(l, "host.h.disk.d", "disk.allocated", "max"), 100e9, 0);
    /* All that was acknowledged is there, the writers wait, and each is told of once. */
    ck_near(lab_value(l, "cluster", "work.done", "total"), 5000, 0);
    ck_near(lab_value(l, "vm.a-0", "disk.bytes", "total"), 10e9, 0);
    ck_near(lab_value(l, "vm.a-0", "disk.queue", "max"), 1, 0);
    ck_near(lab_value(l, "vm.a-0", "disk.allocated", "max"), 20e9, 0);
    ck_near(lab_value(l, "vm.a-0", "cpu.diskwait", "total"), 6 * 3600, 36.1);
    ck_near(lab_value(l, "host.h.disk.d", "events.pool-full", "total"), 1, 0);
    ck_near(lab_value(l, "vm.a-0", "events.pool-full", "total"), 1, 0);
    lab_close(l);
}
END_TEST

START_TEST(test_thin_pool_trimmed)
{
    struct lab *l = lab_open(POOL, ", {disk: {trim: 3MB, pattern: sequential}}");
    lab_run(l, 1);
    ck_near(first_of(l, "host.h.disk.d", "pool-full"), 50. / 3.5 * 3600, 72);
    ck_near(lab_value(l, "host.h.disk.d", "disk.allocated", "max"), 100e9, 10e6); /* the next needs 10 MB */
    lab_close(l);
}
END_TEST

Suite *disk_suite(void)
{
    Suite *s = suite_create("disk");
    TCase *t = tcase_create("disk");
    tcase_set_timeout(t, 30);
    suite_add_tcase(s, t);
    tcase_add_test(t, test_two_to_one);
    tcase_add_test(t, test_store_shares);
    tcase_add_test(t, test_token_bucket);
    tcase_add_test(t, test_latency_overlaps);
    tcase_add_test(t, test_hp97560);
    tcase_add_test(t, test_elevator);
    tcase_add_test(t, test_ssd_closed);
    tcase_add_test(t, test_ssd_batches);
    tcase_add_test(t, test_thin_pool);
    tcase_add_test(t, test_thin_pool_trimmed);
    return s;
}
