// SPDX-License-Identifier: GPL-3.0-or-later
/* disk.h - disks, shared stores, and the volumes on them.
 *
 * A VM's disk is a volume (volume.h) on a device: a disk of its host, or a store that several hosts reach. A
 * device serves requests in the order its queue policy says (policy/ioqueue.h); what a request takes is the
 * device model's: a bucket (bandwidth and requests a second), an SSD (dies) or a hard disk (an arm). Then it
 * takes the device's latency, in which requests overlap. A cost that is not stated is none.
 *
 * Where a request goes: `pattern: sequential` goes on where the last sequential one of its kind on this disk
 * ended, writes at first behind what is `used`, others from 0, and from 0 again where it would pass the end.
 * Else it is anywhere, in whole multiples of its size, from a stream of its own keyed by (VM, task,
 * iteration, step). A trim takes no time and is no request of the device. A request larger than its disk
 * moves all its bytes but covers the disk once. A disk of no stated size is as large as a hard disk it lies
 * on, else 1 TiB, and takes no space.
 *
 * Counted: a VM's ops and bytes are requests that left its guest (what its page cache answers did not, what
 * that writes back did), its queue those issued and not done, its allocated what its volumes took from
 * devices. A device's ops are all it was asked for, copies of shared grains and swap pages too, its bytes
 * what its medium moved. REC_IO tells each; a wait for a full pool is part of a request's latency. */
#ifndef VLAB_MODEL_DISK_H
#define VLAB_MODEL_DISK_H

#include "model/inner.h"

void disk_init(struct model *m);
void disk_done(struct model *m);
/* A VM is powered on: its volumes are attached, made the first time. */
void disk_attach(struct model *m, struct vm *vm);
/* Whether the request that the task's step asks for (k->act) stays inside the guest: its page cache answers
 * it. Nothing is changed. */
bool disk_inside(struct model *m, struct vm *vm, uint32_t task);
/* The request of the task's disk step (k->act), its price already paid. True: done, it took no time; false:
 * guest_wake_task comes. */
bool disk_submit(struct model *m, struct vm *vm, uint32_t task);
/* A page of the host's (swap), on behalf of a VM: when it is done mem_io_done gets arg; never at once. */
void disk_page(struct model *m, uint32_t disk, struct vm *vm, bool write, int64_t bytes, uint64_t arg);
/* JOB_DISK: the host's I/O stack has had its CPU time for this request. */
void disk_job(struct model *m, uint64_t arg);

/* For events. A pool gets `bytes` more: its waiting writers go on. */
void disk_grow(struct model *m, uint32_t disk, int64_t bytes);
/* A snapshot of all the VM's disks, as they are on their devices; numbered from 0. */
uint32_t disk_snapshot(struct model *m, struct vm *vm);
void disk_forget(struct model *m, struct vm *vm, uint32_t snapshot);
/* The VM is gone for good: its volumes are given back, its writers that wait for a pool are forgotten. Its
 * snapshots and linked clones keep what they share with it. */
void disk_destroy(struct model *m, struct vm *vm);

/* Whether every disk of the VM can be reached from that host. */
bool disk_reaches(const struct model *m, const struct vm *vm, uint32_t host);
/* The VM is on another host than `from` now (vm->host): shared stores count it there. */
void disk_move(struct model *m, struct vm *vm, uint32_t from);
/* It fails, or its power is cut: nobody waits for its requests any more, and its page cache is empty.
 * Requests at a device or in its host's I/O stack end unseen, write-backs among them, and what they write is
 * written. Those that wait for room in a pool are forgotten, and whoever waited behind them goes on; so are,
 * when its host fails with it, those in that host's stack (what a VM that moved away has there goes on at
 * once). Bytes that were written and not flushed are lost, how many: of blocks that are dirty, or whose
 * youngest write-back is forgotten, each counted once. A write acknowledged after a flush, or never cached,
 * is on its device. disk_attach when it starts again. */
int64_t disk_crash(struct model *m, struct vm *vm);
/* It stops in order: its page cache is written back, then power_flushed(m, vm) is called; true: there was
 * nothing to write, and it is not called. */
bool disk_flush(struct model *m, struct vm *vm);
/* A disk or store fails: it stands still. What is queued or on its way there waits, and what comes later, a
 * read of what its own cache holds among it; nothing of it is lost. When the device is back, each request
 * goes on where it was, as behind a path that was away: it takes as much longer as that lasted, and nothing
 * of it is done twice. `pool`: only what needs a new block of its pool waits. Failures are counted, the
 * device's (its own and its host's) and the pool's apart: as many repairs end them, and one too many is none.
 */
void disk_fail(struct model *m, uint32_t disk, bool pool);
void disk_repair(struct model *m, uint32_t disk, bool pool);
/* A booting VM reads from its first disk: `bytes` that are its own, or, shared, those of its image. A linked
 * clone's shared reads are made once a device, whoever is first, and the others wait for them; a full copy's
 * are its own. power_boot_read(m, vm) is called when it is done; true: it took no time, and is not. */
bool disk_boot(struct model *m, struct vm *vm, int64_t bytes, bool shared);

/* Conservation, at any time between two events: what is allocated is what can be reached from a volume or a
 * snapshot and what the accounts add up to; requests issued are those done and those queued; dirty blocks of
 * guests' caches were written back or are still there. 0, or -1 with *why (malloc'ed). */
int disk_check(const struct model *m, char **why);

#endif
