// SPDX-License-Identifier: GPL-3.0-or-later
/* Rows of VMs with their vCPUs, and of groups too large to be told one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort.h>

#include "base/alloc.h"
#include "metrics/meter_inner.h"

/* A folded group has one of each, unless its members have their own. */
void meter_add_dists(const struct meter *m, const struct meter_unit *u, struct dists *to)
{
    for (uint32_t i = u->first_vm; i < u->first_vm + u->n_vms; i++) {
        const struct vm_meter *v = &m->vms[i];
        bool own = meter_has_own(m, u);
        for (uint32_t k = 0; k < (own ? v->n_vcpus : 1); k++) {
            hist_merge(&to->slice, m->vcpus[v->first_vcpu + k].slice);
            hist_merge(&to->wait, m->vcpus[v->first_vcpu + k].wait);
        }
        hist_merge(&to->latency, v->latency);
        if (!own) break;
    }
}

void meter_done_dists(struct dists *d)
{
    hist_done(&d->slice);
    hist_done(&d->wait);
    hist_done(&d->latency);
}

static void put_states(struct meter *m, const char *e, const struct meter_sums *s)
{
    double of = (double)(m->end_ns - m->warmup_ns) * (double)s->vcpus;
    for (int st = 0; st < VCPU_NSTATES; st++) {
        char metric[32] = "cpu.";
        strncat(metric, rec_state_name((enum vcpu_state)st), sizeof metric - 5);
        meter_put_time(m, e, metric, s->state[st], of);
    }
    meter_put_time(m, e, "cpu.guest", s->state[VCPU_RUN] - s->overhead, of);
    meter_put_time(m, e, "cpu.overhead", s->overhead, of);
    meter_put(m, e, "cpu.util", "share", "", of > 0 ? (double)s->state[VCPU_RUN] / of : 0);
    meter_put_unserved(m, e, s);
}

static double vm_state_share(const struct meter *m, uint32_t vm, int st)
{
    struct meter_sums s = {0};
    meter_put_add_vms(m, vm, 1, &s);
    return (double)s.state[st] / ((double)(m->end_ns - m->warmup_ns) * (double)s.vcpus);
}

static double vm_backlog(const struct meter *m, uint32_t vm, int what)
{
    (void)what;
    const struct vm_meter *v = &m->vms[vm];
    __int128 integral = v->integral + (__int128)v->inside * (m->end_ns - v->level_ns) - v->integral_base;
    return (double)integral / (double)(m->end_ns - m->warmup_ns);
}

static void put_spread(struct meter *m, const struct meter_unit *u, const char *metric,
                       double (*value)(const struct meter *, uint32_t vm, int what), int what)
{
    double *v = alloc_array(u->n_vms, sizeof *v);
    uint32_t n = 0;
    for (uint32_t i = u->first_vm; i < u->first_vm + u->n_vms; i++)
        if (meter_was_there(m, i)) v[n++] = value(m, i, what);
    meter_put_spread(m, u->name, metric, "", v, n);
    free(v);
}

static void put_work(struct meter *m, const struct meter_unit *u, const struct hist *latency)
{
    uint64_t done = 0, lost = 0, sum = 0;
    int64_t until = -1;
    for (uint32_t i = u->first_vm; i < u->first_vm + u->n_vms; i++) {
        const struct vm_meter *v = &m->vms[i];
        done += v->done;
        lost += v->lost;
        sum = (sum + v->checksum) & PROG_CHECKSUM_MASK;
        if (v->until_ns > until) until = v->until_ns;
    }
    meter_put_count(m, u->name, "work.done", "", done);
    meter_put(m, u->name, "throughput", "mean", "1/s", (double)done / meter_put_span(m));
    results_add_exact(m->results, u->name, "work.checksum", "total", "", sum);
    if (until >= 0) meter_put(m, u->name, "work.time", "total", "s", meter_s(until));
    if (!m->sc->vms[u->first_vm].work.requests) return;
    meter_put_dist(m, u->name, "latency", latency);
    if (u->n_vms > 1) {
        put_spread(m, u, "backlog", vm_backlog, 0);
    } else {
        meter_put(m, u->name, "backlog", "mean", "", vm_backlog(m, u->first_vm, 0));
        meter_put(m, u->name, "backlog", "max", "", (double)meter_most_inside(&m->vms[u->first_vm]));
    }
    meter_put_count(m, u->name, "queue.lost", "", lost);
}

