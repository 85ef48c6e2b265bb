// SPDX-License-Identifier: GPL-3.0-or-later
/* net.h - frames: from a VM through NICs, switches and nats to another VM or a peer.
 *
 * Frames. A send of B bytes is ceil(B / (mtu - 52)) frames, the last one shorter; mtu is the least of the
 * NICs passed, 1500 where there is none. A frame of p bytes of payload takes max(84, p + 52 + 38) bytes of
 * wire (IP 20, TCP 32 with time stamps, Ethernet 38): 1448 of 1538 at 1500, so two flows on 1 Gb/s get 470.7
 * Mb/s each.
 *
 * Links. Each direction of a NIC, and of a switch's port upwards, sends one frame at a time at its bandwidth,
 * VMs in turn by their weight (policy/wfq.h); then the frame is under way for the latency. A VM has at most
 * 256 frames on its way, and as many more as the latency holds; so nothing is lost at a link, and rates come
 * to weighted max-min over all links. Which links a way has: net_route.c. Who reaches whom: scenario/reach.h.
 * Frames between VMs of one host never meet a NIC where both use the same; host-only ones go at the network's
 * bandwidth, as memory is copied.
 *
 * CPU. A frame costs each end the packet_cost of the NIC it meets there, and its nat's rewrite: in modes bare
 * and container the task's own useful time; in the others the time of the host's I/O thread, which on a type
 * 2 host has its host_io for each frame too, while the vCPU pays one doorbell a send. bw = min(line, payload
 * * 8 / c_packet). At most rx_queue frames wait for that time at a receiver (one more counts as waiting while
 * it has it), the others are dropped. Prices are time on this host's cores as they are.
 *
 * Steps. A send is over when its last frame has left the NIC; inside a host, when it is delivered. A receive
 * takes frames that have come to the VM and that no earlier receive took, first come first served. A send
 * with no way to its receiver is refused: an event, its frames are drops, and the task goes on after 1 s, a
 * connection's time-out. nat gives each connection (a loop's task, or a request, to one receiver) a port
 * while it sends and for hold_ns after its last packet; with none free there is an event (once an instant and
 * VM), one drop, and a new try after 1 s.
 *
 * Books. A VM counts a frame when it has left and when it is delivered to it: both are in net.frames, bytes
 * and wire. A NIC counts what passed either way; a network, what crossed its switch (two that a frame crosses
 * count it both); a peer, what it got. Drops: at the receiver and its NIC where rx_queue was full; at the
 * sender and its network where it found no way or no port.
 *
 * Left out: congestion control, retransmission, errors on the line, answers of peers (they only receive).
 * Sources: IEEE 802.3 framing; RFC 7323; RFC 3022 for nat; Barham et al., SOSP 2003, table 6, for c_packet.
 */
#ifndef VLAB_MODEL_NET_H
#define VLAB_MODEL_NET_H

#include "model/inner.h"

void net_init(struct model *m);
void net_done(struct model *m);

enum net_said {
    NET_RUN,  /* the task runs *useful_ns, then *overhead_ns (a packet's price); then net_step again */
    NET_WAIT, /* guest_wake_task comes, or a timer of the task; then net_step again */
    NET_OVER  /* sent, received, or refused */
};
/* The task enters a net step (k->act). */
void net_begin(struct model *m, struct vm *vm, uint32_t task);
enum net_said net_step(struct model *m, struct vm *vm, uint32_t task, int64_t *useful_ns,
                       int64_t *overhead_ns);
/* The host's I/O thread has had its CPU time for this frame. */
void net_tx_job(struct model *m, uint64_t arg);
void net_rx_job(struct model *m, uint64_t arg);
/* The VM is on another host now (vm->host): its frames go other ways from here; those under way arrive. A
 * send that holds a nat's port keeps its old way to its end; the next one takes a port where the VM is then.
 */
void net_move(struct model *m, struct vm *vm);
/* Whether its network is on that host. */
bool net_reaches(const struct model *m, const struct vm *vm, uint32_t host);
/* It fails or is off: its sends are over, frames for it are dropped (its drops, and the NIC's), receives and
 * what nobody took yet are forgotten. Frames that it had handed over go on. One that begins later than the
 * run, or boots, is so from the start. */
void net_crash(struct model *m, struct vm *vm);
void net_up(struct model *m, struct vm *vm); /* it is up again */
/* A NIC (of scenario.nics) or a network goes down or comes back. Frames on it are dropped
 * (the sender's drops, and its network's), those on its wire when their time comes; a send whose way leads
 * across is refused (REC_WHY_LINK) as one without a way is, and so tried again by a loop. A
 * bulk transfer waits, and sends again what was lost. VMs of one host's bridge meet without its NIC, but not
 * without the network. */
void net_set_nic(struct model *m, uint32_t nic, bool up);
void net_set_network(struct model *m, uint32_t network, bool up);
/* Bulk transfer between hosts (migration): `bytes` leave by the first NIC of `from`, at no more than rate_bps
 * (bits of payload a second; 0: as fast as it goes), in turn with the guests' frames as a flow of the default
 * weight, and enter by the first NIC of `to`, in chunks of 64 KiB; where either host has none they take bytes
 * * 8 / rate, to the next whole ns. When the last is there, migrate_sent(m, arg) is called, in an event of
 * its own. The NICs' packet costs are paid by the hosts' I/O threads. An id. */
uint32_t net_bulk(struct model *m, struct mhost *from, struct mhost *to, int64_t bytes, int64_t rate_bps,
                  uint32_t arg);
/* It is given up: migrate_sent is not called. Bytes that were sent. */
int64_t net_bulk_cancel(struct model *m, uint32_t id);

/* Frames and bytes handed in are delivered, dropped or on their way, to the last one. -1: *why says what is
 * not so, malloc'ed. */
int net_check(const struct model *m, char **why);

#endif
