// SPDX-License-Identifier: GPL-3.0-or-later
/* The disks' way of a request, part by part: caches, copies, waits for space, swap pages, the host's I/O
 * thread. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "model/cpu.h"
#include "model/power.h"
#include "model/disk_inner.h"
#include "tests/lab.h"
#include "tests/often.h"

Suite *disk_suite(void);

#define US INT64_C(1000)
#define S  INT64_C(1000000000)

/* A model by itself, its records kept. */
struct desk {
    struct lab *lab;
    struct model *m;
    struct rec_block block;
    struct rec *recs;
    size_t n, cap;
};

static void keep(void *ctx, const struct rec *recs, size_t n)
{
    struct desk *d = ctx;
    while (d->n + n > d->cap) {
        d->cap = d->cap ? 2 * d->cap : 1024;
        d->recs = realloc(d->recs, d->cap * sizeof *d->recs);
        ck_assert(d->recs != NULL);
    }
    memcpy(d->recs + d->n, recs, n * sizeof *recs);
    d->n += n;
}

static struct desk *desk_open(struct lab *lab)
{
    struct desk *d = calloc(1, sizeof *d);
    ck_assert(d != NULL);
    d->lab = lab;
    rec_block_init(&d->block);
    rec_block_add_reader(&d->block, (struct rec_reader){.read = keep, .ctx = d, .mask = UINT32_MAX});
    d->m = model_new(lab_scenario(lab), 1, MODEL_ALL, &d->block);
    return d;
}

static void desk_run(struct desk *d, int64_t until_ns)
{
    sim_run(model_sim(d->m), until_ns);
    rec_block_flush(&d->block);
    char *why = NULL;
    ck_assert_msg(disk_check(d->m, &why) == 0, "%s", why);
}

static void desk_close(struct desk *d)
{
    char *why = NULL;
    ck_assert_msg(model_run(d->m, &why) == 0, "%s", why);
    model_free(d->m);
    lab_close(d->lab);
    free(d->recs);
    free(d);
}

static uint64_t events_of(const struct desk *d, enum rec_event ev, bool of_device)
{
    uint64_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        n += d->recs[i].kind == REC_EVENT && d->recs[i].cause == ev &&
             (d->recs[i].pcpu == REC_DEV) == of_device;
    return n;
}

static int64_t level(const struct desk *d, uint32_t vm, enum rec_level what)
{
    return d->m->vms[vm].book->level[what];
}
static int64_t counted(const struct desk *d, uint32_t vm, enum rec_count what)
{
    return d->m->vms[vm].book->count[what];
}
static int64_t dev_counted(const struct desk *d, enum rec_count what)
{
    return d->m->dev_books[0].count[what];
}

/* --- the SSD --- */

/* 16 reads at once, again and again when all are done: the share whose die did nothing else is that of
 * distinct dies, 32 (1 - (31/32)^16) = 12.745 of 16. */
START_TEST(test_ssd_distinct)
{
    struct desk *d = desk_open(lab_open(
        "vlab: 1\nname: t\nrun: {duration: 10s}\n"
        "hosts: [{name: h, cpu: {cores: 16}, disks: [{name: d, model: ssd, read: 60us}]}]\n"
        "vms: [{name: a, count: 16, host: h, disk: d,\n"
        "       workload: {kind: requests, arrivals: {periodic: 1ms}, steps: [{disk: {read: 4KiB}}]}}]\n"));
    desk_run(d, 10 * S);
    uint64_t all = 0, first = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (d->recs[i].kind != REC_IO) continue;
        all++;
        first += d->recs[i].value == 60 * US;
        ck_often(d->recs[i].value % (60 * US) == 0);
    }
    ck_assert_uint_gt(all, 150000);
    ck_near((double)first / (double)all * 16, 12.745, .01 * 12.745);
    desk_close(d);
}
END_TEST

/* A request of many pages is over when its last page is; a write with spare 0 is a program, with garbage
 * more. */
