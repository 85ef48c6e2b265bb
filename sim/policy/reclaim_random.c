// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/reclaim.h"

/* A pool is a complete binary tree: its members have the places 1 .. n in it, place 2i and 2i + 1 under place
 * i, and the bits of a place after its first say the way down from the root. Pools of any size share the
 * arrays so, where tables of members would each need room for all. Links are frames + 1, 0 is none. */
static size_t bytes(uint32_t n_frames, uint32_t n_pools)
{
    return sizeof(uint32_t) * (3 * (size_t)n_frames + 2 * (size_t)n_pools);
}

static void init(struct reclaim *r)
{
    r->pools = (uint32_t *)(void *)(r + 1); /* roots, then how many members */
    r->a = r->pools + 2 * (size_t)r->n_pools;
    r->b = r->a + r->n_frames;
    r->c = r->b + r->n_frames; /* places */
}

/* The link that holds, or would hold, the member at a place. */
static uint32_t *link_of(struct reclaim *r, uint32_t pool, uint32_t place)
{
    uint32_t *link = &r->pools[pool];
    for (int bit = 30 - __builtin_clz(place); bit >= 0; bit--)
        link = (place >> bit & 1 ? r->b : r->a) + (*link - 1);
    return link;
}

static void insert(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    uint32_t place = ++r->pools[r->n_pools + pool];
    *link_of(r, pool, place) = frame + 1;
    r->a[frame] = r->b[frame] = 0;
    r->c[frame] = place;
}

/* The last member takes the place of the one that leaves. */
static void leave(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    uint32_t *link = link_of(r, pool, r->pools[r->n_pools + pool]--);
    uint32_t last = *link - 1;
    *link = 0;
    if (last == frame) return;
    *link_of(r, pool, r->c[frame]) = last + 1;
    r->a[last] = r->a[frame];
    r->b[last] = r->b[frame];
    r->c[last] = r->c[frame];
}

static uint32_t victim(struct reclaim *r, uint32_t pool, struct rng *rng)
{
    uint32_t n = r->pools[r->n_pools + pool];
    if (n == 0) return RECLAIM_NONE;
    uint64_t product = (uint64_t)rng_u32(rng) * n;
    if ((uint32_t)product < n) /* each exactly as likely (Lemire 2019) */
        for (uint32_t least = -n % n; (uint32_t)product < least;)
            product = (uint64_t)rng_u32(rng) * n;
    uint32_t frame = *link_of(r, pool, (uint32_t)(product >> 32) + 1) - 1;
    leave(r, pool, frame);
    return frame;
}

const struct reclaim_class reclaim_random = {
    .name = "random",
    .bytes = bytes,
    .init = init,
    .insert = insert,
    .remove = leave,
    .victim = victim,
};
