// SPDX-License-Identifier: GPL-3.0-or-later
/* Fixed slots: when a VM runs hangs on nothing that another does; and inside its slots it runs whenever it
 * can. */
#include "tests/properties/sched_world.h"

Suite *sched_slots_suite(void);

#define MS INT64_C(1000000)

static const char *const names[] = {"rr", "credit", "cfs", "eevdf", "stride", "bvt"};
enum { STEPS = 2000, OTHERS = 3 };

/* At every quarter of a millisecond: which of VM 0's vCPUs are on which pCPU. */
struct seen {
    uint32_t at[STEPS][4];
};

/* others: how VMs 1..3 behave; VM 0, two hogs or two sleepers, behaves the same always. */
static void watch(const char *cls, uint32_t n_pcpus, bool sleeps, uint64_t others, struct seen *seen)
{
    struct world *w = malloc(sizeof *w);
    world_begin(w, cls, n_pcpus);
    w->cfg.fixed_slots = true;
    w->cfg.slice_ns = 3 * MS;
    world_vm(
        w, (struct world_vm){.weight = 1000, .n_vcpus = 2, .asleep = sleeps, .work = sleeps ? 1000 * MS : 0});
    for (uint64_t k = 0; k < OTHERS; k++) {
        struct world_vm vm = {.weight = 1000, .n_vcpus = 1 + (others >> k) % 2};
        if ((others >> k) % 3)
            vm.work = (int64_t)(1 + (others * 3 + k) % 7) * MS, vm.sleep = (int64_t)(1 + others % 5) * MS;
        if (others == 0) vm.asleep = true, vm.work = MS;
        world_vm(w, vm);
    }
    world_start(w, 1 + others);
    w->conserving = false;
    for (uint32_t i = 0; i < STEPS; i++) {
        world_run(w, i * (MS / 4) + MS / 8);
        if (sleeps && i % 100 == 30) { /* comes and goes at fixed times */
            for (uint32_t v = 0; v < 2; v++)
                if (sched_where(w->s, v) == SCHED_BLOCKED) world_wake(w, v), w->v[v].work = 1000000 * MS;
        }
        if (sleeps && i % 100 == 80) {
            for (uint32_t v = 0; v < 2; v++) {
                uint32_t p = w->v[v].on;
                if (p != SCHED_NONE) world_stop(w, p);
                if (sched_where(w->s, v) != SCHED_BLOCKED) sched_block(w->s, v, w->now);
                world_look(w);
                if (p != SCHED_NONE) world_pick(w, p);
                world_settle(w);
            }
        }
        uint32_t running = 0, ready = 0, owned = 0;
        for (uint32_t v = 0; v < 2; v++)
            ready += sched_where(w->s, v) != SCHED_BLOCKED;
        for (uint32_t p = 0; p < n_pcpus; p++) {
            uint32_t v = sched_current(w->s, p);
            bool own = ((uint64_t)(w->now / (3 * MS)) + p) % (1 + OTHERS) == 0;
            seen->at[i][p] = v < 2 ? v : SCHED_NONE;
            running += v < 2;
            owned += own;
            MUST(v >= 2 || own); /* in no other's slot */
            MUST(!own || v == SCHED_NONE || v < 2);
        }
        MUST(running == (ready < owned ? ready : owned)); /* work is conserved inside them */
    }
    world_end(w);
    free(w);
}

START_TEST(nobody_else_matters)
{
    static struct seen first, other;
    for (uint32_t p = 1; p <= 4; p++)
        for (int sleeps = 0; sleeps < 2; sleeps++) {
            memset(&first, 0, sizeof first);
            memset(&other, 0, sizeof other);
            watch(names[_i], p, sleeps, 0, &first);
            for (uint64_t o = 1; o < 12; o++) {
                watch(names[_i], p, sleeps, o, &other);
                ck_assert_msg(memcmp(&first, &other, sizeof first) == 0, "%s, %u pCPUs, others %d", names[_i],
                              p, (int)o);
            }
        }
}
END_TEST

Suite *sched_slots_suite(void)
{
    Suite *s = suite_create("sched_slots");
    TCase *t = tcase_create("sched_slots");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, nobody_else_matters, 0, 6);
    suite_add_tcase(s, t);
    return s;
}
