// SPDX-License-Identifier: GPL-3.0-or-later
/* From totals to rows: the cluster, hosts with their pCPUs, VMs with their vCPUs, devices; every metric of
 * this version with every stat it has (names and meanings: scenario/names.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "metrics/meter_inner.h"

static void put_pcpu_time(struct meter *m, const char *e, const struct pcpu_meter *c, double pcpus)
{
    double of = (double)(m->end_ns - m->warmup_ns) * pcpus;
    int64_t busy = c->run_ns + c->switch_ns + c->hostos_ns;
    meter_put_time(m, e, "cpu.guest", c->run_ns - c->overhead_ns, of);
    meter_put_time(m, e, "cpu.overhead", c->overhead_ns, of);
    meter_put_time(m, e, "cpu.switch", c->switch_ns, of);
    meter_put_time(m, e, "cpu.hostos", c->hostos_ns, of);
    meter_put_time(m, e, "cpu.idle", c->idle_ns, of);
    meter_put(m, e, "cpu.util", "share", "", of > 0 ? (double)busy / of : 0);
}

static void add_pcpu(struct pcpu_meter *sum, const struct pcpu_meter *c)
{
    sum->run_ns += c->run_ns;
    sum->overhead_ns += c->overhead_ns;
    sum->switch_ns += c->switch_ns;
    sum->hostos_ns += c->hostos_ns;
    sum->idle_ns += c->idle_ns;
}

static double worst_slowdown(const struct meter *m, uint32_t host)
{
    double worst = (double)NAN;
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        const struct sc_vm *vm = &m->sc->vms[i];
        if (!vm->victim || (host != UINT32_MAX && meter_home_of(m, i) != host)) continue;
        double s = meter_pace(m, i) / m->vms[i].alone_s;
        if (!isnan(s) && !(s <= worst)) worst = s;
    }
    return worst;
}

/* What VMs had there, all of whom were there all the time. */
static void add_guests(struct meter *m, uint32_t first, uint32_t n, struct meter_sums *s, struct dists *all)
{
    for (uint32_t u = 0; u < m->n_units; u++) {
        uint32_t host = m->sc->vms[m->units[u].first_vm].host;
        if (host < first || host >= first + n) continue;
        meter_put_add_vms(m, m->units[u].first_vm, m->units[u].n_vms, s);
        meter_add_dists(m, &m->units[u], all);
    }
}

/* The same where VMs come and go: fairness is among those that were nowhere else. */
static void add_movers(struct meter *m, uint32_t first, uint32_t n, struct meter_sums *s, struct dists *all)
{
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        if (!m->homes[i].moved && m->homes[i].host >= first && m->homes[i].host < first + n)
            meter_put_add_vms(m, i, 1, s);
    for (int st = 0; st < VCPU_NSTATES; st++)
        s->state[st] = 0;
    for (uint32_t h = first; h < first + n; h++) {
        for (int st = 0; st < VCPU_NSTATES; st++)
            s->state[st] += m->guests[h].state[st];
        hist_merge(&all->slice, &m->guests[h].slice);
        hist_merge(&all->wait, &m->guests[h].wait);
    }
}

static void put_host_unit(struct meter *m, const char *e, uint32_t first, uint32_t n)
{
    struct pcpu_meter sum = {0};
    struct meter_sums s = {0};
    struct event_meter ev[REC_NEVENTS] = {0};
    uint32_t pcpus = 0;
    for (uint32_t h = first; h < first + n; h++) {
        for (uint32_t p = 0; p < m->sc->hosts[h].cores; p++, pcpus++)
            add_pcpu(&sum, &m->pcpus[m->first_pcpu[h] + p]);
        meter_event_add(ev, m->host_events[h]);
    }
    struct dists all = {0};
    (m->homes ? add_movers : add_guests)(m, first, n, &s, &all);
    put_pcpu_time(m, e, &sum, pcpus);
    double of = (double)(m->end_ns - m->warmup_ns) * pcpus;
    for (int st = 0; st < VCPU_NSTATES; st++) { /* a host is idle as its pCPUs are */
        char metric[32] = "cpu.";
        strncat(metric, rec_state_name((enum vcpu_state)st), sizeof metric - 5);
        if (st != VCPU_IDLE) meter_put_time(m, e, metric, s.state[st], of);
    }
    meter_write_host_res(m, e, first, n);
    meter_put_dist(m, e, "slice", &all.slice);
    meter_put_dist(m, e, "wait", &all.wait);
    meter_done_dists(&all);
    meter_put_unserved(m, e, &s);
    meter_put_fairness(m, e, &s);
    if (n == 1) meter_put(m, e, "isolation", "mean", "", worst_slowdown(m, first));
    meter_write_host_cloud(m, e, first, n);
    meter_put_events(m, e, ev);
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
        meter_put_events(m, name, m->pcpu_events[m->first_pcpu[host] + p]);
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

static void put_cluster(struct meter *m)
{
    struct meter_sums s = {0};
    meter_put_add_vms(m, 0, m->sc->n_vms, &s);
    meter_put_unserved(m, "cluster", &s);
    meter_put_fairness(m, "cluster", &s);
    meter_put(m, "cluster", "isolation", "mean", "", worst_slowdown(m, UINT32_MAX));
    struct pcpu_meter sum = {0};
    for (uint32_t p = 0; p < m->n_pcpus; p++)
        add_pcpu(&sum, &m->pcpus[p]);
    put_pcpu_time(m, "cluster", &sum, m->n_pcpus);
    uint64_t done = 0;
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        done += m->vms[i].done;
    meter_put_count(m, "cluster", "work.done", "", done);
    meter_put(m, "cluster", "throughput", "mean", "1/s", (double)done / meter_put_span(m));
    meter_write_cluster_cloud(m);
    meter_put_events(m, "cluster", m->cluster_events);
}

void meter_write_rows(struct meter *m)
{
    m->results = results_new();
    put_cluster(m);
    put_hosts(m);
    for (uint32_t u = 0; u < m->n_units; u++)
        meter_write_unit(m, &m->units[u]);
    meter_write_devs(m);
    meter_write_services(m);
    meter_write_reach(m);
    meter_make_ecdfs(m);
    m->output.results = m->results;
    m->output.series = &m->series;
    m->output.happenings = m->happenings;
    m->output.n_happenings = m->n_happenings;
    m->output.happenings_cut = m->happenings_cut;
    m->output.each = m->opts.per_entity ? m : NULL;
}
