// SPDX-License-Identifier: GPL-3.0-or-later
/* A datastore's disk on a clock that is read late: rates, shares and limits hold all the same. */
#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "kvm/store/inner.h"

Suite *serve_suite(void);

#define SECOND INT64_C(1000000000)
#define DEEP   8u /* requests that each flow always has in the queue */

struct lab {
    struct serve s;
    struct ioqueue_req reqs[2 * DEEP];
    uint32_t n_flows;
    uint64_t served[2];
    int64_t now, busy_ns, last_free;
    struct rng rng;
};

static void begin(struct lab *l, struct serve_cfg cfg, const struct ioqueue_flow_cfg *flows, uint32_t n)
{
    *l = (struct lab){.n_flows = n, .rng = rng_at(1, 2, 3)};
    cfg.flows = flows;
    cfg.n_flows = n;
    ck_assert_int_eq(serve_init(&l->s, &cfg, 0), 0);
    for (uint32_t i = 0; i < n * DEEP; i++) {
        l->reqs[i] = (struct ioqueue_req){.flow = i / DEEP, .bytes = 4096};
        serve_add(&l->s, &l->reqs[i], 0);
    }
}

/* Each looks as late as a thread is woken: up to late_ns. What was served is asked for again at once. */
static void run(struct lab *l, int64_t for_ns, int64_t late_ns)
{
    int64_t end = l->now + for_ns;
    while (l->now < end) {
        struct ioqueue_req *r;
        int64_t ripe, again;
        while ((r = serve_next(&l->s, l->now, &ripe, &again))) {
            ck_assert_int_ge(l->s.began_ns, l->last_free); /* one after the other */
            ck_assert_int_le(l->s.began_ns, l->now);
            ck_assert_int_ge(ripe, l->s.free_ns);
            l->busy_ns += l->s.free_ns - l->s.began_ns;
            l->last_free = l->s.free_ns;
            l->served[r->flow]++;
            serve_add(&l->s, r, l->now);
        }
        ck_assert_int_gt(again, l->now);
        l->now = again + (late_ns ? (int64_t)(rng_u32(&l->rng) % (uint64_t)late_ns) : 0);
    }
}

static const int64_t lates[] = {0, 100000, 2000000};

START_TEST(rate_does_not_depend_on_who_looks_when)
{
    const struct ioqueue_flow_cfg one = {.weight = 1000};
    struct lab l;
    begin(&l, (struct serve_cfg){.queue = "fifo", .iops_u = 2000 * INT64_C(1000000)}, &one, 1);
    run(&l, SECOND, lates[_i]);
    ck_assert_int_ge((int64_t)l.served[0], 1990);
    ck_assert_int_le((int64_t)l.served[0], 2006);
    ck_assert_int_ge(l.busy_ns, 995000000);
    serve_done(&l.s);
}
END_TEST

START_TEST(bytes_a_second)
{
    const struct ioqueue_flow_cfg one = {.weight = 1000};
    struct lab l;
    begin(&l, (struct serve_cfg){.queue = "fifo", .bandwidth_bps = 4096 * 8 * 1000, .latency_ns = 700}, &one,
          1);
    run(&l, SECOND, lates[_i]);
    ck_assert_int_ge((int64_t)l.served[0], 995);
    ck_assert_int_le((int64_t)l.served[0], 1004);
    serve_done(&l.s);
}
END_TEST

START_TEST(shares_are_the_policys)
{
    const struct ioqueue_flow_cfg two[] = {{.weight = 3000}, {.weight = 1000}};
    struct lab l;
    begin(&l, (struct serve_cfg){.queue = "fair", .iops_u = 2000 * INT64_C(1000000)}, two, 2);
    run(&l, SECOND, lates[_i]);
    double share = (double)l.served[0] / (double)(l.served[0] + l.served[1]);
    ck_assert_double_eq_tol(share, 0.75, 0.005);
    serve_done(&l.s);
}
END_TEST

/* A limit is no faster for being looked at late, and the rest is the other's. */
START_TEST(limits_hold)
{
    const struct ioqueue_flow_cfg two[] = {{.weight = 1000, .limit_u = 200 * INT64_C(1000000)},
                                           {.weight = 1000}};
    struct lab l;
    begin(&l, (struct serve_cfg){.queue = "fair", .iops_u = 2000 * INT64_C(1000000)}, two, 2);
    run(&l, SECOND, lates[_i]);
    ck_assert_int_ge((int64_t)l.served[0], lates[_i] > 1000000 ? 160 : 195);
    ck_assert_int_le((int64_t)l.served[0], 202);
    ck_assert_int_ge((int64_t)(l.served[0] + l.served[1]), lates[_i] > 1000000 ? 1700 : 1985);
    ck_assert_int_le((int64_t)(l.served[0] + l.served[1]), 2006);
    serve_done(&l.s);
}
END_TEST

