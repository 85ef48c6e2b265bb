// SPDX-License-Identifier: GPL-3.0-or-later
/* baseline.h - the same loop in a guest and in a native process, in turn, within one run: what virtualization
 * costs work that needs nobody. */
#ifndef VLAB_KVM_RUNNER_BASELINE_H
#define VLAB_KVM_RUNNER_BASELINE_H

#include "kvm/runner/measure.h"

struct baseline_row {
    uint64_t bytes;       /* walked over; 0: the counted loop, which needs no memory */
    double native, guest; /* medians: ns of a step, or of 1000 iterations of the loop */
    double ratio, spread; /* guest/native: median of the pairs, and the standard error of that median */
    uint32_t pairs;
};

#define BASELINE_PAIRS 11u

/* Measures both in turn, `pairs` times (at most MEASURE_MAX), the first of a pair changing. Hosts as
 * host_open_native and host_open give them. 0, or -1 with *why. */
int baseline_measure(const struct host *native, const struct host *guest, uint64_t bytes, uint32_t pairs,
                     struct baseline_row *row, char **why);

#endif
