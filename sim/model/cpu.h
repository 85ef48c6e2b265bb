// SPDX-License-Identifier: GPL-3.0-or-later
/* cpu.h - pCPUs, the vCPUs on them, and the time each spends in each state.
 *
 * What it models: a host's pCPUs serve its vCPUs as the scheduling policy says (policy/sched.h); a
 * switch to another vCPU costs its direct price and the refill of a cold cache (warmth.h), is pCPU time
 * of its own, and counts as `ready` for the vCPU that comes. Slices end at the earliest of slice,
 * limit, block, preemption; with a tick, at the next whole tick.
 * What it leaves out: interrupts, frequency changes, hardware threads.
 *
 * After any call that may have changed who could run, the handler of the event settles the host. */
#ifndef VLAB_MODEL_CPU_H
#define VLAB_MODEL_CPU_H

#include "model/inner.h"

void cpu_on_pcpu(void *model, uint32_t pcpu); /* the engine's event of a pCPU */
void cpu_on_tick(void *model, uint32_t host); /* of a scheduler */

/* A vCPU that was down is there now: idle, until something wakes it. */
void cpu_power_on(struct vcpu *v);
/* The guest has something to run on a vCPU that had nothing. */
void cpu_wake(struct model *m, struct vcpu *v);
/* The step of the task on this vCPU is over, not by running but by the clock. */
void cpu_step_over(struct model *m, struct vcpu *v);
/* Lets the policy's wishes come true: preemptions, throttling, idle pCPUs; records what waits. */
void cpu_settle(struct model *m, struct mhost *h);
/* Closes every open interval at the end of a run. */
void cpu_close(struct model *m);

#endif
