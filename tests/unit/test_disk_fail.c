// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks that fail, and whose requests are where meanwhile: at the device, in its cache, in the line for its
 * pool, in the stack of a host. */
#include "model/thread.h"
#include "tests/disklab.h"

Suite *disk_fail_suite(void);

/* --- a device that is away goes on where it was --- */

static const char *const devices[] = {"bandwidth: 1MB/s, iops: 100",
                                      "bandwidth: 1MB/s, latency: 500ms",
                                      "bandwidth: 100MB/s, latency: 2s",
                                      "model: ssd, read: 100ms, program: 250ms",
                                      "model: ssd, read: {exponential: 100ms}",
                                      "model: hdd"};

/* Two requests, one behind or beside the other: each takes as much longer as the device was away. Two
 * failures that overlap are over when both are. */
START_TEST(goes_on_where_it_was)
{
    static const char *const kinds[] = {"write: 1MB", "read: 1MB, pattern: sequential"};
    double took[4], more = 0;
    for (int away = 0; away < 4; away++) {
        char events[200] = "";
        if (away) { /* a fifth, two fifths and three of what it took; and another time meanwhile */
            double at = 1 + took[0] * .2 * away, other = away == 3 ? 1 : .001;
            snprintf(events, sizeof events,
                     "events: [{at: %.0fns, fail: h/d, for: 2s}, {at: 2500ms, fail: h/d, for: %.0fms}]\n",
                     at * 1e9, other * 1e3);
            more = 2 + other;
            if (at <= 2.5 + other && 2.5 <= at + 2) more = fmax(at + 2, 2.5 + other) - fmin(at, 2.5);
        }
        struct lab *l = lab_open(
            "vlab: 1\nname: t\nrun: {duration: 20s, seed: 1}\nhosts: [{name: h, disks: [{name: d, %s}]}]\n"
            "vms: [{name: a, host: h, disk: {on: d, size: 1GiB}, workload: {threads: 2, until: {count: 2}, "
            "steps: [{sleep: 1s}, {disk: {%s}}]}}]\n%s",
            devices[_i / 2], kinds[_i % 2], events);
        life_run(l, 1);
        ck_near(life_total(l, "vm.a", "disk.ops"), 2, 0);
        took[away] = lab_value(l, "vm.a", "disk.latency", "max");
        ck_near(took[away], took[0] + more, 2e-9);
        lab_close(l);
    }
}
END_TEST

/* Nor does its cache answer: a read of what it holds waits as well. */
START_TEST(a_failed_cache_answers_nobody)
{
    struct life l = {
        .lab = lab_open("vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\n"
                        "hosts: [{name: h, disks: [{name: d, iops: 1000, cache: 1MiB}]}]\n"
                        "vms: [{name: a, host: h, disk: {on: d, size: 64KiB, used: 64KiB}, workload: {"
                        "steps: [{sleep: 10ms}, {disk: {read: 4KiB}}]}}]\n"
                        "events: [{at: 3s, fail: h/d, for: 2s}]\n")};
    life_begin(&l, 1);
    const struct vm *vm = life_vm(&l, "a");
    life_to(&l, 3 * LIFE_SEC);
    int64_t moved = l.m->dev_books[0].count[REC_N_DISK_BYTES];
    uint64_t done = vm->done;
    ck_assert_int_eq(moved, 65536); /* it holds the whole disk */
    life_to(&l, 5 * LIFE_SEC - 1);
    ck_assert_uint_eq(vm->done, done);
    life_to(&l, 6 * LIFE_SEC);
    ck_assert_uint_ge(vm->done, done + 99);
    ck_assert_int_le(l.m->dev_books[0].count[REC_N_DISK_BYTES], moved + 4096);
    life_end(&l);
    lab_close(l.lab);
}
END_TEST

/* --- the line for the pool --- */

/* Who needs four grains waits for two, another who needs one waits behind it. The first crashes: its request
 * is forgotten, and for the second there is room. */
