// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/cloud_inner.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "model/cpu.h"
#include "model/guest.h"
#include "model/host.h"
#include "model/migrate.h"
#include "model/power.h"

void cloud_at(struct model *m, int64_t at_ns, int prio, enum cloud_what what, uint32_t i)
{
    if (at_ns <= m->sc->run.duration_ns)
        sim_at(m->sim, at_ns, prio, m->ev_cloud, i * CLOUD_NWHATS + (uint32_t)what);
}

bool cloud_rejected(struct model *m, const struct vm *vm, enum rec_why why)
{
    inner_tell_why(m, vm, 0, REC_EV_REJECTED, why);
    return false;
}

/* --- quota --- */

static bool over_quota(const struct cloud *c, const struct vm *vm)
{
    const struct sc_cloud *sc = c->sc;
    return (sc->quota_vms && c->n_there + 1 > sc->quota_vms) ||
           (sc->quota_vcpus && c->vcpus_there + vm->n_vcpus > sc->quota_vcpus) ||
           (sc->quota_bytes && c->bytes_there + vm->sc->memory_bytes > sc->quota_bytes);
}

/* It counts for the quota from now on, or no longer. */
static void count(struct cloud *c, struct vm *vm, bool there)
{
    if (vm->in_quota == there) return;
    vm->in_quota = there;
    c->n_there += there ? 1 : -1u;
    c->vcpus_there += there ? vm->n_vcpus : -vm->n_vcpus;
    c->bytes_there += there ? vm->sc->memory_bytes : -vm->sc->memory_bytes;
}

/* --- coming and starting --- */

static void settle(struct model *m, const struct vm *vm)
{
    if (vm->host->sched) cpu_settle(m, vm->host);
}

/* On a host that may have been switched off for want of VMs. */
static void bring_up(struct model *m, struct vm *vm)
{
    if (vm->host->off) host_switch(m, vm->host, true); /* if it has failed since, when it is repaired */
    bool off =
        vm->power == POWER_OFF || vm->power == POWER_FAILED; /* not started by its host's coming back */
    if (host_up(vm->host)) {
        if (off) power_on(m, vm);
    } else { /* it boots when the host is back */
        vm->power = POWER_FAILED;
        power_want(m, vm);
    }
    settle(m, vm);
}

bool cloud_make(struct model *m, struct vm *vm, struct mhost *h)
{
    struct cloud *c = m->cloud;
    enum rec_why why = REC_WHY_NONE;
    if (!c) {
        power_define(m, vm, vm->host);
        power_on(m, vm);
        return true;
    }
    if (over_quota(c, vm)) return cloud_rejected(m, vm, REC_WHY_QUOTA);
    if (!h && !vm->sc->placed) h = &m->hosts[vm->sc->host];
    if (h && c->sc->stated && vm->sc->there != SC_AT_START) { /* the scenario's own word stands */
        why = cloud_place_fits(m, vm, h);
        if (why == REC_WHY_HOST_OFF) why = REC_WHY_NONE; /* it boots when the host is back */
    }
    if (!h) h = cloud_place_pick(m, vm, NULL, true, &why);
    if (!h || why) return cloud_rejected(m, vm, why);
    power_define(m, vm, h);
    cloud_place_came(m, vm);
    count(c, vm, true);
    bring_up(m, vm);
    return true;
}

bool cloud_start(struct model *m, struct vm *vm)
{
    struct cloud *c = m->cloud;
    enum rec_why why = REC_WHY_NONE;
    if (!vm->in_quota && over_quota(c, vm)) return cloud_rejected(m, vm, REC_WHY_QUOTA);
    if (vm->host->n_failures && vm->sc->placed) {
        struct mhost *to = cloud_place_pick(m, vm, vm->host, false, &why);
        if (to) host_move(m, vm, to);
    }
    count(c, vm, true);
    bring_up(m, vm);
    return true;
}

/* --- what has happened --- */

