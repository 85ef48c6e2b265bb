// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs come and go while others run, at random, under all classes with pins, limits, reservations and
 * co-scheduling: what must hold holds after every call (sched_world.h), and a seat that somebody had before
 * is as new. */
#include "tests/properties/sched_world.h"

Suite *sched_seat_suite(void);

#define MS INT64_C(1000000)

static const char *const names[] = {"rr", "credit", "cfs", "eevdf", "stride", "bvt"};
enum { SEEDS = 30, ROOM_VMS = 10, ROOM_VCPUS = 24, BASE = 3, NOBODY = WORLD_VMS - 1 };

static uint64_t pins[BASE];

static struct world_vm random_vm(struct world *w, bool gangs)
{
    struct rng *r = &w->rng;
    struct world_vm vm = {.weight = 1 + rng_u32(r) % 10000, .n_vcpus = 1 + rng_u32(r) % 4, .period = 10 * MS};
    if (rng_u32(r) % 3 == 0) vm.pins = &pins[rng_u32(r) % BASE];
    if (rng_u32(r) % 3 == 0) {
        vm.period = (1 + rng_u32(r) % 50) * MS;
        vm.quota = 1 + vm.period * (rng_u32(r) % 200) / 100;
    }
    if (rng_u32(r) % 3 == 0) vm.reservation = 1 + rng_u32(r) % 100000;
    if (rng_u32(r) % 2) {
        vm.work = 1 + rng_u32(r) % (8 * MS);
        vm.sleep = 1 + rng_u32(r) % (8 * MS);
    }
    if (gangs && !vm.pins) vm.cosched = (enum sched_cosched)(rng_u32(r) % 4);
    return vm;
}

static uint32_t attach(struct world *w, struct world_vm vm)
{
    struct sched_vm_cfg cfg = {vm.weight, 77,        vm.n_vcpus, vm.reservation,
                               vm.quota,  vm.period, vm.pins,    vm.cosched};
    uint32_t i = sched_attach(w->s, &cfg, w->now, &vm.first);
    if (i == SCHED_NONE) return i;
    MUST(i < ROOM_VMS + BASE && vm.first + vm.n_vcpus <= ROOM_VCPUS + BASE);
    MUST(i >= w->cfg.n_vms || w->vm[i].n_vcpus == 0);
    vm.period_no = vm.quota ? w->now / vm.period : 0;
    w->vm[i] = vm;
    if (i >= w->cfg.n_vms) w->cfg.n_vms = i + 1;
    for (uint32_t v = vm.first; v < vm.first + vm.n_vcpus; v++) {
        MUST(v >= w->cfg.n_vcpus || w->v[v].vm == NOBODY);
        w->v[v] = (struct world_vcpu){.vm = i, .work = vm.work ? 0 : -1, .wake_at = -1, .on = SCHED_NONE};
    }
    if (vm.first + vm.n_vcpus > w->cfg.n_vcpus) w->cfg.n_vcpus = vm.first + vm.n_vcpus;
    for (uint32_t v = vm.first; v < vm.first + vm.n_vcpus; v++)
        world_wake(w, v);
    return i;
}

static void detach(struct world *w, uint32_t i)
{
    struct world_vm *vm = &w->vm[i];
    for (uint32_t v = vm->first; v < vm->first + vm->n_vcpus; v++) {
        uint32_t p = w->v[v].on;
        if (p != SCHED_NONE) world_stop(w, p);
        if (sched_where(w->s, v) != SCHED_BLOCKED) sched_block(w->s, v, w->now);
        w->v[v].told = SCHED_BLOCKED; /* we said so ourselves */
        world_look(w);
        if (p != SCHED_NONE) world_pick(w, p);
        w->v[v].wake_at = -1;
        world_settle(w);
    }
    sched_detach(w->s, i, w->now);
    for (uint32_t v = vm->first; v < vm->first + vm->n_vcpus; v++) {
        MUST(sched_where(w->s, v) == SCHED_BLOCKED);
        w->v[v].vm = NOBODY;
    }
    *vm = (struct world_vm){.weight = 1};
    world_look(w);
    world_settle(w);
}

