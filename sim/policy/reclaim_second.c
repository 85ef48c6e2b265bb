// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/reclaim_list.h"

static size_t bytes(uint32_t n_frames, uint32_t n_pools)
{
    return reclaim_list_bytes(n_frames, n_pools) + n_frames;
}

static void init(struct reclaim *r)
{
    r->referenced = reclaim_list_init(r, r + 1);
}

static void insert(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    r->referenced[frame] = 0;
    reclaim_list_append(r, pool, frame);
}

/* Each turn clears a bit that a reference has set: as many turns as references, at most. */
static uint32_t victim(struct reclaim *r, uint32_t pool, struct rng *rng)
{
    (void)rng;
    for (uint32_t f; (f = reclaim_list_first(r, pool)) != RECLAIM_NONE;) {
        reclaim_list_unlink(r, f);
        if (!r->referenced[f]) return f;
        r->referenced[f] = 0;
        reclaim_list_append(r, pool, f);
    }
    return RECLAIM_NONE;
}

const struct reclaim_class reclaim_second = {
    .name = "second-chance",
    .bytes = bytes,
    .init = init,
    .insert = insert,
    .remove = reclaim_list_remove,
    .victim = victim,
};
