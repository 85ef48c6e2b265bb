// SPDX-License-Identifier: GPL-3.0-or-later
/* Blocks, frames, and what is in them. */
#include <stdlib.h>

#include "model/mem_inner.h"
#include "model/mem_reclaim.h"

#define BATCH 16u /* frames */

uint32_t *mem_block_make(struct vmem *v, uint32_t index)
{
    struct mem *mem = v->mem;
    uint32_t *words = calloc(MEM_BLOCK, sizeof *words);
    ASSERT(words);
    uint32_t id = mem->free_block;
    if (id != UINT32_MAX)
        mem->free_block = mem->blocks[id].first;
    else
        id = mem->n_blocks++;
    if (id == mem->cap_blocks) {
        mem->cap_blocks = mem->cap_blocks ? 2 * mem->cap_blocks : 64;
        mem->blocks = realloc(mem->blocks, mem->cap_blocks * sizeof *mem->blocks);
        ASSERT(mem->blocks && mem->cap_blocks <= UINT32_MAX / MEM_BLOCK);
    }
    v->ids[index] = id;
    v->blocks[index] = words;
    mem->blocks[id] = (struct mem_block){.words = words, .vm = v, .first = index * MEM_BLOCK};
    return words;
}

/* A frame that is free already, used from now on; there must be one. */
static uint32_t unused_frame(struct mem *mem)
{
    uint32_t frame = mem->free_head;
    if (frame != RECLAIM_NONE)
        mem->free_head = mem->reverse[frame];
    else
        frame = mem->fresh++;
    ASSERT(frame < mem->cap);
    mem->used++;
    return frame;
}

uint32_t mem_take_frame(struct model *m, struct mem *mem, struct vmem *v)
{
    if (mem->used < mem->frames - mem->reserve) {
        uint32_t frame = unused_frame(mem);
        if (mem->watched) mem_reclaim_look(m, mem);
        return frame;
    }
    for (uint32_t i = 0; i < mem->n_takers; i++) {
        uint32_t frame = mem->takers[i](m, mem, v);
        if (frame != RECLAIM_NONE) return frame;
    }
    /* The reserve is the last to go, before a VM does. */
    bool last = mem->used < mem->frames && !mem_reclaim_hope(m, mem);
    return last ? unused_frame(mem) : RECLAIM_NONE;
}

uint32_t mem_last_frame(struct mem *mem)
{
    return mem->used < mem->frames ? unused_frame(mem) : RECLAIM_NONE;
}

void mem_free_frame(struct mem *mem, uint32_t frame)
{
    mem->reverse[frame] = mem->free_head;
    mem->free_head = frame;
    mem->used--;
}

/* Policies that go in order will soon come to the frames behind this one: the processor fetches the words of
 * their pages meanwhile, a batch at a time. Those that have been referred to will most likely stay; what it
 * fetches of them is their bit again, as a choice of values costs less than a branch nobody can guess. */
static void look_ahead(struct mem *mem, uint32_t frame)
{
    const uint8_t *bits = mem->policy->referenced;
    uint32_t lead = mem->ahead - frame;
    if (lead > BATCH && lead <= 2 * BATCH) return;
    if (lead > BATCH) { /* it did not come in order */
        mem->ahead = frame + BATCH;
        return;
    }
    uint32_t f = mem->ahead, end = f + BATCH < mem->fresh ? f + BATCH : mem->fresh;
    mem->ahead = f + BATCH;
    for (; f < end; f++) {
        uint32_t block = mem->reverse[f] / MEM_BLOCK;
        if (block >= mem->n_blocks || !mem->blocks[block].words) continue; /* the frame is free */
        const void *word = &mem->blocks[block].words[mem->reverse[f] % MEM_BLOCK];
        __builtin_prefetch(bits && bits[f] ? &bits[f] : word, 1);
    }
}

void mem_swap_out(struct model *m, struct mem *mem, uint32_t frame)
{
    uint32_t at;
    struct mem_block *b = mem_owner(mem, frame, &at);
    struct vmem *v = b->vm;
    uint32_t *word = &b->words[at], w = *word;
    ASSERT(page_where(w) == PAGE_RESIDENT && (w & PAGE_NUMBER) == frame);
    look_ahead(mem, frame);
    if (v->touchers) mem_cut(m, v, b->first + at, false);
    if (w & PAGE_DIRTY && v->own) mem_reclaim_own(v, b->first + at);
    mem_log_leaves(v, b->first + at, w);
    if ((w & (PAGE_DIRTY | PAGE_COPY)) != PAGE_COPY)
        mem->pager(m, mem->host->sc->memory.swap, v->vm, true, mem->page_bytes, MEM_WRITTEN);
    *word = page_at(PAGE_AWAY, AWAY_SWAPPED << PAGE_AWAY_SHIFT) | PAGE_COPY;
    v->active -= (w & PAGE_ACTIVE) != 0;
    mem_shift(m, v, REC_L_MEM_RESIDENT, &v->resident, -1);
    mem_shift(m, v, REC_L_MEM_SWAPPED, &v->swapped, 1);
}

void mem_active_begin(struct vmem *v)
{
    for (uint32_t b = 0; v->blocks && b < v->n_blocks; b++)
        for (uint32_t i = 0; v->blocks[b] && i < MEM_BLOCK; i++)
            v->blocks[b][i] &= ~PAGE_ACTIVE;
    v->active = 0;
}
