// SPDX-License-Identifier: GPL-3.0-or-later
/* frame.h - whether bytes that somebody sent are an Ethernet frame, and what is in it. Pure; reads no byte
 * beyond `len`. */
#ifndef VLAB_KVM_SWITCH_FRAME_H
#define VLAB_KVM_SWITCH_FRAME_H

#include <stdbool.h>
#include <string.h>

#include "kvm/net.h"

enum frame_fault {
    FRAME_OK,
    FRAME_SHORT,  /* no room for the headers it says it has */
    FRAME_LONG,   /* over `max` */
    FRAME_SOURCE, /* sent by a group of stations, or by nobody (all zeros) */
    FRAME_TYPE,   /* neither IPv4 nor IPv6 nor ARP: VLAN tags, lengths, control frames */
    FRAME_IP      /* an IPv4 header that contradicts itself or the frame */
};

enum frame_fault frame_check(const uint8_t *f, uint32_t len, uint32_t max);
/* Of a frame that is fine: bytes of payload, if it is one of a payload's (net_head); else 0. */
uint32_t frame_payload(const uint8_t *f, uint32_t len);
/* Its net_head; false: it is no payload's. */
bool frame_head(const uint8_t *f, uint32_t len, struct net_head *head);

static inline uint32_t frame_type(const uint8_t *f)
{
    return (uint32_t)f[12] << 8 | f[13];
}
static inline bool frame_to_group(const uint8_t *f) /* broadcast and multicast */
{
    return f[0] & 1;
}
static inline uint32_t frame_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline void frame_put_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

#define FRAME_ARP_BYTES 42u

/* Whether it is an ARP request for an IPv4 address; which. */
bool frame_asks_for(const uint8_t *f, uint32_t len, uint32_t *ip);
/* An ARP answer to that request: `ip` is at `mac`. FRAME_ARP_BYTES are written. */
void frame_answer(const uint8_t *request, uint32_t ip, const uint8_t *mac, uint8_t *answer);

#endif
