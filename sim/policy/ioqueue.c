// SPDX-License-Identifier: GPL-3.0-or-later
/* The frame: flows, their limits, and who is held back by them.
 *
 * Rules that hold after every call:
 *   - a request is with the policy (passed), or in its flow's list `back`, and there only if the flow has a
 * limit;
 *   - a flow with somebody in `back` has a request with the policy, or is in q->held by the time when its
 *     limits let the next one go. */
#include "policy/ioqueue_class.h"

#include <string.h>

static size_t round16(size_t n)
{
    return (n + 15) / 16 * 16;
}

static bool flow_fits(const struct ioqueue_flow_cfg *f)
{
    return f->weight <= IOQUEUE_WEIGHT_MAX && f->reservation_u >= 0 && f->limit_u >= 0 && f->limit_bps >= 0 &&
           f->limit_burst_bytes >= 0;
}

/* What follows struct ioqueue and the policy's own bytes, in this order. */
struct layout {
    size_t groups, flows, slots, won, members, bytes; /* offsets */
};

static struct layout layout_of(const struct ioqueue_cfg *cfg)
{
    const struct ioqueue_class *c = cfg->cls;
    struct layout l;
    /* Members of all trees: held; groups and flows; reservations. */
    size_t n = cfg->n_flows;
    if (c->weighted) n += (size_t)cfg->n_groups + cfg->n_flows;
    if (c->reserves) n += cfg->n_flows;
    l.groups = sizeof(struct ioqueue) + round16(c->queue_bytes);
    l.flows = l.groups + cfg->n_groups * (sizeof(struct ioqueue_group) + round16(c->group_bytes));
    l.slots = l.flows + cfg->n_flows * (sizeof(struct ioqueue_flow) + round16(c->flow_bytes));
    l.won = l.slots + n * sizeof(struct ioqueue_slot);
    l.members = l.won + 2 * n * sizeof(uint32_t);
    l.bytes = round16(l.members + cfg->n_flows * sizeof(uint32_t));
    return l;
}

size_t ioqueue_size(const struct ioqueue_cfg *cfg)
{
    if (!cfg->cls || !cfg->n_flows || !cfg->n_groups) return 0;
    for (uint32_t i = 0; i < cfg->n_flows; i++)
        if (!flow_fits(&cfg->flows[i]) || cfg->flows[i].group >= cfg->n_groups) return 0;
    struct layout l = layout_of(cfg);
    return l.bytes;
}

static void set_weight(struct ioqueue_flow *f, uint32_t weight)
{
    struct ioqueue_group *g = f->group;
    g->sum = g->sum - f->stated + weight;
    g->weight = g->sum ? g->sum : 1;
    f->stated = weight;
    f->weight = weight ? weight : 1;
}

/* Trees take their memory one behind another. */
static void make_tree(struct ioqueue_tree *t, uint32_t n, struct ioqueue_slot **slots, uint32_t **won)
{
    ioqueue_tree_init(t, *slots, *won, n);
    *slots += n;
    *won += 2 * (size_t)n;
}

static void make_groups(struct ioqueue *q, const struct ioqueue_cfg *cfg, uint32_t *members)
{
    uint32_t *rank = members; /* of each group in turn: O(flows + groups) by counting first */
    for (uint32_t i = 0; i < q->n_groups; i++) {
        struct ioqueue_group *g = ioqueue_group_at(q, i);
        g->weight = 1;
        g->id = i;
    }
    for (uint32_t i = 0; i < q->n_flows; i++)
        ioqueue_group_at(q, cfg->flows[i].group)->by_rank.n++;
    for (uint32_t i = 0; i < q->n_groups; i++) {
        struct ioqueue_group *g = ioqueue_group_at(q, i);
        g->members = rank;
        rank += g->by_rank.n;
        g->by_rank.n = 0;
    }
    for (uint32_t i = 0; i < q->n_flows; i++) {
        struct ioqueue_flow *f = ioqueue_flow_at(q, i);
        struct ioqueue_group *g = f->group = ioqueue_group_at(q, cfg->flows[i].group);
        f->id = i;
        f->rank = g->by_rank.n++;
        members[(size_t)(g->members - members) + f->rank] = i;
    }
}

static void make_flow(struct ioqueue_flow *f, const struct ioqueue_flow_cfg *c)
{
    set_weight(f, c->weight);
    f->reservation_u = c->reservation_u;
    bucket_init(&f->limit, c->limit_u, c->limit_bps, c->limit_burst_bytes, 0, 0);
    f->limited = bucket_bounds(&f->limit);
}

struct ioqueue *ioqueue_init(void *block, const struct ioqueue_cfg *cfg)
{
    ASSERT(ioqueue_size(cfg) && (uintptr_t)block % 16 == 0);
    const struct ioqueue_class *c = cfg->cls;
    const struct layout l = layout_of(cfg);
    memset(block, 0, l.bytes);
    struct ioqueue *q = block;
    q->cls = c;
    q->n_groups = cfg->n_groups;
    q->n_flows = cfg->n_flows;
    q->groups = (char *)block + l.groups;
    q->flows = (char *)block + l.flows;
    q->group_stride = (l.flows - l.groups) / q->n_groups;
    q->flow_stride = (l.slots - l.flows) / q->n_flows;
    make_groups(q, cfg, (uint32_t *)((char *)block + l.members));
    struct ioqueue_slot *slots = (struct ioqueue_slot *)((char *)block + l.slots);
    uint32_t *won = (uint32_t *)((char *)block + l.won);
    make_tree(&q->held, q->n_flows, &slots, &won);
    if (c->weighted) make_tree(&q->by_group, q->n_groups, &slots, &won);
    for (uint32_t i = 0; c->weighted && i < q->n_groups; i++) {
        struct ioqueue_tree *t = &ioqueue_group_at(q, i)->by_rank;
        make_tree(t, t->n, &slots, &won);
    }
    if (c->reserves) make_tree(&q->by_flow, q->n_flows, &slots, &won);
    for (uint32_t i = 0; i < q->n_flows; i++)
        make_flow(ioqueue_flow_at(q, i), &cfg->flows[i]);
    if (c->init) c->init(q);
    return q;
}

