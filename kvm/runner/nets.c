// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/nets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/rng.h"
#include "scenario/reach.h"

#define MTU        1500 /* where no NIC says otherwise */
#define RX         64u  /* buffers of a payload, and for each vCPU: kvm/guest/net.c */
#define TX         160u
#define BIG_PAGE   (UINT64_C(2) << 20)
#define FIRST_HOST 16u         /* in a network's /24: below it, the gateway */
#define PEERS_IP   0xc6336400u /* 198.51.100.0/24, for documentation: nobody's */
#define OUTER_HOST 254u
#define NO_PORT    UINT32_MAX

struct net {
    struct netproc proc; /* pid 0: nobody here is on it */
    bool told_gone;
    struct net_count nic, fabric; /* as last told */
    struct net_count peer[NET_PEERS];
    uint32_t peer_of[NET_PEERS]; /* of the scenario's peers */
    uint32_t n_peers, n_ports;
};

struct net_vm {
    uint32_t port; /* on its network; NO_PORT: none */
    int window_fd;
    uint64_t window_bytes;
    struct net_count sent, got; /* as last told */
    struct abi_end *ends;
};

struct nets {
    bool over;         /* the end has come: what passes after it does not count */
    struct net *net;   /* [n_networks] */
    struct net_vm *vm; /* [n_vms] */
};

/* --- addresses --- */

static void mac_of(uint8_t *mac, uint32_t network, uint32_t host)
{
    /* Locally administered; 76 6c: vl. */
    const uint8_t m[NET_MAC] = {2, 0x76, 0x6c, (uint8_t)(network >> 8), (uint8_t)network, (uint8_t)host};
    memcpy(mac, m, NET_MAC);
}

static uint32_t subnet(uint32_t network)
{
    return 0x0a000000u + ((network + 1) << 8);
}

static const struct sc_nic *nic_of(const struct scenario *sc, uint32_t vm)
{
    uint32_t i = reach_nic(sc, vm);
    return i == SC_NONE ? NULL : &sc->nics[i];
}

static uint32_t frame_max(const struct scenario *sc, uint32_t vm)
{
    const struct sc_nic *nic = nic_of(sc, vm);
    return (uint32_t)(nic ? nic->mtu : MTU) + NET_ETHER;
}

static uint32_t peer_index(const struct net *n, uint32_t peer)
{
    for (uint32_t i = 0; i < n->n_peers; i++)
        if (n->peer_of[i] == peer) return i;
    return NO_PORT;
}

/* Where a VM's frames to that endpoint go. */
static struct abi_end end_of(const struct run *r, uint32_t vm, uint32_t to)
{
    const struct scenario *sc = r->sc;
    uint32_t network = sc->vms[vm].network;
    const struct net *n = &r->nets->net[network];
    struct abi_end e = {.why = (uint16_t)reach_why(sc, vm, to)};
    if (to < sc->n_vms) {
        uint32_t port = r->nets->vm[to].port;
        if (e.why == REC_WHY_NONE && (sc->vms[to].network != network || port == NO_PORT))
            e.why = REC_WHY_NO_ROUTE;
        mac_of(e.mac, network, FIRST_HOST + port);
        e.ip = subnet(network) + FIRST_HOST + port;
        return e;
    }
    uint32_t i = peer_index(n, to - sc->n_vms);
    if (i == NO_PORT) return e;
    e.ip = n->proc.ctl->cfg.peer[i].ip;
    memcpy(e.mac,
           n->proc.ctl->cfg.uplink == NET_BRIDGE ? n->proc.ctl->cfg.peer[i].mac
                                                 : n->proc.ctl->cfg.gateway_mac,
           NET_MAC);
    return e;
}

/* --- one switch --- */

