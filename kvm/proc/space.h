// SPDX-License-Identifier: GPL-3.0-or-later
/* space.h - a native process's address space, made to look like a guest's (kvm/abi.h). */
#ifndef VLAB_KVM_PROC_SPACE_H
#define VLAB_KVM_PROC_SPACE_H

#include "kvm/vmm/vmm.h"

/* Boot region (read-only, as in a guest), logs and memory, each at its place; v->ram is the boot region as we
 * may write to it. Ends the process where that cannot be done. */
void space_make(struct vmm *v);

#endif