static uint64_t play(const char *cls, uint64_t seed, uint64_t *refused)
{
    struct world *w = malloc(sizeof *w);
    world_begin(w, cls, 1 + (uint32_t)(seed * 7 % WORLD_PCPUS));
    bool gangs = seed % 2;
    w->cfg.balance_idle = seed % 3 != 0;
    w->cfg.balance_every_ns = seed % 5 ? 4 * MS : 0;
    w->cfg.room_vms = ROOM_VMS + BASE;
    w->cfg.room_vcpus = ROOM_VCPUS + BASE;
    w->cfg.room_cosched = gangs ? 15 : 0;
    w->late = seed % 4 == 0;
    for (uint32_t k = 0; k < BASE; k++) {
        pins[k] = 1 + (seed + k * 5) % ((1u << w->cfg.n_pcpus) - 1);
        world_vm(w, (struct world_vm){.weight = 1000,
                                      .n_vcpus = 1,
                                      .period = 10 * MS,
                                      .pins = &pins[k],
                                      .work = MS,
                                      .sleep = 5 * MS});
    }
    world_start(w, seed);
    w->strict = gangs;
    if (gangs) w->conserving = false;
    for (int64_t t = 0; t < 1500 * MS; t += 5 * MS) {
        world_run(w, t + world_below(w, 5 * MS));
        uint32_t i = BASE + rng_u32(&w->rng) % ROOM_VMS;
        if (i < w->cfg.n_vms && w->vm[i].n_vcpus) {
            detach(w, i);
        } else if (attach(w, random_vm(w, gangs)) == SCHED_NONE) {
            ++*refused;
        }
        i = BASE + rng_u32(&w->rng) % ROOM_VMS;
        if (i >= w->cfg.n_vms || w->vm[i].n_vcpus == 0 || rng_u32(&w->rng) % 2) continue;
        int64_t period = (1 + rng_u32(&w->rng) % 50) * MS;
        world_set(w, i, 1 + rng_u32(&w->rng) % 10000, rng_u32(&w->rng) % 2 ? 1 + period / 3 : 0, period,
                  rng_u32(&w->rng) % 100000);
    }
    uint64_t hash = w->hash;
    world_end(w);
    free(w);
    return hash;
}

START_TEST(they_come_and_go)
{
    uint64_t refused = 0, again = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t hash = play(names[_i], seed, &refused);
        if (seed <= 4) ck_assert_uint_eq(play(names[_i], seed, &again), hash);
    }
    ck_assert_uint_gt(refused, 0); /* there was not always room */
}
END_TEST

/* One pCPU, a hog, and one after another on the same seat: whoever had it before, heavy or light, limited or
 * not, ahead or behind, the last one gets its half. */
START_TEST(a_reused_seat_is_as_new)
{
    struct world *w = malloc(sizeof *w);
    world_begin(w, names[_i], 1);
    w->cfg.room_vms = 2;
    w->cfg.room_vcpus = 3;
    world_vm(w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .period = 10 * MS});
    world_start(w, 1);
    for (int round = 0; round < 6; round++) {
        struct world_vm vm = {
            .weight = round % 2 ? 1 : 10000, .n_vcpus = 1 + (uint32_t)round % 2, .period = 10 * MS};
        if (round % 3 == 0) vm.quota = MS / 2, vm.reservation = 50000;
        int64_t from = w->now;
        ck_assert_uint_eq(attach(w, vm), 1);
        world_run(w, from + 1003 * MS);
        detach(w, 1);
        world_run(w, w->now + 500 * MS);
        vm = (struct world_vm){.weight = 1000, .n_vcpus = 1, .period = 10 * MS};
        int64_t hog = w->v[0].ran;
        from = w->now;
        ck_assert_uint_eq(attach(w, vm), 1);
        ck_assert_uint_eq(w->vm[1].first, 1);
        world_run(w, from + 4000 * MS);
        ck_assert_int_eq(w->v[1].throttled_ns, 0);
        ck_assert_int_eq(w->v[0].ran - hog + w->v[1].ran, 4000 * MS);
        ck_assert_msg(llabs(w->v[1].ran - 2000 * MS) <= 100 * MS, "%s, round %d: %lld of 2000 ms", names[_i],
                      round, (long long)(w->v[1].ran / MS));
        detach(w, 1);
    }
    world_end(w);
    free(w);
}
END_TEST

Suite *sched_seat_suite(void)
{
    Suite *s = suite_create("sched_seat");
    TCase *t = tcase_create("sched_seat");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, they_come_and_go, 0, 6);
    tcase_add_loop_test(t, a_reused_seat_is_as_new, 0, 6);
    suite_add_tcase(s, t);
    return s;
}
