// SPDX-License-Identifier: GPL-3.0-or-later
/* Steps that refer to memory, in real guests: what they touch is really theirs and really there; what no
 * guest may refer to ends it, and it alone. */
#include <sys/resource.h>

#include "lab.h"

Suite *memory_suite(void);

#define PAGE  4096
#define BIG   (2 << 20)
#define PAGES 20000

static struct step touch(enum prog_pattern how, int64_t refs, int64_t pages, uint32_t write)
{
    return (struct step){.kind = STEP_TOUCH,
                         .probability = UINT32_MAX,
                         .amount = {.kind = DIST_CONST, .a = refs},
                         .how = how,
                         .span = pages,
                         .write = write,
                         .skew = .8};
}

/* The largest that any process of this test grew to, in bytes. */
static int64_t largest(void)
{
    struct rusage u;
    ck_assert_int_eq(getrusage(RUSAGE_CHILDREN, &u), 0);
    return u.ru_maxrss * INT64_C(1024);
}

START_TEST(pages_that_are_touched_are_there)
{
    struct lab *l = lab_new(_i == 0 ? "eevdf" : "rr", 1, 2, 600000000);
    struct step s[] = {touch(PROG_CYCLIC, PAGES, PAGES, UINT32_MAX),
                       touch(PROG_UNIFORM, 1000, PAGES, 1u << 31), touch(PROG_ZIPF, 1000, 500, 0)};
    lab_set_prog(l, 0, s, 3);
    lab_set_prog(l, 1, s + 2, 1);
    l->vms[0].memory_bytes = 2 * PAGES * (int64_t)PAGE;
    l->vms[0].work.until = 20;
    l->vms[1].work.until = 300;
    lab_run_well(l);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(l->seen[i].n[REC_UNTIL], 1);
        ck_assert_uint_eq(l->rep.checksum[i], lab_expected(l, i, 0, l->vms[i].work.until));
    }
    ck_assert_int_eq(l->seen[0].refs, 20 * (PAGES + 1000 + 1000));
    ck_assert_int_eq(l->seen[1].refs, 300 * 1000);
    ck_assert_int_ge(largest(), PAGES * (int64_t)PAGE); /* written to, every one */
    ck_assert_int_lt(largest(), PAGES * (int64_t)PAGE + (48 << 20));
    lab_free(l);
}
END_TEST

/* What is read only has no content of its own: the host's one page of zeros stands for all. */
START_TEST(pages_that_are_only_read_take_nothing)
{
    struct lab *l = lab_new("rr", 1, 1, 400000000);
    struct step s = touch(PROG_CYCLIC, PAGES, PAGES, 0);
    lab_set_prog(l, 0, &s, 1);
    l->vms[0].work.until = 5;
    lab_run_well(l);
    ck_assert_uint_eq(l->rep.checksum[0], lab_expected(l, 0, 0, l->vms[0].work.until));
    ck_assert_int_lt(largest(), PAGES / 2 * (int64_t)PAGE);
    lab_free(l);
}
END_TEST

START_TEST(large_pages_are_pages_too)
{
    struct lab *l = lab_new("rr", 1, 1, 400000000);
    struct step s = touch(PROG_UNIFORM, 5000, 30, 1u << 31);
    lab_set_prog(l, 0, &s, 1);
    l->host.memory.page_bytes = BIG;
    l->vms[0].memory_bytes = INT64_C(64) * BIG;
    l->vms[0].work.until = 50;
    lab_run_well(l);
    ck_assert_uint_eq(l->seen[0].n[REC_UNTIL], 1);
    ck_assert_uint_eq(l->rep.checksum[0], lab_expected(l, 0, 0, l->vms[0].work.until));
    lab_free(l);
}
END_TEST

/* vCPUs of one VM refer to the same memory. */
START_TEST(several_vcpus_touch)
{
    struct lab *l = lab_new("rr", 2, 1, 400000000);
    struct step s = touch(PROG_UNIFORM, 3000, 900, UINT32_MAX);
    lab_set_prog(l, 0, &s, 1);
    l->vms[0].vcpus = 2;
    l->vms[0].work.threads = 2;
    lab_run_well(l);
    ck_assert_uint_gt(l->seen[0].n[REC_WORK], 100);
    ck_assert_uint_eq(l->seen[0].n_events[REC_EV_FAULT], 0);
    lab_free(l);
}
END_TEST

#define MEMORY (100 * (int64_t)PAGE)
static const struct {
    enum prog_access how;
    int64_t address;
    const char *line;
} refused[] = {
    {PROG_NULL, 0, "page fault"},
    {PROG_OUTSIDE, ABI_MEMORY + MEMORY, "outside its memory"},
    {PROG_NX, ABI_MEMORY, "page fault"},
    {PROG_READONLY, ABI_BOOT, "page fault"},
};

START_TEST(what_no_guest_may_ends_it_alone)
{
    struct lab *l = lab_new("rr", 1, 2, 300000000);
    struct step s[] = {
        {.kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 1000000}},
        {.kind = STEP_ACCESS, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 1}}};
    s[1].how = refused[_i].how;
    lab_set_prog(l, 0, s, 2);
    l->vms[0].memory_bytes = MEMORY;
    l->vms[1].work.until = 40;
    lab_run_well(l);
    ck_assert_uint_eq(l->seen[0].n_events[REC_EV_FAULT], 1);
    ck_assert_int_eq(l->seen[0].fault.value, refused[_i].address);
    ck_assert_ptr_nonnull(strstr(l->rep.ends[0], refused[_i].line));
    ck_assert_uint_eq(l->seen[0].last_to, VCPU_DOWN);
    ck_assert_uint_eq(l->seen[0].n[REC_WORK], 0); /* it never got past that */
    ck_assert_uint_eq(l->seen[1].n[REC_UNTIL], 1);
    ck_assert_uint_eq(l->rep.checksum[1], lab_expected(l, 1, 0, l->vms[1].work.until));
    lab_free(l);
}
END_TEST

Suite *memory_suite(void)
{
    Suite *s = suite_create("memory");
    TCase *t = tcase_create("memory");
    tcase_set_timeout(t, 60);
    if (lab_usable("memory")) {
        tcase_add_loop_test(t, pages_that_are_touched_are_there, 0, 2);
        tcase_add_test(t, pages_that_are_only_read_take_nothing);
        tcase_add_test(t, large_pages_are_pages_too);
        tcase_add_test(t, several_vcpus_touch);
        tcase_add_loop_test(t, what_no_guest_may_ends_it_alone, 0, 4);
    }
    suite_add_tcase(s, t);
    return s;
}
