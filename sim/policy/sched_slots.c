// SPDX-License-Identifier: GPL-3.0-or-later
/* Time division against covert channels: each VM's turns come at fixed times, whether or not it has a use for
 * them.
 *
 * Time is cut in slots of the scheduler's slice, from time 0. In slot k pCPU p belongs to VM number (k + p)
 * mod n, of n VMs: so a VM's slots follow each other over the pCPUs. In it the pCPU runs one of that VM's
 * vCPUs that can run, by turns, or nobody. How much a VM gets, and when, hangs on nothing that another does:
 * what it leaves is lost. The host's own threads have slots as VMs have. Under it the policy keeps its books
 * and is not asked. (Wray, "An analysis of covert timing channels", 1992, has the idea as fuzzy time's
 * alternative; partitioned time slots are ARINC 653's.)
 *
 * The number of VMs counts, so a VM that comes or goes is noticed by all: by the manager's doing, not the
 * VMs'. */
#include <stddef.h>

#include "policy/sched_frame.h"

static uint32_t owner(const struct sched *s, uint32_t pcpu, int64_t now)
{
    return (uint32_t)(((uint64_t)(now / s->rules.slice_ns) + pcpu) % s->n_vms);
}

/* The one of its VM that runs on, or the next after the last that ran; NULL: none can. */
static struct sched_vcpu *chosen(struct sched *s, const struct sched_queue *q, uint32_t vm_number,
                                 bool new_slot)
{
    struct sched_vm *vm = &s->vms[vm_number];
    if (q->current && q->current->vm == vm_number && !new_slot) return q->current;
    for (uint32_t k = 1; k <= vm->n_vcpus; k++) {
        uint32_t at = (vm->slot_last + k) % vm->n_vcpus;
        struct sched_vcpu *v = vcpu_at(s, vm->first_vcpu + at);
        if (v != q->current && v->where != SCHED_QUEUED) continue;
        if (!may_run(s, v, q->pcpu)) continue;
        vm->slot_last = at;
        return v;
    }
    return NULL;
}

static void stand_aside(struct sched *s, struct sched_queue *q, int64_t now)
{
    struct sched_vcpu *was = q->current;
    s->cls->back(q);
    sched_place_wait(s, q, was);
    q->current = NULL;
    q->preempt = false;
    if (s->has_limits && vm_of(s, was)->quota_ns) sched_limit_release(s, was, now);
}

struct sched_pick sched_slots_pick(struct sched *s, struct sched_queue *q, int64_t now)
{
    int64_t slot = now / s->rules.slice_ns, run_ns = (slot + 1) * s->rules.slice_ns - now;
    if (q->current && s->has_limits) sched_limit_spent(s, q->current, now);
    struct sched_vcpu *v = chosen(s, q, owner(s, q->pcpu, now), slot != q->slot);
    q->slot = slot;
    if (!v) {
        if (q->current) stand_aside(s, q, now);
        return (struct sched_pick){SCHED_NONE, SCHED_FOREVER};
    }
    if (v != q->current) {
        if (v->pcpu != q->pcpu) {
            sched_place_leave(s, v, SCHED_HOW_MOVE, now);
            sched_place_join(s, q->pcpu, v, SCHED_HOW_MOVE, now);
            drop_resched(s, q->pcpu);
        }
        sched_choose(s, q, v, now);
    }
    q->preempt = false;
    q->left_ns = q->slice_ns = run_ns;
    if (s->has_limits && vm_of(s, v)->quota_ns) run_ns = sched_limit_take(s, v, run_ns, now);
    return (struct sched_pick){v->id, run_ns};
}

void sched_slots_kick(struct sched *s, const struct sched_vcpu *v, int64_t now)
{
    for (uint32_t p = 0; p < s->n_pcpus; p++)
        if (!queue_at(s, p)->current && owner(s, p, now) == v->vm && may_run(s, v, p)) ask_resched(s, p);
}

/* Each pCPU at the beginning of a slot. */
static void tick(struct sched_queue *q, int64_t now)
{
    struct sched *s = (struct sched *)((char *)(uintptr_t)q->rules - offsetof(struct sched, rules));
    (void)now;
    ask_resched(s, q->pcpu);
}

void sched_slots_init(struct sched *s)
{
    s->slots = s->special = true;
    s->steal = s->balance = s->track = false;
    s->balance_every_ns = 0;
    s->balance_at_ns = SCHED_FOREVER;
    s->wrap = *s->cls;
    s->wrap.tick = tick;
    s->wrap.tick_ns = s->rules.slice_ns;
    s->cls = &s->wrap;
}
