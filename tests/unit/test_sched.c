// SPDX-License-Identifier: GPL-3.0-or-later
/* The scheduler by hand: small cases whose every step can be said in advance, for each class where it holds.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/properties/sched_world.h"

Suite *sched_suite(void);

#define MS INT64_C(1000000)
#define S  (1000 * MS)

static const char *const names[] = {"rr", "credit", "cfs", "eevdf", "stride", "bvt"};

static void near(double got, double want, double tolerance)
{
    ck_assert_msg(got >= want - tolerance && got <= want + tolerance, "%g instead of %g", got, want);
}

/* n hogs of the given weights on one pCPU for 60 s, never late. */
static void hogs(const char *name, uint32_t n, const uint32_t *weights, double *shares)
{
    struct world w;
    world_begin(&w, name, 1);
    for (uint32_t i = 0; i < n; i++)
        world_vm(&w, (struct world_vm){.weight = weights ? weights[i] : 1000, .n_vcpus = 1});
    world_start(&w, 1);
    world_run(&w, 60 * S);
    for (uint32_t i = 0; i < n; i++)
        shares[i] = (double)w.v[i].ran / (60.0 * (double)S);
    world_end(&w);
}

START_TEST(equal_hogs_get_equal_shares)
{
    for (uint32_t n = 2; n <= 5; n++) {
        double got[5];
        hogs(names[_i], n, NULL, got);
        for (uint32_t i = 0; i < n; i++)
            near(got[i], 1.0 / n, .002);
    }
}
END_TEST

START_TEST(weighted_hogs_get_weighted_shares)
{
    double got[3];
    if (!sched_class_weighted(sched_class_find(names[_i]))) return;
    hogs(names[_i], 2, (uint32_t[]){3000, 1000}, got);
    near(got[0], .75, .002);
    hogs(names[_i], 3, (uint32_t[]){1000, 2000, 4000}, got);
    near(got[0], 1.0 / 7, .002);
    near(got[1], 2.0 / 7, .002);
    near(got[2], 4.0 / 7, .002);
    hogs(names[_i], 2, (uint32_t[]){10000, 10}, got);
    near(got[1], 1.0 / 1001, .002);
}
END_TEST

START_TEST(a_vms_weight_is_divided_among_its_runnable_vcpus)
{
    struct world w;
    if (!sched_class_weighted(sched_class_find(names[_i]))) return;
    world_begin(&w, names[_i], 1);
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 3});
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
    world_start(&w, 1);
    world_run(&w, 60 * S);
    near((double)w.v[3].ran / (60.0 * (double)S), .5, .002);
    for (int i = 0; i < 3; i++)
        near((double)w.v[i].ran / (60.0 * (double)S), 1.0 / 6, .002);
    world_end(&w);
}
END_TEST

START_TEST(round_robin_takes_turns_and_ignores_who_wakes)
{
    struct world w;
    world_begin(&w, "rr", 1);
    for (int i = 0; i < 3; i++)
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .asleep = i == 2});
    world_start(&w, 1);
    ck_assert_uint_eq(sched_current(w.s, 0), 0);
    world_run(&w, 5 * MS);
    world_wake(&w, 2);
    ck_assert_uint_eq(sched_current(w.s, 0), 0);
    ck_assert_int_eq(sched_where(w.s, 2), SCHED_QUEUED);
    for (int64_t t = 15; t < 95; t += 10) {
        world_run(&w, t * MS);
        ck_assert_uint_eq(sched_current(w.s, 0), (uint64_t)(t / 10 % 3));
    }
    world_end(&w);
}
END_TEST

START_TEST(a_quota_is_handed_out_exactly)
{
    struct world w;
    world_begin(&w, names[_i], 1);
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .quota = 50 * MS, .period = 100 * MS});
    world_start(&w, 1);
    w.v[0].work = 120 * MS;
    world_run(&w, S);
    ck_assert_int_eq(w.v[0].done_at, 220 * MS);
    ck_assert_int_eq(w.v[0].throttled_ns, 100 * MS);
    ck_assert_int_eq(sched_next_tick(w.s), SCHED_FOREVER);
    world_end(&w);
}
END_TEST

