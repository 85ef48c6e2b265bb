// SPDX-License-Identifier: GPL-3.0-or-later
/* Co-scheduling over every class: on random machines sched_world.h checks after every settled instant that a
 * strict gang runs whole or not at all and that balanced siblings stand apart; here, that weights hold, that
 * nobody starves, and that skew stays small. */
#include "tests/properties/sched_world.h"

Suite *sched_gang_suite(void);

#define MS INT64_C(1000000)
#define S  (1000 * MS)

static const char *const names[] = {"rr", "credit", "cfs", "eevdf", "stride", "bvt"};
enum { SEEDS = 24, CLASSES = 6, LATE_NS = 2000000 };

static bool weighted(int i)
{
    return sched_class_weighted(sched_class_find(names[i]));
}

struct pins {
    uint64_t word[WORLD_VMS];
};

static void random_vms(struct world *w, struct pins *pins, struct rng *r)
{
    uint32_t n = 1 + rng_u32(r) % 12, p = w->cfg.n_pcpus, some = rng_u32(r) % 3;
    for (uint32_t i = 0; i < n; i++) {
        struct world_vm vm = {.weight = 1 + rng_u32(r) % 10000, .n_vcpus = 1 + rng_u32(r) % 5};
        vm.cosched = (enum sched_cosched)(rng_u32(r) % 4);
        pins->word[i] = 1 + rng_u32(r) % ((1u << p) - 1);
        if (some && rng_u32(r) % 4 < some) vm.pins = &pins->word[i];
        if (rng_u32(r) % 3 == 0) {
            vm.period = (1 + rng_u32(r) % 100) * MS;
            vm.quota = 1 + vm.period * (rng_u32(r) % 200) / 100;
        }
        if (rng_u32(r) % 3 == 0) vm.reservation = 1 + 1000000 / n * p % 2000000;
        if (rng_u32(r) % 2) {
            vm.work = 1 + rng_u32(r) % (8 * MS);
            vm.sleep = 1 + rng_u32(r) % (8 * MS);
        }
        world_vm(w, vm);
    }
}

static void random_world(struct world *w, struct pins *pins, const char *cls, uint64_t seed)
{
    struct rng r = {rng_mix(seed), 2 * seed + 1};
    rng_u32(&r);
    world_begin(w, cls, 1 + rng_u32(&r) % WORLD_PCPUS);
    w->cfg.balance_idle = rng_u32(&r) % 4 != 0;
    w->cfg.balance_every_ns = rng_u32(&r) % 3 ? 4 * MS : 0;
    w->cfg.credit_debit_tick = rng_u32(&r) % 4 == 0;
    w->cfg.threads_per_core = rng_u32(&r) % 3;
    if (rng_u32(&r) % 4 == 0) w->cfg.slice_ns = 1 + rng_u32(&r) % (20 * MS);
    random_vms(w, pins, &r);
    if (seed % 3 == 0) /* queues of their own, with relaxed and balanced VMs */
        for (uint32_t i = 0; i < w->cfg.n_vms; i++)
            if (w->vm[i].cosched == SCHED_COSCHED_STRICT)
                w->vm[i].cosched = w->vm_cfg[i].cosched = SCHED_COSCHED_RELAXED;
    w->late = rng_u32(&r) % 4 != 0;
    world_start(w, seed);
}

static void random_set(struct world *w)
{
    uint32_t i = rng_u32(&w->rng) % w->cfg.n_vms;
    int64_t period = (1 + rng_u32(&w->rng) % 50) * MS, quota = 0;
    if (rng_u32(&w->rng) % 2) quota = 1 + period * (rng_u32(&w->rng) % 150) / 100;
    uint32_t ppm = rng_u32(&w->rng) % 2 ? rng_u32(&w->rng) % 500000 : 0;
    world_set(w, i, 1 + rng_u32(&w->rng) % 10000, quota, period, ppm);
}

