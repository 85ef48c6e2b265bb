// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evq.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "engine/evq_heap.h"
#include "engine/evq_impl.h"
#include "engine/evq_radix.h"

#define FIRST_CAP   64u
#define HEAP_OFFSET 3u  /* places before the root, so that its children begin a cache line */
#define SPARE_DEAD  8u  /* dead items not worth a sweep */
#define SMALL       32u /* items in the heap: up to so many, one is looked for when it is cancelled */
#define LINE        64u
#define LARGE_PAGE  (2u << 20)
#define RANK_SHIFT  (EVQ_SLOT_BITS + EVQ_TURN_BITS)

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
/* What is rare is kept out of the functions that are not: with it they would save more registers. */
#define RARE __attribute__((noinline, cold))

/* Measured with bench_evq: from about 20,000 pending on the radix part is faster than the heap alone. The gap
 * between split_at and join_at keeps a number pending that wanders from changing over all the time. */
static const struct evq_tuning default_tuning = {
    .split_at = 24000, .join_at = 8000, .pull_max = 256, .turn_limit = 1ull << EVQ_TURN_BITS};

void *evq_block_alloc(size_t bytes)
{
    size_t align = bytes >= LARGE_PAGE ? LARGE_PAGE : LINE;
    bytes = (bytes + align - 1) / align * align;
    void *block = aligned_alloc(align, bytes);
    ASSERT(block);
    if (align == LARGE_PAGE) madvise(block, bytes, MADV_HUGEPAGE); /* refused: it is slower, no more */
    return block;
}

static void heap_reserve(struct evq *q, size_t want)
{
    if (want <= q->cap) return;
    size_t cap = q->cap ? q->cap : FIRST_CAP;
    while (cap < want)
        cap *= 2;
    struct evq_item *block = evq_block_alloc((HEAP_OFFSET + cap + EVQ_HEAP_PAD) * sizeof(struct evq_item));
    struct evq_item *heap = block + HEAP_OFFSET;
    if (q->n) memcpy(heap, q->heap, q->n * sizeof *heap);
    for (size_t i = q->n; i < cap + EVQ_HEAP_PAD; i++)
        heap[i] = evq_heap_nothing(i);
    free(q->block);
    q->block = block;
    q->heap = heap;
    q->cap = cap;
}

RARE static void slots_grow(struct evq *q)
{
    uint32_t n = q->n_slots ? 2 * q->n_slots : FIRST_CAP;
    ASSERT(n <= 1u << EVQ_SLOT_BITS);
    struct evq_slot *slots = evq_block_alloc(n * sizeof *slots);
    if (q->n_slots) memcpy(slots, q->slots, q->n_slots * sizeof *slots);
    for (uint32_t i = n; i-- > q->n_slots;) {
        slots[i] = (struct evq_slot){.gen = 1, .next = q->free};
        q->free = i;
    }
    free(q->slots);
    q->slots = slots;
    q->n_slots = n;
}

static void split_set(struct evq *q, size_t n)
{
    q->split = n > q->tune.split_at ? n : q->tune.split_at;
    q->room = q->cap < q->split ? q->cap : q->split;
}

void evq_tune(struct evq *q, const struct evq_tuning *t)
{
    ASSERT(q->seq == 0 && t->turn_limit <= 1ull << EVQ_TURN_BITS);
    q->tune = *t;
    q->turns_end = t->turn_limit;
    split_set(q, 0);
}

struct evq *evq_new(void)
{
    struct evq *q = calloc(1, sizeof *q);
    if (!q) return NULL;
    q->bound = EVQ_NEVER;
    q->free = EVQ_NO_SLOT;
    q->tune = default_tuning;
    q->turns_end = default_tuning.turn_limit;
    heap_reserve(q, FIRST_CAP);
    split_set(q, 0);
    return q;
}

void evq_free(struct evq *q)
{
    if (!q) return;
    evq_radix_free(q->far);
    free(q->block);
    free(q->slots);
    free(q);
}

static bool keep_live(const struct evq *q, struct evq_item *it)
{
    return evq_is_live(q, *it);
}

/* The live items of a renumbering: the slot has the new order already. */
static bool keep_renamed(const struct evq *q, struct evq_item *it)
{
    it->order = q->slots[evq_slot_of(*it)].order;
    return true;
}

static void filter(struct evq *q, bool (*keep)(const struct evq *q, struct evq_item *it))
{
    size_t n = 0;
    for (size_t i = q->hole; i < q->n; i++) {
        q->heap[n] = q->heap[i];
        if (keep(q, &q->heap[n])) n++;
    }
    for (size_t i = n; i < q->n; i++)
        q->heap[i] = evq_heap_nothing(i);
    q->n = n;
    q->hole = false;
    evq_heap_make(q->heap, n);
    if (q->far) evq_radix_filter(q->far, keep, q);
}

/* Drops the dead: costs what is there, and as much was cancelled since the last time. */
RARE static void sweep(struct evq *q)
{
    filter(q, keep_live);
    q->dead = 0;
}

