// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/tlb.h"

#include <stdlib.h>

#include "base/assert.h"

struct tlb *tlb_new(uint32_t entries)
{
    struct tlb *t = calloc(1, sizeof *t + sizeof t->tags[0] * entries);
    ASSERT(t && entries >= 1);
    t->sets = entries < 8 ? 1 : entries / 4;
    t->ways = entries / t->sets;
    t->more = entries % t->sets;
    t->inverse = UINT64_MAX / t->sets + 1; /* of one set 0, and so is every remainder */
    return t;
}

/* Moves the ways before this one one further. */
static inline void to_front(uint32_t *tags, uint32_t way, uint32_t tag)
{
    for (; way > 0; way--)
        tags[way] = tags[way - 1];
    tags[0] = tag;
}

/* Four ways, which is what nearly every set has, with nothing to count. */
static inline bool miss_of_4(uint32_t *tags, uint32_t tag)
{
    uint32_t first = tags[0], second = tags[1], third = tags[2], last = tags[3];
    if (first == tag) return false;
    tags[0] = tag;
    tags[1] = first;
    if (second == tag) return false;
    tags[2] = second;
    if (third == tag) return false;
    tags[3] = third;
    return last != tag;
}

bool tlb_miss(struct tlb *t, uint32_t page)
{
    /* The remainder by a multiplication, exact for 32 bits (Lemire, Kaser and Kurz 2019). */
    uint32_t set = (uint32_t)((unsigned __int128)(t->inverse * page) * t->sets >> 64), tag = page + 1;
    if (set >= t->more && t->ways == 4) return miss_of_4(t->tags + 4 * set + t->more, tag);
    uint32_t ways = t->ways + (set < t->more), way = 0;
    uint32_t *tags = t->tags + set * t->ways + (set < t->more ? set : t->more);
    while (way < ways - 1 && tags[way] != tag)
        way++;
    bool miss = tags[way] != tag;
    to_front(tags, way, tag);
    return miss;
}
