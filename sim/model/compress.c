// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compress.h"

#include "model/mem_reclaim.h"

static int64_t frames_for(const struct mem *mem, int64_t pages)
{
    int64_t milli = mem->host->sc->memory.compress_milli;
    return (pages * 1000 + milli - 1) / milli;
}

static void pool_add(struct model *m, struct mem *mem, uint32_t frame)
{
    struct mem_reclaim *r = mem->reclaim;
    mem->reverse[frame] = r->pool_head;
    r->pool_head = frame;
    r->pool_frames++;
    mem_reclaim_host_frames(m, mem, 1);
}

static uint32_t pool_get(struct model *m, struct mem *mem)
{
    struct mem_reclaim *r = mem->reclaim;
    uint32_t frame = r->pool_head;
    r->pool_head = mem->reverse[frame];
    r->pool_frames--;
    mem_reclaim_host_frames(m, mem, -1);
    return frame;
}

static void shrink(struct model *m, struct mem *mem)
{
    while (mem->reclaim->pool_frames > frames_for(mem, mem->reclaim->pool_pages))
        mem_free_frame(mem, pool_get(m, mem));
}

/* The page of this frame goes into the pool, which has room. */
static void put(struct model *m, struct mem *mem, uint32_t frame)
{
    uint32_t at;
    struct mem_block *b = mem_owner(mem, frame, &at);
    struct vmem *v = b->vm;
    uint32_t w = b->words[at];
    if (v->touchers) mem_cut(m, v, b->first + at, false);
    if (w & PAGE_DIRTY && v->own) mem_reclaim_own(v, b->first + at);
    b->words[at] = page_at(PAGE_AWAY, AWAY_COMPRESSED << PAGE_AWAY_SHIFT) | (w & (PAGE_DIRTY | PAGE_COPY));
    v->active -= (w & PAGE_ACTIVE) != 0;
    mem_shift(m, v, REC_L_MEM_RESIDENT, &v->resident, -1);
    v->reclaim->compressed++;
    mem->reclaim->pool_pages++;
    mem->reclaim->owed_ns += mem->host->sc->memory.compress_ns;
}

static uint32_t give(struct model *m, struct mem *mem, struct vmem *v)
{
    struct mem_reclaim *r = mem->reclaim;
    while (mem_reclaim_may(v)) {
        int64_t need = frames_for(mem, r->pool_pages + 1);
        if (need > r->pool_max) break;
        uint32_t frame = reclaim_victim(mem->policy, v->pool, &mem->rng);
        if (frame == RECLAIM_NONE) break;
        put(m, mem, frame);
        if (need <= r->pool_frames) return frame;
        pool_add(m, mem, frame);
    }
    return RECLAIM_NONE;
}

uint32_t compress_take(struct model *m, struct mem *mem, struct vmem *v)
{
    return mem_reclaim_from(m, mem, v, give);
}

bool compress_fault(struct model *m, struct vmem *v, struct touch *t, uint32_t *word)
{
    struct mem *mem = v->mem;
    struct mem_reclaim *r = mem->reclaim;
    uint32_t frame, written = *word & PAGE_DIRTY;
    mem_count_fault(t, REC_N_MEM_FAULTS);
    if (r->pool_frames > frames_for(mem, r->pool_pages - 1))
        frame = pool_get(m, mem); /* the one its going empties */
    else
        frame = mem_take_frame(m, mem, v);
    if (frame == RECLAIM_NONE) return false;
    compress_drop(m, v);
    r->owed_ns += mem->host->sc->memory.compress_ns;
    mem_settle_page(v, t->refs[t->i] & ~PROG_TOUCH_WRITE, word, frame);
    *word |= written;
    mem_shift(m, v, REC_L_MEM_RESIDENT, &v->resident, 1);
    mem_serve(t, word);
    return true;
}

void compress_drop(struct model *m, struct vmem *v)
{
    v->reclaim->compressed--;
    v->mem->reclaim->pool_pages--;
    shrink(m, v->mem);
}
