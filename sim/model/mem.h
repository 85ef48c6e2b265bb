// SPDX-License-Identifier: GPL-3.0-or-later
/* mem.h - a host's memory: pages, what is resident, what a reference costs, and who loses a page.
 *
 * A host has size / page frames. A VM's page is untouched, resident (in a frame), or swapped out; a touched
 * page has content. Its first reference is a soft fault; its first eviction writes it to swap, later ones
 * only if it was written since; its next reference is a hard fault and waits for the device. Either fault is
 * an event page_fault, at the mode's price (a hard one's is paid when the page is there). State is allocated
 * by blocks of 512 pages, at first touch.
 *
 * No frame free: the reclaimers are tried in the scenario's order; `swap` takes a page by the replacement
 * policy (policy/reclaim.h) over the host, or over the faulting VM's own pages (where it has none, over those
 * of the VM with most). Written or not, the victim's frame is used again at once, as with a write-back
 * buffer; the read of the wanted page waits in the device's queue behind the victim's write. Nothing to take,
 * and no page on its way: out of memory, and the VM with the most resident bytes is ended (the first of
 * equals).
 *
 * Time of a reference: ref_ps, and where it misses the TLB (tlb.h) a walk, of g references to tables of g
 * levels (4 with pages of 4 KiB, 3 with 2 MiB); with nested paging (g+1)(h+1) - 1, as Bhargava et al. (ASPLOS
 * 2008) count them: 24, whose time over the native walk's is overhead. A reference that faults misses the
 * TLB. A reference takes effect at its start; one that faults, when its page is there. ps are carried: sums
 * are exact.
 *
 * Runs of references that hit are one stretch of CPU time: they are drawn ahead, and booked when anything
 * looks (mem_sync): what has begun before now, in the order of time, ties by vCPU. When a page leaves,
 * stretches that would refer to it are cut there. With the same outcome to the byte as one event a reference;
 * for that, the events of pCPUs in one ns are in the order of their numbers (cpu.c).
 *
 * What it leaves out: caches and memory bandwidth, read-ahead, the size of swap, page tables' own frames, and
 * that on hardware threads (threads_per_core > 1) the order of references of different VMs is by their work.
 */
#ifndef VLAB_MODEL_MEM_H
#define VLAB_MODEL_MEM_H

#include "model/inner.h"

void mem_init(struct model *m);
void mem_done(struct model *m);

enum mem_said {
    MEM_RUN,        /* the task runs *useful_ns, then *overhead_ns; then mem_touch again */
    MEM_WAIT,       /* a hard fault: guest_wake_task comes when the page is there; then mem_touch again */
    MEM_WAIT_GUEST, /* the same, but the guest itself fetches it, from its own swap */
    MEM_OVER        /* the step's references are all done */
};
/* The task enters a touch step (k->act). */
void mem_begin(struct model *m, struct vm *vm, uint32_t task);
/* Its last piece has run in full (or there was none): the next one. */
enum mem_said mem_touch(struct model *m, struct vm *vm, uint32_t task, int64_t *useful_ns,
                        int64_t *overhead_ns);
/* Books what the host's tasks have referred to before this instant: before anything looks at what is counted.
 */
void mem_sync(struct model *m, struct mhost *h);
void mem_sync_all(struct model *m);
/* The task on this vCPU stops running in the middle of its piece: it leaves the pCPU, or its turn is over. */
void mem_leaves(struct model *m, const struct vcpu *v);
/* A page transfer that disk_page was asked for is done. The handler settles the host afterwards. */
void mem_io_done(struct model *m, uint64_t arg);
/* A stretch of scanning for equal pages has had its CPU time. */
void mem_scan_job(struct model *m, uint64_t arg);
/* Frees all that a VM held (it was destroyed, or killed). */
void mem_release(struct model *m, struct vm *vm);
/* The VM, none of whose vCPUs is on a pCPU, has its memory on host `to` from now on. All that it had touched
 * is resident there, in frames that its reclaimers make room for (nobody gives: the VM is out of memory and
 * ends), or, with vm->behind, still to come: see post-copy. Tasks in a touch step go on from the reference
 * they were at, with a cold TLB. Its dirty log is off. Neither host's books are settled. */
void mem_move(struct model *m, struct vm *vm, struct mhost *to);
/* All else of it is there too, its vCPUs have seats: tasks that waited for a page or a frame go on. */
void mem_moved(struct model *m, struct vm *vm);
/* A VM that was released (mem_release) is powered on again: it has touched nothing. */
void mem_restart(struct model *m, struct vm *vm);
/* Pages that have content: what a migration has to send when it skips the others. */
int64_t mem_touched(const struct vm *vm);
/* Dirty log. While it is on: pages written to since it was switched on or last taken, each once. */
void mem_log(struct model *m, struct vm *vm, bool on);
int64_t mem_log_take(struct model *m, struct vm *vm);
/* Post-copy, after mem_move with vm->behind: every page with content is still on the source. A reference to
 * one is a hard fault that waits for the network: migrate_fetch is asked for it, once a page; mem_fetched
 * when it is there, also for pages that nobody waits for (pushed in the background). mem_stranded: the next
 * page, from `page`, that is still there and was not asked for; MEM_NO_PAGE: none is. */
#define MEM_NO_PAGE UINT32_MAX
uint32_t mem_stranded(const struct vm *vm, uint32_t page);
void mem_asked(struct vm *vm, uint32_t page); /* it is being pushed: nobody need ask for it */
void mem_fetched(struct model *m, struct vm *vm, uint32_t page);

/* Conservation, at any time between two events: every frame free or used, every page in one state, counts and
 * levels what the page tables say. 0, or -1 with *why (malloc'ed). */
int mem_check(const struct model *m, char **why);

#endif
