// SPDX-License-Identifier: GPL-3.0-or-later
/* Rows of what is above the hosts: availability of VMs and services, boots, migrations, power, energy, cost.
 * A figure of something that did not happen (a boot, a migration, a covert bit) has no row; counts are told
 * where it could have. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "metrics/meter_inner.h"

/* --- VMs --- */

/* A backend that tells nothing of power still tells states, of which a VM down has one. */
static double availability(const struct meter *m, uint32_t vm)
{
    if (m->ups.vms_told) return meter_up_share(m, &m->ups.vms[vm]);
    struct meter_sums s = {0};
    meter_put_add_vms(m, vm, 1, &s);
    int64_t all = (m->end_ns - m->warmup_ns) * (int64_t)s.vcpus;
    return (double)(all - s.state[VCPU_DOWN]) / (double)all;
}

static void put_availability(struct meter *m, const struct meter_unit *u)
{
    double *v = alloc_array(u->n_vms, sizeof *v), sum = 0;
    uint32_t n = 0;
    for (uint32_t i = u->first_vm; i < u->first_vm + u->n_vms; i++)
        if (meter_was_there(m, i)) sum += v[n++] = availability(m, i);
    meter_put(m, u->name, "availability", "share", "", sum / n);
    if (u->n_vms > 1) meter_put_spread(m, u->name, "availability", "", v, n);
    free(v);
}

static int64_t sum_of(const struct meter *m, const struct meter_unit *u, int what)
{
    int64_t sum = 0;
    for (uint32_t i = u->first_vm; i < u->first_vm + u->n_vms; i++)
        sum += meter_count_of(m->vms[i].tally, what);
    return sum;
}

/* Seconds each, of so many. */
static void put_mean_time(struct meter *m, const char *e, const char *metric, int64_t ns, int64_t n)
{
    if (n) meter_put(m, e, metric, "total", "s", (double)ns / (double)n / 1e9);
}

void meter_write_vm_cloud(struct meter *m, const struct meter_unit *u)
{
    put_availability(m, u);
    int64_t migrations = sum_of(m, u, REC_N_MIG_DONE), bits = sum_of(m, u, REC_N_BITS);
    put_mean_time(m, u->name, "boot.time", sum_of(m, u, REC_N_BOOT_NS), sum_of(m, u, REC_N_BOOTS));
    put_mean_time(m, u->name, "migration.time", sum_of(m, u, REC_N_MIG_NS), migrations);
    put_mean_time(m, u->name, "migration.downtime", sum_of(m, u, REC_N_MIG_DOWN_NS), migrations);
    if (m->sc->moves) {
        meter_put_count(m, u->name, "migration.rounds", "", (uint64_t)sum_of(m, u, REC_N_MIG_ROUNDS));
        meter_put_count(m, u->name, "migration.bytes", "B", (uint64_t)sum_of(m, u, REC_N_MIG_BYTES));
    }
    if (bits)
        meter_put(m, u->name, "covert.ber", "share", "",
                  (double)sum_of(m, u, REC_N_BITS_WRONG) / (double)bits);
}

/* --- services --- */

void meter_write_services(struct meter *m)
{
    for (uint32_t i = 0; m->ups.vms_told && i < m->sc->n_services; i++) {
        const struct service_meter *s = &m->ups.services[i];
        const char *e = m->sc->services[i].entity;
        meter_put(m, e, "availability", "share", "", meter_up_share(m, &s->is));
        meter_put_events(m, e, s->events);
    }
}

/* --- hosts and the cluster --- */

/* A sum over all hosts that state it, and the same of each second. */
static void put_total(struct meter *m, const char *e, const char *metric, const char *unit, const char *rate,
                      double x)
{
    meter_put(m, e, metric, "total", unit, x);
    meter_put(m, e, metric, "rate", rate, x / meter_put_span(m));
}

/* Of hosts [first, first + n). The most is of one host, or of all there are at once (max_w). */
static void put_power(struct meter *m, const char *e, uint32_t first, uint32_t n, double max_w)
{
    double joules = 0, *each = alloc_array(n, sizeof *each);
    uint32_t stated = 0;
    for (uint32_t h = first; h < first + n; h++) {
        if (!m->sc->hosts[h].power.stated) continue;
        joules += each[stated] = meter_power_joules(m, h);
        each[stated++] /= meter_put_span(m);
    }
    if (stated && max_w >= 0) {
        meter_put(m, e, "power", "mean", "W", joules / meter_put_span(m));
        meter_put(m, e, "power", "max", "W", max_w);
    } else if (stated) {
        meter_put_spread(m, e, "power", "W", each, stated);
    }
    if (stated) put_total(m, e, "energy", "J", "W", joules);
    free(each);
}

static void put_cost(struct meter *m, const char *e, uint32_t first, uint32_t n)
{
    double cost = 0;
    bool any = false;
    for (uint32_t h = first; h < first + n; h++) {
        any = any || m->sc->hosts[h].price_u;
        cost += (double)m->sc->hosts[h].price_u / 1e6 * ((double)m->ups.hosts[h].up_ns / 3600e9);
    }
    if (any && m->ups.hosts_told) put_total(m, e, "cost", "", "1/s", cost);
}

void meter_write_host_cloud(struct meter *m, const char *e, uint32_t first, uint32_t n)
{
    if (m->powered) put_power(m, e, first, n, n == 1 ? m->power[first].max_w : -1);
    put_cost(m, e, first, n);
}

static void put_number(struct meter *m, const char *metric, const struct level_meter *l)
{
    double span = (double)(m->end_ns - m->warmup_ns);
    meter_put(m, "cluster", metric, "mean", "", (double)(l->integral - l->base) / span);
    meter_put(m, "cluster", metric, "max", "", (double)l->max);
}

void meter_write_cluster_cloud(struct meter *m)
{
    if (m->ups.vms_told) put_number(m, "vms.down", &m->ups.down.level);
    if (m->ups.hosts_told) put_number(m, "hosts.on", &m->ups.on.level);
    uint64_t rejected = meter_event_total(m->cluster_events, REC_EV_REJECTED);
    if (rejected || m->sc->cloud.stated || m->sc->n_events)
        meter_put_count(m, "cluster", "rejected", "", rejected);
    if (m->powered) put_power(m, "cluster", 0, m->sc->n_hosts, m->max_w);
    put_cost(m, "cluster", 0, m->sc->n_hosts);
}
