// SPDX-License-Identifier: GPL-3.0-or-later
/* What the dispatcher's doings cost: two guests that never stop by themselves, let in and taken back in turn.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kvm/runner/boot.h"
#include "kvm/runner/measure.h"
#include "kvm/runner/vmproc.h"

#define FOREVER_NS  INT64_C(3600000000000)
#define PATIENCE_NS 2000000000
#define HOLD_NS     2000000
#define TRIES       20u /* turns for each that counts */

/* Waits on the bell of pCPU 0, which a vCPU thread rings whenever it says something: looking again and again
 * would keep that thread, on this very CPU, from getting there. */
static bool in_state(const struct host *h, const struct vmproc *p, enum ctl_state s)
{
    uint32_t *bell = &h->bells->pcpu[0].rings;
    for (int64_t until = host_now() + PATIENCE_NS; host_now() < until;) {
        uint32_t rings = __atomic_load_n(bell, __ATOMIC_ACQUIRE);
        if (vmproc_state(p, 0) == s) return true;
        struct timespec t = {.tv_nsec = 100000000};
        syscall(SYS_futex, bell, FUTEX_WAIT, rings, &t, NULL, 0);
    }
    return false;
}

static void let_in(struct vmproc *p)
{
    struct ctl_vcpu *c = &p->ctl->v[0];
    __atomic_store_n(&c->state, CTL_RUNNING, __ATOMIC_RELEASE);
    __atomic_store_n(&c->gate, CTL_OPEN, __ATOMIC_RELEASE);
    syscall(SYS_futex, &c->gate, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* Takes the guest back; *took_ns: from the kick to the stop, or -1 where it had not got in yet. False: it did
 * not stop. */
static bool take_back(const struct host *h, struct vmproc *p, int64_t *took_ns)
{
    struct ctl_vcpu *c = &p->ctl->v[0];
    int64_t from = host_now();
    *took_ns = -1;
    if (__atomic_exchange_n(&c->gate, CTL_CLOSED, __ATOMIC_ACQ_REL) == CTL_OPEN) {
        __atomic_store_n(&c->state, CTL_PARKED,
                         __ATOMIC_RELEASE); /* it stands at the gate and says nothing */
        return true;
    }
    syscall(SYS_tgkill, p->pid, c->tid, CTL_KICK);
    if (!in_state(h, p, CTL_PARKED)) return false;
    *took_ns = c->changed_ns - from;
    return true;
}

static int start(const struct host *h, struct vmproc *p, char **why)
{
    const struct boot_measure what = {.mode = ABI_MEASURE, .count = 1, .target_ns = FOREVER_NS};
    int fd = boot_make_measure(h, &what, why);
    if (fd < 0) return -1;
    struct vmproc_cfg cfg = {
        .name = "measure", .n_vcpus = 1, .gated = true, .boot_fd = fd, .cpu = h->cpus[0], .payload_fd = -1};
    int r = vmproc_start(p, h, &cfg, why);
    close(fd);
    if (r != 0 || (r = vmproc_wait_ready(p, cfg.name, why)) != 0) return r;
    host_pin((int)p->ctl->v[0].tid, h->cpus[0]);
    uint64_t tsc;
    int64_t now;
    host_clock_pair(&tsc, &now);
    vmproc_go(p, now, tsc);
    return in_state(h, p, CTL_WAITING) ? 0 : -1;
}

static bool one_turn(const struct host *h, struct vmproc *from, struct vmproc *to, struct measure *kick,
                     struct measure *change)
{
    host_sleep_until(host_now() + HOLD_NS);
    int64_t kicked;
    if (!take_back(h, from, &kicked)) return false;
    let_in(to);
    host_sleep_until(host_now() + HOLD_NS);
    if (kicked < 0 || __atomic_load_n(&to->ctl->v[0].gate, __ATOMIC_ACQUIRE) != CTL_INSIDE)
        return true; /* one of the two was late: not counted */
    measure_add(kick, (double)kicked);
    measure_add(change, (double)(to->ctl->v[0].entered_ns - from->ctl->v[0].changed_ns));
    return true;
}

int measure_gate(const struct host *h, uint32_t count, struct measure *kick, struct measure *change,
                 char **why)
{
    struct vmproc p[2] = {{0}, {0}};
    cpu_set_t old;
    struct cgroups groups = {0};
    int policy, r = start(h, &p[0], why);
    struct sched_param was, fifo = {.sched_priority = 10};
    if (r == 0) r = start(h, &p[1], why);
    for (uint32_t i = 0; r == 0 && i < 2; i++)
        measure_shelter(&groups, i, p[i].pid);
    sched_getaffinity(0, sizeof old, &old);
    pthread_getschedparam(pthread_self(), &policy, &was);
    host_pin(0, h->cpus[0]); /* as a dispatcher is */
    pthread_setschedparam(pthread_self(), SCHED_FIFO, &fifo);
    if (r == 0) let_in(&p[0]);
    for (uint32_t i = 0; r == 0 && kick->n < count && i < TRIES * count; i++)
        if (!one_turn(h, &p[i % 2], &p[(i + 1) % 2], kick, change)) r = -1;
    pthread_setschedparam(pthread_self(), policy, &was);
    sched_setaffinity(0, sizeof old, &old);
    vmproc_stop(&p[0]);
    vmproc_stop(&p[1]);
    cgroup_remove(&groups, 2);
    if (r != 0 && !*why) *why = host_text("measuring failed: a guest did not stop when it was kicked");
    if (r == 0 && kick->n < count) {
        *why = host_text("measuring failed: this machine is too busy to let a guest in within %d ms",
                         HOLD_NS / 1000000);
        r = -1;
    }
    measure_sort(kick);
    measure_sort(change);
    return r;
}
