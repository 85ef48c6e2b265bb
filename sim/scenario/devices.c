// SPDX-License-Identifier: GPL-3.0-or-later
/* What hangs on hosts: their disks and NICs, and stores that several of them reach. */
#include <stdlib.h>
#include <string.h>

#include "scenario/reader.h"

#define D           "hosts.disks."
#define S           "storage."
#define N           "hosts.nics."
#define MAX_DEVICES 1000000u

/* --- by name --- */

uint32_t devices_disk(const struct scenario *sc, uint32_t host, const char *name)
{
    struct sc_disk want = {.host = host, .name = name};
    uint32_t i = order_disk(sc, &want);
    if (i != SC_NONE) return i;
    want.host = SC_NONE;
    i = order_disk(sc, &want);
    for (uint32_t j = 0; i != SC_NONE && j < sc->disks[i].n_hosts; j++)
        if (sc->disks[i].hosts[j] == host) return i;
    return SC_NONE;
}

uint32_t devices_nic(const struct scenario *sc, uint32_t host, const char *name)
{
    struct sc_nic want = {.host = host, .name = name};
    return order_nic(sc, &want);
}

void devices_no_disk(struct reader *r, struct node *n, const struct scenario *sc, uint32_t host)
{
    const char *names[65] = {0}, *name = sc->hosts[host].name;
    struct sc_disk store = {.host = SC_NONE, .name = n->text};
    uint32_t at = 0;
    bool far = order_disk(sc, &store) != SC_NONE;
    for (uint32_t i = 0; i < sc->n_disks && at < 64; i++)
        if (sc->disks[i].host == host || devices_disk(sc, host, sc->disks[i].name) == i)
            names[at++] = sc->disks[i].name;
    if (far && tree_error(r->d, n, "host `%s` does not reach the store `%.63s`", name, n->text)) {
        diag_hint(r->d, "add it to the store's `hosts`");
    } else if (!far && tree_error(r->d, n, "host `%s` has no disk `%.63s`, nor a store of that name", name,
                                  n->text)) {
        const char *near = diag_nearest(n->text, names);
        if (near)
            diag_hint(r->d, "did you mean `%s`?", near);
        else if (at == 1)
            diag_hint(r->d, "there is only `%s`", names[0]);
        else if (!at)
            diag_hint(r->d, "it has none: `hosts.disks` and `storage` bring them");
    }
}

/* --- reading --- */

/* Time of a die: its numbers have no pool to lie in. */
static struct dist die_time(struct reader *r, const struct node *map, const char *path)
{
    const struct key *k = key_find(path);
    struct node *n = tree_get(map, key_leaf(k), strlen(key_leaf(k)));
    struct dist out = {.kind = DIST_CONST};
    struct pool pool = {0};
    bool simple = n && (n->kind == NODE_SCALAR ||
                        (n->kind == NODE_MAP && n->n == 1 && tree_is(n->keys[0], "exponential")));
    if (n && n->kind == NODE_MAP && !simple &&
        tree_error(r->d, n, "`%s` is a constant or exponential", key_leaf(k)))
        diag_hint(r->d, "write `%s: %s` or `%s: {exponential: %s}`", key_leaf(k), k->def, key_leaf(k),
                  k->def);
    if (simple && !n->bad && dist_read(r, n, true, &out, &pool)) return out;
    struct node def = {.kind = NODE_SCALAR, .plain = true, .text = k->def, .len = strlen(k->def)};
    bool ok = dist_read(r, &def, true, &out, &pool);
    (void)ok;
    return out;
}

static void check_rates(struct reader *r, const struct node *map, const struct sc_disk *d)
{
    struct node *burst = reader_sub(map, "burst", NODE_SCALAR), *peak = reader_sub(map, "peak", NODE_SCALAR),
                *pool = reader_sub(map, "pool", NODE_SCALAR);
    if (burst && d->burst_bytes && !d->bandwidth_bps &&
        tree_error(r->d, burst, "`burst` is saved up from a `bandwidth`, and there is no bound to it"))
        diag_hint(r->d, "state `bandwidth`");
    if (peak && d->peak_bps && d->peak_bps < d->bandwidth_bps)
        tree_error(r->d, peak, "`peak` is below the `bandwidth`, which it has in any case");
    if (pool && d->pool_bytes && d->pool_bytes < d->grain_bytes)
        tree_error(r->d, pool, "the pool has no room for a single block (`grain`)");
}

