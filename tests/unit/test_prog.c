// SPDX-License-Identifier: GPL-3.0-or-later
/* Programs: what the interpreter says next, that it depends on nothing but (key, task, iteration), and
 * that no block of bytes can make it read outside itself. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "program/prog.h"
#include "tests/often.h"

Suite *prog_suite(void);

/* The guest's build of the same source (see test_draw_bits.c). */
__typeof__(prog_begin) guest_prog_begin;
__typeof__(prog_next) guest_prog_next;
__typeof__(prog_valid) guest_prog_valid;

static const int64_t pool[] = {10, 20, 30, 40, 50};
enum { STEPS = 4, POOL = 5 };

/* The caller frees it; exactly as long as it must be, so that ASan sees a read beyond. */
static struct prog *sample(void)
{
    struct step s[STEPS] = {
        {STEP_CPU, UINT32_MAX, {.kind = DIST_EXPONENTIAL, .a = 1000000}},
        {STEP_BUSY, 1u << 30, {.kind = DIST_LOGNORMAL, .a = 5000, .b = 2000}},
        {STEP_SLEEP, UINT32_MAX, {.kind = DIST_SEQUENCE, .at = 1, .n = 4}},
        {STEP_CPU, 0, {.kind = DIST_EMPIRICAL, .at = 0, .n = POOL}},
    };
    for (int i = 0; i < STEPS; i++)
        ck_assert_int_eq(draw_make(&s[i].amount), 0);
    return prog_build(malloc(prog_size(STEPS, POOL)), s, STEPS, pool, POOL);
}

START_TEST(sizes_are_those_of_the_layout)
{
    ck_assert_uint_eq(prog_size(0, 0), 16);
    ck_assert_uint_eq(prog_size(STEPS, POOL), 16 + 128 * STEPS + 8 * POOL);
    ck_assert_uint_eq(prog_size(PROG_MAX_STEPS, 0), 16 + 128 * PROG_MAX_STEPS);
    ck_assert_uint_eq(prog_size(PROG_MAX_STEPS + 1, 0), 0);
    ck_assert_uint_eq(prog_size(0, (PROG_MAX_BYTES - 16) / 8), PROG_MAX_BYTES);
    ck_assert_uint_eq(prog_size(0, (PROG_MAX_BYTES - 16) / 8 + 1), 0);
    ck_assert_uint_eq(prog_size(UINT32_MAX, UINT32_MAX), 0);
}
END_TEST

START_TEST(steps_come_in_order_and_the_skipped_do_not)
{
    struct prog *p = sample();
    struct prog_task t;
    int happened = 0;
    enum { ITERATIONS = 40000 };
    for (uint64_t iter = 0; iter < ITERATIONS; iter++) {
        prog_begin(&t, 99, 3, iter);
        struct prog_act a = prog_next(&t, p);
        ck_often(a.kind == STEP_CPU);
        a = prog_next(&t, p);
        if (a.kind == STEP_BUSY) { /* one in four */
            happened++;
            a = prog_next(&t, p);
        }
        ck_often(a.kind == STEP_SLEEP && a.amount == pool[1 + iter % 4]);
        for (int i = 0; i < 3; i++) { /* step 3 never happens, and the end stays the end */
            a = prog_next(&t, p);
            ck_often(a.kind == STEP_END && a.amount == 0);
        }
    }
    double z = (happened - ITERATIONS * 0.25) / sqrt(ITERATIONS * 0.25 * 0.75);
    ck_assert_msg(fabs(z) < 4.5, "a quarter of %d: %d", ITERATIONS, happened);
    free(p);
}
END_TEST

START_TEST(no_steps_are_the_end_at_once)
{
    uint64_t mem[2];
    struct prog *p = prog_build(mem, NULL, 0, NULL, 0);
    struct prog_task t;
    prog_begin(&t, 1, 0, 0);
    ck_assert(prog_valid(p, sizeof mem) && prog_next(&t, p).kind == STEP_END && t.checksum == 0);
}
END_TEST

/* The formula as prog.h and the lectures state it, written down a second time. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

START_TEST(checksum_is_the_documented_sum)
{
    struct prog *p = sample();
    for (uint64_t iter = 0; iter < 1000; iter++) {
        struct prog_task t;
        struct prog_act a;
        uint64_t sum = 0;
        prog_begin(&t, 7, 2, iter);
        while ((a = prog_next(&t, p)).kind != STEP_END) {
            uint64_t step = a.kind; /* here cpu, busy, sleep are steps 0, 1, 2 */
            uint64_t place =
                mix(2 * UINT64_C(0x9e3779b97f4a7c15) + iter * UINT64_C(0xbb67ae8584caa73b) + step);
            sum = (sum + (mix(place + (uint64_t)a.amount) >> 12)) % (UINT64_C(1) << 52);
            ck_assert_uint_eq(t.checksum, sum);
        }
    }
    free(p);
}
END_TEST

/* An iteration's amounts are the same whatever ran before, between or on which backend. */
START_TEST(iterations_depend_on_nothing_else_and_match_the_guest)
{
    struct prog *p = sample();
    ck_assert(guest_prog_valid(p, p->bytes));
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t iter = i * 7919 % 100000;
        struct prog_task t, g, other;
        struct prog_act a, b;
        prog_begin(&t, 5, i % 3, iter);
        guest_prog_begin(&g, 5, i % 3, iter);
        prog_begin(&other, 5, i % 3 + 1, iter);
        do {
            a = prog_next(&t, p);
            prog_next(&other, p);
            b = guest_prog_next(&g, p);
            if (a.kind != b.kind || a.amount != b.amount) ck_abort_msg("iteration %lu differs", (long)iter);
        } while (a.kind != STEP_END);
        ck_often(t.checksum == g.checksum);
        if (t.checksum == other.checksum) ck_abort_msg("two tasks, one checksum");
    }
    free(p);
}
END_TEST

