// SPDX-License-Identifier: GPL-3.0-or-later
/* Fixed slots by hand: whose a slot is, who runs in it, what is lost, what does not count. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/properties/sched_world.h"

Suite *sched_slots_suite(void);

#define MS INT64_C(1000000)
#define S  (1000 * MS)

static const char *const names[] = {"rr", "credit", "cfs", "eevdf", "stride", "bvt"};

static const struct world_vm hog = {.weight = 1000, .n_vcpus = 1},
                             idler = {.weight = 1000, .n_vcpus = 1, .asleep = true};

static void begin(struct world *w, const char *cls, uint32_t n_pcpus)
{
    world_begin(w, cls, n_pcpus);
    w->cfg.fixed_slots = true;
    w->cfg.slice_ns = 10 * MS;
}

static void ran(const struct world *w, uint32_t v, int64_t want)
{
    ck_assert_msg(w->v[v].ran == want, "vCPU %u ran %lld instead of %lld", v, (long long)w->v[v].ran,
                  (long long)want);
}

START_TEST(an_idle_vms_slots_are_lost)
{
    struct world w;
    begin(&w, names[_i], 1);
    world_vm(&w, hog);
    world_vm(&w, idler);
    world_vm(&w, (struct world_vm){.weight = 9000, .n_vcpus = 1});
    world_start(&w, 1);
    world_run(&w, 3 * S);
    ran(&w, 0, S);
    ran(&w, 1, 0);
    ran(&w, 2, S);
    world_end(&w);
}
END_TEST

START_TEST(in_slot_k_pcpu_p_is_at_place_k_plus_p)
{
    for (uint32_t n = 1; n <= 5; n++)
        for (uint32_t pcpus = 1; pcpus <= 4; pcpus++) {
            struct world w;
            begin(&w, "rr", pcpus);
            for (uint32_t i = 0; i < n; i++)
                world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 4});
            world_start(&w, 1);
            for (uint32_t k = 0; k < 12; k++) {
                world_run(&w, k * 10 * MS + 3 * MS);
                for (uint32_t p = 0; p < pcpus; p++)
                    ck_assert_uint_eq(w.v[sched_current(w.s, p)].vm, (k + p) % n);
            }
            world_end(&w);
        }
}
END_TEST

/* Of 3 VMs on 2 pCPUs each has 2 slots in 3, one after the other: its vCPU goes from one to the other without
 * a moment's loss. */
START_TEST(a_vm_of_one_vcpu_has_its_slots_one_after_the_other)
{
    struct world w;
    begin(&w, names[_i], 2);
    for (int i = 0; i < 3; i++)
        world_vm(&w, hog);
    world_start(&w, 1);
    world_run(&w, 3 * S);
    for (uint32_t v = 0; v < 3; v++) {
        ran(&w, v, 2 * S);
        ck_assert_int_le(w.v[v].longest_wait, 10 * MS);
    }
    world_end(&w);
}
END_TEST

START_TEST(who_is_pinned_elsewhere_has_no_slots)
{
    static const uint64_t first = 1;
    struct world w;
    begin(&w, "credit", 2);
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 2, .pins = &first});
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 2});
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 2});
    world_start(&w, 1);
    world_run(&w, 6 * S);
    int64_t of[3];
    for (uint32_t i = 0; i < 3; i++)
        of[i] = w.v[2 * i].ran + w.v[2 * i + 1].ran;
    ck_assert_int_eq(of[0], 2 * S);
    ck_assert_int_eq(of[1], 5 * S);
    ck_assert_int_eq(of[2], 5 * S);
    world_end(&w);
}
END_TEST

START_TEST(its_vcpus_take_turns)
{
    struct world w;
    begin(&w, names[_i], 1);
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 3});
    world_vm(&w, idler);
    world_start(&w, 1);
    for (uint32_t k = 0; k < 12; k++) {
        world_run(&w, k * 10 * MS + 5 * MS);
        ck_assert_uint_eq(sched_current(w.s, 0), k % 2 ? SCHED_NONE : k / 2 % 3);
    }
    world_end(&w);
}
END_TEST

