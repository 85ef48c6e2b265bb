// SPDX-License-Identifier: GPL-3.0-or-later
/* Directed yield: a vCPU gives what is left of its turn to another, as one that spins for a lock does whose
 * holder has lost its pCPU (KVM's yield_to after a pause-loop exit; Xen's and VMware's likes).
 *
 * `to` comes over to from's queue and is picked next there; the turn keeps its length, so the two together
 * have no more than one would have had. When it is off the pCPU again it goes back to the queue it was lent
 * from. In the policy's eyes both ran when they ran: `to` pays for its part. Linux instead lets `to` run on
 * its own pCPU, in the place of whoever runs there: a third one pays. */
#include "policy/sched_frame.h"

bool sched_yield_to(struct sched *s, uint32_t from, uint32_t to, int64_t now)
{
    struct sched_vcpu *a = vcpu_at(s, from), *b = vcpu_at(s, to);
    ASSERT(from < s->n_vcpus && to < s->n_vcpus);
    if (s->gang.on || s->slots.on || a->where != SCHED_RUNNING || b->where != SCHED_QUEUED) return false;
    struct sched_queue *q = queue_at(s, a->pcpu);
    bool moves = b->pcpu != q->pcpu;
    if (q->next || q->left_ns - sched_queue_ran(q, now) <= q->slice_ns / 32) return false;
    if (moves && !may_join(s, b, q->pcpu)) return false;
    if (moves) {
        uint32_t home = b->home != SCHED_NONE ? b->home : b->pcpu;
        sched_place_leave(s, b, SCHED_HOW_MOVE, now);
        sched_place_join(s, q->pcpu, b, SCHED_HOW_MOVE, now);
        b->home = home;
    }
    s->has_lends = s->smp = s->special = true;
    q->next = b;
    ask_resched(s, q->pcpu);
    return true;
}

struct sched_vcpu *sched_lend_next(struct sched *s, struct sched_queue *q, int64_t now)
{
    struct sched_vcpu *v = q->next;
    q->next = NULL;
    if (v->where != SCHED_QUEUED || v->pcpu != q->pcpu) return NULL;
    if (q->left_ns > q->slice_ns / 32) return v;
    sched_lend_over(s, v, now); /* the turn ended meanwhile */
    return NULL;
}

void sched_lend_over(struct sched *s, struct sched_vcpu *v, int64_t now)
{
    uint32_t home = v->home;
    if (home == SCHED_NONE) return;
    v->home = SCHED_NONE;
    if (v->where == SCHED_QUEUED && v->pcpu != home && may_join(s, v, home)) {
        sched_place_leave(s, v, SCHED_HOW_MOVE, now);
        sched_place_join(s, home, v, SCHED_HOW_MOVE, now);
    } else if (v->where == SCHED_BLOCKED) {
        v->pcpu = home;
    }
}
