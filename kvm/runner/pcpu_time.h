// SPDX-License-Identifier: GPL-3.0-or-later
/* pcpu_time.h - what each pCPU did, from what its vCPUs did: see intervals.h. */
#ifndef VLAB_KVM_RUNNER_PCPU_TIME_H
#define VLAB_KVM_RUNNER_PCPU_TIME_H

#include "kvm/runner/run.h"

/* Adds REC_IDLE and REC_SWITCH to run.recs; the vCPUs' records are complete. */
void pcpu_time_add(struct run *r, const uint32_t *pcpu);

#endif