START_TEST(test_ssd_large)
{
    struct desk *d = desk_open(
        lab_open("vlab: 1\nname: t\nrun: {duration: 1s}\n"
                 "hosts: [{name: h, disks: [{name: d, model: ssd, read: 60us, program: 600us}]}]\n"
                 "vms: [{name: a, host: h, disk: d, workload: {until: {count: 1}, threads: 1,\n"
                 "  steps: [{disk: {read: 128KiB}}, {disk: {read: 132KiB}}, {disk: {write: 4KiB}}]}}]\n"));
    desk_run(d, S / 2);
    int64_t want[] = {60 * US, 120 * US, 600 * US};
    uint64_t k = 0;
    for (size_t i = 0; i < d->n; i++)
        if (d->recs[i].kind == REC_IO) ck_assert_int_eq(d->recs[i].value, want[k++]);
    ck_assert_uint_eq(k, 3);
    ck_assert_int_eq(d->m->dev_books[0].level[REC_L_DISK_BUSY], 0);
    desk_close(d);
}
END_TEST

START_TEST(test_ssd_garbage)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 1s}\n"
        "hosts: [{name: h, disks: [{name: d, model: ssd, program: 600us, erase: 3ms, spare: 20%%}]}]\n"
        "vms: [{name: a, host: h, disk: d, workload: {until: {count: 1}, threads: 1,\n"
        "  steps: [{disk: {write: 4KiB}}]}}]\n");
    lab_run(l, 1);
    /* rho = .8: u = .6286, WA = 2.693. */
    ck_near(lab_value(l, "vm.a", "disk.latency", "mean"), 2.693 * (600e-6 + 3e-3 / 256), 3e-6);
    lab_close(l);
}
END_TEST

/* --- caches --- */

START_TEST(test_guest_cache)
{
    struct desk *d = desk_open(
        lab_open("vlab: 1\nname: t\nrun: {duration: 100s}\n"
                 "hosts: [{name: h, disks: [{name: d, bandwidth: 1MB/s}]}]\n"
                 "vms: [{name: a, host: h, disk: {on: d, size: 1MiB, cache: 512KiB}, workload: {threads: 1,\n"
                 "  steps: [{cpu: 1us}, {disk: {read: 4KiB}}]}}]\n"));
    desk_run(d, 20 * S);
    /* Uniform over twice what it holds: every other read hits, and only the others left the guest. */
    int64_t ops = counted(d, 0, REC_N_DISK_OPS), done = (int64_t)d->m->vms[0].done;
    ck_assert_int_gt(ops, 4500);
    ck_near((double)ops / (double)done, .5, 4 * .5 / 90);
    ck_assert_int_eq(counted(d, 0, REC_N_DISK_BYTES), ops * 4096);
    ck_assert_int_eq(dev_counted(d, REC_N_DISK_BYTES), ops * 4096);
    desk_close(d);
}
END_TEST

/* What the page cache answers is no exit and costs nothing. */
START_TEST(test_no_exit)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 10s}\n"
        "hosts: [{name: h, cpu: {cores: 1}, mode_costs: {doorbell: 100us}, disks: [{name: d, iops: "
        "1000/s}]}]\n"
        "vms: [{name: a, host: h, mode: hardware, disk: {size: 64KiB, cache: 64KiB}, workload: {threads: 1,\n"
        "  steps: [{cpu: 1ms}, {disk: {read: 4KiB, pattern: sequential}}]}}]\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.a", "disk.ops", "total"), 16, 0);
    ck_near(lab_value(l, "vm.a", "exits.doorbell", "total"), 16, 0);
    ck_near(lab_value(l, "vm.a", "work.done", "total"), 10000 - 16 * 1.1, 1.5);
    lab_close(l);
}
END_TEST

START_TEST(test_write_back)
{
    struct desk *d = desk_open(lab_open(
        "vlab: 1\nname: t\nrun: {duration: 100s}\n"
        "hosts: [{name: h, disks: [{name: d, bandwidth: 1MB/s}]}]\n"
        "vms: [{name: a, host: h, disk: {on: d, size: 100MiB, cache: 1MiB}, workload: {threads: 1,\n"
        "  until: {count: 258}, steps: [{sleep: 1us}, {disk: {write: 4KiB, pattern: sequential}}]}}]\n"));
    desk_run(d, 1000 * US);
    /* 256 blocks fit and took no time; the 257th waits until the first has been written back. */
    ck_assert_uint_eq(d->m->vms[0].done, 256);
    desk_run(d, 50 * S);
    ck_assert_uint_eq(d->m->vms[0].done, 258);
    ck_assert_int_eq(counted(d, 0, REC_N_DISK_OPS), 2);
    ck_assert_uint_eq(d->m->disks->vds[0].cache.n_dirty, 256);
    desk_close(d);
}
END_TEST

