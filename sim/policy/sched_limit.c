// SPDX-License-Identifier: GPL-3.0-or-later
/* Limits: a VM may run quota_ns in each period, after Linux's CFS bandwidth control (Turner, Rao and Rao
 * 2010).
 *
 * The quota of a period is a pool. A vCPU takes a piece of it when it is picked (5 ms, or all of it where
 * the VM has one vCPU), pays its run out of the piece, and gives back what is left when it leaves its
 * pCPU. When the pool is empty the VM's waiting vCPUs are throttled: they leave their queues until a
 * piece comes back or the next period begins, at a whole multiple of its length. No run is promised
 * beyond the end of a period, so each is paid by the period it falls in; one that was charged late
 * leaves the pool negative, and the next periods repay it.
 *
 * A timer stands only while somebody is throttled; an unthrottled VM's pool is refilled when it is used. */
#include "policy/sched_frame.h"

#define PIECE_NS INT64_C(5000000)

static void set_timer(struct sched *s, struct sched_vm *vm)
{
    bool want = vm->n_throttled > 0;
    if (vm->has_timer && (!want || vm->timer.key != vm->period_end_ns)) {
        sched_heap_del(&s->timers, &vm->timer);
        vm->has_timer = false;
    }
    if (want && !vm->has_timer) {
        vm->timer.key = vm->period_end_ns;
        sched_heap_add(&s->timers, &vm->timer);
        vm->has_timer = true;
    }
}

/* Takes the pool to the period that now is in. */
static void refill(struct sched_vm *vm, int64_t now)
{
    if (now < vm->period_end_ns) return;
    int64_t periods = (now - vm->period_end_ns) / vm->period_ns + 1;
    int64_t debt = vm->pool_ns < 0 ? -vm->pool_ns : 0;
    if (periods > debt / vm->quota_ns + 1)
        vm->pool_ns = vm->quota_ns;
    else
        vm->pool_ns = periods * vm->quota_ns - debt;
    vm->period_end_ns += periods * vm->period_ns;
}

/* v is in no queue any more. */
static void throttled(struct sched *s, struct sched_vm *vm, struct sched_vcpu *v)
{
    v->where = SCHED_THROTTLED;
    vm->n_throttled++;
    tell_changed(s, v);
}

/* The pool is empty: who waits, waits for quota. */
static inline void throttle_waiting(struct sched *s, struct sched_vm *vm, int64_t now)
{
    for (uint32_t k = 0; k < vm->n_vcpus; k++) {
        struct sched_vcpu *v = vcpu_at(s, vm->first_vcpu + k);
        if (v->where != SCHED_QUEUED && (!s->gang.on || !is_held(s, v))) continue;
        sched_place_leave(s, v, SCHED_HOW_QUOTA, now);
        throttled(s, vm, v);
    }
    set_timer(s, vm);
}

static __attribute__((noinline)) void ready_again(struct sched *s, struct sched_vm *vm, int64_t now)
{
    for (uint32_t k = 0; vm->n_throttled && k < vm->n_vcpus; k++) {
        struct sched_vcpu *v = vcpu_at(s, vm->first_vcpu + k);
        if (v->where != SCHED_THROTTLED) continue;
        vm->n_throttled--;
        sched_place_runnable(s, v, SCHED_HOW_QUOTA, now);
        tell_changed(s, v);
    }
    set_timer(s, vm);
}

/* After the pool has changed. */
static void settle(struct sched *s, struct sched_vm *vm, int64_t now)
{
    if (vm->pool_ns <= 0)
        throttle_waiting(s, vm, now);
    else if (vm->n_throttled)
        ready_again(s, vm, now);
}

bool sched_limit_admit(struct sched *s, struct sched_vcpu *v, int64_t now)
{
    struct sched_vm *vm = vm_of(s, v);
    bool fresh = now >= vm->period_end_ns;
    refill(vm, now);
    if (vm->pool_ns > 0) {
        if (fresh && vm->n_throttled) ready_again(s, vm, now);
        return true;
    }
    throttled(s, vm, v);
    set_timer(s, vm);
    return false;
}

