// SPDX-License-Identifier: GPL-3.0-or-later
/* kvm.h - the real clock: a scenario run on KVM guests on this machine.
 *
 * The same scenario, workload program, draws and scheduling policies as the simulator; the result is
 * the same records (base/rec.h). One vlab-vmm process per VM; this side prepares, gates and measures. */
#ifndef VLAB_KVM_KVM_H
#define VLAB_KVM_KVM_H

#include "base/rec.h"
#include "scenario/scenario.h"

enum kvm_status {
    KVM_OK = 0,
    KVM_CANNOT = 3, /* the scenario asks for what this backend does not do: exit 3 */
    KVM_FAILED = 4, /* the run failed: exit 4 */
    KVM_NO_KVM = 77 /* this machine cannot: exit 77 */
};

struct kvm_report { /* beside the records; arrays of sc->n_vms */
    uint64_t *checksum;
    double *iters_per_ns;
    uint32_t n_vms;
    char **ends;         /* how a VM ended that did not come to the end, as a line; NULL: it did */
    uint64_t *io_failed; /* disk requests that were answered by an error */
    uint32_t **evicted;  /* of each VM: the pages it lost, n_evicted of them, in order */
    size_t *n_evicted;
    int64_t disturbed_ns;   /* what was taken from the guests while we ran: by the machine below
                             * (/proc/stat's steal), by other processes */
    double disturbed_share; /* of the time of the pCPUs used */
    int64_t setup_ns;       /* from the first VM's start until the last one's guest said that it is ready */
};

/* Runs it once. On anything but KVM_OK *why is set (malloc'ed). The report's arrays are malloc'ed too. */
enum kvm_status kvm_run(const struct scenario *sc, uint64_t seed, struct rec_block *out,
                        struct kvm_report *rep, char **why);
/* The same workloads as native processes of this machine, without KVM: what guests are held against. */
enum kvm_status kvm_run_native(const struct scenario *sc, uint64_t seed, struct rec_block *out,
                               struct kvm_report *rep, char **why);
void kvm_report_done(struct kvm_report *rep);

/* Subcommands: `vlab kvm probe`, `calibrate`, `baseline`; they return the exit code. */
int kvm_cmd_probe(int argc, char **argv);
int kvm_cmd_calibrate(int argc, char **argv);
int kvm_cmd_baseline(int argc, char **argv);

#endif
