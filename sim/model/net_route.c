// SPDX-License-Identifier: GPL-3.0-or-later
/* The ways that frames take: which stages there are, and which of them a pair of endpoints uses, found once.
 *
 * - Inside a host: of a host-only network the host's memory copy; of a bridge or nat across the host's own
 *   switch, whose latency is the network's; across both networks where two of one NIC meet.
 * - Out of a host: the NIC's sending side; the nat, if it is one; then from switch to switch: across each
 *   (its latency), up by its port to the one above, down to the one that the receiver hangs on.
 * - Into a host: the NIC's receiving side, as wide as the other; the nat, if it is one.
 *
 * A switch's port upwards (its network's bandwidth, each way) is shared by all that goes beyond it, to the
 * outside too; what stays on a switch meets only the NICs. */
#include "model/net_inner.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "scenario/reach.h"

enum { ACROSS, UP, DOWN };

#define BULK        (UINT32_C(1) << 31) /* of a sender that is no VM but a transfer between hosts */
#define BULK_WEIGHT 1000

/* --- stages --- */

static uint32_t add_stage(struct net *net, int64_t bps, int64_t latency_ns, uint32_t dev)
{
    net->stages[net->n_stages] = (struct net_stage){
        .bps = bps, .latency_ns = latency_ns, .dev = dev, .serving = NONE, .air = {NONE, NONE}};
    return net->n_stages++;
}

static void add_pool(struct net *net, uint32_t *n, const struct sc_network *x)
{
    net->pools[(*n)++] = (struct net_pool){.ports = x->ports, .hold_ns = x->hold_ns, .idle = {NONE, NONE}};
}

void net_route_init(struct net *net)
{
    const struct scenario *sc = &net->now;
    uint32_t stages = 2 * sc->n_nics, pools = 0;
    for (uint32_t i = 0; i < sc->n_networks; i++) {
        const struct sc_network *x = &sc->networks[i];
        stages += x->kind == SC_NET_HOST_ONLY ? x->n_hosts : 3;
        if (x->kind == SC_NET_NAT) pools += x->n_nics;
    }
    net->stages = alloc_array(stages, sizeof *net->stages);
    net->pools = alloc_array(pools, sizeof *net->pools);
    net->first_stage = alloc_array(sc->n_networks, sizeof *net->first_stage);
    net->first_pool = alloc_array(sc->n_networks, sizeof *net->first_pool);
    for (uint32_t i = 0; i < sc->n_nics; i++)
        for (int side = 0; side < 2; side++)
            add_stage(net, sc->nics[i].bandwidth_bps, sc->nics[i].latency_ns, sc->n_disks + i);
    uint32_t n = 0;
    for (uint32_t i = 0; i < sc->n_networks; i++) {
        const struct sc_network *x = &sc->networks[i];
        uint32_t dev = sc->n_disks + sc->n_nics + i;
        net->first_stage[i] = net->n_stages;
        net->first_pool[i] = n;
        if (x->kind == SC_NET_HOST_ONLY) {
            for (uint32_t h = 0; h < x->n_hosts; h++)
                add_stage(net, x->bandwidth_bps, x->latency_ns, dev);
            continue;
        }
        add_stage(net, 0, x->latency_ns, dev);
        add_stage(net, x->bandwidth_bps, 0, NONE);
        add_stage(net, x->bandwidth_bps, 0, NONE);
        for (uint32_t k = 0; x->kind == SC_NET_NAT && k < x->n_nics; k++)
            add_pool(net, &n, x);
    }
    ASSERT(net->n_stages == stages && n == pools);
}

/* --- routes --- */

/* The sender's place at a stage. */
static uint32_t flow_at(struct net *net, uint32_t stage, uint32_t vm)
{
    uint64_t key = (uint64_t)stage << 32 | vm;
    uint32_t i = net_map_find(&net->flow_of, key);
    if (i != NET_MAP_NONE) return i;
    struct net_stage *s = &net->stages[stage];
    net_grow(net->flows, net->n_flows, net->cap_flows);
    net_grow(s->turns.heap, s->n_flows, s->cap_flows);
    s->n_flows++;
    i = net->n_flows++;
    uint32_t weight = vm & BULK ? BULK_WEIGHT : net->now.vms[vm].net_weight;
    net->flows[i] = (struct net_flow){.turn = {.id = vm, .weight = weight}, .waiting = {NONE, NONE}};
    net_map_put(&net->flow_of, key, i);
    return i;
}

