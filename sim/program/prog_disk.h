// SPDX-License-Identifier: GPL-3.0-or-later
/* prog_disk.h - which bytes a `disk` step is about: the same in the simulator and in a guest.
 *
 * `pattern: sequential` goes on where the last sequential request of its kind on this disk ended, and from 0
 * again where it would pass the end. Else it is anywhere, in whole multiples of its size, from a stream of
 * its own keyed by (VM, task, iteration, step). A request larger than its disk covers the disk once.
 *
 * Freestanding: the same source is compiled into the guest. */
#ifndef VLAB_PROGRAM_PROG_DISK_H
#define VLAB_PROGRAM_PROG_DISK_H

#include "program/prog.h"

#define PROG_DISK_KEY                                                                                        \
    UINT64_C(0x64b5f2a1c93e7d08)           /* XOR it into a VM's key of steps: the key of its disks          \
                                            */
#define PROG_DISK_VAGUE (INT64_C(1) << 40) /* bytes of a disk whose size nobody states */

/* A multiple of `amount` in [0, size - amount], each as likely; 0 < amount <= size. */
int64_t prog_disk_anywhere(struct rng *r, int64_t size, int64_t amount);
/* The request that the step asks for, which prog_next has just returned for t, on a disk of `size` bytes;
 * next: where the last sequential one of its kind ended. *at is its first byte; returns its length. rng: its
 * stream, from which whoever serves it may draw on. */
int64_t prog_disk_aim(uint64_t key, const struct prog_task *t, const struct prog_act *act, int64_t size,
                      int64_t next, struct rng *rng, int64_t *at);

#endif
