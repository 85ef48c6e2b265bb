// SPDX-License-Identifier: GPL-3.0-or-later
/* sched_world.h - a machine of integers to try the scheduler on: pCPUs, vCPUs that run and sleep, a clock.
 *
 * It needs neither engine nor model. It does the caller's part of sched.h to the letter, keeps its own
 * books of who ran when, and after every call checks what must always hold (world_check). A vCPU runs its
 * work and sleeps in turn, or never sleeps. A slice may end late, as on a real clock. */
#ifndef VLAB_TESTS_SCHED_WORLD_H
#define VLAB_TESTS_SCHED_WORLD_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "policy/sched.h"

/* As ck_assert, but a check that holds costs no message to the parent: there are millions. */
#define MUST(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond)) ck_abort_msg("%s does not hold", #cond);                                                \
    } while (0)

enum { WORLD_PCPUS = 8, WORLD_VMS = 64, WORLD_VCPUS = 256 };

struct world_vm {
    uint32_t weight, n_vcpus, first, reservation;
    int64_t quota, period;
    const uint64_t *pins;
    enum sched_cosched cosched;
    bool asleep;            /* at the start */
    int64_t work, sleep;    /* means of its turns, uniform in [0, 2 x mean]; 0: never sleeps */
    struct rng *rng;        /* that they are drawn from; NULL: the world's */
    int64_t grain;          /* they, and times of waking, are whole multiples of it; 0: 1 ns */
    int64_t in_period;      /* run of the period under way */
    int64_t period_no;      /* its number */
    int64_t debt, max_debt; /* run beyond quotas and not made up for */
};

struct world_vcpu {
    uint32_t vm, on; /* the pCPU it runs on */
    int64_t work;    /* left until it sleeps; -1: for ever */
    int64_t wake_at; /* -1: not by itself */
    int64_t ran, ready_ns, throttled_ns, done_at, wait_from, longest_wait;
    enum sched_where where, told;
};

struct world {
    struct sched *s;
    struct sched_cfg cfg;
    struct sched_vm_cfg vm_cfg[WORLD_VMS];
    struct world_vm vm[WORLD_VMS];
    struct world_vcpu v[WORLD_VCPUS];
    struct {
        uint32_t vcpu;
        int64_t from, ends, promised;
    } p[WORLD_PCPUS];
    int64_t now, tick_at, accounted;
    bool ticks_last; /* of what happens at one time; else they are first */
    void (*ran)(struct world *w, uint32_t v, uint32_t p, int64_t from); /* up to now; may be NULL */
    void *ran_ctx;
    bool late;       /* ends of slices up to 20 % and up to 2 ms late */
    bool strict;     /* a gang is somewhere: one queue */
    bool conserving; /* idle stealing: nobody waits while a pCPU it may use is idle */
    struct rng rng;
    uint64_t calls, hash; /* of all answers */
};

static inline void world_begin(struct world *w, const char *cls, uint32_t n_pcpus)
{
    memset(w, 0, sizeof *w);
    w->cfg = (struct sched_cfg){.cls = sched_class_find(cls), .n_pcpus = n_pcpus, .vms = w->vm_cfg};
    ck_assert_ptr_nonnull(w->cfg.cls);
}

static inline void world_vm(struct world *w, struct world_vm vm)
{
    uint32_t i = w->cfg.n_vms++;
    vm.first = w->cfg.n_vcpus;
    w->cfg.n_vcpus += vm.n_vcpus;
    ck_assert(w->cfg.n_vms <= WORLD_VMS && w->cfg.n_vcpus <= WORLD_VCPUS);
    w->vm[i] = vm;
    w->vm_cfg[i] = (struct sched_vm_cfg){vm.weight, vm.first,  vm.n_vcpus, vm.reservation,
                                         vm.quota,  vm.period, vm.pins,    vm.cosched};
    for (uint32_t k = 0; k < vm.n_vcpus; k++)
        w->v[vm.first + k] =
            (struct world_vcpu){.vm = i, .work = vm.work ? 0 : -1, .wake_at = -1, .on = SCHED_NONE};
}

static inline int64_t world_below(struct world *w, int64_t n)
{
    return n > 0 ? (int64_t)((uint64_t)rng_u32(&w->rng) << 20 | rng_u32(&w->rng) >> 12) % n : 0;
}

