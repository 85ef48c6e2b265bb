// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab-vmm: runs one guest on KVM. Started by `vlab`, not by hand. */
#include <stdio.h>

#include "kvm/sandbox/rules.h"
#include "kvm/vmm/dev.h"
#include "kvm/vmm/pager.h"
#include "kvm/vmm/pio.h"

int main(void)
{
    struct vmm *v = vmm_attach(pager_open);
    if (!v) {
        fprintf(stderr, "vlab-vmm runs one guest for vlab, which starts it. See `vlab run --help`.\n");
        return 2;
    }
    machine_make(v);
    for (uint32_t i = 0; i < v->ctl->n_vcpus; i++)
        machine_make_vcpu(&v->vcpus[i]);
    pio_make_all(v);
    if (v->devs) v->serve = io_main;
    pager_make(v);
    vmm_run(v, &rules_vcpu);
}
