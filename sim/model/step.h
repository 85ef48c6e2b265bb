// SPDX-License-Identifier: GPL-3.0-or-later
/* step.h - a task in its program: what each kind of step makes it do.
 *
 * A step is pieces of run time (useful, then overhead) and waits, in turn. `cpu`, `busy` and `sleep` are one
 * of either; `ops` one piece, the mode's price; `disk` pays its price, then waits; `touch` and `net` go on
 * piece by piece, as mem.h and net.h say; `lock` spins or waits, then holds. Between two pieces no time
 * passes. */
#ifndef VLAB_MODEL_STEP_H
#define VLAB_MODEL_STEP_H

#include "model/inner.h"

/* The task begins this request, from the first step of the program: step_advance then. */
void step_begin(const struct vm *vm, struct task *k, const struct request *r);
/* The task's piece is over, or its wait is: goes on to the next piece of run time. False: it waits or sleeps,
 * is free, or is over. */
bool step_advance(struct model *m, struct vm *vm, uint32_t task);

#endif
