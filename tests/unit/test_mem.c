// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory's parts: the TLB, faults and what they write and read, waits that join, who is ended when nothing is
 * left. */
#include <string.h>

#include "tests/memlab.h"

Suite *mem_suite(void);

#define US 1000

/* Host memory of `kib` and VMs that run the steps, one task each. */
static struct lab *lab_of(int kib, const char *host_more, const char *vms)
{
    return lab_open(
        "vlab: 1\nname: t\nrun: {duration: 1s}\n"
        "hosts: [{name: h, cpu: {cores: 2}, disks: [{name: d}], memory: {size: %dKiB, page: 4KiB%s}}]\n"
        "vms:\n%s",
        kib, host_more, vms);
}

#define SWAP ", reclaim: [swap], swap: d, replacement: fifo"
#define VM(name, steps)                                                                                      \
    "  - {name: " name ", host: h, memory: 1MiB, workload: {kind: loop, until: {count: 1}, "                 \
    "steps: [{cpu: 1ns}, " steps "]}}\n"

/* Fifo over 4 pages in 2 frames, in turn: every page's first eviction writes, later ones only what was
 * written. */
START_TEST(what_is_written)
{
    static const char *const shares[] = {"0%", "100%"};
    char vms[256];
    snprintf(vms, sizeof vms, VM("a", "{touch: {pages: 40, of: 16KiB, pattern: cyclic, write: %s}}"),
             shares[_i]);
    struct lab *lab = lab_of(8, SWAP, vms);
    struct memlab *l = memlab_new(lab, 1, 10 * US);
    memlab_to(l, 1000000000);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_REFS), 40);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_SOFTFAULTS), 4);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_FAULTS), 36);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_SWAPIN), 36 * 4096);
    ck_assert_uint_eq(l->reads, 36);
    ck_assert_uint_eq(l->writes, _i ? 38 : 4); /* 38 evictions: all but the first two frames' */
    ck_assert_int_eq(l->m->vms[0].mem->resident, 2);
    ck_assert_int_eq(l->m->vms[0].mem->swapped, 2);
    ck_assert_int_eq(l->m->hosts[0].book->level[REC_L_MEM_RESIDENT], 8192);
    ck_assert_int_eq(l->m->hosts[0].book->level[REC_L_MEM_SWAPPED], 8192);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* References that take no time are counted and told apart like any others. */
START_TEST(no_time_at_all)
{
    struct lab *lab =
        lab_of(1024, "",
               VM("a", "{touch: {pages: 8, of: 32KiB, pattern: cyclic}}, {sleep: 1ms}, "
                       "{touch: {pages: 5, of: 32KiB, pattern: cyclic, write: 100%}}, {sleep: 1s}"));
    struct memlab *l = memlab_new(lab, 1, 10 * US);
    char *why = NULL;
    memlab_to(l, 500 * US);
    ck_assert_int_eq(l->m->vms[0].mem->active, 8);
    mem_active_begin(l->m->vms[0].mem);
    memlab_to(l, 2000 * US);
    ck_assert_int_eq(l->m->vms[0].mem->active, 5);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_REFS), 13);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_SOFTFAULTS), 8);
    int dirty = 0;
    for (uint32_t p = 0; p < 8; p++)
        dirty += (*mem_word(l->m->vms[0].mem, p) & PAGE_DIRTY) != 0;
    ck_assert_int_eq(dirty, 5);
    ck_assert_msg(mem_check(l->m, &why) == 0, "%s", why ? why : "?");
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* Two tasks of one VM want the same page: one transfer, both wait for it and both faults count. */
START_TEST(a_fault_joins_another)
{
    struct lab *lab = lab_of(
        8, SWAP,
        "  - {name: a, host: h, vcpus: 2, memory: 1MiB, workload: {kind: loop, threads: 2,"
        " until: {count: 4}, steps: [{cpu: 1ns}, {touch: {pages: 3, of: 12KiB, pattern: cyclic}}]}}\n");
    struct memlab *l = memlab_new(lab, 1, 10 * US);
    memlab_to(l, 1000000000);
    int64_t faults = memlab_count(l, 0, REC_N_MEM_FAULTS);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_REFS), 12);
    ck_assert_int_gt(faults, (int64_t)l->reads);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_SWAPIN), (int64_t)l->reads * 4096);
    ck_assert_uint_eq(l->m->vms[0].done, 4);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* One frame for four tasks that want others' pages: they starve in turn, none for ever. */
START_TEST(one_frame_is_enough)
{
    struct lab *lab =
        lab_of(4, SWAP,
               "  - {name: a, host: h, vcpus: 2, memory: 1MiB, workload: {kind: loop, threads: 4,"
               " until: {count: 20}, steps: [{cpu: 1ns}, {touch: {pages: 7, of: 32KiB}}]}}\n" VM(
                   "b", "{touch: {pages: 50, of: 20KiB, write: 50%}}"));
    struct memlab *l = memlab_new(lab, 3, 10 * US);
    memlab_to(l, 1000000000);
    ck_assert_uint_eq(l->m->vms[0].done, 20);
    ck_assert_uint_eq(l->m->vms[1].done, 1);
    ck_assert_int_eq(memlab_count(l, 0, REC_N_MEM_REFS) + memlab_count(l, 1, REC_N_MEM_REFS), 190);
    ck_assert_int_eq(l->m->vms[0].mem->resident + l->m->vms[1].mem->resident, 1);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 1);
    ck_assert_int_eq(l->m->hosts[0].mem->in_flight, 0);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

