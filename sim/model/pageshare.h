// SPDX-License-Identifier: GPL-3.0-or-later
/* pageshare.h - equal pages of a host's VMs become one frame.
 *
 * vms.memory.content gives ranges of a VM's pages, side by side from page 0 in the order of their names, each
 * so many parts of its size (bounds rounded down). Page i of a class is the same in every VM that has the
 * class; pages of `zero` are all the same. What a VM has written is its own for ever.
 *
 * A scanner goes over the resident pages of the host's VMs, round and round, `rate` bytes a second in steps
 * (mem_reclaim_step); one costs its pages' `cost` on the host's scan thread, then takes effect, and the next
 * follows no sooner. A page whose equal was seen before and is still there is mapped to that one's frame. A
 * write to it then breaks it: a soft fault, `break` of overhead, a frame of its own. When one page is left on
 * a frame it is an ordinary page again. Shared frames are not taken (mem_reclaim.h).
 *
 *     resident of the VMs - shared of the VMs + frames of the compressed pool = resident of the host
 *
 * Saved by a frame with n pages: n - 1, each by its VM, but for one page of the VM that has the frame on its
 * account: the one whose page it was; when it has no page there any more, the first VM that has.
 *
 * n VMs alike of which c is equal save c (1 - 1/n) of their memory. Source: Waldspurger, OSDI 2002. Leaves
 * out: hashing and its false hints, and that a step of equal content written by chance is equal again. */
#ifndef VLAB_MODEL_PAGESHARE_H
#define VLAB_MODEL_PAGESHARE_H

#include "model/mem_inner.h"

/* The classes of the host's VMs; NULL: none has content. */
struct share *pageshare_new(struct model *m, struct mem *mem);
void pageshare_free(struct mem *mem);
void pageshare_on_scan(void *model, uint32_t host); /* the event of a step */
/* The step has had its CPU time. */
void pageshare_scan(struct model *m, struct mem *mem);
/* A write to a shared page: see mem_odd_fault. */
bool pageshare_break(struct model *m, struct vmem *v, struct touch *t, uint32_t *word);
/* A VM that ends gives up a shared page. */
void pageshare_drop(struct model *m, struct vmem *v, uint32_t page, uint32_t *word);
/* It has none any more, and its pages are about to be forgotten: the scanner has not seen them. */
void pageshare_forget(struct vmem *v);
/* 0, or -1: what is mapped to shared frames is not what the classes say. */
int pageshare_check(const struct mem *mem);

#endif
