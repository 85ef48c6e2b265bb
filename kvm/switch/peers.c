// SPDX-License-Identifier: GPL-3.0-or-later
/* Machines behind the uplink: they take what comes, and count it. */
#include "kvm/switch/switch.h"

static void more(uint64_t *what, uint64_t n)
{
    __atomic_store_n(what, *what + n, __ATOMIC_RELAXED);
}

bool peers_took(struct net_ctl *ctl, uint32_t ip, const uint8_t *data, size_t len)
{
    struct net_head h;
    if (len < sizeof h) return false;
    memcpy(&h, data, sizeof h);
    if (h.magic != NET_MAGIC || h.payload > len - sizeof h) return false;
    for (uint32_t i = 0; i < ctl->cfg.n_peers; i++) {
        if (ctl->cfg.peer[i].ip != ip) continue;
        more(&ctl->peer[i].frames, 1);
        more(&ctl->peer[i].bytes, h.payload);
        more(&ctl->peer[i].wire, (uint64_t)h.payload + NET_OVERHEAD + NET_ON_WIRE);
        return true;
    }
    return false;
}
