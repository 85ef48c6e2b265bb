// SPDX-License-Identifier: GPL-3.0-or-later
/* Every single entity, for those who asked for it: the same rows, none folded away. */
#include "base/assert.h"
#include "metrics/meter_inner.h"

void meter_entities(struct meter *m, void (*take)(void *ctx, const struct results *rows), void *ctx)
{
    ASSERT(m->finished && m->opts.per_entity);
    struct results *kept = m->results;
    uint32_t hosts = m->sc->n_hosts, vms = m->sc->n_vms, n = hosts + vms + scenario_n_devs(m->sc);
    for (uint32_t i = 0; i < n; i++) {
        m->results = results_new();
        if (i < hosts)
            meter_write_host(m, i);
        else if (i < hosts + vms)
            meter_write_vm(m, i - hosts);
        else
            meter_write_dev(m, i - hosts - vms);
        take(ctx, m->results);
        results_free(m->results);
    }
    m->results = kept;
}
