// SPDX-License-Identifier: GPL-3.0-or-later
/* The parts that the network stands on: fair turns, and a map that forgets nothing else. */
#include <check.h>
#include <math.h>

#include "base/rng.h"
#include "model/net_map.h"
#include "policy/wfq.h"

Suite *wfq_suite(void);

START_TEST(shares_are_exact_to_a_frame)
{
    static const uint32_t weights[4] = {1, 3, 1000, 9999};
    struct wfq_turn heap[4];
    struct wfq q = {.heap = heap};
    struct wfq_flow f[4];
    int64_t sent[4] = {0}, total = 0;
    struct rng r = rng_at(3, 0, 0);
    for (uint32_t i = 0; i < 4; i++) {
        f[i] = (struct wfq_flow){.id = i, .weight = weights[i]};
        wfq_add(&q, &f[i], i, 1538);
    }
    int64_t size[4] = {1538, 1538, 1538, 1538};
    for (int k = 0; k < 3000000; k++) {
        uint32_t i = wfq_next(&q);
        sent[i] += size[i];
        total += size[i];
        size[i] = 91 + rng_u32(&r) % 1448;
        wfq_taken(&q, &f[i], size[i]);
    }
    for (int i = 0; i < 4; i++) {
        double want = (double)total * weights[i] / (1 + 3 + 1000 + 9999);
        ck_assert_msg(fabs((double)sent[i] - want) <= 2 * 1538, "flow %d: %ld, wanted %.0f", i, (long)sent[i],
                      want);
    }
}
END_TEST

/* Nothing is saved up by being away, in a busy period or between two. */
START_TEST(who_was_away_starts_level)
{
    struct wfq_turn heap[2];
    struct wfq q = {.heap = heap};
    struct wfq_flow f[2] = {{.id = 0, .weight = 1}, {.id = 1, .weight = 1}};
    wfq_add(&q, &f[0], 0, 1000);
    for (int k = 0; k < 1000; k++) {
        ck_assert_uint_eq(wfq_next(&q), 0);
        wfq_taken(&q, &f[0], 1000);
    }
    wfq_add(&q, &f[1], 1, 1000);
    int second = 0;
    for (int k = 0; k < 100; k++) {
        uint32_t i = wfq_next(&q);
        second += i == 1;
        wfq_taken(&q, &f[i], 1000);
    }
    ck_assert_int_ge(second, 49);
    ck_assert_int_le(second, 51);
    for (int k = 0; k < 2; k++)
        wfq_taken(&q, &f[wfq_next(&q)], 0);
    ck_assert_uint_eq(wfq_next(&q), WFQ_NONE);
    wfq_add(&q, &f[1], 1, 1000); /* the longer in service before is not held against it */
    wfq_add(&q, &f[0], 0, 1000);
    ck_assert_uint_eq(wfq_next(&q), 0);
}
END_TEST

START_TEST(the_map_forgets_nothing_else)
{
    enum { KEYS = 400 };
    struct net_map m = {0};
    uint32_t want[KEYS];
    struct rng r = rng_at(11, 0, 0);
    for (int i = 0; i < KEYS; i++)
        want[i] = NET_MAP_NONE;
    for (uint32_t k = 0; k < 20000; k++) {
        uint64_t i = rng_u32(&r) % KEYS, key = i << 32 | 5;
        if (want[i] == NET_MAP_NONE)
            net_map_put(&m, key, want[i] = k);
        else
            net_map_drop(&m, key), want[i] = NET_MAP_NONE;
        if (k % 100 != 0) continue;
        for (uint64_t j = 0; j < KEYS; j++)
            ck_assert_uint_eq(net_map_find(&m, j << 32 | 5), want[j]);
    }
    net_map_done(&m);
}
END_TEST

Suite *wfq_suite(void)
{
    Suite *s = suite_create("wfq");
    TCase *t = tcase_create("wfq");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, shares_are_exact_to_a_frame);
    tcase_add_test(t, who_was_away_starts_level);
    tcase_add_test(t, the_map_forgets_nothing_else);
    suite_add_tcase(s, t);
    return s;
}
