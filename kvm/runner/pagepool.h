// SPDX-License-Identifier: GPL-3.0-or-later
/* pagepool.h - the memory of this host, as the scenario has it: so many frames, and whose pages are in them.
 *
 * A thread of the runner hears of every fault of every VM and decides with the simulator's own policies
 * (sim/policy/reclaim_*.c, fund.h, memstate.h), which page goes; the VMs' pager threads do it (kvm/pages.h).
 * So one VM's need can take another's page, and one order of events is the run's. Where all that steps refer
 * to fits into the host's memory nothing is paged: then pages are only counted, every 20 ms or, where a look
 * takes long, so that looking takes 2 % of a processor.
 *
 * The rules are those of sim/model/mem.h and mem_reclaim.h, with `reclaim: [swap]` alone. Equal to the
 * simulator's, for a VM with one vCPU and one task that touches: soft faults, hard faults, bytes swapped in,
 * pages written and read, and which page goes after which; also for several VMs that each take from their own
 * (`replacement_scope: vm`), for as long as who has how many frames does not hang on who came first. Else the
 * order of faults is that of real time, and sums agree nearly.
 *
 *  - fifo and random need no more. second-chance's bit is taken by parking the page where it clears it: the
 *    next reference is a fault that says so. These faults are counted apart (pagepool_count's `again`), they
 * are none of mem.softfaults. lru and clock are refused: what is referred to is not seen otherwise.
 *  - A page that is fetched by a reading is guarded: its first write is a fault which says that it is dirty.
 *  - A vCPU that faults waits in the kernel, and other tasks of its guest with it; the simulator's guest runs
 *    another task meanwhile. A second vCPU that wants a page on its way is not always heard of.
 *  - All pages that are in count as in use (mem.active, told every 30 s): so for several VMs with
 *    `replacement_scope: host` runs of over 30 s must state `tax: 0%`.
 *  - The swap disk is a file, one a VM, unlinked, sparse, behind the host's page cache. What the scenario
 * says of the disk's rates and latency is kept by waiting; what the file takes comes on top of it.
 *  - While its page comes from the store a vCPU is in swapwait, its pCPU free for others. The short time that
 *    other faults take is its own run time under the dispatcher; under Linux's scheduler it is swapwait too.
 *
 * A VM ends with CTL_STORE where its store fails, with CTL_OOM where nothing may be taken. */
#ifndef VLAB_KVM_RUNNER_PAGEPOOL_H
#define VLAB_KVM_RUNNER_PAGEPOOL_H

#include "kvm/ctl.h"
#include "kvm/kvm.h"
#include "kvm/runner/recs.h"

struct run;
struct pagepool;

/* Whether its memory has to be paged: it has fewer frames than its VMs' steps can refer to. */
bool pagepool_is_short(const struct scenario *sc);

/* Before the VMs start. *p is there, and must be freed, whatever comes of it. store_fd: every VM's store,
 * which stays the caller's; -1: files of its own. */
enum kvm_status pagepool_new(struct run *r, int store_fd, struct pagepool **p, char **why);
enum ctl_pool pagepool_of(const struct pagepool *p, uint32_t vm);
/* What the VM's process is to be given; -1: nothing. The VM is started, or will not be: pagepool_started. */
int pagepool_pages_fd(const struct pagepool *p, uint32_t vm);
int pagepool_store_fd(const struct pagepool *p, uint32_t vm);
void pagepool_started(struct pagepool *p, uint32_t vm);
/* All are started and no guest has been let go: hears what their pagers say first, and begins. 0, or -1. */
int pagepool_begin(struct pagepool *p, char **why);
/* t = 0, before the guests are let go. */
void pagepool_go(struct pagepool *p, int64_t zero_abs_ns);
/* Whether the pool has given the VM up, and how. From any thread. */
bool pagepool_gave_up(const struct pagepool *p, uint32_t vm, struct ctl_end *end);
/* The run is over: what happens from now on counts no more, but is done. */
void pagepool_over(struct pagepool *p);
/* No VM runs any more, or will be waited for: the thread ends. What follows is for after that. */
void pagepool_stop(struct pagepool *p);
/* Levels and counts. */
const struct recs *pagepool_recs(const struct pagepool *p);
/* The pages that the VM lost, in order, n of them; and how often it faulted on one that was parked. */
const uint32_t *pagepool_evicted(const struct pagepool *p, uint32_t vm, size_t *n);
uint64_t pagepool_again(const struct pagepool *p, uint32_t vm);
/* From when to when vCPUs stood still for a fault, absolute, of each in the order of time. */
struct pagepool_wait {
    int64_t from_ns, to_ns;
    uint32_t vcpu;
};
const struct pagepool_wait *pagepool_waits(const struct pagepool *p, uint32_t vm, size_t *n);
/* While the run goes on, too: for how long vCPUs under the dispatcher stood still and kept their pCPU. */
int64_t pagepool_held_ns(const struct pagepool *p);
void pagepool_free(struct pagepool *p); /* stopped or not; also NULL */

#endif
