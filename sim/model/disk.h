// SPDX-License-Identifier: GPL-3.0-or-later
/* disk.h - disks, shared stores, and the volumes on them.
 *
 * A device serves requests in the order its queue policy says (policy/ioqueue.h); what a request takes is
 * the device model's (bucket, SSD, hard disk). One event is pending for each device, however many wait. */
#ifndef VLAB_MODEL_DISK_H
#define VLAB_MODEL_DISK_H

#include "model/inner.h"

void disk_init(struct model *m);
void disk_done(struct model *m);
/* A VM is powered on: its volumes are attached. */
void disk_attach(struct model *m, struct vm *vm);
/* The request of the task's disk step (k->act), its price already paid. True: done, it took no time; false:
 * guest_wake_task comes. */
bool disk_submit(struct model *m, struct vm *vm, uint32_t task);
/* A page of the host's (swap), on behalf of a VM: when it is done mem_io_done gets arg; never at once. */
void disk_page(struct model *m, uint32_t disk, struct vm *vm, bool write, int64_t bytes, uint64_t arg);
/* JOB_DISK: the host's I/O stack has had its CPU time for this request. */
void disk_job(struct model *m, uint64_t arg);

#endif
