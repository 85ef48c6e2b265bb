// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/reach.h"

#include <string.h>

/* The NIC that a network uses at a host. */
static uint32_t nic_at(const struct scenario *sc, const struct sc_network *n, uint32_t host)
{
    for (uint32_t i = 0; i < n->n_nics; i++)
        if (sc->nics[n->nics[i]].host == host) return n->nics[i];
    return SC_NONE;
}

static const struct sc_network *network_of(const struct scenario *sc, uint32_t vm)
{
    uint32_t n = sc->vms[vm].network;
    return n == SC_NONE ? NULL : &sc->networks[n];
}

static bool host_only(const struct scenario *sc, uint32_t vm)
{
    const struct sc_network *n = network_of(sc, vm);
    return n && n->kind == SC_NET_HOST_ONLY;
}

uint32_t reach_nic(const struct scenario *sc, uint32_t vm)
{
    const struct sc_network *n = network_of(sc, vm);
    return !n || n->kind == SC_NET_HOST_ONLY ? SC_NONE : nic_at(sc, n, sc->vms[vm].host);
}

/* Whether the VM has a way onto a network at all. */
static bool plugged(const struct scenario *sc, uint32_t vm)
{
    const struct sc_network *n = network_of(sc, vm);
    if (!n || n->kind != SC_NET_HOST_ONLY) return reach_nic(sc, vm) != SC_NONE;
    for (uint32_t i = 0; i < n->n_hosts; i++)
        if (n->hosts[i] == sc->vms[vm].host) return true;
    return false;
}

/* Whose switch a NIC is plugged into: the first bridge's that uses it, else the first nat's. */
static uint32_t switch_of_nic(const struct scenario *sc, uint32_t nic)
{
    uint32_t nat = SC_NONE;
    for (uint32_t n = 0; n < sc->n_networks; n++) {
        const struct sc_network *net = &sc->networks[n];
        if (net->kind == SC_NET_HOST_ONLY || nic_at(sc, net, sc->nics[nic].host) != nic) continue;
        if (net->kind == SC_NET_BRIDGE) return n;
        if (nat == SC_NONE) nat = n;
    }
    return nat;
}

uint32_t reach_switch(const struct scenario *sc, uint32_t endpoint)
{
    if (endpoint < sc->n_vms) {
        uint32_t nic = reach_nic(sc, endpoint), own = sc->vms[endpoint].network;
        if (nic == SC_NONE) return SC_NONE;
        return sc->networks[own].kind == SC_NET_BRIDGE ? own : switch_of_nic(sc, nic);
    }
    uint32_t n = sc->peers[endpoint - sc->n_vms].network;
    if (n == SC_NONE || sc->networks[n].kind != SC_NET_NAT || sc->networks[n].n_nics == 0) return n;
    return switch_of_nic(sc, sc->networks[n].nics[0]);
}

uint32_t reach_above(const struct scenario *sc, uint32_t network)
{
    uint32_t up = sc->networks[network].up;
    return up == SC_NONE || sc->networks[up].kind == SC_NET_HOST_ONLY ? SC_NONE : up;
}

static uint32_t topmost(const struct scenario *sc, uint32_t n)
{
    for (uint32_t up; (up = reach_above(sc, n)) != SC_NONE;)
        n = up;
    return n;
}

/* Whether two switches are one LAN. */
static bool same_lan(const struct scenario *sc, uint32_t a, uint32_t b)
{
    a = topmost(sc, a);
    b = topmost(sc, b);
    const char *x = sc->networks[a].uplink, *y = sc->networks[b].uplink;
    return a == b || (x && y && strcmp(x, y) == 0);
}

bool reach_inside(const struct scenario *sc, uint32_t a, uint32_t b)
{
    if (sc->vms[a].host != sc->vms[b].host || !plugged(sc, a)) return false;
    return sc->vms[a].network == sc->vms[b].network ||
           (reach_nic(sc, a) != SC_NONE && reach_nic(sc, a) == reach_nic(sc, b));
}

enum rec_why reach_why(const struct scenario *sc, uint32_t from, uint32_t to)
{
    bool from_vm = from < sc->n_vms, to_vm = to < sc->n_vms;
    if ((from_vm && !plugged(sc, from)) || (to_vm && !plugged(sc, to))) return REC_WHY_NO_NIC;
    if (from == to) return REC_WHY_NONE;
    if (from_vm && to_vm && reach_inside(sc, from, to) && sc->vms[from].network == sc->vms[to].network)
        return REC_WHY_NONE;
    if ((from_vm && host_only(sc, from)) || (to_vm && host_only(sc, to))) return REC_WHY_NO_ROUTE;
    uint32_t a = reach_switch(sc, from), b = reach_switch(sc, to);
    if (a != SC_NONE && b != SC_NONE && !same_lan(sc, a, b)) return REC_WHY_NO_ROUTE;
    /* Nobody is plugged into a host-only network but VMs. */
    if ((a != SC_NONE && sc->networks[a].kind == SC_NET_HOST_ONLY) ||
        (b != SC_NONE && sc->networks[b].kind == SC_NET_HOST_ONLY))
        return REC_WHY_NO_ROUTE;
    if (to_vm && network_of(sc, to)->kind == SC_NET_NAT && sc->vms[to].n_forwards == 0)
        return REC_WHY_NO_FORWARD;
    return REC_WHY_NONE;
}
