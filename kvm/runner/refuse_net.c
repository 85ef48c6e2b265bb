// SPDX-License-Identifier: GPL-3.0-or-later
/* What of a scenario's networks cannot be real here: refused by name. A network is one switch process; what
 * needs several to meet, or prices that a real packet does not have, is not there. */
#include <stdlib.h>

#include "kvm/net.h"
#include "kvm/runner/run.h"
#include "scenario/reach.h"

#define CANNOT       "not possible on this backend: "
#define MAX_NETWORKS 250u /* each has a /24 of its own in 10.0.0.0/8 */
#define PORTS        64000u
#define HOLD_NS      INT64_C(60000000000)

static char *refuse_nic(const struct scenario *sc, uint32_t i)
{
    const struct sc_nic *n = &sc->nics[i];
    uint32_t users = 0;
    if (n->packet_cost_ns > 0)
        return host_text(CANNOT "hosts.%s.nics.%s.packet_cost: a packet costs what it costs here",
                         sc->hosts[n->host].group, n->name);
    if (n->mtu + NET_ETHER > NET_FRAME_MAX)
        return host_text(CANNOT "hosts.%s.nics.%s.mtu: over %u", sc->hosts[n->host].group, n->name,
                         NET_FRAME_MAX - NET_ETHER);
    for (uint32_t k = 0; k < sc->n_networks; k++)
        for (uint32_t j = 0; j < sc->networks[k].n_nics; j++)
            users += sc->networks[k].nics[j] == i;
    if (users > 1)
        return host_text(CANNOT "hosts.%s.nics.%s: on several networks: each has a switch of its own, and "
                                "they do not meet",
                         sc->hosts[n->host].group, n->name);
    return NULL;
}

static char *refuse_network(const struct scenario *sc, uint32_t i)
{
    const struct sc_network *n = &sc->networks[i];
    uint32_t ports = 0;
    for (uint32_t v = 0; v < sc->n_vms; v++)
        ports += sc->vms[v].network == i;
    if (ports > NET_PORTS) return host_text(CANNOT "networks.%s: over %u VMs are on it", n->name, NET_PORTS);
    if (n->up != SC_NONE)
        return host_text(CANNOT "networks.%s.uplink: %s: switches do not meet here", n->name, n->uplink);
    if (n->kind != SC_NET_NAT) return NULL;
    if (n->ports != PORTS)
        return host_text(CANNOT "networks.%s.ports: the nat here has the ports it has", n->name);
    if (n->hold_ns != HOLD_NS)
        return host_text(CANNOT "networks.%s.hold: the nat here forgets a connection when it does", n->name);
    if (n->rewrite_ns > 0)
        return host_text(CANNOT "networks.%s.rewrite: a packet's rewriting costs what it costs here",
                         n->name);
    return NULL;
}

/* A send to an endpoint that there is a way to, but not by the VM's own switch alone. */
static char *refuse_send(const struct scenario *sc, uint32_t vm, uint32_t to)
{
    const struct sc_vm *v = &sc->vms[vm];
    if (!reach_between(sc, vm, to)) return NULL; /* refused in the guest, as in the simulator */
    if (to < sc->n_vms && sc->vms[to].network != v->network)
        return host_text(CANNOT "vms.%s.workload.steps: net: to %s: on another network: switches do not meet "
                                "here",
                         v->group, sc->vms[to].name);
    if (to < sc->n_vms) return NULL;
    const struct sc_peer *p = &sc->peers[to - sc->n_vms];
    if (p->network != SC_NONE && p->network != v->network)
        return host_text(CANNOT "vms.%s.workload.steps: net: to %s: on another network: switches do not meet "
                                "here",
                         v->group, p->name);
    return NULL;
}

static char *refuse_vm(const struct scenario *sc, uint32_t vm)
{
    const struct sc_vm *v = &sc->vms[vm];
    const struct step *s = prog_steps(v->work.prog);
    if (v->network == SC_NONE) return NULL;
    if (v->n_forwards > 0) return host_text(CANNOT "vms.%s.nic.forward: nobody outside sends here", v->group);
    if (v->mode == SC_EMULATION)
        return host_text(CANNOT "vms.%s.nic with mode: emulation: NICs here have a ring", v->group);
    if (v->n_disks >= ABI_MAX_DEVS)
        return host_text(CANNOT "vms.%s.disk: with a NIC at most %u", v->group, ABI_MAX_DEVS - 1);
    for (uint32_t i = 0; i < v->work.prog->n_steps; i++) {
        if (s[i].kind != STEP_NET) continue;
        if (s[i].how == PROG_RECEIVE && v->vcpus > 1)
            return host_text(CANNOT "vms.%s.vcpus: a guest that receives frames has one vCPU", v->group);
        char *why = s[i].how == PROG_SEND ? refuse_send(sc, vm, s[i].target) : NULL;
        if (why) return why;
    }
    return NULL;
}

char *refuse_networks(const struct scenario *sc)
{
    char *why = NULL;
    if (sc->n_networks > MAX_NETWORKS) return host_text(CANNOT "networks: over %u", MAX_NETWORKS);
    if (sc->n_peers > NET_PEERS) return host_text(CANNOT "peers: over %u", NET_PEERS);
    for (uint32_t i = 0; i < sc->n_nics && !why; i++)
        why = refuse_nic(sc, i);
    for (uint32_t i = 0; i < sc->n_networks && !why; i++)
        why = refuse_network(sc, i);
    for (uint32_t i = 0; i < sc->n_vms && !why; i++)
        why = refuse_vm(sc, i);
    return why;
}
