// SPDX-License-Identifier: GPL-3.0-or-later
/* A VM's pages go to another host; what has been written meanwhile; pages that are still to come.
 *
 * Where VMs move, each host has a place (struct vmem) for every VM that touches memory, and a VM is in one of
 * them. Moving empties one and fills another: what had content there has content here. Nothing of what the
 * old host's reclaimers had done to it comes along: it arrives whole, and resident, or (post-copy) is fetched
 * page by page over the network. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/guest.h"
#include "model/mem_inner.h"
#include "model/mem_reclaim.h"

static uint32_t to_come(uint32_t flags)
{
    return page_at(PAGE_AWAY, AWAY_STRANDED << PAGE_AWAY_SHIFT) | flags;
}

/* --- leaving --- */

/* Stretches end where they are: what is left of them is planned anew on the other host. What was begun is
 * paid at this one's prices: the last reference, or the overhead behind it. */
static void end_stretches(struct model *m, struct vmem *v)
{
    for (struct touch *t; (t = v->touchers) != NULL;) {
        if (t->i < t->end) {
            t->end = t->i;
            guest_cut(m, v->vm, t->task, t->at_ps[t->i] / 1000);
        }
        mem_close_stretch(t);
    }
}

static void gather(struct touch **last, struct touch *first)
{
    for (struct touch *t = first, *next; t; t = next) {
        next = t->next_waiter;
        t->next_waiter = NULL;
        t->stage = TOUCH_NEXT;
        (*last)->next_waiter = t;
        *last = t;
    }
}

/* Its tasks that wait for a page or a frame, in a list; what they waited for comes for nobody. */
static struct touch *gather_waiters(struct vmem *v)
{
    struct mem *mem = v->mem;
    struct touch head = {.next_waiter = NULL}, *last = &head;
    for (uint32_t x = 0; x < mem->n_xfers; x++) {
        struct mem_xfer *xfer = &mem->xfers[x];
        if (xfer->vm != v) continue;
        gather(&last, xfer->first);
        mem_drop_xfer(mem, x);
    }
    struct touch *t = mem->starved_first;
    mem->starved_first = mem->starved_last = NULL;
    for (struct touch *next; t; t = next) {
        next = t->next_waiter;
        t->next_waiter = NULL;
        if (t->vm == v->vm)
            gather(&last, t);
        else
            mem_starve(mem, t);
    }
    return head.next_waiter;
}

/* The pages of one block: to come, on the other host. */
static void leave_block(struct vmem *v, struct vmem *n, uint32_t b)
{
    uint32_t *words = v->blocks[b], *to = mem_block_make(n, b);
    for (uint32_t i = 0; i < MEM_BLOCK; i++)
        if (words[i]) {
            to[i] = to_come(words[i] & PAGE_DIRTY);
            n->behind++;
        }
}

static void free_frames(struct vmem *v)
{
    struct mem *mem = v->mem;
    for (uint32_t b = 0; v->blocks && b < v->n_blocks; b++)
        for (uint32_t i = 0; v->blocks[b] && i < MEM_BLOCK; i++) {
            uint32_t w = v->blocks[b][i];
            if (page_where(w) != PAGE_RESIDENT) continue;
            reclaim_remove(mem->policy, v->pool, w & PAGE_NUMBER);
            mem_free_frame(mem, w & PAGE_NUMBER);
        }
}

static void empty(struct model *m, struct vmem *v)
{
    struct mem *mem = v->mem;
    if (mem->reclaim) mem_reclaim_release(m, v);
    free_frames(v);
    mem_free_blocks(v);
    mem_shift(m, v, REC_L_MEM_RESIDENT, &v->resident, -v->resident);
    mem_shift(m, v, REC_L_MEM_SWAPPED, &v->swapped, -v->swapped);
    v->active = v->behind = 0;
    if (mem->reclaim) mem_reclaim_look(m, mem);
    mem_feed(m, mem);
}

/* --- arriving --- */

