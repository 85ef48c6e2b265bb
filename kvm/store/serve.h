// SPDX-License-Identifier: GPL-3.0-or-later
/* serve.h - the disk as the scenario describes it, on any clock: queue, server, latency. Pure: times come in.
 *
 * A clock that is read late must not make the disk slower than it is. So a request begins when the server was
 * free and it could have gone, not when somebody looked, but for SERVE_LATE_NS at most. */
#ifndef VLAB_KVM_STORE_SERVE_H
#define VLAB_KVM_STORE_SERVE_H

#include "policy/bucket.h"
#include "policy/ioqueue.h"

#define SERVE_LATE_NS 5000000

struct serve_cfg {
    const char *queue; /* a policy's name */
    int64_t iops_u, bandwidth_bps, burst_bytes, peak_bps, latency_ns;
    const struct ioqueue_flow_cfg *flows;
    uint32_t n_flows;
};

struct serve {
    struct ioqueue *queue;
    struct bucket bucket;
    int64_t latency_ns;
    int64_t began_ns, free_ns; /* the server is at work from then to then */
    int64_t null_ns;           /* when nobody could go last, and when, as was known then, somebody may; -1: */
    int64_t again_ns;          /* the last who was asked for went */
};

/* 0, or -1: cfg is out of range. */
int serve_init(struct serve *s, const struct serve_cfg *cfg, int64_t now);
void serve_done(struct serve *s);
/* A request with its flow, write, bytes and position set. */
void serve_add(struct serve *s, struct ioqueue_req *r, int64_t now);
void serve_drop(struct serve *s, struct ioqueue_req *r, int64_t now);
/* The request that the server takes now, and when it is through with it, latency included; began_ns and
 * free_ns are then its own. NULL: none; look again at *again_ns, or after the next add. */
struct ioqueue_req *serve_next(struct serve *s, int64_t now, int64_t *ripe_ns, int64_t *again_ns);

#endif
