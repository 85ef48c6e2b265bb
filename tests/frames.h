// SPDX-License-Identifier: GPL-3.0-or-later
/* frames.h - Ethernet frames as a payload makes them, for tests of the switch. */
#ifndef VLAB_TESTS_FRAMES_H
#define VLAB_TESTS_FRAMES_H

#include <stdbool.h>
#include <string.h>

#include "kvm/net.h"

static const uint8_t frames_all[NET_MAC] = {255, 255, 255, 255, 255, 255};

static inline void frames_mac(uint8_t *mac, uint8_t station)
{
    memcpy(mac, (const uint8_t[]){2, 0x76, 0x6c, 0, 0, station}, NET_MAC);
}

static inline void frames_put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* With its checksum. */
static inline void frames_ip(uint8_t *ip, uint32_t total, uint32_t from, uint32_t to)
{
    uint32_t sum = 0;
    memset(ip, 0, NET_IP);
    ip[0] = 0x45;
    ip[2] = (uint8_t)(total >> 8);
    ip[3] = (uint8_t)total;
    ip[8] = 64;
    ip[9] = 17;
    frames_put32(ip + 12, from);
    frames_put32(ip + 16, to);
    for (unsigned i = 0; i < NET_IP; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
}

/* A payload's frame of p bytes from one station to another; its length. buf: p + NET_OVERHEAD. */
static inline uint32_t frames_make(uint8_t *buf, const uint8_t *to, const uint8_t *from, uint32_t from_ip,
                                   uint32_t to_ip, uint32_t p, uint64_t number)
{
    struct net_head h = {.magic = NET_MAGIC, .payload = p, .number = number};
    memset(buf, 0, p + NET_OVERHEAD);
    memcpy(buf, to, NET_MAC);
    memcpy(buf + NET_MAC, from, NET_MAC);
    buf[12] = 8;
    frames_ip(buf + NET_ETHER, p + NET_OVERHEAD - NET_ETHER, from_ip, to_ip);
    uint8_t *udp = buf + NET_ETHER + NET_IP;
    uint32_t bytes = p + NET_OVERHEAD - NET_ETHER - NET_IP;
    udp[0] = udp[2] = NET_UDP_PORT >> 8;
    udp[1] = udp[3] = NET_UDP_PORT & 255;
    udp[4] = (uint8_t)(bytes >> 8);
    udp[5] = (uint8_t)bytes;
    memcpy(udp + NET_UDP, &h, sizeof h);
    return p + NET_OVERHEAD;
}

static inline uint32_t frames_between(uint8_t *buf, uint8_t to, uint8_t from, uint32_t p, uint64_t number)
{
    uint8_t a[NET_MAC], b[NET_MAC];
    frames_mac(a, to);
    frames_mac(b, from);
    return frames_make(buf, a, b, 0x0a000000u + from, 0x0a000000u + to, p, number);
}

/* n ports, whose stations are 1 .. n, known or (learns) to be learnt. */
static inline struct net_cfg frames_cfg(uint32_t n, bool learns)
{
    struct net_cfg c = {.n_ports = n, .frame_max = 1514, .rx_queue = 256};
    for (uint32_t i = 0; i < n; i++) {
        c.port[i] = (struct net_port_cfg){.weight = 1000, .ip = 0x0a000001u + i};
        if (!learns) frames_mac(c.port[i].mac, (uint8_t)(i + 1));
    }
    return c;
}

#endif