static struct rec oom;
static void listen(void *ctx, const struct rec *r, size_t n)
{
    (void)ctx;
    for (; n-- > 0; r++)
        if (r->kind == REC_EVENT && r->cause == REC_EV_OOM) oom = *r;
}

/* No swap: the VM with most is ended, and says why; what it had serves the other. */
START_TEST(the_biggest_goes)
{
    struct lab *lab =
        lab_of(40, ", reclaim: [share]",
               VM("a", "{touch: {pages: 7, of: 28KiB, pattern: cyclic}}, {cpu: 1s}")
                   VM("b", "{cpu: 1ms}, {touch: {pages: 8, of: 32KiB, pattern: cyclic}}, {cpu: 1ms}"));
    struct memlab *l = memlab_new(lab, 1, US);
    rec_block_add_reader(&l->out, (struct rec_reader){listen, NULL, 1u << REC_EVENT});
    memlab_to(l, 900000000);
    rec_block_flush(&l->out);
    ck_assert_int_eq(oom.t_ns, 1000001);
    ck_assert_uint_eq(oom.vm, 0);
    ck_assert_int_eq(oom.value, 7 * 4096);
    ck_assert_uint_eq(oom.to, REC_WHY_NO_SWAP);
    ck_assert(l->m->vms[0].off);
    ck_assert_int_eq(l->m->vms[0].mem->resident, 0);
    ck_assert_int_eq(l->m->vms[1].mem->resident, 8);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 8);
    ck_assert_uint_eq(l->m->vms[1].done, 1);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* With a pool a VM, a VM that faults takes from its own; the other keeps what it has. */
START_TEST(pools_of_their_own)
{
    struct lab *lab = lab_of(40, SWAP ", replacement_scope: vm",
                             VM("a", "{touch: {pages: 6, of: 24KiB, pattern: cyclic}}, {cpu: 1s}")
                                 VM("b", "{cpu: 1ms}, {touch: {pages: 80, of: 32KiB, pattern: cyclic}}"));
    struct memlab *l = memlab_new(lab, 1, US);
    memlab_to(l, 900000000);
    ck_assert_int_eq(l->m->vms[0].mem->resident, 6);
    ck_assert_int_eq(l->m->vms[1].mem->resident, 4);
    ck_assert_int_eq(l->m->vms[1].mem->swapped, 4);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* 2.5 ns a reference of one that is there, to the ps over a thousand; and the walk's references. */
START_TEST(time_is_exact)
{
    struct lab *lab = lab_of(4096, "",
                             VM("a", "{touch: {pages: 100, of: 400KiB, pattern: cyclic}}, "
                                     "{touch: {pages: 1001, of: 400KiB}}"));
    struct memlab *l = memlab_new(lab, 1, US);
    l->m->hosts[0].mem->ref_ps = 2500;
    memlab_to(l, 900000000);
    ck_assert_int_eq(l->m->vms[0].charged_ns, 1 + 1101 * 2500 / 1000);
    ck_assert_int_eq(l->m->vms[0].mem->active, 100);
    mem_active_begin(l->m->vms[0].mem);
    ck_assert_int_eq(l->m->vms[0].mem->active, 0);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* Whatever the entries, as many pages as entries miss once each; one page more, in turn, misses in its set.
 */
START_TEST(the_tlb_holds_its_reach)
{
    for (uint32_t entries = 1; entries < 70; entries++) {
        struct tlb *t = tlb_new(entries);
        uint32_t misses = 0;
        for (uint32_t i = 0; i < 5 * entries; i++)
            misses += tlb_miss(t, i % entries);
        ck_assert_msg(misses == entries, "%u entries: %u misses", entries, misses);
        misses = 0;
        for (uint32_t i = 0; i < 10 * (entries + 1); i++)
            misses += tlb_miss(t, i % (entries + 1));
        ck_assert_uint_ge(misses, 10);
        free(t);
    }
}
END_TEST

Suite *mem_suite(void)
{
    Suite *s = suite_create("mem");
    TCase *t = tcase_create("mem");
    tcase_add_loop_test(t, what_is_written, 0, 2);
    tcase_add_test(t, no_time_at_all);
    tcase_add_test(t, a_fault_joins_another);
    tcase_add_test(t, one_frame_is_enough);
    tcase_add_test(t, the_biggest_goes);
    tcase_add_test(t, pools_of_their_own);
    tcase_add_test(t, time_is_exact);
    tcase_add_test(t, the_tlb_holds_its_reach);
    suite_add_tcase(s, t);
    return s;
}
