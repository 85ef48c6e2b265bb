// SPDX-License-Identifier: GPL-3.0-or-later
/* cgroup.h - weights and quotas by Linux: one flat group a VM, in the cpu controller of version 1 or 2.
 *
 * The largest weight of a run counts as a hundred ordinary processes, so that the host's own work disturbs
 * little: CGROUP_MAX_WEIGHT is version 2's largest cpu.weight, and 102400 as version 1's cpu.shares. Groups
 * are named vlab-PID-VM after the runner; those of runners that are no more are removed on the way. */
#ifndef VLAB_KVM_RUNNER_CGROUP_H
#define VLAB_KVM_RUNNER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CGROUP_MAX_WEIGHT 10000u

struct cgroups {
    int version;     /* 1 or 2; 0: none to be had */
    char base[3072]; /* the directory that ours are made in */
};

/* Finds a place where groups can be made. False: *why (malloc'ed) says what is in the way. */
bool cgroup_find(struct cgroups *c, char **why);
/* Makes VM vm's group; quota_ns 0: no limit. 0, or -1 with *why. */
int cgroup_make(const struct cgroups *c, uint32_t vm, uint32_t weight, int64_t quota_ns, int64_t period_ns,
                char **why);
int cgroup_add(const struct cgroups *c, uint32_t vm, pid_t pid, char **why);
/* For how long the VM was held back by its quota so far. */
int64_t cgroup_throttled_ns(const struct cgroups *c, uint32_t vm);
/* Removes the groups 0 .. n-1 of this runner, as soon as their processes are gone. */
void cgroup_remove(const struct cgroups *c, uint32_t n);
/* Removes all groups of a runner that are empty; how many are left. */
int cgroup_remove_of(const struct cgroups *c, pid_t runner);

#endif
