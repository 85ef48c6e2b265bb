// SPDX-License-Identifier: GPL-3.0-or-later
/* Which queue a vCPU waits in, and the books kept of who waits.
 *
 * Who waits is listed by pin set, in order of arrival, over all queues: an idle pCPU finds the one that
 * has waited longest among those it may run in a step a pin set, however long the queues are. */
#include "policy/sched_frame.h"

/* A strict gang's is not divided: its vCPUs are one unit. */
void sched_place_share(struct sched_vm *vm)
{
    uint32_t parts = vm->n_runnable && vm->cosched != SCHED_COSCHED_STRICT ? vm->n_runnable : 1;
    uint64_t share = ((uint64_t)vm->weight << 16) / parts;
    vm->share = share ? (uint32_t)share : 1;
}

void sched_place_weight(struct sched *s, struct sched_vcpu *v, int64_t now)
{
    struct sched_queue *q = queue_at(s, v->pcpu);
    uint32_t old = v->weight, new = vm_of(s, v)->share;
    if (old == new) return;
    bool in_queue = v->where == SCHED_QUEUED || v->where == SCHED_RUNNING;
    if (in_queue && s->balance) q->load -= load_of(s, v);
    v->weight = new;
    v->rest = 0;
    if (in_queue && s->balance) q->load += load_of(s, v);
    if (in_queue && s->cls->weighted) s->cls->set(q, v, old, now);
    if (s->gang.on) sched_gang_weight(s, v, old, now);
}

void sched_place_wait(struct sched *s, struct sched_queue *q, struct sched_vcpu *v)
{
    v->where = SCHED_QUEUED;
    q->n_waiting++;
    s->n_waiting++;
    if (s->track) list_waiting(s, v);
    if (s->has_reservations) sched_reserve_wait(s, q, v);
}

void sched_place_unwait(struct sched *s, struct sched_queue *q, struct sched_vcpu *v)
{
    q->n_waiting--;
    s->n_waiting--;
    if (s->track) unlist_waiting(s, v);
    if (v->has_due) sched_reserve_unwait(q, v);
}

/* Among the longest-waiting of each pin set that allows pcpu, one in the longest queue. */
struct sched_vcpu *sched_place_steal(const struct sched *s, uint32_t pcpu)
{
    struct sched_vcpu *found = NULL;
    const uint64_t *allows = s->allows + (size_t)pcpu * s->pinset_words;
    for (uint32_t w = 0; w < s->pinset_words; w++)
        for (uint64_t m = allows[w] & s->pinset_waiting[w]; m; m &= m - 1) {
            struct sched_vcpu *v = s->pinsets[w * 64 + (uint32_t)__builtin_ctzll(m)].oldest;
            if (!found || queue_at(s, v->pcpu)->n_waiting > queue_at(s, found->pcpu)->n_waiting) found = v;
        }
    return found;
}

bool sched_place_meets(const struct sched *s, const struct sched_vcpu *v, uint32_t pcpu)
{
    const struct sched_vm *vm = vm_of(s, v);
    if (vm->cosched != SCHED_COSCHED_BALANCE) return false;
    for (uint32_t k = 0; k < vm->n_vcpus; k++) {
        const struct sched_vcpu *x = vcpu_at(s, vm->first_vcpu + k);
        bool there = (x->where == SCHED_QUEUED || x->where == SCHED_RUNNING) && x->pcpu == pcpu;
        if (there && x != v) return true;
    }
    return false;
}

/* How many threads of p's core are busy or about to be. */
static uint32_t core_busy(const struct sched *s, uint32_t p)
{
    uint32_t first = p - p % s->threads, n = 0;
    for (uint32_t i = first; i < first + s->threads && i < s->n_pcpus; i++)
        n += !(s->idle[WORD(i)] & BIT(i)) || s->resched[WORD(i)] & BIT(i);
    return n;
}

/* The same as sched_place_idle, of a core none of whose threads is busy. */
static uint32_t idle_core(const struct sched *s, const struct sched_vcpu *v)
{
    const uint64_t *pins = s->pinsets[v->pinset].pins;
    if (v->pcpu != SCHED_NONE && !core_busy(s, v->pcpu)) return v->pcpu;
    for (uint32_t w = 0; w < WORD(s->n_pcpus + 63); w++)
        for (uint64_t m = s->idle[w] & ~s->resched[w] & (pins ? pins[w] : UINT64_MAX); m; m &= m - 1) {
            uint32_t p = w * 64 + (uint32_t)__builtin_ctzll(m);
            if (!core_busy(s, p)) return p;
        }
    return SCHED_NONE;
}

/* Its last one if that is idle, or else the first that is not about to pick already; an idle core before the
 * idle thread of a busy one. */
