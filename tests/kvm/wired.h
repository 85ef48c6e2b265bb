// SPDX-License-Identifier: GPL-3.0-or-later
/* wired.h - a lab whose VMs are on one network, and what passed there: for tests of networks on KVM. */
#ifndef VLAB_TESTS_KVM_WIRED_H
#define VLAB_TESTS_KVM_WIRED_H

#include "kvm/net.h"
#include "procs.h"

#define MS     INT64_C(1000000)
#define ALWAYS .probability = UINT32_MAX
#define SEND(n, whom)                                                                                        \
    {                                                                                                        \
        .kind = STEP_NET, .how = PROG_SEND, .target = (whom), ALWAYS, .amount = {                            \
            .kind = DIST_CONST,                                                                              \
            .a = (n)                                                                                         \
        }                                                                                                    \
    }
#define RECEIVE(n)                                                                                           \
    {                                                                                                        \
        .kind = STEP_NET, .how = PROG_RECEIVE, ALWAYS, .amount = {.kind = DIST_CONST, .a = (n) }             \
    }
#define WORK(ns)                                                                                             \
    {                                                                                                        \
        .kind = STEP_CPU, ALWAYS, .amount = {.kind = DIST_EXPONENTIAL, .a = (ns) }                           \
    }
#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { FRAMES, BYTES, WIRE, DROPS, N_COUNTS };

/* A lab whose VMs are on one network of host h1, by its one NIC; two peers, on it and outside. */
struct wired {
    struct lab *l;
    struct sc_nic nic;
    struct sc_network network;
    struct sc_peer peers[2];
    uint32_t nic_index[1];
    uint32_t hosts[1];
    int64_t vm[LAB_VMS][N_COUNTS], dev[4][N_COUNTS]; /* NIC, network, peers */
    uint64_t n_refused[LAB_VMS], refused_why[LAB_VMS];
    int64_t refused[LAB_VMS];
    uint64_t failed; /* of the network: events */
};

static inline void read_net(void *ctx, const struct rec *r, size_t n)
{
    struct wired *w = ctx;
    for (size_t i = 0; i < n; i++) {
        int which = r[i].cause - REC_N_NET_FRAMES;
        bool count = r[i].kind == REC_COUNT && which >= 0 && which < N_COUNTS;
        if (count && r[i].pcpu == REC_DEV && r[i].host < 4) w->dev[r[i].host][which] += r[i].value;
        if (count && r[i].vm < LAB_VMS) w->vm[r[i].vm][which] += r[i].value;
        if (r[i].kind != REC_EVENT) continue;
        w->failed += r[i].cause == REC_EV_FAILED && r[i].pcpu == REC_DEV && r[i].host == 1;
        if (r[i].cause != REC_EV_REFUSED || r[i].vm >= LAB_VMS) continue;
        w->n_refused[r[i].vm]++;
        w->refused[r[i].vm] += r[i].value;
        w->refused_why[r[i].vm] |= UINT64_C(1) << r[i].to;
    }
}

static inline struct wired *wired_new(enum sc_net_kind kind, uint32_t cores, uint32_t n, int64_t duration_ns)
{
    struct wired *w = calloc(1, sizeof *w);
    struct lab *l = w->l = lab_new("rr", cores, n, duration_ns);
    w->nic = (struct sc_nic){.name = "eth0", .mtu = 1500, .rx_queue = 256};
    w->network = (struct sc_network){.name = "lan",
                                     .kind = (uint8_t)kind,
                                     .nics = w->nic_index,
                                     .n_nics = kind != SC_NET_HOST_ONLY,
                                     .hosts = w->hosts,
                                     .n_hosts = 1,
                                     .up = SC_NONE,
                                     .ports = 64000,
                                     .hold_ns = INT64_C(60000000000)};
    w->peers[0] = (struct sc_peer){.name = "near", .network = kind == SC_NET_HOST_ONLY ? SC_NONE : 0};
    w->peers[1] = (struct sc_peer){.name = "far", .network = SC_NONE};
    l->sc.nics = &w->nic;
    l->sc.n_nics = 1;
    l->sc.networks = &w->network;
    l->sc.n_networks = 1;
    l->sc.peers = w->peers;
    l->sc.n_peers = 2;
    for (uint32_t i = 0; i < n; i++) {
        l->vms[i].network = 0;
        l->vms[i].net_weight = 1000;
    }
    l->also = (struct rec_reader){read_net, w, UINT32_MAX};
    return w;
}

static inline void wired_run(struct wired *w)
{
    lab_run_well(w->l);
}

static inline void wired_free(struct wired *w)
{
    lab_free(w->l);
    free(w);
}

#endif
