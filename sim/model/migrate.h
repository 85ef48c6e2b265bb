// SPDX-License-Identifier: GPL-3.0-or-later
/* migrate.h - a VM moves to another host while it runs.
 *
 * First it is asked whether it may: it is up, the host is there and has room for it, its storage and network
 * reach that far, its CPU has the features the VM was started with, no affinity forbids it (else: refused,
 * with the reason). Room is kept for it from then on. A VM that is off is just registered there.
 *
 * - pre-copy (policy/precopy.h): rounds while it runs, then it is stopped and the rest sent. What is dirty
 * after a round is what its own touches have written (mem_log), or what `migrate.dirty` states. A round no
 * smaller than the one before it: `diverge: cancel` gives up; stop sends that much all the same while it is
 * stopped; throttle lets it have 20 % less CPU, then 10 % less each time, as QEMU's auto-converge does (a
 * stated writer writes that much less), and goes on.
 * - stop-and-copy: stopped from the beginning.
 * - post-copy (Hines and Gopalan, VEE 2009): it is stopped for `downtime` alone, goes on at once on the other
 *   host, and fetches each page it refers to that is not there yet: a round trip, and the page ahead of the
 * others that are pushed meanwhile at `rate`. Either host's failure takes it along until all has come.
 *
 * `downtime` is added to each stop. Bytes go as net_bulk says: they share the hosts' first NICs with
 * everybody, and their packets cost the hosts' I/O threads CPU. A stop-and-copy goes as fast as that allows;
 * where there is no NIC, at rate_max. All of a migration's bytes and rounds count when it is over, or given
 * up. */
#ifndef VLAB_MODEL_MIGRATE_H
#define VLAB_MODEL_MIGRATE_H

#include "model/inner.h"

/* To that host, or (NULL) where the policy says. True: it has begun. False: it was refused, or is done
 * already: one that is off is moved at once, and one that failed with its host boots there. */
bool migrate_begin(struct model *m, struct vm *vm, struct mhost *to);
void migrate_done(struct model *m);
/* net_bulk's: what vm number `arg` had under way is there. */
void migrate_sent(struct model *m, uint32_t arg);
void migrate_on(void *model, uint32_t vm); /* the engine's event: its fixed downtime is over */
/* Post-copy: a page it refers to is not there yet (mem.h). */
void migrate_fetch(struct model *m, struct vm *vm, uint32_t page);
/* It fails or stops meanwhile: given up. */
void migrate_lost(struct model *m, struct vm *vm);
/* A host of some migrations has failed: those are given up; a post-copy's VM fails with it. */
void migrate_host_failed(struct model *m, struct mhost *h);
/* Where it is going; NONE. */
uint32_t migrate_target(const struct vm *vm);
/* Post-copy: whether pages of VMs that have left that host are there yet. */
bool migrate_needs(const struct model *m, const struct mhost *h);
/* About how long one would take: its memory at its rate. */
int64_t migrate_estimate_ns(const struct vm *vm);
/* Its stated dirty rate from now on, bits a second. */
void migrate_set_dirty(struct model *m, struct vm *vm, int64_t bps);

#endif