static struct sc_disk read_disk(struct reader *r, const struct node *map)
{
    static const char *const models[] = {
        [SC_DISK_BUCKET] = "bucket", [SC_DISK_SSD] = "ssd", [SC_DISK_HDD] = "hdd"};
    struct sc_disk d = {0};
    const char *name = reader_get(r, map, D "name").word, *model = reader_get(r, map, D "model").word;
    d.model = reader_which(model, models, sizeof models / sizeof models[0]);
    d.name = name ? name : "";
    d.preset = reader_get(r, map, D "preset").word[0] == 'h' ? SC_HP97560 : SC_SATA7200;
    d.queue = reader_get(r, map, D "queue").word;
    d.iops_u = reader_num(r, map, D "iops");
    d.bandwidth_bps = reader_num(r, map, D "bandwidth");
    d.latency_ns = reader_num(r, map, D "latency");
    d.burst_bytes = reader_num(r, map, D "burst");
    d.peak_bps = reader_num(r, map, D "peak");
    d.pool_bytes = reader_num(r, map, D "pool");
    d.grain_bytes = reader_num(r, map, D "grain");
    d.cache_bytes = reader_num(r, map, D "cache");
    d.channels = (uint32_t)reader_num(r, map, D "channels");
    d.dies = (uint32_t)reader_num(r, map, D "dies");
    d.read = die_time(r, map, D "read");
    d.program = die_time(r, map, D "program");
    d.erase_ns = reader_num(r, map, D "erase");
    d.spare_ppm = reader_num(r, map, D "spare");
    check_rates(r, map, &d);
    return d;
}

/* The hosts that a list names, in order, each once; no list: all. */
const uint32_t *devices_hosts(struct reader *r, struct node *list, const struct key *k,
                              const struct scenario *sc, uint32_t *n)
{
    uint32_t *out = arena_array(r->a, sc->n_hosts + 1, sizeof *out), first;
    bool *in = arena_array(r->a, sc->n_hosts + 1, sizeof *in);
    *n = 0;
    for (uint32_t i = 0; list && i < list->n; i++) {
        struct got got = {0};
        if (!reader_scalar(r, list->items[i], k, &got)) continue;
        uint32_t members = hosts_named(sc, got.word, &first);
        if (!members && !hosts_group(r, got.word)) hosts_unknown(r, list->items[i], got.word, sc);
        for (uint32_t j = 0; j < members; j++) {
            if (in[first + j])
                tree_error(r->d, list->items[i], "host `%s` is here twice", sc->hosts[first + j].name);
            in[first + j] = true;
        }
    }
    for (uint32_t h = 0; h < sc->n_hosts; h++)
        if (!list || in[h]) out[(*n)++] = h;
    return out;
}

static struct sc_disk read_store(struct reader *r, const struct node *map, const struct scenario *sc)
{
    struct sc_disk d = {.host = SC_NONE, .model = SC_DISK_BUCKET};
    const char *name = reader_get(r, map, S "name").word;
    d.name = name ? name : "";
    d.entity = arena_printf(r->a, "storage.%s", d.name);
    d.hosts = devices_hosts(r, reader_sub(map, "hosts", NODE_LIST), key_find(S "hosts"), sc, &d.n_hosts);
    d.queue = reader_get(r, map, S "queue").word;
    d.flat = reader_get(r, map, S "divide").word[0] == 'f';
    d.iops_u = reader_num(r, map, S "iops");
    d.bandwidth_bps = reader_num(r, map, S "bandwidth");
    d.latency_ns = reader_num(r, map, S "latency");
    d.burst_bytes = reader_num(r, map, S "burst");
    d.peak_bps = reader_num(r, map, S "peak");
    d.pool_bytes = reader_num(r, map, S "pool");
    d.grain_bytes = reader_num(r, map, S "grain");
    d.cache_bytes = reader_num(r, map, S "cache");
    d.read = d.program = (struct dist){.kind = DIST_CONST};
    check_rates(r, map, &d);
    return d;
}

