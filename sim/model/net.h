// SPDX-License-Identifier: GPL-3.0-or-later
/* net.h - frames: from a VM or peer through NICs and networks to another.
 *
 * A frame carries at most mtu - 52 bytes of payload and takes 38 bytes more on the wire than its IP packet
 * (1448 of 1538 at 1500). A NIC sends one frame at a time, its senders in turn by weight (deficit round
 * robin); what it receives waits for the CPU time of a packet, at most rx_queue of them. host-only traffic
 * never meets a NIC; nat shares the host's identity and rewrites each packet; a bridge has its own. */
#ifndef VLAB_MODEL_NET_H
#define VLAB_MODEL_NET_H

#include "model/inner.h"

void net_init(struct model *m);
void net_done(struct model *m);

enum net_said {
    NET_RUN,  /* the task runs *useful_ns, then *overhead_ns (a packet's price); then net_step again */
    NET_WAIT, /* guest_wake_task comes; then net_step again */
    NET_OVER  /* sent, received, or refused */
};
/* The task enters a net step (k->act). */
void net_begin(struct model *m, struct vm *vm, uint32_t task);
enum net_said net_step(struct model *m, struct vm *vm, uint32_t task, int64_t *useful_ns,
                       int64_t *overhead_ns);
void net_tx_job(struct model *m, uint64_t arg);
void net_rx_job(struct model *m, uint64_t arg);

#endif
