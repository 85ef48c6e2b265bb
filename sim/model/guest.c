// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/guest.h"

#include <stdlib.h>

#include "model/cpu.h"
#include "model/disk.h"
#include "model/mem.h"
#include "model/mode.h"
#include "model/power.h"
#include "model/secret.h"
#include "model/step.h"
#include "model/thread.h"
#include "model/work.h"

int64_t guest_at_speed_ns(uint32_t ppm, int64_t work_ns)
{
    __int128 t = ((__int128)work_ns * 1000000 + ppm - 1) / ppm;
    return t > INT64_MAX ? INT64_MAX - 1 : (int64_t)t;
}

/* Time on a core of one speed, on one of another. */
static int64_t rescaled(int64_t ns, uint32_t from_ppm, uint32_t to_ppm)
{
    if (ns == INT64_MAX) return ns;
    __int128 t = ((__int128)ns * from_ppm + to_ppm - 1) / to_ppm;
    return t >= INT64_MAX ? INT64_MAX - 1 : (int64_t)t;
}

/* --- the guest's queue of runnable tasks without a vCPU --- */

static void queue_push(struct vm *vm, uint32_t t)
{
    struct task *k = &vm->tasks[t];
    k->where = TASK_QUEUED;
    k->next = NONE;
    k->prev = vm->run_tail;
    if (vm->run_tail != NONE)
        vm->tasks[vm->run_tail].next = t;
    else
        vm->run_head = t;
    vm->run_tail = t;
}

static void queue_remove(struct vm *vm, uint32_t t)
{
    struct task *k = &vm->tasks[t];
    if (k->prev != NONE)
        vm->tasks[k->prev].next = k->next;
    else
        vm->run_head = k->next;
    if (k->next != NONE)
        vm->tasks[k->next].prev = k->prev;
    else
        vm->run_tail = k->prev;
}

/* No switch is to be paid. */
static inline void grant_work(struct vcpu *v, const struct task *k)
{
    v->paying = TOLL_NONE;
    v->overhead = k->overhead;
    v->burst_ns = v->granted_ns = k->left_ns < k->quantum_ns ? k->left_ns : k->quantum_ns;
}

static void grant(struct vcpu *v, const struct task *k)
{
    grant_work(v, k);
    if (__builtin_expect((v->toll_ns[0] | v->toll_ns[1]) == 0, 1)) return;
    v->paying = v->toll_ns[0] == 0;
    v->overhead = v->paying;
    v->burst_ns = v->granted_ns = v->toll_ns[v->paying];
}

/* Another task than the last comes to this vCPU: the guest's own switch has a price. */
static void change_task(struct vm *vm, struct vcpu *v, uint32_t t)
{
    if (v->last_task != NONE && v->last_task != t) {
        struct mode_cost c = mode_events(vm, OP_CONTEXT_SWITCH, 1);
        v->toll_ns[0] += c.useful_ns;
        v->toll_ns[1] += c.overhead_ns;
    }
    v->last_task = t;
}

static void put_on(struct vm *vm, struct vcpu *v, uint32_t t)
{
    struct task *k = &vm->tasks[t];
    k->where = TASK_ON;
    k->vcpu = v->index;
    k->quantum_ns = vm->quantum_ns;
    v->task = t;
    if (vm->switches) change_task(vm, v, t);
    grant(v, k);
}

/* A task can run: on the free vCPU it had, on the lowest free one, or when its turn comes. */
static void runnable(struct model *m, struct vm *vm, uint32_t t)
{
    uint32_t vi = vm->tasks[t].vcpu;
    if (m->vcpus[vi].task != NONE)
        for (vi = vm->first_vcpu; vi < vm->first_vcpu + vm->n_vcpus; vi++)
            if (m->vcpus[vi].task == NONE) break;
    if (vi == vm->first_vcpu + vm->n_vcpus) {
        queue_push(vm, t);
        return;
    }
    put_on(vm, &m->vcpus[vi], t);
    cpu_wake(m, &m->vcpus[vi]);
}

