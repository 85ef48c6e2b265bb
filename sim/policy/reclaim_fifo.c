// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/reclaim_list.h"

static void init(struct reclaim *r)
{
    reclaim_list_init(r, r + 1);
}

static void leave(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    (void)pool;
    reclaim_list_unlink(r, frame);
}

static uint32_t victim(struct reclaim *r, uint32_t pool, struct rng *rng)
{
    (void)rng;
    uint32_t f = reclaim_list_first(r, pool);
    if (f != RECLAIM_NONE) reclaim_list_unlink(r, f);
    return f;
}

const struct reclaim_class reclaim_fifo = {
    .name = "fifo",
    .bytes = reclaim_list_bytes,
    .init = init,
    .insert = reclaim_list_append,
    .remove = leave,
    .victim = victim,
};
