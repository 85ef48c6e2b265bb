// SPDX-License-Identifier: GPL-3.0-or-later
/* A pool's accounts: what is given out, to whom, and when a shared grain is free again. */
#include <check.h>

#include "model/pool.h"
#include "tests/often.h"

#include "base/rng.h"

Suite *pool_suite(void);

#define GRAIN INT64_C(65536)

START_TEST(test_take_until_full)
{
    struct pool p;
    pool_init(&p, 10 * GRAIN + GRAIN / 2, GRAIN); /* half a grain is no use */
    uint32_t a = pool_open(&p), b = pool_open(&p);
    ck_assert(pool_has(&p, 10));
    ck_assert(!pool_has(&p, 11));
    uint32_t first = pool_take(&p, a);
    for (int i = 0; i < 9; i++)
        pool_take(&p, b);
    ck_assert(!pool_has(&p, 1));
    ck_assert_int_eq(pool_allocated(&p), 10 * GRAIN);
    ck_assert_int_eq(pool_owned(&p, a), GRAIN);
    ck_assert_int_eq(pool_owned(&p, b), 9 * GRAIN);
    pool_ref(&p, first);
    ck_assert(!pool_drop(&p, first));
    ck_assert(pool_drop(&p, first));
    ck_assert(pool_has(&p, 1));
    ck_assert_uint_eq(pool_take(&p, b), first); /* the free one is given out again */
    pool_grow(&p, 2 * GRAIN);
    ck_assert(pool_has(&p, 2));
    ck_assert(!pool_has(&p, 3));
    pool_done(&p);
}
END_TEST

START_TEST(test_over_full)
{
    struct pool p;
    pool_init(&p, 2 * GRAIN, GRAIN);
    uint32_t a = pool_open(&p);
    for (int i = 0; i < 3; i++)
        pool_take(&p, a); /* whoever is attached with more than there is */
    ck_assert(!pool_has(&p, 0));
    pool_drop(&p, 0);
    ck_assert(pool_has(&p, 0));
    ck_assert(!pool_has(&p, 1));
    pool_done(&p);
}
END_TEST

START_TEST(test_beside)
{
    struct pool p;
    pool_init(&p, 2000 * GRAIN, GRAIN);
    uint32_t a = pool_open(&p), b = pool_open(&p);
    int64_t one = pool_reserve(&p, 1000, a, true), two = pool_reserve(&p, 500, b, true);
    ck_assert_int_eq(one, 0);
    ck_assert_int_eq(two, 1000 * GRAIN);
    ck_assert(pool_has(&p, 500));
    ck_assert(!pool_has(&p, 501));
    ck_assert_int_eq(pool_allocated(&p), 1500 * GRAIN);
    uint32_t g = pool_detail(&p, two, 500, b, true);
    ck_assert_uint_eq(pool_refs(&p, g + 499), 1);
    ck_assert_int_eq(pool_place(&p, g + 499), 1499 * GRAIN);
    ck_assert(pool_drop(&p, g));
    ck_assert_int_eq(pool_owned(&p, b), 499 * GRAIN);
    pool_unreserve(&p, 1000, a);
    ck_assert_int_eq(pool_allocated(&p), 499 * GRAIN);
    int64_t three = pool_reserve(&p, 100, a, false); /* a place alone */
    ck_assert_int_eq(three, 1500 * GRAIN);
    ck_assert_int_eq(pool_allocated(&p), 499 * GRAIN);
    uint32_t h = pool_detail(&p, three, 100, a, false);
    ck_assert_int_eq(pool_allocated(&p), 599 * GRAIN);
    ck_assert_int_eq(pool_place(&p, h), three);
    ck_assert_int_eq(pool_place(&p, g), two);
    ck_assert_int_ge(pool_place(&p, pool_take(&p, a)), POOL_THIN_AT);
    pool_done(&p);
}
END_TEST

/* More thick space than numbers: many large volumes, which nobody shares. */
START_TEST(test_vast)
{
    struct pool p;
    pool_init(&p, 0, 512);
    uint32_t a = pool_open(&p);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(pool_reserve(&p, UINT64_C(1) << 35, a, true), i * (INT64_C(1) << 44));
    ck_assert_int_eq(pool_allocated(&p), 1000 * (INT64_C(1) << 44));
    ck_assert_int_eq(pool_reserve(&p, UINT64_C(1) << 53, a, false), 0); /* no address is left */
    pool_done(&p);
}
END_TEST

