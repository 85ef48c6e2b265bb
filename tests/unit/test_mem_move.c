// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory that moves, to the ns and to the page: a wait that goes along, what swap is still told while a log
 * is taken, no room. Random lives are in tests/properties/test_memory_lives.c. */
#include "model/host.h"
#include "model/mem_reclaim.h"
#include "model/power.h"
#include "tests/memlab.h"

Suite *mem_move_suite(void);

#define HOSTS_OF(kib)                                                                                        \
    "vlab: 1\nname: t\nrun: {duration: 1s}\ncloud: {overcommit: {cpu: unlimited, memory: "                   \
    "unlimited}}\nhosts:\n"                                                                                  \
    "  - {name: g, cpu: {cores: 1}, disks: [{name: d}], memory: {size: " kib                                 \
    ", page: 4KiB, reclaim: [swap], swap: "                                                                  \
    "d, replacement: fifo}}\n"                                                                               \
    "  - {name: h, cpu: {cores: 1, speed: 2}, memory: {size: 1MiB, page: 4KiB}}\n"

static void move_now(struct memlab *l, uint32_t vm, uint32_t to, bool behind)
{
    struct model *m = l->m;
    struct mhost *from = m->vms[vm].host;
    power_hold(m, &m->vms[vm], HOLD_MIGRATE);
    m->vms[vm].behind = behind;
    host_move(m, &m->vms[vm], &m->hosts[to]);
    m->vms[vm].behind = false;
    power_release(m, &m->vms[vm], HOLD_MIGRATE);
    cpu_settle(m, from);
    cpu_settle(m, &m->hosts[to]);
    book_settle(m);
}

/* Three pages in two frames, in turn; the fifth reference, the last, waits for its page behind a write when
 * the VM leaves. It goes on there at once, and computes at the other host's speed. */
START_TEST(a_wait_ends_where_it_goes)
{
    struct lab *lab = lab_open(HOSTS_OF(
        "8KiB") "vms: [{name: a, host: g, memory: 1MiB, workload: {kind: loop, until: "
                "{count: 1}, steps: [{cpu: 2ns}, {touch: {pages: 5, of: 12KiB, pattern: cyclic}}, {cpu: "
                "1ms}]}}]\nevents: [{at: 900ms, migrate: a, to: h}]\n");
    struct memlab *l = memlab_new(lab, 1, 10000);
    const struct vm *vm = &l->m->vms[0];
    memlab_to(l, 45000);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_FAULTS), 2);
    ck_assert_int_eq(vm->tasks[0].touch->stage, TOUCH_FETCH);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_SWAPIN), 2 * 4096);
    move_now(l, 0, 1, false);
    ck_assert_int_eq(vm->mem->resident, 3);
    memlab_to(l, 45000 + 499999);
    ck_assert_uint_eq(vm->done, 0);
    memlab_to(l, 45000 + 500000);
    ck_assert_uint_eq(vm->done, 1);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_REFS), 5);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_FAULTS), 2);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_SOFTFAULTS), 3);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 0);
    ck_assert_int_eq(l->m->hosts[0].mem->in_flight, 0);
    ck_assert_int_eq(l->m->hosts[1].mem->used, 3);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* Taking the log takes nothing from what swap must be told, the host's or the guest's: all but the first two
 * frames' evictions write. Each page is written again long after the log was last taken, but for the first
 * four. */
START_TEST(a_log_loses_no_write)
{
    bool balloon = _i & 1, often = _i & 2;
    struct lab *lab = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 1s}\ncloud: {overcommit: {cpu: unlimited, memory: unlimited}}\n"
        "storage: [{name: san, hosts: [g, h]}]\nhosts:\n"
        "  - {name: g, cpu: {cores: 1}, disks: [{name: d}], memory: {size: 8KiB, page: 4KiB, reclaim: [%s], "
        "swap: d, "
        "replacement: fifo, balloon: {rate: 0MB/s, max: 100%%}}}\n"
        "  - {name: h, cpu: {cores: 1}, memory: {size: 1MiB, page: 4KiB}}\n"
        "vms: [{name: a, host: g, memory: {size: 16KiB, swap: san}, workload: {kind: loop, until: {count: "
        "1}, steps: "
        "[{cpu: 2ns}, {touch: {pages: 40, of: 16KiB, pattern: cyclic, write: 100%%}}, {cpu: 1s}]}}]\n"
        "events: [{at: 900ms, migrate: a, to: h}]\n",
        balloon ? "balloon, swap" : "swap");
    struct memlab *l = memlab_new(lab, 1, 10000);
    struct vm *vm = &l->m->vms[0];
    int64_t taken = 0, own = 0;
    memlab_to(l, 5000);
    mem_log(l->m, vm, true);
    while (sim_now(l->m->sim) < 5000000) {
        memlab_to(l, sim_now(l->m->sim) + 7000);
        if (often) taken += mem_log_take(l->m, vm);
        own += vm->mem->reclaim->guest_swapped;
    }
    taken += mem_log_take(l->m, vm);
    mem_log(l->m, vm, false);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_REFS), 40);
    ck_assert_int_eq(taken, often ? 40 - 4 : 4);
    ck_assert_uint_eq(l->writes, 38);
    ck_assert_int_eq(own > 0, balloon);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* No room for one that waits for a page: it ends, and nobody else does, though it wants a frame at once. */
START_TEST(no_room_for_one)
{
    struct lab *lab =
        lab_open("vlab: 1\nname: t\nrun: {duration: 1s}\ncloud: {overcommit: {cpu: unlimited, memory: "
                 "unlimited}}\nhosts:\n"
                 "  - {name: g, cpu: {cores: 1}, disks: [{name: d}], memory: {size: 8KiB, page: 4KiB, "
                 "reclaim: [swap], swap: d, "
                 "replacement: fifo}}\n"
                 "  - {name: h, cpu: {cores: 1}, memory: {size: 40KiB, page: 4KiB, reclaim: [share]}}\nvms:\n"
                 "  - {name: a, host: g, memory: 1MiB, workload: {kind: loop, until: {count: 1}, steps: "
                 "[{cpu: 2ns}, {touch: "
                 "{pages: 5, of: 12KiB, pattern: cyclic}}, {cpu: 1ms}]}}\n"
                 "  - {name: b, host: h, memory: 1MiB, workload: {kind: loop, until: {count: 1}, steps: "
                 "[{touch: {pages: 9, of: "
                 "36KiB, pattern: cyclic}}, {cpu: 1ms}]}}\nevents: [{at: 900ms, migrate: a, to: h}]\n");
    struct memlab *l = memlab_new(lab, 1, 10000);
    memlab_to(l, 45000);
    ck_assert_int_eq(l->m->vms[0].tasks[0].touch->stage, TOUCH_FETCH);
    move_now(l, 0, 1, false);
    memlab_to(l, 500000);
    ck_assert(l->m->vms[0].off && !l->m->vms[1].off);
    ck_assert_int_eq(l->m->hosts[1].mem->used, 9);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 0);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

Suite *mem_move_suite(void)
{
    Suite *s = suite_create("mem_move");
    TCase *t = tcase_create("mem_move");
    tcase_add_test(t, a_wait_ends_where_it_goes);
    tcase_add_loop_test(t, a_log_loses_no_write, 0, 4);
    tcase_add_test(t, no_room_for_one);
    suite_add_tcase(s, t);
    return s;
}