static bool settle(struct model *m, struct vmem *v, uint32_t page, uint32_t *word)
{
    uint32_t dirty = *word & PAGE_DIRTY, frame = mem_take_frame(m, v->mem, v);
    if (frame == RECLAIM_NONE) frame = mem_last_frame(v->mem);
    if (frame == RECLAIM_NONE) return false;
    *word = 0;
    v->behind--;
    mem_settle_page(v, page, word, frame);
    *word |= dirty;
    mem_shift(m, v, REC_L_MEM_RESIDENT, &v->resident, 1);
    return true;
}

/* No frame for a page that has come: the host has no room for its VM. */
static void no_room(struct model *m, struct vmem *v)
{
    v->mem->oom = true; /* of the others none has to go as well */
    inner_tell_why(m, v->vm, v->resident * v->mem->page_bytes, REC_EV_OOM, REC_WHY_RESERVED);
    guest_kill(m, v->vm);
}

static void arrive(struct model *m, struct vmem *v)
{
    bool room = true;
    for (uint32_t b = 0; v->blocks && b < v->n_blocks; b++)
        for (uint32_t i = 0; v->blocks[b] && i < MEM_BLOCK; i++) {
            uint32_t *word = &v->blocks[b][i];
            if (*word == 0) continue;
            if (room && settle(m, v, b * MEM_BLOCK + i, word)) continue;
            if (room) no_room(m, v);
            room = false;
            *word = 0; /* for what is left of its life nobody fetches these */
            v->behind--;
        }
}

static void take_own(struct vmem *v, struct vmem *n)
{
    size_t words = (size_t)v->n_blocks * MEM_BLOCK / 64;
    if (!n->own) return;
    if (v->own)
        memcpy(n->own, v->own, words * sizeof *n->own);
    else
        memset(n->own, 0xff, words * sizeof *n->own); /* nobody has kept account of what is still equal */
}

/* What is drawn already meets the other host's TLB, which is cold. */
static void change_tlb(struct vmem *n)
{
    const struct vm *vm = n->vm;
    for (uint32_t k = 0; k < vm->n_tasks; k++) {
        struct touch *t = vm->tasks[k].touch;
        if (!t) continue;
        free(t->tlb);
        t->tlb = n->mem->tlb ? tlb_new(n->mem->host->sc->memory.tlb_entries) : NULL;
        for (uint32_t i = t->i; i < t->n; i++)
            t->miss[i] = t->tlb && tlb_miss(t->tlb, t->refs[i] & ~PROG_TOUCH_WRITE);
    }
}

/* A reference whose fault has begun is done where its page has come along. */
static void serve_waiters(struct vmem *n)
{
    for (struct touch *t = n->waited; t; t = t->next_waiter) {
        uint32_t *word = mem_word(n, t->refs[t->i] & ~PROG_TOUCH_WRITE);
        if (word && page_where(*word) == PAGE_RESIDENT) mem_serve(t, word);
    }
}

void mem_move(struct model *m, struct vm *vm, struct mhost *to)
{
    struct vmem *v = vm->mem, *n = to->mem->vms[v->index];
    ASSERT(!v->gone && n != v);
    mem_sync(m, v->mem->host);
    mem_sync(m, to);
    end_stretches(m, v);
    struct touch *waiters = gather_waiters(v);
    if (v->blocks && !n->blocks) {
        n->blocks = alloc_array(n->n_blocks, sizeof(uint32_t *));
        n->ids = alloc_array(n->n_blocks, sizeof *n->ids);
    }
    for (uint32_t b = 0; v->blocks && b < v->n_blocks; b++)
        if (v->blocks[b]) leave_block(v, n, b);
    empty(m, v);
    take_own(v, n);
    vm->mem = n;
    change_tlb(n);
    n->waited = waiters;
    if (!vm->behind) arrive(m, n);
    serve_waiters(n);
}

void mem_moved(struct model *m, struct vm *vm)
{
    struct touch *t = vm->mem->waited;
    vm->mem->waited = NULL;
    for (struct touch *next; t; t = next) {
        next = t->next_waiter;
        t->next_waiter = NULL;
        guest_wake_task(m, vm, t->task);
    }
}

void mem_restart(struct model *m, struct vm *vm)
{
    struct vmem *v = vm->mem;
    (void)m;
    ASSERT(v->resident == 0 && !v->blocks && !v->touchers);
    if (v->own) memset(v->own, 0, (size_t)v->n_blocks * MEM_BLOCK / 8);
}

