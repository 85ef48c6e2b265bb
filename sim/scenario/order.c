// SPDX-License-Identifier: GPL-3.0-or-later
/* Entities stand in order of their names, whatever the order of the file: ties at equal times are broken by
 * index, so reordering a file must not change an index. The members of a group stand side by side, by number.
 */
#include <stdlib.h>
#include <string.h>

#include "scenario/reader.h"

static int by_name(const char *group_a, const char *a, const char *group_b, const char *b)
{
    int c = strcmp(group_a, group_b);
    if (c) return c;
    size_t la = strlen(a), lb = strlen(b); /* NAME-9 before NAME-10 */
    return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

static int host_order(const void *a, const void *b)
{
    const struct sc_host *x = a, *y = b;
    return by_name(x->group, x->name, y->group, y->name);
}

static int vm_order(const void *a, const void *b)
{
    const struct sc_vm *x = a, *y = b;
    return by_name(x->group, x->name, y->group, y->name);
}

/* Hosts' own before stores; of one host by name. */
static int disk_order(const void *a, const void *b)
{
    const struct sc_disk *x = a, *y = b;
    return x->host != y->host ? (x->host < y->host ? -1 : 1) : strcmp(x->name, y->name);
}

static int nic_order(const void *a, const void *b)
{
    const struct sc_nic *x = a, *y = b;
    return x->host != y->host ? (x->host < y->host ? -1 : 1) : strcmp(x->name, y->name);
}

static int network_order(const void *a, const void *b)
{
    const struct sc_network *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int peer_order(const void *a, const void *b)
{
    const struct sc_peer *x = a, *y = b;
    return strcmp(x->name, y->name);
}

void order_hosts(struct sc_host *hosts, uint32_t n)
{
    qsort(hosts, n, sizeof *hosts, host_order);
}

void order_vms(struct sc_vm *vms, uint32_t n)
{
    qsort(vms, n, sizeof *vms, vm_order);
}

void order_disks(struct sc_disk *disks, uint32_t n)
{
    qsort(disks, n, sizeof *disks, disk_order);
}

void order_nics(struct sc_nic *nics, uint32_t n)
{
    qsort(nics, n, sizeof *nics, nic_order);
}

void order_networks(struct sc_network *networks, uint32_t n)
{
    qsort(networks, n, sizeof *networks, network_order);
}

void order_peers(struct sc_peer *peers, uint32_t n)
{
    qsort(peers, n, sizeof *peers, peer_order);
}

/* Where `want` stands in a sorted array; SC_NONE: nowhere. */
static uint32_t find(const void *want, const void *all, uint32_t n, size_t size,
                     int (*order)(const void *, const void *))
{
    const char *at = n ? bsearch(want, all, n, size, order) : NULL;
    return at ? (uint32_t)((size_t)(at - (const char *)all) / size) : SC_NONE;
}

uint32_t order_host(const struct scenario *sc, const char *group, const char *name)
{
    struct sc_host want = {.group = group, .name = name};
    return find(&want, sc->hosts, sc->n_hosts, sizeof want, host_order);
}

uint32_t order_group(const struct scenario *sc, const char *group)
{
    uint32_t lo = 0, hi = sc->n_hosts;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (strcmp(sc->hosts[mid].group, group) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < sc->n_hosts && !strcmp(sc->hosts[lo].group, group) ? lo : SC_NONE;
}

uint32_t order_disk(const struct scenario *sc, const struct sc_disk *want)
{
    return find(want, sc->disks, sc->n_disks, sizeof *want, disk_order);
}

uint32_t order_nic(const struct scenario *sc, const struct sc_nic *want)
{
    return find(want, sc->nics, sc->n_nics, sizeof *want, nic_order);
}

uint32_t order_network(const struct scenario *sc, const struct sc_network *want)
{
    return find(want, sc->networks, sc->n_networks, sizeof *want, network_order);
}

uint32_t order_peer(const struct scenario *sc, const struct sc_peer *want)
{
    return find(want, sc->peers, sc->n_peers, sizeof *want, peer_order);
}
