// SPDX-License-Identifier: GPL-3.0-or-later
/* Disk queues, one decision at a time. */
#include <check.h>
#include <stdlib.h>

#include "policy/ioqueue.h"

Suite *ioqueue_suite(void);

#define MS    INT64_C(1000000)
#define PER_S INT64_C(1000000)

static _Alignas(16) char block[8192];
static struct ioqueue_req reqs[64];
static struct ioqueue_flow_cfg flows[4];
static int64_t again;

static struct ioqueue *make(const char *cls, uint32_t n, uint32_t n_groups)
{
    struct ioqueue_cfg cfg = {
        .cls = ioqueue_class_find(cls), .n_flows = n, .n_groups = n_groups, .flows = flows};
    size_t bytes = ioqueue_size(&cfg);
    ck_assert(bytes > 0 && bytes <= sizeof block);
    return ioqueue_init(block, &cfg);
}

static void weights(uint32_t a, uint32_t b, uint32_t c)
{
    flows[0] = (struct ioqueue_flow_cfg){.weight = a};
    flows[1] = (struct ioqueue_flow_cfg){.weight = b};
    flows[2] = (struct ioqueue_flow_cfg){.weight = c};
}

static void add(struct ioqueue *q, int i, uint32_t flow, int64_t position, int64_t now)
{
    reqs[i] = (struct ioqueue_req){.flow = flow, .bytes = 4096, .position = position, .cost_ns = MS};
    ioqueue_add(q, &reqs[i], now);
}

/* The number of the next request; -1: none. */
static int next(struct ioqueue *q, int64_t now)
{
    struct ioqueue_req *r = ioqueue_next(q, now, &again);
    return r ? (int)(r - reqs) : -1;
}

START_TEST(names)
{
    static const char *const all[] = {"fifo", "deadline", "fair", "mclock"};
    for (size_t i = 0; i < 4; i++) {
        const struct ioqueue_class *c = ioqueue_class_at(i);
        ck_assert_str_eq(ioqueue_class_name(c), all[i]);
        ck_assert_ptr_eq(ioqueue_class_find(all[i]), c);
        ck_assert_ptr_nonnull(ioqueue_class_about(c));
        ck_assert_int_eq(ioqueue_class_weighted(c), i >= 2);
        ck_assert_int_eq(ioqueue_class_reserves(c), i == 3);
    }
    ck_assert_ptr_null(ioqueue_class_at(4));
    ck_assert_ptr_null(ioqueue_class_find("cfq"));
}
END_TEST

START_TEST(out_of_range)
{
    weights(1, 1, 1);
    struct ioqueue_cfg cfg = {.cls = ioqueue_class_at(3), .n_flows = 3, .n_groups = 1, .flows = flows};
    ck_assert_uint_gt(ioqueue_size(&cfg), 0);
    flows[1].group = 1;
    ck_assert_uint_eq(ioqueue_size(&cfg), 0);
    weights(1, IOQUEUE_WEIGHT_MAX + 1, 1);
    ck_assert_uint_eq(ioqueue_size(&cfg), 0);
    weights(1, 1, 1);
    flows[2].limit_bps = -1;
    ck_assert_uint_eq(ioqueue_size(&cfg), 0);
    cfg.cls = NULL;
    ck_assert_uint_eq(ioqueue_size(&cfg), 0);
}
END_TEST

START_TEST(an_empty_one)
{
    weights(1, 1, 1);
    struct ioqueue *q = make(ioqueue_class_name(ioqueue_class_at((size_t)_i)), 3, 1);
    ck_assert_int_eq(next(q, 5), -1);
    ck_assert_int_eq(again, IOQUEUE_FOREVER);
    add(q, 0, 1, 0, 5);
    ck_assert_uint_eq(ioqueue_waiting(q), 1);
    ck_assert_uint_eq(ioqueue_flow_waiting(q, 1), 1);
    ck_assert_int_eq(next(q, 5), 0);
    ck_assert_uint_eq(ioqueue_waiting(q), 0);
    add(q, 0, 1, 0, 5); /* the same one again */
    add(q, 1, 1, 0, 5);
    ioqueue_drop(q, &reqs[0], 6);
    ck_assert_int_eq(next(q, 6), 1);
    ck_assert_int_eq(next(q, 6), -1);
}
END_TEST