START_TEST(a_limit_of_a_quarter_is_a_quarter)
{
    struct world w;
    world_begin(&w, names[_i], 1);
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .quota = 25 * MS, .period = 100 * MS});
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
    world_start(&w, 1);
    world_run(&w, 60 * S);
    near((double)w.v[0].ran / (60.0 * (double)S), .25, .002);
    near((double)w.v[1].ran / (60.0 * (double)S), .75, .002);
    world_end(&w);
}
END_TEST

START_TEST(vcpus_share_their_vms_quota)
{
    struct world w;
    world_begin(&w, names[_i], 4);
    w.cfg.balance_idle = true;
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 4, .quota = 100 * MS, .period = 100 * MS});
    world_start(&w, 1);
    world_run(&w, 10 * S);
    int64_t sum = 0;
    for (int i = 0; i < 4; i++)
        sum += w.v[i].ran;
    ck_assert_int_eq(sum, 10 * S);
    for (int i = 0; i < 4; i++)
        near((double)w.v[i].ran / (double)S, 2.5, .01);
    world_end(&w);
}
END_TEST

START_TEST(a_reservation_is_a_floor_whatever_the_weights)
{
    struct world w;
    world_begin(&w, names[_i], 1);
    bool weighted = sched_class_weighted(sched_class_find(names[_i]));
    world_vm(&w, (struct world_vm){.weight = weighted ? 10 : 1000, .n_vcpus = 1, .reservation = 400000});
    for (int i = 0; i < 3; i++)
        world_vm(&w, (struct world_vm){.weight = weighted ? 10000 : 1000, .n_vcpus = 1});
    world_start(&w, 1);
    world_run(&w, 20 * S);
    double share = (double)w.v[0].ran / (20.0 * (double)S);
    ck_assert_msg(share >= .398, "%g", share);
    if (weighted) near(share, .4, .01);
    world_end(&w);
}
END_TEST

START_TEST(settings_change_at_any_time)
{
    struct world w;
    if (!sched_class_weighted(sched_class_find(names[_i]))) return;
    world_begin(&w, names[_i], 1);
    for (int i = 0; i < 2; i++)
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
    world_start(&w, 1);
    world_run(&w, 10 * S);
    world_set(&w, 0, 3000, 0, 0, 0);
    int64_t before = w.v[0].ran;
    world_run(&w, 50 * S);
    near((double)(w.v[0].ran - before) / (40.0 * (double)S), .75, .003);
    world_set(&w, 0, 3000, 10 * MS, 100 * MS, 0);
    before = w.v[0].ran;
    world_run(&w, 90 * S);
    near((double)(w.v[0].ran - before) / (40.0 * (double)S), .10, .001);
    world_set(&w, 0, 1000, 0, 0, 900000);
    before = w.v[0].ran;
    world_run(&w, 130 * S);
    near((double)(w.v[0].ran - before) / (40.0 * (double)S), .90, .005);
    world_end(&w);
}
END_TEST

START_TEST(pinned_apart_nobody_waits)
{
    struct world w;
    static const uint64_t first = 1, second = 2;
    world_begin(&w, names[_i], 2);
    w.cfg.balance_idle = true;
    w.cfg.balance_every_ns = 4 * MS;
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .pins = &first});
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .pins = &second});
    world_start(&w, 1);
    world_run(&w, 10 * S);
    ck_assert_int_eq(w.v[0].ran, 10 * S);
    ck_assert_int_eq(w.v[1].ran, 10 * S);
    ck_assert_int_eq(w.v[0].ready_ns + w.v[1].ready_ns, 0);
    world_end(&w);
}
END_TEST

START_TEST(three_on_two_take_turns)
{
    struct world w;
    world_begin(&w, names[_i], 2);
    w.cfg.balance_idle = true;
    w.cfg.balance_every_ns = 4 * MS;
    for (int i = 0; i < 3; i++)
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
    world_start(&w, 1);
    world_run(&w, 10 * S);
    for (int i = 0; i < 3; i++)
        near((double)w.v[i].ran / (10.0 * (double)S), 2.0 / 3, .02);
    world_end(&w);
}
END_TEST

