// SPDX-License-Identifier: GPL-3.0-or-later
/* Programs: what the interpreter says next, that it depends on nothing but (key, task, iteration), and
 * that no block of bytes can make it read outside itself. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "program/prog_touch.h"
#include "tests/often.h"

Suite *prog_suite(void);

/* The guest's build of the same source (see test_draw_bits.c). */
__typeof__(prog_begin) guest_prog_begin;
__typeof__(prog_next) guest_prog_next;
__typeof__(prog_valid) guest_prog_valid;
__typeof__(prog_touch_begin) guest_prog_touch_begin;
__typeof__(prog_touch_fill) guest_prog_touch_fill;

static const int64_t pool[] = {10, 20, 30, 40, 50};
enum { STEPS = 4, POOL = 5 };

/* The caller frees it; exactly as long as it must be, so that ASan sees a read beyond. */
static struct prog *sample(void)
{
    struct step s[STEPS] = {
        {.kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_EXPONENTIAL, .a = 1000000}},
        {.kind = STEP_BUSY,
         .probability = 1u << 30,
         .amount = {.kind = DIST_LOGNORMAL, .a = 5000, .b = 2000}},
        {.kind = STEP_SLEEP, .probability = UINT32_MAX, .amount = {.kind = DIST_SEQUENCE, .at = 1, .n = 4}},
        {.kind = STEP_CPU, .probability = 0, .amount = {.kind = DIST_EMPIRICAL, .at = 0, .n = POOL}},
    };
    for (int i = 0; i < STEPS; i++)
        ck_assert_int_eq(draw_make(&s[i].amount), 0);
    return prog_build(malloc(prog_size(STEPS, POOL)), s, STEPS, pool, POOL);
}

