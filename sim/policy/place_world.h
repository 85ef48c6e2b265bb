// SPDX-License-Identifier: GPL-3.0-or-later
/* place_world.h - a cluster to try things on: VMs are put on hosts by first-fit decreasing, and taken back.
 *
 * What admission (place_survive.c) and consolidation (place_empty.c) share. Hosts keep their residents; a VM
 * that is put somewhere is there besides, until place_world_undo. The first host that has room is found by a
 * tree of maxima over the hosts, so full ones cost nothing: O(log n), where resources do not conspire (a
 * subtree may have CPU on one host and memory on another). All in one block that the caller owns. */
#ifndef VLAB_POLICY_PLACE_WORLD_H
#define VLAB_POLICY_PLACE_WORLD_H

#include "policy/place_class.h"

struct place_world {
    const struct place_host *hosts;
    const struct place_vm *vms;
    uint32_t n, n_vms;
    place_rule *rule;
    const void *ctx;
    uint32_t base;                   /* of the tree: host h is node base + h, the root is node 1 */
    int64_t *room;                   /* [2 base][PLACE_NRES]: greatest below a node; -1: not to be used */
    int64_t *size;                   /* [vms]: dominant share of the largest host, in 1e-9 */
    uint32_t *first, *after;         /* [n], [vms]: residents of a host, the largest first */
    uint32_t *on, *next;             /* the same of those put there */
    uint32_t *order, *there, *moved; /* [vms]; moved, to: what was put where, in order */
    uint32_t *to, n_moved;
};

size_t place_world_bytes(uint32_t n, uint32_t n_vms);
void place_world_init(struct place_world *w, void *block);
/* Whether a is put before b: the larger, of equals the VM with the lower number. */
bool place_world_before(const struct place_world *w, uint32_t a, uint32_t b);
void place_world_down(struct place_world *w, uint32_t host); /* not to be used from now on */
void place_world_up(struct place_world *w, uint32_t host);   /* nobody must have been put there */
/* Puts VM v on the first host that will do; PLACE_NONE: none will. */
uint32_t place_world_put(struct place_world *w, uint32_t v);
void place_world_undo(struct place_world *w); /* takes back all that were put */

#endif
