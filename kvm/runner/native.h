// SPDX-License-Identifier: GPL-3.0-or-later
/* native.h - `scheduler: eevdf`: Linux itself decides, by cgroup weights and quotas; we only look on.
 *
 * Each vCPU thread is pinned to one pCPU, the least taken of those its VM may use, in the scenario's order:
 * left to Linux's balancing, three vCPUs may share a core for a whole run. */
#ifndef VLAB_KVM_RUNNER_NATIVE_H
#define VLAB_KVM_RUNNER_NATIVE_H

#include "kvm/runner/run.h"

struct native;

/* Before the VMs start. NULL with *why and *st. */
struct native *native_new(struct run *r, enum kvm_status *st, char **why);
/* The pCPU of a vCPU. */
uint32_t native_pcpu(const struct native *n, uint32_t vcpu);
/* When all are ready: pins them, begins to look. */
enum kvm_status native_begin(struct native *n, char **why);
void native_poll(struct native *n);
/* Whether what the VMM of this VM told of its waits can be. */
bool native_sane(const struct native *n, uint32_t vm);
/* After the run: the records of vCPUs and pCPUs. 0, or -1 with *why. */
int native_finish(struct native *n, char **why);
/* After the VMMs are gone. NULL is fine. */
void native_free(struct native *n);

#endif
