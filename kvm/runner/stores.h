// SPDX-License-Identifier: GPL-3.0-or-later
/* stores.h - the datastores of a run: one process for each disk that VMs here use (kvm/store/store.h).
 *
 * A VM's disk is a sparse file of its own in $TMPDIR (or /tmp), of which nothing stays: it has no name, and
 * is gone with the last who holds it. The guest's device i is the VM's disk i. */
#ifndef VLAB_KVM_RUNNER_STORES_H
#define VLAB_KVM_RUNNER_STORES_H

#include "kvm/runner/run.h"
#include "kvm/store/store.h"

struct storeproc {
    pid_t pid; /* 0: none */
    uint32_t disk;
    bool gone;
    struct store_ctl *ctl;
    uint32_t vm[STORE_MAX_VOLUMES]; /* of volume i */
    struct storeproc *next;
};

/* Starts them, and waits until they are ready. Before the VMs start. KVM_OK, or *why. */
enum kvm_status stores_start(struct run *r, char **why);
/* The devices of that VM, for its VMM; *n of them. */
const struct vmproc_dev *stores_devs(const struct run *r, uint32_t vm, uint32_t *n);
/* VMMs have what they need: the runner keeps none of it. */
void stores_release(struct run *r);
/* t = 0. */
void stores_go(struct run *r);
/* Takes over what was told since the last time. */
void stores_poll(struct run *r);
/* The records of all disks, in order. 0, or -1 with *why: some were lost. */
int stores_report(struct run *r, char **why);
/* How many of the VM's requests were answered by an error. */
uint64_t stores_failed(const struct run *r, uint32_t vm);
/* Ends them all. */
void stores_stop(struct run *r);

#endif