/* The peers that VMs of this network send to. */
static void find_peers(const struct scenario *sc, uint32_t network, struct net *n)
{
    for (uint32_t v = 0; v < sc->n_vms; v++) {
        const struct step *s = prog_steps(sc->vms[v].work.prog);
        for (uint32_t k = 0; sc->vms[v].network == network && k < sc->vms[v].work.prog->n_steps; k++) {
            if (s[k].kind != STEP_NET || s[k].how != PROG_SEND || s[k].target < sc->n_vms) continue;
            uint32_t peer = s[k].target - sc->n_vms;
            if (!reach_between(sc, v, s[k].target) || peer_index(n, peer) != NO_PORT) continue;
            ASSERT(n->n_peers < NET_PEERS); /* refuse.c */
            n->peer_of[n->n_peers++] = peer;
        }
    }
}

static uint32_t uplink_of(const struct sc_network *x, const struct net *n)
{
    const char *nat = getenv("VLAB_NAT");
    if (n->n_peers == 0) return NET_NO_UPLINK;
    if (x->kind == SC_NET_BRIDGE) return NET_BRIDGE;
    return nat && strcmp(nat, "nft") == 0 ? NET_NAT : NET_SLIRP;
}

static void put_uplink(struct net_cfg *c, uint32_t network, const struct net *n)
{
    c->n_peers = n->n_peers;
    for (uint32_t i = 0; i < n->n_peers; i++) {
        c->peer[i].ip = PEERS_IP + 1 + i;
        if (c->uplink == NET_BRIDGE) mac_of(c->peer[i].mac, network, FIRST_HOST + NET_PORTS + i);
    }
    if (c->uplink == NET_NO_UPLINK || c->uplink == NET_BRIDGE) return;
    c->gateway = subnet(network) + 2;
    c->outer = PEERS_IP + OUTER_HOST;
    /* libslirp's own way of making it up. */
    const uint8_t mac[NET_MAC] = {0x52,
                                  0x55,
                                  (uint8_t)(c->gateway >> 24),
                                  (uint8_t)(c->gateway >> 16),
                                  (uint8_t)(c->gateway >> 8),
                                  (uint8_t)c->gateway};
    memcpy(c->gateway_mac, mac, NET_MAC);
}

static enum kvm_status start(struct run *r, uint32_t network, char **why)
{
    const struct scenario *sc = r->sc;
    const struct sc_network *x = &sc->networks[network];
    struct net *n = &r->nets->net[network];
    struct net_cfg c = {
        .rx_queue = NET_QUEUE, .fabric.latency_ns = x->latency_ns, .frame_max = MTU + NET_ETHER};
    for (uint32_t v = 0; v < sc->n_vms; v++) {
        struct net_vm *m = &r->nets->vm[v];
        if (sc->vms[v].network != network || (x->kind != SC_NET_HOST_ONLY && !nic_of(sc, v))) continue;
        m->port = c.n_ports++;
        c.port[m->port] = (struct net_port_cfg){.ip = subnet(network) + FIRST_HOST + m->port,
                                                .weight = sc->vms[v].net_weight};
        mac_of(c.port[m->port].mac, network, FIRST_HOST + m->port);
        c.frame_max = frame_max(sc, v);
        const struct sc_nic *nic = nic_of(sc, v);
        if (!nic) continue;
        c.nic = (struct net_link){nic->bandwidth_bps, nic->latency_ns};
        c.rx_queue = nic->rx_queue;
    }
    if (c.n_ports == 0) return KVM_OK;
    n->n_ports = c.n_ports;
    if (x->kind == SC_NET_HOST_ONLY)
        c.fabric.bps = x->bandwidth_bps;
    else
        c.up.bps = x->bandwidth_bps;
    find_peers(sc, network, n);
    c.uplink = uplink_of(x, n);
    put_uplink(&c, network, n);
    c.loss_key = rng_key(r->seed, rng_hash_name(x->name, strlen(x->name)), RNG_FAILURE);
    return netproc_start(&n->proc, x->name, &c, why) == 0 ? KVM_OK : KVM_FAILED;
}

/* --- NICs --- */

