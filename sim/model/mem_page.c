// SPDX-License-Identifier: GPL-3.0-or-later
/* Blocks, frames, and what is in them. */
#include <stdlib.h>

#include "model/mem_inner.h"
#include "model/mem_reclaim.h"

#define AHEAD 8u /* frames */

static struct mem_block *new_block(struct vmem *v, uint32_t index)
{
    struct mem *mem = v->mem;
    struct mem_block *b = calloc(1, sizeof *b);
    ASSERT(b);
    if (mem->n_blocks == mem->cap_blocks) {
        mem->cap_blocks = mem->cap_blocks ? 2 * mem->cap_blocks : 64;
        mem->blocks = realloc(mem->blocks, mem->cap_blocks * sizeof(struct mem_block *));
        ASSERT(mem->blocks && mem->cap_blocks <= UINT32_MAX / MEM_BLOCK);
    }
    b->vm = v;
    b->id = mem->n_blocks;
    b->first = index * MEM_BLOCK;
    mem->blocks[mem->n_blocks++] = b;
    v->blocks[index] = b;
    return b;
}

uint32_t *mem_word_make(struct vmem *v, uint32_t page)
{
    struct mem_block *b = v->blocks[page / MEM_BLOCK];
    if (!b) b = new_block(v, page / MEM_BLOCK);
    return &b->words[page % MEM_BLOCK];
}

uint32_t mem_unused_frame(struct mem *mem)
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
        uint32_t frame = mem_unused_frame(mem);
        if (mem->watched) mem_reclaim_look(m, mem);
        return frame;
    }
    for (uint32_t i = 0; i < mem->n_takers; i++) {
        uint32_t frame = mem->takers[i](m, mem, v);
        if (frame != RECLAIM_NONE) return frame;
    }
    /* The reserve is the last to go, before a VM does. */
    bool last = mem->used < mem->frames && !mem_reclaim_hope(m, mem);
    return last ? mem_unused_frame(mem) : RECLAIM_NONE;
}

void mem_free_frame(struct mem *mem, uint32_t frame)
{
    mem->reverse[frame] = mem->free_head;
    mem->free_head = frame;
    mem->used--;
}

void mem_shift(struct model *m, struct vmem *v, enum rec_level level, int64_t *count, int64_t by)
{
    if (by == 0) return;
    *count += by;
    book_shift(m, v->vm->book, level, by * v->mem->page_bytes);
    book_shift(m, v->mem->host->book, level, by * v->mem->page_bytes);
}

void mem_settle_page(struct vmem *v, uint32_t page, uint32_t *word, uint32_t frame)
{
    const struct mem_block *b = v->blocks[page / MEM_BLOCK];
    v->mem->reverse[frame] = b->id * MEM_BLOCK + page % MEM_BLOCK;
    *word = page_at(PAGE_RESIDENT, frame) | (*word & (PAGE_COPY | PAGE_ACTIVE));
    reclaim_insert(v->mem->policy, v->pool, frame);
}

void mem_swap_out(struct model *m, struct mem *mem, uint32_t frame)
{
    uint32_t at;
    struct mem_block *b = mem_owner(mem, frame, &at);
    struct vmem *v = b->vm;
    uint32_t *word = &b->words[at], w = *word;
    ASSERT(page_where(w) == PAGE_RESIDENT && (w & PAGE_NUMBER) == frame);
    if (frame + AHEAD < mem->fresh) { /* policies that go in order will come there soon */
        uint32_t soon = mem->reverse[frame + AHEAD];
        const struct mem_block *s = soon / MEM_BLOCK < mem->n_blocks ? mem->blocks[soon / MEM_BLOCK] : NULL;
        if (s) {
            __builtin_prefetch(&s->vm);
            __builtin_prefetch(&s->words[soon % MEM_BLOCK], 1);
        }
    }
    if (v->touchers) mem_cut(m, v, b->first + at, false);
    if (w & PAGE_DIRTY && v->own) mem_reclaim_own(v, b->first + at);
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
            v->blocks[b]->words[i] &= ~PAGE_ACTIVE;
    v->active = 0;
}
