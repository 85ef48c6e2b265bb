// SPDX-License-Identifier: GPL-3.0-or-later
/* bare_hold.h - the hold model on the bare queues: over and over the next item leaves and is pushed again, up
 * to 4.3 s later, every time as likely. */
#ifndef VLAB_TESTS_BARE_HOLD_H
#define VLAB_TESTS_BARE_HOLD_H

#include "bare_heap.h"
#include "bare_radix.h"

struct bare_heap_hold {
    struct bare_heap q;
    uint64_t rng;
};

struct bare_radix_hold {
    struct bare_radix q;
    uint64_t rng;
};

static void *bare_heap_new(uint64_t size)
{
    struct bare_heap_hold *h = calloc(1, sizeof *h);
    if (!h) abort();
    bare_heap_init(&h->q, size);
    h->rng = 1;
    for (uint64_t i = 0; i < size; i++)
        bare_heap_push(&h->q, (struct bare_item){bench_random(&h->rng) >> 32, i});
    return h;
}

static void bare_heap_free(void *st)
{
    free(((struct bare_heap_hold *)st)->q.block);
    free(st);
}

BENCH_NOINLINE static void bare_heap_run(void *st, uint64_t n)
{
    struct bare_heap_hold *h = st;
    while (n--) {
        struct bare_item it = bare_heap_pop(&h->q);
        it.at += bench_random(&h->rng) >> 32;
        bare_heap_push(&h->q, it);
    }
}

static void *bare_radix_new(uint64_t size)
{
    struct bare_radix_hold *h = calloc(1, sizeof *h);
    if (!h) abort();
    h->rng = 1;
    for (uint64_t i = 0; i < size; i++)
        bare_radix_push(&h->q, (struct bare_item){bench_random(&h->rng) >> 32, i});
    return h;
}

static void bare_radix_free(void *st)
{
    struct bare_radix_hold *h = st;
    for (size_t k = 0; k < 65; k++)
        free(h->q.buckets[k].items);
    free(h);
}

BENCH_NOINLINE static void bare_radix_run(void *st, uint64_t n)
{
    struct bare_radix_hold *h = st;
    while (n--) {
        struct bare_item it = bare_radix_pop(&h->q);
        it.at += bench_random(&h->rng) >> 32;
        bare_radix_push(&h->q, it);
    }
}

#endif