/* A seat that nobody has. */
static inline bool world_free(const struct world *w, uint32_t v)
{
    const struct world_vm *vm = &w->vm[w->v[v].vm];
    return v < vm->first || v - vm->first >= vm->n_vcpus;
}

/* As world_below, of a VM's own, from 1 up. */
static inline int64_t world_turn(struct world *w, const struct world_vm *vm, int64_t mean)
{
    struct rng *r = vm->rng ? vm->rng : &w->rng;
    uint64_t x = (uint64_t)rng_u32(r) << 20;
    x |= rng_u32(r) >> 12;
    return 1 + (int64_t)(x % (uint64_t)(2 * mean));
}

static inline int64_t world_grain(const struct world_vm *vm, int64_t t)
{
    return vm->grain ? (t + vm->grain - 1) / vm->grain * vm->grain : t;
}

static inline bool world_allowed(const struct world *w, uint32_t v, uint32_t p)
{
    const uint64_t *pins = w->vm[w->v[v].vm].pins;
    return !pins || pins[p / 64] >> (p % 64) & 1;
}

/* Each vCPU is in exactly one place, where the world thinks it is; pins hold; nobody waits needlessly. */
static inline void world_check(struct world *w, bool settled)
{
    uint32_t on[WORLD_VCPUS];
    w->calls++;
    for (uint32_t v = 0; v < w->cfg.n_vcpus; v++)
        on[v] = SCHED_NONE;
    for (uint32_t p = 0; p < w->cfg.n_pcpus; p++) {
        uint32_t v = sched_current(w->s, p);
        if (v == SCHED_NONE) continue;
        MUST(v < w->cfg.n_vcpus);
        MUST((on[v]) == (SCHED_NONE));
        on[v] = p;
        MUST((sched_where(w->s, v)) == (SCHED_RUNNING));
        MUST(world_allowed(w, v, p));
    }
    for (uint32_t v = 0; v < w->cfg.n_vcpus; v++) {
        if (world_free(w, v)) continue;
        enum sched_where where = sched_where(w->s, v);
        MUST((where == SCHED_RUNNING) == (on[v] != SCHED_NONE));
        MUST((where == SCHED_BLOCKED) == (w->v[v].where == SCHED_BLOCKED));
        if (where == SCHED_QUEUED && sched_pcpu(w->s, v) != SCHED_NONE)
            MUST(world_allowed(w, v, sched_pcpu(w->s, v)));
        if (where == SCHED_RUNNING) MUST((sched_pcpu(w->s, v)) == (on[v]));
        if (where == SCHED_THROTTLED) MUST(w->vm[w->v[v].vm].quota != 0);
        if (settled) MUST((where == SCHED_THROTTLED) == (w->v[v].told == SCHED_THROTTLED));
        if (!settled || where != SCHED_QUEUED || !w->conserving) continue;
        for (uint32_t p = 0; p < w->cfg.n_pcpus; p++)
            if (sched_current(w->s, p) == SCHED_NONE) MUST(!world_allowed(w, v, p));
    }
}

/* What co-scheduling promises, between the caller's calls: a strict gang runs whole or not at all, and only
 * relaxed and strict ones are stopped; balanced siblings are never in the same queue. */
static inline void world_check_siblings(struct world *w)
{
    for (uint32_t i = 0; i < w->cfg.n_vms; i++) {
        const struct world_vm *vm = &w->vm[i];
        uint32_t ready = 0, running = 0, pcpus = 0;
        for (uint32_t p = 0; p < w->cfg.n_pcpus; p++)
            pcpus += world_allowed(w, vm->first, p);
        bool possible = vm->cosched && !w->cfg.fixed_slots && vm->n_vcpus > 1 && vm->n_vcpus <= pcpus;
        uint64_t in[(WORLD_PCPUS + 63) / 64] = {0};
        for (uint32_t v = vm->first; v < vm->first + vm->n_vcpus; v++) {
            enum sched_where where = sched_where(w->s, v);
            ready += where == SCHED_QUEUED || where == SCHED_RUNNING || where == SCHED_COSTOPPED;
            running += where == SCHED_RUNNING;
            if (where == SCHED_COSTOPPED) MUST(possible && vm->cosched != SCHED_COSCHED_BALANCE);
            MUST((where == SCHED_COSTOPPED) == (w->v[v].told == SCHED_COSTOPPED));
            if (!possible || vm->cosched != SCHED_COSCHED_BALANCE || w->strict) continue;
            if (where != SCHED_RUNNING && where != SCHED_QUEUED) continue;
            uint32_t p = sched_pcpu(w->s, v);
            MUST(!(in[p / 64] >> (p % 64) & 1));
            in[p / 64] |= UINT64_C(1) << (p % 64);
        }
        if (possible && vm->cosched == SCHED_COSCHED_STRICT) MUST(running == 0 || running == ready);
        w->strict = w->strict || (possible && vm->cosched == SCHED_COSCHED_STRICT);
    }
}