/* One step of every kind that is more than an amount, and what is glued to one. */
enum { RICH = 8 };
static struct prog *rich(void)
{
    struct step s[RICH] = {
        {.kind = STEP_TOUCH,
         .probability = UINT32_MAX,
         .amount = {.a = 300},
         .how = PROG_UNIFORM,
         .span = 1000,
         .write = 1u << 30},
        {.kind = STEP_TOUCH,
         .probability = 1u << 31,
         .amount = {.a = 300},
         .how = PROG_CYCLIC,
         .span = 7,
         .write = UINT32_MAX},
        {.kind = STEP_TOUCH,
         .probability = UINT32_MAX,
         .amount = {.a = 300},
         .how = PROG_ZIPF,
         .span = 1 << 20,
         .skew = 0.8},
        {.kind = STEP_DISK,
         .probability = UINT32_MAX,
         .amount = {.a = 4096},
         .how = PROG_WRITE,
         .flags = PROG_SEQUENTIAL | PROG_FLUSH,
         .target = 3},
        {.kind = STEP_NET,
         .probability = UINT32_MAX,
         .amount = {.kind = DIST_EXPONENTIAL, .a = 1500},
         .how = PROG_SEND,
         .target = 9},
        {.kind = STEP_OPS, .probability = 1u << 31, .amount = {.a = 5}, .how = OP_FORK},
        {.kind = STEP_OPS, .probability = 1u << 31, .amount = {.a = 6}, .how = OP_EXEC, .flags = PROG_GLUED},
        {.kind = STEP_LOCK, .probability = UINT32_MAX, .amount = {.a = 100}, .how = PROG_YIELD},
    };
    for (int i = 0; i < RICH; i++) {
        ck_assert_int_eq(draw_make(&s[i].amount), 0);
        ck_assert(s[i].kind != STEP_TOUCH || prog_touch_make(&s[i]));
    }
    return prog_build(malloc(prog_size(RICH, POOL)), s, RICH, pool, POOL);
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

START_TEST(what_is_malformed_in_the_rich_kinds_is_refused)
{
    struct prog *p = rich();
    struct step *s = (struct step *)(p + 1);
    ck_assert(prog_valid(p, p->bytes) && guest_prog_valid(p, p->bytes));
    REFUSED(s[0].how, PROG_NPATTERNS);
    REFUSED(s[0].how, UINT32_MAX);
    REFUSED(s[0].span, 0);
    REFUSED(s[0].span, -1);
    REFUSED(s[0].span, PROG_MAX_PAGES + 1);
    REFUSED(s[0].span, INT64_MAX);
    REFUSED(s[0].u, 1.0); /* none is derived for it */
    REFUSED(s[1].v, __builtin_nan(""));
    REFUSED(s[2].skew, 0.0);
    REFUSED(s[2].skew, -1.0);
    REFUSED(s[2].skew, __builtin_nan(""));
    REFUSED(s[2].skew, __builtin_inf());
    REFUSED(s[2].skew, 0.9); /* then u and v are another's */
    REFUSED(s[2].span, s[2].span + 1);
    REFUSED(s[2].u, s[2].u + 1e-9);
    REFUSED(s[2].v, __builtin_inf());
    REFUSED(s[3].how, PROG_NDISK);
    REFUSED(s[3].flags, 8);
    REFUSED(s[3].flags, 1u << 31);
    REFUSED(s[4].how, PROG_NNET);
    REFUSED(s[4].flags, PROG_FLUSH);
    REFUSED(s[5].how, PROG_NOPS);
    REFUSED(s[5].flags, PROG_SEQUENTIAL);
    REFUSED(s[7].how, PROG_NLOCK);
    REFUSED(s[0].flags, PROG_GLUED); /* to nothing */
    s[0].kind = STEP_CPU;
    ck_assert(prog_valid(p, p->bytes)); /* a cpu step may carry numbers it has no use for ... */
    REFUSED(s[0].how, PROG_CYCLIC);     /* ... but knows no ways */
    free(p);
}
END_TEST

START_TEST(what_is_glued_happens_with_the_step_before_it)
{
    struct prog *p = rich();
    struct step *s = (struct step *)(p + 1);
    int forks = 0;
    s[7].flags = PROG_GLUED; /* a chain of three */
    for (uint64_t iter = 0; iter < 4000; iter++) {
        struct prog_task t;
        int seen[STEP_NKINDS] = {0};
        prog_begin(&t, 3, 1, iter);
        for (struct prog_act a; (a = prog_next(&t, p)).kind != STEP_END;)
            seen[a.kind]++;
        ck_often(seen[STEP_OPS] == 2 * seen[STEP_LOCK] && seen[STEP_LOCK] <= 1);
        forks += seen[STEP_LOCK];
    }
    ck_assert_msg(abs(forks - 2000) < 4.5 * 31.7, "half of 4000: %d", forks);
    free(p);
}
END_TEST

/* References too: the same in the simulator and in the guest, however they are asked for. */
START_TEST(references_match_the_guest)
{
    struct prog *p = rich();
    for (uint64_t iter = 0; iter < 300; iter++) {
        struct prog_task t;
        prog_begin(&t, 5, 1, iter);
        for (struct prog_act a; (a = prog_next(&t, p)).kind != STEP_END;) {
            if (a.kind != STEP_TOUCH) continue;
            struct prog_touch x, y;
            uint32_t all[300], one;
            prog_touch_begin(&x, &t, &a);
            guest_prog_touch_begin(&y, &t, &a);
            ck_assert_uint_eq(prog_touch_fill(&x, all, 300), 300);
            ck_assert(prog_touch_fill(&x, all, 1) == 0 && x.left == 0);
            for (int i = 0; i < 300; i++) {
                ck_often(guest_prog_touch_fill(&y, &one, 1) == 1 && one == all[i]);
                ck_often((all[i] & ~PROG_TOUCH_WRITE) < (uint64_t)a.step->span);
            }
        }
    }
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
        for (struct prog_act a; (a = prog_next(&t, p)).kind != STEP_END; steps++) {
            ck_often(a.kind < STEP_NKINDS && a.amount >= 0 && a.amount <= INT64_C(1) << 62);
            if (a.kind != STEP_TOUCH) continue;
            struct prog_touch w;
            uint32_t refs[16];
            prog_touch_begin(&w, &t, &a);
            uint32_t n = prog_touch_fill(&w, refs, 16);
            ck_often(n == (a.amount < 16 ? a.amount : 16));
            for (uint32_t i = 0; i < n; i++)
                ck_often((refs[i] & ~PROG_TOUCH_WRITE) < (uint64_t)a.step->span);
        }
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

/* The same with the kinds that have more fields: these are changed, and then made to fit again or not. */
START_TEST(random_steps_do_no_harm)
{
    struct rng r = rng_at(20, 27, 0);
    struct prog *good = rich();
    int walked = 0, touched = 0;
    for (int i = 0; i < 40000; i++) {
        unsigned char *mem = malloc(good->bytes);
        memcpy(mem, good, good->bytes);
        struct step *s = (struct step *)(void *)(mem + 16) + rng_u32(&r) % RICH;
        for (uint32_t j = rng_u32(&r) % 4; j > 0; j--) {
            uint64_t x = (uint64_t)rng_u32(&r) << 32 | rng_u32(&r);
            switch (rng_u32(&r) % 9) {
            case 0: s->kind = (uint32_t)x % (STEP_NKINDS + 1); break;
            case 1: s->how = (uint32_t)x % (PROG_NOPS + 1); break;
            case 2: s->flags = (uint32_t)x % 16; break;
            case 3: s->span = (int64_t)(x >> x % 64); break;
            case 4: memcpy(&s->skew, &x, sizeof x); break;
            case 5: s->skew = (double)(x % 1000) / 50; break;
            case 6: s->write = (uint32_t)x; break;
            case 7: s->target = (uint32_t)x; break;
            default: ((unsigned char *)s)[x % sizeof *s] = (unsigned char)(x >> 32); break;
            }
        }
        if (i % 2) prog_touch_make(s);
        const struct prog *p = (const struct prog *)(void *)mem;
        int ok = walk_if_valid(p, good->bytes);
        ck_often(guest_prog_valid(p, good->bytes) == ok);
        walked += ok;
        touched += ok && s->kind == STEP_TOUCH;
        free(mem);
    }
    free(good);
    ck_assert_int_gt(walked, 10000);
    ck_assert_int_gt(touched, 3000);
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
    tcase_add_test(t, what_is_malformed_in_the_rich_kinds_is_refused);
    tcase_add_test(t, what_is_glued_happens_with_the_step_before_it);
    tcase_add_test(t, references_match_the_guest);
    tcase_add_test(t, random_bytes_do_no_harm);
    tcase_add_test(t, random_steps_do_no_harm);
    suite_add_tcase(s, t);
    return s;
}
