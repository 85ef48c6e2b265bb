// SPDX-License-Identifier: GPL-3.0-or-later
/* From totals to rows: cluster, hosts with their pCPUs, then VMs with their vCPUs; every metric of this
 * version with every stat it has (names and meanings: scenario/names.h). */
#include "metrics/meter_inner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

#include "base/assert.h"
#include "scenario/names.h"

/* The vCPU time in each state of a set of VMs, and what fairness needs. */
struct sums {
    int64_t state[VCPU_NSTATES];
    uint64_t vcpus;
    double x, xx; /* of run/weight over vCPUs never idle */
    uint64_t busy_vcpus;
};

static double measured_s(const struct meter *m)
{
    return meter_s(m->end_ns - m->warmup_ns);
}

static void put(struct meter *m, const char *e, const char *metric, const char *stat, const char *unit,
                double v)
{
    if (!isnan(v)) results_add(m->results, e, metric, stat, unit, v);
}

static void put_count(struct meter *m, const char *e, const char *metric, uint64_t n)
{
    results_add_exact(m->results, e, metric, "total", "", n);
    put(m, e, metric, "rate", "1/s", (double)n / measured_s(m));
}

static void put_time(struct meter *m, const char *e, const char *metric, int64_t ns, double of_ns)
{
    put(m, e, metric, "total", "s", meter_s(ns));
    put(m, e, metric, "share", "", of_ns > 0 ? (double)ns / of_ns : 0);
    put(m, e, metric, "rate", name_unit(name_find(metric), "rate"), meter_s(ns) / measured_s(m));
}

static void put_dist(struct meter *m, const char *e, const char *metric, const struct hist *h)
{
    results_add_exact(m->results, e, metric, "count", "", h->count);
    if (h->count == 0) return;
    put(m, e, metric, "mean", "s", hist_mean(h) / 1e9);
    put(m, e, metric, "p50", "s", hist_quantile(h, .50) / 1e9);
    put(m, e, metric, "p95", "s", hist_quantile(h, .95) / 1e9);
    put(m, e, metric, "p99", "s", hist_quantile(h, .99) / 1e9);
    put(m, e, metric, "max", "s", (double)h->max / 1e9);
}

static void put_unserved(struct meter *m, const char *e, const struct sums *s)
{
    int64_t wanted = s->state[VCPU_RUN] + s->state[VCPU_READY];
    put(m, e, "unserved", "share", "", wanted ? (double)s->state[VCPU_READY] / (double)wanted : 0);
}

static void put_events(struct meter *m, const char *e, const struct event_meter *ev)
{
    for (int k = 0; k < REC_NEVENTS; k++) {
        char metric[64] = "events.";
        strncat(metric, rec_event_name((enum rec_event)k), sizeof metric - 8);
        results_add_exact(m->results, e, metric, "total", "", ev[k].total);
        if (ev[k].total == 0) continue;
        put(m, e, metric, "first", "s", meter_s(ev[k].first_ns));
        put(m, e, metric, "last", "s", meter_s(ev[k].last_ns));
    }
}

static void add_vcpu(const struct meter *m, const struct vcpu_meter *v, struct sums *s)
{
    int64_t t[VCPU_NSTATES];
    for (int st = 0; st < VCPU_NSTATES; st++) {
        t[st] = v->total[st] - m->marks[v - m->vcpus].base[st];
        s->state[st] += t[st];
    }
    s->vcpus++;
    if (t[VCPU_IDLE] || t[VCPU_DOWN]) return;
    const struct sc_vm *vm = &m->sc->vms[v->vm];
    double x = (double)t[VCPU_RUN] / ((double)vm->weight / vm->vcpus);
    s->x += x;
    s->xx += x * x;
    s->busy_vcpus++;
}

static void add_vms(const struct meter *m, uint32_t first, uint32_t n, struct sums *s)
{
    for (uint32_t i = first; i < first + n; i++)
        for (uint32_t k = 0; k < m->vms[i].n_vcpus; k++)
            add_vcpu(m, &m->vcpus[m->vms[i].first_vcpu + k], s);
}

static void put_states(struct meter *m, const char *e, const struct sums *s)
{
    double of = (double)(m->end_ns - m->warmup_ns) * (double)s->vcpus;
    for (int st = 0; st < VCPU_NSTATES; st++) {
        char metric[32] = "cpu.";
        strncat(metric, rec_state_name((enum vcpu_state)st), sizeof metric - 5);
        put_time(m, e, metric, s->state[st], of);
    }
    put_time(m, e, "cpu.guest", s->state[VCPU_RUN], of);
    put_time(m, e, "cpu.overhead", 0, of);
    put(m, e, "cpu.util", "share", "", of > 0 ? (double)s->state[VCPU_RUN] / of : 0);
    put_unserved(m, e, s);
}

