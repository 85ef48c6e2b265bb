// SPDX-License-Identifier: GPL-3.0-or-later
/* lock.h - a lock that a VM's tasks share, and what happens when its holder loses the pCPU.
 *
 * What it models: one lock a VM, a ticket lock: first come first served, handed at its release to who has
 * waited longest, whether that one runs just then or not.
 *
 * - spin: who waits burns its vCPU's time, as overhead, until it has the lock. The hypervisor does not
 *   know: it preempts a holder like anybody else, and a spinner whose pCPU is its own then burns until the
 *   holder's next turn, up to (m-1)q with m vCPUs in turn on the holder's pCPU and slices of q. (Uhlig,
 *   LeVasseur, Skoglund and Dannowski 2004: lock-holder preemption.)
 * - yield: who waits spins for LOCK_LOOK_NS at a time and looks whether the holder's vCPU has a pCPU. If not,
 *   it gives it its own turn (sched_yield_to: directed yield, as after a pause-loop exit or in a paravirtual
 *   lock), and gets what is left of that turn back with the lock. It waits for no longer than the rest of
 *   the hold and LOCK_LOOK_NS, as long as it had a turn to give. Where the holder has lost its vCPU to
 *   another task of the guest, it leaves its own vCPU to the next task instead.
 *
 * First come first served because that is what bounds a wait: who finds k before it waits for k holds, each
 * as long as a preemption may make it. Handing to one that is itself preempted is the price (a convoy:
 * Linux's ticket locks had it on hypervisors); a lock that any running spinner may snatch has no convoy and
 * no bound.
 *
 * What it leaves out: reader-writer locks, several locks, the cost of a cache line that bounces.
 *
 * Times are ns. A task may not wait for or end anything else while it holds the lock: it only runs. */
#ifndef VLAB_MODEL_LOCK_H
#define VLAB_MODEL_LOCK_H

#include "model/inner.h"

#define LOCK_LOOK_NS INT64_C(20000) /* a pause-loop window is of this order */

void lock_done(struct vm *vm);

enum lock_said {
    LOCK_HOLD, /* it has the lock: runs the step's amount, then lock_release */
    LOCK_SPIN, /* runs for lock_spin_ns, or until guest_cut ends it, then lock_take again */
    LOCK_WAIT  /* off its vCPU's queue until guest_wake_task, then lock_take again */
};
enum lock_said lock_take(struct model *m, struct vm *vm, uint32_t task);
int64_t lock_spin_ns(const struct vm *vm, uint32_t task);
void lock_release(struct model *m, struct vm *vm, uint32_t task);

/* From asking to holding, of all that have held. */
struct lock_stats {
    uint64_t taken, waited, yields; /* waited: those that did not get it at once */
    int64_t wait_ns, longest_ns;
};
struct lock_stats lock_stats(const struct vm *vm);

#endif
