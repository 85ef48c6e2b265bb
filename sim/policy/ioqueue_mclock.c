// SPDX-License-Identifier: GPL-3.0-or-later
/* mClock (Gulati, Merchant and Varman, OSDI 2010): reservations first, the rest by weight, never above a
 * limit.
 *
 * R, the reservation tag of a flow's first request: max(R + 1/r, when it came). While any R is due, the
 * earliest is served; else whoever's turn it is by weight, and then R does not move (the paper moves all R of
 * the flow back by 1/r): what a flow gets by weight is not taken from its reservation. Either way it counts
 * against its weight, so each gets its reservation or its weight's share, whichever is more. Two differences:
 *   - The paper's weight tags stand in real time and are shifted when a flow comes back; here they are fair's
 *     virtual time, which needs no shifting, knows groups, and counts device time instead of requests.
 *   - The paper's limit tags do not bind the reservation; here the frame's limits bind both.
 * Where reservations together are more than the device can do, the earliest tag still goes first. */
#include "policy/ioqueue_fair.h"

struct flow {
    struct ioqueue_fair_flow fair;
    int64_t ns;      /* R, in ioqueue.by_flow while a request waits: whole ns, */
    uint64_t rest;   /* and rest / reservation_u of one more */
    int64_t step_ns; /* 1/r, likewise */
    uint64_t step_rest;
};

static void set_step(struct ioqueue_flow *f)
{
    struct flow *x = ioqueue_flow_own(f);
    if (!f->reservation_u) return;
    x->step_ns = INT64_C(1000000000000000) / f->reservation_u;
    x->step_rest = (uint64_t)(INT64_C(1000000000000000) % f->reservation_u);
}

static void init(struct ioqueue *q)
{
    ioqueue_fair_init(q);
    for (uint32_t i = 0; i < q->n_flows; i++)
        set_step(ioqueue_flow_at(q, i));
}

/* After whatever changed f's first request or its R. */
static void place(struct ioqueue *q, struct ioqueue_flow *f)
{
    struct flow *x = ioqueue_flow_own(f);
    const struct ioqueue_req *r = x->fair.reqs.first;
    if (!r || !f->reservation_u) {
        ioqueue_tree_out(&q->by_flow, f->id);
        return;
    }
    if (x->ns < r->came_ns) {
        x->ns = r->came_ns;
        x->rest = 0;
    }
    unsigned __int128 key = (unsigned __int128)x->ns + (x->rest != 0);
    if (q->by_flow.slot[f->id].key != key) ioqueue_put(q, &q->by_flow, f->id, key);
}

static void add(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r)
{
    const struct flow *x = ioqueue_flow_own(f);
    ioqueue_fair_add(q, f, r);
    if (f->reservation_u && x->fair.reqs.first == r) place(q, f);
}

static struct ioqueue_req *take(struct ioqueue *q, int64_t now)
{
    uint32_t due = ioqueue_tree_first(&q->by_flow);
    if (q->by_flow.slot[due].key > (unsigned __int128)now) {
        struct ioqueue_flow *f = ioqueue_fair_first(q);
        struct ioqueue_req *r = ioqueue_fair_take(q, f, false);
        if (f->reservation_u) place(q, f);
        return r;
    }
    struct ioqueue_flow *f = ioqueue_flow_at(q, due);
    struct flow *x = ioqueue_flow_own(f);
    struct ioqueue_req *r = ioqueue_fair_take(q, f, true);
    x->ns += x->step_ns;
    x->rest += x->step_rest;
    if (x->rest >= (uint64_t)f->reservation_u) {
        x->rest -= (uint64_t)f->reservation_u;
        x->ns++;
    }
    place(q, f);
    return r;
}

static void drop(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r)
{
    ioqueue_fair_drop(q, f, r);
    if (f->reservation_u) place(q, f);
}

/* A tag that the old reservation put far ahead comes back to where the new one would. */
static void set(struct ioqueue *q, struct ioqueue_flow *f, int64_t now)
{
    struct flow *x = ioqueue_flow_own(f);
    ioqueue_fair_set(q, f, now);
    set_step(f);
    x->rest = 0;
    if (f->reservation_u && x->ns > now && x->ns - now > x->step_ns) x->ns = now + x->step_ns;
    place(q, f);
}

const struct ioqueue_class ioqueue_mclock_class = {
    .name = "mclock",
    .about = "mClock: reservations first, then by weight, never above a limit",
    .weighted = true,
    .reserves = true,
    .queue_bytes = sizeof(struct ioqueue_fair_level),
    .group_bytes = sizeof(struct ioqueue_fair_group),
    .flow_bytes = sizeof(struct flow),
    .init = init,
    .add = add,
    .take = take,
    .drop = drop,
    .served = ioqueue_fair_served,
    .set = set,
};
