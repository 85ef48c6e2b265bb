// SPDX-License-Identifier: GPL-3.0-or-later
/* fail.h - what breaks, and exactly whom it takes along: the blast radius.
 *
 *     target         who fails                             what the others notice
 *     VM             itself                                nothing
 *     kernel         the containers that share it          nothing
 *     HOST/vmm/NAME  the VMs of that hypervisor process    nothing
 *     host           all VMs on it                         its disks and NICs are away
 *     rack           all hosts in it, and so their VMs     the same
 *     disk, storage  nobody: requests to it wait           their own requests there take longer
 *     pool           nobody: writes that need a new block of it wait
 *     NIC, network   nobody: frames on it are dropped, sends across it refused
 *
 * A VM that fails with its host or rack boots when that is back (or earlier and elsewhere, with high
 * availability); one that fails by itself, with its kernel or its hypervisor, when that is repaired: after
 * `for`, by a `repair` event, by a `start` event, or by the manager. The same target may fail several times
 * at once; it is back when all are over, or a `repair` ends them all.
 *
 * Hosts also fail by themselves (hosts.failures): up for a time drawn from ttf, down for one from repair, in
 * turn, or as a trace says. */
#ifndef VLAB_MODEL_FAIL_H
#define VLAB_MODEL_FAIL_H

#include "model/inner.h"

/* The hosts' own failures are set going. */
void fail_init(struct model *m);
void fail_done(struct model *m);
/* Event number e of the scenario says that its target fails, for e->for_ns if that is not 0. */
void fail_begin(struct model *m, const struct sc_event *e);
/* All failures of the event's target are over. */
void fail_repair(struct model *m, const struct sc_event *e);
void fail_on_end(void *model, uint32_t pending); /* the engine's events: a `for` is over */
void fail_on_host(void *model, uint32_t host);   /* a host's own */

#endif
