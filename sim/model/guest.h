// SPDX-License-Identifier: GPL-3.0-or-later
/* guest.h - a VM's tasks on its vCPUs: the guest's own scheduler, and the workload program in it.
 *
 * What it models: tasks that could run wait in one queue, first in first out; a free vCPU takes the
 * first. A task that wakes prefers the vCPU it ran on, then the lowest free one. It keeps its vCPU until
 * it sleeps or ends, or until guest_quantum of work has passed and another task waits. The guest does not
 * know that its vCPU has lost the pCPU: the task on it waits there.
 * What it leaves out: guest priorities, moving a task away from a vCPU that does not run. */
#ifndef VLAB_MODEL_GUEST_H
#define VLAB_MODEL_GUEST_H

#include "model/inner.h"

/* How long a core takes over so much work, to the next whole ns: of that speed, or of a host's. */
int64_t guest_at_speed_ns(uint32_t ppm, int64_t work_ns);
static inline int64_t guest_on_core_ns(const struct mhost *h, int64_t work_ns)
{
    return h->speed_ppm == 1000000 ? work_ns : guest_at_speed_ns(h->speed_ppm, work_ns);
}
/* v->burst_ns has run down in part or whole: the task's books are brought up to it. */
void guest_settle(struct vcpu *v);
/* It is over: on to the next step, or the next task. False: v has nothing to run. */
bool guest_proceed(struct model *m, struct vcpu *v);
/* The engine's event of a VM: its earliest timers are due. */
void guest_on_timer(void *model, uint32_t vm);
/* Sets the VM's event to its earliest timer. */
void guest_arm(struct model *m, struct vm *vm);
/* A task that was free begins the request. */
void guest_begin_request(struct model *m, struct vm *vm, uint32_t task, const struct request *r);
/* The task gives up its vCPU until guest_wake_task; a vCPU with nothing else to do is in state `as`
 * meanwhile. */
void guest_wait(struct model *m, struct vm *vm, uint32_t task, enum vcpu_state as);
/* The state of a vCPU that has nothing to run: a task that was last on it waits for swap, disk or network (in
 * this order, where several do), or it is idle, or down. */
enum vcpu_state guest_waits_as(const struct vcpu *v);
/* Ends a VM from outside, as soon as the present event's handler is through: it fails (power_fail). */
void guest_kill(struct model *m, struct vm *vm);
void guest_on_kill(void *model, uint32_t vm); /* the engine's event */
/* What a task waited for is there (a disk, the network, a page, a lock): its step goes on. The handler of the
 * event settles vm->host afterwards (cpu_settle). */
void guest_wake_task(struct model *m, struct vm *vm, uint32_t task);
/* How much of its present piece of run time the task has had, up to this instant, 0 .. k->piece_ns. */
int64_t guest_ran_ns(const struct model *m, const struct vm *vm, uint32_t task);
/* The present piece ends when the task has had ran_ns of it, no less than it has had: the vCPU is replanned.
 */
void guest_cut(struct model *m, struct vm *vm, uint32_t task, int64_t ran_ns);
/* The task's program goes on: on a vCPU, if it has something to run. */
void guest_go(struct model *m, struct vm *vm, uint32_t task);
/* Booting: vCPU 0 has so much work (on a core of speed 1.0) to do, then power_booted_cpu is called. */
void guest_boot_cpu(struct model *m, struct vm *vm, int64_t work_ns);
/* Its vCPUs, none of them on a pCPU, are on cores of another speed from now on; vm->host is that host
 * already.
 */
void guest_rescale(struct model *m, struct vm *vm, uint32_t from_ppm, uint32_t to_ppm);

/* Whether a switch between its tasks has a price there, or is an exit. */
bool guest_switch_counts(const struct vm *vm);

/* guest_life.c: the workload as a whole. */
/* It is up: its tasks begin, its arrivals and clients too; or it is up again: a loop's tasks do the iteration
 * again in which they were interrupted, requests are taken again. */
void guest_up(struct model *m, struct vm *vm);
/* It is up no more, whatever the reason: its vCPUs have nothing to run, its tasks are nowhere, requests
 * inside are lost (REC_ABORT) and their clients think again. Returns how many. Those that still come are lost
 * too, as they come. */
int64_t guest_down(struct model *m, struct vm *vm);
/* Nothing is inside that a shutdown would wait for. */
bool guest_idle(const struct vm *vm);
/* A thread for a request: a free one, or a new one where they are unlimited; NONE: all are busy. */
uint32_t guest_free_task(struct vm *vm);

#endif
