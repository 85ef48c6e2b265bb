// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/fail.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/cpu.h"
#include "model/disk.h"
#include "model/host.h"
#include "model/net.h"
#include "model/power.h"

/* A failure that will be over by itself. */
struct pending {
    const struct sc_event *e;
    uint32_t era; /* of its target, when it began: a repair ends an era */
    uint32_t next_free;
};

struct host_fails { /* of a host's own failures */
    struct rng rng;
    uint64_t n; /* drawn so far, or of the trace */
    bool down;
};

struct fails {
    struct pending *pending;
    uint32_t n_pending, cap_pending, free_pending;
    struct host_fails *hosts;
    uint32_t *depth, *era; /* of each target: how many failures now; how many repairs so far */
};

/* --- targets have numbers: disks, their pools, NICs, networks, VMs --- */

static uint32_t n_targets(const struct scenario *sc)
{
    return 2 * sc->n_disks + sc->n_nics + sc->n_networks + sc->n_vms + sc->n_hosts + sc->n_kernels +
           sc->n_racks;
}

/* The number that depth and era of the event's target stand under; those of a range share the first's. */
static uint32_t number(const struct scenario *sc, const struct sc_event *e)
{
    uint32_t at = e->target;
    switch ((enum sc_target)e->kind) {
    case SC_T_RACK: at += sc->n_kernels; /* fall through */
    case SC_T_KERNEL: at += sc->n_hosts; /* fall through */
    case SC_T_VMM:
    case SC_T_HOST: at += sc->n_vms;     /* fall through */
    case SC_T_VM: at += sc->n_networks;  /* fall through */
    case SC_T_NETWORK: at += sc->n_nics; /* fall through */
    case SC_T_NIC: at += sc->n_disks;    /* fall through */
    case SC_T_POOL: at += sc->n_disks;   /* fall through */
    case SC_T_DISK: break;
    }
    return at;
}

static void tell_dev(struct model *m, uint32_t dev, enum rec_event what, enum rec_why why)
{
    if (!rec_wants(m->out, REC_EVENT)) return;
    *rec_next(m->out) = (struct rec){
        .t_ns = sim_now(m->sim),
        .host = dev,
        .vm = UINT32_MAX,
        .vcpu = REC_NONE,
        .pcpu = REC_DEV,
        .kind = REC_EVENT,
        .to = (uint8_t)why,
        .cause = (uint8_t)what,
    };
}

/* --- who is hit --- */

static bool hit(const struct vm *vm, const struct sc_event *e)
{
    if (!vm->sc || !vm->resident) return false;
    switch ((enum sc_target)e->kind) {
    case SC_T_VM: return vm->index >= e->target && vm->index < e->target + e->n;
    case SC_T_VMM: return vm->host->index == e->target && vm->sc->vmm == e->part;
    case SC_T_KERNEL: return vm->sc->kernel == e->target;
    case SC_T_HOST:
    case SC_T_RACK:
    case SC_T_DISK:
    case SC_T_POOL:
    case SC_T_NIC:
    case SC_T_NETWORK: break;
    }
    return false;
}

static void settle(struct model *m, const struct vm *vm)
{
    if (vm->host->sched) cpu_settle(m, vm->host);
}

static void fail_vms(struct model *m, const struct sc_event *e, enum rec_why why)
{
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        if (!hit(&m->vms[i], e)) continue;
        power_fail(m, &m->vms[i], why);
        settle(m, &m->vms[i]);
    }
}

static void restart_vms(struct model *m, const struct sc_event *e)
{
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        struct vm *vm = &m->vms[i];
        if (!hit(vm, e) || vm->power != POWER_FAILED || !vm->wanted || !host_up(vm->host)) continue;
        power_on(m, vm);
        settle(m, vm);
    }
}

static bool of_target(const struct mhost *h, const struct sc_event *e)
{
    if (e->kind == SC_T_HOST) return h->index >= e->target && h->index < e->target + e->n;
    return e->kind == SC_T_RACK && h->sc->rack == e->target;
}

/* --- failing and coming back --- */

static void strike(struct model *m, const struct sc_event *e, bool first)
{
    uint32_t nic0 = m->sc->n_disks, net0 = nic0 + m->sc->n_nics;
    switch ((enum sc_target)e->kind) {
    case SC_T_VM: fail_vms(m, e, REC_WHY_GUEST); break;
    case SC_T_VMM: fail_vms(m, e, REC_WHY_VMM); break;
    case SC_T_KERNEL: fail_vms(m, e, REC_WHY_KERNEL); break;
    case SC_T_HOST:
    case SC_T_RACK:
        for (uint32_t i = 0; i < m->sc->n_hosts; i++)
            if (of_target(&m->hosts[i], e))
                host_fail(m, &m->hosts[i], e->kind == SC_T_RACK ? REC_WHY_RACK : REC_WHY_HOST);
        break;
    case SC_T_DISK:
    case SC_T_POOL:
        if (!first) break;
        tell_dev(m, e->target, REC_EV_FAILED, e->kind == SC_T_POOL ? REC_WHY_POOL : REC_WHY_DISK);
        disk_fail(m, e->target, e->kind == SC_T_POOL);
        break;
    case SC_T_NIC:
        if (!first) break;
        tell_dev(m, nic0 + e->target, REC_EV_FAILED, REC_WHY_LINK);
        net_set_nic(m, e->target, false);
        break;
    case SC_T_NETWORK:
        if (!first) break;
        tell_dev(m, net0 + e->target, REC_EV_FAILED, REC_WHY_LINK);
        net_set_network(m, e->target, false);
        break;
    }
}

