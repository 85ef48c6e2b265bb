// SPDX-License-Identifier: GPL-3.0-or-later
/* Replacement policies, each against the plainest program that does what its sentence says. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "policy/reclaim.h"
#include "tests/often.h"

Suite *reclaim_suite(void);

enum { FRAMES = 24, POOLS = 3 };

/* A pool as an array in order, first to leave first; a reference bit a frame. */
struct plain {
    uint32_t f[FRAMES], n;
    bool bit[FRAMES];
};

static void plain_drop(struct plain *p, uint32_t at)
{
    memmove(p->f + at, p->f + at + 1, (p->n - at - 1) * sizeof p->f[0]);
    p->n--;
}

static uint32_t plain_at(const struct plain *p, uint32_t frame)
{
    uint32_t i = 0;
    while (i < p->n && p->f[i] != frame)
        i++;
    return i;
}

static void plain_touch(struct plain *p, const char *policy, uint32_t frame)
{
    p->bit[frame] = true;
    if (strcmp(policy, "lru") != 0) return;
    plain_drop(p, plain_at(p, frame));
    p->f[p->n++] = frame;
}

static uint32_t plain_victim(struct plain *p, const char *policy)
{
    bool bits = strcmp(policy, "second-chance") == 0 || strcmp(policy, "clock") == 0;
    for (;;) {
        if (p->n == 0) return RECLAIM_NONE;
        uint32_t frame = p->f[0];
        plain_drop(p, 0);
        if (!bits || !p->bit[frame]) return frame;
        p->bit[frame] = false;
        p->f[p->n++] = frame;
    }
}

static struct reclaim *make(const struct reclaim_class *cls, uint32_t frames, uint32_t pools)
{
    return reclaim_init(malloc(reclaim_size(cls, frames, pools)), cls, frames, pools);
}

/* Random calls. Frames leave only as victims with clock and one pool: there its ring is that of the numbers.
 */
static void compare(const struct reclaim_class *cls, uint32_t pools, bool removes, uint64_t seed)
{
    struct reclaim *r = make(cls, FRAMES, pools);
    struct plain plain[POOLS] = {0};
    uint32_t where[FRAMES], n_free = 0, free_list[FRAMES];
    struct rng rng = rng_at(11, seed, pools);
    for (uint32_t f = FRAMES; f-- > 0;) {
        where[f] = RECLAIM_NONE;
        free_list[n_free++] = f;
    }
    for (int i = 0; i < 20000; i++) {
        uint32_t what = rng_u32(&rng) % 8, pool = rng_u32(&rng) % pools, f = rng_u32(&rng) % FRAMES;
        if (n_free > 0 && (what == 0 || what == 4)) {
            f = free_list[--n_free];
            reclaim_insert(r, pool, f);
            plain[pool].f[plain[pool].n++] = f;
            plain[pool].bit[f] = false;
            where[f] = pool;
        } else if (what == 1 && (removes || n_free == 0)) {
            uint32_t got = reclaim_victim(r, pool, &rng), want = plain_victim(&plain[pool], cls->name);
            if (got != want) ck_abort_msg("%s, call %d: frame %u, wanted %u", cls->name, i, got, want);
            if (got == RECLAIM_NONE) continue;
            where[got] = RECLAIM_NONE;
            free_list[n_free++] = got;
        } else if (what == 2 && removes && where[f] != RECLAIM_NONE) {
            reclaim_remove(r, where[f], f);
            plain_drop(&plain[where[f]], plain_at(&plain[where[f]], f));
            where[f] = RECLAIM_NONE;
            free_list[n_free++] = f;
        } else if (where[f] != RECLAIM_NONE) {
            reclaim_touch(r, where[f], f);
            plain_touch(&plain[where[f]], cls->name, f);
        }
    }
    free(r);
}

START_TEST(they_do_what_they_say)
{
    compare(&reclaim_lru, 1, true, (uint64_t)_i);
    compare(&reclaim_lru, POOLS, true, (uint64_t)_i);
    compare(&reclaim_fifo, 1, true, (uint64_t)_i);
    compare(&reclaim_fifo, POOLS, true, (uint64_t)_i);
    compare(&reclaim_second, 1, true, (uint64_t)_i);
    compare(&reclaim_second, POOLS, true, (uint64_t)_i);
    compare(&reclaim_clock, 1, false, (uint64_t)_i);
    compare(&reclaim_clock, POOLS, true, (uint64_t)_i);
}
END_TEST

/* A frame keeps its place in the ring: the hand finds it when it comes by, whatever came before or after. */
START_TEST(clock_over_the_host_is_a_ring_of_numbers)
{
    struct reclaim *r = make(&reclaim_clock, 4, 1);
    ck_assert_uint_eq(reclaim_victim(r, 0, NULL), RECLAIM_NONE);
    for (uint32_t f = 4; f-- > 0;)
        reclaim_insert(r, 0, f);
    reclaim_touch(r, 0, 0);
    ck_assert_uint_eq(reclaim_victim(r, 0, NULL), 1); /* 0 had its chance */
    reclaim_remove(r, 0, 2);
    reclaim_insert(r, 0, 1);
    ck_assert_uint_eq(reclaim_victim(r, 0, NULL), 3);
    ck_assert_uint_eq(reclaim_victim(r, 0, NULL), 0);
    reclaim_insert(r, 0, 2);
    ck_assert_uint_eq(reclaim_victim(r, 0, NULL), 1);
    ck_assert_uint_eq(reclaim_victim(r, 0, NULL), 2);
    ck_assert_uint_eq(reclaim_victim(r, 0, NULL), RECLAIM_NONE);
    free(r);
}
END_TEST

