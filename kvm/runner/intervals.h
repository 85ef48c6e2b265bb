// SPDX-License-Identifier: GPL-3.0-or-later
/* intervals.h - from Linux's context switches to the states of vCPUs and pCPUs.
 *
 * A vCPU runs while its thread is on a CPU. Off it, it is idle while its guest waits (the VMM says from when
 * to which deadline), throttled while its cgroup was (see below), else ready. An interruption by the host's
 * own threads of under 50 us, in which no other vCPU ran there, belongs to the run, as an interrupt does.
 *
 * The kernel tells how long a group was throttled, not when. What was added to that between two looks belongs
 * to gaps that overlap them, the longest first, and to the beginning of each: a group is first let run again
 * and then waits for its CPU. So throttled + ready is exact to the ns and their split to the kernel's figure:
 * contention = run delay - throttled time.
 *
 * The sum of the runs is held against the kernel's schedstat; where they disagree the run has failed.
 *
 * A pCPU is idle while none of its vCPUs runs or is ready; from one vCPU to the next at most 200 us are a
 * switch; the rest is the host's own and in no record. */
#ifndef VLAB_KVM_RUNNER_INTERVALS_H
#define VLAB_KVM_RUNNER_INTERVALS_H

#include "kvm/runner/run.h"

struct intervals;

struct intervals *intervals_new(struct run *r,
                                const uint32_t *pcpu); /* pcpu of each vCPU, kept by the caller */
void intervals_free(struct intervals *iv);
int intervals_watch(struct intervals *iv, uint32_t vcpu, int tid); /* 0, or -errno */
void intervals_poll(struct intervals *iv);
/* False: its VMM told of waits that cannot have been; none of them is used any more. */
bool intervals_sane(const struct intervals *iv, uint32_t vcpu);
/* The total time for which the VM was throttled, as seen at t_ns. */
void intervals_throttled(struct intervals *iv, uint32_t vm, int64_t t_ns, int64_t total_ns);
int intervals_finish(struct intervals *iv, char **why);

#endif
