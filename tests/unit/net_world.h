// SPDX-License-Identifier: GPL-3.0-or-later
/* net_world.h - scenarios of networks made by hand, run in the model, and looked into.
 *
 *     struct world *w = world_new();
 *     uint32_t h = world_host(w, 1), lan = world_net(w, SC_NET_BRIDGE);
 *     world_join(w, lan, world_nic(w, h, 1000000000));
 *     uint32_t a = world_vm(w, h, lan);
 *     w->vms[a].... = ...;
 *     world_send(w, a, 1448, world_peer_end(w, pc));
 *     world_run(w, 1000000000);
 *
 * All is in arrays to be changed until world_run or world_start. Peers' endpoints: after all VMs are there.
 */
#ifndef VLAB_TESTS_NET_WORLD_H
#define VLAB_TESTS_NET_WORLD_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/inner.h"
#include "model/model.h"
#include "model/net.h"
#include "scenario/reach.h"

enum {
    WORLD_HOSTS = 8,
    WORLD_NICS = 16,
    WORLD_NETS = 16,
    WORLD_PEERS = 8,
    WORLD_VMS = 1024,
    WORLD_EVENTS = 4096
};

struct world {
    struct scenario sc;
    struct sc_host hosts[WORLD_HOSTS];
    struct sc_nic nics[WORLD_NICS];
    struct sc_network nets[WORLD_NETS];
    uint32_t net_nics[WORLD_NETS][WORLD_NICS], net_hosts[WORLD_NETS][WORLD_NICS];
    struct sc_peer peers[WORLD_PEERS];
    struct sc_vm vms[WORLD_VMS];
    struct sc_stretch stretches[WORLD_VMS];
    char names[WORLD_VMS][16];
    struct prog *progs[WORLD_VMS];
    struct rec_block block;
    uint32_t only; /* 1 + the VM to simulate alone; 0: all */
    struct model *m;
    struct rec events[WORLD_EVENTS]; /* REC_EVENT and REC_WORK */
    size_t n_events;
};

static inline void world_read(void *ctx, const struct rec *recs, size_t n)
{
    struct world *w = ctx;
    for (size_t i = 0; i < n; i++)
        if ((recs[i].kind == REC_EVENT || recs[i].kind == REC_WORK) && w->n_events < WORLD_EVENTS)
            w->events[w->n_events++] = recs[i];
}

static inline struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    ck_assert_ptr_nonnull(w);
    w->sc = (struct scenario){.path = "made",
                              .name = "made",
                              .run = {.sample_ns = INT64_MAX, .seed = 1, .replications = 1},
                              .hosts = w->hosts,
                              .vms = w->vms,
                              .nics = w->nics,
                              .networks = w->nets,
                              .peers = w->peers};
    return w;
}

static inline void world_free(struct world *w)
{
    model_free(w->m);
    for (uint32_t i = 0; i < w->sc.n_vms; i++)
        free(w->progs[i]);
    free(w);
}

static inline uint32_t world_host(struct world *w, uint32_t cores)
{
    uint32_t i = w->sc.n_hosts++;
    w->hosts[i] = (struct sc_host){.name = "h",
                                   .group = "h",
                                   .profile = "ideal",
                                   .cores = cores,
                                   .threads_per_core = 1,
                                   .speed_ppm = 1000000,
                                   .scheduler = "rr",
                                   .type = 1};
    return i;
}

static inline uint32_t world_nic(struct world *w, uint32_t host, int64_t bps)
{
    uint32_t i = w->sc.n_nics++;
    w->nics[i] = (struct sc_nic){
        .name = "eth", .entity = "nic", .host = host, .bandwidth_bps = bps, .mtu = 1500, .rx_queue = 256};
    return i;
}

static inline uint32_t world_net(struct world *w, enum sc_net_kind kind)
{
    uint32_t i = w->sc.n_networks++;
    w->nets[i] = (struct sc_network){.name = "net",
                                     .entity = "network",
                                     .kind = (uint8_t)kind,
                                     .nics = w->net_nics[i],
                                     .hosts = w->net_hosts[i],
                                     .up = SC_NONE,
                                     .ports = 64000,
                                     .hold_ns = 60000000000};
    return i;
}

static inline void world_join(struct world *w, uint32_t net, uint32_t nic)
{
    w->net_nics[net][w->nets[net].n_nics++] = nic;
    w->net_hosts[net][w->nets[net].n_hosts++] = w->nics[nic].host;
}

static inline void world_inside(struct world *w, uint32_t net, uint32_t host)
{
    w->net_hosts[net][w->nets[net].n_hosts++] = host;
}

static inline uint32_t world_peer(struct world *w, uint32_t net)
{
    uint32_t i = w->sc.n_peers++;
    w->peers[i] = (struct sc_peer){.name = "peer", .entity = "peer", .network = net};
    return i;
}

static inline uint32_t world_peer_end(const struct world *w, uint32_t peer)
{
    return w->sc.n_vms + peer;
}

/* A program of these steps, for ever, one thread. */
static inline void world_steps(struct world *w, uint32_t vm, const struct step *steps, uint32_t n)
{
    w->progs[vm] = calloc(1, prog_size(n, 0));
    w->vms[vm].work.prog = prog_build(w->progs[vm], steps, n, NULL, 0);
}

