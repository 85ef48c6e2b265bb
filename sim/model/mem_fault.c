// SPDX-License-Identifier: GPL-3.0-or-later
/* Faults: a page's first touch, its way back from swap, and what happens when there is no frame to have. */
#include <stdlib.h>

#include "model/balloon.h"
#include "model/guest.h"
#include "model/mem_inner.h"
#include "model/mem_reclaim.h"

/* --- who waits --- */

void mem_starve(struct mem *mem, struct touch *t)
{
    t->stage = TOUCH_STARVED;
    t->next_waiter = NULL;
    if (mem->starved_last)
        mem->starved_last->next_waiter = t;
    else
        mem->starved_first = t;
    mem->starved_last = t;
}

void mem_feed(struct model *m, struct mem *mem)
{
    struct touch *t = mem->starved_first;
    mem->starved_first = mem->starved_last = NULL;
    for (struct touch *next; t; t = next) {
        next = t->next_waiter;
        guest_wake_task(m, t->vm, t->task);
    }
}

/* --- out of memory --- */

static void out_of_memory(struct model *m, struct mem *mem, struct vmem *faulting)
{
    if (mem->oom) return;
    struct vmem *victim = faulting;
    for (uint32_t i = mem->n_vms; i-- > 0;)
        if (mem->vms[i]->resident >= victim->resident && mem->vms[i]->resident > 0) victim = mem->vms[i];
    mem->oom = true;
    if (rec_wants(m->out, REC_EVENT))
        *rec_next(m->out) = (struct rec){
            .t_ns = sim_now(m->sim),
            .value = victim->resident * mem->page_bytes,
            .host = mem->host->index,
            .vm = (uint32_t)(victim->vm - m->vms),
            .vcpu = REC_NONE,
            .pcpu = REC_NONE,
            .kind = REC_EVENT,
            .cause = REC_EV_OOM,
            .to = mem->host->sc->memory.swap == SC_NONE ? REC_WHY_NO_SWAP : REC_WHY_RESERVED,
        };
    guest_kill(m, victim->vm);
}

/* No frame: one will be free when a page under way has come, or when a VM was ended. */
static void starve(struct model *m, struct vmem *v, struct touch *t)
{
    mem_starve(v->mem, t);
    if (v->mem->in_flight == 0 && !mem_reclaim_hope(m, v->mem)) out_of_memory(m, v->mem, v);
}

/* --- transfers --- */

static uint32_t new_xfer(struct mem *mem)
{
    uint32_t x = mem->free_xfer;
    if (x != RECLAIM_NONE) {
        mem->free_xfer = mem->xfers[x].next_free;
        return x;
    }
    if (mem->n_xfers == mem->cap_xfers) {
        mem->cap_xfers = mem->cap_xfers ? 2 * mem->cap_xfers : 16;
        mem->xfers = realloc(mem->xfers, mem->cap_xfers * sizeof *mem->xfers);
        ASSERT(mem->xfers);
    }
    return mem->n_xfers++;
}

static void join(struct mem *mem, uint32_t x, struct touch *t)
{
    struct mem_xfer *xfer = &mem->xfers[x];
    t->stage = TOUCH_FETCH;
    t->guest_swap = xfer->guest;
    t->next_waiter = NULL;
    if (xfer->last)
        xfer->last->next_waiter = t;
    else
        xfer->first = t;
    xfer->last = t;
}

/* A transfer's name outside: which host's, and which. */
static uint64_t name_of(const struct mem *mem, uint32_t x)
{
    return (uint64_t)mem->host->index << 32 | x;
}

static inline void fetch(struct model *m, struct vmem *v, struct touch *t, uint32_t *word, uint32_t frame,
                         bool guest)
{
    struct mem *mem = v->mem;
    uint32_t x = new_xfer(mem), disk = guest ? v->vm->sc->swap : mem->host->sc->memory.swap;
    mem->xfers[x] =
        (struct mem_xfer){.vm = v, .guest = guest, .page = t->refs[t->i] & ~PROG_TOUCH_WRITE, .frame = frame};
    mem->in_flight++;
    *word = page_at(PAGE_FETCHED, x) | (*word & PAGE_COPY);
    mem_shift(m, v, REC_L_MEM_RESIDENT, &v->resident, 1);
    join(mem, x, t);
    mem->pager(m, disk, v->vm, false, mem->page_bytes, name_of(mem, x));
}

void mem_fetch(struct model *m, struct vmem *v, struct touch *t, uint32_t *word, uint32_t frame, bool guest)
{
    fetch(m, v, t, word, frame, guest);
}

bool mem_fetch_remote(struct model *m, struct vmem *v, struct touch *t, uint32_t *word)
{
    struct mem *mem = v->mem;
    uint32_t frame = mem_take_frame(m, mem, v);
    if (frame == RECLAIM_NONE) {
        starve(m, v, t);
        return false;
    }
    uint32_t x = new_xfer(mem);
    mem->xfers[x] =
        (struct mem_xfer){.vm = v, .remote = true, .page = t->refs[t->i] & ~PROG_TOUCH_WRITE, .frame = frame};
    mem->in_flight++;
    *word = page_at(PAGE_FETCHED, x) | (*word & PAGE_DIRTY);
    v->behind--;
    mem_shift(m, v, REC_L_MEM_RESIDENT, &v->resident, 1);
    join(mem, x, t);
    return true;
}

