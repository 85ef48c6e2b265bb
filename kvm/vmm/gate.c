// SPDX-License-Identifier: GPL-3.0-or-later
/* The VMM's side of the gate: the protocol is ctl.h's. */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kvm/vmm/vmm.h"

int64_t gate_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void futex_wait(uint32_t *word, uint32_t while_it_is)
{
    syscall(SYS_futex, word, FUTEX_WAIT, while_it_is, NULL, NULL, 0);
}

static bool set(const uint32_t *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE) != 0;
}

static void say(struct vcpu *c, enum ctl_state s)
{
    if (s == CTL_RUNNING)
        c->ctl->entered_ns = gate_now();
    else
        c->ctl->changed_ns = gate_now();
    __atomic_store_n(&c->ctl->state, (uint32_t)s, __ATOMIC_RELEASE);
    if (!set(&c->vmm->ctl->gated) || s == CTL_RUNNING) return;
    uint32_t p = __atomic_load_n(&c->ctl->pcpu, __ATOMIC_ACQUIRE);
    uint32_t *bell = &c->vmm->bells->pcpu[p % CTL_PCPUS].rings;
    __atomic_fetch_add(bell, 1, __ATOMIC_ACQ_REL);
    syscall(SYS_futex, bell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void gate_ended(struct vcpu *c)
{
    say(c, CTL_ENDED);
}

static bool open_for(const struct vcpu *c)
{
    const struct ctl *k = c->vmm->ctl;
    if (!set(&k->go)) return true; /* setting up */
    return !set(&k->gated) || set(&k->free_run) || set(&c->vmm->dying) || set(&c->ctl->gate);
}

/* Stands at the gate in state s (said already) until it opens. */
static void stand(struct vcpu *c)
{
    while (!open_for(c))
        futex_wait(&c->ctl->gate, CTL_CLOSED);
    say(c, CTL_RUNNING);
}

void gate_enter(struct vcpu *c)
{
    if (open_for(c)) return;
    say(c, CTL_PARKED);
    stand(c);
}

static void sleep_until(struct vcpu *c, int64_t deadline_ns)
{
    struct timespec t = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000};
    while (!set(&c->vmm->ctl->free_run) && !set(&c->vmm->dying))
        if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != EINTR) break;
}

void gate_wait(struct vcpu *c, int64_t deadline_ns)
{
    const struct ctl *k = c->vmm->ctl;
    struct ctl_wait *w = &c->ctl->waits[c->ctl->n_waits % CTL_WAITS];
    if (set(&k->free_run)) return;
    *w = (struct ctl_wait){.from_ns = gate_now(), .deadline_ns = deadline_ns, .to_ns = INT64_MAX};
    c->ctl->deadline_ns = deadline_ns;
    if (set(&k->gated)) {
        __atomic_store_n(&c->ctl->gate, CTL_CLOSED, __ATOMIC_RELEASE);
        say(c, CTL_WAITING);
        stand(c);
    } else {
        say(c, CTL_WAITING);
        sleep_until(c, deadline_ns);
        say(c, CTL_RUNNING);
    }
    w->to_ns = c->ctl->entered_ns;
    __atomic_store_n(&c->ctl->n_waits, c->ctl->n_waits + 1, __ATOMIC_RELEASE);
}

void gate_sync(struct vcpu *c)
{
    struct ctl *k = c->vmm->ctl;
    say(c, CTL_READY);
    while (!set(&k->go) && !set(&c->vmm->dying))
        futex_wait(&k->go, 0);
    struct abi_boot *b = gmem_at(&c->vmm->ram, (struct gpa){ABI_BOOT}, sizeof *b);
    __atomic_store_n(&b->tsc_zero, k->tsc_zero, __ATOMIC_RELEASE);
    gate_wait(c, k->zero_ns + k->start_ns);
}
