// SPDX-License-Identifier: GPL-3.0-or-later
/* evq_heap.h - a heap of items with four children a node, in one array.
 *
 * Four children share a cache line, and which of them is first is found without a branch: at random times
 * each comparison would be mispredicted half the time, which costs more than all the rest. Only their
 * times are compared; where two of them are equal, which is rare or else regular, all four are compared
 * once more in full. The places behind the last item hold later times than any, no two in a group the
 * same, so that a group is always whole. */
#ifndef VLAB_ENGINE_EVQ_HEAP_H
#define VLAB_ENGINE_EVQ_HEAP_H

#include "engine/evq_impl.h"

#define EVQ_HEAP_PAD 4u /* places behind the last item, at least */

static inline struct evq_item evq_heap_nothing(size_t place)
{
    return (struct evq_item){.at = UINT64_MAX - (place & 3), .order = UINT64_MAX};
}

/* One subtraction with borrow: the two words are one number of 128 bits. */
static inline bool evq_heap_before(struct evq_item a, struct evq_item b)
{
    return (((unsigned __int128)a.at << 64) | a.order) < (((unsigned __int128)b.at << 64) | b.order);
}

static inline size_t evq_heap_first_of_4_in_full(const struct evq_item *h, size_t c)
{
    const struct evq_item *g = h + c;
    size_t a = evq_heap_before(g[1], g[0]);
    size_t b = 2 + (size_t)evq_heap_before(g[3], g[2]);
    size_t later = (size_t)0 - (size_t)evq_heap_before(g[b], g[a]);
    return c + (a ^ ((a ^ b) & later));
}

struct evq_heap_place {
    uint64_t at;
    size_t i;
};

/* The shape of this, two values by one condition, is what compilers make conditional moves of. */
static inline struct evq_heap_place evq_heap_earlier(struct evq_heap_place a, struct evq_heap_place b)
{
    bool later = b.at < a.at;
    return (struct evq_heap_place){.at = later ? b.at : a.at, .i = later ? b.i : a.i};
}

static inline size_t evq_heap_first_of_4(const struct evq_item *h, size_t c)
{
    uint64_t t0 = h[c].at, t1 = h[c + 1].at, t2 = h[c + 2].at, t3 = h[c + 3].at;
    struct evq_heap_place a =
        evq_heap_earlier((struct evq_heap_place){t0, c}, (struct evq_heap_place){t1, c + 1});
    struct evq_heap_place b =
        evq_heap_earlier((struct evq_heap_place){t2, c + 2}, (struct evq_heap_place){t3, c + 3});
    bool tie = (t0 == t1) | (t2 == t3) | (a.at == b.at);
    if (__builtin_expect(tie, 0)) return evq_heap_first_of_4_in_full(h, c);
    return evq_heap_earlier(a, b).i;
}

/* An item is read and written word by word, each in a register: compilers like to make one load of 16 bytes
 * of the two, and that waits until the two stores that wrote the item just now have reached the cache, 5 ns
 * where few events are pending. */
static inline struct evq_item evq_heap_get(const struct evq_item *from)
{
    uint64_t at = from->at, order = from->order;
    __asm__("" : "+r"(at), "+r"(order));
    return (struct evq_item){at, order};
}

static inline void evq_heap_put(struct evq_item *to, struct evq_item it)
{
    to->at = it.at;
    __asm__("" : "+r"(it.order));
    to->order = it.order;
}

/* Puts x where place i is free, or below. */
static inline __attribute__((always_inline)) void evq_heap_down(struct evq_item *h, size_t n, size_t i,
                                                                struct evq_item x)
{
    for (size_t c; (c = 4 * i + 1) < n;) {
        c = evq_heap_first_of_4(h, c);
        struct evq_item it = evq_heap_get(&h[c]);
        if (!evq_heap_before(it, x)) break;
        evq_heap_put(&h[i], it);
        i = c;
    }
    evq_heap_put(&h[i], x);
}

/* Puts x where place i is free, or above. */
static inline void evq_heap_up(struct evq_item *h, size_t i, struct evq_item x)
{
    while (i > 0) {
        size_t p = (i - 1) / 4;
        struct evq_item it = evq_heap_get(&h[p]);
        if (!evq_heap_before(x, it)) break;
        evq_heap_put(&h[i], it);
        i = p;
    }
    evq_heap_put(&h[i], x);
}

/* Makes a heap of n items in any order. */
static inline void evq_heap_make(struct evq_item *h, size_t n)
{
    for (size_t i = n < 2 ? 0 : (n - 2) / 4 + 1; i-- > 0;)
        evq_heap_down(h, n, i, h[i]);
}

#endif
