// SPDX-License-Identifier: GPL-3.0-or-later
/* thread.h - the host's own threads: they compete with vCPUs in the same run queues, and the time they take is
 * the host's (cpu.hostos).
 *
 * A thread does jobs, first in first out: each takes CPU time, then something happens. One I/O thread a
 * host (the back end of paravirtual and emulated devices, nat's rewriting, and a type 2 host's I/O stack), one
 * that scans pages for sharing, and on a type 2 host with `load` one a pCPU that wants that share of it
 * for the host's own programs. A thread that nothing ever needs is not there. */
#ifndef VLAB_MODEL_THREAD_H
#define VLAB_MODEL_THREAD_H

#include "model/inner.h"

enum thread_kind { THREAD_IO, THREAD_SCAN, THREAD_LOAD, THREAD_NKINDS };
enum thread_job { JOB_DISK, JOB_NET_TX, JOB_NET_RX, JOB_SCAN, JOB_LOAD, THREAD_NJOBS };

/* Whether this host has any use for such a thread; says so before the model is built. */
bool thread_needed(const struct scenario *sc, uint32_t host, enum thread_kind kind);
/* cost_ns of CPU time, then the job's handler gets arg: disk_job, net_tx_job, net_rx_job, mem_scan_job. No cost,
 * or no such thread: it happens at once. */
void thread_give(struct model *m, struct mhost *h, enum thread_kind kind, enum thread_job job, int64_t cost_ns,
                 uint64_t arg);

#endif
