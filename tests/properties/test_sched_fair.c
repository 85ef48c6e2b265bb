// SPDX-License-Identifier: GPL-3.0-or-later
/* Shares and waits over random weights and loads, every slice up to 20 % and up to 2 ms late. */
#include "tests/often.h"
#include "tests/properties/sched_world.h"

Suite *sched_fair_suite(void);

#define MS INT64_C(1000000)
#define S  (1000 * MS)

static const char *const names[] = {"rr", "credit", "cfs", "eevdf", "stride", "bvt"};
enum { SEEDS = 2 + FEWER(10) };

static bool weighted(int i)
{
    return sched_class_weighted(sched_class_find(names[i]));
}

static double share(const struct world *w, uint32_t v)
{
    return (double)w->v[v].ran / (double)w->now;
}

static void must_near(const char *what, double got, double want, double tolerance)
{
    ck_assert_msg(got >= want - tolerance && got <= want + tolerance, "%s: %g instead of %g", what, got,
                  want);
}

/* Vcpus that never sleep, of random weights, on one pCPU. */
static uint32_t random_hogs(struct world *w, const char *cls, uint64_t seed)
{
    struct rng r = {rng_mix(seed), 2 * seed + 1};
    rng_u32(&r);
    uint32_t n = 2 + rng_u32(&r) % 6;
    world_begin(w, cls, 1);
    for (uint32_t i = 0; i < n; i++)
        world_vm(w, (struct world_vm){.weight = 100 + rng_u32(&r) % 4000, .n_vcpus = 1});
    w->late = true;
    return n;
}

static double weight_of(const struct world *w, uint32_t v, bool counts)
{
    return counts ? w->vm[w->v[v].vm].weight : 1;
}

START_TEST(shares_are_as_weights_however_late_slices_end)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        double sum = 0;
        uint32_t n = random_hogs(&w, names[_i], seed);
        world_start(&w, seed);
        world_run(&w, 60 * S);
        for (uint32_t v = 0; v < n; v++)
            sum += weight_of(&w, v, weighted(_i));
        for (uint32_t v = 0; v < n; v++)
            must_near(names[_i], share(&w, v), weight_of(&w, v, weighted(_i)) / sum,
                      weighted(_i) ? .002 : .004);
        world_end(&w);
    }
}
END_TEST

START_TEST(sleepers_leave_the_ratio_of_the_others_alone)
{
    if (!weighted(_i)) return;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        uint32_t n = random_hogs(&w, names[_i], seed);
        for (int i = 0; i < 3; i++)
            world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .work = 2 * MS, .sleep = 20 * MS});
        world_start(&w, seed);
        world_run(&w, 60 * S);
        double ran = 0, sum = 0;
        for (uint32_t v = 0; v < n; v++)
            ran += share(&w, v), sum += weight_of(&w, v, true);
        ck_assert(ran < .95);
        for (uint32_t v = 0; v < n; v++)
            must_near(names[_i], share(&w, v) / ran, weight_of(&w, v, true) / sum, .005);
        world_end(&w);
    }
}
END_TEST

/* The longest wait of vCPU i among n: each other has a slice for what is left of its last round, and its
 * part by weight of what i itself last had; in units of the longest slice, late. Measured against the
 * bound: see the factor of each class. */
static double wait_bound(const struct world *w, uint32_t v, uint32_t n, int i)
{
    static const double factor[] = {1, 2, 1, 2.5, 1, 2};
    double sum = 0, slice = (double)sched_class_slice_ns(w->cfg.cls, 1);
    if (i == 2) slice *= n > 8 ? n : 8;
    for (uint32_t k = 0; k < n; k++)
        sum += k == v ? 0 : 1 + weight_of(w, k, weighted(i)) / weight_of(w, v, weighted(i));
    if (i == 0) sum /= 2;
    return factor[i] * sum * (slice + (slice / 5 < 2e6 ? slice / 5 : 2e6));
}

