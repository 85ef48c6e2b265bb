// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/event.h"

#include "model/cloud.h"
#include "model/cpu.h"
#include "model/disk.h"
#include "model/fail.h"
#include "model/host.h"
#include "model/migrate.h"
#include "model/power.h"
#include "model/secret.h"

static void settle(struct model *m, struct mhost *h)
{
    if (h->sched) cpu_settle(m, h);
}

static void set_cpu(struct model *m, struct vm *vm, const struct sc_event *e)
{
    if (e->setting == SC_SET_VM_WEIGHT) vm->set.weight = (uint32_t)e->value;
    if (e->setting == SC_SET_VM_LIMIT) vm->set.limit_ppm = (uint32_t)e->value;
    if (e->setting == SC_SET_VM_RESERVATION) vm->set.reservation_ppm = (uint32_t)e->value;
    struct sched_vm_cfg cfg = host_sched_cfg(vm);
    if (vm->in_sched != NONE) {
        vm->host->limits = vm->host->limits || cfg.quota_ns;
        sched_set(vm->host->sched, vm->in_sched, cfg.weight, cfg.quota_ns, cfg.period_ns, cfg.reservation_ppm,
                  sim_now(m->sim));
    }
    settle(m, vm->host);
}

static void set(struct model *m, const struct sc_event *e)
{
    if (e->setting == SC_SET_HOST_SPEED) {
        for (uint32_t i = e->target; i < e->target + e->n; i++)
            host_speed(m, &m->hosts[i], (uint32_t)e->value);
        return;
    }
    for (uint32_t i = e->target; i < e->target + e->n; i++) {
        struct vm *vm = &m->vms[i];
        if (!vm->sc) continue;
        if (e->setting == SC_SET_VM_DIRTY)
            migrate_set_dirty(m, vm, e->value);
        else
            set_cpu(m, vm, e);
        inner_tell_why(m, vm, e->value, REC_EV_SET, REC_WHY_NONE);
    }
}

static void start(struct model *m, struct vm *vm)
{
    if (vm->power == POWER_NONE)
        cloud_make(m, vm, NULL);
    else if (vm->power == POWER_OFF || vm->power == POWER_FAILED)
        cloud_start(m, vm);
}

static void clone(struct model *m, struct vm *vm, const struct sc_event *e)
{
    struct vm *as = &m->vms[e->to];
    if (vm->power == POWER_NONE || as->power != POWER_NONE) {
        inner_tell_why(m, as, 0, REC_EV_REJECTED, REC_WHY_BUSY);
        return;
    }
    inner_tell_why(m, vm, e->to, REC_EV_CLONED, REC_WHY_NONE);
    cloud_make(m, as, as->sc->placed ? NULL : vm->host);
}

static void one(struct model *m, struct vm *vm, const struct sc_event *e)
{
    switch ((enum sc_verb)e->verb) {
    case SC_PAUSE: power_pause(m, vm); break;
    case SC_RESUME: power_resume(m, vm); break;
    case SC_ADD:
    case SC_START: start(m, vm); break;
    case SC_STOP: power_stop(m, vm); break;
    case SC_UNPLUG: power_cut(m, vm); break;
    case SC_DESTROY: power_destroy(m, vm); break;
    case SC_CLONE: clone(m, vm, e); break;
    case SC_MIGRATE: migrate_begin(m, vm, e->to == SC_NONE ? NULL : &m->hosts[e->to]); break;
    case SC_INSPECT: secret_inspect(m, vm); break;
    case SC_SNAPSHOT:
        if (vm->power == POWER_NONE || vm->sc->n_disks == 0) break;
        inner_tell_why(m, vm, disk_snapshot(m, vm), REC_EV_SNAPSHOT, REC_WHY_NONE);
        break;
    case SC_FAIL:
    case SC_REPAIR:
    case SC_SET:
    case SC_GROW:
    case SC_DRAIN:
    case SC_NVERBS: break;
    }
    settle(m, vm->host);
}

void event_do(struct model *m, const struct sc_event *e)
{
    switch ((enum sc_verb)e->verb) {
    case SC_FAIL: fail_begin(m, e); break;
    case SC_REPAIR: fail_repair(m, e); break;
    case SC_SET: set(m, e); break;
    case SC_GROW: disk_grow(m, e->target, e->value); break;
    case SC_DRAIN:
        for (uint32_t i = e->target; i < e->target + e->n; i++)
            cloud_drain(m, &m->hosts[i]);
        break;
    case SC_MIGRATE:
    case SC_CLONE:
    case SC_ADD:
    case SC_INSPECT:
    case SC_PAUSE:
    case SC_START:
    case SC_STOP:
    case SC_RESUME:
    case SC_DESTROY:
    case SC_SNAPSHOT:
    case SC_UNPLUG:
        for (uint32_t i = e->target; i < e->target + e->n; i++)
            if (m->vms[i].sc) one(m, &m->vms[i], e);
        break;
    case SC_NVERBS: break;
    }
    book_settle(m);
}

static void schedule(struct model *m, uint32_t i, int64_t at)
{
    if (at <= m->sc->run.duration_ns) sim_at(m->sim, at, EVQ_NORMAL, m->ev_event, i);
}

void event_on(void *model, uint32_t i)
{
    struct model *m = model;
    const struct sc_event *e = &m->sc->events[i];
    event_do(m, e);
    if (e->every_ns && e->every_ns <= INT64_MAX - sim_now(m->sim))
        schedule(m, i, sim_now(m->sim) + e->every_ns);
}

void event_init(struct model *m)
{
    if (m->only_vm != MODEL_ALL) return;
    for (uint32_t i = 0; i < m->sc->n_events; i++)
        schedule(m, i, m->sc->events[i].at_ns);
}
