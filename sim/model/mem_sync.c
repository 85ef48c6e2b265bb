// SPDX-License-Identifier: GPL-3.0-or-later
/* What has been referred to up to now, booked in the order of time; and stretches that end early.
 *
 * A task in a stretch that runs has run without a break since its first reference that is not booked:
 * whoever stops running is booked first (mem_leaves). So a reference's time follows from now, from how far
 * the task is, and from its place in the stretch. */
#include "model/guest.h"
#include "model/mem_inner.h"

/* With reference bits, in registers what would be looked up each time. */
static void book_bits(struct vmem *v, const struct touch *t, uint32_t upto)
{
    uint8_t *bits = v->mem->policy->referenced;
    int64_t active = 0;
    for (uint32_t i = t->i; i < upto; i++) {
        uint32_t page = t->refs[i] & ~PROG_TOUCH_WRITE;
        uint32_t *word = &v->blocks[page / MEM_BLOCK][page % MEM_BLOCK], w = *word;
        uint32_t need = page_need(t->refs[i]);
        if (page_where(w) == PAGE_RESIDENT) bits[w & PAGE_NUMBER] = 1;
        if ((w & need) == need) continue;
        active += !(w & PAGE_ACTIVE);
        *word = w | need;
    }
    v->active += active;
}

void mem_book(struct touch *t, uint32_t upto)
{
    struct vmem *v = t->vm->mem;
    struct book *book = t->vm->book;
    int64_t misses = 0;
    if (v->mem->policy->referenced)
        book_bits(v, t, upto);
    else
        for (uint32_t i = t->i; i < upto; i++) {
            uint32_t page = t->refs[i] & ~PROG_TOUCH_WRITE;
            mem_refer(v, &v->blocks[page / MEM_BLOCK][page % MEM_BLOCK],
                      (t->refs[i] & PROG_TOUCH_WRITE) != 0);
        }
    for (uint32_t i = t->i; t->tlb && i < upto; i++)
        misses += t->miss[i];
    book_add(book, REC_N_MEM_REFS, upto - t->i);
    book_add(book, REC_N_MEM_TLBMISSES, misses);
    book_add(book, REC_N_MEM_WALKREFS, misses * v->walk_refs);
    t->i = upto;
}