static void free_xfer(struct mem *mem, uint32_t x)
{
    mem->xfers[x].vm = NULL;
    mem->xfers[x].next_free = mem->free_xfer;
    mem->free_xfer = x;
    mem->in_flight--;
}

void mem_drop_xfer(struct mem *mem, uint32_t x)
{
    struct mem_xfer *xfer = &mem->xfers[x];
    bool remote = xfer->remote;
    *xfer =
        (struct mem_xfer){.frame = xfer->frame}; /* a disk still says when it is done; the network does not */
    if (!remote) return;
    mem_free_frame(mem, xfer->frame);
    free_xfer(mem, x);
}

static void swap_in(struct model *m, struct vmem *v, struct touch *t, uint32_t *word)
{
    uint32_t frame = mem_take_frame(m, v->mem, v);
    if (frame == RECLAIM_NONE) {
        starve(m, v, t);
        return;
    }
    mem_shift(m, v, REC_L_MEM_SWAPPED, &v->swapped, -1);
    book_add(v->vm->book, REC_N_MEM_SWAPIN, v->mem->page_bytes);
    fetch(m, v, t, word, frame, false);
}

void mem_io_done(struct model *m, uint64_t arg)
{
    if (arg == MEM_WRITTEN) return;
    mem_xfer_done(m, m->hosts[arg >> 32].mem, (uint32_t)arg);
}

void mem_xfer_done(struct model *m, struct mem *mem, uint32_t x)
{
    struct mem_xfer *xfer = &mem->xfers[x];
    struct vmem *v = xfer->vm;
    struct touch *first = xfer->first;
    free_xfer(mem, x);
    if (mem->policy->cls->ordered) mem_sync(m, mem->host);
    if (!v) {
        mem_free_frame(mem, xfer->frame);
    } else {
        uint32_t *word = mem_word(v, xfer->page), dirty = *word & PAGE_DIRTY;
        mem_settle_page(v, xfer->page, word, xfer->frame);
        *word |= dirty;
        for (struct touch *t = first; t; t = t->next_waiter)
            mem_serve(t, word);
    }
    for (struct touch *t = first, *next; t; t = next) {
        next = t->next_waiter;
        guest_wake_task(m, t->vm, t->task);
    }
    if (mem->starved_first) mem_feed(m, mem);
}

/* --- faults --- */

void mem_serve(struct touch *t, uint32_t *word)
{
    mem_refer(t->vm->mem, word, (t->refs[t->i] & PROG_TOUCH_WRITE) != 0);
    t->counted = false;
    t->stage = TOUCH_SERVED;
}

/* Not inline: two counters side by side are not to be added to as one, right after one of them was stored. */
__attribute__((noinline)) void mem_count_fault(struct touch *t, enum rec_count what)
{
    const struct vmem *v = t->vm->mem;
    struct book *book = t->vm->book;
    if (t->counted) return;
    t->counted = true;
    book_add(book, what, 1);
    book_add(book, REC_N_MEM_REFS, 1);
    book_add(book, REC_N_MEM_TLBMISSES, v->mem->tlb);
    book_add(book, REC_N_MEM_WALKREFS, v->mem->tlb ? v->walk_refs : 0);
}

static void first_touch(struct model *m, struct vmem *v, struct touch *t, uint32_t page, uint32_t *word)
{
    mem_count_fault(t, REC_N_MEM_SOFTFAULTS);
    uint32_t frame = v->mem->reclaim ? balloon_room(m, v) : mem_take_frame(m, v->mem, v);
    if (frame == RECLAIM_NONE) {
        starve(m, v, t);
        return;
    }
    mem_settle_page(v, page, word, frame);
    mem_shift(m, v, REC_L_MEM_RESIDENT, &v->resident, 1);
    mem_serve(t, word);
}

void mem_fault(struct model *m, struct touch *t)
{
    struct vmem *v = t->vm->mem;
    if (v->mem->n_listed) mem_sync(m, t->vm->host);
    uint32_t page = t->refs[t->i] & ~PROG_TOUCH_WRITE;
    uint32_t *word = mem_word_make(v, page);
    if (page_where(*word) == PAGE_FETCHED) {
        mem_count_fault(t, REC_N_MEM_FAULTS);
        join(v->mem, *word & PAGE_NUMBER, t);
    } else if (*word == 0) {
        first_touch(m, v, t, page, word);
    } else if (page_where(*word) == PAGE_AWAY && page_away(*word) == AWAY_SWAPPED) {
        mem_count_fault(t, REC_N_MEM_FAULTS);
        swap_in(m, v, t, word);
    } else if (page_where(*word) == PAGE_AWAY && page_away(*word) >= AWAY_STRANDED) {
        mem_fault_remote(m, v, t, word);
    } else {
        ASSERT(v->mem->odd_fault);
        if (!v->mem->odd_fault(m, v, t, word)) starve(m, v, t);
    }
    if (v->mem->reclaim && v->mem->reclaim->owed_ns) mem_reclaim_charge(v->mem, t);
}
