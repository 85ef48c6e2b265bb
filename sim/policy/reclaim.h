// SPDX-License-Identifier: GPL-3.0-or-later
/* reclaim.h - which page leaves memory: replacement policies over pools of page frames.
 *
 * A host's frames are numbered 0 .. n-1. A frame that holds a page which may be taken stands in one pool:
 * there is one pool (replacement over the host), or one a VM. A policy is told when a frame comes in, when
 * its page is referred to, when it leaves otherwise, and is asked for a victim, which leaves the pool.
 *
 *   lru            the page whose last reference is longest ago (exact order)
 *   fifo           the page that came first; references do not count
 *   second-chance  fifo, but a page referred to since it was last looked at goes to the queue's end instead
 *   clock          the same decisions without moving anything: a hand goes round a ring of frames and clears
 *                  reference bits until it finds one that is clear (Corbato 1968)
 *   random         each page of the pool as likely, from the caller's stream
 *
 * Where a victim's frame is not filled again at once, or frames leave otherwise, clock and second-chance
 * differ: over the host a frame keeps its place in clock's ring whatever it holds, and a queue forgets it.
 * With one pool a VM clock's ring is linked, and a new frame comes right behind the hand.
 *
 * Pure: no clock, no engine, no malloc. The state is one block that the caller owns, `struct reclaim` at its
 * beginning. insert, touch and remove are O(1), victim is O(1) amortised; random's are O(log n).
 * Bytes a frame: lru and fifo 8, second-chance 9, clock 1 (several pools: 9), random 12; 8 to 12 a pool. */
#ifndef VLAB_POLICY_RECLAIM_H
#define VLAB_POLICY_RECLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

#define RECLAIM_NONE       UINT32_MAX
#define RECLAIM_MAX_FRAMES (UINT32_C(1) << 30)
#define RECLAIM_MAX_POOLS  (UINT32_C(1) << 24)

struct reclaim;

struct reclaim_class {
    const char *name;
    size_t (*bytes)(uint32_t n_frames, uint32_t n_pools); /* after the head */
    void (*init)(struct reclaim *r);                      /* the bytes are all 0 */
    void (*insert)(struct reclaim *r, uint32_t pool, uint32_t frame);
    void (*touch)(struct reclaim *r, uint32_t pool, uint32_t frame); /* NULL: nothing, or a reference bit */
    void (*remove)(struct reclaim *r, uint32_t pool, uint32_t frame);
    uint32_t (*victim)(struct reclaim *r, uint32_t pool, struct rng *rng);
    bool ordered; /* the order of references to different pages counts, not only that they were made */
};

/* What every policy's block begins with; the arrays are the policy's own. */
struct reclaim {
    const struct reclaim_class *cls;
    uint8_t *referenced; /* [n_frames] a touch sets it; NULL: this policy has no reference bits */
    uint32_t *a, *b, *c; /* [n_frames + n_pools] or [n_frames], as the policy says */
    uint32_t *pools;     /* [n_pools] */
    uint32_t n_frames, n_pools;
};

/* The policy of that name, NULL: there is none. */
const struct reclaim_class *reclaim_find(const char *name);
const struct reclaim_class *reclaim_at(size_t i); /* in the order above; NULL: no more */

/* Bytes of the block, which must be aligned to 8. */
size_t reclaim_size(const struct reclaim_class *cls, uint32_t n_frames, uint32_t n_pools);
/* No frame is in a pool yet. */
struct reclaim *reclaim_init(void *block, const struct reclaim_class *cls, uint32_t n_frames,
                             uint32_t n_pools);

/* The frame, in no pool so far, comes into this one, not referred to yet. */
static inline void reclaim_insert(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    r->cls->insert(r, pool, frame);
}
/* Its page was referred to. With reference bits this is one store. */
static inline void reclaim_touch(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    if (r->referenced)
        r->referenced[frame] = 1;
    else if (r->cls->touch)
        r->cls->touch(r, pool, frame);
}
/* It leaves the pool for a reason of the caller's. */
static inline void reclaim_remove(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    r->cls->remove(r, pool, frame);
}
/* Who leaves; it is in no pool then. RECLAIM_NONE: the pool is empty. The stream is drawn from by random
 * alone. */
static inline uint32_t reclaim_victim(struct reclaim *r, uint32_t pool, struct rng *rng)
{
    return r->cls->victim(r, pool, rng);
}

extern const struct reclaim_class reclaim_lru, reclaim_clock, reclaim_fifo, reclaim_random, reclaim_second;

#endif