void sched_limit_charge(struct sched *s, struct sched_vcpu *v, int64_t ran_ns, int64_t now)
{
    struct sched_vm *vm = vm_of(s, v);
    int64_t after = now - v->piece_end_ns; /* of the run, beyond the piece's period */
    after = after < 0 ? 0 : after > ran_ns ? ran_ns : after;
    v->piece_ns -= ran_ns - after;
    refill(vm, now);
    if (v->piece_end_ns != vm->period_end_ns) {
        /* What was left of the old piece is gone with its period; what it lacked is a debt. */
        vm->pool_ns += (v->piece_ns < 0 ? v->piece_ns : 0) - after;
        v->piece_ns = 0;
        v->piece_end_ns = vm->period_end_ns;
    } else if (v->piece_ns < 0) {
        vm->pool_ns += v->piece_ns;
        v->piece_ns = 0;
    }
    settle(s, vm, now);
}

bool sched_limit_spent(struct sched *s, struct sched_vcpu *v, int64_t now)
{
    struct sched_vm *vm = vm_of(s, v);
    if (!vm->quota_ns) return false;
    refill(vm, now);
    if (v->piece_end_ns != vm->period_end_ns) v->piece_ns = 0;
    if (v->piece_ns > 0 || vm->pool_ns > 0) return false;
    sched_place_leave(s, v, SCHED_HOW_QUOTA, now);
    throttled(s, vm, v);
    set_timer(s, vm);
    return true;
}

int64_t sched_limit_take(struct sched *s, struct sched_vcpu *v, int64_t run_ns, int64_t now)
{
    struct sched_vm *vm = vm_of(s, v);
    refill(vm, now);
    if (v->piece_ns <= 0) {
        int64_t piece = vm->n_vcpus > 1 && vm->pool_ns > PIECE_NS ? PIECE_NS : vm->pool_ns;
        v->piece_ns = piece;
        vm->pool_ns -= piece;
    }
    v->piece_end_ns = vm->period_end_ns;
    ASSERT(v->piece_ns > 0);
    settle(s, vm, now);
    if (run_ns > v->piece_ns) run_ns = v->piece_ns;
    if (run_ns > vm->period_end_ns - now) run_ns = vm->period_end_ns - now;
    return run_ns;
}

void sched_limit_release(struct sched *s, struct sched_vcpu *v, int64_t now)
{
    struct sched_vm *vm = vm_of(s, v);
    refill(vm, now);
    if (v->piece_end_ns == vm->period_end_ns) vm->pool_ns += v->piece_ns;
    v->piece_ns = 0;
    settle(s, vm, now);
}

void sched_limit_forget(struct sched *s, struct sched_vcpu *v)
{
    struct sched_vm *vm = vm_of(s, v);
    vm->n_throttled--;
    set_timer(s, vm);
}

void sched_limit_tick(struct sched *s, int64_t now)
{
    const struct sched_node *first;
    while ((first = s->timers) && first->key <= now) {
        struct sched_vm *vm = &s->vms[first->id];
        refill(vm, now);
        settle(s, vm, now);
    }
}

/* Begins or changes a limit at `now`: what the VM had of the period it is in still counts if the
 * period stays, but a run that began without a limit does not. */
void sched_limit_set(struct sched *s, struct sched_vm *vm, int64_t quota_ns, int64_t period_ns, int64_t now)
{
    int64_t used = 0;
    if (vm->quota_ns) {
        refill(vm, now);
        used = vm->quota_ns - vm->pool_ns;
    }
    for (uint32_t k = 0; k < vm->n_vcpus; k++) {
        struct sched_vcpu *v = vcpu_at(s, vm->first_vcpu + k);
        v->piece_ns = v->where == SCHED_RUNNING ? v->piece_ns : 0;
        if (v->where != SCHED_RUNNING) continue;
        struct sched_queue *q = queue_at(s, v->pcpu);
        /* Its coming charge begins before `now`: that part is paid from here. */
        int64_t before = sched_queue_ran(q, now);
        if (vm->quota_ns && v->piece_end_ns == vm->period_end_ns) used -= v->piece_ns - before;
        v->piece_ns = before;
        ask_resched(s, v->pcpu);
    }
    bool same = vm->quota_ns && vm->period_ns == period_ns;
    vm->quota_ns = quota_ns;
    vm->period_ns = period_ns;
    if (!quota_ns) {
        ready_again(s, vm, now);
        return;
    }
    s->has_limits = s->special = true;
    if (!same) vm->period_end_ns = (now / period_ns + 1) * period_ns;
    vm->pool_ns = quota_ns - (same ? used : 0);
    for (uint32_t k = 0; k < vm->n_vcpus; k++)
        vcpu_at(s, vm->first_vcpu + k)->piece_end_ns = vm->period_end_ns;
    settle(s, vm, now);
}
