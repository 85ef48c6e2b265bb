// SPDX-License-Identifier: GPL-3.0-or-later
#include "program/prog_disk.h"

int64_t prog_disk_anywhere(struct rng *r, int64_t size, int64_t amount)
{
    uint64_t n = (uint64_t)(size / amount), x = (uint64_t)rng_u32(r) << 32;
    x |= rng_u32(r);
    return (int64_t)(((unsigned __int128)x * n) >> 64) * amount;
}

int64_t prog_disk_aim(uint64_t key, const struct prog_task *t, const struct prog_act *act, int64_t size,
                      int64_t next, struct rng *rng, int64_t *at)
{
    int64_t len = act->amount < size ? act->amount : size;
    *rng = rng_at(key + act->pc * UINT64_C(0x9e3779b97f4a7c15), t->task, t->iter);
    if (act->step->flags & PROG_SEQUENTIAL)
        *at = next + len <= size ? next : 0;
    else
        *at = prog_disk_anywhere(rng, size, len);
    return len;
}
