// SPDX-License-Identifier: GPL-3.0-or-later
/* reach.h - who can send to whom, decided by the networks' kinds alone: the metric net.reach.NAME.
 *
 * Endpoints are numbered as in a net step: the VMs 0 .. n_vms - 1, then the peers. A network is a switch:
 *
 *   bridge     the switch its NICs are plugged into. Each VM is a machine of its own there. Bridges with the
 *              same uplink, or where one is the other's uplink, are one LAN.
 *   nat        inside each host a network of its own. Its VMs go out under their host's identity, and are
 * reached from elsewhere only by a forward rule. Its NIC is on the LAN of the first bridge (by name) that
 *              uses the same NIC; without one, of the first nat that does, whose name then stands for the
 *              switch behind the NIC: peers `on` that nat hang on it, and its uplink is the switch's.
 *   host-only  inside each host a network of its own, and no way out.
 *
 * A peer is a machine outside all hosts, plugged into a switch or `outside`. Every LAN leads to the outside,
 * the outside leads nowhere else: two LANs do not meet there.
 *
 *   from \ to        same network,  bridged VM,  LAN peer,  outside  nat VM            host-only VM
 *                    same host      same LAN     same LAN
 *   bridged VM       yes            yes          yes        yes      by forward, LAN   no
 *   nat VM           yes            yes          yes        yes      by forward, LAN   no
 *   host-only VM     yes            no           no         no       no                no
 *   LAN peer         -              yes          yes        yes      by forward, LAN   no
 *   outside          -              yes          yes        yes      by forward        no
 *   VM without NIC   -              no           no         no       no                no
 *
 * "LAN": its host's NIC must be on the sender's LAN. A VM whose network does not come to its host has no NIC.
 * An endpoint reaches itself, unless it has no NIC. No state; each call costs O(networks + NICs of a
 * network). */
#ifndef VLAB_SCENARIO_REACH_H
#define VLAB_SCENARIO_REACH_H

#include "base/rec.h"
#include "scenario/scenario.h"

/* REC_WHY_NONE: from can send to to. Else the first of these that holds: REC_WHY_NO_NIC, REC_WHY_NO_ROUTE
 * (the networks do not meet), REC_WHY_NO_FORWARD. */
enum rec_why reach_why(const struct scenario *sc, uint32_t from, uint32_t to);
static inline bool reach_between(const struct scenario *sc, uint32_t from, uint32_t to)
{
    return reach_why(sc, from, to) == REC_WHY_NONE;
}

/* --- where a VM or peer is plugged in: for whoever carries the frames --- */

/* The host's NIC that a VM's network uses: index into sc->nics; SC_NONE: host-only, or not plugged. */
uint32_t reach_nic(const struct scenario *sc, uint32_t vm);
/* The switch beyond that NIC, or that a peer hangs on: index into sc->networks; SC_NONE: outside, or no NIC.
 */
uint32_t reach_switch(const struct scenario *sc, uint32_t endpoint);
/* The switch above this one; SC_NONE: it is the topmost (what is above it is a plain switch, or the outside).
 */
uint32_t reach_above(const struct scenario *sc, uint32_t network);
/* Whether both VMs are on one host and meet there before any NIC: on the same network, or (bridge, nat) on
 * networks that use the same NIC. */
bool reach_inside(const struct scenario *sc, uint32_t a, uint32_t b);

#endif
