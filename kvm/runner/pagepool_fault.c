// SPDX-License-Identifier: GPL-3.0-or-later
/* A fault: what the page was, what it costs, and whom; as sim/model/mem_fault.c. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm/runner/dispatch.h"
#include "kvm/runner/pagepool_int.h"

#define LET_GO_NS 50000 /* coming out of the guest and in again takes about as long */

static void starve(struct pagepool_vm *v, const struct pagepool_fault *f)
{
    struct pagepool *p = v->pool;
    for (size_t i = 0; i < p->n_starved; i++)
        if (p->starved[i].v == v && p->starved[i].fault.vcpu == f->vcpu &&
            p->starved[i].fault.page == f->page)
            return; /* told once more */
    pagepool_grow((void **)&p->starved, p->n_starved, &p->starved_cap, sizeof *p->starved);
    p->starved[p->n_starved++] = (struct pagepool_starved){v, *f};
    if (p->in_flight > 0) return;
    struct pagepool_vm *victim = v;
    for (uint32_t i = p->n_touch; i-- > 0;)
        if (pagepool_lives(&p->vms[i]) && p->vms[i].resident >= victim->resident && p->vms[i].resident > 0)
            victim = &p->vms[i];
    for (uint32_t i = 0; i < p->n_vms; i++)
        if (__atomic_load_n(&p->vms[i].given_up, __ATOMIC_RELAXED) && !p->vms[i].gone) return; /* one goes */
    enum rec_why why = p->sc->swap == SC_NONE ? REC_WHY_NO_SWAP : REC_WHY_RESERVED;
    pagepool_give_up(victim, CTL_OOM, (uint32_t)why, (uint64_t)(victim->resident * p->page_bytes), "%s",
                     rec_why_text(why));
}

static void count_fault(struct pagepool_vm *v, struct pagepool_fault *f, enum rec_count what)
{
    if (f->counted) return;
    f->counted = true;
    v->count[what] += pagepool_counts(v->pool);
}

static void first_touch(struct pagepool_vm *v, struct pagepool_fault *f)
{
    count_fault(v, f, REC_N_MEM_SOFTFAULTS);
    uint32_t frame = pagepool_take_frame(v->pool, v);
    if (frame == RECLAIM_NONE) {
        starve(v, f);
        return;
    }
    /* It is written out when it goes, whether it has been written to or not: so nobody need look. */
    pagepool_settle(v, f->page, frame, PAGEPOOL_DIRTY);
    v->resident++;
    pagepool_command(v, PAGES_ZERO, f->page, 0);
    pagepool_waited(v, f, true);
}

static struct ctl_vcpu *ctl_of(const struct pagepool_vm *v, const struct pagepool_fault *f)
{
    const struct run *r = v->pool->run;
    return f->vcpu == UINT32_MAX ? NULL : &r->vms[v->index].proc.ctl->v[f->vcpu];
}

/* Under the dispatcher: its vCPU comes out of the guest, so that its pCPU is free, until the page is there.
 */
static bool begin_wait(struct pagepool_vm *v, const struct pagepool_fault *f)
{
    const struct run *r = v->pool->run;
    struct ctl_vcpu *c = ctl_of(v, f);
    if (!c || !r->dispatch) return false;
    __atomic_store_n(&c->fetching, 1, __ATOMIC_RELEASE);
    syscall(SYS_tgkill, r->vms[v->index].proc.pid, c->tid, CTL_KICK);
    __atomic_fetch_add(&v->pool->held_ns, host_now() - f->at_ns, __ATOMIC_RELAXED);
    return true;
}

static void end_wait(struct pagepool_vm *v, const struct pagepool_fault *f)
{
    struct ctl_vcpu *c = ctl_of(v, f);
    __atomic_store_n(&c->fetching, 0, __ATOMIC_RELEASE);
    dispatch_wake(v->pool->run->dispatch);
}