static int make_nic(struct run *r, uint32_t vm, char **why)
{
    struct net_vm *m = &r->nets->vm[vm];
    const struct scenario *sc = r->sc;
    uint64_t slot = (frame_max(sc, vm) + 63) / 64 * 64;
    void *map = NULL;
    m->window_bytes = slot * (RX + TX * (uint64_t)sc->vms[vm].vcpus);
    m->window_bytes = (m->window_bytes + BIG_PAGE - 1) / BIG_PAGE * BIG_PAGE;
    m->window_fd = vmproc_shared("vlab-nic", m->window_bytes, &map);
    if (m->window_fd < 0) {
        *why = host_text("vm.%s: no memory for its NIC: %s", sc->vms[vm].name, strerror(errno));
        return -1;
    }
    munmap(map, m->window_bytes);
    uint32_t n = sc->n_vms + sc->n_peers;
    m->ends = calloc(n, sizeof *m->ends);
    ASSERT(m->ends);
    for (uint32_t to = 0; to < n; to++)
        m->ends[to] = end_of(r, vm, to);
    return 0;
}

enum kvm_status nets_start(struct run *r, char **why)
{
    const struct scenario *sc = r->sc;
    enum kvm_status st = KVM_OK;
    if (sc->n_networks == 0) return KVM_OK;
    r->nets = calloc(1, sizeof *r->nets);
    ASSERT(r->nets);
    r->nets->net = calloc(sc->n_networks, sizeof *r->nets->net);
    r->nets->vm = calloc(sc->n_vms + 1, sizeof *r->nets->vm);
    ASSERT(r->nets->net && r->nets->vm);
    for (uint32_t v = 0; v < sc->n_vms; v++)
        r->nets->vm[v] = (struct net_vm){.port = NO_PORT, .window_fd = -1};
    for (uint32_t i = 0; i < sc->n_networks && st == KVM_OK; i++)
        st = start(r, i, why);
    for (uint32_t i = 0; i < sc->n_networks && st == KVM_OK; i++)
        if (r->nets->net[i].proc.pid != 0 &&
            netproc_wait_ready(&r->nets->net[i].proc, sc->networks[i].name, why) != 0)
            st = KVM_NO_KVM; /* it has what it needs but for what this machine lacks */
    for (uint32_t v = 0; v < sc->n_vms && st == KVM_OK; v++)
        if (r->nets->vm[v].port != NO_PORT && make_nic(r, v, why) != 0) st = KVM_FAILED;
    return st;
}

struct boot_net nets_boot(const struct run *r, uint32_t vm)
{
    if (!r->nets || r->nets->vm[vm].port == NO_PORT) return (struct boot_net){0};
    return (struct boot_net){.ends = r->nets->vm[vm].ends,
                             .n_ends = r->sc->n_vms + r->sc->n_peers,
                             .self = vm,
                             .frame_max = frame_max(r->sc, vm),
                             .window_bytes = r->nets->vm[vm].window_bytes};
}

bool nets_dev(const struct run *r, uint32_t vm, struct vmproc_dev *dev)
{
    if (!r->nets || r->nets->vm[vm].port == NO_PORT) return false;
    const struct net_vm *m = &r->nets->vm[vm];
    *dev = (struct vmproc_dev){.kind = ABI_DEV_NIC,
                               .peer_fd = r->nets->net[r->sc->vms[vm].network].proc.nic_fd[m->port],
                               .window_fd = m->window_fd,
                               .window_bytes = m->window_bytes};
    return true;
}

void nets_release(struct run *r)
{
    for (uint32_t i = 0; r->nets && i < r->sc->n_networks; i++)
        if (r->nets->net[i].proc.pid != 0) netproc_hand_over(&r->nets->net[i].proc);
    for (uint32_t v = 0; r->nets && v < r->sc->n_vms; v++) {
        if (r->nets->vm[v].window_fd >= 0) close(r->nets->vm[v].window_fd);
        r->nets->vm[v].window_fd = -1;
    }
}

struct netproc *nets_proc(const struct run *r, uint32_t network)
{
    return r->nets && r->nets->net[network].proc.pid != 0 ? &r->nets->net[network].proc : NULL;
}

void nets_stop(struct run *r)
{
    if (!r->nets) return;
    nets_release(r);
    for (uint32_t i = 0; i < r->sc->n_networks; i++)
        netproc_stop(&r->nets->net[i].proc);
    for (uint32_t v = 0; v < r->sc->n_vms; v++)
        free(r->nets->vm[v].ends);
    free(r->nets->net);
    free(r->nets->vm);
    free(r->nets);
    r->nets = NULL;
}

