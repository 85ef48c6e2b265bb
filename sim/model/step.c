// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/step.h"

#include "model/disk.h"
#include "model/guest.h"
#include "model/lock.h"
#include "model/mem.h"
#include "model/mode.h"
#include "model/net.h"
#include "model/power.h"
#include "model/secret.h"
#include "model/work.h"

/* Steps of no time in a row that mean a loop which will never take any. */
#define IDLE_STEPS 1024u /* taken at one instant: they count as so many events */

enum stage {
    STAGE_NEXT,  /* the step is over: the next one */
    STAGE_AGAIN, /* touch, net: its part says how it goes on */
    STAGE_ISSUE, /* disk: the price is paid, the request goes out */
    STAGE_TAKE,  /* lock: not got yet */
    STAGE_HOLD,  /* lock: held, its work is done */
    STAGE_SLOT   /* covert: the next slot begins */
};

/* A piece of run time: useful, then overhead. False: it is of no length. */
static bool run(struct task *k, int64_t useful_ns, int64_t overhead_ns)
{
    k->overhead = useful_ns == 0;
    k->left_ns = useful_ns ? useful_ns : overhead_ns;
    k->owed_ns = useful_ns ? overhead_ns : 0;
    k->piece_ns = useful_ns + overhead_ns;
    return k->left_ns > 0;
}

static bool work(const struct vm *vm, struct task *k, int64_t work_ns)
{
    int64_t on_core_ns = guest_on_core_ns(vm->host, work_ns);
    if (__builtin_expect(!vm->emulated, 1)) { /* nobody asks how far it got: piece_ns may stay */
        k->overhead = false;
        k->left_ns = on_core_ns;
        return on_core_ns > 0;
    }
    struct mode_cost c = mode_work(vm, on_core_ns);
    return run(k, c.useful_ns, c.overhead_ns);
}

static void timer(struct model *m, struct vm *vm, uint32_t t, int64_t in_ns)
{
    int64_t now = sim_now(m->sim);
    timers_set(&vm->timers, now > INT64_MAX - in_ns ? INT64_MAX : now + in_ns, TIMER_TASK, t);
}

enum go { GO_ON, GO_RUN, GO_WAIT };

static enum go touch(struct model *m, struct vm *vm, uint32_t t)
{
    int64_t useful_ns = 0, overhead_ns = 0;
    switch (mem_touch(m, vm, t, &useful_ns, &overhead_ns)) {
    case MEM_RUN: return run(&vm->tasks[t], useful_ns, overhead_ns) ? GO_RUN : GO_ON;
    case MEM_WAIT: guest_wait(m, vm, t, VCPU_SWAPWAIT); return GO_WAIT;
    case MEM_WAIT_GUEST: guest_wait(m, vm, t, VCPU_DISKWAIT); return GO_WAIT;
    case MEM_OVER: vm->tasks[t].stage = STAGE_NEXT; return GO_ON;
    }
    return GO_ON;
}

static enum go net(struct model *m, struct vm *vm, uint32_t t)
{
    int64_t useful_ns = 0, overhead_ns = 0;
    switch (net_step(m, vm, t, &useful_ns, &overhead_ns)) {
    case NET_RUN: return run(&vm->tasks[t], useful_ns, overhead_ns) ? GO_RUN : GO_ON;
    case NET_WAIT: guest_wait(m, vm, t, VCPU_NETWAIT); return GO_WAIT;
    case NET_OVER: vm->tasks[t].stage = STAGE_NEXT; return GO_ON;
    }
    return GO_ON;
}

static enum go take(struct model *m, struct vm *vm, uint32_t t)
{
    struct task *k = &vm->tasks[t];
    switch (lock_take(m, vm, t)) {
    case LOCK_HOLD: k->stage = STAGE_HOLD; return work(vm, k, k->act.amount) ? GO_RUN : GO_ON;
    case LOCK_SPIN: run(k, 0, lock_spin_ns(vm, t)); return GO_RUN;
    case LOCK_WAIT: guest_wait(m, vm, t, VCPU_IDLE); return GO_WAIT;
    }
    return GO_ON;
}

static enum go slot(struct model *m, struct vm *vm, uint32_t t)
{
    struct task *k = &vm->tasks[t];
    bool over = false, busy = secret_slot(m, vm, t, &over);
    if (over) {
        k->stage = STAGE_NEXT;
        return GO_ON;
    }
    run(k, INT64_MAX, 0); /* the timer of the slot's end stops it */
    if (busy) return GO_RUN;
    k->where = TASK_ASLEEP;
    return GO_WAIT;
}

/* Goes on in a step that has several stages. */
static enum go go_on(struct model *m, struct vm *vm, uint32_t t)
{
    struct task *k = &vm->tasks[t];
    switch ((enum stage)k->stage) {
    case STAGE_NEXT: break;
    case STAGE_AGAIN: return k->kind == STEP_TOUCH ? touch(m, vm, t) : net(m, vm, t);
    case STAGE_ISSUE:
        k->stage = STAGE_NEXT;
        if (disk_submit(m, vm, t)) return GO_ON;
        guest_wait(m, vm, t, VCPU_DISKWAIT);
        return GO_WAIT;
    case STAGE_TAKE: return take(m, vm, t);
    case STAGE_SLOT: return slot(m, vm, t);
    case STAGE_HOLD:
        k->stage = STAGE_NEXT;
        lock_release(m, vm, t);
        break;
    }
    return GO_ON;
}

