// SPDX-License-Identifier: GPL-3.0-or-later
/* host.h - this machine, as far as running guests on it is concerned. */
#ifndef VLAB_KVM_RUNNER_HOST_H
#define VLAB_KVM_RUNNER_HOST_H

#include "kvm/ctl.h"
#include "kvm/kvm.h"

struct host {
    int kvm_fd, null_fd; /* kvm_fd -1: there is none, and none is needed */
    int bells_fd;
    struct ctl_bells *bells;
    char vmm_path[4096]; /* the program that serves a guest: vlab-vmm, or vlab-proc */
    int cpus[CTL_PCPUS]; /* pCPU i is the i-th CPU of our affinity mask */
    uint32_t n_cpus;
    uint64_t ns_per_tsc_q32;
};

/* Opens /dev/kvm, finds vlab-vmm beside us and measures the TSC's rate (20 ms). Anything but KVM_OK: *why;
 * the CPUs are known all the same. */
enum kvm_status host_open(struct host *h, char **why);
/* The same for native processes, which need no KVM: vlab-proc. */
enum kvm_status host_open_native(struct host *h, char **why);
void host_close(struct host *h);

int64_t host_now(void); /* CLOCK_MONOTONIC, ns */
void host_sleep_until(int64_t at_ns);
/* The TSC and CLOCK_MONOTONIC at one moment. */
void host_clock_pair(uint64_t *tsc, int64_t *ns);
/* 0, or -errno. tid 0: the calling thread. */
int host_pin(int tid, int cpu);
/* The guests' groups weigh much, to keep the host's other work away: who serves them must not weigh less.
 * Gives the calling thread the most that an ordinary one can have, where that may be. */
void host_weigh_more(void);
/* Time that the machine below us took from these CPUs, or they spent at all, since it booted: /proc/stat. */
int64_t host_stolen_ns(const struct host *h, uint32_t n_cpus);
/* CPU time of a thread of another process, as the kernel's scheduler counts it; -1: it is gone. */
int64_t host_thread_ns(int pid, int tid);
int64_t host_tick_ns(void); /* 1/HZ of the kernel */
bool host_kernel_at_least(int major, int minor);
/* The first line of a small file, without its newline; "" where it cannot be read. */
const char *host_read_line(const char *path, char *buf, size_t size);
/* printf into a new string: for *why. */
__attribute__((format(printf, 1, 2))) char *host_text(const char *fmt, ...);

#endif