static void hop(struct net *net, struct net_route *r, uint32_t stage)
{
    net_grow(net->hops, net->n_hops, net->cap_hops);
    uint32_t flow = net->stages[stage].bps ? flow_at(net, stage, r->from) : NONE;
    net->hops[net->n_hops++] = (struct net_hop){stage, flow};
    r->n_hops++;
}

static void across(struct net *net, struct net_route *r, uint32_t network, int part)
{
    hop(net, r, net->first_stage[network] + (uint32_t)part);
}

static bool is_above(const struct scenario *sc, uint32_t n, uint32_t above)
{
    while (n != SC_NONE && n != above)
        n = reach_above(sc, n);
    return n == above;
}

/* Down to switch b, from above it: `top` (not counted again), or where b's topmost port leads. */
static void descend(struct net *net, struct net_route *r, uint32_t b, uint32_t top)
{
    uint32_t above = reach_above(&net->now, b);
    if (b == top) return;
    if (above != SC_NONE) descend(net, r, above, top);
    across(net, r, b, DOWN);
    across(net, r, b, ACROSS);
}

/* From switch a to switch b; SC_NONE: the outside. */
static void between(struct net *net, struct net_route *r, uint32_t a, uint32_t b)
{
    const struct scenario *sc = &net->now;
    while (a != SC_NONE) {
        across(net, r, a, ACROSS);
        if (b != SC_NONE && is_above(sc, b, a)) break;
        across(net, r, a, UP);
        a = reach_above(sc, a);
    }
    if (b != SC_NONE) descend(net, r, b, a);
}

static bool is_nat(const struct scenario *sc, uint32_t vm)
{
    return sc->networks[sc->vms[vm].network].kind == SC_NET_NAT;
}

static void go_inside(struct net *net, struct net_route *r)
{
    const struct scenario *sc = &net->now;
    uint32_t n = sc->vms[r->from].network, host = sc->vms[r->from].host, at = 0;
    r->inside = true;
    if (sc->networks[n].kind == SC_NET_HOST_ONLY)
        while (sc->networks[n].hosts[at] != host)
            at++;
    hop(net, r, net->first_stage[n] + at);
    if (sc->vms[r->to].network != n) across(net, r, sc->vms[r->to].network, ACROSS);
}

static void go_out(struct net *net, struct net_route *r)
{
    const struct scenario *sc = &net->now;
    uint32_t n = sc->vms[r->from].network, sw = reach_switch(sc, r->from);
    hop(net, r, 2 * reach_nic(sc, r->from));
    if (n != sw) across(net, r, n, ACROSS);
    between(net, r, sw, reach_switch(sc, r->to));
    if (r->to >= sc->n_vms) return;
    r->nic = reach_nic(sc, r->to);
    hop(net, r, 2 * r->nic + 1);
    n = sc->vms[r->to].network;
    if (n != reach_switch(sc, r->to)) across(net, r, n, ACROSS);
}

/* CPU time of a frame at a VM's end of its way. */
static int64_t frame_ps(const struct net *net, uint32_t vm, bool meets_nic, bool rewritten)
{
    const struct scenario *sc = &net->now;
    const struct sc_host *h = &sc->hosts[sc->vms[vm].host];
    int64_t ps = 0;
    if (meets_nic) ps += sc->nics[reach_nic(sc, vm)].packet_cost_ns * 1000;
    if (rewritten) ps += sc->networks[sc->vms[vm].network].rewrite_ns * 1000;
    if (h->type == 2 && h->modes && !net->vms[vm].pays) ps += h->modes->host_io_ps;
    return ps;
}