/* Begins a step of those kinds; what it does first is go_on's. */
static enum go begin(struct model *m, struct vm *vm, uint32_t t, const struct prog_act *act)
{
    struct task *k = &vm->tasks[t];
    struct mode_cost c = {0, 0};
    k->act = *act;
    switch ((enum step_kind)act->kind) {
    case STEP_TOUCH:
        k->stage = STAGE_AGAIN;
        mem_begin(m, vm, t);
        break;
    case STEP_DISK:
        k->stage = STAGE_ISSUE;
        if (disk_inside(m, vm, t)) break; /* no request leaves the guest: nobody is to be paid */
        c = mode_io(vm, act->step->how == PROG_TRIM ? 0 : act->amount);
        break;
    case STEP_NET:
        k->stage = STAGE_AGAIN;
        net_begin(m, vm, t);
        break;
    case STEP_OPS: c = mode_events(vm, (enum prog_op)act->step->how, act->amount); break;
    case STEP_LOCK: k->stage = STAGE_TAKE; break;
    case STEP_COVERT:
        k->stage = STAGE_SLOT;
        k->bits = 0;
        break;
    case STEP_SECRET: secret_keep(vm, act->amount); break;
    case STEP_ACCESS:
        secret_access(m, vm, act);
        run(k, INT64_MAX, 0); /* it does not get past that */
        return GO_RUN;
    case STEP_CPU:
    case STEP_BUSY:
    case STEP_SLEEP:
    case STEP_NKINDS:
    case STEP_END: ASSERT(act->kind >= STEP_TOUCH && act->kind < STEP_NKINDS);
    }
    return run(k, c.useful_ns, c.overhead_ns) ? GO_RUN : GO_ON;
}

/* --- iterations and requests --- */

static void iteration_over(struct model *m, struct vm *vm, struct task *k)
{
    int64_t took = sim_now(m->sim) - k->began_ns;
    struct vm *front = &m->vms[vm->front];
    vm->checksum = (vm->checksum + k->at.checksum) & PROG_CHECKSUM_MASK;
    front->done++;
    front->inside--; /* of a loop, which has none, nobody asks */
    inner_tell(m, front, vm->sc->work.requests ? REC_DONE : REC_WORK, took, 0);
    if (front->done == vm->sc->work.until) {
        inner_tell(m, front, REC_UNTIL, sim_now(m->sim) - front->born_ns, 0);
        inner_tell(m, front, REC_EVENT, 0, REC_EV_FINISHED);
    }
}

void step_begin(const struct vm *vm, struct task *k, const struct request *r)
{
    k->began_ns = r->came_ns;
    k->client = r->client;
    uint64_t task = r->client == NONE ? 0 : r->client;
    prog_begin(&k->at, vm->key_steps, task, r->iter);
}

/* The iteration or request of t has ended: the next one, or GO_WAIT: there is none for it. */
static enum go next_iteration(struct model *m, struct vm *vm, uint32_t t)
{
    struct task *k = &vm->tasks[t];
    iteration_over(m, vm, k);
    if (!vm->sc->work.requests) {
        if (k->at.iter + 1 >= k->quota) {
            k->where = TASK_OVER;
            return GO_WAIT;
        }
        k->began_ns = sim_now(m->sim);
        prog_begin(&k->at, vm->key_steps, t, k->at.iter + 1);
        return GO_ON;
    }
    if (k->client != NONE) work_answered(m, vm, k->client);
    struct request r;
    if (work_next(m, vm, &r)) {
        step_begin(vm, k, &r);
        return GO_ON;
    }
    k->where = TASK_FREE;
    k->next = vm->free_head;
    vm->free_head = t;
    if (__builtin_expect(vm->leaving, 0)) power_idle(m, vm);
    return GO_WAIT;
}

/* The next step of the program. */
static enum go next(struct model *m, struct vm *vm, uint32_t t)
{
    struct task *k = &vm->tasks[t];
    struct prog_act act = prog_next(&k->at, vm->prog);
    if (act.amount == 0) return GO_ON; /* STEP_END among them: then prog_over is true */
    k->kind = (uint8_t)act.kind;
    if (act.kind == STEP_CPU) return work(vm, k, act.amount) ? GO_RUN : GO_ON;
    if (act.kind > STEP_SLEEP) return begin(m, vm, t, &act);
    timer(m, vm, t, act.amount);
    run(k, INT64_MAX, 0);
    if (act.kind == STEP_BUSY) return GO_RUN;
    k->where = TASK_ASLEEP;
    return GO_WAIT;
}

bool step_advance(struct model *m, struct vm *vm, uint32_t t)
{
    struct task *k = &vm->tasks[t];
    if (k->owed_ns) { /* the useful part of its piece is done */
        k->left_ns = k->owed_ns;
        k->owed_ns = 0;
        k->overhead = true;
        return true;
    }
    for (uint32_t idle = 0;; idle++) {
        if (__builtin_expect(idle == IDLE_STEPS, 0)) {
            if (!sim_counts(m->sim, IDLE_STEPS)) {
                k->where = TASK_OVER; /* the run ends here, stalled */
                return false;
            }
            idle = 0;
        }
        enum go go = k->stage == STAGE_NEXT ? GO_ON : go_on(m, vm, t);
        if (go == GO_ON && k->stage == STAGE_NEXT)
            go = prog_over(&k->at, vm->prog) ? next_iteration(m, vm, t) : next(m, vm, t);
        if (go != GO_ON) return go == GO_RUN;
    }
}
