// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab-proc: the payload as a native process, without any virtual machine: what guests are held against, and
 * what runs where there is no KVM. Started by `vlab`, not by hand.
 *
 * It is the payload's own code, compiled as for a guest, at the guest's own addresses: the program stands
 * above the payload's, and space.c puts boot region, logs and memory where kvm/abi.h says. Only the ports
 * are calls (vcpu.c). So a guest's work and a process's differ by virtualization and by nothing else. */
#include <stdio.h>

#include "kvm/proc/space.h"
#include "kvm/sandbox/rules.h"

int main(void)
{
    struct vmm *v = vmm_attach(NULL);
    if (!v) {
        fprintf(stderr, "vlab-proc runs one workload for vlab, which starts it. See `vlab run --help`.\n");
        return 2;
    }
    space_make(v);
    vmm_run(v, &rules_native);
}