START_TEST(test_flush)
{
    struct desk *d = desk_open(
        lab_open("vlab: 1\nname: t\nrun: {duration: 100s}\n"
                 "hosts: [{name: h, disks: [{name: d, bandwidth: 1MB/s}]}]\n"
                 "vms: [{name: a, host: h, disk: {on: d, size: 100MiB, cache: 1MiB}, workload: {threads: 1,\n"
                 "  until: {count: 1}, steps: [{disk: {write: 40KiB, pattern: sequential}},\n"
                 "  {disk: {write: 4KiB, pattern: sequential, flush: true}}]}}]\n"));
    desk_run(d, 50 * S);
    ck_assert_uint_eq(d->m->vms[0].done, 1);
    ck_assert_int_eq(counted(d, 0, REC_N_DISK_OPS), 1); /* 44 KiB side by side: one write */
    ck_assert_int_eq(dev_counted(d, REC_N_DISK_BYTES), 44 * 1024);
    ck_assert_uint_eq(d->m->disks->vds[0].cache.n_dirty, 0);
    desk_close(d);
}
END_TEST

/* 20 linked clones read the same 10 MB at once: the medium moves them once, and those who come second wait.
 */
START_TEST(test_shared_fetch)
{
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 30s}\n"
                             "hosts: [{name: h, cpu: {cores: 20}, disks: [{name: d, bandwidth: 10MB/s, "
                             "cache: 64MiB, pool: 1GB}]}]\n"
                             "vms:\n"
                             "  - {name: base, host: h, disk: {size: 10MB, used: 10MB, provision: thin}, "
                             "workload: {threads: 1, until: {count: 1}, steps: "
                             "[{sleep: 1s}]}}\n"
                             "  - {name: a, count: 20, host: h, disk: {from: base, clone: linked}, workload: "
                             "{threads: 1, until: {count: 10},\n"
                             "     steps: [{cpu: 1us}, {disk: {read: 1MB, pattern: sequential}}]}}\n");
    lab_run(l, 1);
    double read = lab_value(l, "host.h.disk.d", "disk.bytes", "total");
    ck_near(read, 10e6, 10 * 4096);
    ck_near(lab_value(l, "vm.a-19", "work.time", "total"), 1, 1e-2);
    ck_near(lab_value(l, "vm.a-7", "work.time", "total"), 1, 1e-2);
    ck_near(lab_value(l, "vm.a-7", "disk.bytes", "total"), 10e6, 0);
    ck_near(lab_value(l, "vm.a-7", "disk.allocated", "max"), 0, 0);
    lab_close(l);
}
END_TEST

/* --- space --- */

/* A linked clone writes 4 KiB into a grain of 64 KiB that it shares: the grain is read, the rest of it
 * written with the write, and one grain allocated; the second write there is an ordinary one. */
START_TEST(test_copy_on_write)
{
    struct desk *d = desk_open(
        lab_open("vlab: 1\nname: t\nrun: {duration: 30s}\n"
                 "hosts: [{name: h, cpu: {cores: 2}, disks: [{name: d, bandwidth: 1MB/s, pool: 1GB}]}]\n"
                 "vms:\n"
                 "  - {name: base, host: h, disk: {size: 1MiB, used: 1MiB, provision: thin}, workload: "
                 "{steps: [{sleep: 1s}]}}\n"
                 "  - {name: c, host: h, disk: {from: base, clone: linked}, workload: {threads: 1, until: "
                 "{count: 1}, steps: [\n"
                 "     {disk: {write: 4KiB}}]}}\n"));
    desk_run(d, 10 * S);
    ck_assert_int_eq(counted(d, 1, REC_N_DISK_OPS), 1);
    ck_assert_int_eq(counted(d, 1, REC_N_DISK_BYTES), 4096);
    ck_assert_int_eq(dev_counted(d, REC_N_DISK_OPS), 2);
    ck_assert_int_eq(dev_counted(d, REC_N_DISK_BYTES), 2 * 65536);
    ck_assert_int_eq(level(d, 1, REC_L_DISK_ALLOCATED), 65536);
    ck_assert_int_eq(level(d, 0, REC_L_DISK_ALLOCATED), 1 << 20);
    for (size_t i = 0; i < d->n; i++)
        if (d->recs[i].kind == REC_IO && d->recs[i].vm == 1)
            ck_assert_int_eq(d->recs[i].value, 2 * 65536 * US);
    desk_close(d);
}
END_TEST

