// SPDX-License-Identifier: GPL-3.0-or-later
/* What of a scenario's memory real guests cannot have here. */
#include <string.h>

#include "kvm/runner/pagepool.h"
#include "kvm/runner/run.h"

#define CANNOT    "not possible on this backend: "
#define IN_USE_NS INT64_C(30000000000) /* for so long the simulator, too, takes what is in as in use */

static const char *const ways[SC_NRECLAIMS] = {
    [SC_SHARE] = "share", [SC_BALLOON] = "balloon", [SC_COMPRESS] = "compress", [SC_SWAP] = "swap"};

static char *refuse_swap_disk(const struct sc_host *h, const struct sc_disk *d)
{
    if (d->host == SC_NONE)
        return host_text(CANNOT "hosts.%s.memory.swap: %s: pages go to a file of this host, no store's",
                         h->group, d->name);
    if (d->model != SC_DISK_BUCKET)
        return host_text(CANNOT "hosts.%s.disks.%s.model: pages go to a file, which is as fast as it is, and "
                                "kept to rates and latency at most: model bucket",
                         h->group, d->name);
    if (d->pool_bytes > 0)
        return host_text(CANNOT "hosts.%s.disks.%s.pool: it takes pages alone here", h->group, d->name);
    if (d->cache_bytes > 0)
        return host_text(CANNOT "hosts.%s.disks.%s.cache: the host's own page cache is before the file",
                         h->group, d->name);
    if (d->queue && strcmp(d->queue, "deadline") == 0)
        return host_text(CANNOT "hosts.%s.disks.%s.queue: deadline: pages are taken in the order they come",
                         h->group, d->name);
    return NULL;
}

/* Where nothing is ever taken from anybody, how it would be does not matter. */
static char *refuse_paging(const struct scenario *sc, const struct sc_host *h)
{
    const struct sc_memory *m = &h->memory;
    uint32_t touch = 0;
    if (strcmp(m->replacement, "lru") == 0 || strcmp(m->replacement, "clock") == 0)
        return host_text(CANNOT "hosts.%s.memory.replacement: %s: which pages are referred to is not seen "
                                "here; fifo, random and second-chance need not know",
                         h->group, m->replacement);
    for (uint32_t i = 0; i < sc->n_vms; i++)
        touch += boot_memory(&sc->vms[i], h).mapped > 0;
    if (touch > 1 && !m->per_vm && m->tax_ppm > 0 && sc->run.duration_ns > IN_USE_NS)
        return host_text(CANNOT
                         "hosts.%s.memory.tax: which pages are idle is not seen here: state `tax: 0%%`, "
                         "`replacement_scope: vm`, or a run of 30 s at most",
                         h->group);
    return NULL;
}

char *refuse_memory(const struct scenario *sc)
{
    const struct sc_host *h = &sc->hosts[0];
    for (uint32_t i = 0; i < h->memory.n_reclaim; i++)
        if (h->memory.reclaim[i] != SC_SWAP)
            return host_text(CANNOT "hosts.%s.memory.reclaim: %s: guests here lose pages to swap alone",
                             h->group, ways[h->memory.reclaim[i]]);
    char *why = NULL;
    if (h->memory.n_reclaim > 0 && h->memory.swap != SC_NONE)
        why = refuse_swap_disk(h, &sc->disks[h->memory.swap]);
    return why || !pagepool_is_short(sc) ? why : refuse_paging(sc, h);
}

bool refuse_keeps_pages(const struct scenario *sc, uint32_t disk)
{
    const struct sc_memory *m = &sc->hosts[0].memory;
    return m->n_reclaim > 0 && m->swap == disk;
}