/* --- what the CPU asks --- */

void guest_settle(struct vcpu *v)
{
    struct vm *vm = v->vm;
    if (!vm || v->task >= TASK_BOOT) {
        if (vm) vm->charged_ns += v->granted_ns - v->burst_ns;
        v->granted_ns = v->burst_ns;
        return;
    }
    struct task *k = &vm->tasks[v->task];
    int64_t used = v->granted_ns - v->burst_ns;
    v->granted_ns = v->burst_ns;
    vm->charged_ns += used;
    if (v->paying != TOLL_NONE) {
        v->toll_ns[v->paying] -= used;
        return;
    }
    if (k->quantum_ns != INT64_MAX) k->quantum_ns -= used;
    if (k->kind != STEP_BUSY) k->left_ns -= used; /* a busy step is ended by its timer, not by its work */
    ASSERT(k->left_ns >= 0 && k->quantum_ns >= 0);
}

bool guest_proceed(struct model *m, struct vcpu *v)
{
    struct vm *vm = v->vm;
    uint32_t t = v->task;
    if (!vm) return thread_proceed(m, v);
    if (__builtin_expect(t == TASK_BOOT, 0)) {
        guest_settle(v);
        v->task = NONE;
        power_booted_cpu(m, vm);
        return false;
    }
    bool paying = v->paying != TOLL_NONE;
    guest_settle(v);
    if (paying && (v->toll_ns[0] | v->toll_ns[1]) != 0) { /* the switch is paid before anything else */
        grant(v, &vm->tasks[t]);
        return true;
    }
    bool runnable = vm->tasks[t].left_ns != 0 || step_advance(m, vm, t);
    if (vm->timer_at != timers_next(&vm->timers)) guest_arm(m, vm);
    if (runnable && vm->tasks[t].quantum_ns == 0 && vm->run_head == NONE)
        vm->tasks[t].quantum_ns = vm->quantum_ns;
    if (runnable && vm->tasks[t].quantum_ns > 0) {
        grant_work(v, &vm->tasks[t]);
        return true;
    }
    if (runnable && vm->mem) mem_leaves(m, v);
    v->task = NONE;
    if (runnable) queue_push(vm, t);
    t = vm->run_head;
    if (t == NONE) return false;
    queue_remove(vm, t);
    put_on(vm, v, t);
    return true;
}

/* --- waits --- */

/* A wait's place in vcpu.waiting; below 0: it is of no kind that has one. */
static int wait_slot(uint8_t state)
{
    return state >= VCPU_SWAPWAIT && state <= VCPU_NETWAIT ? state - VCPU_SWAPWAIT : -1;
}

enum vcpu_state guest_waits_as(const struct vcpu *v)
{
    if (v->vm && (v->vm->off || v->vm->held)) return VCPU_DOWN;
    if ((v->waiting[0] | v->waiting[1] | v->waiting[2]) == 0) return VCPU_IDLE;
    for (int i = 0; i < 3; i++)
        if (v->waiting[i]) return (enum vcpu_state)(VCPU_SWAPWAIT + i);
    return VCPU_IDLE;
}

void guest_wait(struct model *m, struct vm *vm, uint32_t t, enum vcpu_state as)
{
    struct task *k = &vm->tasks[t];
    struct vcpu *v = &m->vcpus[k->vcpu];
    k->where = TASK_WAITS;
    k->waits = (uint8_t)as;
    if (wait_slot(k->waits) < 0) return;
    v->waiting[wait_slot(k->waits)]++;
    cpu_look(v);
}

void guest_wake_task(struct model *m, struct vm *vm, uint32_t t)
{
    struct task *k = &vm->tasks[t];
    if (vm->off) return;
    ASSERT(k->where == TASK_WAITS);
    if (wait_slot(k->waits) >= 0) {
        m->vcpus[k->vcpu].waiting[wait_slot(k->waits)]--;
        cpu_look(&m->vcpus[k->vcpu]);
    }
    if (step_advance(m, vm, t)) runnable(m, vm, t);
    if (vm->timer_at != timers_next(&vm->timers)) guest_arm(m, vm);
}

