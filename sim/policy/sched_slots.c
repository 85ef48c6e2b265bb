// SPDX-License-Identifier: GPL-3.0-or-later
/* Time division against covert channels: each VM's turns come at fixed times, whether or not it has a use for
 * them. (Wray, "An analysis of covert timing channels", 1991; the partitions of ARINC 653 are of this kind.)
 *
 * Time is cut in slots of the scheduler's slice, from time 0. On a pCPU the VMs that may run there have the
 * slots by turns, in order of their numbers; those that are pinned elsewhere have none. In slot k pCPU p is
 * at place (k + p) mod n of its n VMs: where nobody has pins a VM's slots come one after the other, each one
 * pCPU further down, and a VM of one vCPU has as much as it can use of several pCPUs. In its slot a VM runs
 * one of its vCPUs that can run, by turns, to the slot's end or until it stops; then the next; else the pCPU
 * stays idle. The host's own threads are VMs here, with slots like the others.
 *
 * WHAT ONE VM DOES HANGS ON NOTHING THAT ANOTHER DOES. So its vCPUs are chosen for all its pCPUs at once when
 * a slot begins, of all that can run then, also those that are still on another pCPU, where the slot before
 * ends: which pCPU picks first does not matter. One that wakes or stops in the very instant of the beginning
 * makes the choice anew. Later ones fill what is free, the lowest pCPU first. The number of VMs does count:
 * one that comes or goes changes the order from the next slot on, for all; that is the manager's doing. A VM
 * with a limit may use its slots up to it; weights and reservations have no meaning here.
 *
 * A slot costs O(pCPUs), and a choice O(vCPUs of its VM). The policy is not asked. */
#include <stddef.h>

#include "policy/sched_frame.h"

static struct sched *sched_of(const struct sched_queue *q)
{
    return (struct sched *)((char *)(uintptr_t)q->rules - offsetof(struct sched, rules));
}

static void make_lists(struct sched *s)
{
    struct slots *t = &s->slots;
    for (uint32_t l = 0; l < t->n_lists; l++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < s->n_vms; i++) {
            const uint64_t *pins = s->pinsets[s->vms[i].pinset].pins;
            if (!s->vms[i].n_vcpus || (pins && !(pins[WORD(l)] & BIT(l)))) continue;
            t->order[(size_t)l * s->room_vms + n++] = i;
        }
        t->n_order[l] = n;
    }
    t->stale = false;
}

static uint32_t owner_of(const struct sched *s, uint32_t p, int64_t slot)
{
    uint32_t l = s->slots.n_lists > 1 ? p : 0, n = s->slots.n_order[l];
    return n ? s->slots.order[(size_t)l * s->room_vms + (uint32_t)(((uint64_t)slot + p) % n)] : SCHED_NONE;
}

/* Chooses the next of its VM that can run and is not chosen yet; NULL: none. */
static void choose(struct sched *s, uint32_t p)
{
    struct slot_pcpu *c = &s->slots.pcpus[p];
    const struct sched_vm *vm = &s->vms[c->owner];
    struct slot_vm *turns = &s->slots.vms[c->owner];
    c->v = NULL;
    for (uint32_t k = 0; vm->n_runnable && k < vm->n_vcpus; k++) {
        uint32_t i = (turns->next + k) % vm->n_vcpus;
        struct sched_vcpu *v = vcpu_at(s, vm->first_vcpu + i);
        if (v->where != SCHED_QUEUED && v->where != SCHED_RUNNING) continue;
        if (v == s->slots.leaving || s->slots.at[v->id]) continue;
        turns->next = (i + 1) % vm->n_vcpus;
        s->slots.at[v->id] = p + 1;
        c->v = v;
        return;
    }
}

static void unchoose(struct sched *s, uint32_t p)
{
    if (s->slots.pcpus[p].v) s->slots.at[s->slots.pcpus[p].v->id] = 0;
    s->slots.pcpus[p].v = NULL;
}

static void begin(struct sched *s, int64_t slot)
{
    struct slots *t = &s->slots;
    for (uint32_t p = 0; p < s->n_pcpus; p++)
        unchoose(s, p);
    if (t->stale && slot > t->stale_in) make_lists(s);
    t->number = slot;
    for (uint32_t p = 0; p < s->n_pcpus; p++) {
        uint32_t i = t->pcpus[p].owner = owner_of(s, p, slot);
        if (i != SCHED_NONE) {
            if (t->vms[i].number != slot) t->vms[i].from = t->vms[i].next;
            t->vms[i].number = slot;
            choose(s, p);
        }
        if (t->pcpus[p].v || queue_at(s, p)->current) ask_resched(s, p);
    }
}

/* In the instant in which the slot begins. */
static void choose_anew(struct sched *s, uint32_t vm)
{
    struct slot_pcpu *pcpus = s->slots.pcpus;
    if (s->slots.vms[vm].number != s->slots.number) return; /* it has none of the pCPUs now */
    s->slots.vms[vm].next = s->slots.vms[vm].from;
    for (uint32_t p = 0; p < s->n_pcpus; p++)
        if (pcpus[p].owner == vm) unchoose(s, p);
    for (uint32_t p = 0; p < s->n_pcpus; p++) {
        if (pcpus[p].owner != vm) continue;
        choose(s, p);
        if (pcpus[p].v != queue_at(s, p)->current) ask_resched(s, p);
    }
}