static void check_quotas(struct world *w)
{
    for (uint32_t i = 0; i < w->cfg.n_vms; i++) {
        struct world_vm *vm = &w->vm[i];
        world_period(vm, w->now);
        uint32_t at_once = vm->n_vcpus < w->cfg.n_pcpus ? vm->n_vcpus : w->cfg.n_pcpus;
        MUST(vm->max_debt <= (w->late ? at_once * (int64_t)LATE_NS : 0));
    }
}

/* Turns are given away at random. */
static void random_yields(struct world *w)
{
    for (int i = 0; i < 3; i++) {
        uint32_t from = rng_u32(&w->rng) % w->cfg.n_vcpus, to = rng_u32(&w->rng) % w->cfg.n_vcpus;
        bool could = sched_where(w->s, from) == SCHED_RUNNING && sched_where(w->s, to) == SCHED_QUEUED;
        MUST(!sched_yield_to(w->s, from, to, w->now) || could);
        world_settle(w);
    }
}

static uint64_t play(const char *cls, uint64_t seed, uint64_t *calls)
{
    static struct pins pins;
    struct world *w = malloc(sizeof *w);
    random_world(w, &pins, cls, seed);
    for (int64_t t = 0; t < 600 * MS; t += 25 * MS) {
        world_run(w, t + world_below(w, 25 * MS));
        if (seed % 2) random_set(w);
        random_yields(w);
        check_quotas(w);
    }
    uint64_t hash = w->hash;
    if (calls) *calls += w->calls;
    world_end(w);
    free(w);
    return hash;
}

START_TEST(what_must_hold_holds_after_every_call)
{
    uint64_t calls = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        play(names[_i], seed, &calls);
    ck_assert_uint_gt(calls, 40000);
}
END_TEST

START_TEST(the_same_calls_have_the_same_answers)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        uint64_t first = play(names[_i], seed, NULL);
        void *elsewhere = malloc(12345);
        ck_assert_uint_eq(play(names[_i], seed, NULL), first);
        free(elsewhere);
    }
}
END_TEST

static int64_t ran(const struct world *w, uint32_t vm)
{
    int64_t sum = 0;
    for (uint32_t k = 0; k < w->vm[vm].n_vcpus; k++)
        sum += w->v[w->vm[vm].first + k].ran;
    return sum;
}

/* Two gangs of two and a single on two pCPUs, round robin: a turn each, and the single's leaves a pCPU idle.
 */
START_TEST(what_does_not_divide_is_idle)
{
    struct world w;
    world_begin(&w, "rr", 2);
    w.cfg.balance_idle = true;
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 2, .cosched = SCHED_COSCHED_STRICT});
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 2, .cosched = SCHED_COSCHED_STRICT});
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
    world_start(&w, 1);
    world_run(&w, 30 * S);
    ck_assert_int_eq(ran(&w, 0), 20 * S);
    ck_assert_int_eq(ran(&w, 1), 20 * S);
    ck_assert_int_eq(ran(&w, 2), 10 * S);
    ck_assert_int_le(w.v[0].longest_wait, 20 * MS);
    ck_assert_int_le(w.v[4].longest_wait, 20 * MS);
    world_end(&w);
}
END_TEST

/* Hogs, gangs of random sizes and singles of random weights: each VM's run time is as its weight. A unit's
 * lag is bounded by what it is charged at a time and what the largest other is: (k + K) slices, late, a
 * class's own bound for singles times the largest gang; over 30 s that is below the tolerance. */
START_TEST(weights_hold_among_gangs_and_singles)
{
    if (!weighted(_i)) return;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world w;
        struct rng r = {rng_mix(seed), 2 * seed + 1};
        rng_u32(&r);
        world_begin(&w, names[_i], 4);
        double weights = 0;
        int64_t all = 0;
        uint32_t n = 5 + rng_u32(&r) % 4;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t k = i < 3 ? 2 + rng_u32(&r) % 3 : 1, weight = 500 + rng_u32(&r) % 1500;
            if (k == 1) weight = 500; /* no more than one pCPU of the four can be its share */
            world_vm(&w, (struct world_vm){.weight = weight, .n_vcpus = k, .cosched = SCHED_COSCHED_STRICT});
            weights += weight;
        }
        w.late = true;
        world_start(&w, seed);
        world_run(&w, 30 * S);
        for (uint32_t i = 0; i < n; i++)
            all += ran(&w, i);
        ck_assert(all > 80 * S);
        for (uint32_t i = 0; i < n; i++) {
            double got = (double)ran(&w, i) / (double)all, want = w.vm[i].weight / weights;
            ck_assert_msg(got > want - .01 && got < want + .01, "%s seed %u vm %u of %u: %g, not %g",
                          names[_i], (unsigned)seed, i, w.vm[i].n_vcpus, got, want);
        }
        world_end(&w);
    }
}
END_TEST

