// SPDX-License-Identifier: GPL-3.0-or-later
/* Rows of memory, disks, networks and exits, where an entity has such a thing (meter_has.c). Of a folded
 * group counts are summed, requests pooled, and levels told by their spread over the members. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "metrics/meter_inner.h"
#include "scenario/reach.h"

#define REACH_MOST 50 /* endpoints of a scenario whose reachability is told */

struct counted {
    const char *name, *unit;
    enum rec_count what;
};
static const struct counted mem_counts[] = {
    {"mem.refs", "", REC_N_MEM_REFS},
    {"mem.faults", "", REC_N_MEM_FAULTS},
    {"mem.softfaults", "", REC_N_MEM_SOFTFAULTS},
    {"mem.swapin", "B", REC_N_MEM_SWAPIN},
    {"mem.tlbmisses", "", REC_N_MEM_TLBMISSES},
    {"mem.walkrefs", "", REC_N_MEM_WALKREFS},
};
static const struct counted disk_counts[] = {
    {"disk.ops", "", REC_N_DISK_OPS},
    {"disk.bytes", "B", REC_N_DISK_BYTES},
};
static const struct counted net_counts[] = {
    {"net.frames", "", REC_N_NET_FRAMES},
    {"net.bytes", "B", REC_N_NET_BYTES},
    {"net.wire", "B", REC_N_NET_WIRE},
    {"net.drops", "", REC_N_NET_DROPS},
};
static const char *const exit_names[PROG_NOPS] = {
    [OP_SYSCALL] = "exits.syscall",
    [OP_PAGE_FAULT] = "exits.page_fault",
    [OP_IO_PORT] = "exits.io_port",
    [OP_CR8] = "exits.cr8",
    [OP_CALL_RET] = "exits.call_ret",
    [OP_DIVIDE] = "exits.divide",
    [OP_PTE_MODIFY] = "exits.pte_modify",
    [OP_DOORBELL] = "exits.doorbell",
    [OP_MMIO] = "exits.mmio",
    [OP_HLT] = "exits.hlt",
    [OP_CONTEXT_SWITCH] = "exits.context_switch",
    [OP_FORK] = "exits.fork",
    [OP_EXEC] = "exits.exec",
};
_Static_assert((int)PROG_NOPS == REC_NCOUNTS - REC_N_EXIT, "a count for each kind of ops");

static const struct counted mem_levels[] = {
    {"mem.resident", "B", (enum rec_count)REC_L_MEM_RESIDENT},
    {"mem.active", "B", (enum rec_count)REC_L_MEM_ACTIVE},
    {"mem.ballooned", "B", (enum rec_count)REC_L_MEM_BALLOONED},
    {"mem.shared", "B", (enum rec_count)REC_L_MEM_SHARED},
    {"mem.swapped", "B", (enum rec_count)REC_L_MEM_SWAPPED},
};
#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* One row's entities: those with these tallies (some NULL). */
struct members {
    const char *name;
    struct tally *const *t;
    uint32_t n;
    const struct tally *pooled; /* has the requests of all, and is not of them; NULL: none such */
};

static uint64_t sum_of(const struct members *e, int what)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < e->n; i++)
        sum += (uint64_t)meter_count_of(e->t[i], what);
    return sum;
}

static void put_counts(struct meter *m, const struct members *e, const struct counted *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        meter_put_count(m, e->name, c[i].name, c[i].unit, sum_of(e, (int)c[i].what));
}

static double mean_of(const struct meter *m, const struct tally *t, int what)
{
    return meter_count_mean(m, t, what);
}

static double miss_of(const struct meter *m, const struct tally *t, int what)
{
    (void)m;
    int64_t refs = meter_count_of(t, REC_N_MEM_REFS);
    return refs ? (double)meter_count_of(t, what) / (double)refs : 0;
}

static void put_spread(struct meter *m, const struct members *e, const char *metric, const char *unit,
                       double (*value)(const struct meter *, const struct tally *, int), int what)
{
    double *v = alloc_array(e->n, sizeof *v);
    for (uint32_t i = 0; i < e->n; i++)
        v[i] = value(m, e->t[i], what);
    meter_put_spread(m, e->name, metric, unit, v, e->n);
    free(v);
}

static void put_level(struct meter *m, const struct members *e, const char *metric, const char *unit,
                      int what)
{
    if (e->n > 1) {
        put_spread(m, e, metric, unit, mean_of, what);
        return;
    }
    meter_put(m, e->name, metric, "mean", unit, meter_count_mean(m, e->t[0], what));
    meter_put(m, e->name, metric, "max", unit, (double)meter_count_max(e->t[0], what));
}

