// SPDX-License-Identifier: GPL-3.0-or-later
/* A VM's network interface: its network, and the ports of its host that lead to it. */
#include <stdlib.h>
#include <string.h>

#include "scenario/vms.h"

#define N "vms.nic."

static bool in_host(const struct sc_network *n, uint32_t host)
{
    for (uint32_t i = 0; i < n->n_hosts; i++)
        if (n->hosts[i] == host) return true;
    return false;
}

/* SC_NONE: told. */
static uint32_t read_network(struct vms *v, const struct vms_group *g, struct node *map)
{
    struct reader *r = v->r;
    const struct scenario *sc = v->sc;
    const char *names[65] = {0};
    struct got got = reader_get(r, map, N "network");
    if (!got.stated) tree_error(r->d, map, "on which network? `network` is missing");
    if (!got.node) return SC_NONE;
    uint32_t at = nets_named(sc, got.word);
    if (at == SC_NONE) {
        for (uint32_t i = 0; i < sc->n_networks && i < 64; i++)
            names[i] = sc->networks[i].name;
        if (!tree_error(r->d, got.node, "there is no network `%s`", got.word)) return SC_NONE;
        const char *near = diag_nearest(got.word, names);
        if (near)
            diag_hint(r->d, "did you mean `%s`?", near);
        else if (sc->n_networks == 1)
            diag_hint(r->d, "there is only `%s`", names[0]);
        return SC_NONE;
    }
    const struct sc_host *h = vms_host(v, g);
    const struct sc_network *n = &sc->networks[at];
    if (!h || in_host(n, g->like.host)) return at;
    if (tree_error(r->d, got.node, "network `%s` does not reach host `%s`", got.word, h->name))
        diag_hint(r->d,
                  n->kind == SC_NET_HOST_ONLY ? "its `hosts` leave it out" : "none of its `nics` is there");
    return SC_NONE;
}

static void read_forwards(struct vms *v, struct vms_group *g, struct node *map)
{
    struct reader *r = v->r;
    struct node *list = reader_sub(map, "forward", NODE_LIST);
    if (!list || !list->n) return;
    if (g->like.network != SC_NONE) {
        const struct sc_network *n = &v->sc->networks[g->like.network];
        if (n->kind == SC_NET_BRIDGE)
            tree_error(
                r->d, tree_key(map, "forward"),
                "nothing to forward: on the bridge `%s` the VM has an identity of its own and is reached as "
                "it is",
                n->name);
        else if (n->kind == SC_NET_HOST_ONLY)
            tree_error(r->d, tree_key(map, "forward"),
                       "nothing to forward: no way leads from outside into the host-only network `%s`",
                       n->name);
        if (n->kind != SC_NET_NAT) return;
    }
    struct sc_forward *all = arena_array(r->a, list->n, sizeof *all);
    for (uint32_t i = 0; i < list->n; i++) {
        struct node *m = list->items[i];
        struct got port = reader_get(r, m, N "forward.port"), to = reader_get(r, m, N "forward.to");
        if (m->kind != NODE_MAP) return;
        if (!port.stated) tree_error(r->d, m, "which port? `port` is missing");
        if (!port.node || (to.stated && !to.node)) return;
        all[i] = (struct sc_forward){.port = (uint16_t)port.n, .to = (uint16_t)(to.node ? to.n : port.n)};
    }
    g->like.forwards = all;
    g->like.n_forwards = list->n;
}

void vnics_read(struct vms *v, struct vms_group *g)
{
    struct node *map = reader_sub(g->map, "nic", NODE_MAP);
    g->like.network = SC_NONE;
    g->like.net_weight = (uint32_t)reader_num(v->r, map, N "weight");
    if (!map) return;
    g->like.network = read_network(v, g, map);
    read_forwards(v, g, map);
}

struct rule {
    uint32_t network, host, port, order;
    struct node *at;
    const char *group;
};

static int by_port(const void *a, const void *b)
{
    const struct rule *x = a, *y = b;
    if (x->network != y->network) return x->network < y->network ? -1 : 1;
    if (x->host != y->host) return x->host < y->host ? -1 : 1;
    if (x->port != y->port) return x->port < y->port ? -1 : 1;
    return x->order < y->order ? -1 : 1; /* the later in the file is blamed */
}

/* A port of a host's nat leads to one VM. */
void vnics_settle(struct vms *v)
{
    uint32_t n = 0, at = 0;
    for (uint32_t i = 0; i < v->n_groups; i++)
        n += v->groups[i].like.n_forwards;
    struct rule *all = arena_array(v->r->a, n + 1, sizeof *all);
    for (uint32_t i = 0; i < v->n_groups; i++) {
        const struct vms_group *g = &v->groups[i];
        const struct sc_vm *vm = &g->like;
        if (vm->network == SC_NONE || vm->host == UINT32_MAX || !vm->n_forwards || !g->members) continue;
        const struct node *list = reader_sub(reader_sub(g->map, "nic", NODE_MAP), "forward", NODE_LIST);
        for (uint32_t j = 0; j < vm->n_forwards; j++, at++)
            all[at] =
                (struct rule){vm->network, vm->host, vm->forwards[j].port, at, list->items[j], vm->group};
        if (g->members > 1)
            tree_error(v->r->d, list->items[0], "port %u would lead to each of the %u VMs of this `count`",
                       vm->forwards[0].port, g->members);
    }
    qsort(all, at, sizeof *all, by_port);
    for (uint32_t i = 1; i < at; i++) {
        const struct rule *x = &all[i - 1], *y = &all[i];
        if (x->network != y->network || x->host != y->host || x->port != y->port) continue;
        tree_error(v->r->d, y->at, "port %u of `%s` on host `%s` leads to `%s` already", y->port,
                   v->sc->networks[y->network].name, v->sc->hosts[y->host].name, x->group);
    }
}
