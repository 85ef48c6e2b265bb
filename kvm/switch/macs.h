// SPDX-License-Identifier: GPL-3.0-or-later
/* macs.h - which station is behind which port, as learnt from the frames it sends.
 *
 * The last frame decides, so a station that moves is found again. A station that was silent for MACS_AGE_NS
 * is forgotten. A port holds MACS_A_PORT stations at most, so nobody can fill the table for others: one more
 * is not learnt, and frames to it are flooded. A station that is pinned is where it is: it is neither
 * forgotten nor found elsewhere. O(1), a short probe; to learn at a port that is full, one pass over the
 * table. */
#ifndef VLAB_KVM_SWITCH_MACS_H
#define VLAB_KVM_SWITCH_MACS_H

#include <stdbool.h>

#include "kvm/net.h"

#define MACS_PLACES 2048u /* a power of two, twice as many as there can be stations */
#define MACS_A_PORT 7u
#define MACS_AGE_NS INT64_C(300000000000)
#define MACS_NONE   UINT32_MAX

struct macs_place {
    uint64_t mac; /* 0: free; MAC + 1 */
    int64_t seen_ns;
    uint32_t port;
};

struct macs { /* all 0 to begin with */
    struct macs_place places[MACS_PLACES];
    uint32_t n[NET_PORTS + 1]; /* of each port */
};
_Static_assert((NET_PORTS + 1) * MACS_A_PORT + NET_PEERS + 1 <= MACS_PLACES / 2, "probes stay short");

/* It is behind that port, for good: of every NIC one at most, of the uplink as many as there are peers. */
void macs_pin(struct macs *m, const uint8_t *mac, uint32_t port);
/* The port that it is pinned to; MACS_NONE: it is not. */
uint32_t macs_pinned(const struct macs *m, const uint8_t *mac);
/* A frame of `mac` came in by that port. True: it was not known there. */
bool macs_learn(struct macs *m, const uint8_t *mac, uint32_t port, int64_t now);
/* MACS_NONE: not known. */
uint32_t macs_find(struct macs *m, const uint8_t *mac, int64_t now);

#endif
