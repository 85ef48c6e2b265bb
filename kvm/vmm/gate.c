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
    c->ctl->changed_ns = gate_now();
    __atomic_store_n(&c->ctl->state, (uint32_t)s, __ATOMIC_RELEASE);
}

static void ring(struct vcpu *c)
{
    if (!set(&c->vmm->ctl->gated)) return;
    uint32_t p = __atomic_load_n(&c->ctl->pcpu, __ATOMIC_ACQUIRE);
    uint32_t *bell = &c->vmm->bells->pcpu[p % CTL_PCPUS].rings;
    __atomic_fetch_add(bell, 1, __ATOMIC_ACQ_REL);
    syscall(SYS_futex, bell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void gate_ended(struct vcpu *c)
{
    say(c, CTL_ENDED);
    ring(c);
}

/* No gate holds: none is used, not yet, or no more. */
static bool no_gate(const struct vcpu *c)
{
    const struct ctl *k = c->vmm->ctl;
    return !set(&k->go) || !set(&k->gated) || set(&k->free_run) || set(&c->vmm->dying);
}

/* Stands at the closed gate until it opens, and goes in. */
static void stand(struct vcpu *c)
{
    while (!no_gate(c)) {
        uint32_t open = CTL_OPEN;
        c->ctl->entered_ns = gate_now();
        if (__atomic_compare_exchange_n(&c->ctl->gate, &open, CTL_INSIDE, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return;
        futex_wait(&c->ctl->gate, CTL_CLOSED);
    }
    c->ctl->entered_ns = gate_now();
}

bool gate_is_open(const struct vcpu *c)
{
    return no_gate(c) || __atomic_load_n(&c->ctl->gate, __ATOMIC_ACQUIRE) == CTL_INSIDE;
}

void gate_enter(struct vcpu *c)
{
    if (gate_is_open(c)) return;
    say(c, CTL_PARKED);
    ring(c);
    stand(c);
}

/* Until the deadline, a wake-up, the end of the run or that of a sibling, which wakes too. */
static void sleep_until(struct vcpu *c, int64_t deadline_ns)
{
    struct timespec t = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000};
    while (!set(&c->vmm->ctl->free_run) && !set(&c->vmm->dying) && !set(&c->ctl->wake))
        if (syscall(SYS_futex, &c->ctl->wake, FUTEX_WAIT_BITSET, 0, &t, NULL, FUTEX_BITSET_MATCH_ANY) != 0 &&
            errno == ETIMEDOUT)
            break;
}

/* Takes away a wake-up. True: there was one. */
static bool take_wake(struct vcpu *c)
{
    return __atomic_exchange_n(&c->ctl->wake, 0, __ATOMIC_SEQ_CST) != 0;
}

void gate_stop(struct vcpu *c)
{
    uint32_t tid = __atomic_load_n(&c->ctl->tid, __ATOMIC_ACQUIRE);
    __atomic_store_n(&c->ctl->wake, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &c->ctl->wake, FUTEX_WAKE, 1, NULL, NULL, 0);
    if (tid != 0) syscall(SYS_tgkill, getpid(), tid, CTL_KICK);
}

void gate_wake(struct vcpu *c)
{
    if (__atomic_load_n(&c->ctl->wake, __ATOMIC_SEQ_CST)) return; /* who takes it away looks around after */
    c->ctl->woken_ns = gate_now();
    __atomic_store_n(&c->ctl->wake, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &c->ctl->wake, FUTEX_WAKE, 1, NULL, NULL, 0);
    ring(c);
}

void gate_wait(struct vcpu *c, int64_t deadline_ns, enum vcpu_state as)
{
    const struct ctl *k = c->vmm->ctl;
    struct ctl_wait *w = &c->ctl->waits[c->ctl->n_waits % CTL_WAITS];
    if (set(&k->free_run) || take_wake(c)) return;
    *w = (struct ctl_wait){
        .from_ns = gate_now(), .deadline_ns = deadline_ns, .to_ns = INT64_MAX, .as = (uint32_t)as};
    c->ctl->deadline_ns = deadline_ns;
    c->ctl->waits_as = (uint32_t)as;
    say(c, CTL_WAITING);
    if (set(&k->gated)) {
        __atomic_store_n(&c->ctl->gate, CTL_CLOSED, __ATOMIC_RELEASE);
        ring(c);
        stand(c);
    } else {
        sleep_until(c, deadline_ns);
        c->ctl->entered_ns = gate_now();
        __atomic_store_n(&c->ctl->state, CTL_RUNNING, __ATOMIC_RELEASE);
    }
    w->to_ns = c->ctl->entered_ns;
    int64_t woken = take_wake(c) ? c->ctl->woken_ns : INT64_MAX;
    if (woken >= w->from_ns && woken < deadline_ns) w->deadline_ns = woken;
    __atomic_store_n(&c->ctl->n_waits, c->ctl->n_waits + 1, __ATOMIC_RELEASE);
}

void gate_fetch(struct vcpu *c)
{
    if (no_gate(c) || !set(&c->ctl->fetching)) return;
    c->ctl->deadline_ns = CTL_FETCH;
    say(c, CTL_WAITING);
    __atomic_store_n(&c->ctl->gate, CTL_CLOSED, __ATOMIC_RELEASE);
    ring(c);
    stand(c);
}

void gate_sync(struct vcpu *c)
{
    struct ctl *k = c->vmm->ctl;
    say(c, CTL_READY);
    while (!set(&k->go) && !set(&c->vmm->dying))
        futex_wait(&k->go, 0);
    struct abi_boot *b = gmem_at(&c->vmm->ram, (struct gpa){ABI_BOOT}, sizeof *b);
    __atomic_store_n(&b->tsc_zero, k->tsc_zero, __ATOMIC_RELEASE);
    int64_t start = k->zero_ns + k->start_ns;
    take_wake(c); /* of before its time */
    do
        gate_wait(c, start, VCPU_IDLE);
    while (gate_now() < start && !set(&k->free_run) && !set(&c->vmm->dying));
}