START_TEST(a_limit_holds_back)
{
    weights(1000, 1000, 0);
    flows[0].limit_u = 100 * PER_S;
    struct ioqueue *q = make(ioqueue_class_name(ioqueue_class_at((size_t)_i)), 2, 1);
    for (int i = 0; i < 4; i++)
        add(q, i, 0, 0, 0);
    ck_assert_int_eq(next(q, 0), 0);
    ck_assert_int_eq(next(q, 0), -1);
    ck_assert_int_eq(again, 10 * MS);
    add(q, 4, 1, 0, 3 * MS); /* the others are free to go */
    ck_assert_int_eq(next(q, 3 * MS), 4);
    ck_assert_int_eq(next(q, 10 * MS - 1), -1);
    ck_assert_int_eq(next(q, 10 * MS), 1);
    ck_assert_int_eq(next(q, 25 * MS), 2); /* late, so the next keeps its time */
    ck_assert_int_eq(reqs[2].came_ns, 20 * MS);
    ck_assert_int_eq(next(q, 29 * MS), -1);
    ck_assert_int_eq(again, 30 * MS);
    ck_assert_int_eq(next(q, 30 * MS), 3);
    add(q, 5, 0, 0, 35 * MS);
    ck_assert_int_eq(next(q, 39 * MS), -1);
    ioqueue_drop(q, &reqs[5], 39 * MS);
    ck_assert_int_eq(next(q, 39 * MS), -1);
    ck_assert_int_eq(again, IOQUEUE_FOREVER);
    add(q, 5, 0, 0, 100 * MS);
    add(q, 6, 0, 0, 100 * MS);
    ck_assert_int_eq(next(q, 100 * MS), 5); /* a pause saves up nothing */
    ck_assert_int_eq(next(q, 100 * MS), -1);
    ck_assert_int_eq(again, 110 * MS);
}
END_TEST

/* All whose time has come are let go before the policy chooses. */
START_TEST(limits_let_go_together)
{
    weights(1000, 1000, 0);
    flows[0].limit_u = flows[1].limit_u = 100 * PER_S;
    struct ioqueue *q = make("deadline", 2, 1);
    for (int i = 0; i < 4; i++)
        add(q, i, (uint32_t)i % 2, i < 2 ? i : 100 - i, 0);
    ck_assert_int_eq(next(q, 0), 0);
    ck_assert_int_eq(next(q, 0), 1);
    ck_assert_int_eq(next(q, 0), -1);
    ck_assert_int_eq(next(q, 10 * MS), 3);
    ck_assert_int_eq(next(q, 10 * MS), 2);
}
END_TEST

START_TEST(a_limit_in_bytes_with_a_burst)
{
    weights(1000, 1000, 0);
    flows[0].limit_bps = 8 * 4096 * 100; /* a request in 10 ms */
    flows[0].limit_burst_bytes = 3 * 4096;
    struct ioqueue *q = make(ioqueue_class_name(ioqueue_class_at((size_t)_i)), 2, 1);
    for (int i = 0; i < 8; i++)
        add(q, i, 0, 0, 0);
    for (int i = 0; i < 4; i++) /* three saved up, and one that owes */
        ck_assert_int_eq(next(q, 0), i);
    ck_assert_int_eq(next(q, 0), -1);
    ck_assert_int_eq(again, 10 * MS);
    ck_assert_int_eq(next(q, 10 * MS), 4);
    ck_assert_int_eq(next(q, 10 * MS), -1);
    ck_assert_int_eq(again, 20 * MS);
}
END_TEST

START_TEST(limits_change)
{
    weights(1000, 1000, 0);
    flows[0].limit_u = PER_S;
    struct ioqueue *q = make(ioqueue_class_name(ioqueue_class_at((size_t)_i)), 2, 1);
    for (int i = 0; i < 4; i++)
        add(q, i, 0, 0, 0);
    ck_assert_int_eq(next(q, 0), 0);
    ck_assert_int_eq(next(q, 0), -1);
    ck_assert_int_eq(again, 1000 * MS);
    flows[0].limit_u = 0;
    ioqueue_set(q, 0, &flows[0], 5 * MS);
    ck_assert_int_eq(next(q, 5 * MS), 1);
    flows[0].limit_u = 100 * PER_S; /* 2 and 3 were let through before: they go, and count */
    ioqueue_set(q, 0, &flows[0], 5 * MS);
    add(q, 4, 0, 0, 5 * MS);
    ck_assert_int_eq(next(q, 5 * MS), 2);
    ck_assert_int_eq(next(q, 5 * MS), 3);
    ck_assert_int_eq(next(q, 5 * MS), -1);
    ck_assert_int_eq(again, 25 * MS);
    flows[0].limit_u = 1000 * PER_S;
    ioqueue_set(q, 0, &flows[0], 6 * MS);
    flows[0].limit_u = 0;
    ioqueue_set(q, 0, &flows[0], 7 * MS);
    ck_assert_int_eq(next(q, 7 * MS), 4);
    ck_assert_int_eq(next(q, 7 * MS), -1);
    ck_assert_int_eq(again, IOQUEUE_FOREVER);
}
END_TEST

