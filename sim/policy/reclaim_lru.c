// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/reclaim_list.h"

static void touch(struct reclaim *r, uint32_t pool, uint32_t frame)
{
    if (r->a[frame] == r->n_frames + pool) return; /* the last already */
    reclaim_list_unlink(r, frame);
    reclaim_list_append(r, pool, frame);
}

const struct reclaim_class reclaim_lru = {
    .name = "lru",
    .bytes = reclaim_list_bytes,
    .init = reclaim_list_begin,
    .insert = reclaim_list_append,
    .touch = touch,
    .remove = reclaim_list_remove,
    .victim = reclaim_list_take_first,
    .ordered = true,
};
