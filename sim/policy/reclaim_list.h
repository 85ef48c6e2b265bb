// SPDX-License-Identifier: GPL-3.0-or-later
/* reclaim_list.h - the queues under lru, fifo, second-chance and clock's linked ring: doubly linked lists of
 * frames, one a pool, in two arrays. A pool's list is a ring through a node of its own, number n_frames +
 * pool, so that no link is ever missing; r->a holds the next, r->b the one before. */
#ifndef VLAB_POLICY_RECLAIM_LIST_H
#define VLAB_POLICY_RECLAIM_LIST_H

#include "policy/reclaim.h"

static inline size_t reclaim_list_bytes(uint32_t n_frames, uint32_t n_pools)
{
    return 2 * sizeof(uint32_t) * ((size_t)n_frames + n_pools);
}

/* Lays the lists at `at`; returns what follows them. */
static inline void *reclaim_list_init(struct reclaim *r, void *at)
{
    size_t n = (size_t)r->n_frames + r->n_pools;
    r->a = at;
    r->b = r->a + n;
    for (uint32_t i = r->n_frames; i < n; i++)
        r->a[i] = r->b[i] = i;
    return r->b + n;
}

static inline uint32_t reclaim_list_first(const struct reclaim *r, uint32_t pool)
{
    uint32_t f = r->a[r->n_frames + pool];
    return f < r->n_frames ? f : RECLAIM_NONE;
}

/* Right before `node`, a frame or a pool's own node: before the latter is the end. */
static inline void reclaim_list_before(struct reclaim *r, uint32_t node, uint32_t frame)
{
    uint32_t prev = r->b[node];
    r->a[frame] = node;
    r->b[frame] = prev;
    r->a[prev] = r->b[node] = frame;
}

static inline void reclaim_list_append(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    reclaim_list_before(r, r->n_frames + pool, frame);
}

static inline void reclaim_list_unlink(struct reclaim *r, uint32_t frame)
{
    uint32_t next = r->a[frame], prev = r->b[frame];
    r->a[prev] = next;
    r->b[next] = prev;
}

/* What of a class is the same wherever the order in its lists is all it knows. */
static inline void reclaim_list_begin(struct reclaim *r)
{
    reclaim_list_init(r, r + 1);
}

static inline void reclaim_list_remove(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    (void)pool;
    reclaim_list_unlink(r, frame);
}

static inline uint32_t reclaim_list_take_first(struct reclaim *r, uint32_t pool, struct rng *rng)
{
    (void)rng;
    uint32_t f = reclaim_list_first(r, pool);
    if (f != RECLAIM_NONE) reclaim_list_unlink(r, f);
    return f;
}

#endif
