// SPDX-License-Identifier: GPL-3.0-or-later
/* pio.h - disks by port I/O, a word at a time: what a guest of `mode: emulation` has (kvm/abi_dev.h).
 *
 * The vCPU thread that the port stopped does what the guest's driver does elsewhere: it puts a request into
 * the ring of its vCPU, which the guest cannot see then, and finds the answer there. So all behind the ring
 * is the same for both. */
#ifndef VLAB_KVM_VMM_PIO_H
#define VLAB_KVM_VMM_PIO_H

#include "kvm/vmm/vmm.h"

/* For every vCPU; after the devices, before the vCPUs run. */
void pio_make_all(struct vmm *v);
/* Whether the VM has such disks and the port is one of theirs. */
bool pio_has(const struct vcpu *c, uint32_t port);
/* An access of `size` bytes at data, which an `in` fills. False: the guest broke the rules; *why. */
bool pio_access(struct vcpu *c, uint32_t port, bool in, uint32_t size, void *data, const char **why);

#endif