static inline struct step world_step(enum step_kind kind, int64_t amount)
{
    struct step s = {.kind = kind, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = amount}};
    ck_assert_int_eq(draw_make(&s.amount), 0);
    return s;
}

static inline struct step world_send_step(int64_t bytes, uint32_t to)
{
    struct step s = world_step(STEP_NET, bytes);
    s.how = PROG_SEND;
    s.target = to;
    return s;
}

static inline struct step world_receive_step(int64_t frames)
{
    struct step s = world_step(STEP_NET, frames);
    s.how = PROG_RECEIVE;
    return s;
}

/* A VM that sleeps; hardware mode, no prices. */
static inline uint32_t world_vm(struct world *w, uint32_t host, uint32_t net)
{
    uint32_t i = w->sc.n_vms++;
    ck_assert_uint_lt(i, WORLD_VMS);
    snprintf(w->names[i], sizeof w->names[i], "v%u", i);
    w->vms[i] = (struct sc_vm){.name = w->names[i],
                               .group = w->names[i],
                               .draws = w->names[i],
                               .host = host,
                               .vcpus = 1,
                               .weight = 1000,
                               .period_ns = 100000000,
                               .mode = SC_HARDWARE,
                               .swap = SC_NONE,
                               .image = SC_NONE,
                               .network = net,
                               .net_weight = 1000,
                               .work = {.threads = 1, .queue_max = INT64_MAX, .until = UINT64_MAX}};
    world_steps(w, i, (struct step[]){world_step(STEP_SLEEP, INT64_C(1000000000000))}, 1);
    return i;
}

static inline void world_does(struct world *w, uint32_t vm, const struct step *steps, uint32_t n)
{
    free(w->progs[vm]);
    world_steps(w, vm, steps, n);
}

static inline void world_send(struct world *w, uint32_t vm, int64_t bytes, uint32_t to)
{
    world_does(w, vm, (struct step[]){world_send_step(bytes, to)}, 1);
}

/* Its program is a request, one every gap. */
static inline void world_periodic(struct world *w, uint32_t vm, int64_t gap_ns, uint32_t threads,
                                  int64_t queue)
{
    struct sc_workload *k = &w->vms[vm].work;
    w->stretches[vm] = (struct sc_stretch){SC_PERIODIC, gap_ns, INT64_MAX};
    k->requests = true;
    k->threads = threads;
    k->queue_max = queue;
    k->arrivals = SC_PERIODIC;
    k->stretches = &w->stretches[vm];
    k->n_stretches = 1;
}

static inline void world_start(struct world *w, int64_t duration_ns)
{
    w->sc.run.duration_ns = duration_ns;
    if (w->sc.run.sample_ns == INT64_MAX) w->sc.run.sample_ns = duration_ns;
    rec_block_init(&w->block);
    rec_block_add_reader(&w->block, (struct rec_reader){world_read, w, UINT32_MAX});
    w->m = model_new(&w->sc, 1, w->only ? w->only - 1 : MODEL_ALL, &w->block);
}

static inline void world_run(struct world *w, int64_t duration_ns)
{
    char *why = NULL;
    world_start(w, duration_ns);
    ck_assert_msg(model_run(w->m, &why) == 0, "%s", why);
    ck_assert_msg(net_check(w->m, &why) == 0, "%s", why);
}

static inline int64_t world_count(const struct world *w, uint32_t vm, enum rec_count what)
{
    return w->m->vms[vm].book->count[what];
}

static inline int64_t world_nic_count(const struct world *w, uint32_t nic, enum rec_count what)
{
    return w->m->dev_books[w->sc.n_disks + nic].count[what];
}

static inline int64_t world_net_count(const struct world *w, uint32_t net, enum rec_count what)
{
    return w->m->dev_books[w->sc.n_disks + w->sc.n_nics + net].count[what];
}

static inline int64_t world_peer_count(const struct world *w, uint32_t peer, enum rec_count what)
{
    return w->m->dev_books[w->sc.n_disks + w->sc.n_nics + w->sc.n_networks + peer].count[what];
}

/* The i-th event of a kind of this VM; NULL: there are not so many. */
static inline const struct rec *world_event(const struct world *w, uint32_t vm, enum rec_event what, int i)
{
    for (size_t k = 0; k < w->n_events; k++)
        if (w->events[k].kind == REC_EVENT && w->events[k].vm == vm && w->events[k].cause == what && i-- == 0)
            return &w->events[k];
    return NULL;
}

/* When this VM's i-th iteration ended; -1: it did not. */
static inline int64_t world_over(const struct world *w, uint32_t vm, int i)
{
    for (size_t k = 0; k < w->n_events; k++)
        if (w->events[k].kind == REC_WORK && w->events[k].vm == vm && i-- == 0) return w->events[k].t_ns;
    return -1;
}

/* One host, one NIC on a bridge with a peer; VMs come later. */
struct world_lan {
    struct world *w;
    uint32_t host, nic, net, pc;
};

static inline struct world_lan world_lan(int64_t bps)
{
    struct world_lan l = {.w = world_new()};
    l.host = world_host(l.w, 4);
    l.nic = world_nic(l.w, l.host, bps);
    l.net = world_net(l.w, SC_NET_BRIDGE);
    l.pc = world_peer(l.w, l.net);
    world_join(l.w, l.net, l.nic);
    return l;
}

static inline struct step world_sleep(int64_t ns)
{
    return world_step(STEP_SLEEP, ns);
}

#endif
