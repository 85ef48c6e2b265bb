// SPDX-License-Identifier: GPL-3.0-or-later
/* evq_impl.h - what evq.c, evq_radix.c and their tests share; nobody else includes it.
 *
 * Two parts. The heap (evq_heap.h) holds every event before `bound` in exact order; the radix part
 * (evq_radix.h) holds the later ones, roughly sorted into buckets. Where few are pending, bound is
 * EVQ_NEVER and the heap is all there is.
 *
 * What moves about is an item of 16 bytes, the whole order of an event in two words; what the event is
 * lies in a slot that stays where it is. An item whose slot has another order by now was cancelled or
 * moved: it is dead and is dropped when it comes up, or when the dead outnumber the living.
 *
 * `order` = rank (4 bits, 7 - prio) | turn (34 bits) | slot (26 bits). The turn is the sequence number as
 * far as it orders what is pending; every 2^34 events those pending are numbered anew from 1. */
#ifndef VLAB_ENGINE_EVQ_IMPL_H
#define VLAB_ENGINE_EVQ_IMPL_H

#include "engine/evq.h"

#define EVQ_SLOT_BITS 26
#define EVQ_TURN_BITS 34
#define EVQ_NEVER     UINT64_MAX
#define EVQ_NO_SLOT   UINT32_MAX
#define EVQ_PRIO_MAX  7
#define EVQ_PRIO_MIN  (-8)

struct evq_item {
    uint64_t at; /* ns */
    uint64_t order;
};

struct evq_slot {
    uint64_t order; /* of the item that stands for it; 0: the slot is free */
    uint64_t seq;
    uint64_t what_arg; /* arg in the upper half: written and read as one */
    uint32_t gen;      /* upper half of the handle; one more each time the slot is freed */
    uint32_t next;     /* free slots: the next one */
};

/* Where the queue changes its ways; tests make the rare ones common. */
struct evq_tuning {
    size_t split_at;     /* items in the heap: beyond, the later ones go to the radix part */
    size_t join_at;      /* events in the radix part: at or below, all go to the heap */
    size_t pull_max;     /* a bucket of at most so many goes to the heap whole */
    uint64_t turn_limit; /* at most 2^EVQ_TURN_BITS, more than ever are pending */
};

struct evq_radix;

struct evq {
    struct evq_item *heap; /* the root; its children and every later group of four fill a cache line */
    size_t n;              /* items in the heap, the hole included */
    size_t room;           /* at so many the heap must be given room, or be split: min(cap, split) */
    size_t split;          /* at so many it is split */
    uint64_t bound;        /* the heap has exactly the items before it */
    uint64_t last;         /* time of the latest event that left */
    struct evq_slot *slots;
    uint32_t free; /* first free slot */
    uint32_t n_slots;
    bool hole; /* the root has left and nothing has taken its place yet */
    uint64_t seq;
    uint64_t turns_from; /* turn = seq - turns_from */
    uint64_t turns_end;  /* the sequence number that has no turn any more */
    size_t live;         /* pending events */
    size_t dead;         /* items of events cancelled or moved */
    struct evq_radix *far;
    size_t cap;
    void *block; /* of the heap */
    struct evq_tuning tune;
};

static inline uint32_t evq_slot_of(struct evq_item it)
{
    return (uint32_t)(it.order & ((1u << EVQ_SLOT_BITS) - 1));
}

static inline bool evq_is_live(const struct evq *q, struct evq_item it)
{
    return q->slots[evq_slot_of(it)].order == it.order;
}

/* Aligned to cache lines; a large block to large pages, and asks for them: its places are visited at random,
 * and without them every visit misses the TLB too. Freed by free(). */
void *evq_block_alloc(size_t bytes);

/* Before the first push. */
void evq_tune(struct evq *q, const struct evq_tuning *t);

#endif