void cloud_vm_up(struct model *m, struct vm *vm)
{
    struct cloud *c = m->cloud;
    if (!c) return;
    c->n_stranded -= c->vm[vm->index].stranded; /* its own host was back first */
    c->vm[vm->index].stranded = false;
    int64_t life = c->vm[vm->index].life_ns;
    if (life < INT64_MAX - sim_now(m->sim)) {
        timers_set(&vm->timers, sim_now(m->sim) + life, TIMER_LEAVE, 0);
        guest_arm(m, vm);
    }
    if (m->vms[vm->front].scale != NONE) cloud_look(m, m->vms[vm->front].scale);
}

void cloud_vm_off(struct model *m, struct vm *vm)
{
    struct cloud *c = m->cloud;
    if (!c) return;
    count(c, vm, false);
    if (vm->power == POWER_NONE) cloud_request_gone(m, vm);
    cloud_soon(m);
}

void cloud_vm_leaves(struct model *m, struct vm *vm)
{
    if (vm->power == POWER_NONE) return;
    inner_tell_why(m, vm, 0, REC_EV_LEFT, REC_WHY_NONE);
    power_destroy(m, vm);
}

void cloud_moved(struct model *m, struct mhost *from)
{
    (void)from;
    if (m->cloud) cloud_soon(m);
}

/* What follows from more room, or from fewer VMs on a host: at this instant, but when all that happens in it
 * has. */
void cloud_soon(struct model *m)
{
    if (m->cloud->soon) return;
    m->cloud->soon = true;
    cloud_at(m, sim_now(m->sim), EVQ_LATE, CLOUD_SOON, 0);
}

static void on_soon(struct model *m)
{
    m->cloud->soon = false;
    for (uint32_t i = 0; i < m->sc->n_hosts; i++)
        if (m->hosts[i].draining) cloud_balance_drain(m, &m->hosts[i]);
    cloud_ha_retry(m);
    cloud_empty(m);
}

void cloud_on_event(void *model, uint32_t arg)
{
    struct model *m = model;
    uint32_t i = arg / CLOUD_NWHATS;
    enum cloud_what what = (enum cloud_what)(arg % CLOUD_NWHATS);
    switch (what) {
    case CLOUD_HOST_DETECT:
    case CLOUD_HOST_DISPATCH:
    case CLOUD_VM_DETECT:
    case CLOUD_VM_DISPATCH: cloud_ha_on(m, what, i); break;
    case CLOUD_REQUEST: cloud_request_on(m); break;
    case CLOUD_SCALE: cloud_scale_on(m, i); break;
    case CLOUD_BALANCE: cloud_balance_on(m); break;
    case CLOUD_SOON: on_soon(m); break;
    case CLOUD_SPEED: cloud_speed_on(m, i); break;
    case CLOUD_NWHATS: break;
    }
    book_settle(m);
}

/* --- beginning and end --- */

void cloud_init(struct model *m)
{
    const struct scenario *sc = m->sc;
    if (m->only_vm != MODEL_ALL) return;
    struct cloud *c = alloc_array(1, sizeof *c);
    c->sc = &sc->cloud;
    c->policy = sc->cloud.place ? place_find(sc->cloud.place) : NULL;
    c->turn = PLACE_NONE;
    c->host = alloc_array(sc->n_hosts, sizeof *c->host);
    c->vm = alloc_array(sc->n_vms, sizeof *c->vm);
    for (uint32_t i = 0; i < sc->n_hosts; i++)
        c->host[i].failed_ns = -1;
    for (uint32_t i = 0; i < sc->n_vms; i++)
        c->vm[i] = (struct cloud_vm){.failed_ns = -1, .load_ppm = -1, .life_ns = INT64_MAX};
    m->cloud = c;
    cloud_place_init(m);
    cloud_request_init(m);
    cloud_scale_init(m);
    cloud_balance_init(m);
}

void cloud_done(struct model *m)
{
    struct cloud *c = m->cloud;
    if (!c) return;
    for (uint32_t i = 0; c->flavours && i < c->sc->requests.n_flavours; i++)
        free(c->flavours[i].free);
    free(c->flavours);
    free(c->scales);
    free(c->hosts);
    free(c->host);
    free(c->vm);
    free(c->residents);
    free(c->movers);
    free(c->moves);
    free(c->order);
    free(c->ring);
    free(c->entry_of);
    free(c->scratch);
    free(c);
}