/* Within a slot: who wakes runs at once, its sibling follows, and then nobody, to the end. */
START_TEST(a_slot_is_its_vms_to_the_end)
{
    struct world w;
    begin(&w, names[_i], 1);
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 2, .asleep = true});
    world_vm(&w, hog);
    world_start(&w, 1);
    world_run(&w, 22 * MS);
    ck_assert_uint_eq(sched_current(w.s, 0), SCHED_NONE); /* the hog has 10 .. 20 */
    ran(&w, 2, 10 * MS);
    world_wake(&w, 1);
    w.v[1].work = 2 * MS;
    w.p[0].ends = 24 * MS;
    ck_assert_uint_eq(sched_current(w.s, 0), 1);
    world_run(&w, 23 * MS);
    world_wake(&w, 0);
    w.v[0].work = 3 * MS;
    ck_assert_uint_eq(sched_current(w.s, 0), 1);
    world_run(&w, 25 * MS);
    ck_assert_uint_eq(sched_current(w.s, 0), 0);
    world_run(&w, 29 * MS);
    ck_assert_uint_eq(sched_current(w.s, 0), SCHED_NONE);
    ran(&w, 1, 2 * MS);
    ran(&w, 0, 3 * MS);
    ran(&w, 2, 10 * MS);
    world_wake(&w, 0); /* it had 1 ms to the end of the slot, and goes on in its next */
    w.v[0].work = 5 * MS;
    world_run(&w, 43 * MS);
    ran(&w, 0, 3 * MS + 4 * MS);
    ran(&w, 2, 20 * MS);
    world_end(&w);
}
END_TEST

/* Whoever can run knows when to look again; where nobody can, nobody asks. */
START_TEST(the_next_slot_is_announced)
{
    struct world w;
    begin(&w, "cfs", 2);
    world_vm(&w, idler);
    world_vm(&w, idler);
    world_vm(&w, idler);
    world_start(&w, 1);
    ck_assert_int_eq(sched_poll(w.s), SCHED_FOREVER);
    world_run(&w, 3 * MS); /* slot 0: VMs 0 and 1 */
    world_wake(&w, 2);
    ck_assert_uint_eq(sched_current(w.s, 0), SCHED_NONE);
    ck_assert_uint_eq(sched_current(w.s, 1), SCHED_NONE);
    ck_assert_int_eq(sched_poll(w.s), 10 * MS);
    ck_assert_int_eq(sched_tick(w.s, 10 * MS), 20 * MS);
    ck_assert_uint_eq(sched_take_resched(w.s), 1); /* slot 1: VMs 1 and 2 */
    struct sched_pick p = sched_pick(w.s, 1, 10 * MS);
    ck_assert_uint_eq(p.vcpu, 2);
    ck_assert_int_eq(p.run_ns, 10 * MS);
    ck_assert_uint_eq(sched_take_resched(w.s), SCHED_NONE);
    ck_assert_int_eq(sched_poll(w.s), 20 * MS);
    sched_charge(w.s, 2, 4 * MS, 14 * MS);
    sched_block(w.s, 2, 14 * MS);
    ck_assert_uint_eq(sched_pick(w.s, 1, 14 * MS).vcpu, SCHED_NONE);
    ck_assert_int_eq(sched_poll(w.s), SCHED_FOREVER);
    world_end(&w);
}
END_TEST

START_TEST(a_limit_holds_within_slots)
{
    struct world w;
    begin(&w, names[_i], 1);
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .quota = 15 * MS, .period = 100 * MS});
    world_vm(&w, hog);
    world_start(&w, 1);
    world_run(&w, 10 * S);
    ran(&w, 0, 1500 * MS); /* of 50 ms in 100 that its slots are */
    ran(&w, 1, 5 * S);
    world_end(&w);
}
END_TEST

