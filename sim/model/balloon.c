// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/balloon.h"

#include "model/cpu.h"
#include "model/mem_reclaim.h"

/* Pages of the guest that have content, as the guest counts them. */
static int64_t in_use(const struct vmem *v)
{
    return v->resident + v->swapped + v->reclaim->compressed + v->reclaim->coming + v->behind;
}

/* Pages without content, not in the balloon. */
static int64_t empty(const struct vmem *v)
{
    return v->reclaim->size - in_use(v) - v->ballooned;
}

/* It may grow until it gives a frame: behind the pages without content there is room for one more. */
static bool can(const struct vmem *v)
{
    return v->vm->sc->swap != SC_NONE && mem_reclaim_may(v) &&
           v->ballooned + empty(v) < v->reclaim->balloon_max;
}

bool balloon_can(const struct mem *mem)
{
    for (uint32_t i = 0; i < mem->n_vms; i++)
        if (can(mem->vms[i])) return true;
    return false;
}

static void grow(struct model *m, struct vmem *v, int64_t by)
{
    mem_shift(m, v, REC_L_MEM_BALLOONED, &v->ballooned, by);
}

/* Its rate lets the balloon move a page now; then not again for a while. */
static bool in_time(const struct model *m, struct vmem *v)
{
    int64_t now = sim_now(m->sim);
    if (v->reclaim->balloon_ns > now) return false;
    if (v->mem->reclaim->balloon_ns) v->reclaim->balloon_ns = now + v->mem->reclaim->balloon_ns;
    return true;
}

/* The guest writes a page of its choice to its swap; the frame is free to be used again at once. */
static uint32_t guest_out(struct model *m, struct mem *mem, struct vmem *v)
{
    uint32_t at, frame = reclaim_victim(mem->policy, v->pool, &mem->rng);
    if (frame == RECLAIM_NONE) return RECLAIM_NONE;
    struct mem_block *b = mem_owner(mem, frame, &at);
    uint32_t w = b->words[at];
    if (v->touchers) mem_cut(m, v, b->first + at, false);
    if (w & PAGE_DIRTY && v->own) mem_reclaim_own(v, b->first + at);
    mem_log_leaves(v, b->first + at, w);
    mem->pager(m, v->vm->sc->swap, v->vm, true, mem->page_bytes, MEM_WRITTEN);
    b->words[at] = page_at(PAGE_AWAY, AWAY_GUEST_SWAPPED << PAGE_AWAY_SHIFT);
    v->active -= (w & PAGE_ACTIVE) != 0;
    v->reclaim->guest_swapped++;
    mem_shift(m, v, REC_L_MEM_RESIDENT, &v->resident, -1);
    return frame;
}

/* One page more is in the balloon, two kinds of which: without content (no frame), or with. */
static uint32_t step(struct model *m, struct mem *mem, struct vmem *v)
{
    uint32_t frame = RECLAIM_NONE;
    if (empty(v) <= 0) {
        frame = guest_out(m, mem, v);
        if (frame == RECLAIM_NONE) return RECLAIM_NONE;
    }
    grow(m, v, 1);
    return frame;
}

static uint32_t give(struct model *m, struct mem *mem, struct vmem *v)
{
    if (!can(v) || !in_time(m, v)) return RECLAIM_NONE;
    if (!mem->reclaim->balloon_ns && empty(v) > 0) grow(m, v, empty(v));
    return step(m, mem, v);
}

uint32_t balloon_take(struct model *m, struct mem *mem, struct vmem *v)
{
    return mem_reclaim_from(m, mem, v, give);
}

/* --- a guest whose balloon holds some of its pages --- */

/* The host can do without what the balloon gives back. */
static bool to_spare(const struct mem *mem)
{
    return mem->reclaim->state == MEMSTATE_HIGH &&
           mem->frames - mem->used > mem->reclaim->marks.pages[MEMSTATE_HIGH];
}

/* A VM that pays less for its pages than v can give a frame through its balloon, now. */
static bool other_pays_less(const struct model *m, const struct vmem *v)
{
    const struct mem *mem = v->mem;
    if (mem->host->sc->memory.per_vm) return false;
    for (uint32_t i = 0; i < mem->n_vms; i++) {
        const struct vmem *u = mem->vms[i];
        if (u != v && can(u) && u->resident > u->shared && u->reclaim->balloon_ns <= sim_now(m->sim) &&
            mem_reclaim_less(u, v))
            return true;
    }
    return false;
}

uint32_t balloon_room(struct model *m, struct vmem *v)
{
    struct mem *mem = v->mem;
    uint32_t frame = RECLAIM_NONE;
    v->reclaim->coming = 1;
    if (empty(v) < 0) {
        bool back = v->vm->sc->swap == SC_NONE ||
                    ((to_spare(mem) || (v->ballooned > 0 && other_pays_less(m, v))) && in_time(m, v));
        if (!back) frame = guest_out(m, mem, v);
        if (frame == RECLAIM_NONE) grow(m, v, -1);
    }
    if (frame == RECLAIM_NONE) frame = mem_take_frame(m, mem, v);
    v->reclaim->coming = 0;
    return frame;
}

bool balloon_fault(struct model *m, struct vmem *v, struct touch *t, uint32_t *word)
{
    mem_count_fault(t, REC_N_MEM_FAULTS);
    uint32_t frame = balloon_room(m, v);
    if (frame == RECLAIM_NONE) return false;
    v->reclaim->guest_swapped--;
    mem_fetch(m, v, t, word, frame, true);
    return true;
}

