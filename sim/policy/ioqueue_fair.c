// SPDX-License-Identifier: GPL-3.0-or-later
/* By weight in device time; see ioqueue_fair.h. */
#include "policy/ioqueue_fair.h"

#define LEAD_NS UINT64_C(1000000000) /* the most that service on a reservation counts ahead */

static uint64_t unit_of(uint64_t weight)
{
    return ((UINT64_C(1) << 50) + weight / 2) / weight;
}

/* A level, its tree, and one of its members. */
struct place {
    struct ioqueue_fair_level *level;
    struct ioqueue_tree *tree;
    struct ioqueue_fair_member *m;
    uint32_t i;
};

static struct place among_groups(struct ioqueue *q, struct ioqueue_group *g)
{
    struct ioqueue_fair_group *x = ioqueue_group_own(g);
    return (struct place){ioqueue_own(q), &q->by_group, &x->m, g->id};
}

static struct place among_flows(struct ioqueue_flow *f)
{
    struct ioqueue_fair_group *x = ioqueue_group_own(f->group);
    struct ioqueue_fair_flow *y = ioqueue_flow_own(f);
    return (struct place){&x->flows, &f->group->by_rank, &y->m, f->rank};
}

static void join(struct ioqueue *q, struct place p)
{
    ioqueue_put(q, p.tree, p.i, p.m->finish > p.level->v ? p.m->finish : p.level->v);
}

/* With nobody left the busy period is over, and forgotten. */
static void leave(struct place p)
{
    ioqueue_tree_out(p.tree, p.i);
    if (ioqueue_tree_empty(p.tree) && p.level->v < p.level->last) p.level->v = p.level->last;
}

static void settle(struct ioqueue *q, struct place p, bool waits)
{
    if (p.m->finish > p.level->last) p.level->last = p.m->finish;
    if (waits)
        join(q, p);
    else
        leave(p);
}

/* One of its requests begins; `more` of them wait. */
static void serve(struct ioqueue *q, struct place p, int64_t cost_ns, bool reserved, bool more)
{
    unsigned __int128 start = p.tree->slot[p.i].key;
    p.m->finish = start + (unsigned __int128)(uint64_t)cost_ns * p.m->unit;
    if (!reserved) {
        p.level->v = start; /* the smallest, and never below v */
    } else {
        unsigned __int128 most = p.level->v + (unsigned __int128)LEAD_NS * p.m->unit;
        if (p.m->finish > most) p.m->finish = most;
    }
    settle(q, p, more);
}

/* It cost more_ns more than serve was told: less can take back no more than that. */
static void correct(struct ioqueue *q, struct place p, int64_t more_ns, bool waits)
{
    p.m->finish += (unsigned __int128)((__int128)more_ns * p.m->unit);
    settle(q, p, waits);
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
    bool first = !x->reqs.first;
    ioqueue_list_add(&x->reqs, r);
    if (!first) return;
    if (!ioqueue_tree_in(&q->by_group, f->group->id)) join(q, among_groups(q, f->group));
    join(q, among_flows(f));
}

struct ioqueue_flow *ioqueue_fair_first(struct ioqueue *q)
{
    const struct ioqueue_group *g = ioqueue_group_at(q, ioqueue_tree_first(&q->by_group));
    return ioqueue_flow_at(q, g->members[ioqueue_tree_first(&g->by_rank)]);
}

struct ioqueue_req *ioqueue_fair_take(struct ioqueue *q, struct ioqueue_flow *f, bool reserved)
{
    struct ioqueue_fair_flow *x = ioqueue_flow_own(f);
    struct ioqueue_req *r = x->reqs.first;
    ASSUME(r);
    ioqueue_list_del(&x->reqs, r);
    serve(q, among_flows(f), r->cost_ns, reserved, x->reqs.first);
    serve(q, among_groups(q, f->group), r->cost_ns, reserved, !ioqueue_tree_empty(&f->group->by_rank));
    return r;
}

void ioqueue_fair_drop(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r)
{
    struct ioqueue_fair_flow *x = ioqueue_flow_own(f);
    ioqueue_list_del(&x->reqs, r);
    if (x->reqs.first) return;
    leave(among_flows(f));
    if (ioqueue_tree_empty(&f->group->by_rank)) leave(among_groups(q, f->group));
}

void ioqueue_fair_served(struct ioqueue *q, struct ioqueue_flow *f, int64_t more_ns)
{
    struct ioqueue_fair_flow *x = ioqueue_flow_own(f);
    correct(q, among_flows(f), more_ns, x->reqs.first);
    correct(q, among_groups(q, f->group), more_ns, !ioqueue_tree_empty(&f->group->by_rank));
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