static int by_seq(const void *a, const void *b)
{
    const struct evq_slot *x = *(struct evq_slot *const *)a, *y = *(struct evq_slot *const *)b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

/* The turns have run out: those pending get new ones from 1, in the same order. */
RARE static void renumber(struct evq *q)
{
    sweep(q);
    struct evq_slot **live = malloc((q->live + 1) * sizeof *live);
    ASSERT(live);
    size_t n = 0;
    for (uint32_t i = 0; i < q->n_slots; i++)
        if (q->slots[i].order) live[n++] = &q->slots[i];
    ASSERT(n == q->live && n + 1 < q->tune.turn_limit);
    qsort(live, n, sizeof *live, by_seq);
    const uint64_t turns = ((1ull << EVQ_TURN_BITS) - 1) << EVQ_SLOT_BITS;
    for (size_t i = 0; i < n; i++)
        live[i]->order = (live[i]->order & ~turns) | ((i + 1) << EVQ_SLOT_BITS);
    q->turns_from = q->seq - n;
    q->turns_end = q->turns_from + q->tune.turn_limit;
    free(live);
    filter(q, keep_renamed);
}

/* Puts the next bucket, or if few are left all there is, into the empty heap. */
RARE static void heap_refill(struct evq *q)
{
    bool join = evq_radix_count(q->far) <= q->tune.join_at;
    struct evq_radix_run run = join ? evq_radix_all(q->far) : evq_radix_next(q->far, q->tune.pull_max);
    heap_reserve(q, run.n + 1);
    size_t n = run.n;
    q->bound = run.end;
    evq_radix_drain(q->far, run, q->heap);
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&q->slots[evq_slot_of(q->heap[i])]);
    evq_radix_prefetch(q->far, q->slots, q->tune.pull_max);
    q->n = n;
    evq_heap_make(q->heap, n);
    /* Events of one instant cannot be split: no second attempt before they are twice as many. */
    split_set(q, 2 * n);
}

/* The heap has become too large: all but its first few go to the radix part. */
static void heap_split(struct evq *q)
{
    if (!q->far) q->far = evq_radix_new();
    ASSERT(q->far);
    if (evq_radix_count(q->far) == 0 || !evq_radix_rebase(q->far, q->last)) {
        struct evq_radix_run rest = evq_radix_all(q->far);
        heap_reserve(q, q->n + rest.n);
        evq_radix_drain(q->far, rest, q->heap + q->n);
        q->n += rest.n;
        evq_radix_start(q->far, q->last);
    }
    for (size_t i = q->hole; i < q->n; i++)
        evq_radix_push(q->far, q->heap[i]);
    for (size_t i = 0; i < q->n; i++)
        q->heap[i] = evq_heap_nothing(i);
    q->n = 0;
    q->hole = false;
    heap_refill(q);
}

RARE static void heap_make_room(struct evq *q)
{
    if (q->n < q->split) {
        heap_reserve(q, q->n + 1);
        q->room = q->cap < q->split ? q->cap : q->split;
    } else {
        heap_split(q);
    }
}

static inline void insert(struct evq *q, struct evq_item it)
{
    if (LIKELY(q->hole && it.at < q->bound)) {
        /* What left makes room for what comes: one way down instead of one down and one up. */
        q->hole = false;
        evq_heap_down(q->heap, q->n, 0, it);
        return;
    }
    if (!q->hole && UNLIKELY(q->n >= q->room)) heap_make_room(q);
    if (it.at >= q->bound) {
        evq_radix_push(q->far, it);
    } else {
        q->n++;
        evq_heap_up(q->heap, q->n - 1, it);
    }
}

static inline void turns_reserve(struct evq *q)
{
    if (UNLIKELY(q->seq + 1 >= q->turns_end)) renumber(q);
}

/* Gives slot i the next place in the sequence; the order of the item that stands for it from now on. */
static inline uint64_t slot_order(struct evq *q, uint64_t rank, uint32_t i)
{
    struct evq_slot *s = &q->slots[i];
    s->seq = ++q->seq;
    s->order = rank << RANK_SHIFT | (q->seq - q->turns_from) << EVQ_SLOT_BITS | i;
    return s->order;
}

evq_handle evq_push(struct evq *q, int64_t at_ns, int prio, uint32_t what, uint32_t arg)
{
    uint32_t rank = (uint32_t)(EVQ_PRIO_MAX - prio);
    ASSERT(at_ns >= (int64_t)q->last && at_ns < INT64_MAX);
    ASSERT(rank <= EVQ_PRIO_MAX - EVQ_PRIO_MIN);
    if (UNLIKELY(q->free == EVQ_NO_SLOT)) slots_grow(q);
    turns_reserve(q);
    uint32_t i = q->free;
    uint64_t order = slot_order(q, rank, i);
    struct evq_slot *s = &q->slots[i];
    q->free = s->next;
    s->what_arg = (uint64_t)arg << 32 | what;
    evq_handle h = (uint64_t)s->gen << 32 | i;
    q->live++;
    insert(q, (struct evq_item){.at = (uint64_t)at_ns, .order = order});
    return h;
}