/* --- towards the free target --- */

static void due(struct model *m, struct mem *mem, int64_t at_ns)
{
    if (mem->reclaim->balloon_due) return;
    mem->reclaim->balloon_due = true;
    sim_at(m->sim, at_ns, EVQ_NORMAL, mem->reclaim->ev_balloon, mem->host->index);
}

bool balloon_will(struct model *m, struct mem *mem)
{
    int64_t first = INT64_MAX;
    if (mem->watched && mem->reclaim->balloon_ns) { /* it grows by steps */
        if (!balloon_can(mem)) return false;
        due(m, mem, sim_now(m->sim) + mem_reclaim_step(mem->reclaim->balloon_ns) * mem->reclaim->balloon_ns);
        return true;
    }
    for (uint32_t i = 0; i < mem->n_vms; i++)
        if (can(mem->vms[i]) && mem->vms[i]->reclaim->balloon_ns < first)
            first = mem->vms[i]->reclaim->balloon_ns;
    if (first == INT64_MAX || (first <= sim_now(m->sim) && !mem->reclaim->balloon_due)) return false;
    due(m, mem, first);
    return true;
}

/* What balloons may give back so that the host stays high whatever guests do with it. */
static int64_t spare(const struct mem *mem)
{
    int64_t pages = mem->frames - mem->used - mem->reclaim->marks.pages[MEMSTATE_HIGH];
    for (uint32_t i = 0; i < mem->n_vms && pages > 0; i++)
        if (mem->vms[i]->blocks) pages -= empty(mem->vms[i]);
    return pages;
}

/* At most n pages of each balloon (0: any number). True: there is more to give back. */
static bool deflate(struct model *m, struct mem *mem, int64_t n)
{
    int64_t left = spare(mem);
    bool more = false;
    for (uint32_t i = 0; i < mem->n_vms && left > 0; i++) {
        struct vmem *v = mem->vms[i];
        int64_t by = v->ballooned < left ? v->ballooned : left;
        if (n && by > n) by = n;
        if (by > 0) grow(m, v, -by);
        left -= by;
        more |= v->ballooned > 0;
    }
    return more && left > 0;
}

/* A frame of any balloon, whatever its pace. */
static uint32_t give_now(struct model *m, struct mem *mem, struct vmem *v)
{
    if (!can(v)) return RECLAIM_NONE;
    if (empty(v) > 0) grow(m, v, empty(v));
    return step(m, mem, v);
}

void balloon_look(struct model *m, struct mem *mem)
{
    struct mem_reclaim *r = mem->reclaim;
    bool held = mem->host->book->level[REC_L_MEM_BALLOONED] > 0;
    if (r->balloon_ns) {
        if (!r->balloon_due && (r->state > MEMSTATE_HIGH ? balloon_can(mem) : held && spare(mem) > 0))
            due(m, mem, sim_now(m->sim) + mem_reclaim_step(r->balloon_ns) * r->balloon_ns);
        return;
    }
    if (r->state == MEMSTATE_HIGH) {
        if (held) deflate(m, mem, 0);
        return;
    }
    while (mem->frames - mem->used < r->marks.pages[MEMSTATE_HIGH]) {
        uint32_t frame = mem_reclaim_from(m, mem, NULL, give_now);
        if (frame == RECLAIM_NONE) break;
        mem_free_frame(mem, frame);
    }
}

/* A frame of a balloon that has moves left in this step. */
static uint32_t give_in_step(struct model *m, struct mem *mem, struct vmem *v)
{
    uint32_t frame = RECLAIM_NONE;
    while (frame == RECLAIM_NONE && v->reclaim->moves > 0 && can(v)) {
        v->reclaim->moves--;
        frame = step(m, mem, v);
    }
    return frame;
}

/* Balloons grow by at most n pages each, until the host is high. */
static void inflate(struct model *m, struct mem *mem, int64_t n)
{
    for (uint32_t i = 0; i < mem->n_vms; i++)
        mem->vms[i]->reclaim->moves = n;
    while (mem->frames - mem->used < mem->reclaim->marks.pages[MEMSTATE_HIGH]) {
        uint32_t frame = mem_reclaim_from(m, mem, NULL, give_in_step);
        if (frame == RECLAIM_NONE) break;
        mem_free_frame(mem, frame);
    }
}

void balloon_on_step(void *model, uint32_t host)
{
    struct model *m = model;
    struct mem *mem = m->hosts[host].mem;
    struct mem_reclaim *r = mem->reclaim;
    r->balloon_due = false;
    mem_sync(m, mem->host);
    int64_t n = mem_reclaim_step(r->balloon_ns);
    bool again = false;
    if (r->state > MEMSTATE_HIGH) {
        inflate(m, mem, n);
        again = balloon_can(mem);
    } else if (mem->host->sc->memory.free_target_bytes || !mem->starved_first) {
        again = deflate(m, mem, n);
    }
    mem_reclaim_look(m, mem);
    if (r->balloon_due) again = false;
    if (again) due(m, mem, sim_now(m->sim) + n * r->balloon_ns);
    mem_feed(m, mem);
    cpu_settle(m, mem->host);
    book_settle(m);
}
