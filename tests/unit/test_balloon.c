// SPDX-License-Identifier: GPL-3.0-or-later
/* Balloons, compression, reservations, the states of free memory, and who is ended when nothing is left. */
#include <string.h>

#include "model/guest.h"
#include "model/mem_reclaim.h"
#include "tests/memlab.h"

Suite *balloon_suite(void);

#define MS INT64_C(1000000)

static struct lab *lab_of(int kib, const char *memory, const char *vms)
{
    return lab_open("vlab: 1\nname: t\nrun: {duration: 10s}\n"
                    "hosts: [{name: h, cpu: {cores: 3}, disks: [{name: d}, {name: own}],"
                    " memory: {size: %dKiB, %s}}]\nvms:\n%s",
                    kib, memory, vms);
}

/* Refers to `kib` pages, in turn over so many KiB, writing them: four rounds; then stays. */
#define VM(name, memory, kib, at)                                                                            \
    "  - {name: " name ", host: h, start: {at: " at "}, memory: {" memory                                    \
    "}, workload: {kind: loop, steps: ["                                                                     \
    "{touch: {pages: " kib " , of: " kib "KiB, pattern: cyclic, write: 100%}}, {sleep: 100s}]}}\n"

static void whole(struct memlab *l)
{
    char *why = NULL;
    ck_assert_msg(mem_check(l->m, &why) == 0, "%s", why ? why : "?");
}

static struct vmem *mem_of(struct memlab *l, int vm)
{
    return l->m->vms[vm].mem;
}

/* a and b of 25 pages each on 40 frames: each guest gives pages to its own swap, none is the host's doing. */
START_TEST(the_guest_swaps_first)
{
    struct lab *lab = lab_of(160, "reclaim: [balloon, swap], swap: d",
                             VM("a", "size: 100KiB, swap: own", "100", "0s")
                                 VM("b", "size: 100KiB, swap: own", "100", "100ms"));
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 2000 * MS);
    whole(l);
    for (int i = 0; i < 2; i++) {
        const struct vmem *v = mem_of(l, i);
        ck_assert_int_eq(v->swapped, 0);
        ck_assert_int_eq(v->resident + v->ballooned, 25);
        ck_assert_int_eq(v->resident + v->reclaim->guest_swapped, 25);
    }
    ck_assert_int_eq(l->m->hosts[0].mem->used, 40);
    ck_assert_int_eq(mem_of(l, 0)->ballooned + mem_of(l, 1)->ballooned, 10);
    ck_assert_int_gt(memlab_count(l, 1, REC_N_MEM_FAULTS), 0);
    ck_assert_int_eq(memlab_count(l, 1, REC_N_MEM_SWAPIN), 0);
    /* b goes: a's balloon gives back all it holds. */
    guest_kill(l->m, &l->m->vms[1]);
    memlab_to(l, 2001 * MS);
    whole(l);
    ck_assert_int_eq(mem_of(l, 0)->ballooned, 0);
    memlab_free(l);
    lab_run(lab, 1);
    ck_near(lab_value(lab, "vm.b", "cpu.swapwait", "total"), 0, 0);
    lab_close(lab);
}
END_TEST

/* The guest without a swap disk cannot; the other may give 40 % of 25 pages. */
START_TEST(bounds_of_a_balloon)
{
    struct lab *lab =
        lab_of(140, "reclaim: [balloon, swap], swap: d, balloon: {max: 40%}, tax: 0%",
               VM("a", "size: 100KiB, swap: own", "100", "0s") VM("b", "size: 100KiB", "100", "100ms"));
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 2000 * MS);
    whole(l);
    ck_assert_int_eq(mem_of(l, 0)->ballooned, 10);
    ck_assert_int_eq(mem_of(l, 1)->ballooned, 0);
    ck_assert_int_eq(mem_of(l, 0)->resident, 15);
    ck_assert_int_gt(mem_of(l, 1)->swapped + mem_of(l, 0)->swapped, 0);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* 4 KiB in 1 ms, and nothing else to take: b's 20 pages come one by one as the balloon gives them. */