START_TEST(fifo_is_by_arrival)
{
    weights(1, 10000, 1);
    struct ioqueue *q = make("fifo", 3, 1);
    for (int i = 0; i < 9; i++)
        add(q, i, (uint32_t)i % 3, -i, i);
    ioqueue_drop(q, &reqs[4], 9);
    for (int i = 0; i < 9; i++)
        if (i != 4) ck_assert_int_eq(next(q, 9), i);
}
END_TEST

START_TEST(deadline_sweeps)
{
    static const int64_t at[] = {50, 10, 90, 50, 30};
    weights(1, 1, 1);
    struct ioqueue *q = make("deadline", 3, 1);
    for (int i = 0; i < 5; i++)
        add(q, i, 0, at[i], 0);
    ck_assert_int_eq(next(q, 0), 1); /* up from 0 */
    ck_assert_int_eq(next(q, 0), 4);
    ck_assert_int_eq(next(q, 0), 0); /* of one place, the first that came */
    add(q, 5, 0, 40, 0);             /* behind the sweep */
    add(q, 6, 0, 60, 0);             /* before it */
    ck_assert_int_eq(next(q, 0), 3);
    ck_assert_int_eq(next(q, 0), 6);
    ck_assert_int_eq(next(q, 0), 2);
    add(q, 7, 0, 20, 0);
    add(q, 8, 0, 40, 0);
    ck_assert_int_eq(next(q, 0), 5); /* and down */
    ck_assert_int_eq(next(q, 0), 8);
    ck_assert_int_eq(next(q, 0), 7);
    ck_assert_int_eq(next(q, 0), -1);
}
END_TEST

/* Requests keep coming just before the sweep; one waits far away. It goes after the batch in which its time
 * is over, a read after 500 ms, a write after 5 s. */
START_TEST(deadline_expires)
{
    weights(1, 1, 1);
    struct ioqueue *q = make("deadline", 3, 1);
    const int64_t expire = (_i ? 5000 : 500) * MS;
    reqs[0] = (struct ioqueue_req){.flow = 0, .write = _i, .position = 1000000};
    ioqueue_add(q, &reqs[0], 0);
    int64_t now = 0;
    for (int k = 0;; k++, now += MS) {
        add(q, 1 + k % 32, 1, k, now);
        int i = next(q, now);
        if (i == 0) break;
        ck_assert_int_lt(now, expire + 16 * MS);
    }
    ck_assert_int_ge(now, expire);
}
END_TEST

START_TEST(fair_takes_turns)
{
    weights(2000, 1000, 1000);
    struct ioqueue *q = make("fair", 3, 1);
    int got[3] = {0};
    for (int i = 0; i < 48; i++)
        add(q, i, (uint32_t)i % 3, 0, 0);
    for (int i = 0; i < 24; i++)
        got[next(q, 0) % 3]++;
    ck_assert_int_eq(got[0], 12);
    ck_assert_int_eq(got[1], 6);
    ck_assert_int_eq(got[2], 6);
}
END_TEST

/* Who was away saved up nothing; who is alone gets all. */
START_TEST(fair_keeps_no_credit)
{
    weights(1000, 1000, 1000);
    struct ioqueue *q = make("fair", 3, 1);
    for (int i = 0; i < 20; i++)
        add(q, i, 0, 0, 0);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(next(q, 0), i);
    for (int i = 20; i < 30; i++)
        add(q, i, 1, 0, 0);
    int got[2] = {0};
    for (int i = 0; i < 10; i++)
        got[next(q, 0) >= 20]++;
    ck_assert_int_eq(got[0], 5);
}
END_TEST

