// SPDX-License-Identifier: GPL-3.0-or-later
/* Guests against native processes: work that needs nobody costs a guest what it costs a process. */
#include <math.h>

#include "kvm/runner/baseline.h"
#include "lab.h"

Suite *baseline_suite(void);

#define STATED 0.04 /* of the native time */

static void measure(uint64_t bytes, uint32_t pairs, struct baseline_row *row)
{
    struct host native, guest;
    char *why = NULL;
    ck_assert_int_eq(host_open_native(&native, &why), KVM_OK);
    ck_assert_int_eq(host_open(&guest, &why), KVM_OK);
    ck_assert_msg(baseline_measure(&native, &guest, bytes, pairs, row, &why) == 0, "%s", why ? why : "?");
    host_close(&guest);
    host_close(&native);
}

/* The bound is the stated one, or twice the spread that this very run has. */
START_TEST(the_work_loop_is_as_fast_in_a_guest)
{
    struct baseline_row r;
    for (int tries = 0; tries < 3; tries++) {
        measure(0, BASELINE_PAIRS, &r);
        if (2 * r.spread <= STATED) break; /* else it is too noisy to tell: once more */
    }
    double bound = fmax(STATED, 2 * r.spread);
    ck_assert_msg(fabs(r.ratio - 1) <= bound, "guest/native %.3f +- %.3f, not within %.3f of 1", r.ratio,
                  r.spread, bound);
}
END_TEST

/* Not a bound but that it measures: what lies in the innermost cache takes a few cycles, what no cache holds
 * many times that, in both alike. */
START_TEST(a_walk_is_slower_where_no_cache_helps)
{
    struct baseline_row near, far;
    measure(32 << 10, 5, &near);
    measure(64 << 20, 5, &far);
    ck_assert(near.native > .2 && near.guest > .2);
    ck_assert_msg(far.native > 4 * near.native, "%.2f and %.2f ns", near.native, far.native);
    ck_assert_msg(far.guest > 4 * near.guest, "%.2f and %.2f ns", near.guest, far.guest);
}
END_TEST

/* One program, one seed, one sum: simulated or not, in a guest or not. */
START_TEST(guest_and_process_do_the_same_work)
{
    uint64_t sums[2][2];
    static const struct step s = {
        .kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_EXPONENTIAL, .a = 300000}};
    for (int native = 0; native < 2; native++) {
        struct lab *l = lab_new("rr", 1, 2, 500000000);
        l->own.native = native;
        for (uint32_t i = 0; i < 2; i++) {
            lab_set_prog(l, i, &s, 1);
            l->vms[i].work.until = 150;
        }
        lab_run_well(l);
        for (uint32_t i = 0; i < 2; i++) {
            ck_assert_uint_eq(l->seen[i].n[REC_UNTIL], 1);
            sums[native][i] = l->rep.checksum[i];
            ck_assert_uint_eq(sums[native][i], lab_expected(l, i, 0, 150));
        }
        lab_free(l);
    }
    ck_assert_mem_eq(sums[0], sums[1], sizeof sums[0]);
}
END_TEST

Suite *baseline_suite(void)
{
    Suite *s = suite_create("baseline");
    if (!lab_usable("baseline")) return s;
    TCase *t = tcase_create("baseline");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_work_loop_is_as_fast_in_a_guest);
    tcase_add_test(t, a_walk_is_slower_where_no_cache_helps);
    tcase_add_test(t, guest_and_process_do_the_same_work);
    suite_add_tcase(s, t);
    return s;
}