START_TEST(a_crash_lets_others_pass)
{
    struct life l = {
        .lab =
            lab_open("vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\n"
                     "hosts: [{name: h, cpu: {cores: 2}, disks: [{name: d, iops: 1000, pool: 128KiB, grain: "
                     "64KiB}]}]\nvms:\n"
                     "- {name: a, host: h, disk: {on: d, size: 1MiB, provision: thin}, workload: {until: "
                     "{count: 1}, steps: [{sleep: 1s}, {disk: {write: 256KiB}}]}}\n"
                     "- {name: b, host: h, disk: {on: d, size: 1MiB, provision: thin}, workload: {until: "
                     "{count: 1}, steps: [{sleep: 2s}, {disk: {write: 64KiB}}]}}\n"
                     "events: [{at: 4s, %s: a}]\n",
                     _i == 0   ? "fail"
                     : _i == 1 ? "unplug"
                               : "destroy")};
    life_begin(&l, 1);
    life_to(&l, 4 * LIFE_SEC - 1);
    ck_assert_uint_eq(life_vm(&l, "b")->done, 0);
    life_to(&l, 5 * LIFE_SEC);
    ck_assert_uint_eq(life_vm(&l, "b")->done, 1);
    ck_assert_ptr_null(l.m->disks->devs->starved);
    life_end(&l);
    lab_close(l.lab);
}
END_TEST

/* A write-back of two grains waits for the second; the first is there, and one of its blocks is written
 * again and flushed. What is newer is on the medium last: it waits behind, and a crash loses that block
 * once. */
START_TEST(a_write_back_stays_behind_an_older_one)
{
    struct life l = {
        .lab = lab_open("vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\n"
                        "hosts: [{name: h, disks: [{name: d, iops: 1000, pool: 128KiB, grain: "
                        "64KiB}]}]\n"
                        "vms: [{name: a, host: h, disk: {on: d, size: 1MiB, provision: thin, "
                        "cache: 256KiB}, workload: {steps: [{sleep: 1s}]}}, {name: b, host: h, disk: {on: d, "
                        "size: 64KiB, cache: 64KiB}, workload: {steps: [{sleep: 1s}]}}]\n")};
    life_begin(&l, 1);
    struct vdisk *vd = disklab_disk(l.m, 0);
    life_to(&l, LIFE_SEC);
    uint64_t first = disklab_ask(l.m, vd, 0, 4096, true, true);
    life_to(&l, 2 * LIFE_SEC);
    ck_assert(disklab_over(l.m, first));
    uint64_t old = disklab_ask(l.m, vd, 32768, 65536, true, true);
    life_to(&l, 3 * LIFE_SEC);
    uint64_t young = disklab_ask(l.m, vd, 40960, 4096, true, true);
    uint64_t apart = disklab_ask(l.m, vd, 4096, 4096, true, true); /* but a flush waits for all */
    uint64_t other = disklab_ask(l.m, disklab_disk(l.m, 1), 40960, 4096, true, true);
    life_to(&l, 4 * LIFE_SEC);
    ck_assert(disklab_over(l.m, other)); /* of another disk: nothing to it */
    ck_assert(!disklab_over(l.m, old) && !disklab_over(l.m, young) && !disklab_over(l.m, apart));
    int64_t moved = l.m->dev_books[0].count[REC_N_DISK_BYTES];
    ck_assert_int_eq(moved, 3 * 4096); /* the first, the last and the other's */
    if (_i == 0) {
        disk_grow(l.m, 0, 65536);
        disklab_settle(l.m);
        life_to(&l, 5 * LIFE_SEC);
        ck_assert(disklab_over(l.m, old) && disklab_over(l.m, young) && disklab_over(l.m, apart));
        ck_assert_int_eq(l.m->dev_books[0].count[REC_N_DISK_BYTES], moved + 65536 + 4096);
    } else {
        ck_assert_int_eq(disk_crash(l.m, vd->vm), 65536);
        disklab_settle(l.m);
        ck_assert_uint_eq(disklab_kept(l.m), 0);
    }
    life_end(&l);
    lab_close(l.lab);
}
END_TEST

/* --- the I/O stack of a host --- */

#define STACK                                                                                                \
    "vlab: 1\nname: t\nrun: {duration: 20s, seed: 1}\nhosts: [{name: h, count: 2, profile: modern, "         \
    "hypervisor: {type: 2, host_io: 10ms}, cpu: {cores: 2}}]\nstorage: [{name: san, hosts: [h-0, h-1], "     \
    "iops: 1000}]\n"

/* A write-back and a read are in the stack. Of a VM that fails alone, or that moved away before its old host
 * fails, both are done; with its host they are gone, and the block is lost. */
