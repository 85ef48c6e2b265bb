// SPDX-License-Identifier: GPL-3.0-or-later
/* The runner's side of the gates: the protocol is ctl.h's. */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kvm/runner/dispatch_int.h"

#define STATE_TRIES   100
#define KICK_LIMIT_NS 2000000000 /* a vCPU that does not come back so long is given up, its VM killed */

static uint32_t *bell(const struct dispatch *d, uint32_t pcpu)
{
    return &d->run->host.bells->pcpu[pcpu].rings;
}

static void futex_wake(uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

uint32_t gate_rings(const struct d_pcpu *p)
{
    return __atomic_load_n(bell(p->d, p->index), __ATOMIC_ACQUIRE);
}

void gate_sleep(const struct d_pcpu *p, uint32_t rings, int64_t until_abs_ns)
{
    struct timespec t = {.tv_sec = until_abs_ns / 1000000000, .tv_nsec = until_abs_ns % 1000000000};
    syscall(SYS_futex, bell(p->d, p->index), FUTEX_WAIT_BITSET, rings, &t, NULL, FUTEX_BITSET_MATCH_ANY);
}

void gate_ring(struct dispatch *d, uint32_t pcpu)
{
    __atomic_fetch_add(bell(d, pcpu), 1, __ATOMIC_ACQ_REL);
    futex_wake(bell(d, pcpu));
}

void gate_open(struct d_pcpu *p, uint32_t vcpu)
{
    struct run *r = p->d->run;
    struct d_vcpu *v = &p->d->v[vcpu];
    struct run_vm *vm = run_vm_of(r, vcpu);
    struct ctl_vcpu *c = run_ctl(r, vcpu);
    int cpu = r->host.cpus[p->index];
    if (v->cpu != cpu && vmproc_pin(&vm->proc, r->vcpus[vcpu].index, cpu) == 0) v->cpu = cpu;
    __atomic_store_n(&c->pcpu, p->index, __ATOMIC_RELEASE);
    uint32_t was = __atomic_load_n(&c->state, __ATOMIC_ACQUIRE);
    for (int tries = 0; was != CTL_ENDED; tries++) { /* gate_stopped will tell of that */
        if (__atomic_compare_exchange_n(&c->state, &was, CTL_RUNNING, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            break;
        /* A thread at its closed gate says nothing more but that it ended: this one only keeps us here. */
        if (tries == STATE_TRIES) kill(vm->proc.pid, SIGKILL);
        if (tries >= STATE_TRIES) return;
    }
    if (was == CTL_ENDED) return;
    __atomic_store_n(&c->gate, CTL_OPEN, __ATOMIC_RELEASE);
    futex_wake(&c->gate);
}

bool gate_stopped(const struct d_pcpu *p, enum gate_stop *how)
{
    const struct ctl_vcpu *c = run_ctl(p->d->run, p->cur);
    uint32_t gate = __atomic_load_n(&c->gate, __ATOMIC_ACQUIRE);
    *how = GATE_GONE;
    if (run_is_down(run_vm_of(p->d->run, p->cur))) return true;
    if (__atomic_load_n(&c->state, __ATOMIC_ACQUIRE) == CTL_ENDED) return true;
    *how = GATE_WAITING;
    return gate == CTL_CLOSED;
}

static bool is_back(struct d_pcpu *p, const struct ctl_vcpu *c, enum gate_stop *how)
{
    uint32_t s = __atomic_load_n(&c->state, __ATOMIC_ACQUIRE);
    *how = s == CTL_PARKED ? GATE_PARKED : s == CTL_WAITING ? GATE_WAITING : GATE_GONE;
    return s == CTL_PARKED || s == CTL_WAITING || s == CTL_ENDED || run_is_down(run_vm_of(p->d->run, p->cur));
}

enum gate_stop gate_take_back(struct d_pcpu *p)
{
    struct run_vm *vm = run_vm_of(p->d->run, p->cur);
    struct ctl_vcpu *c = run_ctl(p->d->run, p->cur);
    enum gate_stop how;
    if (gate_stopped(p, &how)) return how;
    uint32_t was = __atomic_exchange_n(&c->gate, CTL_CLOSED, __ATOMIC_ACQ_REL);
    if (was == CTL_CLOSED) return GATE_WAITING;
    if (was == CTL_OPEN) {
        __atomic_store_n(&c->state, CTL_PARKED, __ATOMIC_RELEASE);
        return GATE_NEVER_IN;
    }
    pid_t pid = vm->proc.pid;
    syscall(SYS_tgkill, pid, vm->proc.tid[p->d->run->vcpus[p->cur].index], CTL_KICK);
    pthread_mutex_unlock(&p->d->lock);
    int64_t limit = host_now() + KICK_LIMIT_NS;
    for (;;) {
        uint32_t rings = gate_rings(p);
        if (is_back(p, c, &how)) break;
        if (host_now() > limit) {
            kill(pid, SIGKILL);
            how = GATE_GONE;
            break;
        }
        gate_sleep(p, rings, host_now() + 100000000);
    }
    pthread_mutex_lock(&p->d->lock);
    return how;
}
