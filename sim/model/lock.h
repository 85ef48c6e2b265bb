// SPDX-License-Identifier: GPL-3.0-or-later
/* lock.h - a lock that a VM's tasks share, and what happens when its holder loses the pCPU.
 *
 * First come first served. PROG_SPIN: who waits burns its vCPU's time (overhead) until it gets the lock; if
 * the holder's vCPU is preempted, the spinner burns up to (m-1) slices among m vCPUs a pCPU. PROG_YIELD: it
 * spins a little, then gives its vCPU's turn away until the lock is free. One lock a VM. */
#ifndef VLAB_MODEL_LOCK_H
#define VLAB_MODEL_LOCK_H

#include "model/inner.h"

void lock_done(struct vm *vm);

enum lock_said {
    LOCK_HOLD, /* it has the lock: runs the step's amount, then lock_release */
    LOCK_SPIN, /* runs without end until guest_cut ends it, then lock_take again */
    LOCK_WAIT  /* off its vCPU's queue until guest_wake_task, then lock_take again */
};
enum lock_said lock_take(struct model *m, struct vm *vm, uint32_t task);
void lock_release(struct model *m, struct vm *vm, uint32_t task);

#endif
