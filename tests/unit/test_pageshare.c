// SPDX-License-Identifier: GPL-3.0-or-later
/* Page sharing: which pages become one, what a write costs, what is left when VMs go; who has a frame on its
 * account. */
#include <string.h>

#include "model/guest.h"
#include "model/mem_reclaim.h"
#include "tests/memlab.h"

Suite *pageshare_suite(void);

#define MS INT64_C(1000000)

/* 32 pages a VM: os 0 .. 15, zero 24 .. 31 by the order of names (os, web, zero). */
static struct lab *lab_of(const char *more, const char *second)
{
    return lab_open(
        "vlab: 1\nname: t\nrun: {duration: 10s}\n"
        "hosts: [{name: h, cpu: {cores: 3}, memory: {size: 1MiB, reclaim: [share],"
        " share: {rate: 100MB/s, break: 3us%s}}}]\n"
        "vms:\n"
        "  - {name: v, count: 3, host: h, memory: {size: 128KiB, content: {zero: 25%%, os: 50%%, web: 25%%}},"
        " workload: {kind: loop, until: {count: 1}, steps: [{touch: {pages: 32, of: 128KiB, pattern: "
        "cyclic}},"
        " {sleep: 1s}, {touch: {%s}}, {sleep: 100s}]}}\n",
        more, second);
}

static int64_t shared(const struct memlab *l, int vm)
{
    return l->m->vms[vm].mem->shared;
}

static void whole(struct memlab *l)
{
    char *why = NULL;
    ck_assert_msg(mem_check(l->m, &why) == 0, "%s", why ? why : "?");
}

/* 24 contents with 3 pages each and one with 24: 25 frames of 96 are left. */
START_TEST(equal_pages_become_one)
{
    struct lab *lab = lab_of("", "pages: 1, of: 128KiB");
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 900 * MS);
    whole(l);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 25);
    ck_assert_int_eq(shared(l, 0) + shared(l, 1) + shared(l, 2), 96 - 25);
    ck_assert_int_eq(l->m->hosts[0].book->level[REC_L_MEM_SHARED], 71 * 4096);
    ck_assert_int_eq(l->m->hosts[0].book->level[REC_L_MEM_RESIDENT], 25 * 4096);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(l->m->vms[i].book->level[REC_L_MEM_RESIDENT], 32 * 4096);
    /* VMs go: what the others share stays theirs, and the last one's pages are ordinary ones. */
    guest_kill(l->m, &l->m->vms[0]);
    memlab_to(l, 910 * MS);
    whole(l);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 25);
    ck_assert_int_eq(shared(l, 1) + shared(l, 2), 64 - 25);
    guest_kill(l->m, &l->m->vms[1]);
    memlab_to(l, 920 * MS);
    whole(l);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 25); /* 8 zero pages are still one */
    ck_assert_int_eq(shared(l, 2), 7);
    guest_kill(l->m, &l->m->vms[2]);
    memlab_to(l, 930 * MS);
    whole(l);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 0);
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* Who only reads them notices nothing. */
START_TEST(reads_leave_it)
{
    struct lab *lab = lab_of("", "pages: 70, of: 128KiB, pattern: cyclic");
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 1500 * MS);
    whole(l);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 25);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_int_eq(memlab_count(l, i, REC_N_MEM_REFS), 32 + 70);
        ck_assert_int_eq(memlab_count(l, i, REC_N_MEM_SOFTFAULTS), 32);
        ck_assert_int_eq(memlab_count(l, i, REC_N_MEM_FAULTS), 0);
    }
    memlab_free(l);
    lab_close(lab);
}
END_TEST

/* Each write to a shared page is a soft fault of 3 us, and the page is never shared again. */
START_TEST(writes_break_it)
{
    struct lab *lab = lab_of("", "pages: 32, of: 128KiB, pattern: cyclic, write: 100%");
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 900 * MS);
    ck_assert_int_eq(memlab_count(l, 1, REC_N_MEM_SOFTFAULTS), 32);
    int64_t saved = 71;
    memlab_to(l, 1500 * MS);
    whole(l);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 96);
    int64_t breaks = 0;
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_int_eq(shared(l, (int)i), 0);
        breaks += memlab_count(l, i, REC_N_MEM_SOFTFAULTS) - 32;
        ck_assert_int_eq(memlab_count(l, i, REC_N_MEM_FAULTS), 0);
    }
    ck_assert_int_eq(breaks, saved); /* the last on a frame has it for itself */
    memlab_free(l);
    lab_run(lab, 1);
    double overhead = 0;
    for (int i = 0; i < 3; i++) {
        char vm[16];
        snprintf(vm, sizeof vm, "vm.v-%d", i);
        overhead += lab_value(lab, vm, "cpu.overhead", "total");
    }
    ck_near(overhead, 71 * 3e-6, 1e-12);
    lab_close(lab);
}
END_TEST

/* 4096 B at 100 MB/s is 40.96 us a page; the first round sees 96 pages, the host's thread pays 1 us each. */
START_TEST(scanning_takes_time)
{
    struct lab *lab = lab_of(", cost: 1us", "pages: 1, of: 128KiB");
    struct memlab *l = memlab_new(lab, 1, 1000);
    memlab_to(l, 2 * MS);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 96);
    memlab_to(l, 6 * MS);
    ck_assert_int_eq(l->m->hosts[0].mem->used, 25);
    whole(l);
    memlab_free(l);
    lab_run(lab, 1);
    double hostos = 0;
    for (int p = 0; p < 3; p++) {
        char pcpu[24];
        snprintf(pcpu, sizeof pcpu, "host.h.pcpu%d", p);
        hostos += lab_value(lab, pcpu, "cpu.hostos", "total");
    }
    ck_near(hostos, 10 * 1e-6 / 40.96e-6, .001 * 10);
    lab_close(lab);
}
END_TEST

Suite *pageshare_suite(void)
{
    Suite *s = suite_create("pageshare");
    TCase *t = tcase_create("pageshare");
    tcase_add_test(t, equal_pages_become_one);
    tcase_add_test(t, reads_leave_it);
    tcase_add_test(t, writes_break_it);
    tcase_add_test(t, scanning_takes_time);
    suite_add_tcase(s, t);
    return s;
}