START_TEST(what_is_malformed_is_refused)
{
    struct prog *p = sample();
    struct step *s = (struct step *)(p + 1);
    ck_assert(prog_valid(p, p->bytes) && prog_valid(p, p->bytes + 100));
    ck_assert(!prog_valid(p, p->bytes - 1) && !prog_valid(p, 15) && !prog_valid(p, 0));
    ck_assert(!prog_valid((const struct prog *)(uintptr_t)((uintptr_t)p + 4), p->bytes));
#define REFUSED(field, value)                                                                                \
    do {                                                                                                     \
        __typeof__(field) was = field;                                                                       \
        field = (value);                                                                                     \
        ck_assert_msg(!prog_valid(p, 1u << 20), #field " = " #value);                                        \
        field = was;                                                                                         \
        ck_assert(prog_valid(p, p->bytes));                                                                  \
    } while (0)
    REFUSED(p->magic, 0);
    REFUSED(p->bytes, p->bytes - 8);
    REFUSED(p->bytes, p->bytes + 8);
    REFUSED(p->n_steps, STEPS + 1);
    REFUSED(p->n_steps, UINT32_MAX);
    REFUSED(p->n_pool, POOL - 1);
    REFUSED(p->n_pool, POOL + (1u << 29)); /* 8 times it is 0 in 32 bits */
    REFUSED(s[0].kind, STEP_NKINDS);
    REFUSED(s[0].kind, STEP_END);
    REFUSED(s[0].amount.kind, DIST_NKINDS);
    REFUSED(s[0].amount.a, -1);
    REFUSED(s[0].amount.a, 1000001); /* then u is not what draw_make makes of it */
    REFUSED(s[0].amount.u, __builtin_nan(""));
    REFUSED(s[0].amount.v, -0.0);
    REFUSED(s[1].amount.v, s[1].amount.v + 1e-9);
    REFUSED(s[2].amount.n, 0);
    REFUSED(s[2].amount.n, 5);
    REFUSED(s[2].amount.n, UINT32_MAX);
    REFUSED(s[2].amount.at, UINT32_MAX);
    REFUSED(s[3].amount.at, 1);
    free(p);
}
END_TEST

/* Whatever passes prog_valid must walk to its end with amounts in range; ASan watches the reads. */
static int walk_if_valid(const struct prog *p, uint64_t bytes)
{
    if (!prog_valid(p, bytes)) return 0;
    for (uint64_t iter = 0; iter < 3; iter++) {
        struct prog_task t;
        prog_begin(&t, 1, 2, UINT64_MAX - iter);
        uint32_t steps = 0;
        for (struct prog_act a; (a = prog_next(&t, p)).kind != STEP_END; steps++)
            ck_often(a.kind < STEP_NKINDS && a.amount >= 0 && a.amount <= INT64_C(1) << 62);
        ck_often(steps <= p->n_steps && t.checksum <= PROG_CHECKSUM_MASK);
    }
    return 1;
}

START_TEST(random_bytes_do_no_harm)
{
    struct rng r = rng_at(20, 26, 0);
    struct prog *good = sample();
    int walked = 0;
    for (int i = 0; i < 60000; i++) {
        uint32_t bytes = i % 3 ? good->bytes : rng_u32(&r) % (good->bytes + 64);
        unsigned char *mem = malloc(bytes + 1u);
        for (uint32_t j = 0; j < bytes; j++)
            mem[j] = (unsigned char)rng_u32(&r);
        if (i % 3) { /* a good program with a few bytes, or one word, changed */
            memcpy(mem, good, bytes);
            for (uint32_t j = rng_u32(&r) % 3; j > 0; j--)
                mem[16 + rng_u32(&r) % (bytes - 16)] = (unsigned char)rng_u32(&r);
            if (i % 3 == 2) {
                struct step *s = (struct step *)(void *)(mem + 16) + rng_u32(&r) % STEPS;
                s->amount.kind = rng_u32(&r) % (DIST_NKINDS + 1);
                s->amount.at = rng_u32(&r) % (POOL + 2);
                s->amount.n = rng_u32(&r) % (POOL + 2);
                s->amount.b = (int64_t)((uint64_t)rng_u32(&r) << rng_u32(&r) % 40);
                draw_make(&s->amount);
            }
        } else if (bytes >= 16) { /* a head that fits, so that the steps are looked at */
            struct prog head = {PROG_MAGIC, bytes & ~7u, bytes / 64 ? 1 : 0, 0};
            head.n_pool = (head.bytes - 16 - 128 * head.n_steps) / 8;
            memcpy(mem, &head, sizeof head);
        }
        walked += walk_if_valid((const struct prog *)(void *)mem, bytes);
        free(mem);
    }
    free(good);
    ck_assert_int_gt(walked, 5000); /* or this test would look at refusals alone */
}
END_TEST

Suite *prog_suite(void)
{
    Suite *s = suite_create("prog");
    TCase *t = tcase_create("prog");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, sizes_are_those_of_the_layout);
    tcase_add_test(t, steps_come_in_order_and_the_skipped_do_not);
    tcase_add_test(t, no_steps_are_the_end_at_once);
    tcase_add_test(t, checksum_is_the_documented_sum);
    tcase_add_test(t, iterations_depend_on_nothing_else_and_match_the_guest);
    tcase_add_test(t, what_is_malformed_is_refused);
    tcase_add_test(t, random_bytes_do_no_harm);
    suite_add_tcase(s, t);
    return s;
}
