// SPDX-License-Identifier: GPL-3.0-or-later
/* Moving VMs for the hosts' sake: balancing, emptying hosts to switch them off, draining; and speed steps. */
#include "model/cloud_inner.h"
#include "model/cpu.h"
#include "model/host.h"
#include "model/migrate.h"
#include "model/power.h"

/* A host's speed follows its load at these times: as a governor that samples, a tenth of a second. */
#define SPEED_EVERY_NS INT64_C(100000000)
/* The slowest step at which it would be busy no more than this. */
#define SPEED_BUSY_PPM 800000

void cloud_balance_init(struct model *m)
{
    const struct cloud *c = m->cloud;
    if (c->sc->balance_every_ns) cloud_at(m, c->sc->balance_every_ns, EVQ_NORMAL, CLOUD_BALANCE, 0);
    for (uint32_t i = 0; i < m->sc->n_hosts; i++)
        if (m->sc->hosts[i].power.n_steps) cloud_at(m, SPEED_EVERY_NS, EVQ_NORMAL, CLOUD_SPEED, i);
    if (c->policy && place_powers_off(c->policy)) cloud_soon(m);
}

static enum rec_why may_move(const void *ctx, uint32_t vm, uint32_t host)
{
    const struct cloud_ctx *c = ctx;
    struct cloud_ctx of = {.m = c->m, .vm = &c->m->vms[vm]};
    struct place_ask ask = cloud_place_ask(of.vm, &of);
    return place_may(&c->m->cloud->hosts[host], host, &ask);
}

/* The VMs that could be moved now, in c->movers. */
static uint32_t movers(struct model *m)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        const struct vm *vm = &m->vms[i];
        if (!vm->sc || vm->power != POWER_UP || vm->migration || vm->held || vm->sc->pins) continue;
        int64_t load = m->cloud->vm[i].load_ppm;
        m->cloud->movers[n++] = (struct place_mover){.load_ppm = load > 0 ? load : 0,
                                                     .move_ns = migrate_estimate_ns(vm),
                                                     .host = vm->host->index,
                                                     .vm = i};
    }
    return n;
}

/* The least loaded host is emptied, if all its VMs have a place on those that are on. */
static void empty_one(struct model *m)
{
    struct cloud *c = m->cloud;
    struct cloud_ctx ctx = {.m = m};
    uint32_t n = cloud_place_residents(m);
    uint32_t h =
        place_empty(c->hosts, m->sc->n_hosts, c->residents, n, cloud_place_rule, &ctx, c->moves, c->scratch);
    if (h == PLACE_NONE) return;
    for (uint32_t i = 0, left = m->hosts[h].n_vms; i < left; i++)
        if (!m->vms[c->moves[i].vm].migration)
            migrate_begin(m, &m->vms[c->moves[i].vm], &m->hosts[c->moves[i].to]);
}

void cloud_balance_on(struct model *m)
{
    struct cloud *c = m->cloud;
    struct cloud_ctx ctx = {.m = m};
    struct place_move move;
    int64_t every = c->sc->balance_every_ns;
    if (every <= INT64_MAX - sim_now(m->sim))
        cloud_at(m, sim_now(m->sim) + every, EVQ_NORMAL, CLOUD_BALANCE, 0);
    cloud_place_hosts(m);
    cloud_place_loads(m);
    if (c->policy && place_powers_off(c->policy))
        empty_one(m);
    else if (place_balance(c->hosts, m->sc->n_hosts, c->movers, movers(m), c->sc->balance_above_ppm, every,
                           may_move, &ctx, &move))
        migrate_begin(m, &m->vms[move.vm], &m->hosts[move.to]);
}

/* --- switching off --- */

/* Those on which nobody is to be up, nor has left pages behind. */
void cloud_empty(struct model *m)
{
    const struct cloud *c = m->cloud;
    if (!c->policy || !place_powers_off(c->policy)) return;
    for (uint32_t i = 0; i < m->sc->n_hosts; i++) {
        struct mhost *h = &m->hosts[i];
        bool needed = h->expects > 0;
        HOST_EACH(m, h, vm)
        needed |= vm->wanted;
        if (needed || h->off || h->n_failures || migrate_needs(m, h)) continue;
        host_switch(m, h, false);
    }
}

/* --- draining --- */

void cloud_balance_drain(struct model *m, struct mhost *h)
{
    if (h->n_failures) return; /* what has failed with it is for high availability, or for its repair */
    HOST_EACH(m, h, vm)
    {
        if (vm->migration) return; /* one after the other */
        if (migrate_begin(m, vm, NULL)) return;
    }
    if (h->n_vms == 0 && !h->drained) {
        h->drained = true;
        host_tell(m, h, REC_EV_DRAINED, 0, REC_WHY_NONE);
    }
}

void cloud_drain(struct model *m, struct mhost *h)
{
    if (!m->cloud || h->draining) return;
    h->draining = true;
    h->drained = false;
    cloud_balance_drain(m, h);
}

/* --- speed steps --- */

void cloud_speed_on(struct model *m, uint32_t i)
{
    struct mhost *h = &m->hosts[i];
    struct cloud_host *c = &m->cloud->host[i];
    const struct sc_power *p = &m->sc->hosts[i].power;
    int64_t busy = 0;
    for (uint32_t k = h->first_pcpu; k < h->first_pcpu + h->n_pcpus; k++)
        busy += cpu_busy_ns(m, &m->pcpus[k]);
    int64_t load = (int64_t)((__int128)(busy - c->busy_ns) * h->speed_ppm / (SPEED_EVERY_NS * h->n_pcpus));
    c->busy_ns = busy;
    uint32_t s = 0;
    while (s + 1 < p->n_steps && load > (int64_t)p->steps[s].speed_ppm * SPEED_BUSY_PPM / 1000000)
        s++;
    host_speed(m, h, p->steps[s].speed_ppm);
    cloud_at(m, sim_now(m->sim) + SPEED_EVERY_NS, EVQ_NORMAL, CLOUD_SPEED, i);
}