START_TEST(a_stack_goes_with_its_host)
{
    struct life l = {.lab = lab_open(STACK "vms: [{name: a, host: h-0, disk: {on: san, size: 1MiB, cache: "
                                           "64KiB}, workload: {steps: [{sleep: 1s}]}}]\n"
                                           "events: [{at: 19s, migrate: a, to: h-1}]\n")};
    life_begin(&l, 1);
    struct vdisk *vd = disklab_disk(l.m, 0);
    const struct thread *t = &l.m->threads[l.m->hosts[0].first_thread];
    life_to(&l, LIFE_SEC);
    uint64_t write = disklab_ask(l.m, vd, 0, 4096, true, true),
             read = disklab_ask(l.m, vd, 8192, 4096, false, false);
    life_to(&l, LIFE_SEC + 5 * LIFE_MS);
    ck_assert_uint_eq(t->n, 2);
    if (_i == 1) host_move(l.m, vd->vm, &l.m->hosts[1]);
    if (_i == 0)
        power_fail(l.m, vd->vm, REC_WHY_GUEST);
    else
        host_fail(l.m, &l.m->hosts[0], REC_WHY_HOST);
    disklab_settle(l.m);
    life_check(&l);
    ck_assert_uint_eq(t->n, _i == 0 ? 2 : 0);
    ck_assert_uint_eq(disklab_kept(l.m), _i == 2 ? 0 : 3); /* the one that asked for the write, too */
    life_to(&l, 2 * LIFE_SEC);
    ck_assert(disklab_over(l.m, write) && disklab_over(l.m, read));
    ck_assert_int_eq(l.m->dev_books[0].count[REC_N_DISK_OPS], _i == 2 ? 0 : 2);
    ck_assert_int_eq(vd->vm->book->level[REC_L_DISK_QUEUE], 0);
    if (_i) host_repair(l.m, &l.m->hosts[0]);
    disklab_settle(l.m);
    if (_i == 0) power_on(l.m, vd->vm);
    write = disklab_ask(l.m, vd, 0, 4096, true, true); /* and it goes on as ever */
    life_to(&l, 3 * LIFE_SEC);
    ck_assert(disklab_over(l.m, write));
    ck_assert_int_eq(l.m->dev_books[0].count[REC_N_DISK_OPS], _i == 2 ? 1 : 3);
    ck_assert_uint_eq(disklab_kept(l.m), 0);
    life_end(&l);
    lab_run(l.lab, 1);
    lab_close(l.lab);
}
END_TEST

/* Tasks that wait for requests in the stack of a host that fails: what they were at is done again when it is
 * back, and the bytes that are lost are told. */
START_TEST(tasks_outlive_the_stack)
{
    static const char *const steps[] = {"{disk: {write: 4KiB}}", "{disk: {read: 4KiB}}",
                                        "{disk: {write: 4KiB, flush: true}}, {disk: {write: 4KiB}}"};
    struct lab *l = lab_open(STACK "vms: [{name: a, host: h-0, disk: {on: san, size: 1MiB, cache: %s}, "
                                   "workload: {threads: 4, until: {count: 400}, steps: [%s]}}]\n"
                                   "events: [{at: 1s, fail: h-0, for: 1s}, {at: 3005ms, fail: h-0, for: "
                                   "1s}, {at: 5s, fail: san, for: 1s}, {at: 5500ms, fail: h-0, for: 1s}]\n",
                             _i < 2 ? "0B" : "64KiB", steps[_i]);
    life_run(l, 1);
    ck_near(life_total(l, "vm.a", "work.done"), 400, 0);
    ck_near(lab_value(l, "vm.a", "cpu.down", "total"), 3, 1e-9);
    ck_assert_int_eq(life_count(l, "vm.a", "dirty-lost") > 0, _i == 2);
    lab_close(l);
}
END_TEST

Suite *disk_fail_suite(void)
{
    Suite *s = suite_create("disk_fail");
    TCase *tc = tcase_create("disk_fail");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, goes_on_where_it_was, 0, 2 * sizeof devices / sizeof *devices);
    tcase_add_test(tc, a_failed_cache_answers_nobody);
    tcase_add_loop_test(tc, a_crash_lets_others_pass, 0, 3);
    tcase_add_loop_test(tc, a_write_back_stays_behind_an_older_one, 0, 2);
    tcase_add_loop_test(tc, a_stack_goes_with_its_host, 0, 3);
    tcase_add_loop_test(tc, tasks_outlive_the_stack, 0, 3);
    suite_add_tcase(s, tc);
    return s;
}
