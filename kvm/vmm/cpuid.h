// SPDX-License-Identifier: GPL-3.0-or-later
/* cpuid.h - what a guest may know of its processor: a whitelist, the same on every host. */
#ifndef VLAB_KVM_VMM_CPUID_H
#define VLAB_KVM_VMM_CPUID_H

/* 0, or -1 with errno set. */
int cpuid_set(int kvm_fd, int vcpu_fd);

#endif
