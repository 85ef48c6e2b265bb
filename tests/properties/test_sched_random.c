// SPDX-License-Identifier: GPL-3.0-or-later
/* Random machines, pins, limits, weights, reservations and changes of them, slices that end late: after every
 * call sched_world.h checks places, pins and work conservation; here, quotas and determinism. */
#include "tests/often.h"
#include "tests/properties/sched_world.h"

Suite *sched_random_suite(void);

#define MS INT64_C(1000000)

static const char *const names[] = {"rr", "credit", "cfs", "eevdf", "stride", "bvt"};
enum { SEEDS = 10 + FEWER(30), LATE_NS = 2000000 };

struct pins {
    uint64_t word[WORLD_VMS];
};

static void random_vms(struct world *w, struct pins *pins, struct rng *r)
{
    uint32_t n = 1 + rng_u32(r) % 16, p = w->cfg.n_pcpus;
    for (uint32_t i = 0; i < n; i++) {
        struct world_vm vm = {.weight = 1 + rng_u32(r) % 10000, .n_vcpus = 1 + rng_u32(r) % 4};
        pins->word[i] = 1 + rng_u32(r) % ((1u << p) - 1);
        if (rng_u32(r) % 2) vm.pins = &pins->word[i];
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
    if (rng_u32(&r) % 4 == 0) w->cfg.slice_ns = 1 + rng_u32(&r) % (20 * MS);
    random_vms(w, pins, &r);
    w->late = rng_u32(&r) % 4 != 0;
    world_start(w, seed);
}

static void random_set(struct world *w)
{
    uint32_t i = rng_u32(&w->rng) % w->cfg.n_vms;
    int64_t period = (1 + rng_u32(&w->rng) % 50) * MS, quota = 0;
    if (rng_u32(&w->rng) % 2) quota = 1 + period * (rng_u32(&w->rng) % 150) / 100;
    if (rng_u32(&w->rng) % 4 == 0) period = w->vm[i].period ? w->vm[i].period : period;
    uint32_t ppm = rng_u32(&w->rng) % 2 ? rng_u32(&w->rng) % 500000 : 0;
    world_set(w, i, 1 + rng_u32(&w->rng) % 10000, quota, period, ppm);
}

/* No VM ran more of its periods' quotas than each of its vCPUs being late at once explains. */
static void check_quotas(struct world *w)
{
    for (uint32_t i = 0; i < w->cfg.n_vms; i++) {
        struct world_vm *vm = &w->vm[i];
        world_period(vm, w->now);
        uint32_t at_once = vm->n_vcpus < w->cfg.n_pcpus ? vm->n_vcpus : w->cfg.n_pcpus;
        MUST(vm->max_debt <= (w->late ? at_once * (int64_t)LATE_NS : 0));
    }
}

static uint64_t play(const char *cls, uint64_t seed, uint64_t *calls)
{
    static struct pins pins;
    struct world *w = malloc(sizeof *w);
    random_world(w, &pins, cls, seed);
    for (int64_t t = 0; t < 1500 * MS; t += 25 * MS) {
        world_run(w, t + world_below(w, 25 * MS));
        if (seed % 2) random_set(w);
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
    ck_assert_uint_gt(calls, 100000);
}
END_TEST

START_TEST(the_same_calls_have_the_same_answers)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        uint64_t first = play(names[_i], seed, NULL);
        void *elsewhere = malloc(12345); /* the next block lies at another address */
        ck_assert_uint_eq(play(names[_i], seed, NULL), first);
        free(elsewhere);
        ck_assert_uint_ne(play(names[_i], seed + 1, NULL), first);
    }
}
END_TEST

Suite *sched_random_suite(void)
{
    Suite *s = suite_create("sched_random");
    TCase *t = tcase_create("sched_random");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, what_must_hold_holds_after_every_call, 0, 6);
    tcase_add_loop_test(t, the_same_calls_have_the_same_answers, 0, 6);
    suite_add_tcase(s, t);
    return s;
}
