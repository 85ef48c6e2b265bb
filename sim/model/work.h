// SPDX-License-Identifier: GPL-3.0-or-later
/* work.h - where requests come from, and where they wait.
 *
 * Open streams (Poisson, periodic, a trace, or a sequence of stretches) come whatever happens; closed
 * ones are made by clients that think, ask, and wait for the answer (the machine repairman's model).
 * Waiting requests are served first come first served; beyond `queue` of them, a request is lost. The
 * first arrival of a stretch comes one gap after it begins. A stream goes on while its VM is down: what comes
 * then is lost.
 *
 * `queue: shared`: the VMs of a `count:` serve one stream and one queue, those of the first of them
 * (vm->front), whether that one is up or not; a request goes to the first VM that has a free thread. All that
 * is told of a request is told of the front VM; only its work.checksum is of the VM that did it. */
#ifndef VLAB_MODEL_WORK_H
#define VLAB_MODEL_WORK_H

#include "model/inner.h"

/* The VM is up: the first time its stream begins; of a shared queue it takes what waits. */
void work_start(struct model *m, struct vm *vm);
/* A request that was inside is lost with its VM. */
void work_lost(struct model *m, struct vm *vm, int64_t came_ns, uint32_t client);
/* All that wait are lost, if the queue is the VM's own; how many. */
int64_t work_forget(struct model *m, struct vm *vm);
void work_on_arrival(struct model *m, struct vm *vm);
void work_on_client(struct model *m, struct vm *vm, uint32_t client);
/* A request was answered: its client thinks again. */
void work_answered(struct model *m, struct vm *vm, uint32_t client);
/* The request that has waited longest, for this VM to take. False: none waits, or it takes none any more. */
bool work_next(struct model *m, struct vm *vm, struct request *out);
/* Tells the age of every request still inside (REC_OPEN). */
void work_close(struct model *m, struct vm *vm);

#endif