/* Weights, reservations, co-scheduling and directed yields: the same answers with them as without. */
START_TEST(what_has_no_meaning_does_not_count)
{
    uint64_t hash[2];
    for (int with = 0; with < 2; with++) {
        struct world *w = malloc(sizeof *w);
        begin(w, names[_i], 4);
        for (uint32_t i = 0; i < 6; i++) {
            struct world_vm vm = {.weight = 1000, .n_vcpus = 1 + i % 3, .work = 3 * MS, .sleep = i * MS};
            if (with) {
                vm.weight = 1 + 700 * i;
                vm.reservation = 300000 * i;
                vm.cosched = (enum sched_cosched)(i % 4);
            }
            world_vm(w, vm);
        }
        if (with) w->cfg.balance_idle = true;
        if (with) w->cfg.balance_every_ns = 4 * MS;
        world_start(w, 5);
        for (int64_t t = 5 * MS; t < S; t += 10 * MS) {
            world_run(w, t);
            if (with) world_set(w, 1, 1 + rng_u32(&(struct rng){(uint64_t)t, 1}) % 10000, 0, 0, 200000);
            for (uint32_t v = 0; with && v < 12; v++)
                MUST(!sched_yield_to(w->s, v, (v + 1) % 12, w->now));
        }
        hash[with] = w->hash;
        world_end(w);
        free(w);
    }
    ck_assert_uint_eq(hash[0], hash[1]);
}
END_TEST

/* Who comes has slots from the next slot on, who goes leaves its slot idle to the end. */
START_TEST(the_order_changes_with_the_next_slot)
{
    struct world w;
    begin(&w, names[_i], 1);
    w.cfg.room_vcpus = w.cfg.room_vms = 3;
    world_start(&w, 1);
    MUST(sched_pick(w.s, 0, 0).vcpu == SCHED_NONE); /* a host on which nobody is */
    world_run(&w, 3 * MS);
    ck_assert_uint_eq(world_attach(&w, hog), 0);
    world_run(&w, 43 * MS);
    ck_assert_uint_eq(world_attach(&w, hog), 1);
    ran(&w, 0, 33 * MS); /* of slot 0 nothing, slots 1 .. 3, and 3 ms */
    world_run(&w, 90 * MS);
    ran(&w, 0, 60 * MS); /* slots 1 .. 4, 6, 8 */
    ran(&w, 1, 20 * MS); /* slots 5, 7 */
    world_run(&w, 93 * MS);
    world_detach(&w, 1);
    ck_assert_uint_eq(sched_current(w.s, 0), SCHED_NONE);
    ck_assert_uint_eq(world_attach(&w, hog), 1); /* another, on its seat */
    ck_assert_uint_eq(sched_current(w.s, 0), SCHED_NONE);
    world_run(&w, 120 * MS);
    ran(&w, 0, 70 * MS); /* slot 10 */
    ran(&w, 1, 10 * MS); /* slot 11 */
    world_detach(&w, 1);
    world_run(&w, 200 * MS);
    ran(&w, 0, 70 * MS + 80 * MS); /* slot 12, that was its own, and all that follow */
    world_end(&w);
}
END_TEST

Suite *sched_slots_suite(void)
{
    Suite *s = suite_create("sched_slots");
    TCase *t = tcase_create("sched_slots");
    tcase_add_loop_test(t, an_idle_vms_slots_are_lost, 0, 6);
    tcase_add_test(t, in_slot_k_pcpu_p_is_at_place_k_plus_p);
    tcase_add_loop_test(t, a_vm_of_one_vcpu_has_its_slots_one_after_the_other, 0, 6);
    tcase_add_test(t, who_is_pinned_elsewhere_has_no_slots);
    tcase_add_loop_test(t, its_vcpus_take_turns, 0, 6);
    tcase_add_loop_test(t, a_slot_is_its_vms_to_the_end, 0, 6);
    tcase_add_test(t, the_next_slot_is_announced);
    tcase_add_loop_test(t, a_limit_holds_within_slots, 0, 6);
    tcase_add_loop_test(t, what_has_no_meaning_does_not_count, 0, 6);
    tcase_add_loop_test(t, the_order_changes_with_the_next_slot, 0, 6);
    suite_add_tcase(s, t);
    return s;
}
