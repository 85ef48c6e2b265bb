// SPDX-License-Identifier: GPL-3.0-or-later
/* probe.h - what this machine is and what it lets us do. */
#ifndef VLAB_KVM_RUNNER_PROBE_H
#define VLAB_KVM_RUNNER_PROBE_H

#include <stddef.h>

const char *probe_cpu(char *buf, size_t size);        /* the processor's name; "unknown" */
const char *probe_kvm_module(char *buf, size_t size); /* kvm_intel, kvm_amd, ...; "built in" */

#endif