START_TEST(weighted_hogs_on_one_of_four_pcpus)
{
    struct world w;
    static const uint64_t third = 4;
    if (!sched_class_weighted(sched_class_find(names[_i]))) return;
    world_begin(&w, names[_i], 4);
    w.cfg.balance_idle = true;
    w.cfg.balance_every_ns = 4 * MS;
    for (uint32_t i = 0; i < 3; i++)
        world_vm(&w, (struct world_vm){.weight = 1000u << i, .n_vcpus = 1, .pins = &third});
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 3});
    world_start(&w, 1);
    world_run(&w, 60 * S);
    for (uint32_t i = 0; i < 3; i++)
        near((double)w.v[i].ran / (60.0 * (double)S), (double)(1u << i) / 7, .002);
    for (int i = 3; i < 6; i++)
        near((double)w.v[i].ran / (60.0 * (double)S), 1, .01);
    world_end(&w);
}
END_TEST

START_TEST(who_wakes_preempts_where_the_policy_says_so)
{
    static const struct {
        const char *name;
        bool preempts;
    } facts[] = {{"rr", false},    {"stride", false}, {"cfs", true},
                 {"credit", true}, {"eevdf", false},  {"bvt", false}};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        struct world w;
        world_begin(&w, facts[i].name, 1);
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .asleep = true});
        world_start(&w, 1);
        /* Into the current's slice: 1 ms before it would pick anyway, eevdf's included. */
        int64_t t = 0;
        while (t < S)
            t += world_slice(&w, 0);
        world_run(&w, t - world_slice(&w, 0) / 4);
        world_wake(&w, 1);
        ck_assert_msg((sched_current(w.s, 0) == 1) == facts[i].preempts, "%s", facts[i].name);
        world_end(&w);
    }
}
END_TEST

/* Of three on one pCPU the current gives its turn to the last; the turn keeps its length, and each waits for
 * its own as before. */
START_TEST(a_turn_is_given_to_another)
{
    struct world w;
    world_begin(&w, "rr", 2);
    static const uint64_t first = 1, second = 2;
    for (int i = 0; i < 3; i++)
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .pins = i == 1 ? &first : NULL});
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .pins = &second});
    world_start(&w, 1);
    /* 0 and 1 on the first pCPU; 2 and 3 on the second. */
    ck_assert_uint_eq(sched_current(w.s, 0), 0);
    ck_assert_uint_eq(sched_pcpu(w.s, 2), 1);
    world_run(&w, 12 * MS);
    ck_assert_uint_eq(sched_current(w.s, 0), 1);
    ck_assert_uint_eq(sched_current(w.s, 1), 3);
    ck_assert(!sched_yield_to(w.s, 1, 3, w.now)); /* runs */
    ck_assert(!sched_yield_to(w.s, 0, 2, w.now)); /* has no turn */
    ck_assert(!sched_yield_to(w.s, 3, 1, w.now));
    ck_assert(sched_yield_to(w.s, 1, 2, w.now)); /* from the other pCPU */
    world_settle(&w);
    ck_assert_uint_eq(sched_current(w.s, 0), 2);
    ck_assert_uint_eq(sched_pcpu(w.s, 2), 0);
    ck_assert_int_eq(w.p[0].ends, 20 * MS);
    world_run(&w, 20 * MS);
    ck_assert_uint_eq(sched_current(w.s, 0), 0);
    ck_assert_uint_eq(sched_pcpu(w.s, 2), 1); /* home again */
    ck_assert_int_eq(w.v[1].ran, 2 * MS);
    ck_assert_int_eq(w.v[2].ran, 18 * MS);
    world_end(&w);
}
END_TEST

/* Four threads on two cores. */
START_TEST(an_idle_core_comes_first)
{
    static const uint32_t want[] = {0, 2, 1, 3};
    for (int idle = 0; idle < 2; idle++) {
        struct world w;
        world_begin(&w, names[_i], 4);
        w.cfg.balance_idle = idle;
        w.cfg.threads_per_core = 2;
        for (int i = 0; i < 4; i++)
            world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
        world_start(&w, 1);
        for (uint32_t v = 0; v < 4; v++)
            ck_assert_uint_eq(sched_pcpu(w.s, v), want[v]);
        world_end(&w);
    }
}
END_TEST

/* Two hogs are pinned to one pCPU of two, so the other's queue is the shorter for both siblings; balanced,
 * the second goes to the longer. */
