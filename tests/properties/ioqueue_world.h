// SPDX-License-Identifier: GPL-3.0-or-later
/* ioqueue_world.h - a device that serves one request after another, and flows that ask it: for tests of what
 * an I/O queue gives whom. A flow keeps `depth` requests out (closed loop), or asks every `every_ns` (open
 * loop). */
#ifndef VLAB_TESTS_IOQUEUE_WORLD_H
#define VLAB_TESTS_IOQUEUE_WORLD_H

#include <stdlib.h>

#include "base/rng.h"
#include "policy/ioqueue.h"

enum { IOW_FLOWS = 16, IOW_REQS = 4096 };
#define IOW_S INT64_C(1000000000)

struct iow_flow {
    struct ioqueue_flow_cfg cfg;
    uint32_t depth;
    int64_t every_ns;
    int64_t bytes, cost_ns; /* of each request, or up to twice that where the world varies them */
    int64_t at_ns;          /* open loop: the next arrival */
    uint64_t ops;           /* begun */
    int64_t done_bytes, done_cost_ns;
    int64_t last_ns; /* the last one begun */
};

struct iow {
    struct iow_flow f[IOW_FLOWS];
    uint32_t n, n_groups;
    const char *cls;
    bool vary;       /* sizes and costs between 0 and twice the mean */
    bool unknown;    /* the cost is told to the queue only when it has been served */
    int64_t late_ns; /* the device asks up to so much late */
    int64_t span;    /* of positions; 0: 2^40 */
    int64_t now;
    struct rng rng;
    struct ioqueue *q;
    struct ioqueue_req *free, *pool;
    int64_t busy_ns;
    void (*look)(struct iow *w, const struct ioqueue_req *r, int64_t cost_ns); /* after each */
    void *ctx;
};

static inline int64_t iow_below(struct iow *w, int64_t n)
{
    return n > 0 ? (int64_t)(((uint64_t)rng_u32(&w->rng) << 31 ^ rng_u32(&w->rng)) % (uint64_t)n) : 0;
}

static inline void iow_ask(struct iow *w, uint32_t flow)
{
    struct iow_flow *f = &w->f[flow];
    struct ioqueue_req *r = w->free;
    if (!r) abort();
    w->free = r->next;
    *r = (struct ioqueue_req){.flow = flow, .bytes = f->bytes, .cost_ns = f->cost_ns};
    if (w->vary) {
        int64_t part = iow_below(w, 2001);
        r->bytes = f->bytes * part / 1000;
        r->cost_ns = f->cost_ns * part / 1000;
    }
    r->position = iow_below(w, w->span ? w->span : INT64_C(1) << 40);
    r->write = iow_below(w, 2);
    ioqueue_add(w->q, r, w->now);
}

static inline void iow_begin(struct iow *w, uint64_t seed)
{
    struct ioqueue_flow_cfg flows[IOW_FLOWS];
    struct ioqueue_cfg cfg = {.cls = ioqueue_class_find(w->cls),
                              .n_flows = w->n,
                              .n_groups = w->n_groups ? w->n_groups : 1,
                              .flows = flows};
    for (uint32_t i = 0; i < w->n; i++)
        flows[i] = w->f[i].cfg;
    size_t bytes = ioqueue_size(&cfg);
    if (!bytes) abort();
    w->q = ioqueue_init(aligned_alloc(16, bytes), &cfg);
    w->pool = calloc(IOW_REQS, sizeof *w->pool);
    w->free = NULL;
    for (uint32_t i = 0; i < IOW_REQS; i++) {
        w->pool[i].next = w->free;
        w->free = &w->pool[i];
    }
    w->rng = (struct rng){rng_mix(seed), 2 * seed + 1};
    for (uint32_t i = 0; i < w->n; i++)
        for (uint32_t k = 0; k < w->f[i].depth; k++)
            iow_ask(w, i);
}

static inline int64_t iow_arrivals(struct iow *w)
{
    int64_t next = IOQUEUE_FOREVER;
    for (uint32_t i = 0; i < w->n; i++) {
        struct iow_flow *f = &w->f[i];
        if (!f->every_ns) continue;
        for (; f->at_ns <= w->now; f->at_ns += f->every_ns)
            iow_ask(w, i);
        if (f->at_ns < next) next = f->at_ns;
    }
    return next;
}

/* Up to `until`; a request that begins before it is counted. */
static inline void iow_run(struct iow *w, int64_t until)
{
    while (w->now < until) {
        int64_t arrival = iow_arrivals(w), again;
        struct ioqueue_req *r = ioqueue_next(w->q, w->now, &again);
        if (!r) {
            if (again <= w->now) abort();
            w->now = again < arrival ? again : arrival;
            if (w->late_ns && again < arrival) w->now += iow_below(w, w->late_ns);
            continue;
        }
        struct iow_flow *f = &w->f[r->flow];
        int64_t cost = r->cost_ns;
        if (w->unknown) {
            cost = 1 + iow_below(w, 2 * f->cost_ns);
            ioqueue_served(w->q, r, cost);
        }
        f->ops++;
        f->done_bytes += r->bytes;
        f->done_cost_ns += cost;
        f->last_ns = w->now;
        w->busy_ns += cost;
        if (w->look) w->look(w, r, cost);
        w->now += cost;
        if (w->late_ns) w->now += iow_below(w, w->late_ns);
        uint32_t flow = r->flow;
        r->next = w->free;
        w->free = r;
        if (f->depth) iow_ask(w, flow);
    }
}

static inline double iow_rate(const struct iow *w, uint32_t i)
{
    return (double)w->f[i].ops * 1e9 / (double)w->now;
}

static inline void iow_end(struct iow *w)
{
    free(w->q); /* the block begins with it */
    free(w->pool);
}

#endif