uint32_t sched_place_idle(const struct sched *s, const struct sched_vcpu *v)
{
    const uint64_t *pins = s->pinsets[v->pinset].pins;
    uint32_t core = s->threads > 1 && s->n_idle ? idle_core(s, v) : SCHED_NONE;
    if (core != SCHED_NONE) return core;
    if (v->pcpu != SCHED_NONE && s->idle[WORD(v->pcpu)] & BIT(v->pcpu)) return v->pcpu;
    for (uint32_t w = 0; s->n_idle && w < WORD(s->n_pcpus + 63); w++) {
        uint64_t m = s->idle[w] & ~s->resched[w] & (pins ? pins[w] : UINT64_MAX);
        if (m) return w * 64 + (uint32_t)__builtin_ctzll(m);
    }
    return SCHED_NONE;
}

/* Several counted on one idle pCPU and it took one: others may be able to take the rest. */
void sched_place_kick(struct sched *s)
{
    for (uint32_t w = 0; w < WORD(s->n_pcpus + 63); w++)
        for (uint64_t m = s->idle[w]; m; m &= m - 1) {
            uint32_t p = w * 64 + (uint32_t)__builtin_ctzll(m);
            if (sched_place_steal(s, p)) ask_resched(s, p);
        }
}

static uint64_t heads(const struct sched *s, uint32_t p)
{
    const struct sched_queue *q = queue_at(s, p);
    return q->n_waiting + (q->current != NULL);
}

/* The allowed pCPU with the fewest vCPUs, of several the one whose core has the fewest, the lowest. */
static uint32_t shortest(const struct sched *s, const struct sched_vcpu *v)
{
    uint32_t best = SCHED_NONE;
    uint64_t best_n = 0;
    for (uint32_t p = 0; p < s->n_pcpus; p++) {
        if (!may_join(s, v, p)) continue;
        uint64_t n = heads(s, p) << 32;
        for (uint32_t i = p - p % s->threads; i < p - p % s->threads + s->threads && i < s->n_pcpus; i++)
            n += heads(s, i);
        if (best == SCHED_NONE || n < best_n) best = p, best_n = n;
    }
    ASSERT(best != SCHED_NONE);
    return best;
}

void sched_place_join(struct sched *s, uint32_t pcpu, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct sched_queue *q = queue_at(s, pcpu);
    v->pcpu = pcpu;
    v->weight = vm_of(s, v)->share;
    if (s->balance) {
        /* Who slept has no claim on what the others had meanwhile. */
        uint64_t n = q->n_waiting + (q->current != NULL);
        if (how != SCHED_HOW_MOVE && n) {
            int64_t behind = (int64_t)(q->served_ns - n * v->served_ns) / (int64_t)n;
            if (behind > 0) v->served_ns += (uint64_t)behind;
        }
        q->served_ns += v->served_ns;
        q->load += load_of(s, v);
    }
    if (s->has_reservations) sched_reserve_book(s, q, v, true);
    if (s->n_runnable++ == 0 && s->cls->tick_ns)
        s->class_tick_at_ns = (now / s->cls->tick_ns + 1) * s->cls->tick_ns;
    sched_place_wait(s, q, v);
    bool preempt = s->cls->wake(q, v, how, now);
    if (s->idle[WORD(pcpu)] & BIT(pcpu)) {
        s->idle[WORD(pcpu)] &= ~BIT(pcpu);
        s->n_idle--;
        q->was_idle = true;
    }
    if (q->current) {
        preempt = preempt || (v->has_due && sched_reserve_preempts(s, q, v, now));
        q->preempt = q->preempt || preempt;
        if (preempt) ask_resched(s, pcpu);
    } else {
        ask_resched(s, pcpu);
    }
    if (s->balance_at_ns <= now && s->balance_every_ns) sched_balance_arm(s, now);
}

void sched_place_leave(struct sched *s, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    if (s->gang.on) {
        sched_gang_leave(s, v, how, now);
        return;
    }
    struct sched_queue *q = queue_at(s, v->pcpu);
    s->n_runnable--;
    if (v->booked_ppm) sched_reserve_book(s, q, v, false);
    if (s->balance) {
        q->served_ns -= v->served_ns;
        q->load -= load_of(s, v);
    }
    s->cls->block(q, v, how, now);
    if (q->current == v)
        q->current = NULL;
    else
        sched_place_unwait(s, q, v);
}

void sched_place_runnable(struct sched *s, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    if (s->gang.on) {
        sched_gang_ready(s, v, how, now);
        return;
    }
    uint32_t to = s->steal && s->n_idle ? sched_place_idle(s, v) : SCHED_NONE;
    if (to == SCHED_NONE && v->pcpu != SCHED_NONE && may_join(s, v, v->pcpu)) to = v->pcpu;
    if (to == SCHED_NONE) to = shortest(s, v);
    sched_place_join(s, to, v, how, now);
}