START_TEST(balanced_siblings_stand_apart)
{
    static const uint64_t first = 1;
    for (int balanced = 0; balanced < 2; balanced++) {
        struct world w;
        world_begin(&w, names[_i], 2);
        for (int i = 0; i < 2; i++)
            world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .pins = &first});
        world_vm(&w, (struct world_vm){.weight = 1000,
                                       .n_vcpus = 2,
                                       .cosched = balanced ? SCHED_COSCHED_BALANCE : SCHED_COSCHED_NONE});
        world_start(&w, 1);
        ck_assert_uint_eq(sched_pcpu(w.s, 2), 1);
        ck_assert_uint_eq(sched_pcpu(w.s, 3), balanced ? 0 : 1);
        world_end(&w);
    }
}
END_TEST

START_TEST(sizes_out_of_range_are_refused)
{
    struct sched_vm_cfg vm = {.weight = 1000, .n_vcpus = 2};
    struct sched_cfg c = {.cls = sched_class_find("rr"), .n_pcpus = 4, .n_vcpus = 2, .n_vms = 1, .vms = &vm};
    ck_assert_uint_ne(sched_size(&c), 0);
    c.n_pcpus = SCHED_MAX_PCPUS + 1;
    ck_assert_uint_eq(sched_size(&c), 0);
    c.n_pcpus = 4, vm.weight = 10001;
    ck_assert_uint_eq(sched_size(&c), 0);
    vm.weight = 1, c.n_vcpus = 3;
    ck_assert_uint_eq(sched_size(&c), 0);
    uint64_t nowhere = 0xf0;
    c.n_vcpus = 2, vm.pins = &nowhere;
    ck_assert_uint_eq(sched_size(&c), 0);
}
END_TEST

START_TEST(classes_are_found_by_name)
{
    for (size_t i = 0; i < 6; i++) {
        const struct sched_class *c = sched_class_find(names[i]);
        ck_assert_ptr_nonnull(c);
        ck_assert_str_eq(sched_class_name(c), names[i]);
        ck_assert_int_gt((int)strlen(sched_class_about(c)), 20);
        ck_assert_ptr_eq(sched_class_at(i), c);
    }
    ck_assert_ptr_null(sched_class_at(6));
    ck_assert_ptr_null(sched_class_find("fair"));
    ck_assert_int_eq(sched_class_slice_ns(sched_class_find("cfs"), 4), 2250000);
    ck_assert_int_eq(sched_class_slice_ns(sched_class_find("eevdf"), 1), 700000);
    ck_assert_int_eq(sched_class_slice_ns(sched_class_find("eevdf"), 64), 2800000);
    ck_assert_int_eq(sched_class_slice_ns(sched_class_find("rr"), 4), 10 * MS);
    ck_assert_int_eq(sched_class_slice_ns(sched_class_find("bvt"), 4), 5 * MS);
}
END_TEST

Suite *sched_suite(void)
{
    Suite *s = suite_create("sched");
    TCase *t = tcase_create("sched");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, equal_hogs_get_equal_shares, 0, 6);
    tcase_add_loop_test(t, weighted_hogs_get_weighted_shares, 0, 6);
    tcase_add_loop_test(t, a_vms_weight_is_divided_among_its_runnable_vcpus, 0, 6);
    tcase_add_test(t, round_robin_takes_turns_and_ignores_who_wakes);
    tcase_add_loop_test(t, a_quota_is_handed_out_exactly, 0, 6);
    tcase_add_loop_test(t, a_limit_of_a_quarter_is_a_quarter, 0, 6);
    tcase_add_loop_test(t, vcpus_share_their_vms_quota, 0, 6);
    tcase_add_loop_test(t, a_reservation_is_a_floor_whatever_the_weights, 0, 6);
    tcase_add_loop_test(t, settings_change_at_any_time, 0, 6);
    tcase_add_loop_test(t, pinned_apart_nobody_waits, 0, 6);
    tcase_add_loop_test(t, three_on_two_take_turns, 0, 6);
    tcase_add_loop_test(t, weighted_hogs_on_one_of_four_pcpus, 0, 6);
    tcase_add_test(t, who_wakes_preempts_where_the_policy_says_so);
    tcase_add_test(t, a_turn_is_given_to_another);
    tcase_add_loop_test(t, an_idle_core_comes_first, 0, 6);
    tcase_add_loop_test(t, balanced_siblings_stand_apart, 0, 6);
    tcase_add_test(t, sizes_out_of_range_are_refused);
    tcase_add_test(t, classes_are_found_by_name);
    suite_add_tcase(s, t);
    return s;
}
