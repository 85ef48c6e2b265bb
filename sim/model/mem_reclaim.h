// SPDX-License-Identifier: GPL-3.0-or-later
/* mem_reclaim.h - taking memory back: who gives, how much, in which order.
 *
 * When. With free_target 0 a frame is taken when one is needed and none is free, one at a time. With a
 * free_target the host is in a state (policy/memstate.h): soft balloons until it is high again; where no
 * balloon can give, and from hard on, it compresses and swaps until it is soft (at once: the writes queue);
 * in low (so full that what hard takes is not enough) whoever needs a frame takes it back itself, or waits
 * for a balloon, and only where nothing will come the reserve is used up. A change of state is an event.
 *
 * How: share, balloon, compress, swap, in the scenario's order. Sharing goes on by itself (pageshare.h); the
 * others are asked in turn (balloon.h, compress.h; swap, mem.h).
 *
 * From whom. A host whose VMs are one takes its pages by the replacement policy. With several, and
 * `replacement_scope: host`, min-funding (policy/fund.h) picks the VM by weight and idleness, and the policy
 * the page among that VM's; with `replacement_scope: vm` the VM that needs a frame gives one of its own
 * pages, and min-funding picks only where it has none to give. What a VM holds are its frames, one that it
 * shares counted once among those who do. A VM is never taken from while it holds no more than its
 * reservation, but for what it needs itself. Shared frames are not taken: sharing saves more than taking one
 * would give.
 *
 * In use: the pages referred to since the last whole 30 s, or in the 30 s before that if those were more
 * (`estimate: exact`); or (`sampled`) of 100 pages, drawn every 30 s among the resident ones from a stream of
 * the VM, the share that was referred to in those 30 s, smoothed by a fast average (half of it new), a slow
 * one (a quarter), and the greatest of the new, the fast and the slow counts, as in ESX: a working set that
 * grows is believed at once. Until the first 30 s are over, sampling takes all pages for used. mem.active
 * shows the estimate, as it was at the end of the last 30 s.
 *
 * What it leaves out: picking a VM is O(VMs of the host); a guest's page cache. */
#ifndef VLAB_MODEL_MEM_RECLAIM_H
#define VLAB_MODEL_MEM_RECLAIM_H

#include "model/mem_inner.h"
#include "policy/fund.h"
#include "policy/memstate.h"

#define MEM_RECLAIM_PERIOD_NS INT64_C(30000000000)
#define MEM_RECLAIM_SAMPLES   100u

struct share; /* pageshare.c */

struct vreclaim {        /* of a VM */
    int64_t size;        /* pages its guest takes itself to have */
    int64_t reserved;    /* frames it keeps */
    int64_t balloon_max; /* pages */
    int64_t compressed;  /* pages */
    int64_t guest_swapped;
    int64_t asks;                          /* 1: while a frame is sought for it */
    int64_t coming;                        /* 1: a page that the guest makes room for, while that goes on */
    int64_t was_active;                    /* exact: pages in use in the last whole period */
    uint32_t used_ppm, fast_ppm, slow_ppm; /* sampled */
    int64_t balloon_ns;                    /* its balloon may move the next page then */
    int64_t moves;                         /* of its balloon, left in this step */
    uint64_t key;                          /* of its stream */
    uint32_t periods;
    uint32_t n_ranges; /* of content, and how many pages are mapped to the frame of zeros */
    uint32_t zeros;
    struct share_range *ranges;
};

struct mem_reclaim { /* of a host */
    enum memstate state;
    struct memstate_marks marks;
    struct fund_claim *claims; /* [n_vms] */
    int64_t owed_ns;           /* CPU time spent for the fault under way */
    bool balloons, shares;     /* are among its ways */
    int64_t balloon_ns;        /* a page, at the balloon's rate; 0: no bound */
    bool balloon_due;          /* its event is pending */
    uint32_t ev_period, ev_scan, ev_balloon;
    struct share *share;
    uint32_t pool_head; /* frames that hold compressed pages, linked through mem.reverse */
    int64_t pool_frames, pool_pages, pool_max;
};

/* How many pools of the policy a host's memory needs. */
uint32_t mem_reclaim_pools(const struct mem *mem);
/* Every host's memory is built. */
void mem_reclaim_init(struct model *m);
void mem_reclaim_done(struct mem *mem);
/* A VM ends: what it has that is not simply resident is given back. */
void mem_reclaim_release(struct model *m, struct vmem *v);
/* How much is free may have changed: the state, and what it asks for. */
void mem_reclaim_look(struct model *m, struct mem *mem);
/* Nobody gave a frame, but somebody will: who waits is to go on waiting. */
bool mem_reclaim_hope(struct model *m, struct mem *mem);
/* t pays the CPU time that was spent for its fault: overhead of its reference. */
void mem_reclaim_charge(struct mem *mem, struct touch *t);
/* The content of this page is the VM's own from now on. */
void mem_reclaim_own(struct vmem *v, uint32_t page);

/* For the ways to take memory back. A frame from this VM, in no pool; RECLAIM_NONE: it gives none. */
typedef uint32_t mem_giver(struct model *m, struct mem *mem, struct vmem *from);
/* A frame from whoever is to give one, v needing it (NULL: the host). */
uint32_t mem_reclaim_from(struct model *m, struct mem *mem, struct vmem *v, mem_giver *give);
/* By min-funding a page is taken from a rather than from b, whatever stands first; both on one host. */
bool mem_reclaim_less(const struct vmem *a, const struct vmem *b);
/* It holds more than is reserved for it, with what it asks for. */
static inline bool mem_reclaim_may(const struct vmem *v)
{
    return v->resident - v->shared + v->reclaim->asks > v->reclaim->reserved;
}
/* Pages in one step of work that goes on by itself, page_ns each: 10 ms of it, 64 pages at most, one at
 * least. */
static inline uint32_t mem_reclaim_step(int64_t page_ns)
{
    int64_t pages = page_ns > 0 ? 10000000 / page_ns : 64;
    return pages < 1 ? 1 : pages > 64 ? 64 : (uint32_t)pages;
}
/* Frames in use or out of it that no VM's page alone accounts for: of the host's book only. */
void mem_reclaim_host_frames(struct model *m, struct mem *mem, int64_t by);

#endif