START_TEST(fair_counts_what_it_cost)
{
    weights(1000, 1000, 1000);
    flows[1].group = (uint32_t)_i; /* the same group, or another */
    struct ioqueue *q = make("fair", 2, 2);
    for (int i = 0; i < 40; i++)
        add(q, i, (uint32_t)i % 2, 0, 0);
    int got[2] = {0};
    for (int i = 0; i < 20; i++) {
        int k = next(q, 0);
        ck_assert_int_ge(k, 0);
        got[k & 1]++;
        ioqueue_served(q, &reqs[k], k % 2 ? 3 * MS : MS);
    }
    ck_assert_int_eq(got[0], 15);
}
END_TEST

/* When all is served, the next begins anew: of equals, in order of arrival. */
START_TEST(fair_forgets_when_idle)
{
    weights(1, 1000, 1000);
    struct ioqueue *q = make("fair", 2, 1);
    add(q, 0, 0, 0, 0);
    ck_assert_int_eq(next(q, 0), 0);
    add(q, 1, 0, 0, MS);
    add(q, 2, 1, 0, MS);
    ck_assert_int_eq(next(q, MS), 1);
}
END_TEST

START_TEST(fair_takes_new_weights)
{
    weights(1000, 1000, 0);
    struct ioqueue *q = make("fair", 2, 1);
    for (int i = 0; i < 60; i++)
        add(q, i, (uint32_t)i % 2, 0, 0);
    int got[2] = {0};
    for (int i = 0; i < 10; i++)
        got[next(q, 0) % 2]++;
    ck_assert_int_eq(got[0], 5);
    flows[0].weight = 3000;
    ioqueue_set(q, 0, &flows[0], 0);
    for (int i = 0; i < 20; i++)
        got[next(q, 0) % 2]++;
    ck_assert_int_eq(got[0], 20);
}
END_TEST

/* Two hosts of equal weight: one flow here, three there. A flow switched off takes its weight with it. */
START_TEST(fair_among_groups)
{
    for (int i = 0; i < 4; i++)
        flows[i] = (struct ioqueue_flow_cfg){.weight = i ? 1000 : 3000, .group = i > 0};
    struct ioqueue *q = make("fair", 4, 2);
    for (int i = 0; i < 64; i++)
        add(q, i, (uint32_t)i % 4, 0, 0);
    int got[4] = {0};
    for (int i = 0; i < 12; i++)
        got[next(q, 0) % 4]++;
    ck_assert_int_eq(got[0], 6);
    for (int i = 1; i < 4; i++)
        ck_assert_int_eq(got[i], 2);
    for (int i = 0; i < 64; i++)
        if (i % 4 == 3 && reqs[i].queued) ioqueue_drop(q, &reqs[i], 0);
    flows[3].weight = 0;
    ioqueue_set(q, 3, &flows[3], 0);
    for (int i = 0; i < 15; i++)
        got[next(q, 0) % 4]++;
    ck_assert_int_eq(got[0], 6 + 9);
    ck_assert_int_eq(got[3], 2);
}
END_TEST

START_TEST(mclock_serves_what_is_due)
{
    weights(1, 10000, 10000);
    flows[0].reservation_u = 100 * PER_S;
    struct ioqueue *q = make("mclock", 3, 1);
    for (int i = 0; i < 30; i++)
        add(q, i, (uint32_t)i % 3, 0, 0);
    ck_assert_int_eq(next(q, 0), 0); /* the first is due as it comes */
    for (int i = 0; i < 5; i++)
        ck_assert_int_ne(next(q, 9 * MS) % 3, 0);
    ck_assert_int_eq(next(q, 10 * MS), 3);
    ck_assert_int_ne(next(q, 19 * MS) % 3, 0);
    ck_assert_int_eq(next(q, 31 * MS), 6); /* 20 and 30 ms: both are due */
    ck_assert_int_eq(next(q, 31 * MS), 9);
    ck_assert_int_ne(next(q, 31 * MS) % 3, 0);
    flows[0].reservation_u = 1000 * PER_S;
    ioqueue_set(q, 0, &flows[0], 32 * MS);
    ck_assert_int_ne(next(q, 32 * MS) % 3, 0);
    ck_assert_int_eq(next(q, 33 * MS), 12);
    flows[0].reservation_u = 0;
    ioqueue_set(q, 0, &flows[0], 34 * MS);
    ck_assert_int_ne(next(q, 99 * MS) % 3, 0);
}
END_TEST