/* The work of the task's piece that is done but not settled. */
static int64_t unsettled_ns(const struct model *m, const struct vm *vm, const struct task *k)
{
    const struct vcpu *v = &m->vcpus[k->vcpu];
    if (k->where != TASK_ON || v->paying != TOLL_NONE || &vm->tasks[v->task] != k) return 0;
    int64_t used = v->granted_ns - v->burst_ns + cpu_uncharged_ns(m, v);
    return used < v->granted_ns ? used : v->granted_ns;
}

int64_t guest_ran_ns(const struct model *m, const struct vm *vm, uint32_t t)
{
    const struct task *k = &vm->tasks[t];
    return k->piece_ns - k->owed_ns - k->left_ns + unsettled_ns(m, vm, k);
}

void guest_cut(struct model *m, struct vm *vm, uint32_t t, int64_t ran_ns)
{
    struct task *k = &vm->tasks[t];
    struct vcpu *v = &m->vcpus[k->vcpu];
    bool on = k->where == TASK_ON;
    if (on) {
        cpu_account(m, v);
        guest_settle(v);
    }
    int64_t rest = ran_ns - (k->piece_ns - k->owed_ns - k->left_ns);
    ASSERT(rest >= 0 && rest <= k->left_ns + k->owed_ns);
    k->owed_ns = rest > k->left_ns ? rest - k->left_ns : 0;
    k->left_ns = rest - k->owed_ns;
    k->piece_ns = ran_ns;
    if (!on) return;
    grant(v, k);
    cpu_replan(m, v);
}

/* --- timers --- */

static void task_timer(struct model *m, struct vm *vm, uint32_t t)
{
    struct task *k = &vm->tasks[t];
    if (__builtin_expect(k->kind == STEP_COVERT, 0)) secret_heard(m, vm, t, guest_ran_ns(m, vm, t));
    if (k->where != TASK_ON) k->left_ns = 0;
    switch ((enum task_where)k->where) {
    case TASK_ASLEEP:
        if (step_advance(m, vm, t)) runnable(m, vm, t);
        break;
    case TASK_ON: /* a busy step is over, whether its vCPU runs or waits */
        cpu_step_over(m, &m->vcpus[k->vcpu]);
        break;
    case TASK_QUEUED: /* likewise, though it never got a vCPU */
        queue_remove(vm, t);
        if (step_advance(m, vm, t)) runnable(m, vm, t);
        break;
    case TASK_WAITS: /* a sleep that was part of its step, as a connection's time-out */
        guest_wake_task(m, vm, t);
        break;
    case TASK_FREE:
    case TASK_OVER: /* a task that waits for nothing has no timer */
        ASSERT(k->where != TASK_FREE && k->where != TASK_OVER);
    }
}

void guest_arm(struct model *m, struct vm *vm)
{
    int64_t at = timers_next(&vm->timers);
    if (at == vm->timer_at) return;
    if (vm->timer_event) sim_cancel(m->sim, vm->timer_event);
    vm->timer_at = at;
    vm->timer_event = at == INT64_MAX ? 0 : sim_at(m->sim, at, EVQ_NORMAL, m->ev_vm, vm->index);
}

/* Who serves a shared queue may be elsewhere. */
static void settle_group(struct model *m, const struct vm *vm)
{
    for (uint32_t i = vm->front; i < m->sc->n_vms && m->vms[i].front == vm->front; i++)
        if (m->vms[i].sc && m->vms[i].host->sched) cpu_settle(m, m->vms[i].host);
}