static void put_fairness(struct meter *m, const char *e, const struct sums *s)
{
    if (s->busy_vcpus && s->xx > 0)
        put(m, e, "fairness", "share", "", s->x * s->x / ((double)s->busy_vcpus * s->xx));
}

/* --- hosts --- */

static void put_pcpu_time(struct meter *m, const char *e, const struct pcpu_meter *c, double pcpus)
{
    double of = (double)(m->end_ns - m->warmup_ns) * pcpus;
    int64_t busy = c->guest_ns + c->switch_ns + c->hostos_ns;
    put_time(m, e, "cpu.guest", c->guest_ns, of);
    put_time(m, e, "cpu.overhead", 0, of);
    put_time(m, e, "cpu.switch", c->switch_ns, of);
    put_time(m, e, "cpu.hostos", c->hostos_ns, of);
    put_time(m, e, "cpu.idle", c->idle_ns, of);
    put(m, e, "cpu.util", "share", "", of > 0 ? (double)busy / of : 0);
}

/* Adds b to a, kind by kind. */
static void add_events(struct event_meter *a, const struct event_meter *b)
{
    for (int k = 0; k < REC_NEVENTS; k++) {
        if (b[k].total == 0) continue;
        if (a[k].total == 0 || b[k].first_ns < a[k].first_ns) a[k].first_ns = b[k].first_ns;
        if (b[k].last_ns > a[k].last_ns) a[k].last_ns = b[k].last_ns;
        a[k].total += b[k].total;
    }
}

static double worst_slowdown(const struct meter *m, uint32_t host)
{
    double worst = (double)NAN;
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        const struct sc_vm *vm = &m->sc->vms[i];
        if (!vm->victim || (host != UINT32_MAX && vm->host != host)) continue;
        double s = meter_pace(m, i) / m->vms[i].alone_s;
        if (!isnan(s) && !(s <= worst)) worst = s;
    }
    return worst;
}

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

static void dists_done(struct dists *d)
{
    hist_done(&d->slice);
    hist_done(&d->wait);
    hist_done(&d->latency);
}

static void put_host_unit(struct meter *m, const char *e, uint32_t first, uint32_t n)
{
    struct pcpu_meter sum = {0};
    struct sums s = {0};
    struct event_meter ev[REC_NEVENTS] = {0};
    uint32_t pcpus = 0;
    for (uint32_t h = first; h < first + n; h++) {
        for (uint32_t p = 0; p < m->sc->hosts[h].cores; p++, pcpus++) {
            const struct pcpu_meter *c = &m->pcpus[m->first_pcpu[h] + p];
            sum.guest_ns += c->guest_ns;
            sum.switch_ns += c->switch_ns;
            sum.hostos_ns += c->hostos_ns;
            sum.idle_ns += c->idle_ns;
        }
        add_events(ev, m->host_events[h]);
    }
    struct dists all = {0};
    for (uint32_t u = 0; u < m->n_units; u++) {
        uint32_t host = m->sc->vms[m->units[u].first_vm].host;
        if (host < first || host >= first + n) continue;
        add_vms(m, m->units[u].first_vm, m->units[u].n_vms, &s);
        meter_add_dists(m, &m->units[u], &all);
    }
    put_pcpu_time(m, e, &sum, pcpus);
    double of = (double)(m->end_ns - m->warmup_ns) * pcpus;
    for (int st = 0; st < VCPU_NSTATES; st++) { /* a host is idle as its pCPUs are */
        char metric[32] = "cpu.";
        strncat(metric, rec_state_name((enum vcpu_state)st), sizeof metric - 5);
        if (st != VCPU_IDLE) put_time(m, e, metric, s.state[st], of);
    }
    put_dist(m, e, "slice", &all.slice);
    put_dist(m, e, "wait", &all.wait);
    dists_done(&all);
    put_unserved(m, e, &s);
    put_fairness(m, e, &s);
    if (n == 1) put(m, e, "isolation", "mean", "", worst_slowdown(m, first));
    put_events(m, e, ev);
}