/* The most payload of a frame, and how many frames fill the way: what waits, and what its latency holds. */
static void measure(struct net *net, struct net_route *r, int64_t mtu)
{
    int64_t latency = 0, least = 0;
    r->payload = mtu > NET_HEADERS ? (uint32_t)(mtu - NET_HEADERS) : 1;
    for (uint32_t i = 0; i < r->n_hops; i++) {
        const struct net_stage *s = &net->stages[net->hops[r->first_hop + i].stage];
        latency += s->latency_ns;
        if (s->bps && (least == 0 || s->bps < least)) least = s->bps;
    }
    __int128 fill =
        NET_WINDOW + (__int128)latency * least / 8000000000 / (r->payload + NET_HEADERS + NET_FRAMING);
    r->window = least == 0 || fill > NET_WINDOW_MAX ? NET_WINDOW_MAX : (uint32_t)fill;
}

static struct net_route find(struct net *net, uint32_t from, uint32_t to)
{
    const struct scenario *sc = &net->now;
    struct net_route r = {.from = from,
                          .to = to,
                          .first_hop = net->n_hops,
                          .payload = NET_MTU - NET_HEADERS,
                          .nic = NONE,
                          .pool = NONE,
                          .why = (uint8_t)reach_why(sc, from, to)};
    if (r.why != REC_WHY_NONE) return r;
    bool to_vm = to < sc->n_vms;
    if (to_vm && reach_inside(sc, from, to))
        go_inside(net, &r);
    else
        go_out(net, &r);
    bool leaves = !to_vm || !r.inside || sc->vms[from].network != sc->vms[to].network; /* its network */
    if (leaves && is_nat(sc, from)) {
        const struct sc_network *x = &sc->networks[sc->vms[from].network];
        for (uint32_t k = 0; k < x->n_nics; k++)
            if (sc->nics[x->nics[k]].host == sc->vms[from].host)
                r.pool = net->first_pool[sc->vms[from].network] + k;
    }
    r.tx_ps = frame_ps(net, from, !r.inside, leaves && is_nat(sc, from));
    if (to_vm) r.rx_ps = frame_ps(net, to, !r.inside, leaves && is_nat(sc, to));
    int64_t mtu = NET_MTU;
    uint32_t nic = reach_nic(sc, from);
    if (nic != SC_NONE) mtu = sc->nics[nic].mtu;
    if (r.nic != NONE && sc->nics[r.nic].mtu < mtu) mtu = sc->nics[r.nic].mtu;
    measure(net, &r, mtu);
    return r;
}

uint32_t net_route_bulk(struct net *net, uint32_t nic_a, uint32_t nic_b, uint32_t bulk)
{
    const struct sc_nic *a = &net->now.nics[nic_a], *b = &net->now.nics[nic_b];
    uint32_t end = BULK | bulk;
    uint64_t key = (uint64_t)end << 32 | (uint64_t)nic_a << 16 | nic_b;
    ASSERT(nic_a < 65536 && nic_b < 65536);
    uint32_t i = net_map_find(&net->route_of, key);
    if (i != NET_MAP_NONE) return i;
    struct net_route r = {.from = end,
                          .to = b->host,
                          .first_hop = net->n_hops,
                          .nic = NONE,
                          .pool = NONE,
                          .tx_ps = a->packet_cost_ns * 1000,
                          .rx_ps = b->packet_cost_ns * 1000,
                          .bulk = true};
    hop(net, &r, 2 * nic_a);
    hop(net, &r, 2 * nic_b + 1);
    measure(net, &r, a->mtu < b->mtu ? a->mtu : b->mtu);
    net_grow(net->routes, net->n_routes, net->cap_routes);
    i = net->n_routes++;
    net->routes[i] = r;
    net_map_put(&net->route_of, key, i);
    return i;
}

uint32_t net_route_of(struct net *net, uint32_t from, uint32_t to)
{
    /* A VM that has moved is another end. */
    uint32_t a = from, b = to;
    if (net->own_vms) {
        a = net->end_of[from];
        b = to < net->now.n_vms ? net->end_of[to] : to;
    }
    uint64_t key = (uint64_t)a << 32 | b;
    uint32_t i = net_map_find(&net->route_of, key);
    if (i != NET_MAP_NONE) return i;
    struct net_route r = find(net, from, to);
    net_grow(net->routes, net->n_routes, net->cap_routes);
    i = net->n_routes++;
    net->routes[i] = r;
    net_map_put(&net->route_of, key, i);
    return i;
}
