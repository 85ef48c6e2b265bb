// SPDX-License-Identifier: GPL-3.0-or-later
/* work.h - where requests come from, and where they wait.
 *
 * Open streams (Poisson, periodic, a trace, or a sequence of stretches) come whatever happens; closed
 * ones are made by clients that think, ask, and wait for the answer (the machine repairman's model).
 * Waiting requests are served first come first served; beyond `queue` of them, a request is lost. The
 * first arrival of a stretch comes one gap after it begins. */
#ifndef VLAB_MODEL_WORK_H
#define VLAB_MODEL_WORK_H

#include "model/inner.h"

void work_start(struct model *m, struct vm *vm);
void work_on_arrival(struct model *m, struct vm *vm);
void work_on_client(struct model *m, struct vm *vm, uint32_t client);
/* A request was answered: its client thinks again. */
void work_answered(struct model *m, struct vm *vm, uint32_t client);
/* The request that has waited longest. False: none waits. */
bool work_next(struct vm *vm, struct request *out);
/* Tells the age of every request still inside (REC_OPEN). */
void work_close(struct model *m, struct vm *vm);

#endif
