// SPDX-License-Identifier: GPL-3.0-or-later
/* Random flows, groups, limits, reservations and changes of them, under every policy and with a clock that is
 * late: nothing is lost or comes twice, nobody starves, nobody idles the device, weights hold within the
 * bound of start-time fair queueing, limits within a request, reservations while they can be met, and no
 * flow's number matters. */
#include <check.h>

#include "tests/properties/ioqueue_world.h"
#include "tests/often.h"

#include <math.h>

Suite *ioqueue_random_suite(void);

static const char *const names[] = {"fifo", "deadline", "fair", "mclock"};
enum { SEEDS = 60, REQS = 256, MS = 1000000 };

/* One random history. Flow i is called name[i] in the queue, group g group_name[g]. */
struct history {
    struct rng rng;
    struct ioqueue *q;
    uint32_t n, n_groups, name[IOW_FLOWS], group_name[IOW_FLOWS];
    struct ioqueue_flow_cfg cfg[IOW_FLOWS];
    int64_t largest[IOW_FLOWS];
    double owed_ops[IOW_FLOWS], owed_bytes[IOW_FLOWS]; /* leaky buckets, in requests and bytes */
    int64_t owed_at[IOW_FLOWS];
    bool loose[IOW_FLOWS]; /* its limits changed while it had requests in */
    uint32_t waiting[IOW_FLOWS], n_waiting;
    struct ioqueue_req req[REQS];
    int64_t now;
    uint64_t hash;
};

static uint32_t below(struct history *h, uint32_t n)
{
    return rng_u32(&h->rng) % n;
}

static struct ioqueue_flow_cfg random_cfg(struct history *h, uint32_t i)
{
    struct ioqueue_flow_cfg c = {.weight = below(h, 8) ? 1 + below(h, 10000) : 0, .group = h->cfg[i].group};
    if (below(h, 3) == 0) c.reservation_u = INT64_C(1000000) * below(h, 500) + below(h, 1000);
    if (below(h, 3) == 0) c.limit_u = INT64_C(1000000) * (1 + below(h, 500)) + below(h, 1000);
    if (below(h, 3) == 0) c.limit_bps = 1 + below(h, 20000000);
    if (below(h, 2)) c.limit_burst_bytes = below(h, 200000);
    return c;
}

static struct ioqueue_flow_cfg named(const struct history *h, uint32_t i)
{
    struct ioqueue_flow_cfg c = h->cfg[i];
    c.group = h->group_name[c.group];
    return c;
}

static void shuffle(uint32_t *a, uint32_t n, struct rng *r)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = rng_u32(r) % (i + 1);
        a[i] = a[k];
        a[k] = i;
    }
}

static void history_begin(struct history *h, const char *cls, uint64_t seed, struct rng *names_rng)
{
    *h = (struct history){.rng = {rng_mix(seed + 1000), 2 * seed + 1}};
    h->n = 1 + below(h, IOW_FLOWS);
    h->n_groups = 1 + below(h, 4);
    for (uint32_t i = 0; i < h->n; i++) {
        h->cfg[i].group = below(h, h->n_groups);
        h->cfg[i] = random_cfg(h, i);
        h->name[i] = i;
    }
    for (uint32_t g = 0; g < h->n_groups; g++)
        h->group_name[g] = g;
    if (names_rng) {
        shuffle(h->name, h->n, names_rng);
        shuffle(h->group_name, h->n_groups, names_rng);
    }
    struct ioqueue_flow_cfg flows[IOW_FLOWS];
    for (uint32_t i = 0; i < h->n; i++)
        flows[h->name[i]] = named(h, i);
    struct ioqueue_cfg cfg = {
        .cls = ioqueue_class_find(cls), .n_flows = h->n, .n_groups = h->n_groups, .flows = flows};
    h->q = ioqueue_init(aligned_alloc(16, ioqueue_size(&cfg)), &cfg);
}

static uint32_t who(const struct history *h, uint32_t name)
{
    for (uint32_t i = 0; i < h->n; i++)
        if (h->name[i] == name) return i;
    ck_abort_msg("no flow %u", name);
}

/* What it owes now, as a leaky bucket. */
static void leak(struct history *h, uint32_t i)
{
    double s = (double)(h->now - h->owed_at[i]) / 1e9;
    h->owed_ops[i] = fmax(0, h->owed_ops[i] - s * (double)h->cfg[i].limit_u / 1e6);
    h->owed_bytes[i] = fmax(0, h->owed_bytes[i] - s * (double)h->cfg[i].limit_bps / 8);
    h->owed_at[i] = h->now;
}

/* Let in when nothing was owed, or when it had been late by one request. */
static void check_limit(struct history *h, const struct ioqueue_req *r)
{
    uint32_t i = who(h, r->flow);
    const struct ioqueue_flow_cfg *c = &h->cfg[i];
    leak(h, i);
    if (!h->loose[i]) {
        if (c->limit_u) ck_often(h->owed_ops[i] <= 1 + 1e-6);
        double spare = fmax((double)c->limit_burst_bytes, (double)h->largest[i]);
        if (c->limit_bps) ck_often(h->owed_bytes[i] <= spare * (1 + 1e-6) + 1);
    }
    h->owed_ops[i]++;
    h->owed_bytes[i] += (double)r->bytes;
}