/* Nobody waits longer than everybody else's turns, twice over where weights are far apart, and the draining
 * of the pCPUs before each. */
START_TEST(nobody_starves)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world w;
        struct rng r = {rng_mix(seed), 2 * seed + 1};
        rng_u32(&r);
        world_begin(&w, names[_i], 4);
        for (uint32_t i = 0; i < 8; i++) {
            struct world_vm vm = {.weight = 1000, .n_vcpus = 1 + rng_u32(&r) % 4};
            vm.cosched = SCHED_COSCHED_STRICT;
            if (i % 3 == 2) vm.work = 3 * MS, vm.sleep = 5 * MS;
            world_vm(&w, vm);
        }
        w.late = true;
        world_start(&w, seed);
        world_run(&w, 10 * S);
        int64_t slice = sched_class_slice_ns(w.cfg.cls, 4) * (_i == 2 ? 8 : 1) + 2 * MS;
        for (uint32_t v = 0; v < w.cfg.n_vcpus; v++) {
            ck_assert_msg(w.v[v].ran > S / 4, "%s seed %u vcpu %u ran %g s", names[_i], (unsigned)seed, v,
                          (double)w.v[v].ran / 1e9);
            ck_assert_msg(w.v[v].longest_wait < 8 * 5 * slice, "%s seed %u vcpu %u waited %g slices",
                          names[_i], (unsigned)seed, v, (double)w.v[v].longest_wait / (double)slice);
        }
        world_end(&w);
    }
}
END_TEST

/* A VM of two, one of them beside a hog: relaxed, it is never more than 3 ms ahead, and the grain of a run
 * that is ended on time. */
START_TEST(nobody_gets_far_ahead)
{
    for (int relaxed = 0; relaxed < 2; relaxed++) {
        struct world w;
        static const uint64_t second = 2;
        int64_t worst = 0;
        world_begin(&w, names[_i], 2);
        world_vm(&w, (struct world_vm){.weight = 1000,
                                       .n_vcpus = 2,
                                       .cosched = relaxed ? SCHED_COSCHED_RELAXED : SCHED_COSCHED_NONE});
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .pins = &second});
        world_start(&w, 1);
        for (int64_t t = 0; t < 5 * S; t += MS / 2) {
            world_run(&w, t);
            int64_t skew = llabs(w.v[0].ran - w.v[1].ran);
            if (skew > worst) worst = skew;
        }
        ck_assert_int_gt(w.v[1].ran, S);
        if (relaxed)
            ck_assert_int_le(worst, 3 * MS + MS / 20);
        else
            ck_assert_int_gt(worst, S / 2);
        world_end(&w);
    }
}
END_TEST

Suite *sched_gang_suite(void)
{
    Suite *s = suite_create("sched_gang");
    TCase *t = tcase_create("sched_gang");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, what_must_hold_holds_after_every_call, 0, CLASSES);
    tcase_add_loop_test(t, the_same_calls_have_the_same_answers, 0, CLASSES);
    tcase_add_test(t, what_does_not_divide_is_idle);
    tcase_add_loop_test(t, weights_hold_among_gangs_and_singles, 0, CLASSES);
    tcase_add_loop_test(t, nobody_starves, 0, CLASSES);
    tcase_add_loop_test(t, nobody_gets_far_ahead, 0, CLASSES);
    suite_add_tcase(s, t);
    return s;
}