void meter_write_host(struct meter *m, uint32_t host)
{
    const struct sc_host *h = &m->sc->hosts[host];
    char name[METER_NAME_LEN];
    snprintf(name, sizeof name, "host.%s", h->name);
    put_host_unit(m, name, host, 1);
    for (uint32_t p = 0; p < h->cores; p++) {
        snprintf(name, sizeof name, "host.%s.pcpu%u", h->name, p);
        put_pcpu_time(m, name, &m->pcpus[m->first_pcpu[host] + p], 1);
        put_events(m, name, m->pcpu_events[m->first_pcpu[host] + p]);
    }
}

static void put_hosts(struct meter *m)
{
    const struct scenario *sc = m->sc;
    for (uint32_t h = 0; h < sc->n_hosts;) {
        uint32_t n = 1;
        while (h + n < sc->n_hosts && strcmp(sc->hosts[h + n].group, sc->hosts[h].group) == 0)
            n++;
        if (n > METER_FOLD) {
            char name[METER_NAME_LEN];
            snprintf(name, sizeof name, "host.%s", sc->hosts[h].group);
            put_host_unit(m, name, h, n);
        }
        for (uint32_t i = h; n <= METER_FOLD && i < h + n; i++)
            meter_write_host(m, i);
        h += n;
    }
}

/* --- VMs --- */

/* The spread over the members of a folded group, of whatever `value` tells of one. */
static void put_spread(struct meter *m, const struct meter_unit *u, const char *metric, const char *unit,
                       double (*value)(const struct meter *, uint32_t vm))
{
    double *v = malloc(u->n_vms * sizeof *v);
    ASSERT(v);
    for (uint32_t i = 0; i < u->n_vms; i++)
        v[i] = value(m, u->first_vm + i);
    gsl_sort(v, 1, u->n_vms);
    put(m, u->name, metric, "mean", unit, gsl_stats_mean(v, 1, u->n_vms));
    put(m, u->name, metric, "sd", unit, gsl_stats_sd(v, 1, u->n_vms));
    put(m, u->name, metric, "min", unit, v[0]);
    put(m, u->name, metric, "p50", unit, gsl_stats_quantile_from_sorted_data(v, 1, u->n_vms, .50));
    put(m, u->name, metric, "p95", unit, gsl_stats_quantile_from_sorted_data(v, 1, u->n_vms, .95));
    put(m, u->name, metric, "p99", unit, gsl_stats_quantile_from_sorted_data(v, 1, u->n_vms, .99));
    put(m, u->name, metric, "max", unit, v[u->n_vms - 1]);
    free(v);
}

static double vm_state_share(const struct meter *m, uint32_t vm, enum vcpu_state st)
{
    struct sums s = {0};
    add_vms(m, vm, 1, &s);
    return (double)s.state[st] / ((double)(m->end_ns - m->warmup_ns) * (double)s.vcpus);
}

static double vm_run_share(const struct meter *m, uint32_t vm)
{
    return vm_state_share(m, vm, VCPU_RUN);
}
static double vm_ready_share(const struct meter *m, uint32_t vm)
{
    return vm_state_share(m, vm, VCPU_READY);
}
static double vm_throttled_share(const struct meter *m, uint32_t vm)
{
    return vm_state_share(m, vm, VCPU_THROTTLED);
}

static double vm_backlog(const struct meter *m, uint32_t vm)
{
    const struct vm_meter *v = &m->vms[vm];
    __int128 integral = v->integral + (__int128)v->inside * (m->end_ns - v->level_ns) - v->integral_base;
    return (double)integral / (double)(m->end_ns - m->warmup_ns);
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
    put_count(m, u->name, "work.done", done);
    put(m, u->name, "throughput", "mean", "1/s", (double)done / measured_s(m));
    results_add_exact(m->results, u->name, "work.checksum", "total", "", sum);
    if (until >= 0) put(m, u->name, "work.time", "total", "s", meter_s(until));
    if (!m->sc->vms[u->first_vm].work.requests) return;
    put_dist(m, u->name, "latency", latency);
    if (u->n_vms > 1) {
        put_spread(m, u, "backlog", "", vm_backlog);
    } else {
        put(m, u->name, "backlog", "mean", "", vm_backlog(m, u->first_vm));
        put(m, u->name, "backlog", "max", "", (double)m->vms[u->first_vm].inside_max);
    }
    put_count(m, u->name, "queue.lost", lost);
}

