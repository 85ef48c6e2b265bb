// SPDX-License-Identifier: GPL-3.0-or-later
/* dispatch.h - `scheduler: rr credit cfs stride ...`: the simulator's own policy objects let real vCPU
 * threads run.
 *
 * One dispatcher thread a pCPU, pinned to it and SCHED_FIFO where permitted; one `struct sched`, under one
 * lock. A dispatcher opens the gate of the vCPU picked, sleeps until its time is up, and takes it back by a
 * kick. A vCPU runs from its thread's way through the gate until it stands again; from one to the next is the
 * pCPU's switch. Weights, limits, reservations and balancing are the policy's alone. */
#ifndef VLAB_KVM_RUNNER_DISPATCH_H
#define VLAB_KVM_RUNNER_DISPATCH_H

#include "kvm/runner/run.h"

struct dispatch;

/* Before t = 0 is set. NULL with *why. */
struct dispatch *dispatch_new(struct run *r, char **why);
/* Begins at run.zero_abs_ns, which may lie ahead. 0, or -1 with *why. */
int dispatch_begin(struct dispatch *d, char **why);
/* A VM is down, or the run is to be broken off: looks again. */
void dispatch_wake(struct dispatch *d);
/* Waits for the threads, which end with the run (or at once: `abort`), and writes all records. */
void dispatch_finish(struct dispatch *d, bool abort);
void dispatch_free(struct dispatch *d); /* NULL is fine; after dispatch_finish where it was begun */
/* Whether this process may use SCHED_FIFO. */
bool dispatch_fifo_allowed(void);

#endif
