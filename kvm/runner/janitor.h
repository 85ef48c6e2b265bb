// SPDX-License-Identifier: GPL-3.0-or-later
/* janitor.h - what a run must leave behind in no case: its cgroups, also when the runner is killed.
 *
 * VMMs die with their runner by themselves, and what they share lies in memory; a cgroup is a directory,
 * which somebody has to remove. A child of the runner, in a session of its own, waits at a socket: the runner
 * dismisses it, or it reads the end, and then cleans up in the runner's place. */
#ifndef VLAB_KVM_RUNNER_JANITOR_H
#define VLAB_KVM_RUNNER_JANITOR_H

#include <sys/types.h>

struct janitor {
    pid_t pid; /* 0: none */
    int fd;
};

/* Before this process has other threads or makes a group. Where it cannot be started there is none. */
void janitor_start(struct janitor *j);
/* The runner has cleaned up. */
void janitor_dismiss(struct janitor *j);

#endif
