// SPDX-License-Identifier: GPL-3.0-or-later
/* The frame: flows, their limits, and who is held back by them.
 *
 * Rules that hold after every call:
 *   - a request is with the policy (passed), or in its flow's list `back`, and there only if the flow has a
 * limit;
 *   - a flow with somebody in `back` has a request with the policy, or stands in q->held by the time when its
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

size_t ioqueue_size(const struct ioqueue_cfg *cfg)
{
    if (!cfg->cls || !cfg->n_flows || !cfg->n_groups) return 0;
    for (uint32_t i = 0; i < cfg->n_flows; i++)
        if (!flow_fits(&cfg->flows[i]) || cfg->flows[i].group >= cfg->n_groups) return 0;
    return sizeof(struct ioqueue) + round16(cfg->cls->queue_bytes) +
           cfg->n_groups * (sizeof(struct ioqueue_group) + round16(cfg->cls->group_bytes)) +
           cfg->n_flows * (sizeof(struct ioqueue_flow) + round16(cfg->cls->flow_bytes));
}

static void set_weight(struct ioqueue_flow *f, uint32_t weight)
{
    struct ioqueue_group *g = f->group;
    g->sum = g->sum - f->stated + weight;
    g->weight = g->sum ? g->sum : 1;
    f->stated = weight;
    f->weight = weight ? weight : 1;
}

struct ioqueue *ioqueue_init(void *block, const struct ioqueue_cfg *cfg)
{
    size_t bytes = ioqueue_size(cfg);
    ASSERT(bytes && (uintptr_t)block % 16 == 0);
    memset(block, 0, bytes);
    struct ioqueue *q = block;
    q->cls = cfg->cls;
    q->n_groups = cfg->n_groups;
    q->n_flows = cfg->n_flows;
    q->group_stride = sizeof(struct ioqueue_group) + round16(cfg->cls->group_bytes);
    q->flow_stride = sizeof(struct ioqueue_flow) + round16(cfg->cls->flow_bytes);
    q->groups = (char *)(q + 1) + round16(cfg->cls->queue_bytes);
    q->flows = q->groups + q->n_groups * q->group_stride;
    for (uint32_t i = 0; i < q->n_groups; i++)
        ioqueue_group_at(q, i)->weight = 1;
    for (uint32_t i = 0; i < q->n_flows; i++) {
        const struct ioqueue_flow_cfg *c = &cfg->flows[i];
        struct ioqueue_flow *f = ioqueue_flow_at(q, i);
        f->group = ioqueue_group_at(q, c->group);
        set_weight(f, c->weight);
        f->reservation_u = c->reservation_u;
        bucket_init(&f->limit, c->limit_u, c->limit_bps, c->limit_burst_bytes, 0, 0);
        f->limited = bucket_bounds(&f->limit);
    }
    if (q->cls->init) q->cls->init(q);
    return q;
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
        f->held = true;
        ioqueue_turn(q, &q->held, &f->hold, (unsigned __int128)ready);
        return;
    }
    ioqueue_list_del(&f->back, r);
    f->n_back--;
    q->n_back--;
    if (ready > r->came_ns) r->came_ns = ready; /* `now` may be late */
    pass(q, f, r);
}

static void unhold(struct ioqueue *q, struct ioqueue_flow *f)
{
    ioqueue_heap_del(&q->held, &f->hold);
    f->held = false;
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
    if (!f->n_passed && !f->held) pass_first(q, f, now);
}

static struct ioqueue_flow *first_held(const struct ioqueue *q)
{
    return (struct ioqueue_flow *)((char *)q->held - offsetof(struct ioqueue_flow, hold));
}

struct ioqueue_req *ioqueue_next(struct ioqueue *q, int64_t now, int64_t *again_ns)
{
    while (q->held && q->held->key <= (unsigned __int128)now) {
        struct ioqueue_flow *f = first_held(q);
        unhold(q, f);
        pass_first(q, f, now);
    }
    if (!q->n_passed) {
        *again_ns = q->held ? (int64_t)q->held->key : IOQUEUE_FOREVER;
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
    if (!f->n_back && f->held) unhold(q, f);
}

/* Requests that the policy has already are let through, but count in the new limit. */
static void set_limit(struct ioqueue *q, struct ioqueue_flow *f, const struct ioqueue_flow_cfg *c,
                      int64_t now)
{
    if (f->held) unhold(q, f);
    bucket_set(&f->limit, c->limit_u, c->limit_bps, c->limit_burst_bytes, 0, now);
    f->limited = bucket_bounds(&f->limit);
    while (f->back.first && !f->held && (!f->n_passed || !f->limited))
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