static void put_vcpus(struct meter *m, const struct meter_unit *u)
{
    const struct vm_meter *v = &m->vms[u->first_vm];
    for (uint32_t k = 0; k < v->n_vcpus; k++) {
        const struct vcpu_meter *c = &m->vcpus[v->first_vcpu + k];
        char name[METER_NAME_LEN];
        snprintf(name, sizeof name, "%s.vcpu%u", u->name, k);
        struct sums s = {0};
        add_vcpu(m, c, &s);
        put_states(m, name, &s);
        put_dist(m, name, "slice", c->slice);
        put_dist(m, name, "wait", c->wait);
        put_events(m, name, m->vcpu_events[v->first_vcpu + k]);
    }
}

static void put_unit(struct meter *m, const struct meter_unit *u)
{
    struct sums s = {0};
    struct event_meter ev[REC_NEVENTS];
    add_vms(m, u->first_vm, u->n_vms, &s);
    put_states(m, u->name, &s);
    const struct vm_meter *v = &m->vms[u->first_vm];
    struct dists all = {0};
    meter_add_dists(m, u, &all);
    put_dist(m, u->name, "slice", &all.slice);
    put_dist(m, u->name, "wait", &all.wait);
    put_work(m, u, &all.latency);
    dists_done(&all);
    memcpy(ev, v->events, sizeof ev);
    for (uint32_t i = u->first_vm + 1; i < u->first_vm + u->n_vms; i++)
        add_events(ev, m->vms[i].events);
    put_events(m, u->name, ev);
    if (u->n_vms == 1) {
        put(m, u->name, "slowdown", "mean", "", meter_pace(m, u->first_vm) / v->alone_s);
        put_vcpus(m, u);
        return;
    }
    put_spread(m, u, "cpu.run", "", vm_run_share);
    put_spread(m, u, "cpu.ready", "", vm_ready_share);
    put_spread(m, u, "cpu.throttled", "", vm_throttled_share);
}

void meter_write_vm(struct meter *m, uint32_t vm)
{
    char name[METER_NAME_LEN];
    snprintf(name, sizeof name, "vm.%s", m->sc->vms[vm].name);
    put_unit(m, &(struct meter_unit){.name = name, .first_vm = vm, .n_vms = 1});
}

/* The members of a folded group that waited most, by name. */
static void put_worst(struct meter *m, const struct meter_unit *u)
{
    double *ready = malloc(u->n_vms * sizeof *ready);
    size_t *order = malloc(u->n_vms * sizeof *order);
    ASSERT(ready && order);
    for (uint32_t i = 0; i < u->n_vms; i++)
        ready[i] = -vm_ready_share(m, u->first_vm + i);
    gsl_sort_index(order, ready, 1, u->n_vms);
    for (uint32_t i = 0; i < METER_WORST; i++) {
        struct sums s = {0};
        uint32_t vm = u->first_vm + (uint32_t)order[i];
        add_vms(m, vm, 1, &s);
        char name[METER_NAME_LEN];
        snprintf(name, sizeof name, "vm.%s", m->sc->vms[vm].name);
        put_states(m, name, &s);
    }
    free(ready);
    free(order);
}

static void put_cluster(struct meter *m)
{
    struct sums s = {0};
    add_vms(m, 0, m->sc->n_vms, &s);
    put_unserved(m, "cluster", &s);
    put_fairness(m, "cluster", &s);
    put(m, "cluster", "isolation", "mean", "", worst_slowdown(m, UINT32_MAX));
    struct pcpu_meter sum = {0};
    for (uint32_t p = 0; p < m->n_pcpus; p++) {
        sum.guest_ns += m->pcpus[p].guest_ns;
        sum.switch_ns += m->pcpus[p].switch_ns;
        sum.hostos_ns += m->pcpus[p].hostos_ns;
        sum.idle_ns += m->pcpus[p].idle_ns;
    }
    put_pcpu_time(m, "cluster", &sum, m->n_pcpus);
    uint64_t done = 0;
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        done += m->vms[i].done;
    put_count(m, "cluster", "work.done", done);
    put(m, "cluster", "throughput", "mean", "1/s", (double)done / measured_s(m));
    put_events(m, "cluster", m->cluster_events);
}

void meter_write_rows(struct meter *m)
{
    m->results = results_new();
    put_cluster(m);
    put_hosts(m);
    for (uint32_t u = 0; u < m->n_units; u++) {
        put_unit(m, &m->units[u]);
        if (m->units[u].n_vms > 1) put_worst(m, &m->units[u]);
    }
    meter_make_ecdfs(m);
    m->output.results = m->results;
    m->output.series = &m->series;
    m->output.happenings = m->happenings;
    m->output.n_happenings = m->n_happenings;
    m->output.happenings_cut = m->happenings_cut;
    m->output.each = m->opts.per_entity ? m : NULL;
}
