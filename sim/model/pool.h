// SPDX-License-Identifier: GPL-3.0-or-later
/* pool.h - where the bytes of a device's volumes come from, and how many are given out.
 *
 * Space is given out in whole grains: to a thin volume when it first writes there, to a thick one all at once
 * when it is attached. Several volumes may share a grain (snapshots, linked clones): it is free again when
 * the last reference to it is dropped. Until then it is on the account of the volume that took it, even when
 * that volume is gone; so at any time
 *
 *     given + beside = sum over accounts of owned
 *
 * A thick volume's grains lie side by side and are numbered apart (POOL_BESIDE), so that they need no map. A
 * pool of no stated size is never full. Counts are of grains, sizes in bytes. Nothing here waits or takes
 * time: who finds no room is for the caller (disk_space.c). What it leaves out: fragmentation, and the pool's
 * own metadata. Take, ref and drop are O(1); memory grows by doubling, 8 B a grain of
 * those that are counted one by one. */
#ifndef VLAB_MODEL_POOL_H
#define VLAB_MODEL_POOL_H

#include <stdbool.h>
#include <stdint.h>

#define POOL_BESIDE   (UINT32_C(1) << 31) /* in a grain's number: it was a thick volume's */
#define POOL_MOST     (POOL_BESIDE - 2)   /* grains of either kind that can be counted one by one */
#define POOL_NOBODY   UINT32_MAX
#define POOL_NO_BOUND UINT64_MAX
#define POOL_THIN_AT  (INT64_C(1) << 62) /* places of thin volumes' grains begin here, thick ones' at 0 */

struct pool_grain {
    uint32_t refs;  /* 0: free */
    uint32_t owner; /* account; of a free one the next free, POOL_NOBODY: none */
};

struct pool_list {
    struct pool_grain *v;
    uint32_t n, room; /* numbers used so far, and what v has room for */
    uint32_t free;
};

struct pool_region { /* a thick volume whose grains are counted one by one */
    uint32_t first, n;
    int64_t place;
};

struct pool_account {
    uint64_t owned;
    uint32_t next; /* closed: the next one that is */
    bool moved;    /* in the list of those whose `owned` changed */
    bool closes;   /* once it owns nothing */
};

struct pool {
    int64_t grain_bytes;
    uint64_t cap;           /* grains; POOL_NO_BOUND */
    uint64_t given, beside; /* in use: one by one, and of thick volumes */
    int64_t next_place;     /* where the next thick volume will lie */
    struct pool_list in, out;
    struct pool_region *regions; /* by first */
    uint32_t n_regions, room_regions;
    struct pool_account *accounts;
    uint32_t n_accounts, room_accounts, closed; /* the first that is to be used again; POOL_NOBODY */
    uint32_t *moved; /* accounts that changed since they were last looked at; room for all */
    uint32_t n_moved;
};

/* pool_bytes 0: no bound. */
void pool_init(struct pool *p, int64_t pool_bytes, int64_t grain_bytes);
void pool_done(struct pool *p);
/* Another `bytes`, in whole grains. */
void pool_grow(struct pool *p, int64_t bytes);
/* A new account, owning nothing. */
uint32_t pool_open(struct pool *p);
/* Its volume is no more. What it still owns (others share it) stays on it; when it owns nothing, and that has
 * been told (pool_moved), it will be used again. */
void pool_close(struct pool *p, uint32_t account);
static inline bool pool_has(const struct pool *p, uint64_t n)
{
    return p->given + p->beside + n <= p->cap;
}
/* A grain with one reference, on that account. Taken though the pool be full: ask pool_has first. */
uint32_t pool_take(struct pool *p, uint32_t account);
/* n grains side by side; there must be room. Returns the place of the first. Their references are not counted
 * one by one until pool_detail. Not counted: the place alone, they take no space yet. */
int64_t pool_reserve(struct pool *p, uint64_t n, uint32_t account, bool counted);
/* From now on the n grains at `place` have numbers, the first of which is returned, and one reference each.
 */
uint32_t pool_detail(struct pool *p, int64_t place, uint32_t n, uint32_t account, bool counted);
/* Gives back a reservation that was never detailed. */
void pool_unreserve(struct pool *p, uint64_t n, uint32_t account);
/* Where a grain lies on the device, in bytes. */
int64_t pool_place(const struct pool *p, uint32_t grain);
void pool_ref(struct pool *p, uint32_t grain);
/* Drops a reference; true: it was the last, the grain is free. */
bool pool_drop(struct pool *p, uint32_t grain);
uint32_t pool_refs(const struct pool *p, uint32_t grain);
static inline int64_t pool_allocated(const struct pool *p)
{
    return (int64_t)(p->given + p->beside) * p->grain_bytes;
}
static inline int64_t pool_owned(const struct pool *p, uint32_t account)
{
    return (int64_t)p->accounts[account].owned * p->grain_bytes;
}
/* An account that changed since it was last returned; POOL_NOBODY: none is left. */
uint32_t pool_moved(struct pool *p);

#endif
