// SPDX-License-Identifier: GPL-3.0-or-later
/* The scheduler's parts: its heap and tree against plain arrays, the slices each class gives, a very large
 * host. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "policy/sched_heap.h"
#include "tests/properties/sched_world.h"
#include "tests/often.h"

Suite *sched_parts_suite(void);

#define MS INT64_C(1000000)
#define S  (1000 * MS)

enum { NODES = 300 };

static bool sooner(const struct sched_node *a, const struct sched_node *b)
{
    return a->key != b->key ? a->key < b->key : a->id < b->id;
}

static void init_nodes(struct sched_node *n)
{
    for (uint32_t i = 0; i < NODES; i++)
        n[i] = (struct sched_node){.id = i, .chance = sched_tree_chance(i)};
}

static bool at_most(const void *ctx, int64_t key)
{
    return key <= *(const int64_t *)ctx;
}

/* Nodes go in and out at random; what is asked for is looked up among all that are in. */
static void churn(struct rng *r, bool heap)
{
    struct sched_node n[NODES], *root = NULL;
    bool in[NODES] = {0};
    init_nodes(n);
    for (int step = 0; step < 20000; step++) {
        uint32_t i = rng_u32(r) % NODES;
        if (in[i]) {
            heap ? sched_heap_del(&root, &n[i]) : sched_tree_del(&root, &n[i]);
        } else {
            n[i].key = rng_u32(r) % 50;
            n[i].second = rng_u32(r) % 50;
            heap ? sched_heap_add(&root, &n[i]) : sched_tree_add(&root, &n[i]);
        }
        in[i] = !in[i];
        const struct sched_node *first = NULL, *best = NULL;
        int64_t most = rng_u32(r) % 50;
        for (uint32_t k = 0; k < NODES; k++) {
            if (!in[k]) continue;
            if (!first || sooner(&n[k], first)) first = &n[k];
            if (n[k].key <= most && (!best || n[k].second < best->second)) best = &n[k];
        }
        ck_often((heap ? root : sched_tree_first(root)) == first);
        if (!heap) ck_often(sched_tree_best(root, at_most, &most) == best);
    }
}

START_TEST(heap_and_tree_agree_with_a_plain_search)
{
    struct rng r = {42, 43};
    churn(&r, true);
    churn(&r, false);
}
END_TEST

/* Equal hogs on one pCPU: how long a slice is and the longest wait, once all have begun. */
static void slices(const char *name, uint32_t n, int64_t slice, int64_t wait)
{
    struct world w;
    world_begin(&w, name, 1);
    for (uint32_t i = 0; i < n; i++)
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
    world_start(&w, 1);
    world_run(&w, S);
    for (uint32_t i = 0; i < n; i++)
        w.v[i].longest_wait = 0;
    world_run(&w, 3 * S);
    ck_assert_msg(world_slice(&w, 0) == slice, "%s, %u: %lld", name, n, (long long)world_slice(&w, 0));
    for (uint32_t i = 0; i < n; i++)
        ck_assert_msg(w.v[i].longest_wait <= wait, "%s, %u: %lld", name, n, (long long)w.v[i].longest_wait);
    world_end(&w);
}

START_TEST(slices_are_as_the_policies_say)
{
    slices("rr", 4, 10 * MS, 30 * MS);
    slices("stride", 4, 10 * MS, 30 * MS);
    slices("credit", 2, 30 * MS, 30 * MS);
    slices("cfs", 2, 3 * MS, 3 * MS);
    slices("cfs", 4, 1500000, 4500000);
    slices("cfs", 12, 750000, 11 * 750000);
    slices("eevdf", 2, 700000, 700000);
    slices("eevdf", 5, 700000, 4 * 700000);
    slices("bvt", 2, 10 * MS, 10 * MS);
    slices("bvt", 1, 5 * MS, 0);
}
END_TEST

START_TEST(cfs_slices_follow_weights)
{
    struct world w;
    world_begin(&w, "cfs", 1);
    world_vm(&w, (struct world_vm){.weight = 3000, .n_vcpus = 1});
    world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
    world_start(&w, 1);
    world_run(&w, S - 1);
    ck_assert_int_eq(world_slice(&w, 0), sched_current(w.s, 0) == 0 ? 4500000 : 1500000);
    world_end(&w);
}
END_TEST

