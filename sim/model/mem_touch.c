// SPDX-License-Identifier: GPL-3.0-or-later
/* A task in its touch step: references drawn ahead, made into stretches of run time. */
#include <stdlib.h>
#include <string.h>

#include "model/mem_inner.h"

#define AHEAD 24u /* references whose words are on their way to the processor */

void mem_begin(struct model *m, struct vm *vm, uint32_t task)
{
    struct task *k = &vm->tasks[task];
    struct vmem *v = vm->mem;
    if (!v->blocks) {
        v->blocks = calloc(v->n_blocks, sizeof(uint32_t *));
        v->ids = calloc(v->n_blocks, sizeof *v->ids);
        ASSERT(v->blocks && v->ids);
    }
    if (!k->touch) {
        k->touch = calloc(1, sizeof *k->touch);
        ASSERT(k->touch);
        k->touch->vm = vm;
        k->touch->task = task;
        if (v->mem->tlb) k->touch->tlb = tlb_new(vm->host->sc->memory.tlb_entries);
    }
    (void)m;
    struct touch *t = k->touch;
    prog_touch_begin(&t->gen, &k->at, &k->act);
    t->n = t->i = t->end = 0;
    t->stage = TOUCH_NEXT;
}

/* The processor fetches the page's word while references before it are looked at. */
static inline void warm(const struct vmem *v, uint32_t ref)
{
    uint32_t page = ref & ~PROG_TOUCH_WRITE;
    const uint32_t *words = v->blocks[page / MEM_BLOCK];
    if (words) __builtin_prefetch(&words[page % MEM_BLOCK], 1);
}

/* Keeps what is not done yet at the front, and draws as many as fit behind it. */
static void draw(struct touch *t)
{
    uint32_t kept = t->n - t->i;
    memmove(t->refs, t->refs + t->i, kept * sizeof t->refs[0]);
    if (t->tlb) memmove(t->miss, t->miss + t->i, kept * sizeof t->miss[0]);
    t->i = 0;
    t->n = kept + prog_touch_fill(&t->gen, t->refs + kept, TOUCH_LEN - kept);
    const struct vmem *v = t->vm->mem;
    for (uint32_t i = kept; i < t->n && i < AHEAD; i++)
        warm(v, t->refs[i]);
    for (uint32_t i = kept; t->tlb && i < t->n; i++)
        t->miss[i] = tlb_miss(t->tlb, t->refs[i] & ~PROG_TOUCH_WRITE);
}

/* References from i on that hit make the stretch; fills at_ps. A walk's overhead ends it, so that run time is
 * useful up to there and overhead after it. The references that would begin at the very ns in which a full
 * stretch ends are left to the next: what begins in a ns begins in one stretch. Returns the overhead, in ns.
 */
static int64_t plan(struct touch *t)
{
    const struct vmem *v = t->vm->mem;
    int64_t at = t->rest_ps, more = t->rest_more_ps, ref_ps = v->mem->ref_ps;
    bool stepping = v->mem->stepping;
    uint32_t i = t->i;
    if (ref_ps == 0 && !t->tlb) { /* none takes time: they are booked at once, and their times not needed */
        while (i < t->n &&
               page_hits(mem_look(v, t->refs[i] & ~PROG_TOUCH_WRITE), t->refs[i] & PROG_TOUCH_WRITE))
            i++;
        t->at_ps[i] = at;
        t->from = t->i;
        t->end = i;
        return more / 1000; /* of what a reclaimer did for it */
    }
    for (; i < t->n; i++) {
        uint32_t ref = t->refs[i];
        t->at_ps[i] = at;
        if (i + AHEAD < t->n) warm(v, t->refs[i + AHEAD]);
        if (stepping && at >= 1000) break;
        if (!page_hits(mem_look(v, ref & ~PROG_TOUCH_WRITE), ref & PROG_TOUCH_WRITE)) break;
        at += ref_ps;
        if (!t->miss[i]) continue;
        at += v->walk_ps;
        more += v->more_ps;
        if (more < 1000) continue;
        i++;
        break;
    }
    t->at_ps[i] = at;
    if (i == t->n && more < 1000 && t->gen.left > 0) {
        uint32_t last = i;
        while (last > t->i && t->at_ps[last - 1] / 1000 == at / 1000)
            last--;
        if (last > t->i) i = last;
    }
    t->from = t->i;
    t->end = i;
    return more / 1000;
}

