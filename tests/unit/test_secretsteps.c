// SPDX-License-Identifier: GPL-3.0-or-later
/* The steps access, secret and covert: compiled as the program has them, and refused where they cannot be.
 * And the queue that the VMs of a `count` share. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/reading.h"

Suite *secretsteps_suite(void);

#define H "hosts: [{name: h}]\nvms:\n"
/* The first step is at 4:22. */
#define A H "- name: a\n  workload: {steps: ["
#define E ", {cpu: 1ms}]}\n"
/* Others, that send and that do not. */
#define B "- {name: b, workload: {steps: [{covert: {send: random, bits: 5, rate: 10/s}}]}}\n"
#define C "- {name: c, workload: {steps: [{cpu: 1ms}]}}\n"
#define D "- {name: d}\n"

static const struct step *steps_of(const struct scenario *sc, const char *vm, uint32_t n)
{
    const struct prog *p = vm_of(sc, vm)->work.prog;
    ck_assert(prog_valid(p, p->bytes));
    ck_assert_uint_eq(p->n_steps, n);
    return prog_steps(p);
}

START_TEST(they_arrive)
{
    struct diag d;
    struct scenario_file *f = parse(
        A "{secret: 32B}, {covert: {receive: b, rate: 10/s}}, {access: null, probability: 0.5}, {access: "
          "{where: outside}}, {access: nx}, {access: {where: readonly}}, {access: {}}" E B,
        &d);
    struct scenario *sc = at(f, 0, &d);
    const struct step *s = steps_of(sc, "a", 8), *b = steps_of(sc, "b", 1);
    static const uint32_t hows[] = {PROG_NULL, PROG_OUTSIDE, PROG_NX, PROG_READONLY, PROG_NULL};
    ck_assert(s[0].kind == STEP_SECRET && s[0].amount.kind == DIST_CONST && s[0].amount.a == 32);
    ck_assert(s[1].kind == STEP_COVERT && s[1].how == PROG_HEAR && s[1].span == 1000);
    ck_assert_int_eq(s[1].amount.a, 100000000);
    ck_assert_str_eq(sc->vms[s[1].target].name, "b");
    for (int i = 0; i < 5; i++)
        ck_assert(s[2 + i].kind == STEP_ACCESS && s[2 + i].how == hows[i]);
    ck_assert_uint_eq(s[2].probability, UINT32_C(1) << 31);
    ck_assert(b->kind == STEP_COVERT && b->how == PROG_TELL && b->span == 5 && b->amount.a == 100000000);
    scenario_free(sc);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

/* Whom it hears is found when all VMs are in order, whatever the order of the file. */
START_TEST(the_order_of_the_file_does_not_matter)
{
    static const char hears[] = "- {name: a, workload: {steps: [{covert: {receive: b}}]}}\n";
    for (int i = 0; i < 2; i++) {
        char text[600];
        snprintf(text, sizeof text, H "%s" D "%s", i ? B : hears, i ? hears : B);
        struct diag d;
        struct scenario_file *f = parse(text, &d);
        struct scenario *sc = at(f, 0, &d);
        ck_assert_uint_eq(steps_of(sc, "a", 1)->target, 1);
        scenario_free(sc);
        scenario_close(f);
        diag_done(&d);
    }
}
END_TEST

START_TEST(a_queue_is_shared)
{
    struct diag d;
    struct scenario_file *f =
        parse(H "- name: a\n  count: 2\n  workload: {kind: requests, arrivals: {poisson: 1/s}, "
                "queue: shared, steps: [{cpu: 1ms}]}\n- name: b\n  workload: {kind: requests, "
                "clients: 1, queue: 3, steps: [{cpu: 1ms}]}\n",
              &d);
    struct scenario *sc = at(f, 0, &d);
    ck_assert(vm_of(sc, "a-0")->work.shared_queue && vm_of(sc, "a-1")->work.shared_queue);
    ck_assert_int_eq(vm_of(sc, "a-1")->work.queue_max, INT64_MAX);
    ck_assert(!vm_of(sc, "b")->work.shared_queue);
    ck_assert_int_eq(vm_of(sc, "b")->work.queue_max, 3);
    scenario_free(sc);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

static const struct refusal refusals[] = {
    {A "{access: {where: nowhere}}" E, 4, 39, "`nowhere` is not known; `where` is `null`, `outside`, `nx` or",
     NULL},
    {A "{access: outsid}" E, 4, 31, "`outsid` is not known", "did you mean `outside`?"},
    {A "{secret: 0B}" E, 4, 31, "out of range", NULL},
    {A "{secret: 32}" E, 4, 31, "no unit", NULL},
    {A "{secret: 8000000TB}" E, 4, 31, "more than 2^62 bytes", NULL},
    {A "{covert: {bits: 3}}" E B, 4, 31, "either `send` or `receive` is wanted", NULL},
    {A "{covert: {send: random, receive: b}}" E B, 4, 31, "either `send` or `receive` is wanted", NULL},
    {A "{covert: {send: text}}" E, 4, 38, "`text` is not known; `send` is `random`", NULL},
    {A "{covert: {send: random, bits: 0}}" E, 4, 52, "out of range: 1 to", NULL},
    {A "{covert: {send: random, rate: 10}}" E, 4, 52, "no unit", NULL},
    {A "{covert: {receive: bb}}" E B, 4, 41, "there is no VM or peer `bb`", "did you mean `b`?"},
    {A "{covert: {receive: a}}" E, 4, 41, "it would send to itself", NULL},
    {A "{covert: {receive: c}}" E C, 4, 41, "`c` sends nothing that could be heard",
     "{covert: {send: random}}"},
    {A "{covert: {receive: d}}" E D, 4, 41, "`d` sends nothing that could be heard",
     "{covert: {send: random}}"},
    {A "{covert: {receive: b, rate: 20/s}}" E B, 4, 41, "`b` sends at another `rate`", NULL},
    {A "{secret: 1B}]}\n", 4, 21, "a loop that can take no time", "add a step that takes time"},
};

START_TEST(is_refused)
{
    ck_text_refused(&refusals[_i]);
}
END_TEST

/* What it refers to is the last thing that the VM does: no step after it needs to take time. */
START_TEST(an_access_ends_a_loop)
{
    ck_text_accepted(A "{secret: 1B}, {access: null}]}\n");
    ck_text_refused(
        &(struct refusal){A "{access: null, probability: 0.5}]}\n", 4, 21, "can take no time", NULL});
}
END_TEST

Suite *secretsteps_suite(void)
{
    Suite *s = suite_create("secretsteps");
    TCase *tc = tcase_create("secretsteps");
    tcase_add_test(tc, they_arrive);
    tcase_add_test(tc, the_order_of_the_file_does_not_matter);
    tcase_add_test(tc, a_queue_is_shared);
    tcase_add_loop_test(tc, is_refused, 0, sizeof refusals / sizeof refusals[0]);
    tcase_add_test(tc, an_access_ends_a_loop);
    suite_add_tcase(s, tc);
    return s;
}
