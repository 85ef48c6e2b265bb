// SPDX-License-Identifier: GPL-3.0-or-later
/* host.h - hosts on, off and failed; VMs on them, coming, leaving, moving.
 *
 * A VM is on a host from when it is defined until it is destroyed or has moved, whether it runs or not: its
 * vCPUs have seats in the host's scheduler, and the host has promised it what it wants (host_wants). Where
 * the scenario moves nobody (scenario.moves), seats are dealt once and for all, in the order of names.
 *
 * A host that fails takes all its VMs with it, its disks stop (disk_fail), its NICs are down; its own
 * threads' jobs are over. When it is back its disks go on and, unless the manager has started them elsewhere,
 * the VMs that were to be up boot. A host that is switched off is the same without VMs. Its pCPUs idle
 * meanwhile.
 *
 * Several causes at once (its own failure, its rack's) are counted: it is back when all are over. */
#ifndef VLAB_MODEL_HOST_H
#define VLAB_MODEL_HOST_H

#include "model/inner.h"

enum { HOST_CPU, HOST_MEM }; /* of mhost.promised, as place.h has its resources */

/* At time 0: all are up. */
void host_begin(struct model *m);
static inline bool host_up(const struct mhost *h)
{
    return !h->off && h->n_failures == 0;
}
/* What a VM is promised: its reservation, or where it states none 100 % a vCPU, in ppm; its memory, in bytes.
 */
void host_wants(const struct vm *vm, int64_t want[2]);

/* The VM is on that host from now on: it was on none. Its memory, disks and network are there too. */
void host_bring(struct model *m, struct vm *vm, struct mhost *h);
/* It is on none: its vCPUs have nothing to run. */
void host_part(struct model *m, struct vm *vm);
/* From its host to another; its vCPUs are held, or it is off. What its tasks were at goes on there. */
void host_move(struct model *m, struct vm *vm, struct mhost *to);

void host_fail(struct model *m, struct mhost *h, enum rec_why why);
void host_repair(struct model *m, struct mhost *h);
/* Ends all its failures. */
void host_repair_all(struct model *m, struct mhost *h);
/* Off: it has no VM that is up. */
void host_switch(struct model *m, struct mhost *h, bool on);
/* Its cores' speed from now on. */
void host_speed(struct model *m, struct mhost *h, uint32_t ppm);

/* Its first NIC, in scenario.nics; NONE. */
uint32_t host_nic(const struct model *m, const struct mhost *h);
void host_tell(struct model *m, const struct mhost *h, enum rec_event what, int64_t value, enum rec_why why);

/* What holds between any two events: each VM on one host or none, listed and seated there, nothing running
 * that may not, promises that add up, nobody beside whom it must not be. 0, or -1 with *why (malloc'ed).
 * O(VMs). */
int host_check(const struct model *m, char **why);

/* How the scheduler is told of a VM. */
struct sched_vm_cfg host_sched_cfg(const struct vm *vm);
/* The VMs on it, in the order in which they came. */
#define HOST_EACH(m, h, vm)                                                                                  \
    for (struct vm *vm = (h)->first_vm, *vm##_next; vm && (vm##_next = vm->next_there, true); vm = vm##_next)

#endif