void guest_on_timer(void *model, uint32_t i)
{
    struct model *m = model;
    struct vm *vm = &m->vms[i];
    vm->timer_event = 0;
    vm->timer_at = INT64_MAX;
    while (timers_next(&vm->timers) <= sim_now(m->sim)) {
        struct timer t = timers_take(&vm->timers);
        switch ((enum timer_kind)t.kind) {
        case TIMER_TASK: task_timer(m, vm, t.id); break;
        case TIMER_CLIENT: work_on_client(m, vm, t.id); break;
        case TIMER_ARRIVAL: work_on_arrival(m, vm); break;
        case TIMER_START: power_first(m, vm); break;
        case TIMER_BOOT: power_booted(m, vm); break;
        case TIMER_LEAVE: power_leave(m, vm); break;
        }
    }
    guest_arm(m, vm);
    cpu_settle(m, vm->host);
    if (vm->sc->work.shared_queue) settle_group(m, vm);
    if (m->books.n_unsettled) book_settle(m);
}

/* --- beginnings --- */

uint32_t guest_free_task(struct vm *vm)
{
    if (vm->free_head != NONE) {
        uint32_t t = vm->free_head;
        vm->free_head = vm->tasks[t].next;
        return t;
    }
    if (!vm->sc->work.unlimited) return NONE;
    if (vm->n_tasks == vm->cap_tasks) {
        vm->cap_tasks = vm->cap_tasks ? 2 * vm->cap_tasks : 8;
        vm->tasks = realloc(vm->tasks, vm->cap_tasks * sizeof *vm->tasks);
        ASSERT(vm->tasks);
    }
    vm->tasks[vm->n_tasks] = (struct task){.where = TASK_FREE, .vcpu = vm->first_vcpu, .client = NONE};
    return vm->n_tasks++;
}

void guest_begin_request(struct model *m, struct vm *vm, uint32_t t, const struct request *r)
{
    step_begin(vm, &vm->tasks[t], r);
    guest_go(m, vm, t);
}

void guest_go(struct model *m, struct vm *vm, uint32_t t)
{
    if (step_advance(m, vm, t)) runnable(m, vm, t);
}

void guest_boot_cpu(struct model *m, struct vm *vm, int64_t work_ns)
{
    struct vcpu *v = &m->vcpus[vm->first_vcpu];
    v->task = TASK_BOOT;
    v->overhead = false;
    v->burst_ns = v->granted_ns = guest_on_core_ns(vm->host, work_ns);
    cpu_wake(m, v);
}

/* --- another host --- */

bool guest_switch_counts(const struct vm *vm)
{
    const struct sc_modes *modes = vm->host->sc->modes;
    if (!modes || (vm->n_tasks <= vm->n_vcpus && !vm->sc->work.unlimited)) return false;
    const struct sc_price *p = &modes->price[vm->sc->mode][OP_CONTEXT_SWITCH];
    return p->ps > 0 || (p->exits && vm->book);
}

void guest_rescale(struct model *m, struct vm *vm, uint32_t from_ppm, uint32_t to_ppm)
{
    vm->quantum_ns =
        vm->sc->guest_quantum_ns ? guest_on_core_ns(vm->host, vm->sc->guest_quantum_ns) : INT64_MAX;
    if (from_ppm == to_ppm) return;
    for (uint32_t t = 0; t < vm->n_tasks; t++) {
        struct task *k = &vm->tasks[t];
        if (k->quantum_ns != INT64_MAX) k->quantum_ns = rescaled(k->quantum_ns, from_ppm, to_ppm);
        bool works = k->kind == STEP_CPU || (k->kind == STEP_LOCK && !k->overhead);
        if (!works || k->where == TASK_FREE || k->where == TASK_OVER) continue;
        k->left_ns = rescaled(k->left_ns, from_ppm, to_ppm);
        k->owed_ns = rescaled(k->owed_ns, from_ppm, to_ppm);
        k->piece_ns = rescaled(k->piece_ns, from_ppm, to_ppm);
    }
    for (uint32_t i = vm->first_vcpu; i < vm->first_vcpu + vm->n_vcpus; i++) {
        struct vcpu *v = &m->vcpus[i];
        if (v->task == TASK_BOOT)
            v->burst_ns = v->granted_ns = rescaled(v->burst_ns, from_ppm, to_ppm);
        else if (v->task != NONE)
            grant(v, &vm->tasks[v->task]);
    }
}
