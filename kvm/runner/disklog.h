// SPDX-License-Identifier: GPL-3.0-or-later
/* disklog.h - from what VMMs and datastores told of disks (struct ctl_ios) to the simulator's records.
 *
 * A request is inside from when its VMM took it out of its guest's ring to when it put the answer there. One
 * that is open when its VM ends is forgotten then. Neither side is trusted: what cannot be is left out. */
#ifndef VLAB_KVM_RUNNER_DISKLOG_H
#define VLAB_KVM_RUNNER_DISKLOG_H

#include "kvm/runner/run.h"

struct disklog;
struct storeproc;

struct disklog *disklog_new(struct run *r);
void disklog_free(struct disklog *l); /* NULL is fine */
/* What was told since the last time. */
void disklog_vm(struct disklog *l, uint32_t vm);
void disklog_store(struct disklog *l, const struct storeproc *p);
/* That disk's datastore is no more, as of now. */
void disklog_gone(struct disklog *l, uint32_t disk);
/* Appends the records of all of it to the run's. 0, or -1 with *why. */
int disklog_report(struct disklog *l, char **why);

#endif
