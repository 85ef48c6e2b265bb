// SPDX-License-Identifier: GPL-3.0-or-later
/* vmm.h - one virtual machine: a process of its own, started by the runner with all it needs in
 * descriptors (kvm/ctl.h), and gone with it. */
#ifndef VLAB_KVM_VMM_VMM_H
#define VLAB_KVM_VMM_VMM_H

#include <linux/kvm.h>
#include <pthread.h>

#include "kvm/ctl.h"
#include "kvm/sandbox/filter.h"
#include "kvm/vmm/paging.h"

struct vmm;
struct dev;

struct pio;

struct vcpu {
    struct vmm *vmm;
    struct pio *pio; /* NULL: no disks by port I/O */
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
    uint32_t dying;    /* a vCPU broke off: its siblings end too */
    struct dev *devs;  /* ABI_MAX_DEVS; NULL: none at all */
    struct gmem rings; /* of all of them, at ABI_RINGS */
    pthread_t io;
    void *(*serve)(void *vmm); /* what the I/O thread runs; NULL: there is none */
    pthread_t pager;
    void *(*page)(void *pager); /* the same of the thread that sees to the guest's pages */
    void *page_arg;
    uint32_t accused; /* before `dying`: 1 + the vCPU whose ring broke the rules, which ends for ... */
    const char *accusation;
    struct filter filter_control, filter_vcpu, filter_io, filter_pager;
    pthread_barrier_t confined; /* of all threads */
    struct vcpu vcpus[ABI_MAX_VCPUS];
};

/* vmm.c: the frame that a process on KVM (main.c) and a native one (kvm/proc) share.
 *
 * Attaches to what the runner has passed and gives up privileges; NULL: it has passed nothing. */
struct vmm *vmm_attach(void (*before)(struct ctl *c));
/* Starts the vCPU threads, confines all and waits for their end; it is the end of the process. */
_Noreturn void vmm_run(struct vmm *v, const struct filter_role *vcpu);
/* A vCPU that broke off takes its VM with it; one that is done leaves the others at work. */
void vmm_stop_siblings(struct vmm *v);
/* The VMM cannot start: leaves the reason for the runner and ends the process. */
_Noreturn __attribute__((format(printf, 2, 3))) void vmm_fail(struct ctl *c, const char *fmt, ...);

/* sandbox.c: gives up what a VMM does not need, in three steps: privileges, at once; when all that a guest
 * needs is there, makes the filters of the threads and closes what they are done with; then each thread, the
 * first too, puts on its own. The last returns in all of them when it is in force in all. */
void sandbox_enter(struct ctl *c);
void sandbox_prepare(struct vmm *v, const struct filter_role *vcpu);
void sandbox_confine(struct vmm *v, const struct filter *f);

/* machine.c: a slot of guest memory, and pages for the guest, for those who make devices. */
void machine_add_slot(struct vmm *v, uint32_t slot, uint64_t at, uint64_t bytes, void *host);
void machine_map(struct vmm *v, uint64_t at, uint64_t bytes, unsigned rights);
/* The doorbell at `port` signals fd. */
void machine_add_bell(struct vmm *v, uint32_t port, int fd);

/* machine.c: RAM, slots, tables, payload; then the vCPUs, ready to be run. */
void machine_make(struct vmm *v);
void machine_make_vcpu(struct vcpu *c);

/* vcpu.c: a vCPU thread; returns when the vCPU has ended. */
void *vcpu_main(void *vcpu);
/* Brings the calling thread out of its guest: the handler of CTL_KICK. */
void vcpu_on_kick(int sig);

/* gate.c: who may enter the guest, and waits. */
int64_t gate_now(void);                  /* CLOCK_MONOTONIC */
void gate_enter(struct vcpu *c);         /* returns when the guest may be entered */
bool gate_is_open(const struct vcpu *c); /* it has been entered and nobody has asked for it back */
/* Until then, or until it is woken; as: what it is in that time. */
void gate_wait(struct vcpu *c, int64_t deadline_ns, enum vcpu_state as);
void gate_fetch(struct vcpu *c); /* returns at once where no page is on its way to it */
void gate_wake(struct vcpu *c);  /* from the I/O thread, and no other */
void gate_stop(struct vcpu *c);  /* `dying` is set: it leaves the guest, or its wait */
void gate_sync(struct vcpu *c);  /* says ready; returns when t = 0 has come and the VM's start too */
void gate_ended(struct vcpu *c);

/* end.c: why a vCPU came to its end; each writes its ctl_end once. */
void end_plain(struct vcpu *c, enum ctl_cause cause, uint32_t code);
void end_fault(struct vcpu *c);
void end_outside(struct vcpu *c);
__attribute__((format(printf, 3, 4))) void end_text(struct vcpu *c, enum ctl_cause cause, const char *fmt,
                                                    ...);

#endif