/* What is cloned has what its original has, whenever the original is powered on. */
START_TEST(test_full_clone)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 10s}\n"
        "hosts: [{name: h, cpu: {cores: 2}, disks: [{name: d, pool: 1GB}]}]\n"
        "vms:\n"
        "  - {name: base, host: h, start: 5s, disk: {size: 64MiB, used: 1MiB, provision: thin}, workload: "
        "{steps: "
        "[{sleep: 1s}]}}\n"
        "  - {name: c, host: h, disk: {from: base, provision: thin}, workload: {steps: [{sleep: 1s}]}}\n");
    lab_run(l, 1);
    ck_near(lab_value(l, "vm.c", "disk.allocated", "max"), 1 << 20, 0);
    ck_near(lab_value(l, "host.h.disk.d", "disk.allocated", "mean"), 2 << 20, 0);
    lab_close(l);
}
END_TEST

/* Two writers and a pool of ten grains. When it is full they wait, a reader goes on; every grain that the
 * trimming VM gives back lets one of them on, first come first served; then the pool grows. */
#define CROWD                                                                                                \
    "vlab: 1\nname: t\nrun: {duration: 1000s}\n"                                                             \
    "hosts: [{name: h, cpu: {cores: 4}, disks: [{name: d, iops: 1000/s, pool: 640KiB, grain: 64KiB}]}]\n"    \
    "vms:\n"                                                                                                 \
    "  - {name: a, count: 2, host: h, disk: {size: 1GB, provision: thin}, workload: {threads: 1, steps: "    \
    "[{sleep: 1s},\n"                                                                                        \
    "     {disk: {write: 64KiB, pattern: sequential}}]}}\n"                                                  \
    "  - {name: b, host: h, disk: {size: 1GB, provision: thin}, workload: {threads: 1, steps: [{sleep: "     \
    "1s}, {disk: {read: 4KiB}}]}}\n"                                                                         \
    "  - {name: c, host: h, disk: {size: 256KiB, used: 256KiB, provision: thin}, workload: {threads: 1, "    \
    "steps: [{sleep: 10s},\n"                                                                                \
    "     {disk: {trim: 32KiB, pattern: sequential}}]}}\n"

START_TEST(test_full_pool)
{
    struct desk *d = desk_open(lab_open(CROWD));
    desk_run(d, 9 * S); /* 4 grains used, 3 + 3 written; the fourth writes wait */
    ck_assert_uint_eq(d->m->vms[0].done + d->m->vms[1].done, 6);
    ck_assert_int_eq(level(d, 0, REC_L_DISK_QUEUE), 1);
    ck_assert_int_eq(level(d, 0, REC_L_DISK_ALLOCATED), 3 * 65536);
    ck_assert_uint_eq(events_of(d, REC_EV_POOL_ALARM, true), 1);
    ck_assert_uint_eq(events_of(d, REC_EV_POOL_FULL, true), 1);
    ck_assert_uint_eq(events_of(d, REC_EV_POOL_FULL, false), 2);
    ck_assert_uint_eq(d->m->vms[2].done, 8); /* reads go on */
    desk_run(d, 15 * S);                     /* half a grain trimmed: not yet */
    ck_assert_uint_eq(d->m->vms[0].done + d->m->vms[1].done, 6);
    desk_run(d, 20 * S + S / 2); /* a whole one: the first of the two goes on */
    ck_assert_uint_eq(d->m->vms[0].done, 4);
    ck_assert_uint_eq(d->m->vms[1].done, 3);
    ck_assert_uint_eq(events_of(d, REC_EV_POOL_ROOM, true), 0); /* somebody still waits */
    desk_run(d, 40 * S + S / 2); /* the second, whose turn was before the first's next */
    ck_assert_uint_eq(d->m->vms[1].done, 4);
    ck_assert_uint_eq(d->m->vms[0].done, 4);
    disk_grow(d->m, 0, 10 * 65536);
    ck_assert_uint_eq(d->m->vms[0].done, 4); /* told by an event, not in the middle of this */
    desk_run(d, 41 * S);
    ck_assert_uint_eq(events_of(d, REC_EV_POOL_ROOM, true), 1);
    ck_assert_uint_eq(d->m->vms[0].done, 5);
    desk_run(d, 100 * S); /* 16 + 4 grains in all, the rest of the trimmer's given back: full again */
    ck_assert_uint_eq(events_of(d, REC_EV_POOL_FULL, true), 2);
    desk_close(d);
}
END_TEST

