// SPDX-License-Identifier: GPL-3.0-or-later
/* cpu.h - pCPUs, the vCPUs on them, and the time each spends in each state.
 *
 * What it models: a host's pCPUs serve its vCPUs, and the host's own threads (thread.h), as the scheduling
 * policy says (policy/sched.h); a switch to another vCPU costs its direct price and the refill of a cold
 * cache (warmth.h), is pCPU time of its own, and counts as `ready` for the vCPU that comes. Slices end at the
 * earliest of slice, limit, block, preemption; with a tick, at the next whole tick. All times are ns; each
 * vCPU is at every instant in one state, and each pCPU runs, switches or idles, without a gap.
 *
 * Hardware threads of one core slow each other down (smt.h): their time is run time, their work is less.
 *
 * What it leaves out: interrupts, frequency changes.
 *
 * After any call that may have changed who could run, the handler of the event settles the host. */
#ifndef VLAB_MODEL_CPU_H
#define VLAB_MODEL_CPU_H

#include "model/inner.h"

void cpu_on_pcpu(void *model, uint32_t pcpu); /* the engine's event of a pCPU */
void cpu_on_tick(void *model, uint32_t host); /* of a scheduler */

/* What a vCPU waits for, or that it is there at all, may have changed: seen to when the host is settled. */
void cpu_look(struct vcpu *v);
/* Off its pCPU and out of the queue, with what it ran booked; the task on it stays. It comes back by
 * cpu_wake. */
void cpu_take_off(struct model *m, struct vcpu *v);
/* The work it has done since that was last booked. */
int64_t cpu_uncharged_ns(const struct model *m, const struct vcpu *v);
/* Books what it has run up to now; the scheduler is not told. */
void cpu_account(struct model *m, struct vcpu *v);
/* How long it has not been idle, from time 0. */
int64_t cpu_busy_ns(const struct model *m, const struct pcpu *c);
/* Its burst has changed: its pCPU's next stop does too. What it ran must be booked. */
void cpu_replan(struct model *m, struct vcpu *v);
/* The guest has something to run on a vCPU that had nothing. Of a VM that is held (power.h) it waits. */
void cpu_wake(struct model *m, struct vcpu *v);
/* The step of the task on this vCPU is over, not by running but by the clock. */
void cpu_step_over(struct model *m, struct vcpu *v);
/* Lets the policy's wishes come true: preemptions, throttling, idle pCPUs; records what waits. */
void cpu_settle(struct model *m, struct mhost *h);
/* Closes every open interval at the end of a run. */
void cpu_close(struct model *m);

#endif