static void enlist(struct touch *t)
{
    struct vmem *v = t->vm->mem;
    t->stage = TOUCH_RUN;
    t->prev = NULL;
    t->next = v->touchers;
    if (t->next) t->next->prev = t;
    v->touchers = t;
    v->mem->n_listed++;
}

/* Takes the whole ns out of it. */
static int64_t whole_ns(int64_t *ps)
{
    int64_t ns = *ps < 1000 ? 0 : (int64_t)((uint64_t)*ps / 1000);
    *ps -= ns * 1000;
    return ns;
}

/* The time of a reference whose page came by a fault: the fault's price, then the reference with its walk. */
static bool served(struct touch *t, int64_t *useful_ns, int64_t *overhead_ns)
{
    const struct vmem *v = t->vm->mem;
    struct mode_cost c = mode_events(t->vm, OP_PAGE_FAULT, 1);
    t->rest_ps += v->mem->ref_ps + (v->mem->tlb ? v->walk_ps : 0);
    t->rest_more_ps += v->mem->tlb ? v->more_ps : 0;
    *useful_ns = c.useful_ns + whole_ns(&t->rest_ps);
    *overhead_ns = c.overhead_ns + whole_ns(&t->rest_more_ps);
    t->i++;
    t->stage = TOUCH_NEXT;
    return *useful_ns + *overhead_ns > 0;
}

/* References from i on that hit and take no time are done as they are met, where it does not matter in which
 * order pages are referred to. True: reference i does not hit. */
static bool at_once(struct touch *t)
{
    struct vmem *v = t->vm->mem;
    uint8_t *bits = v->mem->policy->referenced;
    uint32_t *const *blocks = v->blocks;
    const uint32_t *refs = t->refs;
    uint32_t i = t->i, n = t->n;
    int64_t active = 0;
    bool fault = false;
    for (; i < n; i++) {
        uint32_t ref = refs[i], page = ref & ~PROG_TOUCH_WRITE, need = page_need(ref);
        if (i + AHEAD < n) warm(v, refs[i + AHEAD]);
        uint32_t *words = blocks[page / MEM_BLOCK], w = words ? words[page % MEM_BLOCK] : 0;
        if (page_where(w) != PAGE_RESIDENT) {
            fault = !page_hits(w, ref & PROG_TOUCH_WRITE);
            break;
        }
        bits[w & PAGE_NUMBER] = 1;
        if ((w & need) == need) continue;
        active += !(w & PAGE_ACTIVE);
        words[page % MEM_BLOCK] = w | need;
    }
    v->active += active;
    book_add(t->vm->book, REC_N_MEM_REFS, i - t->i);
    t->i = i;
    return fault;
}

/* Goes on from reference i. True: there is run time. False: it is over, or reference i was looked at. */
static bool go_on(struct model *m, struct touch *t, int64_t *useful_ns, int64_t *overhead_ns)
{
    if (t->n - t->i < TOUCH_LEN / 4 && t->gen.left > 0) draw(t);
    const struct mem *mem = t->vm->mem->mem;
    if (mem->ref_ps == 0 && !t->tlb && mem->policy->referenced && t->rest_more_ps < 1000 && at_once(t)) {
        mem_fault(m, t);
        return false;
    }
    if (t->i == t->n) return false;
    *overhead_ns = plan(t);
    *useful_ns = t->at_ps[t->end] / 1000;
    if (t->end == t->i) {
        mem_fault(m, t);
        return false;
    }
    enlist(t);
    if (*useful_ns + *overhead_ns > 0) return true;
    mem_stretch_over(m, t); /* they take no time */
    return false;
}

enum mem_said mem_touch(struct model *m, struct vm *vm, uint32_t task, int64_t *useful_ns,
                        int64_t *overhead_ns)
{
    struct touch *t = vm->tasks[task].touch;
    if (t->stage == TOUCH_RUN) mem_stretch_over(m, t);
    if (t->stage == TOUCH_STARVED) t->stage = TOUCH_NEXT;
    for (;;) {
        switch ((enum touch_stage)t->stage) {
        case TOUCH_SERVED:
            if (served(t, useful_ns, overhead_ns)) return MEM_RUN;
            break;
        case TOUCH_FETCH: return t->guest_swap ? MEM_WAIT_GUEST : MEM_WAIT;
        case TOUCH_STARVED: return MEM_WAIT;
        case TOUCH_NEXT:
        case TOUCH_RUN:
            if (t->i == t->n && t->gen.left == 0) return MEM_OVER;
            if (go_on(m, t, useful_ns, overhead_ns)) return MEM_RUN;
        }
    }
}
