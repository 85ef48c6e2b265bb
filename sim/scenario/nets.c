// SPDX-License-Identifier: GPL-3.0-or-later
/* Networks, what they are made of, and the peers on them. */
#include <stdlib.h>
#include <string.h>

#include "scenario/reader.h"

#define W "networks."

uint32_t nets_named(const struct scenario *sc, const char *name)
{
    struct sc_network want = {.name = name};
    return order_network(sc, &want);
}

/* --- their NICs --- */

static void no_nic(struct reader *r, struct node *n, const struct scenario *sc, uint32_t host,
                   const char *nic)
{
    const char *names[65] = {0};
    uint32_t at = 0;
    for (uint32_t i = 0; i < sc->n_nics && at < 64; i++)
        if (sc->nics[i].host == host) names[at++] = sc->nics[i].name;
    if (!tree_error(r->d, n, "host `%s` has no NIC `%s`", sc->hosts[host].name, nic)) return;
    const char *near = diag_nearest(nic, names);
    if (near)
        diag_hint(r->d, "did you mean `%s/%s`?", sc->hosts[host].name, near);
    else if (!at)
        diag_hint(r->d, "it has none: `hosts.nics` brings them");
    else
        diag_hint(r->d, "it has `%s`%s", names[0], at > 1 ? " and others" : "");
}

static void read_nics(struct reader *r, struct node *list, const struct scenario *sc, struct sc_network *w)
{
    uint32_t *of = arena_array(r->a, sc->n_hosts + 1, sizeof *of), first, n = 0;
    for (uint32_t h = 0; h < sc->n_hosts; h++)
        of[h] = SC_NONE;
    for (uint32_t i = 0; list && i < list->n; i++) {
        struct node *m = list->items[i];
        struct got got = {0};
        if (!reader_scalar(r, m, key_find(W "nics"), &got)) continue;
        size_t len = strcspn(got.word, "/");
        const char *host = arena_dup(r->a, got.word, len), *nic = got.word + len + 1;
        uint32_t members = hosts_named(sc, host, &first);
        if (!members && !hosts_group(r, host)) hosts_unknown(r, m, host, sc);
        for (uint32_t j = first; members && j < first + members && !m->bad; j++) {
            uint32_t at = devices_nic(sc, j, nic);
            if (at == SC_NONE)
                no_nic(r, m, sc, j, nic);
            else if (of[j] != SC_NONE)
                tree_error(r->d, m, "a network has one NIC of a host, and `%s` has one already",
                           sc->hosts[j].name);
            else
                of[j] = at, n++;
        }
    }
    uint32_t *nics = arena_array(r->a, n + 1, sizeof *nics), *hosts = arena_array(r->a, n + 1, sizeof *hosts);
    for (uint32_t h = 0; h < sc->n_hosts; h++) {
        if (of[h] == SC_NONE) continue;
        hosts[w->n_nics] = h;
        nics[w->n_nics++] = of[h];
    }
    w->nics = nics;
    w->hosts = hosts;
    w->n_hosts = w->n_nics;
}

static struct sc_network read_network(struct reader *r, const struct node *map, const struct scenario *sc)
{
    const char *name = reader_get(r, map, W "name").word, *kind = reader_get(r, map, W "kind").word;
    struct sc_network w = {
        .name = name ? name : "",
        .kind = kind[0] == 'b'   ? SC_NET_BRIDGE
                : kind[0] == 'n' ? SC_NET_NAT
                                 : SC_NET_HOST_ONLY,
        .uplink = reader_get(r, map, W "uplink").word,
        .up = SC_NONE,
        .latency_ns = reader_num(r, map, W "latency"),
        .bandwidth_bps = reader_num(r, map, W "bandwidth"),
        .ports = (uint32_t)reader_num(r, map, W "ports"),
        .hold_ns = reader_num(r, map, W "hold"),
        .rewrite_ns = reader_num(r, map, W "rewrite"),
    };
    w.entity = arena_printf(r->a, "network.%s", w.name);
    if (w.kind == SC_NET_HOST_ONLY)
        w.hosts = devices_hosts(r, reader_sub(map, "hosts", NODE_LIST), key_find(W "hosts"), sc, &w.n_hosts);
    else
        read_nics(r, reader_sub(map, "nics", NODE_LIST), sc, &w);
    return w;
}

/* --- where they lead --- */

/* Whether going up from here never ends. */
static bool leads_back(const struct scenario *sc, const struct sc_network *w)
{
    uint32_t steps = 0;
    for (uint32_t at = w->up; at != SC_NONE && steps <= sc->n_networks; at = sc->networks[at].up)
        steps++;
    return steps > sc->n_networks;
}