static void put_mem_levels(struct meter *m, const struct members *e)
{
    for (size_t i = 0; i < LENGTH(mem_levels); i++)
        put_level(m, e, mem_levels[i].name, mem_levels[i].unit, (int)mem_levels[i].what);
}

static void put_mem(struct meter *m, const struct members *e)
{
    put_mem_levels(m, e);
    put_counts(m, e, mem_counts, LENGTH(mem_counts));
    uint64_t refs = sum_of(e, REC_N_MEM_REFS), faults = sum_of(e, REC_N_MEM_FAULTS);
    meter_put(m, e->name, "mem.miss", "share", "", refs ? (double)faults / (double)refs : 0);
    if (e->n > 1) put_spread(m, e, "mem.miss", "", miss_of, REC_N_MEM_FAULTS);
}

/* A pooled distribution is told once: members without one of their own point to their group's. */
static void put_requests(struct meter *m, const struct members *e)
{
    struct hist all = {0};
    put_counts(m, e, disk_counts, LENGTH(disk_counts));
    for (uint32_t i = 0; i < e->n; i++)
        if (e->t[i] && e->t[i]->owns_io) hist_merge(&all, e->t[i]->io);
    if (e->pooled && e->pooled->owns_io) hist_merge(&all, e->pooled->io);
    meter_put_dist(m, e->name, "disk.latency", &all);
    hist_done(&all);
    put_level(m, e, "disk.queue", "", REC_L_DISK_QUEUE);
}

static void put_exits(struct meter *m, const struct members *e)
{
    for (int op = 0; op < PROG_NOPS; op++)
        meter_put_count(m, e->name, exit_names[op], "", sum_of(e, REC_N_EXIT + op));
}

static bool any_exits(const struct members *e)
{
    for (int op = 0; op < PROG_NOPS; op++)
        if (sum_of(e, REC_N_EXIT + op)) return true;
    return false;
}

void meter_write_vm_res(struct meter *m, const struct meter_unit *u)
{
    unsigned has = meter_has_vm(m, u->first_vm);
    struct tally **t = alloc_array(u->n_vms, sizeof *t);
    uint32_t n = 0;
    for (uint32_t i = u->first_vm; i < u->first_vm + u->n_vms; i++)
        if (meter_was_there(m, i)) t[n++] = m->vms[i].tally;
    bool first = meter_was_there(m, u->first_vm);
    const struct members e = {u->name, t, n, first ? NULL : m->vms[u->first_vm].tally};
    if (has & METER_MEM) put_mem(m, &e);
    if (has & METER_DISK) {
        put_requests(m, &e);
        put_level(m, &e, "disk.allocated", "B", REC_L_DISK_ALLOCATED);
    }
    if (has & METER_NET) put_counts(m, &e, net_counts, LENGTH(net_counts));
    if (has & METER_EXITS || any_exits(&e)) put_exits(m, &e);
    free(t);
}

void meter_write_host_res(struct meter *m, const char *name, uint32_t first, uint32_t n)
{
    unsigned has = 0;
    for (uint32_t h = first; h < first + n; h++)
        has |= m->host_has[h];
    if (has & METER_MEM) put_mem_levels(m, &(struct members){name, m->host_tallies + first, n, NULL});
}

/* --- devices --- */

struct dev_unit {
    const char *name;
    const char *group, *part; /* of folded ones: the hosts', and what the device is called there */
    uint32_t first;           /* its first device */
    uint32_t *devs, n;
    size_t cap;
};

static double util_of(const struct meter *m, uint32_t dev)
{
    const struct sc_disk *d = &m->sc->disks[dev];
    double servers = d->model == SC_DISK_SSD ? (double)d->channels * d->dies : 1;
    double busy = meter_count_mean(m, m->devs[dev].tally, REC_L_DISK_BUSY);
    return servers > 0 ? busy / servers : 0;
}

static void put_dev(struct meter *m, const struct dev_unit *u)
{
    struct tally **t = alloc_array(u->n, sizeof *t);
    struct event_meter ev[REC_NEVENTS] = {0};
    for (uint32_t i = 0; i < u->n; i++) {
        t[i] = m->devs[u->devs[i]].tally;
        meter_event_add(ev, m->devs[u->devs[i]].events);
    }
    const struct members e = {u->name, t, u->n, NULL};
    if (meter_has_dev(m, u->first) == METER_DISK) {
        double *util = alloc_array(u->n, sizeof *util), sum = 0;
        put_requests(m, &e);
        put_level(m, &e, "disk.busy", "", REC_L_DISK_BUSY);
        for (uint32_t i = 0; i < u->n; i++)
            sum += util[i] = util_of(m, u->devs[i]);
        meter_put(m, u->name, "disk.util", "share", "", sum / u->n);
        if (u->n > 1) meter_put_spread(m, u->name, "disk.util", "", util, u->n);
        if (meter_has_pool(m, u->first)) put_level(m, &e, "disk.allocated", "B", REC_L_DISK_ALLOCATED);
        free(util);
    } else {
        put_counts(m, &e, net_counts, LENGTH(net_counts));
    }
    meter_put_events(m, u->name, ev);
    free(t);
}

