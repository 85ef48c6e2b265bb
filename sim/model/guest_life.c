// SPDX-License-Identifier: GPL-3.0-or-later
/* A guest's workload begins, ends, and begins again. */
#include "model/cpu.h"
#include "model/guest.h"
#include "model/lock.h"
#include "model/mem.h"
#include "model/net.h"
#include "model/power.h"
#include "model/step.h"
#include "model/work.h"

void guest_kill(struct model *m, struct vm *vm)
{
    if (vm->off || vm->doomed) return;
    vm->doomed = true;
    sim_at(m->sim, sim_now(m->sim), EVQ_EARLY, m->ev_kill, vm->index);
}

void guest_on_kill(void *model, uint32_t i)
{
    struct model *m = model;
    struct vm *vm = &m->vms[i];
    vm->doomed = false;
    if (!vm->off) {
        inner_tell(m, vm, REC_EVENT, 0, REC_EV_KILLED);
        power_fail(m, vm, REC_WHY_NONE);
    }
    cpu_settle(m, vm->host);
    book_settle(m);
}

/* A loop's task begins, or does again what it was at. */
static void begin_loop(struct model *m, struct vm *vm, uint32_t t)
{
    const struct sc_workload *w = &vm->sc->work;
    struct task *k = &vm->tasks[t];
    uint64_t iter = vm->begun ? k->at.iter : 0;
    if (vm->begun && k->where == TASK_OVER) return;
    if (!vm->begun)
        k->quota =
            w->until == UINT64_MAX ? UINT64_MAX : w->until / vm->n_tasks + (t < w->until % vm->n_tasks);
    k->began_ns = sim_now(m->sim);
    k->where = TASK_OVER;
    if (k->quota == 0) return;
    prog_begin(&k->at, vm->key_steps, t, iter);
    guest_go(m, vm, t);
}

void guest_up(struct model *m, struct vm *vm)
{
    vm->off = false;
    if (m->net) net_up(m, vm);
    if (!vm->begun && !vm->open) vm->born_ns = sim_now(m->sim);
    for (uint32_t i = 0; i < vm->n_vcpus; i++)
        cpu_look(&m->vcpus[vm->first_vcpu + i]);
    if (vm->sc->work.requests)
        work_start(m, vm);
    else
        for (uint32_t t = 0; t < vm->n_tasks; t++)
            begin_loop(m, vm, t);
    vm->begun = true;
    guest_arm(m, vm);
}

static void reset_vcpu(struct vcpu *v)
{
    v->task = v->last_task = NONE;
    v->paying = TOLL_NONE;
    v->toll_ns[0] = v->toll_ns[1] = 0;
    v->waiting[0] = v->waiting[1] = v->waiting[2] = 0;
    v->burst_ns = v->granted_ns = 0;
    v->overhead = false;
}

int64_t guest_down(struct model *m, struct vm *vm)
{
    int64_t lost = 0;
    vm->off = true;
    for (uint32_t i = vm->first_vcpu; i < vm->first_vcpu + vm->n_vcpus; i++) {
        struct vcpu *v = &m->vcpus[i];
        cpu_take_off(m, v);
        reset_vcpu(v);
    }
    if (vm->mem)
        mem_release(m, vm); /* what it referred to up to now counts: tasks still know how far they were */
    if (m->net) net_crash(m, vm);
    lock_done(vm);
    timers_drop(&vm->timers, 1u << TIMER_TASK | 1u << TIMER_BOOT);
    vm->run_head = vm->run_tail = NONE;
    if (vm->sc->work.requests) vm->free_head = NONE;
    for (uint32_t t = vm->n_tasks; t-- > 0;) {
        struct task *k = &vm->tasks[t];
        k->stage = 0;
        k->left_ns = k->owed_ns = k->piece_ns = 0;
        if (!vm->sc->work.requests) {
            if (k->where != TASK_OVER) k->where = TASK_FREE;
            continue;
        }
        if (k->where != TASK_FREE) {
            work_lost(m, vm, k->began_ns, k->client);
            lost++;
        }
        k->where = TASK_FREE;
        k->next = vm->free_head;
        vm->free_head = t;
    }
    lost += work_forget(m, vm);
    guest_arm(m, vm);
    return lost;
}

bool guest_idle(const struct vm *vm)
{
    if (!vm->sc->work.requests) return true;
    for (uint32_t t = 0; t < vm->n_tasks; t++)
        if (vm->tasks[t].where != TASK_FREE) return false;
    return vm->ring_n == 0 || vm->front != vm->index || vm->sc->work.shared_queue;
}
