// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "base/assert.h"
#include "policy/reclaim.h"

static const struct reclaim_class *const table[] = {&reclaim_lru, &reclaim_fifo, &reclaim_second,
                                                    &reclaim_clock, &reclaim_random};

const struct reclaim_class *reclaim_at(size_t i)
{
    return i < sizeof table / sizeof *table ? table[i] : NULL;
}

const struct reclaim_class *reclaim_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i]->name, name) == 0) return table[i];
    return NULL;
}

size_t reclaim_size(const struct reclaim_class *cls, uint32_t n_frames, uint32_t n_pools)
{
    ASSERT(n_frames >= 1 && n_frames <= RECLAIM_MAX_FRAMES && n_pools >= 1 && n_pools <= RECLAIM_MAX_POOLS);
    return sizeof(struct reclaim) + cls->bytes(n_frames, n_pools);
}

struct reclaim *reclaim_init(void *block, const struct reclaim_class *cls, uint32_t n_frames,
                             uint32_t n_pools)
{
    ASSERT((uintptr_t)block % 8 == 0);
    memset(block, 0, reclaim_size(cls, n_frames, n_pools));
    struct reclaim *r = block;
    *r = (struct reclaim){.cls = cls, .n_frames = n_frames, .n_pools = n_pools};
    cls->init(r);
    return r;
}
