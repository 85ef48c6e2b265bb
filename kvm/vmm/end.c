// SPDX-License-Identifier: GPL-3.0-or-later
/* How a vCPU ended, with all that can be known of it. */
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "kvm/vmm/vmm.h"

static struct ctl_end *new_end(struct vcpu *c, enum ctl_cause cause)
{
    struct ctl_end *e = &c->ctl->end;
    struct kvm_regs regs;
    e->cause = (uint32_t)cause;
    e->at_ns = gate_now();
    if (ioctl(c->fd, KVM_GET_REGS, &regs) == 0) e->rip = regs.rip;
    return e;
}

void end_plain(struct vcpu *c, enum ctl_cause cause, uint32_t code)
{
    new_end(c, cause)->code = code;
}

void end_text(struct vcpu *c, enum ctl_cause cause, const char *fmt, ...)
{
    struct ctl_end *e = new_end(c, cause);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
}

/* Without an IDT an exception becomes a triple fault. Registers are still those of the instruction that
 * raised it, and KVM remembers which exception it was. */
void end_fault(struct vcpu *c)
{
    struct ctl_end *e = new_end(c, CTL_FAULT);
    struct kvm_vcpu_events ev;
    struct kvm_sregs sregs;
    if (ioctl(c->fd, KVM_GET_VCPU_EVENTS, &ev) == 0) {
        e->vector = ev.exception.nr;
        e->code = ev.exception.error_code;
    }
    if (ioctl(c->fd, KVM_GET_SREGS, &sregs) == 0) e->address = e->vector == 14 ? sregs.cr2 : 0;
}

void end_outside(struct vcpu *c)
{
    struct ctl_end *e = new_end(c, CTL_OUTSIDE);
    e->address = c->run->mmio.phys_addr;
    e->code = c->run->mmio.is_write;
}
