// SPDX-License-Identifier: GPL-3.0-or-later
/* The lock that a VM's tasks share: a ticket lock, first come first served, as the simulated one. */
#include "kvm/guest/guest.h"

/* Each on a line of its own: who draws a ticket does not disturb who waits. */
static struct {
    _Alignas(64) uint32_t next;
    _Alignas(64) uint32_t serving;
    uint32_t inside; /* 0 or 1, or it is no lock */
} lock;

void lock_begin(struct task *t)
{
    t->ticket = __atomic_fetch_add(&lock.next, 1, __ATOMIC_RELAXED);
}

bool lock_spin(const struct guest *g, struct task *t)
{
    for (uint64_t i = 0; !t->holds && i < g->chunk; i += 32) { /* a pause takes some tens of iterations */
        t->holds = __atomic_load_n(&lock.serving, __ATOMIC_ACQUIRE) == t->ticket;
        __builtin_ia32_pause();
    }
    if (t->holds && __atomic_fetch_add(&lock.inside, 1, __ATOMIC_RELAXED) != 0) io_abort(ABI_ABORT_LOCK);
    return t->holds;
}

void lock_release(struct task *t)
{
    t->holds = false;
    __atomic_fetch_sub(&lock.inside, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&lock.serving, t->ticket + 1, __ATOMIC_RELEASE);
}
