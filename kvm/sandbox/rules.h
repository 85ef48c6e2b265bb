// SPDX-License-Identifier: GPL-3.0-or-later
/* rules.h - the roles there are and what each may ask of the kernel once it is at work.
 *
 * None may open, map, start or reach anything: what a role works with, it has before. libslirp alone opens
 * sockets and takes memory while it works: its namespace holds loopback and nothing else. */
#ifndef VLAB_KVM_SANDBOX_RULES_H
#define VLAB_KVM_SANDBOX_RULES_H

#include "kvm/sandbox/filter.h"

extern const struct filter_role rules_every;         /* in every role: wait, wake, read the clock, end */
extern const struct filter_role rules_control;       /* a VMM's first thread: waits for the others */
extern const struct filter_role rules_vcpu;          /* runs a guest on KVM */
extern const struct filter_role rules_io;            /* serves a guest's devices */
extern const struct filter_role rules_pager;         /* moves a guest's pages in and out */
extern const struct filter_role rules_store;         /* serves a disk by an io_uring that only moves data */
extern const struct filter_role rules_store_threads; /* the same without one */
extern const struct filter_role rules_switch;        /* carries frames between sockets and taps it has */
extern const struct filter_role rules_slirp;         /* the same, and libslirp: it opens sockets */
extern const struct filter_role rules_native;        /* the same workload as a process: no KVM */

#endif