void meter_write_dev(struct meter *m, uint32_t dev)
{
    put_dev(m,
            &(struct dev_unit){.name = scenario_dev_entity(m->sc, dev), .first = dev, .devs = &dev, .n = 1});
}

/* A device of a host in a group of more than METER_FOLD: the group, and "disk.ssd0"; else NULL. */
static const char *folded_group(const struct meter *m, uint32_t dev, const char **part)
{
    const struct scenario *sc = m->sc;
    uint32_t host = dev < sc->n_disks                ? sc->disks[dev].host
                    : dev - sc->n_disks < sc->n_nics ? sc->nics[dev - sc->n_disks].host
                                                     : SC_NONE;
    if (host == SC_NONE || strcmp(sc->hosts[host].name, sc->hosts[host].group) == 0) return NULL;
    const char *group = sc->hosts[host].group;
    uint32_t n = 0; /* members stand side by side */
    for (uint32_t h = host; h < sc->n_hosts && n <= METER_FOLD && strcmp(sc->hosts[h].group, group) == 0; h++)
        n++;
    for (uint32_t h = host; h > 0 && n <= METER_FOLD && strcmp(sc->hosts[h - 1].group, group) == 0; h--)
        n++;
    *part = scenario_dev_entity(sc, dev) + strlen("host.") + strlen(sc->hosts[host].name) + 1;
    return n > METER_FOLD ? group : NULL;
}

static struct dev_unit *unit_of(struct dev_unit *units, size_t n, const char *group, const char *part)
{
    for (size_t i = 0; group && i < n; i++)
        if (units[i].group && strcmp(units[i].group, group) == 0 && strcmp(units[i].part, part) == 0)
            return &units[i];
    return NULL;
}

void meter_write_devs(struct meter *m)
{
    struct dev_unit *units = NULL; /* of folded devices: few, however many there are */
    size_t n = 0, cap = 0;
    for (uint32_t d = 0; d < scenario_n_devs(m->sc); d++) {
        const char *part = NULL, *group = folded_group(m, d, &part);
        if (!group) continue;
        struct dev_unit *u = unit_of(units, n, group, part);
        if (!u) {
            units = alloc_grow(units, n, &cap, sizeof *units);
            u = &units[n++];
            *u = (struct dev_unit){
                .name = meter_name(m, "host.%s.%s", group, part), .group = group, .part = part, .first = d};
        }
        u->devs = alloc_grow(u->devs, u->n, &u->cap, sizeof *u->devs);
        u->devs[u->n++] = d;
    }
    for (uint32_t d = 0; d < scenario_n_devs(m->sc); d++) {
        const char *part = NULL, *group = folded_group(m, d, &part);
        if (!group)
            meter_write_dev(m, d);
        else if (unit_of(units, n, group, part)->first == d)
            put_dev(m, unit_of(units, n, group, part));
    }
    for (size_t i = 0; i < n; i++)
        free(units[i].devs);
    free(units);
}

/* --- reachability --- */

static const char *endpoint(const struct scenario *sc, uint32_t i)
{
    return i < sc->n_vms ? sc->vms[i].name : sc->peers[i - sc->n_vms].name;
}

/* A peer called like a VM: "to" means the VM. */
static bool shadowed(const struct scenario *sc, uint32_t i)
{
    for (uint32_t v = 0; i >= sc->n_vms && v < sc->n_vms; v++)
        if (strcmp(sc->vms[v].name, endpoint(sc, i)) == 0) return true;
    return false;
}

void meter_write_reach(struct meter *m)
{
    const struct scenario *sc = m->sc;
    uint32_t n = sc->n_vms + sc->n_peers;
    if (sc->n_networks + sc->n_peers == 0 || n > REACH_MOST || m->opts.only_vm != UINT32_MAX) return;
    for (uint32_t from = 0; from < n; from++) {
        char entity[METER_NAME_LEN], metric[METER_NAME_LEN];
        snprintf(entity, sizeof entity, "%s.%s", from < sc->n_vms ? "vm" : "peer", endpoint(sc, from));
        for (uint32_t to = 0; to < n; to++) {
            if (shadowed(sc, to)) continue;
            snprintf(metric, sizeof metric, "net.reach.%s", endpoint(sc, to));
            meter_put(m, entity, metric, "mean", "", reach_between(sc, from, to));
        }
    }
}