/* v can run, or is about to stop. What a choice does to the VM's own quota does not make it anew: that might
 * never end. */
static void look_again(struct sched *s, const struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct slot_pcpu *pcpus = s->slots.pcpus;
    int64_t slot = now / s->rules.slice_ns;
    if (slot != s->slots.number) {
        begin(s, slot);
    } else if (how == SCHED_HOW_SLEEP && now == slot * s->rules.slice_ns) {
        choose_anew(s, v->vm);
    } else {
        uint32_t at = s->slots.at[v->id];
        if (at) unchoose(s, at - 1);
        for (uint32_t p = 0; p < s->n_pcpus; p++) {
            if (pcpus[p].owner != v->vm || pcpus[p].v) continue;
            choose(s, p);
            if (!pcpus[p].v) break;
            ask_resched(s, p);
        }
    }
}

static bool wake(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    if (how != SCHED_HOW_MOVE) look_again(sched_of(q), v, how, now);
    return false;
}

static void block(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct sched *s = sched_of(q);
    if (how == SCHED_HOW_MOVE) return;
    s->slots.leaving = v;
    look_again(s, v, how, now);
    s->slots.leaving = NULL;
}

static void tick(struct sched_queue *q, int64_t now)
{
    struct sched *s = sched_of(q);
    if (now / s->rules.slice_ns != s->slots.number) begin(s, now / s->rules.slice_ns);
}

/* The current makes room, and goes on at once if it is chosen for another pCPU. */
static void stand_aside(struct sched *s, struct sched_queue *q, int64_t now)
{
    struct sched_vcpu *was = q->current;
    q->current = NULL;
    sched_place_wait(s, q, was);
    if (s->has_limits && vm_of(s, was)->quota_ns) sched_limit_release(s, was, now);
    if (s->slots.at[was->id]) ask_resched(s, s->slots.at[was->id] - 1);
}

struct sched_pick sched_slots_pick(struct sched *s, struct sched_queue *q, int64_t now)
{
    int64_t slot = now / s->rules.slice_ns, run_ns = (slot + 1) * s->rules.slice_ns - now;
    const struct slot_pcpu *mine = &s->slots.pcpus[q->pcpu];
    if (slot != s->slots.number) begin(s, slot);
    if (q->current && s->has_limits) sched_limit_spent(s, q->current, now);
    if (q->current && q->current != mine->v) stand_aside(s, q, now);
    drop_resched(s, q->pcpu);
    struct sched_vcpu *v = mine->v;
    if (!v || (v != q->current && v->where == SCHED_RUNNING))
        return (struct sched_pick){SCHED_NONE, SCHED_FOREVER}; /* or not yet: it is still elsewhere */
    if (v != q->current) {
        if (v->pcpu != q->pcpu) {
            sched_place_leave(s, v, SCHED_HOW_MOVE, now);
            sched_place_join(s, q->pcpu, v, SCHED_HOW_MOVE, now);
            drop_resched(s, q->pcpu);
        }
        sched_place_unwait(s, q, v);
        v->where = SCHED_RUNNING;
        q->current = v;
    }
    q->preempt = false;
    q->left_ns = q->slice_ns = run_ns;
    if (s->has_limits && vm_of(s, v)->quota_ns) run_ns = sched_limit_take(s, v, run_ns, now);
    return (struct sched_pick){v->id, run_ns};
}

void sched_slots_change(struct sched *s, uint32_t vm, int64_t now)
{
    struct slots *t = &s->slots;
    int64_t slot = now / s->rules.slice_ns;
    if (t->stale && slot > t->stale_in) make_lists(s);
    t->stale = true;
    t->stale_in = slot;
    t->vms[vm] = (struct slot_vm){0};
    for (uint32_t l = 0; l < t->n_lists; l++)
        for (uint32_t k = 0; k < t->n_order[l]; k++)
            if (t->order[(size_t)l * s->room_vms + k] == vm)
                t->order[(size_t)l * s->room_vms + k] = SCHED_NONE;
    for (uint32_t p = 0; p < s->n_pcpus; p++)
        if (t->pcpus[p].owner == vm) t->pcpus[p].owner = SCHED_NONE;
}

void sched_slots_init(struct sched *s)
{
    struct slots *t = &s->slots;
    s->special = s->smp = true;
    s->steal = s->balance = s->track = false;
    s->balance_every_ns = 0;
    s->balance_at_ns = SCHED_FOREVER;
    t->number = t->stale_in = -1;
    t->stale = true;
    for (uint32_t p = 0; p < s->n_pcpus; p++)
        t->pcpus[p].owner = SCHED_NONE;
    t->wrap = (struct sched_class){.name = s->cls->name,
                                   .about = s->cls->about,
                                   .tick_ns = s->rules.slice_ns,
                                   .wake = wake,
                                   .block = block,
                                   .tick = tick};
    s->cls = &t->wrap;
}