static bool is_held(const struct ioqueue *q, const struct ioqueue_flow *f)
{
    return ioqueue_tree_in(&q->held, f->id);
}

static void pass(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r)
{
    r->passed = true;
    f->n_passed++;
    q->n_passed++;
    q->cls->add(q, f, r);
}

/* The first of those held back goes on, or the flow waits until it may. */
static void pass_first(struct ioqueue *q, struct ioqueue_flow *f, int64_t now)
{
    struct ioqueue_req *r = f->back.first;
    int64_t ready = bucket_ready_ns(&f->limit);
    if (ready > now) {
        ioqueue_put(q, &q->held, f->id, (unsigned __int128)ready);
        return;
    }
    ioqueue_list_del(&f->back, r);
    f->n_back--;
    q->n_back--;
    if (ready > r->came_ns) r->came_ns = ready; /* `now` may be late */
    pass(q, f, r);
}

void ioqueue_add(struct ioqueue *q, struct ioqueue_req *r, int64_t now)
{
    ASSERT(r->flow < q->n_flows && !r->queued && r->bytes >= 0 && r->cost_ns >= 0);
    struct ioqueue_flow *f = ioqueue_flow_at(q, r->flow);
    r->queued = true;
    r->passed = false;
    r->came_ns = now;
    r->seq = q->seq++;
    if (!f->limited) {
        pass(q, f, r);
        return;
    }
    if (!f->n_passed && !f->n_back) bucket_rest(&f->limit, now);
    ioqueue_list_add(&f->back, r);
    f->n_back++;
    q->n_back++;
    if (!f->n_passed && !is_held(q, f)) pass_first(q, f, now);
}

/* When the first of those held back may go on. */
static int64_t first_held(const struct ioqueue *q)
{
    unsigned __int128 key = q->held.slot[ioqueue_tree_first(&q->held)].key;
    return key == IOQUEUE_OUT ? IOQUEUE_FOREVER : (int64_t)key;
}

struct ioqueue_req *ioqueue_next(struct ioqueue *q, int64_t now, int64_t *again_ns)
{
    while (q->n_back && first_held(q) <= now) {
        struct ioqueue_flow *f = ioqueue_flow_at(q, ioqueue_tree_first(&q->held));
        ioqueue_tree_out(&q->held, f->id);
        pass_first(q, f, now);
    }
    if (!q->n_passed) {
        *again_ns = first_held(q);
        return NULL;
    }
    struct ioqueue_req *r = q->cls->take(q, now);
    struct ioqueue_flow *f = ioqueue_flow_at(q, r->flow);
    r->queued = false;
    f->n_passed--;
    q->n_passed--;
    if (f->limited) {
        bucket_pass(&f->limit, r->bytes, now);
        if (f->back.first && !f->n_passed) pass_first(q, f, now);
    }
    return r;
}

void ioqueue_served(struct ioqueue *q, const struct ioqueue_req *r, int64_t cost_ns)
{
    if (q->cls->served && cost_ns != r->cost_ns)
        q->cls->served(q, ioqueue_flow_at(q, r->flow), cost_ns - r->cost_ns);
}

void ioqueue_drop(struct ioqueue *q, struct ioqueue_req *r, int64_t now)
{
    struct ioqueue_flow *f = ioqueue_flow_at(q, r->flow);
    ASSERT(r->queued);
    r->queued = false;
    if (r->passed) {
        q->cls->drop(q, f, r);
        f->n_passed--;
        q->n_passed--;
        if (f->back.first && !f->n_passed) pass_first(q, f, now);
        return;
    }
    ioqueue_list_del(&f->back, r);
    f->n_back--;
    q->n_back--;
    if (!f->n_back) ioqueue_tree_out(&q->held, f->id);
}

/* Requests that the policy has already are let through, but count in the new limit. */
static void set_limit(struct ioqueue *q, struct ioqueue_flow *f, const struct ioqueue_flow_cfg *c,
                      int64_t now)
{
    ioqueue_tree_out(&q->held, f->id);
    bucket_set(&f->limit, c->limit_u, c->limit_bps, c->limit_burst_bytes, 0, now);
    f->limited = bucket_bounds(&f->limit);
    while (f->back.first && !is_held(q, f) && (!f->n_passed || !f->limited))
        pass_first(q, f, now);
}

void ioqueue_set(struct ioqueue *q, uint32_t flow, const struct ioqueue_flow_cfg *cfg, int64_t now)
{
    ASSERT(flow < q->n_flows && flow_fits(cfg));
    struct ioqueue_flow *f = ioqueue_flow_at(q, flow);
    set_weight(f, cfg->weight);
    f->reservation_u = cfg->reservation_u;
    if (q->cls->set) q->cls->set(q, f, now);
    set_limit(q, f, cfg, now);
}

uint64_t ioqueue_waiting(const struct ioqueue *q)
{
    return q->n_passed + q->n_back;
}

uint64_t ioqueue_flow_waiting(const struct ioqueue *q, uint32_t flow)
{
    const struct ioqueue_flow *f = ioqueue_flow_at(q, flow);
    return f->n_passed + f->n_back;
}