START_TEST(nobody_starves)
{
    double worst = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        uint32_t n = random_hogs(&w, names[_i], seed);
        if (seed % 2) {
            world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 2, .work = 3 * MS, .sleep = 5 * MS});
            n += 2;
        }
        world_start(&w, seed);
        world_run(&w, 20 * S);
        for (uint32_t v = 0; v < n; v++) {
            double bound = wait_bound(&w, v, n, _i), got = (double)w.v[v].longest_wait;
            worst = got / bound > worst ? got / bound : worst;
        }
        world_end(&w);
    }
    ck_assert_msg(worst <= 1, "%s waits %g times its bound", names[_i], worst);
    ck_assert_msg(worst > .1, "%s: the bound says nothing, %g", names[_i], worst);
}
END_TEST

START_TEST(equal_hogs_share_several_pcpus_equally)
{
    for (uint32_t p = 2; p <= 4; p++)
        for (uint32_t n = p + 1; n <= 11; n++) {
            struct world w;
            world_begin(&w, names[_i], p);
            w.cfg.balance_idle = true;
            w.cfg.balance_every_ns = 4 * MS;
            for (uint32_t i = 0; i < n; i++)
                world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
            world_start(&w, 1);
            world_run(&w, 10 * S);
            for (uint32_t i = 0; i < n; i++)
                must_near(names[_i], share(&w, i), (double)p / n, .02);
            for (uint32_t i = 0; i < n; i++)
                MUST(w.v[i].longest_wait < 4 * n * sched_class_slice_ns(w.cfg.cls, p) + 40 * MS);
            world_end(&w);
        }
}
END_TEST

START_TEST(weighted_hogs_share_two_pcpus_by_weight)
{
    if (!weighted(_i)) return;
    struct world w;
    world_begin(&w, names[_i], 2);
    w.cfg.balance_idle = true;
    w.cfg.balance_every_ns = 4 * MS;
    for (uint32_t i = 0; i < 3; i++)
        world_vm(&w, (struct world_vm){.weight = 1000u << i, .n_vcpus = 1});
    world_start(&w, 1);
    world_run(&w, 30 * S);
    must_near(names[_i], share(&w, 0), 1.0 / 3, .02);
    must_near(names[_i], share(&w, 1), 2.0 / 3, .02);
    must_near(names[_i], share(&w, 2), 1, .02);
    world_end(&w);
}
END_TEST

/* Up to .95 of one pCPU, .8 of several: reservations larger than half a pCPU may not pack any tighter. */
START_TEST(reservations_hold_on_every_machine)
{
    for (uint64_t seed = 1; seed <= 2 * SEEDS; seed++) {
        struct world w;
        struct rng r = {rng_mix(seed), 2 * seed + 1};
        uint32_t p = 1 + (uint32_t)seed % 4, n = 0;
        double left = p == 1 ? .95 : .8 * p;
        world_begin(&w, names[_i], p);
        w.cfg.balance_idle = true;
        w.cfg.balance_every_ns = 4 * MS;
        w.late = seed % 3 == 0;
        for (double part; left > .1; left -= part, n++) {
            part = .05 + rng_u32(&r) % 600 / 1000.0;
            if (part > left) part = left;
            world_vm(&w,
                     (struct world_vm){.weight = 100, .n_vcpus = 1, .reservation = (uint32_t)(part * 1e6)});
        }
        for (uint32_t i = 0; i < 2 * p; i++)
            world_vm(&w, (struct world_vm){.weight = 10000, .n_vcpus = 1});
        world_start(&w, seed);
        world_run(&w, 20 * S);
        for (uint32_t i = 0; i < n; i++)
            ck_assert_msg(share(&w, i) >= w.vm[i].reservation / 1e6 - .01, "%s seed %u: %g of %g", names[_i],
                          (unsigned)seed, share(&w, i), w.vm[i].reservation / 1e6);
        world_end(&w);
    }
}
END_TEST

Suite *sched_fair_suite(void)
{
    Suite *s = suite_create("sched_fair");
    TCase *t = tcase_create("sched_fair");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, shares_are_as_weights_however_late_slices_end, 0, 6);
    tcase_add_loop_test(t, sleepers_leave_the_ratio_of_the_others_alone, 0, 6);
    tcase_add_loop_test(t, nobody_starves, 0, 6);
    tcase_add_loop_test(t, equal_hogs_share_several_pcpus_equally, 0, 6);
    tcase_add_loop_test(t, weighted_hogs_share_two_pcpus_by_weight, 0, 6);
    tcase_add_loop_test(t, reservations_hold_on_every_machine, 0, 6);
    suite_add_tcase(s, t);
    return s;
}