/* Closes a period of a VM with a quota: what it ran beyond is to be made up for by the next ones. */
static inline void world_period(struct world_vm *vm, int64_t now)
{
    while (vm->quota && now / vm->period > vm->period_no) {
        vm->debt += vm->in_period - vm->quota;
        if (vm->debt < 0) vm->debt = 0;
        if (vm->debt > vm->max_debt) vm->max_debt = vm->debt;
        vm->in_period = 0;
        vm->period_no++;
        if (!vm->debt) vm->period_no = now / vm->period;
    }
}

static inline void world_ran(struct world *w, uint32_t v, int64_t ran)
{
    w->v[v].ran += ran;
    if (w->v[v].work >= 0) w->v[v].work -= ran;
}

/* What the VM's vCPUs run in w->accounted .. to, each period its own. */
static inline void world_quota(struct world *w, struct world_vm *vm, int64_t to)
{
    uint32_t running = 0;
    for (uint32_t k = 0; k < vm->n_vcpus; k++)
        running += w->v[vm->first + k].on != SCHED_NONE;
    for (int64_t t = w->accounted, end; vm->quota && t < to; t = end) {
        end = (t / vm->period + 1) * vm->period;
        if (end > to) end = to;
        vm->in_period += (end - t) * running;
        world_period(vm, end);
    }
}

/* Ready and throttled time up to now, from the states as the scheduler tells them. */
static inline void world_account(struct world *w, int64_t to)
{
    for (uint32_t i = 0; i < w->cfg.n_vms; i++)
        world_quota(w, &w->vm[i], to);
    for (uint32_t v = 0; v < w->cfg.n_vcpus && to > w->accounted; v++) {
        if (w->v[v].where == SCHED_QUEUED) w->v[v].ready_ns += to - w->accounted;
        if (w->v[v].where == SCHED_THROTTLED) w->v[v].throttled_ns += to - w->accounted;
    }
    w->accounted = to > w->accounted ? to : w->accounted;
}

static inline void world_look(struct world *w)
{
    for (uint32_t i = 0; i < w->cfg.n_vcpus; i++) {
        struct world_vcpu *v = &w->v[i];
        if (world_free(w, i)) continue;
        enum sched_where where = sched_where(w->s, i);
        if (where == SCHED_QUEUED && v->where != SCHED_QUEUED) v->wait_from = w->now;
        if (where != SCHED_QUEUED && v->where == SCHED_QUEUED && w->now - v->wait_from > v->longest_wait)
            v->longest_wait = w->now - v->wait_from;
        v->where = where;
    }
}

static inline void world_pick(struct world *w, uint32_t p)
{
    struct sched_pick k = sched_pick(w->s, p, w->now);
    w->p[p].vcpu = k.vcpu;
    w->hash = rng_mix(w->hash ^ ((uint64_t)p << 40) ^ k.vcpu ^ (uint64_t)w->now) + (uint64_t)k.run_ns;
    MUST((sched_current(w->s, p)) == (k.vcpu));
    world_look(w);
    world_check(w, false);
    if (k.vcpu == SCHED_NONE) return;
    struct world_vcpu *v = &w->v[k.vcpu];
    MUST(k.run_ns > 0);
    v->on = p;
    int64_t run = k.run_ns;
    if (w->late) run += world_below(w, run / 5 < 2000000 ? run / 5 + 1 : 2000000);
    if (v->work >= 0 && v->work < run) run = v->work;
    w->p[p].from = w->now;
    w->p[p].promised = k.run_ns;
    w->p[p].ends = w->now + run;
}