/* The slot's handle is void from here on. One whose generations are used up is never used again. */
static inline void slot_free(struct evq *q, struct evq_slot *s)
{
    q->live--;
    s->order = 0;
    if (UNLIKELY(++s->gen == UINT32_MAX)) return;
    s->next = q->free;
    q->free = (uint32_t)(s - q->slots);
}

static inline struct evq_slot *slot_find(struct evq *q, evq_handle h)
{
    uint32_t i = (uint32_t)h;
    if (i >= q->n_slots) return NULL;
    struct evq_slot *s = &q->slots[i];
    return s->order && s->gen == h >> 32 ? s : NULL;
}

/* Where the item of this order is, if the heap is small enough to look; the newest first. 0: not looked, or
 * it is the root or in the radix part. */
static inline size_t heap_find(const struct evq *q, uint64_t order)
{
    size_t i = q->n;
    if (i > SMALL) return 0;
    while (i-- > 1)
        if (q->heap[i].order == order) return i;
    return 0;
}

/* Puts x in place of item i > 0, and then where it belongs. */
static void heap_replace(struct evq *q, size_t i, struct evq_item x)
{
    if (q->hole) q->heap[0] = (struct evq_item){0}; /* nothing is before it: the hole stays at the root */
    if (evq_heap_before(x, evq_heap_get(&q->heap[(i - 1) / 4])))
        evq_heap_up(q->heap, i, x);
    else
        evq_heap_down(q->heap, q->n, i, x);
}

static inline void dead_add(struct evq *q)
{
    if (UNLIKELY(++q->dead > q->live + SPARE_DEAD)) sweep(q);
}

bool evq_cancel(struct evq *q, evq_handle h)
{
    struct evq_slot *s = slot_find(q, h);
    if (!s) return false;
    size_t i = heap_find(q, s->order);
    slot_free(q, s);
    if (i == 0) {
        dead_add(q);
        return true;
    }
    struct evq_item x = evq_heap_get(&q->heap[--q->n]);
    q->heap[q->n] = evq_heap_nothing(q->n);
    if (i < q->n) heap_replace(q, i, x);
    return true;
}

bool evq_move(struct evq *q, evq_handle h, int64_t at_ns)
{
    ASSERT(at_ns >= (int64_t)q->last && at_ns < INT64_MAX);
    struct evq_slot *s = slot_find(q, h);
    if (!s) return false;
    turns_reserve(q);
    uint64_t was = s->order, order = slot_order(q, was >> RANK_SHIFT, (uint32_t)h);
    struct evq_item it = {.at = (uint64_t)at_ns, .order = order};
    size_t i = it.at < q->bound ? heap_find(q, was) : 0;
    if (i > 0) {
        heap_replace(q, i, it);
    } else {
        dead_add(q);
        insert(q, it);
    }
    return true;
}

/* Nothing has taken the place of what left: the last item does. */
static __attribute__((noinline)) void hole_fill(struct evq *q)
{
    q->hole = false;
    struct evq_item x = evq_heap_get(&q->heap[--q->n]);
    q->heap[q->n] = evq_heap_nothing(q->n);
    if (q->n) evq_heap_down(q->heap, q->n, 0, x);
}

/* Brings the next live event to the root of the heap. False: there is none. */
static inline bool settle(struct evq *q)
{
    for (;;) {
        if (q->hole) hole_fill(q);
        if (UNLIKELY(q->n == 0)) {
            if (!q->far || evq_radix_count(q->far) == 0) return false;
            heap_refill(q);
        }
        if (LIKELY(evq_is_live(q, q->heap[0]))) return true;
        q->dead--;
        q->hole = true;
    }
}

bool evq_pop_until(struct evq *q, int64_t until_ns, struct evq_event *out)
{
    if (!settle(q)) return false;
    struct evq_item it = evq_heap_get(&q->heap[0]);
    if ((int64_t)it.at > until_ns) return false;
    struct evq_slot *s = &q->slots[evq_slot_of(it)];
    out->at_ns = (int64_t)it.at;
    out->seq = s->seq;
    out->what = (uint32_t)s->what_arg;
    out->arg = (uint32_t)(s->what_arg >> 32);
    out->prio = (int8_t)(EVQ_PRIO_MAX - (int)(it.order >> RANK_SHIFT));
    q->last = it.at;
    q->hole = true;
    slot_free(q, s);
    if (UNLIKELY(q->dead > q->live + SPARE_DEAD)) sweep(q);
    return true;
}

bool evq_pop(struct evq *q, struct evq_event *out)
{
    return evq_pop_until(q, INT64_MAX, out);
}

int64_t evq_next_ns(struct evq *q)
{
    return settle(q) ? (int64_t)q->heap[0].at : INT64_MAX;
}

size_t evq_pending(const struct evq *q)
{
    return q->live;
}