/* Who needs four grains waits for two; who then needs one waits behind it, though there is one; who needs
 * none does not wait. */
START_TEST(test_first_come)
{
    struct desk *d = desk_open(lab_open(
        "vlab: 1\nname: t\nrun: {duration: 1000s}\n"
        "hosts: [{name: h, cpu: {cores: 3}, disks: [{name: d, iops: 1000/s, pool: 448KiB, grain: 64KiB}]}]\n"
        "vms:\n"
        "  - {name: a, host: h, disk: {size: 1GB, provision: thin}, workload: {threads: 1, steps: [{sleep: "
        "2s},\n"
        "     {disk: {write: 256KiB, pattern: sequential}}]}}\n"
        "  - {name: b, host: h, disk: {size: 1GB, provision: thin}, workload: {threads: 1, steps: [{sleep: "
        "5s},\n"
        "     {disk: {write: 64KiB, pattern: sequential}}]}}\n"
        "  - {name: c, host: h, disk: {size: 64KiB, provision: thick}, workload: {threads: 1, steps: "
        "[{sleep: 1s},\n"
        "     {disk: {write: 64KiB}}]}}\n"));
    desk_run(d, 6 * S);
    ck_assert_uint_eq(d->m->vms[0].done, 1);
    ck_assert_uint_eq(d->m->vms[1].done, 0);
    ck_assert_uint_eq(d->m->vms[2].done, 5);
    disk_grow(d->m, 0, 2 * 65536);
    desk_run(d, 7 * S);
    ck_assert_uint_eq(d->m->vms[0].done, 2);
    ck_assert_uint_eq(d->m->vms[1].done, 0);
    disk_grow(d->m, 0, 65536);
    desk_run(d, 8 * S - S / 2);
    ck_assert_uint_eq(d->m->vms[1].done, 1);
    ck_assert_uint_eq(d->m->vms[2].done, 7);
    desk_close(d);
}
END_TEST

START_TEST(test_destroyed)
{
    struct desk *d = desk_open(lab_open(CROWD));
    desk_run(d, 9 * S);
    power_destroy(d->m, &d->m->vms[1]); /* its writer waits, too: forgotten */
    cpu_settle(d->m, d->m->vms[1].host);
    book_settle(d->m);
    desk_run(d, 9 * S + S / 2);
    ck_assert_uint_eq(d->m->vms[0].done, 4);
    ck_assert_int_eq(level(d, 1, REC_L_DISK_ALLOCATED), 0);
    ck_assert_int_eq(level(d, 1, REC_L_DISK_QUEUE), 0);
    desk_close(d);
}
END_TEST

