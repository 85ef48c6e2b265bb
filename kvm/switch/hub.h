// SPDX-License-Identifier: GPL-3.0-or-later
/* hub.h - a switch's I/O: frames between its ports' sockets, its uplink and the core, on CLOCK_MONOTONIC.
 *
 * One thread, no allocation after hub_init, bounded work a turn: at most HUB_BURST messages of a port, in
 * turn. Who does not read what it is told of its frames is not listened to until it does; who hangs up is
 * forgotten. */
#ifndef VLAB_KVM_SWITCH_HUB_H
#define VLAB_KVM_SWITCH_HUB_H

#include <poll.h>

#include "kvm/switch/core.h"

#define HUB_BURST      32u
#define HUB_UPLINK_FDS 300u

struct hub;

/* The way out. Frames from it come by hub_from_uplink, never from within `send`. */
struct uplink {
    /* Descriptors to wait for, at most HUB_UPLINK_FDS; *until: when it wants a turn at the latest. */
    uint32_t (*fill)(struct uplink *u, struct pollfd *pf, int64_t *until);
    void (*turn)(struct uplink *u, struct hub *h, struct pollfd *pf, uint32_t n);
    enum core_taken (*send)(struct uplink *u, const uint8_t *frame, uint32_t len);
};

struct hub_port {
    int fd;    /* -1: nobody is there */
    bool busy; /* its socket is full */
    uint32_t n_left;
    uint32_t left[2 * NET_QUEUE]; /* cookies to tell it of */
};

struct hub {
    struct core core;
    struct uplink *uplink;
    struct net_ctl *ctl;
    struct hub_port port[NET_PORTS];
    struct pollfd pf[NET_PORTS + HUB_UPLINK_FDS];
    uint8_t in[sizeof(struct net_msg) + NET_FRAME_MAX + 1];
};

/* Takes over the page's configuration and the ports' descriptors fds[0 .. n_ports - 1]. NULL, or why not. */
const char *hub_init(struct hub *h, struct net_ctl *ctl, const int *fds, struct uplink *uplink);
/* Waits for something to do, and does it. False: nobody is left on any port. */
bool hub_turn(struct hub *h);
/* A frame came down from the uplink. */
void hub_from_uplink(struct hub *h, const uint8_t *frame, uint32_t len);
int64_t hub_now(void);

#endif
