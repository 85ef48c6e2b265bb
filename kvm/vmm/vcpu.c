// SPDX-License-Identifier: GPL-3.0-or-later
/* A vCPU: in through the gate, run, and do what it came out for. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm/vmm/pio.h"

#define TSC_SKEW                                                                                             \
    (UINT32_C(1) << 30) /* a guest's clock may lag the host's so many ticks: it was scheduled out */

/* What a signal handler can reach: the kvm_run of its own thread. */
static _Thread_local struct kvm_run *volatile kick_run;

void vcpu_on_kick(int sig)
{
    (void)sig;
    if (kick_run) kick_run->immediate_exit = 1;
}

static bool do_wait(struct vcpu *c, uint32_t low, enum vcpu_state as)
{
    const struct ctl *k = c->vmm->ctl;
    int64_t now = gate_now(), since = now - k->zero_ns;
    uint32_t ahead = low - (uint32_t)since;
    if (ahead < UINT32_C(1) << 31) gate_wait(c, now + ahead, as);
    return true;
}

static bool do_sync(struct vcpu *c, uint32_t tsc_low)
{
    uint32_t late = (uint32_t)abi_tsc() - tsc_low;
    if (late > TSC_SKEW) {
        end_text(c, CTL_REFUSED, "the guest's TSC is not the host's (differs by %d ticks)", (int)late);
        return false;
    }
    if (c->ctl->exits[(ABI_PORT_SYNC - ABI_PORT_FIRST) / 4] > 1) {
        end_text(c, CTL_ABI, "said ready twice");
        return false;
    }
    gate_sync(c);
    return true;
}

/* A disk's port. False: the vCPU has ended. */
static bool do_pio(struct vcpu *c)
{
    struct kvm_run *r = c->run;
    const char *why = "port I/O by a string instruction";
    uint64_t end;
    bool ok = gmem_add(r->io.data_offset, r->io.size, &end) && end <= c->run_bytes && r->io.count == 1;
    c->ctl->exits_pio++;
    if (ok && pio_access(c, r->io.port, r->io.direction == KVM_EXIT_IO_IN, r->io.size,
                         (char *)r + r->io.data_offset, &why))
        return true;
    end_text(c, CTL_ABI, "port 0x%x: %s", r->io.port, why);
    return false;
}

/* False: the vCPU has ended. */
static bool do_port(struct vcpu *c)
{
    const struct kvm_run *r = c->run;
    uint64_t end;
    uint32_t port = r->io.port, value, i = (port - ABI_PORT_FIRST) / 4;
    if (pio_has(c, port)) return do_pio(c);
    bool known = port >= ABI_PORT_FIRST && port % 4 == 0 && i < ABI_PORTS;
    if (!known || r->io.direction != KVM_EXIT_IO_OUT || r->io.size != 4 || r->io.count != 1) {
        end_text(c, CTL_ABI, "%u x %u bytes %s port 0x%x", r->io.count, r->io.size,
                 r->io.direction == KVM_EXIT_IO_OUT ? "to" : "from", port);
        return false;
    }
    if (!gmem_add(r->io.data_offset, sizeof value, &end) || end > c->run_bytes) {
        end_text(c, CTL_REFUSED, "KVM's data lies outside its page");
        return false;
    }
    memcpy(&value, (const char *)r + r->io.data_offset, sizeof value);
    c->ctl->exits[i]++;
    switch (port) {
    case ABI_PORT_EXIT: end_plain(c, CTL_EXIT, value); return false;
    case ABI_PORT_ABORT: end_plain(c, CTL_ABORT, value); return false;
    case ABI_PORT_WAIT: return do_wait(c, value, VCPU_IDLE);
    case ABI_PORT_WAIT_DISK: return do_wait(c, value, VCPU_DISKWAIT);
    case ABI_PORT_WAIT_NET: return do_wait(c, value, VCPU_NETWAIT);
    case ABI_PORT_SYNC: return do_sync(c, value);
    case ABI_PORT_NOP:
    case ABI_PORT_HALT: return true;
    default: end_text(c, CTL_ABI, "port 0x%x: there is no such device", port); return false;
    }
}

/* False: it lies in no slot and is no device either. */
static bool do_device(struct vcpu *c)
{
    const struct kvm_run *r = c->run;
    if (r->mmio.phys_addr != ABI_DEVICE || !r->mmio.is_write || r->mmio.len != 4) {
        end_outside(c);
        return false;
    }
    c->ctl->exits_device++;
    return true;
}

static bool do_exit(struct vcpu *c)
{
    switch (c->run->exit_reason) {
    case KVM_EXIT_IO: return do_port(c);
    case KVM_EXIT_SHUTDOWN: end_fault(c); return false;
    case KVM_EXIT_MMIO: return do_device(c);
    case KVM_EXIT_INTR: c->ctl->exits_kick++; return true;
    case KVM_EXIT_INTERNAL_ERROR:
        end_text(c, CTL_REFUSED, "KVM cannot run an instruction (internal error %u)",
                 c->run->internal.suberror);
        return false;
    case KVM_EXIT_FAIL_ENTRY:
        end_text(c, CTL_REFUSED, "KVM cannot enter the guest (hardware reason 0x%llx)",
                 c->run->fail_entry.hardware_entry_failure_reason);
        return false;
    default: end_text(c, CTL_REFUSED, "unexpected exit %u", c->run->exit_reason); return false;
    }
}

/* One turn in the guest. False: the vCPU has ended. */
static bool turn(struct vcpu *c)
{
    /* In this order: a kick after the gate was seen open leaves immediate_exit set. */
    __atomic_store_n(&c->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    gate_fetch(c);
    gate_enter(c);
    if (__atomic_load_n(&c->vmm->dying, __ATOMIC_ACQUIRE)) {
        if (c->vmm->accused == c->index + 1)
            end_text(c, CTL_ABI, "%s", c->vmm->accusation);
        else
            end_plain(c, CTL_SIBLING, 0);
        return false;
    }
    if (ioctl(c->fd, KVM_RUN, 0) == 0) return do_exit(c);
    if (errno == EINTR || errno == EAGAIN) {
        c->ctl->exits_kick++;
        return true;
    }
    end_text(c, CTL_REFUSED, "KVM_RUN: %s", strerror(errno));
    return false;
}

void *vcpu_main(void *arg)
{
    struct vcpu *c = arg;
    sigset_t kick;
    sigemptyset(&kick);
    sigaddset(&kick, CTL_KICK);
    kick_run = c->run;
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
    __atomic_store_n(&c->ctl->tid, (uint32_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
    sandbox_confine(c->vmm, &c->vmm->filter_vcpu);
    while (turn(c)) {
    }
    enum ctl_cause cause = (enum ctl_cause)c->ctl->end.cause;
    gate_ended(c);
    if (cause != CTL_EXIT && cause != CTL_SIBLING) vmm_stop_siblings(c->vmm);
    return NULL;
}