START_TEST(test_moved)
{
    struct pool p;
    pool_init(&p, 0, GRAIN); /* no bound */
    uint32_t a = pool_open(&p), b = pool_open(&p);
    ck_assert_uint_eq(pool_moved(&p), POOL_NOBODY);
    pool_take(&p, b);
    pool_take(&p, b);
    ck_assert_uint_eq(pool_moved(&p), b);
    ck_assert_uint_eq(pool_moved(&p), POOL_NOBODY);
    pool_take(&p, a);
    pool_drop(&p, 0);
    ck_assert_uint_eq(pool_moved(&p), b);
    ck_assert_uint_eq(pool_moved(&p), a);
    ck_assert_uint_eq(pool_moved(&p), POOL_NOBODY);
    pool_done(&p);
}
END_TEST

/* An account is used again when its volume is gone and it owns nothing; while others have what it took, it is
 * not. */
START_TEST(test_closed)
{
    struct pool p;
    pool_init(&p, 0, 4096);
    uint32_t a = pool_open(&p), b = pool_open(&p), g = pool_take(&p, a);
    while (pool_moved(&p) != POOL_NOBODY) {
    }
    pool_ref(&p, g);
    ck_assert(!pool_drop(&p, g));
    pool_close(&p, a);
    pool_close(&p, b);
    ck_assert_uint_eq(pool_open(&p), b);
    ck_assert_uint_eq(pool_open(&p), 2);
    ck_assert(pool_drop(&p, g));
    ck_assert_uint_eq(pool_open(&p), 3); /* nobody has been told yet */
    ck_assert_uint_eq(pool_moved(&p), a);
    ck_assert_int_eq(pool_owned(&p, a), 0);
    ck_assert_uint_eq(pool_open(&p), a);
    ck_assert_uint_eq(p.n_accounts, 4);
    pool_done(&p);
}
END_TEST

/* References go up and down at random; a plain array says what should be. */
START_TEST(test_random)
{
    enum { GRAINS = 200, ACCOUNTS = 7 };
    struct pool p;
    pool_init(&p, GRAINS * GRAIN, GRAIN);
    for (int i = 0; i < ACCOUNTS; i++)
        pool_open(&p);
    uint32_t refs[GRAINS] = {0}, owner[GRAINS] = {0}, owned[ACCOUNTS] = {0}, given = 0;
    struct rng r = rng_at(1, 2, 3);
    for (int step = 0; step < 100000; step++) {
        uint32_t g = rng_u32(&r) % GRAINS, what = rng_u32(&r) % 3;
        ck_often(pool_has(&p, 1) == (given < GRAINS));
        if (what == 0 && given < GRAINS) {
            uint32_t who = rng_u32(&r) % ACCOUNTS;
            g = pool_take(&p, who);
            ck_often(g < GRAINS && refs[g] == 0);
            refs[g] = 1;
            owner[g] = who;
            owned[who]++;
            given++;
        } else if (what == 1 && refs[g]) {
            pool_ref(&p, g);
            refs[g]++;
        } else if (what == 2 && refs[g]) {
            bool last = pool_drop(&p, g);
            ck_often(last == (refs[g] == 1));
            if (--refs[g] == 0) {
                owned[owner[g]]--;
                given--;
            }
        }
        ck_often(p.given == given);
        uint32_t who = rng_u32(&r) % ACCOUNTS;
        ck_often(pool_owned(&p, who) == owned[who] * GRAIN);
    }
    pool_done(&p);
}
END_TEST

Suite *pool_suite(void)
{
    Suite *s = suite_create("pool");
    TCase *t = tcase_create("pool");
    suite_add_tcase(s, t);
    tcase_add_test(t, test_take_until_full);
    tcase_add_test(t, test_over_full);
    tcase_add_test(t, test_beside);
    tcase_add_test(t, test_vast);
    tcase_add_test(t, test_moved);
    tcase_add_test(t, test_closed);
    tcase_add_test(t, test_random);
    return s;
}
