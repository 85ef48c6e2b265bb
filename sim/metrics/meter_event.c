// SPDX-License-Identifier: GPL-3.0-or-later
/* What happened: counted on every entity that it happened to, and told one by one. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "metrics/meter_inner.h"

void meter_event_count(struct event_meter **place, enum rec_event what, int64_t t_ns)
{
    if (!*place) *place = alloc_array(REC_NEVENTS, sizeof **place);
    struct event_meter *e = &(*place)[what];
    if (e->total++ == 0) e->first_ns = t_ns;
    e->last_ns = t_ns;
}

/* Told one by one are the things that happen to a VM; what its scheduler does all the time is counted. */
static bool told(uint8_t cause)
{
    return cause != REC_EV_THROTTLE && cause != REC_EV_MIGRATE && cause != REC_EV_LOST;
}

/* Where a device stands; a store, a network or a peer stands on no host. */
static uint32_t host_of_dev(const struct scenario *sc, uint32_t dev)
{
    if (dev < sc->n_disks) return sc->disks[dev].host;
    return dev - sc->n_disks < sc->n_nics ? sc->nics[dev - sc->n_disks].host : SC_NONE;
}

static const char *entity_of(struct meter *m, const struct rec *r)
{
    if (r->pcpu == REC_DEV) return scenario_dev_entity(m->sc, r->host);
    if (r->vm != UINT32_MAX) return meter_name(m, "vm.%s", m->sc->vms[r->vm].name);
    if (r->host < m->sc->n_hosts) return meter_name(m, "host.%s", m->sc->hosts[r->host].name);
    return "cluster";
}

/* Of a send; a migration is refused for other reasons. */
static bool of_a_send(const struct rec *r)
{
    if (r->cause == REC_EV_NAT_FULL) return true;
    if (r->cause != REC_EV_REFUSED) return false;
    return r->to == REC_WHY_NONE || r->to == REC_WHY_NO_ROUTE || r->to == REC_WHY_NO_FORWARD ||
           r->to == REC_WHY_NO_NIC || r->to == REC_WHY_LINK;
}

/* What a VM could not send happened to its network too. */
static void count_everywhere(struct meter *m, const struct rec *r)
{
    bool dev = r->pcpu == REC_DEV;
    uint32_t host = dev ? host_of_dev(m->sc, r->host) : r->host;
    enum rec_event what = (enum rec_event)r->cause;
    if (host == SC_NONE && r->vm != UINT32_MAX) host = meter_home_of(m, r->vm);
    meter_event_count(&m->cluster_events, what, r->t_ns);
    if (host < m->sc->n_hosts) meter_event_count(&m->host_events[host], what, r->t_ns);
    if (dev)
        meter_event_count(&m->devs[r->host].events, what, r->t_ns);
    else if (r->pcpu != REC_NONE)
        meter_event_count(&m->pcpu_events[m->first_pcpu[r->host] + r->pcpu], what, r->t_ns);
    if (r->vm == UINT32_MAX) return;
    meter_event_count(&m->vms[r->vm].events, what, r->t_ns);
    uint32_t net = m->sc->vms[r->vm].network;
    if (of_a_send(r) && !dev && net != SC_NONE)
        meter_event_count(&m->devs[m->sc->n_disks + m->sc->n_nics + net].events, what, r->t_ns);
    if (r->vcpu != REC_NONE)
        meter_event_count(&m->vcpu_events[m->first_vcpu[r->vm] + r->vcpu], what, r->t_ns);
}

void meter_event_read(struct meter *m, const struct rec *r)
{
    if (m->warm) count_everywhere(m, r);
    if (!told(r->cause)) return;
    if (m->n_happenings == METER_HAPPENINGS) {
        m->happenings_cut++;
        return;
    }
    if (m->n_happenings == m->cap_happenings) {
        m->cap_happenings = m->cap_happenings ? 2 * m->cap_happenings : 64;
        m->happenings = realloc(m->happenings, m->cap_happenings * sizeof *m->happenings);
        ASSERT(m->happenings);
    }
    m->happenings[m->n_happenings++] = (struct happening){
        .t_ns = r->t_ns,
        .entity = entity_of(m, r),
        .kind = rec_event_name((enum rec_event)r->cause),
        .cause = rec_why_text((enum rec_why)r->to),
        .value = (double)r->value,
    };
}

void meter_event_add(struct event_meter *a, const struct event_meter *b)
{
    for (int k = 0; b && k < REC_NEVENTS; k++) {
        if (b[k].total == 0) continue;
        if (a[k].total == 0 || b[k].first_ns < a[k].first_ns) a[k].first_ns = b[k].first_ns;
        if (b[k].last_ns > a[k].last_ns) a[k].last_ns = b[k].last_ns;
        a[k].total += b[k].total;
    }
}

uint64_t meter_event_total(const struct event_meter *e, enum rec_event what)
{
    return e ? e[what].total : 0;
}

static void done(struct event_meter **e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(e[i]);
    free(e);
}

void meter_event_done(struct meter *m)
{
    free(m->cluster_events);
    done(m->host_events, m->sc->n_hosts);
    done(m->pcpu_events, m->n_pcpus);
    done(m->vcpu_events, m->n_vcpus);
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        free(m->vms[i].events);
    for (uint32_t i = 0; m->devs && i < scenario_n_devs(m->sc); i++)
        free(m->devs[i].events);
}