static void check_uplink(struct reader *r, const struct node *map, const struct scenario *sc,
                         const struct sc_network *w)
{
    struct node *n = reader_sub(map, "uplink", NODE_SCALAR);
    if (!n || w->up == SC_NONE) return;
    const struct sc_network *up = &sc->networks[w->up];
    if (up->kind != SC_NET_BRIDGE) {
        tree_error(r->d, n, "`%s` is %s: nothing leads up to it", up->name,
                   up->kind == SC_NET_NAT ? "nat" : "host-only");
        return;
    }
    if (leads_back(sc, w))
        tree_error(r->d, n, "its uplink leads back to `%s` itself", w->name);
    else if (up->up != SC_NONE &&
             tree_error(r->d, n, "`%s` has an uplink itself: there are two levels", up->name))
        diag_hint(r->d, "let `%s` lead to `%s` too", w->name, up->uplink);
}

static void check_network(struct reader *r, struct node *map, const struct scenario *sc,
                          const struct sc_network *w, const bool *above)
{
    struct node *nics = tree_get(map, "nics", 4);
    check_uplink(r, map, sc, w);
    if (w->kind == SC_NET_HOST_ONLY || (w->kind == SC_NET_BRIDGE && above[w - sc->networks])) return;
    /* With members of no host at this point of a sweep, it is a network without use, not a mistake. */
    if (w->n_nics || (nics && nics->n)) return;
    if (tree_error(r->d, nics ? nics : map, "`%s` is %s and needs a NIC of a host", w->name,
                   w->kind == SC_NET_NAT ? "nat" : "a bridge"))
        diag_hint(r->d, "`nics: [HOST/NIC]`; a network inside a host is `kind: host-only`");
}

static void read_networks(struct reader *r, struct node *list, struct scenario *sc)
{
    uint32_t n = list ? list->n : 0, at = 0;
    struct sc_network *all = arena_array(r->a, n + 1, sizeof *all);
    bool *above = arena_array(r->a, n + 1, sizeof *above);
    for (uint32_t i = 0; i < n; i++) {
        struct node *map = list->items[i], *name = reader_sub(map, "name", NODE_SCALAR);
        if (map->kind != NODE_MAP) continue;
        if (name && tree_is(name, "outside"))
            tree_error(r->d, name, "`outside` is what lies beyond all networks; it cannot name one");
        all[at++] = read_network(r, map, sc);
    }
    order_networks(all, at);
    sc->networks = all;
    sc->n_networks = at;
    for (uint32_t i = 0; i < at; i++) {
        if (all[i].uplink) all[i].up = nets_named(sc, all[i].uplink);
        if (all[i].up != SC_NONE) above[all[i].up] = true;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct node *map = list->items[i], *name = reader_sub(map, "name", NODE_SCALAR);
        uint32_t w = name ? nets_named(sc, name->text) : SC_NONE;
        if (w != SC_NONE) check_network(r, map, sc, &all[w], above);
    }
    for (uint32_t i = 0; i < at; i++)
        if (leads_back(sc, &all[i]))
            all[i].up = SC_NONE; /* told; whoever looks further may go up to the end */
}

/* --- peers --- */

static void no_network(struct reader *r, struct node *n, const struct scenario *sc)
{
    const char *names[66] = {"outside"};
    for (uint32_t i = 0; i < sc->n_networks && i < 64; i++)
        names[i + 1] = sc->networks[i].name;
    if (!tree_error(r->d, n, "there is no network `%.63s`", n->text)) return;
    const char *near = diag_nearest(n->text, names);
    if (near) diag_hint(r->d, "did you mean `%s`?", near);
}

static struct sc_peer read_peer(struct reader *r, const struct node *map, const struct scenario *sc)
{
    struct got on = reader_get(r, map, "peers.on");
    const char *name = reader_get(r, map, "peers.name").word;
    struct sc_peer p = {.name = name ? name : "", .network = SC_NONE};
    p.entity = arena_printf(r->a, "peer.%s", p.name);
    if (!on.node || !strcmp(on.word, "outside")) return p;
    p.network = nets_named(sc, on.word);
    if (p.network == SC_NONE)
        no_network(r, on.node, sc);
    else if (sc->networks[p.network].kind == SC_NET_HOST_ONLY &&
             tree_error(r->d, on.node, "`%s` lies inside hosts: a peer cannot hang on it", on.word))
        diag_hint(r->d, "a peer is on a bridge, on a nat's side of the wire, or `outside`");
    return p;
}

void nets_read(struct reader *r, struct node *root, struct scenario *sc)
{
    struct node *list = reader_sub(root, "peers", NODE_LIST);
    read_networks(r, reader_sub(root, "networks", NODE_LIST), sc);
    uint32_t n = list ? list->n : 0, at = 0;
    struct sc_peer *all = arena_array(r->a, n + 1, sizeof *all);
    for (uint32_t i = 0; i < n; i++)
        if (list->items[i]->kind == NODE_MAP) all[at++] = read_peer(r, list->items[i], sc);
    order_peers(all, at);
    sc->peers = all;
    sc->n_peers = at;
}
