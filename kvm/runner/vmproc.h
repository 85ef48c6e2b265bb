// SPDX-License-Identifier: GPL-3.0-or-later
/* vmproc.h - one vlab-vmm process, as its runner holds it. */
#ifndef VLAB_KVM_RUNNER_VMPROC_H
#define VLAB_KVM_RUNNER_VMPROC_H

#include <sys/types.h>

#include "kvm/runner/boot.h"

struct vmproc {
    pid_t pid;  /* 0: none. It stays ours, dead or alive, until vmproc_stop: threads may send it signals */
    bool gone;  /* it has ended, as vmproc_gone saw */
    int pidfd;  /* readable once it has ended */
    int signal; /* that ended it; 0: none */
    uint32_t n_vcpus;
    pid_t tid[ABI_MAX_VCPUS]; /* of its vCPU threads, once it is ready: really its own; 0: none */
    struct ctl *ctl;          /* the VMM can write here at any time: copied once, then checked */
    char *logs;               /* n_vcpus x ABI_LOG_STEP */
    int bell_fd;              /* an eventfd: how often ABI_PORT_BELL was written to */
};

/* A device: see ctl.h. The descriptors stay the caller's. */
struct vmproc_dev {
    uint32_t kind, flags; /* enum abi_dev_kind; ABI_DEV_PIO */
    int peer_fd, window_fd;
    uint64_t window_bytes;
};

struct vmproc_cfg {
    const char *name;
    uint32_t n_vcpus;
    bool gated;
    int64_t start_ns;
    struct boot_memory memory;
    int boot_fd;
    int payload_fd;         /* -1: the payload that is built in */
    int pages_fd, store_fd; /* of its memory, see pagepool.h; -1 */
    enum ctl_pool pool;
    bool no_move;
    int cpu; /* all its threads begin there; -1: anywhere */
    const struct vmproc_dev *devs;
    uint32_t n_devs; /* ABI_MAX_DEVS at most */
};

/* Memory that several processes map, of a size nobody can change. Its descriptor and the caller's mapping, or
 * -1 with errno set. */
int vmproc_shared(const char *name, uint64_t bytes, void **map);
/* Starts it; it gets itself ready on its own. 0, or -1 with *why. */
int vmproc_start(struct vmproc *p, const struct host *h, const struct vmproc_cfg *cfg, char **why);
/* Waits until every vCPU is ready or has ended. 0, or -1 with *why: it could not start, or not in time. */
int vmproc_wait_ready(struct vmproc *p, const char *name, char **why);
/* A vCPU thread onto that CPU. 0, or -errno: -ESRCH, it is gone. */
int vmproc_pin(const struct vmproc *p, uint32_t vcpu, int cpu);
/* t = 0 for this VM. */
void vmproc_go(struct vmproc *p, int64_t zero_ns, uint64_t tsc_zero);
/* Notes it if the process has ended, without reaping it. True: it has. */
bool vmproc_gone(struct vmproc *p);
/* Whether every vCPU has said that it ended. */
bool vmproc_all_ended(const struct vmproc *p);
/* Kills, reaps, unmaps. Fine on one that never started (all zeros). */
void vmproc_stop(struct vmproc *p);

enum ctl_state vmproc_state(const struct vmproc *p, uint32_t vcpu);
static inline struct abi_log *vmproc_log(const struct vmproc *p, uint32_t vcpu)
{
    return (struct abi_log *)(void *)(p->logs + vcpu * ABI_LOG_STEP);
}

#endif
