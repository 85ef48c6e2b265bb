// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/switch/frame.h"

#define ARP_REQUEST 1
#define ARP_ANSWER  2

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static enum frame_fault check_ip4(const uint8_t *ip, uint32_t len)
{
    if (len < NET_IP) return FRAME_SHORT;
    uint32_t header = (ip[0] & 15u) * 4, total = be16(ip + 2);
    if (ip[0] >> 4 != 4 || header < NET_IP) return FRAME_IP;
    return total < header || total > len ? FRAME_IP : FRAME_OK;
}

enum frame_fault frame_check(const uint8_t *f, uint32_t len, uint32_t max)
{
    static const uint8_t nobody[NET_MAC];
    if (len < NET_ETHER) return FRAME_SHORT;
    if (len > max) return FRAME_LONG;
    if ((f[6] & 1) || memcmp(f + 6, nobody, NET_MAC) == 0) return FRAME_SOURCE;
    switch (frame_type(f)) {
    case NET_TYPE_IP4: return check_ip4(f + NET_ETHER, len - NET_ETHER);
    case NET_TYPE_IP6: return len < NET_ETHER + 40 ? FRAME_SHORT : FRAME_OK;
    case NET_TYPE_ARP: return len < FRAME_ARP_BYTES ? FRAME_SHORT : FRAME_OK;
    default: return FRAME_TYPE;
    }
}

bool frame_head(const uint8_t *f, uint32_t len, struct net_head *head)
{
    /* A payload's IP header has no options and is no fragment. */
    if (len < NET_OVERHEAD || frame_type(f) != NET_TYPE_IP4 || f[NET_ETHER] != 0x45) return false;
    if (f[NET_ETHER + 9] != 17 || (be16(f + NET_ETHER + 6) & 0x3fff) != 0) return false;
    memcpy(head, f + NET_OVERHEAD - sizeof *head, sizeof *head);
    return head->magic == NET_MAGIC && head->payload <= len - NET_OVERHEAD;
}

uint32_t frame_payload(const uint8_t *f, uint32_t len)
{
    struct net_head h;
    return frame_head(f, len, &h) ? h.payload : 0;
}

/* --- ARP: who has an IPv4 address --- */

static void arp(uint8_t *f, uint16_t what, const uint8_t *from, uint32_t from_ip, const uint8_t *to,
                uint32_t to_ip)
{
    static const uint8_t ether_ip4[] = {0, 1, 8, 0, 6, 4, 0};
    memcpy(f, to, NET_MAC);
    memcpy(f + 6, from, NET_MAC);
    f[12] = NET_TYPE_ARP >> 8;
    f[13] = NET_TYPE_ARP & 255;
    memcpy(f + 14, ether_ip4, sizeof ether_ip4);
    f[21] = (uint8_t)what;
    memcpy(f + 22, from, NET_MAC);
    frame_put_be32(f + 28, from_ip);
    memcpy(f + 32, to, NET_MAC);
    frame_put_be32(f + 38, to_ip);
}

bool frame_asks_for(const uint8_t *f, uint32_t len, uint32_t *ip)
{
    if (len < FRAME_ARP_BYTES || frame_type(f) != NET_TYPE_ARP || be16(f + 20) != ARP_REQUEST) return false;
    *ip = frame_be32(f + 38);
    return be16(f + 14) == 1 && be16(f + 16) == NET_TYPE_IP4 && f[18] == NET_MAC && f[19] == 4;
}

void frame_answer(const uint8_t *request, uint32_t ip, const uint8_t *mac, uint8_t *answer)
{
    arp(answer, ARP_ANSWER, mac, ip, request + 22, frame_be32(request + 28));
}