START_TEST(test_snapshots)
{
    struct desk *d = desk_open(lab_open(
        "vlab: 1\nname: t\nrun: {duration: 1000s}\n"
        "hosts: [{name: h, disks: [{name: d, pool: 64MiB, grain: 64KiB}]}]\n"
        "vms: [{name: a, host: h, disk: {size: 1MiB, used: 1MiB, provision: thin}, workload: {threads: 1,\n"
        "  steps: [{sleep: 1s}, {disk: {write: 64KiB, pattern: sequential}}]}}]\n"));
    desk_run(d, S / 2);
    ck_assert_uint_eq(disk_snapshot(d->m, &d->m->vms[0]), 0);
    desk_run(d, 4 * S + S / 2);
    ck_assert_int_eq(level(d, 0, REC_L_DISK_ALLOCATED), 20 * 65536);
    ck_assert_uint_eq(disk_snapshot(d->m, &d->m->vms[0]), 1);
    desk_run(d, 16 * S + S / 2); /* the other 12: on account of both snapshots */
    ck_assert_int_eq(level(d, 0, REC_L_DISK_ALLOCATED), 32 * 65536);
    desk_run(d, 18 * S + S / 2); /* 2 of the first 4 again, for the second snapshot alone */
    ck_assert_int_eq(level(d, 0, REC_L_DISK_ALLOCATED), 34 * 65536);
    disk_forget(d->m, &d->m->vms[0], 0); /* it alone had the first 4 */
    desk_run(d, 18 * S + S / 2);
    ck_assert_int_eq(level(d, 0, REC_L_DISK_ALLOCATED), 30 * 65536);
    disk_forget(d->m, &d->m->vms[0], 1);
    desk_run(d, 100 * S);
    ck_assert_int_eq(level(d, 0, REC_L_DISK_ALLOCATED), 16 * 65536);
    desk_close(d);
}
END_TEST

/* --- ways in --- */

/* A type 2 host's stack takes CPU time before the device does, and counts in the latency. */
START_TEST(test_type_two)
{
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 10s}\n"
                             "hosts: [{name: h, profile: modern, hypervisor: {type: 2}, cpu: {cores: 2, "
                             "switch_cost: 0us, tick: 0ms},\n"
                             "         disks: [{name: d, iops: 1000/s}]}]\n"
                             "vms: [{name: a, host: h, disk: d, workload: {threads: 1, steps: [{sleep: "
                             "10ms}, {disk: {read: 4KiB}}]}}]\n");
    int64_t ps = lab_scenario(l)->hosts[0].modes->host_io_ps;
    lab_run(l, 1);
    ck_assert_int_gt(ps, 0);
    double least = 1e-3 + (double)ps * 1e-12;
    double got = lab_value(l, "vm.a", "disk.latency", "mean");
    ck_assert_msg(got > least - 1e-9 && got < least * 1.01, "%g, wanted %g and a little", got, least);
    lab_close(l);
}
END_TEST

/* The same requests, in whatever order VMs stand in the file, and whoever else is there. */
START_TEST(test_own_stream)
{
    double mean[2];
    for (int i = 0; i < 2; i++) {
        struct lab *l = lab_open(
            "vlab: 1\nname: t\nrun: {duration: 10s}\n"
            "hosts: [{name: h, cpu: {cores: 2}, disks: [{name: d, model: hdd}, {name: e, model: hdd}]}]\n"
            "vms:\n%s"
            "  - {name: a, host: h, disk: d, workload: {threads: 1, steps: [{disk: {read: 4KiB}}]}}\n",
            i ? "  - {name: b, host: h, disk: e, workload: {threads: 3, steps: [{disk: {read: 4KiB}}]}}\n"
              : "");
        lab_run(l, 1);
        mean[i] = lab_value(l, "vm.a", "disk.latency", "mean");
        lab_close(l);
    }
    ck_near(mean[0], mean[1], 0);
}
END_TEST

Suite *disk_suite(void)
{
    Suite *s = suite_create("disk");
    TCase *t = tcase_create("disk");
    tcase_set_timeout(t, 30);
    suite_add_tcase(s, t);
    tcase_add_test(t, test_ssd_distinct);
    tcase_add_test(t, test_ssd_large);
    tcase_add_test(t, test_ssd_garbage);
    tcase_add_test(t, test_guest_cache);
    tcase_add_test(t, test_no_exit);
    tcase_add_test(t, test_write_back);
    tcase_add_test(t, test_flush);
    tcase_add_test(t, test_shared_fetch);
    tcase_add_test(t, test_copy_on_write);
    tcase_add_test(t, test_full_clone);
    tcase_add_test(t, test_full_pool);
    tcase_add_test(t, test_first_come);
    tcase_add_test(t, test_destroyed);
    tcase_add_test(t, test_snapshots);
    tcase_add_test(t, test_type_two);
    tcase_add_test(t, test_own_stream);
    return s;
}