static inline int64_t world_slice(const struct world *w, uint32_t p)
{
    return w->p[p].promised;
}

/* Whoever runs on p stops: it is charged, and sleeps if its work is done. */
static inline void world_stop(struct world *w, uint32_t p)
{
    uint32_t i = w->p[p].vcpu;
    if (i == SCHED_NONE) return;
    struct world_vcpu *v = &w->v[i];
    world_ran(w, i, w->now - w->p[p].from);
    if (w->ran && w->now > w->p[p].from) w->ran(w, i, p, w->p[p].from);
    sched_charge(w->s, i, w->now - w->p[p].from, w->now);
    w->p[p].vcpu = SCHED_NONE;
    v->on = SCHED_NONE;
    world_look(w);
    world_check(w, false);
    if (v->work != 0) return;
    const struct world_vm *vm = &w->vm[v->vm];
    v->done_at = w->now;
    v->wake_at = vm->sleep ? world_grain(vm, w->now + world_turn(w, vm, vm->sleep)) : -1;
    sched_block(w->s, i, w->now);
    world_look(w);
    world_check(w, false);
}

static inline void world_settle(struct world *w)
{
    for (;;) {
        uint32_t p = sched_take_resched(w->s), v;
        while ((v = sched_take_changed(w->s)) != SCHED_NONE)
            w->v[v].told = sched_where(w->s, v);
        if (p == SCHED_NONE) break;
        world_stop(w, p);
        world_pick(w, p);
    }
    world_look(w);
    world_check(w, true);
    world_check_siblings(w);
    w->tick_at = sched_next_tick(w->s);
    MUST(w->tick_at > w->now || (w->ticks_last && w->tick_at == w->now));
}

static inline void world_wake(struct world *w, uint32_t v)
{
    const struct world_vm *vm = &w->vm[w->v[v].vm];
    w->v[v].wake_at = -1;
    if (vm->work) w->v[v].work = world_grain(vm, world_turn(w, vm, vm->work));
    w->v[v].where = w->v[v].told = SCHED_QUEUED;
    w->v[v].wait_from = w->now;
    sched_wake(w->s, v, w->now);
    world_look(w);
    world_check(w, false);
    world_settle(w);
}

static inline void world_set(struct world *w, uint32_t vm, uint32_t weight, int64_t quota, int64_t period,
                             uint32_t ppm)
{
    sched_set(w->s, vm, weight, quota, period, ppm, w->now);
    w->vm[vm].weight = weight;
    w->vm[vm].quota = quota;
    w->vm[vm].period = period;
    w->vm[vm].in_period = w->vm[vm].debt = 0;
    w->vm[vm].period_no = quota ? w->now / period : 0;
    world_look(w);
    world_settle(w);
}

/* A VM comes; its number, and its vCPUs wake. SCHED_NONE: no room. */
static inline uint32_t world_attach(struct world *w, struct world_vm vm)
{
    struct sched_vm_cfg cfg = {vm.weight, 0,         vm.n_vcpus, vm.reservation,
                               vm.quota,  vm.period, vm.pins,    vm.cosched};
    uint32_t i = sched_attach(w->s, &cfg, w->now, &vm.first);
    if (i == SCHED_NONE) return i;
    MUST(i < WORLD_VMS && vm.first + vm.n_vcpus <= WORLD_VCPUS && w->vm[i].n_vcpus == 0);
    if (vm.quota) vm.period_no = w->now / vm.period;
    w->vm[i] = vm;
    if (i >= w->cfg.n_vms) w->cfg.n_vms = i + 1;
    if (vm.first + vm.n_vcpus > w->cfg.n_vcpus) w->cfg.n_vcpus = vm.first + vm.n_vcpus;
    for (uint32_t v = vm.first; v < vm.first + vm.n_vcpus; v++)
        w->v[v] = (struct world_vcpu){.vm = i, .work = vm.work ? 0 : -1, .wake_at = -1, .on = SCHED_NONE};
    for (uint32_t v = vm.first; v < vm.first + vm.n_vcpus && !vm.asleep; v++)
        world_wake(w, v);
    return i;
}

