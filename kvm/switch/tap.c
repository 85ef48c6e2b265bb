// SPDX-License-Identifier: GPL-3.0-or-later
/* The kernel as the way out. Nat: frames go to a tap, the gateway; the kernel routes and masquerades (nft)
 * what is for a peer to a tun, where the switch reads it again and sees whose name it bears now. Bridge: the
 * kernel's bridge carries frames between the tap and another one, where the peers are. */
#include <errno.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <unistd.h>

#include "kvm/switch/switch.h"

#define BURST 64u

struct tap {
    struct uplink up;
    struct net_ctl *ctl;
    int near_fd, far_fd; /* towards the NICs, towards the peers */
    bool busy;
    uint8_t bytes[NET_FRAME_MAX + 1];
};

static uint32_t fill(struct uplink *up, struct pollfd *pf, int64_t *until)
{
    struct tap *t = (struct tap *)up;
    (void)until;
    pf[0] = (struct pollfd){.fd = t->near_fd, .events = (short)(POLLIN | (t->busy ? POLLOUT : 0))};
    pf[1] = (struct pollfd){.fd = t->far_fd, .events = POLLIN};
    return 2;
}

static void more(uint64_t *what)
{
    __atomic_store_n(what, *what + 1, __ATOMIC_RELAXED);
}

/* An IP packet for a peer. Behind nat it comes from the nat, or something is wrong. */
static void far_packet(struct tap *t, const uint8_t *ip, size_t len)
{
    const struct net_cfg *cfg = &t->ctl->cfg;
    if (len < NET_IP + NET_UDP || ip[0] != 0x45 || ip[9] != 17) return;
    if (cfg->uplink == NET_NAT && frame_be32(ip + 12) != cfg->outer)
        more(&t->ctl->bad);
    else
        peers_took(t->ctl, frame_be32(ip + 16), ip + NET_IP + NET_UDP, len - NET_IP - NET_UDP);
}

/* A frame on the peers' side of a bridge; those for others are flooded there too. */
static void far_frame(struct tap *t, const uint8_t *f, size_t len)
{
    const struct net_cfg *cfg = &t->ctl->cfg;
    if (len < NET_ETHER || frame_type(f) != NET_TYPE_IP4) return;
    for (uint32_t i = 0; i < cfg->n_peers; i++) {
        if (memcmp(f, cfg->peer[i].mac, NET_MAC) != 0) continue;
        far_packet(t, f + NET_ETHER, len - NET_ETHER);
        return;
    }
}

static void turn(struct uplink *up, struct hub *h, struct pollfd *pf, uint32_t n)
{
    struct tap *t = (struct tap *)up;
    ssize_t got;
    (void)n;
    /* What begins with 1 is multicast, by which the kernel's bridge speaks for itself: no station of ours. */
    t->busy = t->busy && !(pf[0].revents & POLLOUT);
    for (uint32_t i = 0; i < BURST && (got = read(t->near_fd, t->bytes, sizeof t->bytes)) > 0; i++)
        if (t->bytes[0] != 1) hub_from_uplink(h, t->bytes, (uint32_t)got);
    for (uint32_t i = 0; i < 8 * BURST && (got = read(t->far_fd, t->bytes, sizeof t->bytes)) > 0; i++)
        if (t->ctl->cfg.uplink == NET_NAT)
            far_packet(t, t->bytes, (size_t)got);
        else
            far_frame(t, t->bytes, (size_t)got);
}

static enum core_taken send_up(struct uplink *up, const uint8_t *frame, uint32_t len)
{
    struct tap *t = (struct tap *)up;
    if (write(t->near_fd, frame, len) >= 0 || errno != EAGAIN)
        return CORE_TAKEN; /* or dropped, by the kernel */
    t->busy = true;
    return CORE_BUSY;
}

static void masquerade(struct net_ctl *ctl)
{
    static const char rules[] = "table ip vlab {\n"
                                " chain out { type nat hook postrouting priority 100;\n"
                                "  oifname \"far\" masquerade\n  }\n"
                                " chain pass { type filter hook forward priority 0; policy drop;\n"
                                "  iifname \"near\" oifname \"far\" accept\n"
                                "  iifname \"far\" ct state established,related accept\n  }\n"
                                "}\n";
    struct nft_ctx *n = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!n) switch_fail(ctl, "nft: no memory");
    nft_ctx_buffer_error(n);
    if (nft_run_cmd_from_buffer(n, rules) != 0) switch_fail(ctl, "nft: %s", nft_ctx_get_error_buffer(n));
    nft_ctx_free(n);
}

struct uplink *tap_open(struct net_ctl *ctl)
{
    const struct net_cfg *cfg = &ctl->cfg;
    bool nat = cfg->uplink == NET_NAT;
    uint32_t mtu = cfg->frame_max - NET_ETHER;
    struct tap *t = switch_memory(ctl, sizeof *t);
    t->ctl = ctl;
    t->up = (struct uplink){.fill = fill, .turn = turn, .send = send_up};
    /* A kernel that speaks up by itself would be one more station. */
    ns_sysctl(ctl, "ipv6/conf/all/disable_ipv6", "1");
    ns_sysctl(ctl, "ipv6/conf/default/disable_ipv6", "1");
    t->near_fd = ns_tap(ctl, "near", true);
    t->far_fd = ns_tap(ctl, "far", !nat);
    ns_mtu(ctl, "near", mtu);
    ns_mtu(ctl, "far", mtu);
    if (nat) {
        ns_mac(ctl, "near", cfg->gateway_mac);
        ns_address(ctl, "near", cfg->gateway, 0xffffff00);
        ns_address(ctl, "far", cfg->outer, 0xffffff00);
        ns_sysctl(ctl, "ipv4/ip_forward", "1");
        masquerade(ctl);
    } else {
        ns_bridge(ctl, "bridge", "near", "far");
        ns_up(ctl, "bridge");
    }
    ns_up(ctl, "near");
    ns_up(ctl, "far");
    return &t->up;
}
