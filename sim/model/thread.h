// SPDX-License-Identifier: GPL-3.0-or-later
/* thread.h - the host's own threads: they compete with vCPUs in the same run queues, and the time they take
 * is the host's (cpu.hostos).
 *
 * A thread does jobs, first in first out: each takes CPU time, then something happens. One I/O thread a
 * host (the back end of paravirtual and emulated devices, nat's rewriting, and a type 2 host's I/O stack),
 * one that scans pages for sharing, and on a type 2 host with `load` one a pCPU that wants that share of it
 * for the host's own programs. A thread that nothing ever needs is not there. */
#ifndef VLAB_MODEL_THREAD_H
#define VLAB_MODEL_THREAD_H

#include "model/inner.h"

enum thread_kind { THREAD_IO, THREAD_SCAN, THREAD_LOAD, THREAD_NKINDS };
enum thread_job { JOB_DISK, JOB_NET_TX, JOB_NET_RX, JOB_SCAN, JOB_LOAD, THREAD_NJOBS };

struct job {
    int64_t cost_ns;
    uint64_t arg;
    uint8_t job; /* enum thread_job */
};

struct thread {
    struct job *jobs;      /* a ring */
    uint32_t head, n, cap; /* cap is a power of two */
    uint32_t vcpu;         /* index in model.vcpus: a thread is scheduled as a vCPU is, only without a VM */
    uint32_t pcpu;         /* THREAD_LOAD: the only one it runs on */
    uint8_t kind;          /* enum thread_kind */
};

/* How many threads a host has. */
uint32_t thread_count(const struct scenario *sc, uint32_t host);
/* Makes them, after the host's vCPUs. */
void thread_build(struct model *m, struct mhost *h);
void thread_done(struct model *m);
/* Its job is done: what follows from it, then the next one. False: there is none. */
bool thread_proceed(struct model *m, struct vcpu *v);
/* The host is down: all its jobs are over at once, without CPU time (of a request that died with its VM
 * nothing follows: disk_crash); thread_give does likewise while it is. */
void thread_flush(struct model *m, struct mhost *h);
/* The engine's event: what the host's own programs want in the next 10 ms. */
void thread_on_load(void *model, uint32_t host);
/* cost_ns of CPU time, then the job's handler gets arg: disk_job, net_tx_job, net_rx_job, mem_scan_job. No
 * cost, or no such thread: it happens at once. */
void thread_give(struct model *m, struct mhost *h, enum thread_kind kind, enum thread_job job,
                 int64_t cost_ns, uint64_t arg);

#endif