static inline void world_detach(struct world *w, uint32_t i)
{
    for (uint32_t v = w->vm[i].first; v < w->vm[i].first + w->vm[i].n_vcpus; v++) {
        uint32_t p = w->v[v].on;
        w->v[v].work = 0; /* where it runs it stops, and sleeps */
        if (p != SCHED_NONE) world_stop(w, p);
        if (sched_where(w->s, v) != SCHED_BLOCKED) sched_block(w->s, v, w->now);
        w->v[v].told = SCHED_BLOCKED;
        world_look(w);
        if (p != SCHED_NONE) world_pick(w, p);
        world_settle(w);
        w->v[v] = (struct world_vcpu){.vm = i, .wake_at = -1, .on = SCHED_NONE};
    }
    sched_detach(w->s, i, w->now);
    w->vm[i].n_vcpus = 0;
    w->vm[i].quota = 0;
    world_settle(w);
}

static inline void world_start(struct world *w, uint64_t seed)
{
    size_t size = sched_size(&w->cfg);
    ck_assert_uint_gt(size, 0);
    w->rng = (struct rng){rng_mix(seed), 2 * seed + 1};
    w->s = sched_init(calloc(1, size), &w->cfg);
    w->conserving = w->cfg.balance_idle;
    for (uint32_t i = 0; i < w->cfg.n_vms; i++)
        if (w->vm[i].cosched == SCHED_COSCHED_STRICT) w->conserving = false;
    w->strict = w->cfg.n_pcpus > 1 && w->cfg.room_cosched >> SCHED_COSCHED_STRICT & 1;
    if (w->strict || w->cfg.fixed_slots) w->conserving = false;
    for (uint32_t p = 0; p < w->cfg.n_pcpus; p++)
        w->p[p].vcpu = SCHED_NONE;
    for (uint32_t v = 0; v < w->cfg.n_vcpus; v++)
        if (!w->vm[w->v[v].vm].asleep) world_wake(w, v);
    world_settle(w);
}

static inline void world_end(struct world *w)
{
    free(w->s);
}

/* t is before `at`, a tick's time or, `found`, another's. */
static inline bool world_sooner(const struct world *w, int64_t t, int64_t at, bool found)
{
    return t < at || (t == at && w->ticks_last && !found);
}

/* Up to and including what happens at `until`; of equal times ticks come first, then slices, then wakes. */
static inline void world_run(struct world *w, int64_t until)
{
    for (;;) {
        int64_t at = w->tick_at;
        uint32_t p_next = SCHED_NONE, v_next = SCHED_NONE;
        for (uint32_t p = 0; p < w->cfg.n_pcpus; p++)
            if (w->p[p].vcpu != SCHED_NONE && world_sooner(w, w->p[p].ends, at, p_next != SCHED_NONE))
                at = w->p[p].ends, p_next = p;
        for (uint32_t v = 0; v < w->cfg.n_vcpus; v++)
            if (w->v[v].wake_at >= 0 &&
                world_sooner(w, w->v[v].wake_at, at, p_next != SCHED_NONE || v_next != SCHED_NONE))
                at = w->v[v].wake_at, v_next = v;
        if (at > until) break;
        world_account(w, at);
        w->now = at;
        if (v_next != SCHED_NONE) {
            world_wake(w, v_next);
            continue;
        }
        if (p_next != SCHED_NONE) {
            world_stop(w, p_next);
            world_pick(w, p_next);
        } else {
            sched_tick(w->s, w->now);
            world_look(w);
        }
        world_settle(w);
    }
    world_account(w, until);
    w->now = until;
    /* What runs on is counted up to here, so that sums can be compared with the clock. */
    for (uint32_t p = 0; p < w->cfg.n_pcpus; p++) {
        if (w->p[p].vcpu == SCHED_NONE || w->p[p].from == until) continue;
        uint32_t v = w->p[p].vcpu;
        world_ran(w, v, until - w->p[p].from);
        if (w->ran) w->ran(w, v, p, w->p[p].from);
        sched_charge(w->s, v, until - w->p[p].from, until);
        w->p[p].from = until;
    }
    world_settle(w);
}

#endif
