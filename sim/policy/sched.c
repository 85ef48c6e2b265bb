// SPDX-License-Identifier: GPL-3.0-or-later
/* The frame's operations. What each does when nothing special is configured is short and here; limits,
 * reservations and balancing stand in files of their own, behind one flag each. */
#include "base/assert.h"
#include "policy/sched_frame.h"

/* A slice's way is one straight piece of code, and what it seldom needs stands aside. */
#define HOT  static inline __attribute__((always_inline))
#define COLD static __attribute__((noinline))

/* One more or one fewer runnable: the siblings' parts of the VM's weight change with their next charge. */
static void count_runnable(struct sched_vm *vm, bool more)
{
    vm->n_runnable += more ? 1 : -1u;
    if (vm->n_vcpus > 1) sched_place_share(vm);
}

/* v has left its pCPU: what follows for its siblings, and for a turn that was not its own. */
COLD void was_taken_off(struct sched *s, struct sched_vcpu *v, int64_t now)
{
    if (s->has_skews) sched_skew_settle(s, vm_of(s, v), now);
    if (s->has_lends) sched_lend_over(s, v, now);
}

void sched_wake(struct sched *s, uint32_t id, int64_t now)
{
    struct sched_vcpu *v = vcpu_at(s, id);
    struct sched_vm *vm = vm_of(s, v);
    ASSERT(id < s->n_vcpus && v->where == SCHED_BLOCKED);
    count_runnable(vm, true);
    if (vm->reservation_ppm && vm->n_runnable == 1 && vm->due_ns < now) vm->due_ns = now;
    if (s->has_skews) sched_skew_wake(s, v, now);
    if (vm->quota_ns && !sched_limit_admit(s, v, now)) return;
    sched_place_runnable(s, v, SCHED_HOW_SLEEP, now);
}

void sched_block(struct sched *s, uint32_t id, int64_t now)
{
    struct sched_vcpu *v = vcpu_at(s, id);
    struct sched_vm *vm = vm_of(s, v);
    ASSERT(id < s->n_vcpus && v->where != SCHED_BLOCKED);
    bool ran = v->where == SCHED_RUNNING;
    if (v->where == SCHED_THROTTLED)
        sched_limit_forget(s, v);
    else if (is_stopped(s, v))
        sched_skew_forget(s, v);
    else
        sched_place_leave(s, v, SCHED_HOW_SLEEP, now);
    v->where = SCHED_BLOCKED;
    count_runnable(vm, false);
    if (ran && vm->quota_ns) sched_limit_release(s, v, now);
    if (s->smp) was_taken_off(s, v, now);
}

COLD void charge_smp(struct sched *s, struct sched_vcpu *v, int64_t ran_ns, int64_t now)
{
    if (s->gang.on) sched_gang_charge(s, v, ran_ns, now);
    if (s->has_skews) sched_skew_charge(s, v, ran_ns);
}

COLD void charge_special(struct sched *s, struct sched_vcpu *v, int64_t ran_ns, int64_t now)
{
    struct sched_vm *vm = vm_of(s, v);
    if (s->smp) charge_smp(s, v, ran_ns, now);
    if (vm->quota_ns) sched_limit_charge(s, v, ran_ns, now);
    if (vm->reservation_ppm) sched_reserve_charge(vm, ran_ns, now);
}

HOT void charge(struct sched *s, struct sched_queue *q, struct sched_vcpu *v, int64_t ran_ns, int64_t now)
{
    int64_t weighted = ran_ns;
    if (v->many) sched_place_weight(s, v, now);
    if (v->weight != SCHED_WEIGHT_ONE && s->cls->weighted) weighted = weigh(v, ran_ns);
    q->left_ns -= ran_ns;
    q->since_ns = now;
    if (s->balance) {
        v->served_ns += (uint64_t)weighted;
        q->served_ns += (uint64_t)weighted;
    }
    if (s->cls->charge) s->cls->charge(q, v, ran_ns, weighted, now);
    if (s->special) charge_special(s, v, ran_ns, now);
}

void sched_charge(struct sched *s, uint32_t id, int64_t ran_ns, int64_t now)
{
    struct sched_vcpu *v = vcpu_at(s, id);
    ASSERT(v->where == SCHED_RUNNING && ran_ns >= 0);
    charge(s, queue_at(s, v->pcpu), v, ran_ns, now);
}

