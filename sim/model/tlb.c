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
    return t;
}

bool tlb_miss(struct tlb *t, uint32_t page)
{
    uint32_t set = page % t->sets, ways = t->ways + (set < t->more);
    uint32_t *tags = t->tags + set * t->ways + (set < t->more ? set : t->more);
    uint32_t tag = page + 1, way = 0;
    while (way < ways - 1 && tags[way] != tag)
        way++;
    bool miss = tags[way] != tag;
    for (; way > 0; way--)
        tags[way] = tags[way - 1];
    tags[0] = tag;
    return miss;
}