/* all: whatever failed them. */
static void heal(struct model *m, const struct sc_event *e, bool all)
{
    uint32_t nic0 = m->sc->n_disks, net0 = nic0 + m->sc->n_nics;
    switch ((enum sc_target)e->kind) {
    case SC_T_VM:
    case SC_T_VMM:
    case SC_T_KERNEL: restart_vms(m, e); break;
    case SC_T_HOST:
    case SC_T_RACK:
        for (uint32_t i = 0; i < m->sc->n_hosts; i++) {
            if (!of_target(&m->hosts[i], e)) continue;
            if (all)
                host_repair_all(m, &m->hosts[i]);
            else
                host_repair(m, &m->hosts[i]);
        }
        break;
    case SC_T_DISK:
    case SC_T_POOL:
        tell_dev(m, e->target, REC_EV_REPAIRED, REC_WHY_NONE);
        disk_repair(m, e->target, e->kind == SC_T_POOL);
        break;
    case SC_T_NIC:
        tell_dev(m, nic0 + e->target, REC_EV_REPAIRED, REC_WHY_NONE);
        net_set_nic(m, e->target, true);
        break;
    case SC_T_NETWORK:
        tell_dev(m, net0 + e->target, REC_EV_REPAIRED, REC_WHY_NONE);
        net_set_network(m, e->target, true);
        break;
    }
}

/* --- failures that end by themselves --- */

static uint32_t new_pending(struct fails *f, const struct sc_event *e, uint32_t era)
{
    uint32_t i = f->free_pending;
    if (i != NONE) {
        f->free_pending = f->pending[i].next_free;
    } else {
        if (f->n_pending == f->cap_pending) {
            f->cap_pending = f->cap_pending ? 2 * f->cap_pending : 8;
            f->pending = realloc(f->pending, f->cap_pending * sizeof *f->pending);
            ASSERT(f->pending);
        }
        i = f->n_pending++;
    }
    f->pending[i] = (struct pending){.e = e, .era = era};
    return i;
}

void fail_begin(struct model *m, const struct sc_event *e)
{
    struct fails *f = m->fails;
    uint32_t t = number(m->sc, e);
    f->depth[t]++;
    if (e->for_ns && e->for_ns <= INT64_MAX - sim_now(m->sim))
        sim_at(m->sim, sim_now(m->sim) + e->for_ns, EVQ_NORMAL, m->ev_heal, new_pending(f, e, f->era[t]));
    strike(m, e, f->depth[t] == 1);
}

void fail_repair(struct model *m, const struct sc_event *e)
{
    struct fails *f = m->fails;
    uint32_t t = number(m->sc, e);
    f->depth[t] = 0;
    f->era[t]++;
    heal(m, e, true);
}

void fail_on_end(void *model, uint32_t i)
{
    struct model *m = model;
    struct fails *f = m->fails;
    struct pending p = f->pending[i];
    uint32_t t = number(m->sc, p.e);
    f->pending[i].next_free = f->free_pending;
    f->free_pending = i;
    if (p.era != f->era[t] || f->depth[t] == 0) return;            /* somebody repaired it before */
    bool hosts = p.e->kind == SC_T_HOST || p.e->kind == SC_T_RACK; /* those count for themselves */
    if (--f->depth[t] == 0 || hosts) heal(m, p.e, false);
    book_settle(m);
}

/* --- hosts' own failures --- */

static void next(struct model *m, uint32_t host)
{
    const struct sc_failures *sc = &m->sc->hosts[host].failures;
    struct host_fails *h = &m->fails->hosts[host];
    int64_t at = INT64_MAX;
    if (sc->trace_ns) {
        if (h->n < sc->n_trace) at = sc->trace_ns[h->n];
    } else {
        int64_t in = draw_amount(h->down ? &sc->repair : &sc->ttf, &h->rng, sc->pool, h->n / 2);
        if (in < INT64_MAX - sim_now(m->sim)) at = sim_now(m->sim) + in;
    }
    h->n++;
    if (at < INT64_MAX && at >= sim_now(m->sim)) sim_at(m->sim, at, EVQ_NORMAL, m->ev_fail, host);
}

void fail_on_host(void *model, uint32_t host)
{
    struct model *m = model;
    struct host_fails *h = &m->fails->hosts[host];
    h->down = !h->down;
    if (h->down)
        host_fail(m, &m->hosts[host], REC_WHY_HOST);
    else
        host_repair(m, &m->hosts[host]);
    next(m, host);
    book_settle(m);
}

void fail_init(struct model *m)
{
    const struct scenario *sc = m->sc;
    struct fails *f = alloc_array(1, sizeof *f);
    f->free_pending = NONE;
    f->hosts = alloc_array(sc->n_hosts, sizeof *f->hosts);
    f->depth = alloc_array(n_targets(sc), sizeof *f->depth);
    f->era = alloc_array(n_targets(sc), sizeof *f->era);
    m->fails = f;
    for (uint32_t i = 0; m->only_vm == MODEL_ALL && i < sc->n_hosts; i++) {
        const char *name = sc->hosts[i].name;
        f->hosts[i].rng = rng_at(rng_key(m->seed, rng_hash_name(name, strlen(name)), RNG_FAILURE), 0, 0);
        if (sc->hosts[i].failures.stated) next(m, i);
    }
}

void fail_done(struct model *m)
{
    if (!m->fails) return;
    free(m->fails->pending);
    free(m->fails->hosts);
    free(m->fails->depth);
    free(m->fails->era);
    free(m->fails);
}
