// SPDX-License-Identifier: GPL-3.0-or-later
/* netproc.h - one vlab-switch process, as its runner holds it. */
#ifndef VLAB_KVM_RUNNER_NETPROC_H
#define VLAB_KVM_RUNNER_NETPROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "kvm/net.h"

struct netproc {
    pid_t pid; /* 0: none */
    int pidfd; /* readable once it has ended */
    bool gone; /* it has, as netproc_gone saw */
    struct net_ctl *ctl;
    int nic_fd[NET_PORTS]; /* the NICs' ends, for their VMMs; -1: given away */
};

/* Starts it with that configuration. It gets itself ready on its own. 0, or -1 with *why. */
int netproc_start(struct netproc *p, const char *name, const struct net_cfg *cfg, char **why);
/* Waits until it carries frames. 0, or -1 with *why: it could not start, or not in time. */
int netproc_wait_ready(struct netproc *p, const char *name, char **why);
/* Closes the NICs' ends here: their VMMs have them. */
void netproc_hand_over(struct netproc *p);
/* Notes it if the process has ended, without reaping it. True: it has. */
bool netproc_gone(struct netproc *p);
/* Kills, reaps, unmaps. Fine on one that never started (all zeros). */
void netproc_stop(struct netproc *p);

#endif
