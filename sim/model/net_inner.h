// SPDX-License-Identifier: GPL-3.0-or-later
/* net_inner.h - the network's own state, shared by net.c and the net_*.c files and by nobody else.
 *
 * A frame's way is a route: hops through stages. A stage is one direction of something a frame passes: a
 * NIC's sending or receiving side, a switch, its port up or down, a host's memory copy. It sends one frame at
 * a time at its bandwidth, senders in turn by weight (policy/wfq.h), then the frame is on its way for the
 * latency, in order. A stage without bandwidth or without latency lets frames through at once. At most two
 * events are pending a stage, however many frames are in it. */
#ifndef VLAB_MODEL_NET_INNER_H
#define VLAB_MODEL_NET_INNER_H

#include "model/inner.h"
#include "model/net_map.h"
#include "policy/wfq.h"

#define NET_HEADERS    52    /* IP 20, TCP 32 with time stamps: in the MTU */
#define NET_FRAMING    38    /* Ethernet 14, checksum 4, preamble 8, gap 12: beside the MTU */
#define NET_MTU        1500  /* where no NIC says otherwise */
#define NET_WINDOW     256   /* frames a VM may have on its way, and what fills the latency besides */
#define NET_WINDOW_MAX 65536 /* where nothing on the way has a bandwidth to fill */
#define NET_RETRY_NS   INT64_C(1000000000)

struct net_frame {
    int64_t at_ns;  /* when its latency is over */
    uint32_t next;  /* in whatever queue it is */
    uint32_t route; /* NONE: it is free */
    uint32_t task;  /* whose step sends it */
    uint32_t payload, wire;
    uint32_t frames; /* a bulk transfer's: so many in one */
    uint32_t life;   /* of its sender's, when it was handed over: is it another by now, no step asks for it */
    uint16_t hop;
    bool lost; /* what it is on has gone down */
};

struct net_fifo { /* of frames or tasks, linked by their `next` */
    uint32_t head, tail;
};

struct net_stage {
    int64_t bps, latency_ns; /* 0: none */
    uint32_t dev;            /* the device whose book counts what passes; NONE: none */
    uint32_t serving;        /* the frame it sends; NONE: none */
    int64_t rest;            /* of the last frame's time, what did not fill a ns, times bps */
    struct net_fifo air;     /* frames in its latency */
    bool armed;              /* the event of the first of them is pending */
    bool down, lost;         /* it has failed; while it sent a frame */
    struct wfq turns;
    uint32_t n_flows, cap_flows;
};

struct net_flow { /* a sender at a stage */
    struct wfq_flow turn;
    struct net_fifo waiting;
};

struct net_hop {
    uint32_t stage, flow;
};

struct net_route {
    uint32_t from, to; /* endpoints */
    uint32_t first_hop, n_hops;
    uint32_t payload; /* the most of a frame */
    uint32_t window;
    int64_t tx_ps, rx_ps; /* CPU time of a frame */
    uint32_t nic;  /* the receiver's, whose rx_queue bounds what waits for that time; NONE: none does */
    uint32_t pool; /* of nat ports that it takes one of; NONE: none */
    uint8_t why;   /* enum rec_why, if there is no way */
    bool inside;   /* meets no NIC: sent when it is delivered */
    bool bulk;     /* of a transfer between hosts: `from` is its number */
    bool stale;    /* one of its ends has moved since */
};

enum net_phase { NET_BELL, NET_OPEN, NET_GO, NET_PAID, NET_FLY, NET_GIVEN_UP, NET_TAKE };

struct net_step {  /* of a task: what it is in, or was in last */
    int64_t bytes; /* send: not handed over yet */
    int64_t out;   /* send: frames handed over that have not left the NIC */
    int64_t need;  /* receive: frames */
    uint32_t route, conn;
    uint32_t next; /* in its VM's list */
    uint8_t phase; /* enum net_phase */
    bool listed;   /* in its VM's list */
    bool waiting;  /* net_step has said so */
};

struct net_vm {
    struct net_step *steps; /* by task */
    uint32_t n_steps;
    uint32_t on_way;           /* its frames handed over and not arrived */
    struct net_fifo sending;   /* tasks with a frame to hand over, in turn */
    struct net_fifo receiving; /* tasks that wait for frames */
    int64_t unread;            /* frames that came and no task took */
    int64_t unread_ps;         /* CPU time that whoever takes them has to pay for them */
    int64_t rest_ps;           /* of prices, what does not fill a ns yet */
    int64_t full_at;           /* when it last said that all ports are taken; -1: never */
    bool pays; /* bare, container: its own vCPUs pay a frame's CPU time, not the host's thread */
    bool pumping;
    uint32_t life; /* counts how often it failed */
    bool down;     /* it has, and is not up again: frames for it are dropped */
};

struct net_request {
    uint64_t task, iter; /* as in struct prog_task */
};

struct net_conn { /* of a task of a nat VM to one receiver */
    uint64_t key;
    struct net_request of;
    int64_t last_ns;     /* its last packet's time */
    uint32_t prev, next; /* in its pool's list of those not in use, the longest first */
    bool busy;
    bool ended; /* no longer its key's: it only holds its port */
};

struct net_pool { /* a nat network's ports at one host */
    uint32_t ports, used;
    struct net_fifo idle;
    int64_t hold_ns;
};