START_TEST(a_balloon_has_a_rate)
{
    struct lab *lab = lab_of(
        100, "reclaim: [balloon], balloon: {rate: 4096kB/s}, tax: 0%",
        VM("a", "size: 100KiB, swap: own", "100",
           "0s") "  - {name: b, host: h, start: {at: 100ms}, memory: 100KiB, workload: {kind: loop, steps: ["
                 "{touch: {pages: 10, of: 40KiB, pattern: cyclic}}, {sleep: 100s}]}}\n");
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 105 * MS + 500000);
    whole(l);
    ck_assert_int_eq(mem_of(l, 1)->resident, 6); /* at 100, 101, ... 105 ms */
    memlab_to(l, 200 * MS);
    ck_assert_int_eq(mem_of(l, 1)->resident, 10);
    ck_assert_int_eq(mem_of(l, 0)->ballooned, 10);
    whole(l);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* Of 25 pages 20 are reserved: the other VM pays for all. */
START_TEST(reserved_is_kept)
{
    struct lab *lab = lab_of(120, "reclaim: [swap], swap: d, tax: 0%",
                             VM("a", "size: 100KiB, reservation: 80KiB, weight: 1", "100", "0s")
                                 VM("b", "size: 100KiB, weight: 10000", "100", "100ms"));
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 2000 * MS);
    whole(l);
    ck_assert_int_eq(mem_of(l, 0)->resident, 20);
    ck_assert_int_eq(mem_of(l, 1)->resident, 10);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* All of the host is reserved for a VM that uses more: it swaps its own. */
START_TEST(reserved_is_no_dead_end)
{
    struct lab *lab = lab_of(80, "reclaim: [swap], swap: d",
                             VM("a", "size: 100KiB, reservation: 60KiB", "100", "0s")
                                 VM("b", "size: 100KiB, reservation: 20KiB", "100", "100ms"));
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 2000 * MS);
    whole(l);
    ck_assert_int_eq(mem_of(l, 0)->resident, 15);
    ck_assert_int_eq(mem_of(l, 1)->resident, 5);
    ck_assert_int_eq(memlab_count(l, 1, REC_N_MEM_REFS), 100);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

START_TEST(weights_divide)
{
    struct lab *lab = lab_of(120, "reclaim: [swap], swap: d, tax: 0%",
                             VM("a", "size: 100KiB, weight: 1000", "100", "0s")
                                 VM("b", "size: 100KiB, weight: 2000", "100", "100ms"));
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 2000 * MS);
    ck_near((double)mem_of(l, 0)->resident, 10, 1); /* a page moves where both pay alike */
    ck_assert_int_eq(mem_of(l, 0)->resident + mem_of(l, 1)->resident, 30);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* 25 pages in 22 frames, of which a pool of 2 holds up to 6, at 3:1 and 5 us each way: nothing is swapped. */
START_TEST(compressed_in_memory)
{
    struct lab *lab =
        lab_of(88, "reclaim: [compress, swap], swap: d, compress: {ratio: 3, cost: 5us}, replacement: fifo",
               VM("a", "size: 100KiB", "100", "0s"));
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 2000 * MS);
    whole(l);
    const struct mem_reclaim *r = l->m->hosts[0].mem->reclaim;
    ck_assert_int_eq(r->pool_frames, 2);
    ck_assert_int_eq(mem_of(l, 0)->resident, 20);
    ck_assert_int_eq(mem_of(l, 0)->reclaim->compressed, 5);
    ck_assert_int_eq(mem_of(l, 0)->swapped, 0);
    int64_t faults = memlab_count(l, 0, REC_N_MEM_FAULTS);
    ck_assert_int_eq(faults, 75); /* three rounds after the first, fifo in turn: each a fault */
    memlab_free(l);
    lab_run(lab, 1);
    /* each page brought back, and as many as went: those and five more */
    ck_near(lab_value(lab, "vm.a", "cpu.overhead", "total"), (75 + 80) * 5e-6, 1e-12);
    ck_near(lab_value(lab, "vm.a", "cpu.swapwait", "total"), 0, 0);
    ck_near(lab_value(lab, "vm.a", "mem.swapin", "total"), 0, 0);
    lab_close(lab);
}
END_TEST

