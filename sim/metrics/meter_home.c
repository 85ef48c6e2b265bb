// SPDX-License-Identifier: GPL-3.0-or-later
/* What runs where, for scenarios in which VMs move or hosts take power: a record's host is where its interval
 * was. A VM is on the host that its last record named.
 *
 * Laws: a VM's vCPUs run on one host at a time, and only while the VM is there and the host is up; what all
 * vCPUs ran is what all pCPUs gave. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "metrics/meter_inner.h"
#include "metrics/meter_read.h"

void meter_home_init(struct meter *m)
{
    if (!m->sc->moves) return;
    m->homes = alloc_array(m->sc->n_vms, sizeof *m->homes);
    m->guests = alloc_array(m->sc->n_hosts, sizeof *m->guests);
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        m->homes[i].host = m->sc->vms[i].host;
}

void meter_home_done(struct meter *m)
{
    for (uint32_t h = 0; m->guests && h < m->sc->n_hosts; h++) {
        hist_done(&m->guests[h].slice);
        hist_done(&m->guests[h].wait);
    }
    free(m->homes);
    free(m->guests);
    free(m->power);
}

void meter_home_at(struct meter *m, const struct rec *r)
{
    struct home_meter *home = &m->homes[r->vm];
    if (r->pcpu == REC_DEV || r->host >= m->sc->n_hosts) return;
    if (home->host != r->host) {
        int64_t held = m->vms[r->vm].tally ? m->vms[r->vm].tally->level[REC_L_MEM_RESIDENT].now : 0;
        m->held[home->host] -= held; /* its memory goes with it */
        m->held[r->host] += held;
        home->moved = home->moved || home->told;
    }
    home->host = r->host;
    home->told = true;
}

static void begins(struct meter *m, const struct rec *r)
{
    const struct scenario *sc = m->sc;
    const char *vm = sc->vms[r->vm].name, *host = sc->hosts[r->host].name;
    if (m->ups.hosts_told && !m->ups.hosts[r->host].up)
        meter_broken(m, "vm.%s runs on host.%s at %" PRId64 " ns, which is down", vm, host, r->t_ns);
    if (m->ups.vms_told && !m->ups.vms[r->vm].there)
        meter_broken(m, "vm.%s runs at %" PRId64 " ns, but is not there", vm, r->t_ns);
    meter_power_run(m, r->host, r->t_ns, 1);
}

static void count(struct meter *m, const struct rec *r, bool counted)
{
    struct home_meter *home = &m->homes[r->vm];
    struct guests_meter *g = &m->guests[r->host];
    g->state[r->from] += meter_in_window(m, r);
    if (r->from != r->to && m->warm && r->from == VCPU_RUN) hist_add(&g->slice, r->value);
    if (r->from != r->to && m->warm && r->from == VCPU_READY) hist_add(&g->wait, r->value);
    if (home->running && home->runs_on != r->host && (counted || r->to == VCPU_RUN))
        meter_broken(m, "vm.%s is in two places at %" PRId64 " ns: host.%s and host.%s",
                     m->sc->vms[r->vm].name, r->t_ns, m->sc->hosts[home->runs_on].name,
                     m->sc->hosts[r->host].name);
    meter_home_at(m, r);
    home->running += (uint32_t)(r->to == VCPU_RUN) - (uint32_t)counted;
    if (r->to == VCPU_RUN) home->runs_on = r->host;
}

void meter_home_state(struct meter *m, const struct rec *r, uint32_t was)
{
    if (r->host >= m->sc->n_hosts) return; /* it is nowhere, and so it is down */
    bool counted = r->from == VCPU_RUN && was == VCPU_RUN;
    if (counted)
        meter_power_run(m, r->host, r->t_ns, -1);
    else if (r->from == VCPU_RUN)
        meter_power_busy(m, r->host, r->t_ns, r->value); /* its first record */
    if (r->to == VCPU_RUN) begins(m, r);
    if (m->homes) count(m, r, counted);
}

void meter_home_laws(struct meter *m)
{
    int64_t run = 0, gave = 0;
    for (uint32_t i = 0; i < m->n_vcpus; i++)
        run += m->vcpus[i].total[VCPU_RUN] - m->marks[i].base[VCPU_RUN];
    for (uint32_t p = 0; p < m->n_pcpus; p++)
        gave += m->pcpus[p].run_ns;
    if (run != gave)
        meter_broken(m, "conservation: all vCPUs ran %" PRId64 " ns, all pCPUs gave %" PRId64 " ns", run,
                     gave);
}

static void follow_rec(struct meter *m, const struct rec *r)
{
    if (r->kind == REC_SWITCH)
        meter_power_busy(m, r->host, r->t_ns, m->warm ? meter_in_window(m, r) : r->value);
    if (m->homes && r->vm != UINT32_MAX && r->kind != REC_SWITCH) meter_home_at(m, r);
}

void meter_home_read(void *ctx, const struct rec *r, size_t n)
{
    struct meter *m = ctx;
    for (size_t i = 0; i < n; i++) {
        if (r[i].t_ns >= m->next_boundary) meter_read_cross(m, r[i].t_ns);
        if (r[i].kind == REC_STATE) {
            read_state(m, &r[i], true);
            continue;
        }
        follow_rec(m, &r[i]);
        read_rec(m, &r[i]);
    }
}
