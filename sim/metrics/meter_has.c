// SPDX-License-Identifier: GPL-3.0-or-later
/* What an entity has, by the scenario alone: whether a row is there does not depend on what happens in a run.
 */
#include "base/alloc.h"
#include "metrics/meter_inner.h"

unsigned meter_has_vm(const struct meter *m, uint32_t vm)
{
    static const unsigned by_step[STEP_NKINDS] = {
        [STEP_TOUCH] = METER_MEM | METER_EXITS,
        [STEP_DISK] = METER_EXITS,
        [STEP_NET] = METER_EXITS,
        [STEP_OPS] = METER_EXITS,
    };
    const struct sc_vm *v = &m->sc->vms[vm];
    unsigned has = (v->n_disks ? METER_DISK : 0u) | (v->network < m->sc->n_networks ? METER_NET : 0u);
    for (uint32_t i = 0; v->work.prog && i < v->work.prog->n_steps; i++)
        has |= by_step[prog_steps(v->work.prog)[i].kind];
    return has;
}

void meter_has_init(struct meter *m)
{
    m->host_has = alloc_array(m->sc->n_hosts, sizeof *m->host_has);
    for (uint32_t u = 0; u < m->n_units; u++) {
        uint32_t vm = m->units[u].first_vm;
        unsigned mem = meter_has_vm(m, vm) & METER_MEM;
        m->host_has[m->sc->vms[vm].host] |= mem;
        for (uint32_t h = 0; mem && m->sc->moves && h < m->sc->n_hosts; h++)
            m->host_has[h] |= mem; /* where it may come to */
    }
}

unsigned meter_has_dev(const struct meter *m, uint32_t dev)
{
    return dev < m->sc->n_disks ? METER_DISK : METER_NET;
}

bool meter_has_pool(const struct meter *m, uint32_t dev)
{
    return dev < m->sc->n_disks && m->sc->disks[dev].pool_bytes > 0;
}

bool meter_has_own(const struct meter *m, const struct meter_unit *u)
{
    return u->n_vms == 1 || m->opts.per_entity;
}

bool meter_has_ups(const struct meter *m)
{
    const struct scenario *sc = m->sc;
    bool any = sc->moves || sc->cloud.stated || sc->n_events || sc->n_services || sc->n_images;
    for (uint32_t h = 0; !any && h < sc->n_hosts; h++)
        any = sc->hosts[h].failures.stated;
    return any;
}
