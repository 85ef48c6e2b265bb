// SPDX-License-Identifier: GPL-3.0-or-later
/* High availability: hosts send heartbeats; one that has sent none for `detect` has failed. After `dispatch`
 * its VMs are placed on others and boot there. A VM whose host is up but that has failed itself is started
 * again there, after the same times. One that no host has room for is stranded, and tried again whenever
 * there is more room: a host is back, a VM has left. */
#include "model/cloud_inner.h"
#include "model/cpu.h"
#include "model/host.h"
#include "model/migrate.h"
#include "model/power.h"

void cloud_host_failed(struct model *m, struct mhost *h)
{
    struct cloud *c = m->cloud;
    if (!c) return;
    migrate_host_failed(m, h);
    c->host[h->index].failed_ns = sim_now(m->sim);
    if (c->sc->ha) cloud_at(m, sim_now(m->sim) + c->sc->detect_ns, EVQ_NORMAL, CLOUD_HOST_DETECT, h->index);
}

void cloud_vm_failed(struct model *m, struct vm *vm)
{
    struct cloud *c = m->cloud;
    if (!c || !c->sc->ha || vm->host->n_failures) return; /* with its host: on_host sees to it */
    c->vm[vm->index].failed_ns = sim_now(m->sim);
    cloud_at(m, sim_now(m->sim) + c->sc->detect_ns, EVQ_NORMAL, CLOUD_VM_DETECT, vm->index);
}

static void restarted(struct model *m, struct vm *vm)
{
    inner_tell_why(m, vm, vm->host->index, REC_EV_RESTARTED, REC_WHY_NONE);
    if (vm->host->off) host_switch(m, vm->host, true);
    if (vm->power == POWER_FAILED) power_on(m, vm);
    cpu_settle(m, vm->host);
}

bool cloud_ha_waits(const struct vm *vm)
{
    return vm->resident && vm->wanted && vm->power == POWER_FAILED;
}

static void restart_on(struct model *m, struct vm *vm, struct mhost *to)
{
    struct cloud_vm *v = &m->cloud->vm[vm->index];
    m->cloud->n_stranded -= v->stranded;
    v->stranded = false;
    host_move(m, vm, to);
    restarted(m, vm);
}

/* Elsewhere, with all that must be with it: before anybody else takes their room. */
static void restart(struct model *m, struct vm *vm)
{
    struct cloud *c = m->cloud;
    enum rec_why why = REC_WHY_NONE;
    struct mhost *to = cloud_place_again(m, vm, &why);
    struct cloud_vm *v = &c->vm[vm->index];
    if (!to) {
        if (!v->stranded) inner_tell_why(m, vm, 0, REC_EV_STRANDED, why);
        c->n_stranded += !v->stranded;
        v->stranded = true;
        return;
    }
    for (struct vm *other; (other = cloud_place_next(m, vm)) != vm;)
        restart_on(m, other, to);
    restart_on(m, vm, to);
}

/* An appointment holds if what it was made for is still so. */
static bool holds(const struct model *m, int64_t failed_ns, int64_t after_ns)
{
    return failed_ns >= 0 && failed_ns + after_ns == sim_now(m->sim);
}

/* With spares: the VMs of all hosts whose turn it is, in the order in which admission found room for them. */
static uint32_t all_in_order(struct model *m)
{
    struct cloud *c = m->cloud;
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        const struct vm *vm = &m->vms[i];
        if (!cloud_ha_waits(vm) || vm->host->n_failures == 0) continue;
        int64_t failed = c->host[vm->host->index].failed_ns;
        if (holds(m, failed, c->sc->detect_ns + c->sc->dispatch_ns))
            cloud_place_add(c, vm, vm->host->index, &n);
    }
    n = cloud_place_together(m, n);
    place_decreasing(cloud_place_hosts(m), m->sc->n_hosts, c->residents, n, c->order, c->scratch);
    for (uint32_t i = 0; i < n; i++)
        c->order[i] = c->residents[c->order[i]].vm;
    return n;
}

static void dispatch_from(struct model *m, struct mhost *h)
{
    struct cloud *c = m->cloud;
    uint32_t n = 0;
    if (c->sc->spares)
        n = all_in_order(m);
    else
        HOST_EACH(m, h, vm) c->order[n++] = vm->index;
    for (uint32_t i = 0; i < n; i++) { /* some may have followed one that they must be with */
        struct vm *vm = &m->vms[c->order[i]];
        if (cloud_ha_waits(vm) && vm->host->n_failures) restart(m, vm);
    }
}

static void on_host(struct model *m, enum cloud_what what, struct mhost *h)
{
    const struct cloud *c = m->cloud;
    int64_t detect = c->sc->detect_ns, dispatch = c->sc->dispatch_ns, failed = c->host[h->index].failed_ns;
    if (host_up(h) || h->n_failures == 0) return;
    if (what == CLOUD_HOST_DETECT) {
        if (!holds(m, failed, detect)) return;
        host_tell(m, h, REC_EV_DETECTED, 0, REC_WHY_NONE);
        cloud_at(m, sim_now(m->sim) + dispatch, EVQ_NORMAL, CLOUD_HOST_DISPATCH, h->index);
        return;
    }
    if (!holds(m, failed, detect + dispatch)) return;
    dispatch_from(m, h);
}

static void on_vm(struct model *m, enum cloud_what what, struct vm *vm)
{
    const struct cloud *c = m->cloud;
    int64_t detect = c->sc->detect_ns, dispatch = c->sc->dispatch_ns, failed = c->vm[vm->index].failed_ns;
    if (!cloud_ha_waits(vm) || vm->host->n_failures) return;
    if (what == CLOUD_VM_DETECT) {
        if (!holds(m, failed, detect)) return;
        inner_tell_why(m, vm, 0, REC_EV_DETECTED, REC_WHY_NONE);
        cloud_at(m, sim_now(m->sim) + dispatch, EVQ_NORMAL, CLOUD_VM_DISPATCH, vm->index);
    } else if (holds(m, failed, detect + dispatch)) {
        restarted(m, vm);
    }
}

void cloud_ha_on(struct model *m, enum cloud_what what, uint32_t i)
{
    if (what == CLOUD_HOST_DETECT || what == CLOUD_HOST_DISPATCH)
        on_host(m, what, &m->hosts[i]);
    else
        on_vm(m, what, &m->vms[i]);
}

void cloud_ha_retry(struct model *m)
{
    struct cloud *c = m->cloud;
    if (c->n_stranded == 0) return;
    for (uint32_t i = 0; i < m->sc->n_vms && c->n_stranded; i++) {
        if (!c->vm[i].stranded) continue;
        if (cloud_ha_waits(&m->vms[i])) {
            restart(m, &m->vms[i]);
            continue;
        }
        c->vm[i].stranded = false; /* somebody else saw to it */
        c->n_stranded--;
    }
}

void cloud_host_back(struct model *m, struct mhost *h)
{
    if (!m->cloud) return;
    h->draining = false;
    cloud_soon(m);
}