/* A page has come, or could not be had: then its VM is given up. */
void pagepool_fetched(struct pagepool_vm *v, uint32_t i)
{
    struct pagepool *p = v->pool;
    struct pagepool_fetch f = v->fetches[i];
    v->fetches[i] = v->fetches[--v->n_fetches];
    p->in_flight--;
    p->came = true;
    pagepool_settle(v, f.fault.page, f.frame, PAGEPOOL_COPY | (f.fault.write ? PAGEPOOL_DIRTY : 0));
    if (pagepool_command(v, PAGES_LOAD, f.fault.page, f.fault.write ? 0 : PAGES_GUARD) < 0) return;
    pagepool_waited(v, &f.fault, !f.let_go);
    if (f.let_go) end_wait(v, &f.fault);
    pagepool_disk_io(p, f.asked_ns, f.due_ns);
}

static void swap_in(struct pagepool_vm *v, struct pagepool_fault *f)
{
    struct pagepool *p = v->pool;
    count_fault(v, f, REC_N_MEM_FAULTS);
    uint32_t frame = v->n_fetches < ABI_MAX_VCPUS ? pagepool_take_frame(p, v) : RECLAIM_NONE;
    if (frame == RECLAIM_NONE) {
        starve(v, f);
        return;
    }
    int64_t now = host_now();
    v->swapped--;
    v->resident++;
    v->count[REC_N_MEM_SWAPIN] += pagepool_counts(p) ? p->page_bytes : 0;
    v->state[f->page] = PAGEPOOL_COMING | PAGEPOOL_COPY;
    v->fetches[v->n_fetches++] = (struct pagepool_fetch){
        .fault = *f, .frame = frame, .asked_ns = now, .due_ns = pagepool_disk_due(p, now)};
    p->in_flight++;
    struct pagepool_fetch *last = &v->fetches[v->n_fetches - 1];
    if (last->due_ns - now > LET_GO_NS) last->let_go = begin_wait(v, f);
    if (last->due_ns <= host_now()) pagepool_fetched(v, v->n_fetches - 1);
}

/* It is on its way already. A vCPU that was kicked out of its wait and let in again tells the same anew. */
static void join(struct pagepool_vm *v, struct pagepool_fault *f)
{
    for (uint32_t i = 0; i < v->n_fetches; i++) {
        struct pagepool_fault *first = &v->fetches[i].fault;
        if (first->page != f->page) continue;
        if (first->vcpu != f->vcpu) count_fault(v, f, REC_N_MEM_FAULTS);
        first->write |= f->write;
    }
}

void pagepool_fault(struct pagepool_vm *v, struct pagepool_fault *f)
{
    uint8_t *st = &v->state[f->page];
    switch ((enum pagepool_where)(*st & PAGEPOOL_WHERE)) {
    case PAGEPOOL_UNTOUCHED: first_touch(v, f); break;
    case PAGEPOOL_OUT: swap_in(v, f); break;
    case PAGEPOOL_COMING: join(v, f); break;
    case PAGEPOOL_PARKED:
        v->again += pagepool_counts(v->pool);
        if (f->write) *st |= PAGEPOOL_DIRTY;
        *st = (uint8_t)((*st & ~PAGEPOOL_WHERE) | PAGEPOOL_IN);
        v->pool->stands[v->frame[f->page]] = 1;
        reclaim_touch(v->pool->policy, v->set, v->frame[f->page]);
        pagepool_command(v, PAGES_UNPARK, f->page, *st & PAGEPOOL_DIRTY ? 0 : PAGES_GUARD);
        pagepool_waited(v, f, true);
        break;
    case PAGEPOOL_IN:
        if (f->write && !(*st & PAGEPOOL_DIRTY)) {
            *st |= PAGEPOOL_DIRTY;
            pagepool_command(v, PAGES_OPEN, f->page, 0);
            pagepool_waited(v, f, true);
        } else {
            pagepool_command(v, PAGES_WAKE, f->page, 0); /* it was served meanwhile */
        }
    }
}

void pagepool_feed(struct pagepool *p)
{
    size_t n = p->n_starved;
    struct pagepool_starved *s = p->starved;
    p->starved = NULL;
    p->n_starved = p->starved_cap = 0;
    for (size_t i = 0; i < n; i++)
        if (pagepool_lives(s[i].v)) pagepool_fault(s[i].v, &s[i].fault);
    free(s);
}
