// SPDX-License-Identifier: GPL-3.0-or-later
/* A vCPU as a thread: it calls the payload, whose ports are calls back to here. It keeps to the gate as a
 * guest's thread does: at its ports, and wherever a kick meets it, for the handler stands at the gate itself.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "kvm/vmm/vmm.h"

#define ERR_WRITE 2 /* in the error code of a page fault */

/* What the handlers of a thread's signals can reach. */
static _Thread_local struct {
    struct vcpu *c;
    sigjmp_buf out;                /* of the payload, for good */
    volatile sig_atomic_t outside; /* in here, not in the payload */
} self;

/* The payload's: where it begins, and what it calls instead of writing to a port. */
_Noreturn void guest_main(uint32_t vcpu);
void guest_out(uint32_t port, uint32_t value);

static _Noreturn void end(struct ctl_end e)
{
    self.outside = 1;
    e.at_ns = gate_now();
    self.c->ctl->end = e;
    siglongjmp(self.out, 1);
}

static void leave_if_dying(void)
{
    if (__atomic_load_n(&self.c->vmm->dying, __ATOMIC_ACQUIRE)) end((struct ctl_end){.cause = CTL_SIBLING});
}

/* Through the gate and into the payload. A kick that comes before `outside` is cleared finds its work done
 * here, in the second look; one after it does it itself. */
static void go_in(void)
{
    do {
        self.outside = 1;
        gate_enter(self.c);
        leave_if_dying();
        self.outside = 0;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    } while (!gate_is_open(self.c));
}

void vcpu_on_kick(int sig)
{
    int e = errno;
    (void)sig;
    if (!self.c || self.outside) return;
    self.c->ctl->exits_kick++;
    go_in();
    errno = e;
}

static void do_wait(struct vcpu *c, uint32_t low)
{
    int64_t now = gate_now(), since = now - c->vmm->ctl->zero_ns;
    uint32_t ahead = low - (uint32_t)since;
    if (ahead < UINT32_C(1) << 31) gate_wait(c, now + ahead, VCPU_IDLE);
}

void guest_out(uint32_t port, uint32_t value)
{
    struct vcpu *c = self.c;
    self.outside = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    c->ctl->exits[(port - ABI_PORT_FIRST) / 4 % ABI_PORTS]++;
    switch (port) {
    case ABI_PORT_EXIT: end((struct ctl_end){.cause = CTL_EXIT, .code = value});
    case ABI_PORT_ABORT: end((struct ctl_end){.cause = CTL_ABORT, .code = value});
    case ABI_PORT_WAIT: do_wait(c, value); break;
    case ABI_PORT_SYNC: gate_sync(c); break;
    default: break; /* ABI_PORT_NOP: nobody is asked */
    }
    go_in();
}

/* The processor refused something: the same record as of a guest. */
static void on_fault(int sig, siginfo_t *si, void *context)
{
    const greg_t *r = ((const ucontext_t *)context)->uc_mcontext.gregs;
    if (!self.c || self.outside)
        __builtin_trap(); /* our own mistake: until the stack ends, and then the process */
    const struct gmem *m = &self.c->vmm->memory;
    struct ctl_end e = {.cause = CTL_FAULT, .rip = (uint64_t)r[REG_RIP]};
    e.vector = sig == SIGFPE ? 0 : sig == SIGILL ? 6 : r[REG_TRAPNO] == 14 ? 14 : 13;
    if (e.vector == 14) e.address = (uint64_t)(uintptr_t)si->si_addr;
    uint64_t past = m->base.at + m->bytes; /* the first page after the memory */
    if (m->bytes > 0 && e.address >= past && e.address - past < self.c->vmm->ctl->page_bytes) {
        e.cause = CTL_OUTSIDE;
        e.code = (r[REG_ERR] & ERR_WRITE) != 0;
    }
    end(e);
}

/* Before the first of them calls the payload; the same for all. */
static void catch_faults(struct vmm *v)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, CTL_KICK);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        sigaddset(&s, faults[i]);
        if (sigaction(faults[i], &sa, NULL) != 0) vmm_fail(v->ctl, "signals: %m");
    }
    pthread_sigmask(SIG_UNBLOCK, &s, NULL);
}

void *vcpu_main(void *arg)
{
    struct vcpu *c = arg;
    self.outside = 1;
    self.c = c;
    catch_faults(c->vmm);
    __atomic_store_n(&c->ctl->tid, (uint32_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
    sandbox_confine(c->vmm, &c->vmm->filter_vcpu);
    if (sigsetjmp(self.out, 1) == 0) {
        self.outside = 0;
        guest_main(c->index);
    }
    enum ctl_cause cause = (enum ctl_cause)c->ctl->end.cause;
    gate_ended(c);
    if (cause != CTL_EXIT && cause != CTL_SIBLING) vmm_stop_siblings(c->vmm);
    return NULL;
}