/* Nobody is let in faster for having been held by a limit while the server was free. */
START_TEST(a_limit_alone_is_the_rate)
{
    const struct ioqueue_flow_cfg one = {.weight = 1000, .limit_u = 500 * INT64_C(1000000)};
    struct lab l;
    begin(&l, (struct serve_cfg){.queue = "fifo", .iops_u = 100000 * INT64_C(1000000)}, &one, 1);
    run(&l, SECOND, lates[_i]);
    ck_assert_int_le((int64_t)l.served[0], 503);
    ck_assert_int_ge((int64_t)l.served[0], lates[_i] > 1000000 ? 250 : 490);
    serve_done(&l.s);
}
END_TEST

/* Who stands still for a second does not then serve a second's requests at once. */
START_TEST(a_pause_is_not_made_up_for)
{
    const struct ioqueue_flow_cfg one = {.weight = 1000};
    struct lab l;
    begin(&l, (struct serve_cfg){.queue = "fifo", .iops_u = 1000 * INT64_C(1000000)}, &one, 1);
    run(&l, SECOND / 10, 0);
    uint64_t before = l.served[0];
    l.now += SECOND;
    run(&l, SECOND / 10, 0);
    ck_assert_int_ge((int64_t)(l.served[0] - before), 99);
    ck_assert_int_le((int64_t)(l.served[0] - before), 100 + SERVE_LATE_NS / 1000000 + 2);
    serve_done(&l.s);
}
END_TEST

START_TEST(what_is_out_of_range_is_refused)
{
    const struct ioqueue_flow_cfg heavy = {.weight = IOQUEUE_WEIGHT_MAX + 1};
    struct serve s;
    ck_assert_int_eq(serve_init(&s, &(struct serve_cfg){.queue = "nobody", .flows = &heavy, .n_flows = 1}, 0),
                     -1);
    ck_assert_int_eq(serve_init(&s, &(struct serve_cfg){.queue = "fair", .flows = &heavy, .n_flows = 1}, 0),
                     -1);
    ck_assert_int_eq(serve_init(&s, &(struct serve_cfg){.queue = "fair", .flows = &heavy, .n_flows = 0}, 0),
                     -1);
}
END_TEST

START_TEST(faults_are_drawn_apart)
{
    const struct store_faults f = {.seed = 3, .eio = UINT32_MAX / 8, .slow = UINT32_MAX / 4, .slow_ns = 5};
    struct store_faults more = f;
    int64_t longer, again;
    uint64_t n_eio = 0, n_slow = 0;
    more.enospc = UINT32_MAX / 2;
    for (uint64_t i = 0; i < 8000; i++) {
        enum abi_status st = faults_draw(&f, 1, i, false, &longer);
        ck_assert(st == ABI_DONE || st == ABI_EIO);
        n_eio += st == ABI_EIO;
        n_slow += longer == 5;
        /* Another fault changes nothing about the others, and reads find room always. */
        ck_assert_int_eq(faults_draw(&more, 1, i, false, &again), st);
        ck_assert_int_eq(again, longer);
        if (st == ABI_EIO) ck_assert_int_eq(faults_draw(&more, 1, i, true, &again), ABI_EIO);
    }
    ck_assert_double_eq_tol((double)n_eio / 8000, 0.125, 0.015);
    ck_assert_double_eq_tol((double)n_slow / 8000, 0.25, 0.02);
    const struct store_faults stall = {.stall_from_ns = 10, .stall_for_ns = 5},
                              ever = {.stall_for_ns = INT64_MAX};
    ck_assert_int_eq(faults_stalled_until(&stall, 9), -1);
    ck_assert_int_eq(faults_stalled_until(&stall, 10), 15);
    ck_assert_int_eq(faults_stalled_until(&stall, 15), -1);
    ck_assert_int_eq(faults_stalled_until(&ever, 1), INT64_MAX);
}
END_TEST

Suite *serve_suite(void)
{
    Suite *s = suite_create("serve");
    TCase *t = tcase_create("serve");
    tcase_add_loop_test(t, rate_does_not_depend_on_who_looks_when, 0, 3);
    tcase_add_loop_test(t, bytes_a_second, 0, 3);
    tcase_add_loop_test(t, shares_are_the_policys, 0, 3);
    tcase_add_loop_test(t, limits_hold, 0, 3);
    tcase_add_loop_test(t, a_limit_alone_is_the_rate, 0, 3);
    tcase_add_test(t, a_pause_is_not_made_up_for);
    tcase_add_test(t, what_is_out_of_range_is_refused);
    tcase_add_test(t, faults_are_drawn_apart);
    suite_add_tcase(s, t);
    return s;
}