/* The same ring, a frame at a time: of every size, with frames that leave in between. */
START_TEST(clock_of_any_size)
{
    enum { ABSENT, PLAIN, TOUCHED };
    uint32_t n = (uint32_t)_i, hand = 0, present = 0;
    uint8_t *is = calloc(n, 1);
    struct reclaim *r = make(&reclaim_clock, n, 1);
    struct rng rng = rng_at(12, n, 0);
    for (int i = 0; i < 4000; i++) {
        uint32_t what = rng_u32(&rng) % 8, f = rng_u32(&rng) % n;
        if (what < 2 && is[f] == ABSENT) {
            reclaim_insert(r, 0, f);
            is[f] = PLAIN;
            present++;
        } else if (what == 2 && is[f] != ABSENT) {
            reclaim_remove(r, 0, f);
            is[f] = ABSENT;
            present--;
        } else if (what == 3) {
            uint32_t got = reclaim_victim(r, 0, NULL), want = RECLAIM_NONE;
            for (; present && want == RECLAIM_NONE; hand = (hand + 1) % n) {
                if (is[hand] == PLAIN) want = hand;
                is[hand] = is[hand] == TOUCHED ? PLAIN : ABSENT;
            }
            present -= want != RECLAIM_NONE;
            ck_assert_msg(got == want, "of %u, call %d: frame %u, wanted %u", n, i, got, want);
        } else if (is[f] != ABSENT) {
            reclaim_touch(r, 0, f);
            is[f] = TOUCHED;
        }
    }
    free(is);
    free(r);
}
END_TEST

/* Each member as likely, among pools that grow and shrink; nobody is lost. */
START_TEST(random_is_fair)
{
    enum { N = 12, DRAWS = 120000 };
    struct reclaim *r = make(&reclaim_random, 2 * N, 2);
    struct rng rng = rng_at(5, 6, 7);
    int hits[2 * N] = {0};
    for (uint32_t f = 0; f < 2 * N; f++)
        reclaim_insert(r, f % 2, f);
    for (uint32_t f = 1; f < 2 * N; f += 4) /* some leave pool 1 and come back */
        reclaim_remove(r, 1, f);
    for (uint32_t f = 1; f < 2 * N; f += 4)
        reclaim_insert(r, 1, f);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t f = reclaim_victim(r, (uint32_t)i % 2, &rng);
        ck_often(f < 2 * N && f % 2 == (uint32_t)i % 2);
        hits[f]++;
        reclaim_insert(r, f % 2, f);
    }
    double chi2 = 0, each = (double)DRAWS / (2 * N);
    for (int f = 0; f < 2 * N; f++)
        chi2 += (hits[f] - each) * (hits[f] - each) / each;
    ck_assert_double_lt(chi2, 22 + 4 * 6.7); /* 22 degrees of freedom, deviation sqrt(44) */
    for (int i = 0; i < 2 * N; i++)
        ck_assert_uint_lt(reclaim_victim(r, (uint32_t)i % 2, &rng), 2 * N);
    ck_assert_uint_eq(reclaim_victim(r, 0, &rng), RECLAIM_NONE);
    ck_assert_uint_eq(reclaim_victim(r, 1, &rng), RECLAIM_NONE);
    free(r);
}
END_TEST

START_TEST(they_are_found_and_small)
{
    ck_assert_ptr_eq(reclaim_find("clock"), &reclaim_clock);
    ck_assert_ptr_null(reclaim_find("mru"));
    size_t n = 0;
    for (const struct reclaim_class *c; (c = reclaim_at(n)) != NULL; n++) {
        ck_assert_ptr_eq(reclaim_find(c->name), c);
        ck_assert_uint_le(reclaim_size(c, 1000000, 1), 12 * 1000000 + 1000);
    }
    ck_assert_uint_eq(n, 5);
    ck_assert_uint_le(reclaim_size(&reclaim_lru, 1000000, 1), 8 * 1000000 + 1000);
    ck_assert_uint_le(reclaim_size(&reclaim_clock, 1000000, 1), 1000000 + 1000);
}
END_TEST

Suite *reclaim_suite(void)
{
    Suite *s = suite_create("reclaim");
    TCase *t = tcase_create("reclaim");
    tcase_add_loop_test(t, they_do_what_they_say, 0, 4);
    tcase_add_test(t, clock_over_the_host_is_a_ring_of_numbers);
    tcase_add_loop_test(t, clock_of_any_size, 1, 36);
    tcase_add_test(t, random_is_fair);
    tcase_add_test(t, they_are_found_and_small);
    suite_add_tcase(s, t);
    return s;
}