/* 3 a second are due at 0, 1/3, 2/3 and 1 s to the ns, and so on; who was away is due once, when it comes. */
START_TEST(mclock_drifts_nowhere)
{
    weights(1, 10000, 10000);
    flows[0].reservation_u = 3 * PER_S;
    struct ioqueue *q = make("mclock", 3, 1);
    for (int i = 0; i < 60; i++)
        add(q, i, i >= 30, 0, 0);
    for (int i = 0; i < 30; i++) {
        int64_t due = (1000 * MS * i + 2) / 3;
        if (i) ck_assert_int_ge(next(q, due - 1), 30);
        ck_assert_int_eq(next(q, due), i);
    }
    for (int i = 0; i < 5; i++)
        add(q, i, 0, 0, 90000 * MS);
    ck_assert_int_eq(next(q, 90000 * MS), 0);
    ck_assert_int_eq(next(q, 90000 * MS), 59); /* the last of the others */
}
END_TEST

/* A limit below the reservation is the stronger. */
START_TEST(mclock_keeps_the_limit)
{
    weights(1000, 1000, 0);
    flows[0].reservation_u = 1000 * PER_S;
    flows[0].limit_u = 100 * PER_S;
    struct ioqueue *q = make("mclock", 2, 1);
    for (int i = 0; i < 8; i++)
        add(q, i, 0, 0, 0);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(next(q, i * 10 * MS), i);
        ck_assert_int_eq(next(q, i * 10 * MS + 9 * MS), -1);
    }
}
END_TEST

/* What was served on a reservation counts against the share, but for no more than a second of it. */
START_TEST(mclock_forgives)
{
    weights(1000, 1000, 0);
    flows[0].reservation_u = 1000 * PER_S;
    struct ioqueue *q = make("mclock", 2, 1);
    int64_t now = 0;
    add(q, 40, 1, 0, 0);
    for (; now < 10000 * MS; now += MS) { /* flow 1 waits, flow 0 takes all on its reservation */
        add(q, (int)(now / MS) % 32, 0, 0, now);
        ck_assert_int_lt(next(q, now), 32);
    }
    flows[0].reservation_u = 0;
    ioqueue_set(q, 0, &flows[0], now);
    for (int i = 0; i < 8; i++)
        add(q, i, 0, 0, now);
    int own = 0, other = 0;
    for (; own < 8 && other < 3000; now += MS) {
        int i = next(q, now);
        if (i < 32) {
            own++;
        } else {
            other++;
            add(q, i, 1, 0, now);
        }
        if (!reqs[40].queued) add(q, 40, 1, 0, now);
    }
    ck_assert_int_ge(other, 990);
    ck_assert_int_le(other, 1010);
}
END_TEST

Suite *ioqueue_suite(void)
{
    Suite *s = suite_create("ioqueue");
    TCase *t = tcase_create("frame");
    tcase_add_test(t, names);
    tcase_add_test(t, out_of_range);
    tcase_add_loop_test(t, an_empty_one, 0, 4);
    tcase_add_loop_test(t, a_limit_holds_back, 0, 4);
    tcase_add_test(t, limits_let_go_together);
    tcase_add_loop_test(t, a_limit_in_bytes_with_a_burst, 0, 4);
    tcase_add_loop_test(t, limits_change, 0, 4);
    suite_add_tcase(s, t);
    t = tcase_create("policies");
    tcase_add_test(t, fifo_is_by_arrival);
    tcase_add_test(t, deadline_sweeps);
    tcase_add_loop_test(t, deadline_expires, 0, 2);
    tcase_add_test(t, fair_takes_turns);
    tcase_add_test(t, fair_keeps_no_credit);
    tcase_add_loop_test(t, fair_counts_what_it_cost, 0, 2);
    tcase_add_test(t, fair_forgets_when_idle);
    tcase_add_test(t, fair_takes_new_weights);
    tcase_add_test(t, fair_among_groups);
    tcase_add_test(t, mclock_serves_what_is_due);
    tcase_add_test(t, mclock_drifts_nowhere);
    tcase_add_test(t, mclock_keeps_the_limit);
    tcase_add_test(t, mclock_forgives);
    suite_add_tcase(s, t);
    return s;
}