static void history_add(struct history *h)
{
    struct ioqueue_req *r = &h->req[below(h, REQS)];
    uint32_t i = below(h, h->n);
    if (r->queued) return;
    if (!h->waiting[i] && h->loose[i]) {
        h->loose[i] = false;
        h->largest[i] = 0;
        h->owed_ops[i] = h->owed_bytes[i] = 0;
        h->owed_at[i] = h->now;
    }
    *r = (struct ioqueue_req){.flow = h->name[i],
                              .write = below(h, 2),
                              .bytes = below(h, 100000),
                              .position = below(h, 1000),
                              .cost_ns = below(h, 5 * MS)};
    if (r->bytes > h->largest[i]) h->largest[i] = r->bytes;
    ioqueue_add(h->q, r, h->now);
    h->waiting[i]++;
    h->n_waiting++;
}

static void gone(struct history *h, const struct ioqueue_req *r)
{
    ck_often(!r->queued);
    h->waiting[who(h, r->flow)]--;
    h->n_waiting--;
}

/* Who can be held back has a limit; and when it is time to ask again, somebody goes. */
static bool history_next(struct history *h, bool wait)
{
    int64_t again = -1;
    struct ioqueue_req *r = ioqueue_next(h->q, h->now, &again);
    if (!r) {
        ck_often(again > h->now);
        for (uint32_t i = 0; i < h->n; i++)
            ck_often(!h->waiting[i] || h->cfg[i].limit_u || h->cfg[i].limit_bps);
        ck_often((again == IOQUEUE_FOREVER) == !h->n_waiting);
        if (!wait || !h->n_waiting) return false;
        h->now = again;
        r = ioqueue_next(h->q, h->now, &again);
        ck_often(r);
    }
    check_limit(h, r);
    gone(h, r);
    h->hash = rng_mix(h->hash ^ (uint64_t)(r - h->req) ^ (uint64_t)h->now << 10);
    int64_t cost = r->cost_ns;
    if (below(h, 3) == 0) {
        cost = below(h, 10 * MS);
        ioqueue_served(h->q, r, cost);
    }
    h->now += cost;
    return true;
}

static void history_change(struct history *h)
{
    uint32_t i = below(h, h->n);
    leak(h, i);
    h->cfg[i] = random_cfg(h, i);
    struct ioqueue_flow_cfg c = named(h, i);
    h->loose[i] = true;
    ioqueue_set(h->q, h->name[i], &c, h->now);
}

static void history_drop(struct history *h)
{
    struct ioqueue_req *r = &h->req[below(h, REQS)];
    if (!r->queued) return;
    ioqueue_drop(h->q, r, h->now);
    gone(h, r);
}

static uint64_t play(const char *cls, uint64_t seed, struct rng *names_rng)
{
    struct history *h = calloc(1, sizeof *h);
    history_begin(h, cls, seed, names_rng);
    for (int step = 0; step < FEWER(20000); step++) {
        uint32_t what = below(h, 100), busy = (uint32_t)step / 1000 % 2 ? 60 : 45;
        if (what < busy)
            history_add(h);
        else if (what < 96)
            history_next(h, below(h, 4) == 0);
        else if (what < 98)
            history_drop(h);
        else if (seed % 2)
            history_change(h);
        if (below(h, 4) == 0) h->now += below(h, 4 * MS); /* the device asks late */
        ck_often(ioqueue_waiting(h->q) == h->n_waiting);
        uint32_t i = below(h, h->n);
        ck_often(ioqueue_flow_waiting(h->q, h->name[i]) == h->waiting[i]);
    }
    while (history_next(h, true)) {
    }
    ck_often(!h->n_waiting);
    for (uint32_t i = 0; i < REQS; i++)
        ck_often(!h->req[i].queued);
    uint64_t hash = h->hash;
    free(h->q);
    free(h);
    return hash;
}

START_TEST(nothing_is_lost_and_limits_hold)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        play(names[_i], seed, NULL);
}
END_TEST

/* Flows and groups with other numbers: the same requests in the same order at the same times. */
START_TEST(numbers_do_not_matter)
{
    for (uint64_t seed = 0; seed < SEEDS; seed += 3) {
        struct rng r = {seed + 5, 1};
        uint64_t hash = play(names[_i], seed, NULL);
        ck_often(hash != 0);
        for (int k = 0; k < 2; k++)
            ck_often(play(names[_i], seed, &r) == hash);
    }
}
END_TEST

/* All ask for ever. Of two flows in a group, what each got for its weight differs by one request of each at
 * most: |Wi/wi - Wj/wj| <= ci/wi + cj/wj; and so of two groups. */
struct shares {
    double flow[IOW_FLOWS], group[IOW_FLOWS]; /* device time for the weight */
    double flow_most[IOW_FLOWS], group_most[IOW_FLOWS], group_weight[IOW_FLOWS];
};

