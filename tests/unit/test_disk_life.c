// SPDX-License-Identifier: GPL-3.0-or-later
/* What a crash leaves of a guest's writes: those acknowledged after a flush are on the medium, and of the
 * others it is known how many bytes are not. */
#include "model/disk_inner.h"
#include "tests/lifelab.h"

Suite *disk_life_suite(void);

/* Three writes of 64 KiB into a cache of 64 KiB before a pool of one grain: the first is on the disk, the
 * second waits for the pool, the third is in the cache. */
START_TEST(what_waits_for_the_pool_is_lost_too)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\n"
        "hosts: [{name: h, disks: [{name: d, bandwidth: 100MB/s, pool: 64KiB, grain: 64KiB}]}]\n"
        "vms: [{name: a, host: h, disk: {on: d, size: 1MiB, provision: thin, cache: 64KiB}, workload: {"
        "steps: [{sleep: 1s}, {disk: {write: 64KiB, pattern: sequential}}]}}]\n"
        "events: [{at: 5s, %s: a}]\n",
        _i ? "unplug" : "fail");
    life_run(l, 1);
    ck_near(life_total(l, "host.h.disk.d", "disk.bytes"), 65536, 0);
    ck_near(life_lost(l), 131072, 0);
    lab_close(l);
}
END_TEST

/* Once a write-back waits for the pool, no flush is over before it: not even one whose own block has room. */
START_TEST(a_flush_waits_for_every_write_back)
{
    struct lab *lab = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 20s, seed: 1}\n"
        "hosts: [{name: h, disks: [{name: d, iops: 500, bandwidth: 100MB/s, pool: 448KiB, grain: 64KiB}]}]\n"
        "vms: [{name: a, host: h, disk: {on: d, size: 512KiB, provision: thin, cache: 128KiB}, workload: {"
        "threads: 8, steps: [{sleep: {exponential: 20ms}}, {disk: {write: 4KiB, flush: true}}]}}]\n"
        "events: [{at: 10s, grow: h/d, by: 512KiB}]\n");
    struct life l = {.lab = lab};
    life_begin(&l, (uint64_t)_i + 1);
    const struct disk_dev *dev = l.m->disks->devs;
    const struct vm *vm = life_vm(&l, "a");
    int64_t t = 0;
    while (!dev->starved && t < 9 * LIFE_SEC)
        life_to(&l, t += 10000);
    ck_assert_ptr_nonnull(dev->starved);
    life_to(&l, t + 100 * LIFE_MS); /* those that were on the device by then may end */
    uint64_t began = vm->done;
    life_to(&l, 9 * LIFE_SEC);
    ck_assert_uint_eq(vm->done, began);
    life_to(&l, 12 * LIFE_SEC);
    ck_assert_uint_ne(vm->done, began);
    life_end(&l);
    rec_block_flush(&l.out);
    lab_close(lab);
}
END_TEST

Suite *disk_life_suite(void)
{
    Suite *s = suite_create("disk_life");
    TCase *tc = tcase_create("disk_life");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, what_waits_for_the_pool_is_lost_too, 0, 2);
    tcase_add_loop_test(tc, a_flush_waits_for_every_write_back, 0, 5);
    suite_add_tcase(s, tc);
    return s;
}