#define NET_WOKEN_MAX 65536u
struct net_who { /* a task */
    uint32_t vm, task;
};

struct net {
    struct model *m;
    struct net_stage *stages;
    uint32_t n_stages;
    uint32_t *first_stage; /* by network: across, up, down; of a host-only one, one a host */
    uint32_t *first_pool;  /* by network; of its NICs in order */
    struct net_vm *vms;
    struct net_route *routes;
    uint32_t n_routes, cap_routes;
    struct net_hop *hops;
    uint32_t n_hops, cap_hops;
    struct net_flow *flows;
    uint32_t n_flows, cap_flows;
    struct net_map route_of, flow_of, conn_of; /* from << 32 | to, stage << 32 | VM, route << 32 | task */
    struct net_pool *pools;
    struct net_conn *conns;
    uint32_t n_conns, cap_conns, free_conn;
    struct net_frame *frames;
    uint32_t n_frames, cap_frames, free_frame;
    uint32_t *rx_waiting;  /* by NIC: frames that wait for the I/O thread, or are at it */
    struct net_who *woken; /* to be woken when the handler is over */
    uint32_t n_woken, cap_woken;
    struct mhost **touched; /* hosts to settle then */
    uint32_t n_touched, cap_touched;
    bool *is_touched;
    bool handling; /* one of the network's own events is being handled */
    bool flush_armed;
    int64_t crowded_ns; /* when more than NET_WOKEN_MAX were woken within one handler */
    /* Where VMs move: the scenario as it is now, and a new number for an end each time it moves. */
    struct scenario now;
    struct sc_vm *own_vms; /* NULL: nobody moves */
    uint32_t *end_of, n_ends;
    struct net_bulk *bulks;
    uint32_t n_bulks, cap_bulks, free_bulk;
    uint32_t ev_sent, ev_came, ev_flush, ev_bulk;
    int64_t handed, delivered, dropped;                   /* frames */
    int64_t handed_bytes, delivered_bytes, dropped_bytes; /* payload */
};

/* The array v has room for one thing more than its n. */
void *net_more(void *v, uint32_t *cap, size_t size);
#define net_grow(v, n, cap) ((n) < (cap) ? (v) : ((v) = net_more((v), &(cap), sizeof *(v))))

/* --- net_route.c --- */
void net_route_init(struct net *net);
uint32_t net_route_of(struct net *net, uint32_t from, uint32_t to);

/* Between two NICs, for transfer number `bulk`. */
uint32_t net_route_bulk(struct net *net, uint32_t nic_a, uint32_t nic_b, uint32_t bulk);

/* --- net_life.c --- */
/* The frame is lost on its way; left: its sender has been told that it is gone. */
void net_lose(struct net *net, uint32_t frame, bool left);
/* Something on the route is down. */
bool net_is_cut(const struct net *net, const struct net_route *r);

/* --- net_bulk.c --- */
void net_on_bulk(void *net, uint32_t bulk);
void net_bulk_lost(struct net *net, uint32_t frame);
void net_bulk_came(struct net *net, uint32_t frame);
void net_bulk_go_on(struct net *net); /* something is up again */
int64_t net_bulk_on_way(const struct net *net);

/* --- net_nat.c --- */
/* A port for the task's connection along this route, until net_nat_over; NONE: all are taken. */
uint32_t net_nat_begin(struct net *net, uint32_t route, uint32_t task);
void net_nat_over(struct net *net, uint32_t route, uint32_t conn);

/* --- net_nic.c --- */
/* A frame of so much payload for the task's step, at the beginning of its route. */
uint32_t net_frame_new(struct net *net, uint32_t route, uint32_t task, uint32_t payload);
void net_frame_free(struct net *net, uint32_t frame);
/* Sends a frame on, from the hop it is at. */
void net_forward(struct net *net, uint32_t frame);
void net_on_sent(void *net, uint32_t stage);
void net_on_came(void *net, uint32_t stage);

/* --- net_rx.c --- */
/* The frame is through its last hop. */
void net_arrive(struct net *net, uint32_t frame);
/* A receive step goes on: an enum net_said. */
int net_take(struct net *net, uint32_t vm, uint32_t task, int64_t *useful_ns);

/* --- net_tx.c --- */
/* A send step goes on: an enum net_said. */
int net_send(struct net *net, uint32_t vm, uint32_t task, int64_t *useful_ns, int64_t *overhead_ns);
/* Frames that the VM could not send, or that were lost. */
void net_count_drops(struct net *net, uint32_t vm, int64_t n);
/* The frame has left its sender. */
void net_left(struct net *net, uint32_t frame);
/* One of the VM's frames is no longer on its way. */
void net_room(struct net *net, uint32_t vm);

/* --- net.c --- */
/* The task, which waits, is woken at the end of the handler. */
void net_wake(struct net *net, uint32_t vm, uint32_t task);
/* A host whose run queues have changed is settled then. */
void net_touch(struct net *net, struct mhost *h);
/* Around each handler of the network's own events. */
void net_enter(struct net *net);
void net_leave(struct net *net);
/* ps of price in ns, the rest kept for next time. */
static inline int64_t net_price_ns(struct net_vm *v, int64_t ps)
{
    if (ps == 0) return 0;
    ps += v->rest_ps;
    v->rest_ps = ps % 1000;
    return ps / 1000;
}

#endif
