// SPDX-License-Identifier: GPL-3.0-or-later
/* core.h - a network: its ports, who is behind them, and when a frame is through. No clock and no I/O: `now`
 * comes in (ns, never going back), frames go out through struct core_out.
 *
 * Ways. A frame passes stages, each of which sends one frame at a time at its rate, senders in turn by their
 * weight (policy/wfq.h, as in the simulator), and then keeps it for its latency:
 *
 *     NIC to NIC      fabric
 *     NIC to uplink   nic out, fabric, up
 *     uplink to NIC   down, fabric, nic in
 *
 * A stage's next frame begins when the one before it ended, not when somebody looked: whoever calls late
 * loses no time, and a rate is exact over any number of frames.
 *
 * Limits. A sender has at most NET_QUEUE frames inside (copies of one to many count each), so nobody takes
 * room from others; more are dropped. Frames from the uplink that wait for a receiver: rx_queue at most.
 *
 * What comes in is hostile: see frame.h; a NIC sends as itself only (its mac). What fails that is dropped and
 * counted as bad. A dropped frame has left, as far as its sender is told. */
#ifndef VLAB_KVM_SWITCH_CORE_H
#define VLAB_KVM_SWITCH_CORE_H

#include "kvm/switch/frame.h"
#include "kvm/switch/macs.h"
#include "policy/wfq.h"

#define CORE_NONE UINT32_MAX

enum core_taken {
    CORE_TAKEN,
    CORE_BUSY, /* not now: core_ready will be called when it can be */
    CORE_GONE  /* nobody is there any more */
};

/* The uplink is port n_ports. */
struct core_out {
    enum core_taken (*deliver)(void *ctx, uint32_t port, const uint8_t *frame, uint32_t len);
    void (*left)(void *ctx, uint32_t port, uint32_t cookie);
    void *ctx;
};

enum core_way { CORE_INSIDE, CORE_OUTWARD, CORE_INWARD, CORE_NWAYS };
enum core_stage_id { CORE_FABRIC, CORE_NIC_OUT, CORE_UP, CORE_DOWN, CORE_NIC_IN, CORE_NSTAGES };

struct core_fifo { /* of frames, linked by their `next` */
    uint32_t head, tail;
};

struct core_frame {
    int64_t at_ns; /* when its latency is over */
    uint32_t next, len, cookie;
    uint16_t from, to; /* ports */
    uint8_t way, hop;
    bool tells; /* its sender has not been told that it left */
};

struct core_stage {
    int64_t bps, latency_ns;
    int64_t end_ns;   /* of the frame being sent */
    int64_t rest;     /* of its time, what does not fill a ns, times bps */
    uint32_t serving; /* CORE_NONE: none */
    struct core_fifo air;
    struct wfq turns;
    struct wfq_turn heap[NET_PORTS + 1];
    struct wfq_flow flow[NET_PORTS + 1];
    struct core_fifo waiting[NET_PORTS + 1];
};

struct core_port {
    struct core_fifo out; /* through, and not taken yet */
    uint32_t inside;      /* frames of this sender */
    uint32_t inward;      /* of `out`, from the uplink */
    uint64_t number;      /* of frames it sent */
    bool gone;
};

struct core {
    struct net_cfg cfg;
    struct net_ctl *ctl; /* its counts and groups */
    struct core_out out;
    uint32_t n_all; /* ports, with the uplink where there is one */
    uint32_t free;
    uint8_t *bytes; /* of frames, cfg.frame_max each */
    struct core_frame *frames;
    struct core_port port[NET_PORTS + 1];
    struct core_stage stage[CORE_NSTAGES];
    struct macs macs;
};

/* NULL: cfg is one that can be; else why not. Everything else relies on it. */
const char *core_refuses(const struct net_cfg *cfg);
/* Memory that it takes besides, all zeros, 16-aligned: the caller's. */
uint64_t core_bytes(const struct net_cfg *cfg);
void core_init(struct core *c, const struct net_cfg *cfg, struct net_ctl *ctl, struct core_out out,
               void *memory);
/* A message came in by that port. */
void core_in(struct core *c, uint32_t port, uint32_t cookie, const uint8_t *frame, uint32_t len, int64_t now);
/* When core_run has something to do; INT64_MAX: nothing is under way. */
int64_t core_due(const struct core *c);
/* Lets happen what was due until now, in order of time. */
void core_run(struct core *c, int64_t now);
/* The port takes frames again. */
void core_ready(struct core *c, uint32_t port);
/* Nobody is behind it any more: frames to it are dropped. */
void core_gone(struct core *c, uint32_t port);

/* --- core_stage.c, for core.c --- */
void core_stage_init(struct core *c);
/* Sends frame f on, from the hop it is at. */
void core_forward(struct core *c, uint32_t f, int64_t now);
/* --- core.c, for core_stage.c --- */
void core_arrive(struct core *c, uint32_t f);
void core_left(struct core *c, uint32_t f);
void core_count(struct net_count *n, const uint8_t *frame, uint32_t len);

#endif