/* The first reference that has not begun when the task is ran_ns into its stretch. */
static uint32_t begun(const struct touch *t, int64_t ran_ns)
{
    uint32_t lo = t->i, hi = t->end;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (t->at_ps[mid] / 1000 < ran_ns)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The touch step that runs on a pCPU, NULL: none, or nothing to book of it. */
static struct touch *running(const struct model *m, const struct pcpu *c)
{
    const struct vcpu *v = c->on;
    if (c->mode != PCPU_RUN || !v || !v->vm || !v->vm->mem || v->task == NONE) return NULL;
    struct touch *t = v->vm->tasks[v->task].touch;
    (void)m;
    return t && t->stage == TOUCH_RUN && t->i < t->end ? t : NULL;
}

/* Books in the order of absolute time: of the one whose next is first, as long as it is. */
static void book_in_order(struct mem_live *live, uint32_t n)
{
    for (;;) {
        struct mem_live *first = NULL;
        int64_t first_ns = INT64_MAX, other_ns = INT64_MAX;
        uint32_t other_vcpu = 0;
        for (uint32_t k = 0; k < n; k++) {
            struct mem_live *l = &live[k];
            if (l->t->i == l->upto) continue;
            int64_t ns = l->began_ns + l->t->at_ps[l->t->i] / 1000;
            if (!first || ns < first_ns || (ns == first_ns && l->vcpu < first->vcpu)) {
                if (first) other_ns = first_ns, other_vcpu = first->vcpu;
                first = l;
                first_ns = ns;
            } else if (ns < other_ns || (ns == other_ns && l->vcpu < other_vcpu)) {
                other_ns = ns;
                other_vcpu = l->vcpu;
            }
        }
        if (!first) return;
        uint32_t upto = first->t->i + 1;
        for (; upto < first->upto; upto++) {
            int64_t ns = first->began_ns + first->t->at_ps[upto] / 1000;
            if (ns > other_ns || (ns == other_ns && other_vcpu < first->vcpu)) break;
        }
        mem_book(first->t, upto);
    }
}

static void add_live(struct model *m, struct mem *mem, uint32_t *n, struct touch *t, uint32_t upto,
                     int64_t ran_ns)
{
    if (t->i == upto) return;
    mem->live[(*n)++] = (struct mem_live){
        .t = t, .upto = upto, .began_ns = sim_now(m->sim) - ran_ns, .vcpu = t->vm->tasks[t->task].vcpu};
}

/* All that run, up to now; `over`, if any, all of its stretch. */
static void sync(struct model *m, struct mhost *h, struct touch *over)
{
    struct mem *mem = h->mem;
    uint32_t n = 0;
    if (over) add_live(m, mem, &n, over, over->end, over->vm->tasks[over->task].piece_ns);
    for (uint32_t p = h->first_pcpu; p < h->first_pcpu + h->n_pcpus; p++) {
        struct touch *t = running(m, &m->pcpus[p]);
        if (!t || t == over) continue;
        int64_t ran = guest_ran_ns(m, t->vm, t->task);
        add_live(m, mem, &n, t, begun(t, ran), ran);
    }
    if (mem->policy->cls->ordered && n > 1) {
        book_in_order(mem->live, n);
        return;
    }
    for (uint32_t k = 0; k < n; k++)
        mem_book(mem->live[k].t, mem->live[k].upto);
}

void mem_sync(struct model *m, struct mhost *h)
{
    if (h->mem && h->mem->n_listed) sync(m, h, NULL);
}

void mem_sync_all(struct model *m)
{
    for (uint32_t i = 0; i < m->sc->n_hosts; i++)
        mem_sync(m, &m->hosts[i]);
}

void mem_leaves(struct model *m, const struct vcpu *v)
{
    if (v->task == NONE) return;
    struct touch *t = v->vm->tasks[v->task].touch;
    if (!t || t->stage != TOUCH_RUN || t->i == t->end) return;
    if (t->vm->mem->mem->policy->cls->ordered)
        sync(m, v->host, NULL);
    else
        mem_book(t, begun(t, guest_ran_ns(m, t->vm, t->task)));
}

void mem_stretch_over(struct model *m, struct touch *t)
{
    struct vmem *v = t->vm->mem;
    if (v->mem->policy->cls->ordered && v->mem->n_listed > 1)
        sync(m, t->vm->host, t);
    else
        mem_book(t, t->end);
    mem_close_stretch(t);
}

void mem_close_stretch(struct touch *t)
{
    const struct vmem *v = t->vm->mem;
    t->rest_ps = t->at_ps[t->end] % 1000;
    for (uint32_t i = t->from; v->more_ps && i < t->end; i++)
        t->rest_more_ps += t->miss[i] ? v->more_ps : 0;
    t->rest_more_ps %= 1000;
    mem_unlist(t);
}

void mem_unlist(struct touch *t)
{
    if (t->prev)
        t->prev->next = t->next;
    else
        t->vm->mem->touchers = t->next;
    if (t->next) t->next->prev = t->prev;
    t->prev = t->next = NULL;
    t->stage = TOUCH_NEXT;
    t->vm->mem->mem->n_listed--;
}

void mem_cut(struct model *m, struct vmem *v, uint32_t page, bool writes_only)
{
    uint32_t mask = writes_only ? UINT32_MAX : ~PROG_TOUCH_WRITE;
    uint32_t sought = writes_only ? page | PROG_TOUCH_WRITE : page;
    for (struct touch *t = v->touchers; t; t = t->next) {
        uint32_t i = t->i;
        while (i < t->end && (t->refs[i] & mask) != sought)
            i++;
        if (i == t->end) continue;
        t->end = i;
        guest_cut(m, v->vm, t->task, t->at_ps[i] / 1000);
    }
}