static void check_shares(struct iow *w, const struct ioqueue_req *r, int64_t cost_ns)
{
    struct shares *s = w->ctx;
    const struct ioqueue_flow_cfg *c = &w->f[r->flow].cfg;
    s->flow[r->flow] += (double)cost_ns / c->weight;
    s->group[c->group] += (double)cost_ns / s->group_weight[c->group];
    for (uint32_t j = 0; j < w->n; j++) {
        uint32_t g = w->f[j].cfg.group;
        double apart = fabs(s->flow[r->flow] - s->flow[j]);
        if (g == c->group) ck_often(apart <= (s->flow_most[r->flow] + s->flow_most[j]) * (1 + 1e-6));
        apart = fabs(s->group[c->group] - s->group[g]);
        ck_often(apart <= (s->group_most[c->group] + s->group_most[g]) * (1 + 1e-6));
    }
}

START_TEST(weights_hold_within_a_request)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct shares s = {0};
        struct rng r = {rng_mix(seed), 3};
        struct iow w = {
            .cls = names[_i], .vary = seed % 2, .late_ns = seed % 3 ? 2 * MS : 0, .look = check_shares};
        w.ctx = &s;
        w.n = 2 + rng_u32(&r) % (IOW_FLOWS - 2);
        w.n_groups = 1 + rng_u32(&r) % 4;
        for (uint32_t i = 0; i < w.n; i++) {
            w.f[i] = (struct iow_flow){.cfg = {.weight = 1 + rng_u32(&r) % (seed % 4 ? 10000 : 9),
                                               .group = i < w.n_groups ? i : rng_u32(&r) % w.n_groups},
                                       .depth = 2 + rng_u32(&r) % 4,
                                       .cost_ns = 1000 + rng_u32(&r) % (5 * MS)};
            s.group_weight[w.f[i].cfg.group] += w.f[i].cfg.weight;
        }
        if (w.n_groups > w.n) w.n_groups = w.n;
        for (uint32_t i = 0; i < w.n; i++) {
            double cost = (double)w.f[i].cost_ns * (w.vary ? 2 : 1);
            uint32_t g = w.f[i].cfg.group;
            s.flow_most[i] = cost / w.f[i].cfg.weight;
            s.group_most[g] = fmax(s.group_most[g], cost / s.group_weight[g]);
        }
        iow_begin(&w, seed);
        iow_run(&w, 20 * IOW_S);
        iow_end(&w);
    }
}
END_TEST

/* Reservations that fit are met by every VM that asks, whatever the weights, the sizes and how late the clock
 * is: so many requests, but for those of the last moment. */
START_TEST(reservations_are_met)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct rng r = {rng_mix(seed + 50), 3};
        struct iow w = {.cls = "mclock", .vary = true, .late_ns = seed % 2 ? MS / 5 : 0};
        w.n = 2 + rng_u32(&r) % 8;
        w.n_groups = 1 + rng_u32(&r) % 3;
        for (uint32_t i = 0; i < w.n; i++) {
            w.f[i] = (struct iow_flow){
                .cfg = {.weight = 1 + rng_u32(&r) % 10000, .group = rng_u32(&r) % w.n_groups},
                .depth = 8,
                .cost_ns = MS}; /* at least 1 s / 1.1 ms = 900 a second in all */
            if (i) w.f[i].cfg.reservation_u = INT64_C(1000000) * (1 + rng_u32(&r) % (800 / w.n));
        }
        iow_begin(&w, seed);
        iow_run(&w, 20 * IOW_S);
        double some = (double)w.n + 3; /* others before it, and its own late start */
        for (uint32_t i = 0; i < w.n; i++)
            ck_assert_double_ge((double)w.f[i].ops, 20 * (double)w.f[i].cfg.reservation_u / 1e6 - some);
        iow_end(&w);
    }
}
END_TEST

/* The least of all weights, 1 in 80001, still gets its turn: one of its requests lets the others have 80000
 * of theirs, 120 s of the device with what it is late; the other policies do not even make it wait for that.
 */
START_TEST(nobody_starves)
{
    struct iow w = {.cls = names[_i], .n = 9, .vary = true, .late_ns = MS};
    for (uint32_t i = 0; i < 8; i++)
        w.f[i] = (struct iow_flow){.cfg = {.weight = 10000}, .depth = 32, .cost_ns = MS};
    w.f[8] = (struct iow_flow){.cfg = {.weight = 1}, .depth = 1, .cost_ns = MS};
    iow_begin(&w, 4);
    iow_run(&w, 400 * IOW_S);
    ck_assert_uint_ge(w.f[8].ops, _i < 2 ? 900 : 2);
    iow_end(&w);
}
END_TEST

Suite *ioqueue_random_suite(void)
{
    Suite *s = suite_create("ioqueue_random");
    TCase *t = tcase_create("random");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, nothing_is_lost_and_limits_hold, 0, 4);
    tcase_add_loop_test(t, numbers_do_not_matter, 0, 4);
    tcase_add_loop_test(t, weights_hold_within_a_request, 2, 4);
    tcase_add_test(t, reservations_are_met);
    tcase_add_loop_test(t, nobody_starves, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