static int states[64], n_states;
static struct rec oom;
static void listen(void *ctx, const struct rec *r, size_t n)
{
    (void)ctx;
    for (; n-- > 0; r++) {
        if (r->kind != REC_EVENT) continue;
        if (r->cause == REC_EV_MEM_STATE && n_states < 64) states[n_states++] = (int)r->value;
        if (r->cause == REC_EV_OOM) oom = *r;
    }
}

/* 1000 frames wanted free: high from 60, soft below 40, hard below 20. Without balloons soft swaps until
 * high. */
START_TEST(states_take_back)
{
    struct lab *lab = lab_of(4000, "reclaim: [swap], swap: d, free_target: 4000KiB",
                             VM("a", "size: 4000KiB", "4000", "0s"));
    struct memlab *l = memlab_new(lab, 1, 1000);
    n_states = 0;
    rec_block_add_reader(&l->out, (struct rec_reader){listen, NULL, 1u << REC_EVENT});
    memlab_to(l, 2000 * MS);
    whole(l);
    rec_block_flush(&l->out);
    ck_assert_int_gt(n_states, 3);
    for (int i = 0; i < n_states; i++)
        ck_assert_int_eq(states[i], i % 2 == 0);
    ck_assert_int_ge(l->m->hosts[0].mem->frames - l->m->hosts[0].mem->used, 40);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* A slow balloon: soft, then hard swaps. */
START_TEST(hard_swaps)
{
    struct lab *lab =
        lab_of(4000, "reclaim: [balloon, swap], swap: d, free_target: 4000KiB, balloon: {rate: 40kB/s}",
               VM("a", "size: 4000KiB, swap: own", "4000", "0s"));
    struct memlab *l = memlab_new(lab, 1, 1000);
    n_states = 0;
    rec_block_add_reader(&l->out, (struct rec_reader){listen, NULL, 1u << REC_EVENT});
    memlab_to(l, 500 * MS);
    whole(l);
    rec_block_flush(&l->out);
    ck_assert_int_ge(n_states, 2);
    ck_assert_int_eq(states[0], 1);
    ck_assert_int_eq(states[1], 2);
    ck_assert_int_gt(mem_of(l, 0)->swapped, 0);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* No guest has a swap disk, so no balloon gives a frame: who has most is ended. */
START_TEST(nothing_left)
{
    struct lab *lab = lab_of(100, "reclaim: [balloon]",
                             VM("a", "size: 100KiB", "80", "0s") VM("b", "size: 100KiB", "80", "100ms"));
    struct memlab *l = memlab_new(lab, 1, 1000);
    oom = (struct rec){0};
    rec_block_add_reader(&l->out, (struct rec_reader){listen, NULL, 1u << REC_EVENT});
    memlab_to(l, 500 * MS);
    rec_block_flush(&l->out);
    ck_assert_int_eq(oom.cause, REC_EV_OOM);
    ck_assert_uint_eq(oom.vm, 0);
    ck_assert_int_eq(oom.to, REC_WHY_NO_SWAP);
    ck_assert_int_eq(mem_of(l, 1)->resident, 20);
    whole(l);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

Suite *balloon_suite(void)
{
    Suite *s = suite_create("balloon");
    TCase *t = tcase_create("taking back");
    tcase_add_test(t, the_guest_swaps_first);
    tcase_add_test(t, bounds_of_a_balloon);
    tcase_add_test(t, a_balloon_has_a_rate);
    tcase_add_test(t, reserved_is_kept);
    tcase_add_test(t, reserved_is_no_dead_end);
    tcase_add_test(t, weights_divide);
    tcase_add_test(t, compressed_in_memory);
    tcase_add_test(t, states_take_back);
    tcase_add_test(t, hard_swaps);
    tcase_add_test(t, nothing_left);
    suite_add_tcase(s, t);
    return s;
}
