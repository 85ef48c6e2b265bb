// SPDX-License-Identifier: GPL-3.0-or-later
/* vmm.h - one virtual machine: a process of its own, started by the runner with all it needs in
 * descriptors (kvm/ctl.h), and gone with it. */
#ifndef VLAB_KVM_VMM_VMM_H
#define VLAB_KVM_VMM_VMM_H

#include <linux/kvm.h>
#include <pthread.h>

#include "kvm/ctl.h"
#include "kvm/vmm/paging.h"

struct vmm;

struct vcpu {
    struct vmm *vmm;
    struct ctl_vcpu *ctl;
    uint32_t index;
    int fd;
    struct kvm_run *run; /* run_bytes, shared with KVM */
    size_t run_bytes;
    pthread_t thread;
};

struct vmm {
    struct ctl *ctl;
    struct ctl_bells *bells;
    struct gmem ram;
    struct gmem memory; /* what its steps touch, at ABI_MEMORY; not there where none does */
    struct gmem tables; /* page tables of that and of secrets, at ABI_MORE_TABLES */
    struct gmem secret; /* at ABI_SECRET; not there where it keeps none */
    struct paging paging;
    int kvm, vm;
    uint64_t entry;
    uint32_t dying; /* a vCPU broke off: its siblings end too */
    struct vcpu vcpus[ABI_MAX_VCPUS];
};

/* The VMM cannot start: leaves the reason for the runner and ends the process. */
_Noreturn __attribute__((format(printf, 2, 3))) void vmm_fail(struct ctl *c, const char *fmt, ...);

/* sandbox.c: gives up what a VMM does not need. */
void sandbox_enter(struct ctl *c);

/* machine.c: RAM, slots, tables, payload; then the vCPUs, ready to be run. */
void machine_make(struct vmm *v);
void machine_make_vcpu(struct vcpu *c);

/* vcpu.c: a vCPU thread; returns when the vCPU has ended. */
void *vcpu_main(void *vcpu);
/* Makes KVM_RUN of the calling thread return: the handler of CTL_KICK. */
void vcpu_on_kick(int sig);

/* gate.c: who may enter the guest, and waits. */
int64_t gate_now(void);          /* CLOCK_MONOTONIC */
void gate_enter(struct vcpu *c); /* returns when the guest may be entered */
void gate_wait(struct vcpu *c, int64_t deadline_ns);
void gate_fetch(struct vcpu *c); /* returns at once where no page is on its way to it */
void gate_sync(struct vcpu *c);  /* says ready; returns when t = 0 has come and the VM's start too */
void gate_ended(struct vcpu *c);

/* end.c: why a vCPU came to its end; each writes its ctl_end once. */
void end_plain(struct vcpu *c, enum ctl_cause cause, uint32_t code);
void end_fault(struct vcpu *c);
void end_outside(struct vcpu *c);
__attribute__((format(printf, 3, 4))) void end_text(struct vcpu *c, enum ctl_cause cause, const char *fmt,
                                                    ...);

#endif
