// SPDX-License-Identifier: GPL-3.0-or-later
/* evq_radix.h - the later part of a large event queue: a radix heap of base 32 that sorts roughly.
 *
 * An item lies in the bucket (level, digit) of the highest digit of five bits in which its time differs
 * from `base`. Time never goes back, so an item only ever moves to lower levels: at most once a level,
 * in streams that caches like, where a heap of 10^6 items misses at every step. The exact order is the
 * heap's business: buckets small enough are handed to it whole (evq_radix_next).
 *
 * Buckets are lists of chunks of 1 KB from a pool: the memory is that of the most that were ever pending.
 * After Ahuja, Mehlhorn, Orlin, Tarjan, Faster algorithms for the shortest path problem, 1990. */
#ifndef VLAB_ENGINE_EVQ_RADIX_H
#define VLAB_ENGINE_EVQ_RADIX_H

#include "engine/evq_impl.h"

/* A bucket taken out: n items, all of them before `end`. */
struct evq_radix_run {
    struct evq_radix_chunk *chunks;
    size_t n;
    uint64_t end;
};

/* NULL: no memory. */
struct evq_radix *evq_radix_new(void);
void evq_radix_free(struct evq_radix *r);
size_t evq_radix_count(const struct evq_radix *r);
/* Empty so far: times are at least `base` from now on. */
void evq_radix_start(struct evq_radix *r, uint64_t base);
/* Whatever is pushed from now on is at least `base`, which lies in the last run taken by evq_radix_next.
 * False, and nothing is changed, where it is earlier than that. */
bool evq_radix_rebase(struct evq_radix *r, uint64_t base);
void evq_radix_push(struct evq_radix *r, struct evq_item it);
/* Takes the earliest bucket of at most pull_max items, or of one single time; splits larger ones first. */
struct evq_radix_run evq_radix_next(struct evq_radix *r, size_t pull_max);
/* Asks the cache for the slots of the earliest bucket, if it has at most `max` items: by the time it is
 * taken they are there. */
void evq_radix_prefetch(const struct evq_radix *r, const struct evq_slot *slots, size_t max);
/* Takes everything; `end` is EVQ_NEVER. */
struct evq_radix_run evq_radix_all(struct evq_radix *r);
/* Copies a run's items to `out`, in any order, and its chunks return to the pool. */
void evq_radix_drain(struct evq_radix *r, struct evq_radix_run run, struct evq_item *out);
/* Each item is kept and replaced by what `keep` leaves in it, or dropped where that says false. */
void evq_radix_filter(struct evq_radix *r, bool (*keep)(const struct evq *q, struct evq_item *it),
                      const struct evq *q);

#endif
