// SPDX-License-Identifier: GPL-3.0-or-later
#include <endian.h>
#include <string.h>

#include "policy/reclaim_list.h"

/* One pool: the ring is the frames in the order of their numbers, and their bits say all: 0 present, 1
 * referred to, ABSENT. pools[0] is the hand; how many are present stands behind it. Several pools: each ring
 * is a list whose own node stands where its end is; the hand is a frame of it, or that node. */
enum { ABSENT = 2 };

static size_t bytes(uint32_t n_frames, uint32_t n_pools)
{
    if (n_pools == 1) return 2 * sizeof(uint32_t) + n_frames;
    return n_pools * sizeof(uint32_t) + reclaim_list_bytes(n_frames, n_pools) + n_frames;
}

static void init(struct reclaim *r)
{
    r->pools = (uint32_t *)(void *)(r + 1);
    if (r->n_pools == 1) {
        r->referenced = (uint8_t *)(r->pools + 2);
        for (uint32_t f = 0; f < r->n_frames; f++)
            r->referenced[f] = ABSENT;
        return;
    }
    r->referenced = reclaim_list_init(r, r->pools + r->n_pools);
    for (uint32_t p = 0; p < r->n_pools; p++)
        r->pools[p] = r->n_frames + p;
}

static void insert(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    r->referenced[frame] = 0;
    if (r->n_pools == 1)
        r->pools[1]++;
    else
        reclaim_list_before(r, r->pools[pool], frame);
}

static void leave(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    if (r->n_pools == 1) {
        r->referenced[frame] = ABSENT;
        r->pools[1]--;
        return;
    }
    if (r->pools[pool] == frame) r->pools[pool] = r->a[frame];
    reclaim_list_unlink(r, frame);
}

/* Eight frames at a time: whether the next one is taken is anybody's guess, and a branch on it costs more
 * than all the rest. Of `clear` the lowest bit is the top one of the first byte that is 0 (what is above it
 * may be wrong by a borrow); the bytes before it lose their bit of being referred to. */
static uint32_t in_order(struct reclaim *r)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint8_t *bits = r->referenced;
    uint32_t f = r->pools[0], n = r->n_frames;
    if (r->pools[1] == 0) return RECLAIM_NONE;
    for (;;) {
        uint64_t eight, clear;
        if (n - f >= 8) {
            memcpy(&eight, bits + f, 8);
            eight = le64toh(eight);
            clear = (eight - ones) & ~eight & ones << 7;
            uint64_t before = clear ? (clear & -clear) - 1 : UINT64_MAX;
            eight = htole64(eight & ~(ones & before));
            memcpy(bits + f, &eight, 8);
            if (clear) {
                f += (uint32_t)__builtin_ctzll(clear) / 8;
                break;
            }
            f += 8;
        } else {
            if (bits[f] == 0) break;
            bits[f] &= ABSENT;
            f++;
        }
        if (f == n) f = 0;
    }
    r->pools[0] = f + 1 == n ? 0 : f + 1;
    r->pools[1]--;
    bits[f] = ABSENT;
    return f;
}

static uint32_t victim(struct reclaim *r, uint32_t pool, struct rng *rng)
{
    (void)rng;
    if (r->n_pools == 1) return in_order(r);
    uint32_t own = r->n_frames + pool, f = r->pools[pool];
    if (r->a[own] == own) return RECLAIM_NONE;
    for (;; f = r->a[f]) {
        if (f == own) continue;
        if (!r->referenced[f]) break;
        r->referenced[f] = 0;
    }
    r->pools[pool] = r->a[f];
    reclaim_list_unlink(r, f);
    return f;
}

const struct reclaim_class reclaim_clock = {
    .name = "clock",
    .bytes = bytes,
    .init = init,
    .insert = insert,
    .remove = leave,
    .victim = victim,
};
