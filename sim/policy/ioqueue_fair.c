// SPDX-License-Identifier: GPL-3.0-or-later
/* By weight in device time; see ioqueue_fair.h. */
#include "policy/ioqueue_fair.h"

#define LEAD_NS UINT64_C(1000000000) /* the most that service on a reservation counts ahead */

static uint64_t unit_of(uint64_t weight)
{
    return ((UINT64_C(1) << 50) + weight / 2) / weight;
}

static void join(struct ioqueue *q, struct ioqueue_fair_level *l, struct ioqueue_fair_member *m)
{
    ioqueue_turn(q, &l->waiting, &m->node, m->finish > l->v ? m->finish : l->v);
}

static void if_over(struct ioqueue_fair_level *l) /* the busy period */
{
    if (!l->waiting && l->v < l->last) l->v = l->last;
}

static void leave(struct ioqueue_fair_level *l, struct ioqueue_fair_member *m)
{
    ioqueue_heap_del(&l->waiting, &m->node);
    if_over(l);
}

/* One of m's requests begins; `more` of them wait. */
static void serve(struct ioqueue *q, struct ioqueue_fair_level *l, struct ioqueue_fair_member *m,
                  int64_t cost_ns, bool reserved, bool more)
{
    unsigned __int128 start = m->node.key;
    m->finish = start + (unsigned __int128)(uint64_t)cost_ns * m->unit;
    if (!reserved) {
        l->v = start; /* the smallest, and never below v */
    } else {
        unsigned __int128 most = l->v + (unsigned __int128)LEAD_NS * m->unit;
        if (m->finish > most) m->finish = most;
    }
    if (m->finish > l->last) l->last = m->finish;
    ioqueue_heap_del(&l->waiting, &m->node);
    if (more)
        join(q, l, m);
    else
        if_over(l);
}

/* It cost more_ns more than serve was told: less can take back no more than that. */
static void correct(struct ioqueue *q, struct ioqueue_fair_level *l, struct ioqueue_fair_member *m,
                    int64_t more_ns, bool waits)
{
    m->finish += (unsigned __int128)((__int128)more_ns * m->unit);
    if (m->finish > l->last) l->last = m->finish;
    if (waits) {
        ioqueue_heap_del(&l->waiting, &m->node);
        join(q, l, m);
    } else {
        if_over(l);
    }
}

void ioqueue_fair_init(struct ioqueue *q)
{
    for (uint32_t i = 0; i < q->n_groups; i++) {
        struct ioqueue_group *g = ioqueue_group_at(q, i);
        ((struct ioqueue_fair_group *)ioqueue_group_own(g))->m.unit = unit_of(g->weight);
    }
    for (uint32_t i = 0; i < q->n_flows; i++) {
        struct ioqueue_flow *f = ioqueue_flow_at(q, i);
        ((struct ioqueue_fair_flow *)ioqueue_flow_own(f))->m.unit = unit_of(f->weight);
    }
}

void ioqueue_fair_add(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r)
{
    struct ioqueue_fair_flow *x = ioqueue_flow_own(f);
    struct ioqueue_fair_group *g = ioqueue_group_own(f->group);
    bool first = !x->reqs.first;
    ioqueue_list_add(&x->reqs, r);
    if (!first) return;
    if (!g->flows.waiting) join(q, ioqueue_own(q), &g->m);
    join(q, &g->flows, &x->m);
}

struct ioqueue_flow *ioqueue_fair_first(struct ioqueue *q)
{
    struct ioqueue_fair_level *groups = ioqueue_own(q);
    struct ioqueue_fair_group *g = (struct ioqueue_fair_group *)groups->waiting;
    ASSUME(g && g->flows.waiting);
    return ioqueue_flow_of(g->flows.waiting);
}

struct ioqueue_req *ioqueue_fair_take(struct ioqueue *q, struct ioqueue_flow *f, bool reserved)
{
    struct ioqueue_fair_flow *x = ioqueue_flow_own(f);
    struct ioqueue_fair_group *g = ioqueue_group_own(f->group);
    struct ioqueue_req *r = x->reqs.first;
    ioqueue_list_del(&x->reqs, r);
    serve(q, &g->flows, &x->m, r->cost_ns, reserved, x->reqs.first);
    serve(q, ioqueue_own(q), &g->m, r->cost_ns, reserved, g->flows.waiting);
    return r;
}

void ioqueue_fair_drop(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r)
{
    struct ioqueue_fair_flow *x = ioqueue_flow_own(f);
    struct ioqueue_fair_group *g = ioqueue_group_own(f->group);
    ioqueue_list_del(&x->reqs, r);
    if (x->reqs.first) return;
    leave(&g->flows, &x->m);
    if (!g->flows.waiting) leave(ioqueue_own(q), &g->m);
}

void ioqueue_fair_served(struct ioqueue *q, struct ioqueue_flow *f, int64_t more_ns)
{
    struct ioqueue_fair_flow *x = ioqueue_flow_own(f);
    struct ioqueue_fair_group *g = ioqueue_group_own(f->group);
    correct(q, &g->flows, &x->m, more_ns, x->reqs.first);
    correct(q, ioqueue_own(q), &g->m, more_ns, g->flows.waiting);
}

/* Another weight counts from the next request on. */
void ioqueue_fair_set(struct ioqueue *q, struct ioqueue_flow *f, int64_t now)
{
    (void)q, (void)now;
    ((struct ioqueue_fair_flow *)ioqueue_flow_own(f))->m.unit = unit_of(f->weight);
    ((struct ioqueue_fair_group *)ioqueue_group_own(f->group))->m.unit = unit_of(f->group->weight);
}

static struct ioqueue_req *take(struct ioqueue *q, int64_t now)
{
    (void)now;
    return ioqueue_fair_take(q, ioqueue_fair_first(q), false);
}

const struct ioqueue_class ioqueue_fair_class = {
    .name = "fair",
    .about = "By weight in device time: start-time fair queueing, among hosts and inside each",
    .weighted = true,
    .queue_bytes = sizeof(struct ioqueue_fair_level),
    .group_bytes = sizeof(struct ioqueue_fair_group),
    .flow_bytes = sizeof(struct ioqueue_fair_flow),
    .init = ioqueue_fair_init,
    .add = ioqueue_fair_add,
    .take = take,
    .drop = ioqueue_fair_drop,
    .served = ioqueue_fair_served,
    .set = ioqueue_fair_set,
};
