// SPDX-License-Identifier: GPL-3.0-or-later
/* What is there and what of it is up, as REC_POWER tells: VMs, hosts, and services that need some of their
 * VMs. Only the window is added up; numbers of VMs and hosts are levels, at their last value of each instant.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "metrics/meter_inner.h"

/* Which services each VM is of: as the services list them, turned round. */
static void index_services(struct meter *m)
{
    const struct scenario *sc = m->sc;
    uint32_t *first = m->ups.first_of = alloc_array((size_t)sc->n_vms + 2, sizeof *first), n = 0;
    for (uint32_t s = 0; s < sc->n_services; s++)
        for (uint32_t i = 0; i < sc->services[s].n_vms; i++, n++)
            first[sc->services[s].vms[i] + 2]++;
    for (uint32_t v = 0; v < sc->n_vms; v++)
        first[v + 2] += first[v + 1];
    m->ups.service_of = alloc_array(n, sizeof *m->ups.service_of);
    for (uint32_t s = 0; s < sc->n_services; s++)
        for (uint32_t i = 0; i < sc->services[s].n_vms; i++)
            m->ups.service_of[first[sc->services[s].vms[i] + 1]++] = s;
}

void meter_up_init(struct meter *m)
{
    m->ups.vms = alloc_array(m->sc->n_vms, sizeof *m->ups.vms);
    m->ups.hosts = alloc_array(m->sc->n_hosts, sizeof *m->ups.hosts);
    m->ups.services = alloc_array(m->sc->n_services, sizeof *m->ups.services);
    index_services(m);
}

void meter_up_done(struct meter *m)
{
    for (uint32_t s = 0; s < m->sc->n_services; s++)
        free(m->ups.services[s].events);
    free(m->ups.vms);
    free(m->ups.hosts);
    free(m->ups.services);
    free(m->ups.first_of);
    free(m->ups.service_of);
}

/* --- numbers --- */

static void number_to(struct meter *m, struct number_meter *n, int64_t t_ns)
{
    struct level_meter *l = &n->level;
    if (t_ns == l->since_ns) return; /* what it was for no time at all does not count */
    l->integral += (__int128)l->now * (t_ns - l->since_ns);
    l->since_ns = t_ns;
    if (m->warm && l->now > l->max) l->max = l->now;
}

static void number_step(struct meter *m, struct number_meter *n, int64_t t_ns, int by)
{
    number_to(m, n, t_ns);
    n->level.now += by;
}

double meter_up_sample(const struct meter *m, struct number_meter *n, int64_t t_ns)
{
    const struct level_meter *l = &n->level;
    __int128 now = l->integral + (__int128)l->now * (t_ns - l->since_ns), before = n->sampled;
    n->sampled = now;
    return (double)(now - before) / (double)m->sc->run.sample_ns;
}

/* --- one that is up or not --- */

static void up_to(const struct meter *m, struct up_meter *u, int64_t t_ns)
{
    int64_t from = u->since_ns > m->warmup_ns ? u->since_ns : m->warmup_ns;
    if (u->up && t_ns > from) u->up_ns += t_ns - from;
    u->since_ns = t_ns;
}

static void set_up(const struct meter *m, struct up_meter *u, bool up, int64_t t_ns)
{
    up_to(m, u, t_ns);
    u->up = up;
}

/* What it has been for some time by t_ns, and so has become when that began; what it was for no time at all
 * it was not. */
static void settle_service(struct meter *m, struct service_meter *s, int64_t t_ns)
{
    if (t_ns == s->is.since_ns || s->is.up == s->was_up) return;
    s->was_up = s->is.up;
    if (s->ever_up && s->is.since_ns >= m->warmup_ns)
        meter_event_count(&s->events, s->was_up ? REC_EV_REPAIRED : REC_EV_FAILED, s->is.since_ns);
    s->ever_up = true;
}

static void step_services(struct meter *m, uint32_t vm, bool up, int64_t t_ns)
{
    const struct ups_meter *ups = &m->ups;
    for (uint32_t i = ups->first_of[vm]; i < ups->first_of[vm + 1]; i++) {
        struct service_meter *s = &ups->services[ups->service_of[i]];
        s->n_up += up ? 1u : UINT32_MAX;
        bool enough = s->n_up >= m->sc->services[ups->service_of[i]].need;
        if (enough == s->is.up) continue;
        settle_service(m, s, t_ns);
        set_up(m, &s->is, enough, t_ns);
    }
}

static void read_vm(struct meter *m, const struct rec *r)
{
    struct up_meter *u = &m->ups.vms[r->vm];
    bool was_down = u->there && !u->up, value = r->value != 0;
    m->ups.vms_told = true;
    if (r->cause == REC_P_THERE) {
        u->there = value;
        u->was_there = u->was_there || value;
    } else if (value != u->up) {
        set_up(m, u, value, r->t_ns);
        step_services(m, r->vm, value, r->t_ns);
    }
    bool down = u->there && !u->up;
    if (down != was_down) number_step(m, &m->ups.down, r->t_ns, down ? 1 : -1);
}

static void read_host(struct meter *m, const struct rec *r)
{
    struct up_meter *u = &m->ups.hosts[r->host];
    bool value = r->value != 0;
    m->ups.hosts_told = true;
    if (r->cause == REC_P_UP && value != u->up) {
        set_up(m, u, value, r->t_ns);
        number_step(m, &m->ups.on, r->t_ns, value ? 1 : -1);
    }
    if (m->power) meter_power_change(m, r);
}

void meter_up_read(struct meter *m, const struct rec *r)
{
    ASSERT(r->cause < REC_NPOWERS);
    if (r->vm != UINT32_MAX)
        read_vm(m, r);
    else
        read_host(m, r);
}

void meter_up_end_warmup(struct meter *m)
{
    struct number_meter *const numbers[] = {&m->ups.down, &m->ups.on};
    for (size_t i = 0; i < 2; i++) {
        number_to(m, numbers[i], m->warmup_ns);
        numbers[i]->level.base = numbers[i]->level.integral;
        numbers[i]->level.max = 0;
    }
}

void meter_up_end(struct meter *m)
{
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        up_to(m, &m->ups.vms[i], m->end_ns);
    for (uint32_t i = 0; i < m->sc->n_hosts; i++)
        up_to(m, &m->ups.hosts[i], m->end_ns);
    for (uint32_t i = 0; i < m->sc->n_services; i++) {
        settle_service(m, &m->ups.services[i], m->end_ns);
        up_to(m, &m->ups.services[i].is, m->end_ns);
    }
    number_to(m, &m->ups.down, m->end_ns);
    number_to(m, &m->ups.on, m->end_ns);
}

bool meter_was_there(const struct meter *m, uint32_t vm)
{
    return m->sc->vms[vm].there == SC_AT_START || m->ups.vms[vm].was_there;
}

double meter_up_share(const struct meter *m, const struct up_meter *u)
{
    return (double)u->up_ns / (double)(m->end_ns - m->warmup_ns);
}
