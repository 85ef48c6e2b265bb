// SPDX-License-Identifier: GPL-3.0-or-later
/* Relaxed co-scheduling, as in VMware ESX 3: siblings need not run at the same time, but none may get far
 * ahead of the others.
 *
 * Progress is run time. Skew is a vCPU's progress less that of the least progressed of its siblings that can
 * run. Who is SKEW_NS ahead is stopped (SCHED_COSTOPPED, out of its queue) until the least of the others has
 * caught up. An idle vCPU holds nobody back: it is not counted, and when it wakes it stands with the least of
 * the others if it was behind them. Nor is one without quota.
 *
 * Between two that run the skew does not change, so a run is bounded by the siblings that wait: it may last
 * until it is SKEW_NS ahead of the last of those, and until it has caught up with one that is stopped. When
 * one begins or ceases to wait its siblings' runs are bounded anew. On a real clock, which ends a run late,
 * the skew is as much larger. ESX counts the skew of each vCPU up while a sibling progresses and it does not,
 * and down else; the difference of progress is the same where all begin together. */
#include "policy/sched_frame.h"

#define SKEW_NS  INT64_C(3000000)
#define GRAIN_NS INT64_C(50000) /* no run is bounded to less */

static bool relaxed(const struct sched *s, const struct sched_vcpu *v)
{
    return vm_of(s, v)->cosched == SCHED_COSCHED_RELAXED;
}

static bool counts(const struct sched_vcpu *v)
{
    return v->where == SCHED_QUEUED || v->where == SCHED_RUNNING || v->where == SCHED_COSTOPPED;
}

/* With what it has run and was not charged for. */
static int64_t progress(const struct sched *s, const struct sched_vcpu *v, int64_t now)
{
    bool runs = v->where == SCHED_RUNNING;
    return s->progress_ns[v->id] + (runs ? sched_queue_ran(queue_at(s, v->pcpu), now) : 0);
}

/* Of v's siblings that can run; INT64_MAX: there is none. */
static int64_t least(const struct sched *s, const struct sched_vcpu *v, bool waiting_only, int64_t now)
{
    const struct sched_vm *vm = vm_of(s, v);
    int64_t least = INT64_MAX;
    for (uint32_t k = 0; k < vm->n_vcpus; k++) {
        const struct sched_vcpu *x = vcpu_at(s, vm->first_vcpu + k);
        if (x == v || !counts(x) || (waiting_only && x->where == SCHED_RUNNING)) continue;
        int64_t p = progress(s, x, now);
        if (p < least) least = p;
    }
    return least;
}

/* Runs that were bounded by who waited then. */
static void bound_anew(struct sched *s, const struct sched_vm *vm)
{
    for (uint32_t k = 0; k < vm->n_vcpus; k++) {
        const struct sched_vcpu *x = vcpu_at(s, vm->first_vcpu + k);
        if (x->where == SCHED_RUNNING) ask_resched(s, x->pcpu);
    }
}

void sched_skew_wake(struct sched *s, struct sched_vcpu *v, int64_t now)
{
    if (!relaxed(s, v)) return;
    int64_t others = least(s, v, false, now);
    if (others != INT64_MAX && s->progress_ns[v->id] < others) s->progress_ns[v->id] = others;
    bound_anew(s, vm_of(s, v));
}

void sched_skew_charge(struct sched *s, struct sched_vcpu *v, int64_t ran_ns)
{
    if (relaxed(s, v)) s->progress_ns[v->id] += ran_ns;
}

/* Those stopped that the others have caught up with go on. */
static void release(struct sched *s, struct sched_vm *vm, int64_t now)
{
    for (uint32_t k = 0; vm->n_stopped && k < vm->n_vcpus; k++) {
        struct sched_vcpu *v = vcpu_at(s, vm->first_vcpu + k);
        if (v->where != SCHED_COSTOPPED || least(s, v, false, now) < s->progress_ns[v->id]) continue;
        vm->n_stopped--;
        v->where = SCHED_BLOCKED;
        tell_changed(s, v);
        if (!vm->quota_ns || sched_limit_admit(s, v, now)) sched_place_runnable(s, v, SCHED_HOW_QUOTA, now);
    }
}

bool sched_skew_spent(struct sched *s, struct sched_vcpu *v, int64_t now)
{
    struct sched_vm *vm = vm_of(s, v);
    if (!relaxed(s, v)) return false;
    int64_t others = least(s, v, false, now);
    release(s, vm, now);
    if (others == INT64_MAX || s->progress_ns[v->id] - others < SKEW_NS) return false;
    sched_place_leave(s, v, SCHED_HOW_QUOTA, now);
    v->where = SCHED_COSTOPPED;
    vm->n_stopped++;
    tell_changed(s, v);
    if (vm->quota_ns) sched_limit_release(s, v, now);
    bound_anew(s, vm);
    return true;
}

int64_t sched_skew_bound(struct sched *s, struct sched_vcpu *v, int64_t run_ns, int64_t now)
{
    struct sched_vm *vm = vm_of(s, v);
    if (!relaxed(s, v)) return run_ns;
    int64_t others = least(s, v, true, now), own = s->progress_ns[v->id], most = INT64_MAX;
    if (others != INT64_MAX) most = others + SKEW_NS - own;
    for (uint32_t k = 0; vm->n_stopped && k < vm->n_vcpus; k++) {
        const struct sched_vcpu *x = vcpu_at(s, vm->first_vcpu + k);
        int64_t behind = s->progress_ns[x->id] - own;
        if (x->where == SCHED_COSTOPPED && behind > 0 && behind < most) most = behind;
    }
    if (most < GRAIN_NS) most = GRAIN_NS;
    return run_ns < most ? run_ns : most;
}

void sched_skew_settle(struct sched *s, struct sched_vm *vm, int64_t now)
{
    if (vm->cosched != SCHED_COSCHED_RELAXED) return;
    release(s, vm, now);
    bound_anew(s, vm);
}

void sched_skew_forget(struct sched *s, struct sched_vcpu *v)
{
    vm_of(s, v)->n_stopped--;
}
