// SPDX-License-Identifier: GPL-3.0-or-later
/* evq_heap.h - a heap of items with four children a node, in one array.
 *
 * Four children share a cache line, and which of them is first is found without a branch: at random
 * times each comparison would be mispredicted half the time, which costs more than all the rest. All
 * places behind the last item hold EVQ_HEAP_LAST, three at least, so that a group is always whole. */
#ifndef VLAB_ENGINE_EVQ_HEAP_H
#define VLAB_ENGINE_EVQ_HEAP_H

#include "engine/evq_impl.h"

#define EVQ_HEAP_LAST ((struct evq_item){.at = UINT64_MAX, .order = UINT64_MAX})
#define EVQ_HEAP_PAD  4u

/* One subtraction with borrow: the two words are one number of 128 bits. */
static inline bool evq_heap_before(struct evq_item a, struct evq_item b)
{
    return (((unsigned __int128)a.at << 64) | a.order) < (((unsigned __int128)b.at << 64) | b.order);
}

static inline size_t evq_heap_first_of_4(const struct evq_item *g)
{
    size_t a = evq_heap_before(g[1], g[0]);
    size_t b = 2 + (size_t)evq_heap_before(g[3], g[2]);
    size_t later = (size_t)0 - (size_t)evq_heap_before(g[b], g[a]);
    return a ^ ((a ^ b) & later);
}

/* Puts x where place i is free, or below. */
static inline void evq_heap_down(struct evq_item *h, size_t n, size_t i, struct evq_item x)
{
    for (size_t c; (c = 4 * i + 1) < n;) {
        c += evq_heap_first_of_4(h + c);
        if (!evq_heap_before(h[c], x)) break;
        h[i] = h[c];
        i = c;
    }
    h[i] = x;
}

/* Puts x where place i is free, or above. */
static inline void evq_heap_up(struct evq_item *h, size_t i, struct evq_item x)
{
    while (i > 0) {
        size_t p = (i - 1) / 4;
        if (!evq_heap_before(x, h[p])) break;
        h[i] = h[p];
        i = p;
    }
    h[i] = x;
}

/* Makes a heap of n items in any order. */
static inline void evq_heap_make(struct evq_item *h, size_t n)
{
    for (size_t i = n < 2 ? 0 : (n - 2) / 4 + 1; i-- > 0;)
        evq_heap_down(h, n, i, h[i]);
}

#endif
