// SPDX-License-Identifier: GPL-3.0-or-later
/* switch.h - the process around a hub: where it is shut in, and its ways out. Nothing leaves the machine: a
 * switch is in a network namespace of its own, which holds its taps and loopback only and is gone with it. */
#ifndef VLAB_KVM_SWITCH_SWITCH_H
#define VLAB_KVM_SWITCH_SWITCH_H

#include "kvm/switch/hub.h"

/* All of these end the process by switch_fail where they cannot do what they say. */

/* main.c: leaves the reason for the runner and ends the process. */
_Noreturn __attribute__((format(printf, 2, 3))) void switch_fail(struct net_ctl *ctl, const char *fmt, ...);

/* main.c: memory for good, all zeros. */
void *switch_memory(struct net_ctl *ctl, size_t bytes);

/* ns.c: enters a namespace of its own; needs root, or a kernel that gives users namespaces. */
void ns_enter(struct net_ctl *ctl);
/* Interfaces in it: an address with a /24, up; a MAC; a bridge and its ports; addresses of loopback. */
void ns_up(struct net_ctl *ctl, const char *name);
void ns_address(struct net_ctl *ctl, const char *name, uint32_t ip, uint32_t mask);
void ns_mac(struct net_ctl *ctl, const char *name, const uint8_t *mac);
void ns_mtu(struct net_ctl *ctl, const char *name, uint32_t mtu);
void ns_bridge(struct net_ctl *ctl, const char *name, const char *port0, const char *port1);
/* A tap (frames) or a tun (IP packets) of that name: its descriptor. */
int ns_tap(struct net_ctl *ctl, const char *name, bool frames);
/* Writes a word to a file of /proc/sys/net, which is the namespace's. */
void ns_sysctl(struct net_ctl *ctl, const char *path, const char *value);

/* sandbox.c: gives up everything but what frames need. `slirp`: it opens sockets of its own. */
void sandbox_enter(struct net_ctl *ctl, bool slirp);

/* usernat.c: nat by libslirp, which speaks to the namespace's loopback; peers are sockets there. */
struct uplink *usernat_open(struct net_ctl *ctl);
/* tap.c: nat by the kernel, between a tap and a tun; and a bridge of two taps. What comes out at the far end
 * the switch reads itself, for the peers. */
struct uplink *tap_open(struct net_ctl *ctl);

/* peers.c: a datagram (from its net_head on) came to that peer. False: it is none. */
bool peers_took(struct net_ctl *ctl, uint32_t ip, const uint8_t *data, size_t len);

#endif
