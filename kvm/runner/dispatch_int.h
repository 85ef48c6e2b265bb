// SPDX-License-Identifier: GPL-3.0-or-later
/* dispatch_int.h - the parts of the dispatcher: dispatch.c decides, gate_run.c opens and closes gates,
 * accounts.c writes down what came of it. All of it under dispatch.lock. */
#ifndef VLAB_KVM_RUNNER_DISPATCH_INT_H
#define VLAB_KVM_RUNNER_DISPATCH_INT_H

#include <pthread.h>

#include "kvm/runner/dispatch.h"
#include "policy/sched.h"

/* A vCPU as its accounts have it. */
struct d_vcpu {
    enum vcpu_state state;
    int64_t since_ns;
    int64_t wake_ns;         /* its guest waits until then; INT64_MAX: it does not */
    uint16_t pcpu;           /* where it ran last, or will; REC_NONE: nowhere yet */
    int cpu;                 /* its thread is pinned to; -1 */
    enum vcpu_state wait_as; /* what it then is */
    bool down;
    bool fetches; /* it waits for a page, until its ctl_vcpu says that it is there */
};

struct d_pcpu {
    struct dispatch *d;
    uint32_t index;
    pthread_t thread;
    bool started;
    uint32_t cur;   /* SCHED_NONE: idle */
    bool entered;   /* cur's thread is known to have gone in */
    bool goes_on;   /* cur ran just before, too: its run was not interrupted */
    bool need;      /* to be picked for again */
    int64_t run_ns; /* what cur was given */
    int64_t opened_ns;
    int64_t charged_ns; /* cur's time is charged up to here */
    int64_t until_ns;   /* its time is up; estimated until it is known when it went in */
    int64_t lag_ns;     /* from opening a gate to going in, lately */
    int64_t free_ns;    /* nobody has run since */
    int64_t switch_ns;  /* ... and it switches since */
    struct recs recs;
};

struct dispatch {
    struct run *run;
    pthread_mutex_t lock;
    struct sched *sched;
    void *block;
    struct d_vcpu *v;
    struct d_pcpu *p;
    uint32_t n_pcpus;
    int64_t now_ns; /* never goes back */
    uint32_t abort;
    bool fifo;
};

int64_t dispatch_now(struct dispatch *d); /* ns since t = 0, at least as late as ever before */

/* How a vCPU that was taken back stands. */
enum gate_stop { GATE_PARKED, GATE_WAITING, GATE_GONE, GATE_NEVER_IN };

/* gate_run.c */
uint32_t gate_rings(const struct d_pcpu *p);
void gate_sleep(const struct d_pcpu *p, uint32_t rings, int64_t until_abs_ns); /* or until the bell rings */
void gate_ring(struct dispatch *d, uint32_t pcpu);
void gate_open(struct d_pcpu *p, uint32_t vcpu);
/* Whether cur stopped by itself, and how. */
bool gate_stopped(const struct d_pcpu *p, enum gate_stop *how);
/* Takes cur back; releases the lock while waiting for it. */
enum gate_stop gate_take_back(struct d_pcpu *p);

/* accounts.c */
void accounts_state(struct dispatch *d, uint32_t vcpu, enum vcpu_state to, int64_t t_ns);
void accounts_event(struct dispatch *d, uint32_t vcpu, enum rec_event ev, int64_t t_ns, int64_t value);
void accounts_entered(struct d_pcpu *p, int64_t t_ns); /* cur went in: closes idle and switch */
void accounts_close(struct dispatch *d);               /* at the end of the run */

#endif