/* Nobody here: takes work from elsewhere, if it may and there is any. */
COLD bool find_work(struct sched *s, struct sched_queue *q, int64_t now)
{
    struct sched_vcpu *v = s->steal && s->n_waiting ? sched_place_steal(s, q->pcpu) : NULL;
    if (!v) {
        s->n_idle += !(s->idle[WORD(q->pcpu)] & BIT(q->pcpu));
        s->idle[WORD(q->pcpu)] |= BIT(q->pcpu);
        return false;
    }
    sched_place_leave(s, v, SCHED_HOW_MOVE, now);
    sched_place_join(s, q->pcpu, v, SCHED_HOW_MOVE, now);
    drop_resched(s, q->pcpu);
    return true;
}

/* Its reservation's, its siblings' or its limit's word on how long a pick may run. */
HOT int64_t bounded(struct sched *s, struct sched_queue *q, int64_t run_ns, bool smp, int64_t now)
{
    if (s->has_reservations) run_ns = sched_reserve_bound(s, q, run_ns, now);
    if (smp && s->has_skews) run_ns = sched_skew_bound(s, q->current, run_ns, now);
    if (s->has_limits && vm_of(s, q->current)->quota_ns)
        run_ns = sched_limit_take(s, q->current, run_ns, now);
    return run_ns;
}

/* An idle pCPU may want the one that has just gone back among the waiting. */
COLD void offer(struct sched *s, const struct sched_vcpu *v)
{
    uint32_t idle = sched_place_idle(s, v);
    if (idle != SCHED_NONE) ask_resched(s, idle);
}

/* v takes the place of `was`, which goes back among the waiting. */
HOT void swap(struct sched *s, struct sched_queue *q, struct sched_vcpu *v, struct sched_vcpu *was,
              int64_t now)
{
    if (!was || s->special) {
        sched_place_unwait(s, q, v);
        if (was) sched_place_wait(s, q, was);
    } else {
        if (s->track) unlist_waiting(s, v), list_waiting(s, was);
        was->where = SCHED_QUEUED;
    }
    v->where = SCHED_RUNNING;
    q->current = v;
    if (!was) return;
    if (s->has_limits && vm_of(s, was)->quota_ns) sched_limit_release(s, was, now);
    if (s->steal && s->n_idle) offer(s, was);
}

/* The policy chooses, or takes `must`; somebody is there. */
HOT struct sched_pick choose(struct sched *s, struct sched_queue *q, struct sched_vcpu *must, int64_t now)
{
    struct sched_vcpu *was = q->current;
    struct sched_choice c = s->cls->pick(q, must, now);
    ASSUME(c.v);
    q->slice_ns = q->left_ns = c.run_ns;
    q->preempt = false;
    if (c.v != was) swap(s, q, c.v, was, now);
    if (q->was_idle) {
        q->was_idle = false;
        if (s->steal && s->n_idle && s->n_waiting) sched_place_kick(s);
    }
    return (struct sched_pick){c.v->id, c.run_ns};
}

/* The same as sched_pick where there are limits or reservations and, `smp`, relaxed siblings or turns given
 * away. */
HOT struct sched_pick pick_bounded(struct sched *s, struct sched_queue *q, bool smp, int64_t now)
{
    struct sched_vcpu *must = NULL, *lent = NULL;
    if (smp && q->current && s->has_skews) sched_skew_spent(s, q->current, now);
    if (q->current && s->has_limits) sched_limit_spent(s, q->current, now);
    if (s->has_reservations) {
        must = sched_reserve_first(s, q, now);
        if (!must && s->balance) must = sched_reserve_pull(s, q, now);
    }
    if (smp && q->next) lent = sched_lend_next(s, q, now);
    bool lasts = q->current && goes_on(q) && (must ? must == q->current : !q->reserved && !lent);
    q->reserved = must != NULL;
    if (must) lent = NULL;
    if (lasts) return (struct sched_pick){q->current->id, bounded(s, q, q->left_ns, smp, now)};
    if (!q->current && !q->n_waiting && !find_work(s, q, now))
        return (struct sched_pick){SCHED_NONE, SCHED_FOREVER};
    struct sched_vcpu *was = q->current;
    int64_t left = q->left_ns, slice = q->slice_ns;
    struct sched_pick p = choose(s, q, lent ? lent : must, now);
    if (lent) {
        p.run_ns = q->left_ns = left;
        q->slice_ns = slice;
    }
    if (smp && was && was->where == SCHED_QUEUED) was_taken_off(s, was, now);
    p.run_ns = bounded(s, q, p.run_ns, smp, now);
    return p;
}

COLD struct sched_pick pick_smp(struct sched *s, struct sched_queue *q, int64_t now)
{
    if (s->slots.on) return sched_slots_pick(s, q, now);
    return s->gang.on ? sched_gang_pick(s, q, now) : pick_bounded(s, q, true, now);
}