static struct sc_nic read_nic(struct reader *r, const struct node *map)
{
    const char *name = reader_get(r, map, N "name").word;
    return (struct sc_nic){
        .name = name ? name : "",
        .bandwidth_bps = reader_num(r, map, N "bandwidth"),
        .latency_ns = reader_num(r, map, N "latency"),
        .mtu = reader_num(r, map, N "mtu"),
        .packet_cost_ns = reader_num(r, map, N "packet_cost"),
        .rx_queue = (uint32_t)reader_num(r, map, N "rx_queue"),
    };
}

/* How many there are in all, with every host's `count`; told where they are too many. */
static uint32_t count_all(struct reader *r, const struct node *hosts, const struct scenario *sc,
                          const char *leaf, uint32_t more)
{
    uint64_t n = more;
    uint32_t first;
    struct node *list = NULL;
    for (uint32_t i = 0; hosts && i < hosts->n; i++) {
        const struct node *map = hosts->items[i], *name = reader_sub(map, "name", NODE_SCALAR);
        struct node *here = reader_sub(map, leaf, NODE_LIST);
        if (here) n += (uint64_t)here->n * (name ? hosts_named(sc, name->text, &first) : 0);
        if (here) list = here;
    }
    if (n <= MAX_DEVICES) return (uint32_t)n;
    if (list) tree_error(r->d, list, "more than a million %s", leaf);
    return 0;
}

static void read_disks(struct reader *r, const struct node *hosts, struct node *stores, struct scenario *sc)
{
    uint32_t n = count_all(r, hosts, sc, "disks", stores ? stores->n : 0), at = 0, first;
    struct sc_disk *all = arena_array(r->a, n + 1, sizeof *all);
    for (uint32_t i = 0; n && hosts && i < hosts->n; i++) {
        const struct node *map = hosts->items[i], *name = reader_sub(map, "name", NODE_SCALAR);
        const struct node *list = reader_sub(map, "disks", NODE_LIST);
        uint32_t members = name ? hosts_named(sc, name->text, &first) : 0;
        for (uint32_t j = 0; list && j < list->n; j++) {
            if (list->items[j]->kind != NODE_MAP) continue;
            struct sc_disk d = read_disk(r, list->items[j]);
            for (uint32_t k = 0; k < members && at < n; k++, at++) {
                all[at] = d;
                all[at].host = first + k;
                all[at].entity = arena_printf(r->a, "host.%s.disk.%s", sc->hosts[first + k].name, d.name);
            }
        }
    }
    for (uint32_t i = 0; n && stores && i < stores->n && at < n; i++)
        if (stores->items[i]->kind == NODE_MAP) all[at++] = read_store(r, stores->items[i], sc);
    order_disks(all, at);
    sc->disks = all;
    sc->n_disks = at;
}

static void read_nics(struct reader *r, const struct node *hosts, struct scenario *sc)
{
    uint32_t n = count_all(r, hosts, sc, "nics", 0), at = 0, first;
    struct sc_nic *all = arena_array(r->a, n + 1, sizeof *all);
    for (uint32_t i = 0; n && i < hosts->n; i++) {
        const struct node *map = hosts->items[i], *name = reader_sub(map, "name", NODE_SCALAR);
        const struct node *list = reader_sub(map, "nics", NODE_LIST);
        uint32_t members = name ? hosts_named(sc, name->text, &first) : 0;
        for (uint32_t j = 0; list && j < list->n; j++) {
            if (list->items[j]->kind != NODE_MAP) continue;
            struct sc_nic nic = read_nic(r, list->items[j]);
            for (uint32_t k = 0; k < members && at < n; k++, at++) {
                all[at] = nic;
                all[at].host = first + k;
                all[at].entity = arena_printf(r->a, "host.%s.nic.%s", sc->hosts[first + k].name, nic.name);
            }
        }
    }
    order_nics(all, at);
    sc->nics = all;
    sc->n_nics = at;
}

void devices_read(struct reader *r, struct node *root, struct scenario *sc)
{
    const struct node *hosts = reader_sub(root, "hosts", NODE_LIST);
    read_disks(r, hosts, reader_sub(root, "storage", NODE_LIST), sc);
    read_nics(r, hosts, sc);
}