/* --- records --- */

static uint64_t grown(uint64_t *last, const uint64_t *now)
{
    uint64_t v = __atomic_load_n(now, __ATOMIC_RELAXED), more = v - *last;
    if (v < *last) return 0; /* a switch that counts back says nothing */
    *last = v;
    return more;
}

static struct net_count all_grown(struct net_count *last, const struct net_count *now)
{
    return (struct net_count){grown(&last->frames, &now->frames), grown(&last->bytes, &now->bytes),
                              grown(&last->wire, &now->wire), grown(&last->drops, &now->drops)};
}

static void tell_vm(struct run *r, uint32_t vm, struct net_count n)
{
    struct run_vm *v = &r->vms[vm];
    guestlog_count(r, v, REC_N_NET_FRAMES, n.frames);
    guestlog_count(r, v, REC_N_NET_BYTES, n.bytes);
    guestlog_count(r, v, REC_N_NET_WIRE, n.wire);
    guestlog_count(r, v, REC_N_NET_DROPS, n.drops);
}

static int64_t now_ns(const struct run *r)
{
    int64_t now = host_now() - r->zero_abs_ns;
    return now < 1 ? 0 : now > r->end_ns ? r->end_ns - 1 : now - 1;
}

static struct rec of_dev(const struct run *r, uint32_t dev, enum rec_kind kind, uint8_t cause, uint64_t value)
{
    return (struct rec){.t_ns = now_ns(r),
                        .value = (int64_t)value,
                        .host = dev,
                        .vm = UINT32_MAX,
                        .vcpu = REC_NONE,
                        .pcpu = REC_DEV,
                        .kind = (uint8_t)kind,
                        .cause = cause};
}

static void tell_dev(struct run *r, uint32_t dev, struct net_count n)
{
    const uint64_t v[] = {n.frames, n.bytes, n.wire, n.drops};
    for (uint8_t i = 0; i < 4; i++)
        if (v[i] > 0 && v[i] <= INT64_MAX)
            recs_add(&r->recs, of_dev(r, dev, REC_COUNT, (uint8_t)(REC_N_NET_FRAMES + i), v[i]));
}

static void poll_net(struct run *r, uint32_t i)
{
    const struct scenario *sc = r->sc;
    struct net *n = &r->nets->net[i];
    const struct net_ctl *ctl = n->proc.ctl;
    uint32_t nic0 = sc->n_disks, net0 = nic0 + sc->n_nics, peer0 = net0 + sc->n_networks, nic = SC_NONE;
    for (uint32_t v = 0; v < sc->n_vms; v++) {
        struct net_vm *m = &r->nets->vm[v];
        if (sc->vms[v].network != i || m->port == NO_PORT) continue;
        nic = reach_nic(sc, v);
        tell_vm(r, v, all_grown(&m->sent, &ctl->sent[m->port]));
        tell_vm(r, v, all_grown(&m->got, &ctl->got[m->port]));
    }
    tell_dev(r, net0 + i, all_grown(&n->fabric, &ctl->fabric));
    if (nic != SC_NONE) tell_dev(r, nic0 + nic, all_grown(&n->nic, &ctl->nic));
    for (uint32_t k = 0; k < n->n_peers; k++)
        tell_dev(r, peer0 + n->peer_of[k], all_grown(&n->peer[k], &ctl->peer[k]));
    if (n->told_gone || !netproc_gone(&n->proc)) return;
    n->told_gone = true;
    struct rec failed = of_dev(r, net0 + i, REC_EVENT, REC_EV_FAILED, 0);
    failed.to = REC_WHY_LINK;
    recs_add(&r->recs, failed);
}

void nets_poll(struct run *r)
{
    if (!r->nets || r->nets->over) return;
    r->nets->over = host_now() >= r->zero_abs_ns + r->end_ns;
    for (uint32_t i = 0; i < r->sc->n_networks; i++)
        if (r->nets->net[i].proc.pid != 0) poll_net(r, i);
}