COLD struct sched_pick pick_special(struct sched *s, struct sched_queue *q, int64_t now)
{
    return s->smp ? pick_smp(s, q, now) : pick_bounded(s, q, false, now);
}

HOT struct sched_pick pick(struct sched *s, struct sched_queue *q, int64_t now)
{
    if (s->n_resched) drop_resched(s, q->pcpu);
    q->since_ns = now;
    if (s->special) return pick_special(s, q, now);
    if (q->current) {
        if (goes_on(q)) return (struct sched_pick){q->current->id, q->left_ns};
    } else if (!q->n_waiting && !find_work(s, q, now)) {
        return (struct sched_pick){SCHED_NONE, SCHED_FOREVER};
    }
    return choose(s, q, NULL, now);
}

struct sched_pick sched_pick(struct sched *s, uint32_t pcpu, int64_t now)
{
    ASSERT(pcpu < s->n_pcpus);
    return pick(s, queue_at(s, pcpu), now);
}

struct sched_pick sched_turn(struct sched *s, uint32_t pcpu, int64_t ran_ns, int64_t now)
{
    ASSERT(pcpu < s->n_pcpus && ran_ns >= 0);
    struct sched_queue *q = queue_at(s, pcpu);
    ASSERT(q->current);
    charge(s, q, q->current, ran_ns, now);
    return pick(s, q, now);
}

void sched_started(struct sched *s, uint32_t pcpu, int64_t now)
{
    queue_at(s, pcpu)->since_ns = now;
}

static inline int64_t next_tick(const struct sched *s)
{
    int64_t at = SCHED_FOREVER;
    if (s->cls->tick_ns && s->n_runnable) at = s->class_tick_at_ns;
    if (s->balance && s->n_waiting && s->balance_at_ns < at) at = s->balance_at_ns;
    const struct sched_node *timer = s->timers;
    return timer && timer->key < at ? timer->key : at;
}

int64_t sched_next_tick(const struct sched *s)
{
    return next_tick(s);
}

int64_t sched_poll(const struct sched *s)
{
    return s->n_resched || s->first_changed ? -1 : next_tick(s);
}

int64_t sched_tick(struct sched *s, int64_t now)
{
    if (s->cls->tick_ns && s->n_runnable && now >= s->class_tick_at_ns) {
        s->class_tick_at_ns = (now / s->cls->tick_ns + 1) * s->cls->tick_ns;
        for (uint32_t p = 0; p < s->n_pcpus; p++)
            s->cls->tick(queue_at(s, p), now);
    }
    sched_limit_tick(s, now);
    if (s->balance && s->n_waiting && now >= s->balance_at_ns) sched_balance_tick(s, now);
    return sched_next_tick(s);
}

void sched_set(struct sched *s, uint32_t i, uint32_t weight, int64_t quota_ns, int64_t period_ns,
               uint32_t reservation_ppm, int64_t now)
{
    struct sched_vm *vm = &s->vms[i];
    ASSERT(i < s->n_vms && weight >= 1 && quota_ns >= 0 && (!quota_ns || period_ns > 0));
    if (vm->weight != weight) {
        vm->weight = weight;
        sched_place_share(vm);
        for (uint32_t k = 0; k < vm->n_vcpus; k++)
            sched_place_weight(s, vcpu_at(s, vm->first_vcpu + k), now);
    }
    if (vm->reservation_ppm != reservation_ppm) sched_reserve_set(s, vm, reservation_ppm, now);
    if (vm->quota_ns != quota_ns || (quota_ns && vm->period_ns != period_ns))
        sched_limit_set(s, vm, quota_ns, period_ns, now);
}

uint32_t sched_take_resched(struct sched *s)
{
    if (!s->n_resched) return SCHED_NONE;
    uint32_t w = 0;
    while (!s->resched[w])
        w++;
    uint32_t pcpu = w * 64 + (uint32_t)__builtin_ctzll(s->resched[w]);
    drop_resched(s, pcpu);
    return pcpu;
}

uint32_t sched_take_changed(struct sched *s)
{
    struct sched_vcpu *v = s->first_changed;
    if (!v) return SCHED_NONE;
    s->first_changed = v->next_changed;
    if (!s->first_changed) s->last_changed = NULL;
    v->changed = false;
    return v->id;
}

enum sched_where sched_where(const struct sched *s, uint32_t v)
{
    return (enum sched_where)vcpu_at(s, v)->where;
}

uint32_t sched_current(const struct sched *s, uint32_t pcpu)
{
    const struct sched_vcpu *v = queue_at(s, pcpu)->current;
    return v ? v->id : SCHED_NONE;
}

uint32_t sched_pcpu(const struct sched *s, uint32_t v)
{
    return vcpu_at(s, v)->pcpu;
}