int64_t mem_touched(const struct vm *vm)
{
    const struct vmem *v = vm->mem;
    int64_t n = 0;
    for (uint32_t b = 0; v->blocks && b < v->n_blocks; b++)
        for (uint32_t i = 0; v->blocks[b] && i < MEM_BLOCK; i++)
            n += v->blocks[b][i] != 0;
    return n;
}

/* --- the dirty log ---
 *
 * A page's dirty bit says that it was written since it was last clean. Taking the log clears it, and with it
 * the word's claim that swap holds a copy: so the page is written out when it leaves all the same, and the
 * bit says from then on what was written since the log was taken. What leaves meanwhile is noted in `gone`.
 */

void mem_log_gone(struct vmem *v, uint32_t page)
{
    v->gone[page / 64] |= UINT64_C(1) << (page % 64);
}

int64_t mem_log_take(struct model *m, struct vm *vm)
{
    struct vmem *v = vm->mem;
    int64_t n = 0;
    mem_sync(m, vm->host);
    for (uint32_t b = 0; v->blocks && b < v->n_blocks; b++)
        for (uint32_t i = 0; v->blocks[b] && i < MEM_BLOCK; i++) {
            uint32_t *word = &v->blocks[b][i], page = b * MEM_BLOCK + i;
            bool gone = v->gone[page / 64] >> (page % 64) & 1;
            bool dirty = (page_where(*word) == PAGE_RESIDENT ||
                          (page_where(*word) == PAGE_AWAY && page_away(*word) == AWAY_COMPRESSED)) &&
                         *word & PAGE_DIRTY;
            n += gone || dirty;
            if (!dirty) continue;
            if (v->own) mem_reclaim_own(v, page);
            *word &= ~(PAGE_DIRTY | PAGE_COPY);
        }
    memset(v->gone, 0, (size_t)v->n_blocks * MEM_BLOCK / 8);
    return n;
}

void mem_log(struct model *m, struct vm *vm, bool on)
{
    struct vmem *v = vm->mem;
    if (on) {
        v->gone = alloc_array((size_t)v->n_blocks * MEM_BLOCK / 64, sizeof *v->gone);
        mem_log_take(m, vm);
    } else {
        free(v->gone);
        v->gone = NULL;
    }
}

/* --- post-copy --- */

uint32_t mem_stranded(const struct vm *vm, uint32_t page)
{
    const struct vmem *v = vm->mem;
    for (uint32_t b = page / MEM_BLOCK, i = page % MEM_BLOCK; v->blocks && b < v->n_blocks; b++, i = 0)
        for (; v->blocks[b] && i < MEM_BLOCK; i++) {
            uint32_t w = v->blocks[b][i];
            if (w && page_where(w) == PAGE_AWAY && page_away(w) == AWAY_STRANDED) return b * MEM_BLOCK + i;
        }
    return MEM_NO_PAGE;
}

void mem_asked(struct vm *vm, uint32_t page)
{
    uint32_t *word = mem_word(vm->mem, page);
    *word = page_at(PAGE_AWAY, AWAY_ASKED << PAGE_AWAY_SHIFT) | (*word & PAGE_DIRTY);
}

void mem_fetched(struct model *m, struct vm *vm, uint32_t page)
{
    struct vmem *v = vm->mem;
    uint32_t *word = mem_word(v, page);
    if (!word) return; /* it was released meanwhile */
    mem_sync(m, v->mem->host);
    if (page_where(*word) == PAGE_FETCHED)
        mem_xfer_done(m, v->mem, *word & PAGE_NUMBER);
    else if (page_where(*word) == PAGE_AWAY && page_away(*word) == AWAY_ASKED && !settle(m, v, page, word))
        no_room(m, v);
}

void mem_fault_remote(struct model *m, struct vmem *v, struct touch *t, uint32_t *word)
{
    bool ask = page_away(*word) == AWAY_STRANDED;
    uint32_t page = t->refs[t->i] & ~PROG_TOUCH_WRITE;
    mem_count_fault(t, REC_N_MEM_FAULTS);
    if (!mem_fetch_remote(m, v, t, word)) return; /* no frame: it is tried again */
    if (ask) v->mem->asker(m, v->vm, page);
}
