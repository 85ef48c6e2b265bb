// SPDX-License-Identifier: GPL-3.0-or-later
/* run.h - one run under way: what its parts share.
 *
 * Times in here without `abs` in their name are ns since t = 0. The main thread (run.c) starts, watches
 * and cleans up; who may run when is decided by Linux (native.c) or by dispatcher threads (dispatch.c). */
#ifndef VLAB_KVM_RUNNER_RUN_H
#define VLAB_KVM_RUNNER_RUN_H

#include "kvm/runner/cgroup.h"
#include "kvm/runner/recs.h"
#include "kvm/runner/vmproc.h"

#define RUN_LOG_MOST (UINT64_C(1) << 24) /* log entries of a VM in a run: what it may fill of our memory */

struct run_vm {
    const struct sc_vm *sc;
    struct vmproc proc;
    uint32_t first;     /* of its vCPUs in run.vcpus */
    uint32_t down;      /* it is no more: set once (release) by the main thread, after: */
    int64_t down_ns;    /* since when; INT64_MAX: it is up */
    struct ctl_end end; /* how, where it is down */
    struct recs recs;   /* requests, iterations, events */
    int64_t log_ns;     /* of the last log entry taken */
    int64_t *arrived;   /* when request i came; -1: it has left */
    uint64_t n_arrived, arrived_cap;
    uint64_t n_log, log_most; /* entries taken, and how many it may write */
    uint64_t refs;            /* of its touch steps, as last looked */
    uint64_t exits[4];        /* of exits.c */
};

struct run_vcpu {
    uint32_t vm, index; /* run.vms; within the VM */
    struct recs recs;   /* its REC_STATE */
};

/* For tests: what a run is given instead of its own. */
struct run_own {
    const int *payload_fds;            /* of each VM; NULL: the built-in one */
    int store_fd;                      /* of every VM's pages; -1: files of its own */
    bool no_move;                      /* as if the kernel could not move pages */
    bool native;                       /* as processes of this machine, no KVM */
    const struct store_faults *faults; /* of disks; NULL: none */
};

struct run {
    const struct scenario *sc;
    const struct sc_host *pc; /* the one host */
    uint64_t seed;
    struct host host;
    struct cgroups groups;
    int64_t zero_abs_ns, end_ns;
    struct run_vm *vms;
    struct run_vcpu *vcpus;
    uint32_t n_vms, n_vcpus;
    struct recs recs; /* of pCPUs */
    struct run_own own;
    struct pagepool *pool;
    struct dispatch *dispatch; /* NULL: Linux decides */
    double iters_per_ns;
    struct nets *nets;     /* nets.c; NULL: no networks */
    struct stores *stores; /* stores.c; NULL: no disks */
    char *note;            /* for the user, malloc'ed; NULL: none */
    uint32_t n_stores;     /* groups behind the VMs' */
};

static inline struct run_vm *run_vm_of(const struct run *r, uint32_t vcpu)
{
    return &r->vms[r->vcpus[vcpu].vm];
}
static inline struct ctl_vcpu *run_ctl(const struct run *r, uint32_t vcpu)
{
    return &run_vm_of(r, vcpu)->proc.ctl->v[r->vcpus[vcpu].index];
}
static inline bool run_is_down(const struct run_vm *vm)
{
    return __atomic_load_n(&vm->down, __ATOMIC_ACQUIRE) != 0;
}

/* refuse.c: what of the scenario cannot be done on this backend; NULL: nothing. malloc'ed. */
char *refuse_scenario(const struct scenario *sc);
/* The same of native processes. */
char *refuse_native(const struct scenario *sc);
/* refuse_net.c: the same of its networks. */
char *refuse_networks(const struct scenario *sc);

/* refuse_memory.c: the same of its memory; and whether the disk is there for the host's swap. */
char *refuse_memory(const struct scenario *sc);
bool refuse_keeps_pages(const struct scenario *sc, uint32_t disk);

/* weights.c: the VMs' cgroups. Linux's scheduler decides by them; under the dispatcher they only keep the
 * host's other work from disturbing. Made before the VMs start, joined when they are ready. */
enum kvm_status weights_make(struct run *r, bool native, char **why);
enum kvm_status weights_join(struct run *r, char **why);

/* guestlog.c: takes over what guests wrote since the last time. False: it was nonsense. */
bool guestlog_drain(struct run *r, struct run_vm *vm);
/* So many more of what is counted, up to now. */
void guestlog_count(struct run *r, struct run_vm *vm, enum rec_count what, uint64_t more);
/* Requests still inside at the end. */
void guestlog_close(struct run *r, struct run_vm *vm);
uint64_t guestlog_checksum(const struct run_vm *vm);

/* exits.c: how many exits there were since the last time. */
void exits_count(struct run *r, struct run_vm *vm);

/* ups.c: who is there and up, as records, where the scenario has events. */
void ups_record(struct run *r);

/* ends.c: how a VM ended, in words; and as the record of it. What a VMM says of its end is checked first:
 * whatever makes no sense there becomes an end that says so. */
void ends_check(struct ctl_end *e);
char *ends_text(const char *name, const struct ctl_end *e);
void ends_record(struct run *r, struct run_vm *vm);

/* report.c: the records of a run that is over, to `out`, and the report but for the times in it. */
void report_make(struct run *r, struct rec_block *out, struct kvm_report *rep);

/* As kvm_run. */
enum kvm_status run_with(const struct scenario *sc, uint64_t seed, const struct run_own *own,
                         struct rec_block *out, struct kvm_report *rep, char **why);

#endif