/* A sleeper that wakes while a hog runs: how long it waits, per policy. */
START_TEST(an_interactive_vcpu_waits_as_its_policy_has_it)
{
    static const struct {
        const char *name;
        int64_t longest;
    } facts[] = {{"rr", 40 * MS},   {"stride", 40 * MS}, {"cfs", 3 * MS},
                 {"eevdf", 7 * MS}, {"credit", 1 * MS},  {"bvt", 25 * MS}};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        struct world w;
        world_begin(&w, facts[i].name, 1);
        for (int k = 0; k < 4; k++)
            world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .work = MS / 2, .sleep = 20 * MS});
        world_start(&w, 7);
        world_run(&w, S);
        w.v[4].longest_wait = 0;
        world_run(&w, 10 * S);
        ck_assert_msg(w.v[4].longest_wait <= facts[i].longest, "%s: %lld", facts[i].name,
                      (long long)w.v[4].longest_wait);
        world_end(&w);
    }
}
END_TEST

/* Whoever sleeps over Xen's ticks runs for nothing where they are sampled, and not where time is paid. */
START_TEST(a_sampled_debit_can_be_cheated)
{
    double share[2];
    for (int debit = 0; debit < 2; debit++) {
        struct world w;
        world_begin(&w, "credit", 1);
        w.cfg.credit_debit_tick = debit;
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .asleep = true});
        world_start(&w, 1);
        for (int64_t t = 0; t < 10 * S; t += 10 * MS) {
            world_run(&w, t);
            w.v[1].work = 8 * MS;
            if (sched_where(w.s, 1) == SCHED_BLOCKED) world_wake(&w, 1);
        }
        share[debit] = (double)w.v[1].ran / (10.0 * (double)S);
        world_end(&w);
    }
    ck_assert_msg(share[0] < .52, "%g", share[0]);
    ck_assert_msg(share[1] > .70, "%g", share[1]);
}
END_TEST

START_TEST(a_host_of_1024_pcpus_and_65000_vcpus)
{
    enum { P = SCHED_MAX_PCPUS, V = 65000, VMS = V / 5 };
    struct sched_vm_cfg *vms = calloc(VMS, sizeof *vms);
    static uint8_t on[V];
    for (uint32_t i = 0; i < VMS; i++)
        vms[i] = (struct sched_vm_cfg){.weight = 1 + i % 10000, .first_vcpu = 5 * i, .n_vcpus = 5};
    struct sched_cfg cfg = {.cls = sched_class_at((size_t)_i),
                            .n_pcpus = P,
                            .n_vcpus = V,
                            .n_vms = VMS,
                            .vms = vms,
                            .balance_idle = true,
                            .balance_every_ns = 4 * MS};
    size_t size = sched_size(&cfg);
    ck_assert_uint_lt(size, 100u << 20);
    void *block = calloc(1, size);
    struct sched *s = sched_init(block, &cfg);
    for (uint32_t v = 0; v < V; v++)
        sched_wake(s, v, 0);
    for (uint32_t p; (p = sched_take_resched(s)) != SCHED_NONE;)
        ck_assert_uint_ne(sched_pick(s, p, 0).vcpu, SCHED_NONE);
    for (int64_t now = 10 * MS; now <= 200 * MS; now += 10 * MS) {
        sched_tick(s, now);
        memset(on, 0, sizeof on);
        for (uint32_t p = 0; p < P; p++) {
            sched_charge(s, sched_current(s, p), 10 * MS, now);
            uint32_t v = sched_pick(s, p, now).vcpu;
            MUST(v < V && !on[v]);
            on[v] = 1;
        }
    }
    free(vms);
    free(block);
}
END_TEST

Suite *sched_parts_suite(void)
{
    Suite *s = suite_create("sched_parts");
    TCase *t = tcase_create("sched_parts");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, heap_and_tree_agree_with_a_plain_search);
    tcase_add_test(t, slices_are_as_the_policies_say);
    tcase_add_test(t, cfs_slices_follow_weights);
    tcase_add_test(t, an_interactive_vcpu_waits_as_its_policy_has_it);
    tcase_add_test(t, a_sampled_debit_can_be_cheated);
    tcase_add_loop_test(t, a_host_of_1024_pcpus_and_65000_vcpus, 0, 6);
    suite_add_tcase(s, t);
    return s;
}
