// SPDX-License-Identifier: GPL-3.0-or-later
/* net.h - what a network's switch, its runner and the VMMs plugged into it agree on.
 *
 * Each network of a scenario has a process of its own, vlab-switch. The runner starts it with a page that the
 * two share (struct net_ctl) and one end of a SEQPACKET pair for each NIC; the VMM has the other end. One
 * message is one frame, or one report:
 *
 *     VMM to switch    struct net_msg {NET_FRAME, cookie}, then the frame from its destination MAC on
 *     switch to VMM    struct net_msg {NET_FRAME, 0}, then the frame
 *                      struct net_msg {NET_LEFT, n}, then n cookies (uint32_t): these frames have left the
 *                      NIC; on a way that stays inside the host: they are delivered; or they were dropped
 *
 * A VMM keeps no more than NET_WINDOW frames on their way, those without a NET_LEFT yet; the switch drops
 * what is more than its queue. A cookie is the sender's own business. Nobody trusts what the other says.
 *
 * A frame of p bytes of payload is p + 66 bytes long: Ethernet 14, IPv4 20, UDP 8, and 24 of struct
 * net_head, so that headers inside the MTU are the 52 bytes that the simulator counts (IP 20, TCP 32). On a
 * wire it takes 24 more (checksum, preamble, gap). */
#ifndef VLAB_KVM_NET_H
#define VLAB_KVM_NET_H

#include <stdint.h>

#define NET_MAGIC     0x3154454eu /* "NET1" */
#define NET_PORTS     128u        /* NICs on one network */
#define NET_PEERS     32u
#define NET_WINDOW    256u  /* frames of a VM on their way */
#define NET_QUEUE     512u  /* frames of one sender inside the switch */
#define NET_FRAME_MAX 9014u /* MTU 9000 */
#define NET_LEFT_MAX  64u   /* cookies in one report */
#define NET_TEXT      240
#define NET_UDP_PORT  4789 /* of payloads and peers, both ends */

/* --- messages --- */

enum net_kind { NET_FRAME = 1, NET_LEFT };

struct net_msg {
    uint32_t kind; /* enum net_kind */
    uint32_t n;    /* NET_FRAME: its cookie; NET_LEFT: how many follow */
};

/* --- frames --- */

#define NET_MAC      6u
#define NET_ETHER    14u
#define NET_IP       20u
#define NET_UDP      8u
#define NET_OVERHEAD (NET_ETHER + NET_IP + NET_UDP + (uint32_t)sizeof(struct net_head)) /* 66 */
#define NET_ON_WIRE  24u /* beside what a frame holds */
#define NET_IN_MTU   52u

#define NET_TYPE_IP4 0x0800u
#define NET_TYPE_ARP 0x0806u
#define NET_TYPE_IP6 0x86ddu

/* After UDP's header; the payload follows. Numbers as the sender's processor has them. */
struct net_head {
    uint32_t magic;   /* NET_MAGIC */
    uint32_t payload; /* bytes that follow */
    uint32_t from;    /* endpoint: a VM of the scenario */
    uint32_t to;      /* endpoint: a VM or a peer */
    uint64_t number;  /* of the sender's frames, from 0 */
};
_Static_assert(sizeof(struct net_head) == 24, "with IP and UDP 52 bytes");

/* --- the page a switch shares with its runner --- */

enum net_uplink {
    NET_NO_UPLINK, /* nothing but its VMs: host-only, or nobody outside is sent to */
    NET_SLIRP,     /* nat by libslirp */
    NET_NAT,       /* nat by a tap and nft */
    NET_BRIDGE     /* a tap on a bridge */
};

struct net_link {
    int64_t bps; /* 0: no bound */
    int64_t latency_ns;
};

struct net_port_cfg {
    uint8_t mac[NET_MAC]; /* all it may send as, and who is there; all zeros: whoever is learnt */
    uint8_t pad[2];
    uint32_t ip; /* as a number: 10.0.2.15 is 0x0a00020f */
    uint32_t weight;
};

struct net_peer_cfg {     /* a machine behind the uplink, which takes what comes and never answers */
    uint8_t mac[NET_MAC]; /* of a bridge's; behind nat it is the gateway that a NIC sees */
    uint8_t pad[2];
    uint32_t ip;
};

struct net_cfg {
    uint32_t uplink;  /* enum net_uplink */
    uint32_t n_ports; /* 1 .. NET_PORTS */
    uint32_t n_peers; /* up to NET_PEERS; sinks behind the uplink */
    uint32_t pad3;
    uint32_t frame_max;     /* bytes: MTU + 14 */
    uint32_t rx_queue;      /* frames that may wait for a receiver */
    struct net_link nic;    /* between the host and what is beyond it, each way */
    struct net_link fabric; /* across the switch; its bps: of the copy, host-only */
    struct net_link up;     /* its port upwards, each way */
    uint32_t loss_ppm;
    uint32_t pad;
    uint64_t loss_key; /* of a stream a sender (base/rng.h) */
    uint32_t gateway;  /* of nat: its address inside, in a /24 with those of the NICs; its MAC is: */
    uint8_t gateway_mac[NET_MAC];
    uint8_t pad2[2];
    uint32_t outer; /* of nat: who it is to the peers, in a /24 with theirs */
    uint32_t pad4;
    struct net_port_cfg port[NET_PORTS];
    struct net_peer_cfg peer[NET_PEERS];
};

/* Written by the switch alone, read whenever one likes. They only grow. */
struct net_count {
    uint64_t frames, bytes, wire; /* bytes: payload */
    uint64_t drops;
};

enum net_state { NET_STARTING, NET_READY, NET_FAILED };

struct net_ctl {
    uint32_t magic;
    int32_t runner;     /* its process id: a switch without it ends */
    struct net_cfg cfg; /* read once, at the beginning */
    uint32_t state;     /* switch: enum net_state (release); `text` says why it failed */
    char text[NET_TEXT];
    /* Runner, at any time: NICs of different groups do not reach each other; the uplink is of group 0. */
    uint32_t group[NET_PORTS];
    int64_t until_ns;         /* CLOCK_MONOTONIC: what passes from then on is not counted; 0: all is */
    int64_t up_ns[NET_PORTS]; /* CLOCK_MONOTONIC: what comes to a NIC before, its VM not being there, is
                                 dropped */
    /* Switch. */
    struct net_count sent[NET_PORTS], got[NET_PORTS]; /* drops: of its own; at it */
    struct net_count nic, fabric;
    struct net_count peer[NET_PEERS];
    uint64_t bad; /* messages that are no frame, or not one that its port may send */
    uint64_t flooded, learned;
};

/* Descriptors a switch is started with; then its ports' ends. */
enum net_fd { NET_FD_CTL = 3, NET_FD_PORTS };

#endif
