// SPDX-License-Identifier: GPL-3.0-or-later
/* The columns of memory, disks and networks in the time series: a level's mean over the sample, a count's
 * rate. Behind them those of what is above the hosts: power, and how much is up. */
#include <stdlib.h>

#include "base/alloc.h"
#include "metrics/meter_inner.h"

struct resource {
    const char *metric, *unit;
    int what; /* enum rec_level or rec_count */
    bool level;
    unsigned has; /* enum meter_has: which entities have it */
};
static const struct resource all[] = {
    {"mem.resident", "B", REC_L_MEM_RESIDENT, true, METER_MEM},
    {"mem.ballooned", "B", REC_L_MEM_BALLOONED, true, METER_MEM},
    {"mem.shared", "B", REC_L_MEM_SHARED, true, METER_MEM},
    {"mem.swapped", "B", REC_L_MEM_SWAPPED, true, METER_MEM},
    {"mem.faults", "1/s", REC_N_MEM_FAULTS, false, METER_MEM},
    {"disk.bytes", "B/s", REC_N_DISK_BYTES, false, METER_DISK},
    {"disk.queue", "", REC_L_DISK_QUEUE, true, METER_DISK},
    {"disk.allocated", "B", REC_L_DISK_ALLOCATED, true, METER_DISK},
    {"net.bytes", "B/s", REC_N_NET_BYTES, false, METER_NET},
};
#define N_ALL (sizeof all / sizeof *all)

enum column_of { OF_HOST, OF_DEV, OF_UNIT };

struct resource_col {
    const struct resource *r;
    enum column_of of;
    uint32_t index;
    __int128 before; /* count, or integral of the level, when the last sample ended */
};

/* Whether the VMs' columns find room. */
static bool with_units(const struct meter *m, size_t most)
{
    return N_ALL * (size_t)m->n_units <= most;
}

size_t meter_column_most(const struct meter *m, size_t most)
{
    return m->sc->n_hosts + 3 + /* power, and the cluster's three */
           N_ALL * ((size_t)m->sc->n_hosts + scenario_n_devs(m->sc) + (with_units(m, most) ? m->n_units : 0));
}

static void add(struct meter *m, const char *entity, unsigned has, enum column_of of, uint32_t index)
{
    for (size_t i = 0; i < N_ALL; i++) {
        if (!(has & all[i].has)) continue;
        if (of == OF_HOST && !all[i].level) continue;
        if (of == OF_DEV && all[i].what == REC_L_DISK_ALLOCATED && all[i].level && !meter_has_pool(m, index))
            continue;
        m->resource_cols[m->n_resource_cols++] =
            (struct resource_col){.r = &all[i], .of = of, .index = index};
        m->col_entity[m->n_cols] = entity;
        m->col_metric[m->n_cols] = all[i].metric;
        m->col_unit[m->n_cols++] = all[i].unit;
    }
}

static void add_name(struct meter *m, const char *entity, const char *metric, const char *unit)
{
    m->col_entity[m->n_cols] = entity;
    m->col_metric[m->n_cols] = metric;
    m->col_unit[m->n_cols++] = unit;
}

static void add_above(struct meter *m)
{
    for (uint32_t h = 0; m->powered && h < m->sc->n_hosts; h++)
        if (m->sc->hosts[h].power.stated) add_name(m, m->col_entity[h], "power", "W");
    if (m->powered) add_name(m, "cluster", "power", "W");
    if (!meter_has_ups(m)) return;
    add_name(m, "cluster", "vms.down", "");
    add_name(m, "cluster", "hosts.on", "");
}

/* After meter_power_mark. */
static void take_above(struct meter *m, int64_t t_ns, double *row)
{
    double sum = 0;
    for (uint32_t h = 0; m->powered && h < m->sc->n_hosts; h++)
        if (m->sc->hosts[h].power.stated) sum += *row++ = meter_power_sample(m, h);
    if (m->powered) *row++ = sum;
    if (!meter_has_ups(m)) return;
    *row++ = meter_up_sample(m, &m->ups.down, t_ns);
    *row = meter_up_sample(m, &m->ups.on, t_ns);
}

void meter_column_init(struct meter *m, size_t most)
{
    m->resource_cols = alloc_array(meter_column_most(m, most), sizeof *m->resource_cols);
    for (uint32_t h = 0; h < m->sc->n_hosts; h++)
        add(m, m->col_entity[h], m->host_has[h], OF_HOST, h);
    for (uint32_t d = 0; d < scenario_n_devs(m->sc); d++)
        add(m, scenario_dev_entity(m->sc, d), meter_has_dev(m, d), OF_DEV, d);
    for (uint32_t u = 0; with_units(m, most) && u < m->n_units; u++)
        add(m, m->units[u].name, meter_has_vm(m, m->units[u].first_vm), OF_UNIT, u);
    add_above(m);
}

static __int128 value_of(const struct resource_col *c, const struct tally *t, int64_t t_ns)
{
    if (!t) return 0;
    return c->r->level ? meter_count_integral(t, c->r->what, t_ns) : t->count[c->r->what];
}

static __int128 now_of(const struct meter *m, const struct resource_col *c, int64_t t_ns)
{
    if (c->of == OF_HOST) return value_of(c, m->host_tallies[c->index], t_ns);
    if (c->of == OF_DEV) return value_of(c, m->devs[c->index].tally, t_ns);
    __int128 sum = 0;
    const struct meter_unit *u = &m->units[c->index];
    for (uint32_t i = u->first_vm; i < u->first_vm + u->n_vms; i++)
        sum += value_of(c, m->vms[i].tally, t_ns);
    return sum;
}

void meter_column_take(struct meter *m, int64_t t_ns, double *row)
{
    double sample_ns = (double)m->sc->run.sample_ns;
    for (size_t i = 0; i < m->n_resource_cols; i++) {
        struct resource_col *c = &m->resource_cols[i];
        __int128 now = now_of(m, c, t_ns);
        row[i] = (double)(now - c->before) / (c->r->level ? sample_ns : sample_ns / 1e9);
        c->before = now;
    }
    take_above(m, t_ns, row + m->n_resource_cols);
}