static void put_vcpus(struct meter *m, const struct meter_unit *u)
{
    const struct vm_meter *v = &m->vms[u->first_vm];
    for (uint32_t k = 0; k < v->n_vcpus; k++) {
        const struct vcpu_meter *c = &m->vcpus[v->first_vcpu + k];
        char name[METER_NAME_LEN];
        snprintf(name, sizeof name, "%s.vcpu%u", u->name, k);
        struct meter_sums s = {0};
        meter_put_add_vcpu(m, c, &s);
        put_states(m, name, &s);
        meter_put_dist(m, name, "slice", c->slice);
        meter_put_dist(m, name, "wait", c->wait);
        meter_put_events(m, name, m->vcpu_events[v->first_vcpu + k]);
    }
}

static void put_one(struct meter *m, const struct meter_unit *u)
{
    struct meter_sums s = {0};
    struct event_meter ev[REC_NEVENTS] = {0};
    meter_put_add_vms(m, u->first_vm, u->n_vms, &s);
    put_states(m, u->name, &s);
    const struct vm_meter *v = &m->vms[u->first_vm];
    struct dists all = {0};
    meter_add_dists(m, u, &all);
    meter_put_dist(m, u->name, "slice", &all.slice);
    meter_put_dist(m, u->name, "wait", &all.wait);
    put_work(m, u, &all.latency);
    meter_done_dists(&all);
    meter_write_vm_res(m, u);
    meter_write_vm_cloud(m, u);
    for (uint32_t i = u->first_vm; i < u->first_vm + u->n_vms; i++)
        meter_event_add(ev, m->vms[i].events);
    meter_put_events(m, u->name, ev);
    if (u->n_vms == 1) {
        meter_put(m, u->name, "slowdown", "mean", "", meter_pace(m, u->first_vm) / v->alone_s);
        put_vcpus(m, u);
        return;
    }
    put_spread(m, u, "cpu.run", vm_state_share, VCPU_RUN);
    put_spread(m, u, "cpu.ready", vm_state_share, VCPU_READY);
    put_spread(m, u, "cpu.throttled", vm_state_share, VCPU_THROTTLED);
    unsigned has = meter_has_vm(m, u->first_vm);
    if (has & METER_MEM) put_spread(m, u, "cpu.swapwait", vm_state_share, VCPU_SWAPWAIT);
    if (has & METER_DISK) put_spread(m, u, "cpu.diskwait", vm_state_share, VCPU_DISKWAIT);
    if (has & METER_NET) put_spread(m, u, "cpu.netwait", vm_state_share, VCPU_NETWAIT);
}

void meter_write_vm(struct meter *m, uint32_t vm)
{
    char name[METER_NAME_LEN];
    if (!meter_was_there(m, vm)) return;
    snprintf(name, sizeof name, "vm.%s", m->sc->vms[vm].name);
    put_one(m, &(struct meter_unit){.name = name, .first_vm = vm, .n_vms = 1});
}

/* The members of a folded group that waited most, by name. */
static void put_worst(struct meter *m, const struct meter_unit *u)
{
    double *ready = malloc(u->n_vms * sizeof *ready);
    size_t *order = malloc(u->n_vms * sizeof *order);
    ASSERT(ready && order);
    uint32_t there = 0;
    for (uint32_t i = 0; i < u->n_vms; i++) {
        bool was = meter_was_there(m, u->first_vm + i);
        there += was;
        ready[i] = was ? -vm_state_share(m, u->first_vm + i, VCPU_READY) : 1; /* behind all that were */
    }
    gsl_sort_index(order, ready, 1, u->n_vms);
    for (uint32_t i = 0; i < METER_WORST && i < there; i++) {
        struct meter_sums s = {0};
        uint32_t vm = u->first_vm + (uint32_t)order[i];
        meter_put_add_vms(m, vm, 1, &s);
        char name[METER_NAME_LEN];
        snprintf(name, sizeof name, "vm.%s", m->sc->vms[vm].name);
        put_states(m, name, &s);
    }
    free(ready);
    free(order);
}

void meter_write_unit(struct meter *m, const struct meter_unit *u)
{
    bool any = false;
    for (uint32_t i = u->first_vm; !any && i < u->first_vm + u->n_vms; i++)
        any = meter_was_there(m, i);
    if (!any) return;
    put_one(m, u);
    if (u->n_vms > 1) put_worst(m, u);
}
