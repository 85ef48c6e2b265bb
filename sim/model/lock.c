// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/lock.h"

#include <stdlib.h>

#include "model/guest.h"

struct waiter {
    uint32_t task;
    int64_t since_ns;
};

struct locks {
    uint32_t holder;  /* a task; NONE: it is free */
    int64_t asked_ns; /* by the holder */
    bool holds;       /* it knows that it has the lock */
    uint32_t lender;  /* the task that gave the holder its turn; NONE */
    struct waiter *line;
    uint32_t head, n, cap; /* cap is a power of two */
    struct lock_stats stats;
};

static struct locks *locks_of(struct vm *vm)
{
    if (vm->locks) return vm->locks;
    vm->locks = calloc(1, sizeof *vm->locks);
    ASSERT(vm->locks);
    vm->locks->holder = vm->locks->lender = NONE;
    return vm->locks;
}

void lock_done(struct vm *vm)
{
    if (!vm->locks) return;
    free(vm->locks->line);
    free(vm->locks);
    vm->locks = NULL;
}

struct lock_stats lock_stats(const struct vm *vm)
{
    return vm->locks ? vm->locks->stats : (struct lock_stats){0};
}

static bool in_line(const struct locks *l, uint32_t t)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (l->line[(l->head + i) & (l->cap - 1)].task == t) return true;
    return false;
}

static void grow(struct locks *l)
{
    uint32_t cap = l->cap ? 2 * l->cap : 8;
    struct waiter *line = calloc(cap, sizeof *line);
    ASSERT(line);
    for (uint32_t i = 0; i < l->n; i++)
        line[i] = l->line[(l->head + i) & (l->cap - 1)];
    free(l->line);
    l->line = line;
    l->cap = cap;
    l->head = 0;
}

static void stand_in_line(struct locks *l, uint32_t t, int64_t now)
{
    if (l->n == l->cap) grow(l);
    l->line[(l->head + l->n++) & (l->cap - 1)] = (struct waiter){t, now};
}

static enum lock_said hold(struct locks *l, int64_t now)
{
    int64_t waited = now - l->asked_ns;
    l->holds = true;
    l->stats.taken++;
    l->stats.waited += waited > 0;
    l->stats.wait_ns += waited;
    if (waited > l->stats.longest_ns) l->stats.longest_ns = waited;
    return LOCK_HOLD;
}

static struct vcpu *vcpu_of(const struct model *m, const struct vm *vm, uint32_t t)
{
    return &m->vcpus[vm->tasks[t].vcpu];
}

/* Its vCPU runs, or waits to, with this task on it. */
static bool has_vcpu(const struct model *m, const struct vm *vm, uint32_t t)
{
    return vm->tasks[t].where == TASK_ON && vcpu_of(m, vm, t)->task == t;
}

/* t looks what has become of the holder. */
static enum lock_said look(struct model *m, struct vm *vm, uint32_t t)
{
    struct locks *l = vm->locks;
    const struct vcpu *own = vcpu_of(m, vm, t), *its = vcpu_of(m, vm, l->holder);
    if (!has_vcpu(m, vm, l->holder)) return LOCK_WAIT;
    if (its->at || l->lender != NONE || !own->at) return LOCK_SPIN;
    if (!sched_yield_to(vm->host->sched, own->in_sched, its->in_sched, sim_now(m->sim))) return LOCK_SPIN;
    l->lender = t;
    l->stats.yields++;
    return LOCK_SPIN;
}

enum lock_said lock_take(struct model *m, struct vm *vm, uint32_t t)
{
    struct locks *l = locks_of(vm);
    int64_t now = sim_now(m->sim);
    if (l->holder == t) return hold(l, now);
    if (l->holder == NONE) {
        l->holder = t;
        l->asked_ns = now;
        return hold(l, now);
    }
    bool again = in_line(l, t);
    if (!again) stand_in_line(l, t, now);
    bool yields = vm->tasks[t].act.step->how == PROG_YIELD;
    return again && yields ? look(m, vm, t) : LOCK_SPIN;
}

int64_t lock_spin_ns(const struct vm *vm, uint32_t t)
{
    return vm->tasks[t].act.step->how == PROG_YIELD ? LOCK_LOOK_NS : INT64_MAX;
}

/* The lock is w's: its spinning or its wait is over. */
static void hand_to(struct model *m, struct vm *vm, uint32_t w)
{
    if (vm->tasks[w].where == TASK_WAITS)
        guest_wake_task(m, vm, w);
    else
        guest_cut(m, vm, w, guest_ran_ns(m, vm, w));
}

void lock_release(struct model *m, struct vm *vm, uint32_t t)
{
    struct locks *l = vm->locks;
    ASSERT(l->holder == t && l->holds);
    uint32_t lender = l->lender;
    l->holder = l->lender = NONE;
    l->holds = false;
    if (l->n) {
        struct waiter w = l->line[l->head];
        l->head = (l->head + 1) & (l->cap - 1);
        l->n--;
        l->holder = w.task;
        l->asked_ns = w.since_ns;
        hand_to(m, vm, w.task);
    }
    if (lender == NONE || !has_vcpu(m, vm, lender)) return;
    const struct vcpu *own = vcpu_of(m, vm, t), *its = vcpu_of(m, vm, lender);
    struct sched *s = vm->host->sched;
    if (sched_pcpu(s, own->in_sched) != sched_pcpu(s, its->in_sched)) return; /* that turn is over */
    sched_yield_to(s, own->in_sched, its->in_sched, sim_now(m->sim));
}
