// SPDX-License-Identifier: GPL-3.0-or-later
/* switches.h - when Linux put a thread on a CPU and took it off again, exactly: the kernel's own
 * context-switch records (perf_event_open, PERF_RECORD_SWITCH), stamped with CLOCK_MONOTONIC.
 *
 * Unlike samples of schedstat they give every slice and gap; unlike the guest's own view of its TSC they
 * tell a switch from an interrupt, and say whether the thread went because it had to or because it slept. */
#ifndef VLAB_KVM_RUNNER_SWITCHES_H
#define VLAB_KVM_RUNNER_SWITCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct switch_rec {
    int64_t abs_ns;
    int32_t cpu;
    bool in;        /* on the CPU; else off it */
    bool preempted; /* off it although it could have gone on */
};

struct switches {
    int fd;
    void *map;
    uint32_t pages; /* of records in it */
    struct switch_rec *v;
    size_t n, cap;
    bool lost; /* the kernel's buffer overran */
};

/* 0, or -errno: EACCES where kernel.perf_event_paranoid forbids it. */
int switches_open(struct switches *s, int tid);
void switches_drain(struct switches *s);
void switches_done(struct switches *s);

#endif
