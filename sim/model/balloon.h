// SPDX-License-Identifier: GPL-3.0-or-later
/* balloon.h - a driver in the guest takes pages of it on the host's behalf, and the guest chooses which.
 *
 * The guest has size pages. Those with content (resident, shared, compressed, or on the host's swap: the
 * guest does not know) and those in the balloon never exceed them. The balloon takes pages without content
 * first: behind them is no frame, so the host gains nothing yet. When there are none, each page it takes
 * makes the guest write one to its own swap (vms.memory.swap), and the frame behind it is the host's. The
 * guest chooses by the host's `replacement` among its own pages: under lru the one not used for longest,
 * under clock nearly so. A guest without a swap disk gives only pages without content.
 *
 * A page on the guest's swap is a hard fault when it is referred to next: the guest waits for its own disk
 * (diskwait). It needs a page for it, or for one that it touches for the first time: one without content;
 * else one that the balloon gives back, if the host has memory to spare (with a free target: is high) or the
 * balloon of a VM that pays less for its pages can give it (so memory follows use, however it was divided
 * when it ran short); else the guest swaps out another. What came back is written again when it goes again.
 *
 * Bounds: `max` of the VM's size, its reservation, and `rate`: each balloon moves a page in page/rate, in and
 * out. With a free target balloons grow in steps (mem_reclaim_step) while the host is soft or lower. In high,
 * and where a VM has ended, they shrink as far as what guests could then take leaves the host high.
 *
 * Source: Waldspurger, OSDI 2002. Leaves out: that the driver needs CPU time and a guest that runs; a guest's
 * choice of pages that the host has swapped out already (double paging). */
#ifndef VLAB_MODEL_BALLOON_H
#define VLAB_MODEL_BALLOON_H

#include "model/mem_inner.h"

/* mem_taker: a frame from somebody's balloon, now. */
uint32_t balloon_take(struct model *m, struct mem *mem, struct vmem *v);
/* Some balloon can still give a frame, now or later. */
bool balloon_can(const struct mem *mem);
/* Likewise, but only later: the balloon's event will come. */
bool balloon_will(struct model *m, struct mem *mem);
/* A frame for a page that the guest does not have in memory. RECLAIM_NONE: none now. */
uint32_t balloon_room(struct model *m, struct vmem *v);
/* The fault on a page that is on the guest's swap: see mem_odd_fault. */
bool balloon_fault(struct model *m, struct vmem *v, struct touch *t, uint32_t *word);
/* The host's state has been looked at: balloons without a rate act at once, others by their event. */
void balloon_look(struct model *m, struct mem *mem);
void balloon_on_step(void *model, uint32_t host); /* the event */

#endif
