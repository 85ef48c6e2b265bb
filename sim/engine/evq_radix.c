// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evq_radix.h"

#include <stdlib.h>

#include "base/assert.h"

#define DIGIT_BITS 5
#define DIGITS     (1u << DIGIT_BITS)
#define LEVELS     13u /* of 5 bits: the 63 of a time */
#define CHUNK_LEN  63u
#define SLAB_LEN   2048u /* a large page */

struct evq_radix_chunk {
    struct evq_radix_chunk *next;
    size_t n;
    struct evq_item items[CHUNK_LEN];
};
_Static_assert(sizeof(struct evq_radix_chunk) == 1024, "a whole number of cache lines");

struct bucket {
    struct evq_radix_chunk *head; /* the one being filled; those behind it are full */
    size_t n;
};

struct evq_radix {
    uint64_t base;
    size_t n;
    uint32_t levels;               /* bit l: level l has a bucket in use */
    uint64_t digits[LEVELS];       /* bit d: bucket (l, d) is in use */
    struct evq_radix_chunk *pool;  /* used before and free again */
    struct evq_radix_chunk *slabs; /* the first chunk of each is its link to the one before */
    size_t slab_used;              /* chunks of the last slab handed out, its link included */
    struct bucket buckets[LEVELS][DIGITS];
};

struct evq_radix *evq_radix_new(void)
{
    return calloc(1, sizeof(struct evq_radix));
}

void evq_radix_free(struct evq_radix *r)
{
    if (!r) return;
    for (struct evq_radix_chunk *s = r->slabs, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    free(r);
}

size_t evq_radix_count(const struct evq_radix *r)
{
    return r->n;
}

void evq_radix_start(struct evq_radix *r, uint64_t base)
{
    ASSERT(r->n == 0);
    r->base = base;
}

bool evq_radix_rebase(struct evq_radix *r, uint64_t base)
{
    /* Within the run only digits below its level change; what is kept here differs further up. */
    if (base < r->base) return false;
    r->base = base;
    return true;
}

static struct evq_radix_chunk *chunk_new(struct evq_radix *r)
{
    if (!r->slabs || r->slab_used == SLAB_LEN) {
        struct evq_radix_chunk *s = evq_block_alloc(SLAB_LEN * sizeof *s);
        s->next = r->slabs;
        r->slabs = s;
        r->slab_used = 1;
    }
    return &r->slabs[r->slab_used++];
}

static struct evq_radix_chunk *chunk_take(struct evq_radix *r)
{
    struct evq_radix_chunk *c = r->pool;
    if (c)
        r->pool = c->next;
    else
        c = chunk_new(r);
    c->n = 0;
    return c;
}

static void chunk_give(struct evq_radix *r, struct evq_radix_chunk *c)
{
    c->next = r->pool;
    r->pool = c;
}

static struct evq_radix_run bucket_take(struct evq_radix *r, uint32_t level, uint32_t digit)
{
    struct bucket *b = &r->buckets[level][digit];
    struct evq_radix_run run = {.chunks = b->head, .n = b->n};
    r->n -= b->n;
    *b = (struct bucket){0};
    r->digits[level] &= ~(1ull << digit);
    if (!r->digits[level]) r->levels &= ~(1u << level);
    return run;
}

static inline void bucket_add(struct evq_radix *r, struct evq_item it)
{
    uint32_t level = (63u - (uint32_t)__builtin_clzll((it.at ^ r->base) | 1)) / DIGIT_BITS;
    uint32_t digit = (uint32_t)(it.at >> (level * DIGIT_BITS)) & (DIGITS - 1);
    struct bucket *b = &r->buckets[level][digit];
    struct evq_radix_chunk *c = b->head;
    if (__builtin_expect(!c || c->n == CHUNK_LEN, 0)) {
        c = chunk_take(r);
        c->next = b->head;
        b->head = c;
        r->digits[level] |= 1ull << digit;
        r->levels |= 1u << level;
    }
    c->items[c->n++] = it;
    b->n++;
}

void evq_radix_push(struct evq_radix *r, struct evq_item it)
{
    bucket_add(r, it);
    r->n++;
}

/* Sorts a run into the buckets again, by a base that is nearer now. */
static void run_spread(struct evq_radix *r, struct evq_radix_run run)
{
    for (struct evq_radix_chunk *c = run.chunks, *next; c; c = next) {
        next = c->next;
        if (next) {
            /* The first lines of the next chunk; the machine itself follows from there. */
            __builtin_prefetch(&next->n);
            __builtin_prefetch(&next->items[3]);
            __builtin_prefetch(&next->items[7]);
        }
        for (size_t i = 0; i < c->n; i++)
            bucket_add(r, c->items[i]);
        chunk_give(r, c);
    }
    r->n += run.n;
}

struct evq_radix_run evq_radix_next(struct evq_radix *r, size_t pull_max)
{
    for (;;) {
        ASSERT(r->levels);
        uint32_t level = (uint32_t)__builtin_ctz(r->levels);
        uint32_t digit = (uint32_t)__builtin_ctzll(r->digits[level]);
        uint64_t span = 1ull << (level * DIGIT_BITS);
        struct evq_radix_run run = bucket_take(r, level, digit);
        /* The digits above stay, this one is found, those below are 0: nothing is earlier any more. */
        uint64_t above = level + 1 < LEVELS ? ~(span * DIGITS - 1) : 0;
        r->base = (r->base & above) | (digit * span);
        if (run.n <= pull_max || level == 0) {
            run.end = r->base + span;
            return run;
        }
        run_spread(r, run);
    }
}

void evq_radix_prefetch(const struct evq_radix *r, const struct evq_slot *slots, size_t max)
{
    if (!r->levels) return;
    uint32_t level = (uint32_t)__builtin_ctz(r->levels);
    const struct bucket *b = &r->buckets[level][__builtin_ctzll(r->digits[level])];
    if (b->n > max) return;
    for (const struct evq_radix_chunk *c = b->head; c; c = c->next)
        for (size_t i = 0; i < c->n; i++)
            __builtin_prefetch(&slots[evq_slot_of(c->items[i])]);
}

struct evq_radix_run evq_radix_all(struct evq_radix *r)
{
    struct evq_radix_run all = {.end = EVQ_NEVER};
    while (r->levels) {
        uint32_t level = (uint32_t)__builtin_ctz(r->levels);
        struct evq_radix_run run = bucket_take(r, level, (uint32_t)__builtin_ctzll(r->digits[level]));
        struct evq_radix_chunk *tail = run.chunks;
        while (tail->next)
            tail = tail->next;
        tail->next = all.chunks;
        all.chunks = run.chunks;
        all.n += run.n;
    }
    return all;
}

void evq_radix_drain(struct evq_radix *r, struct evq_radix_run run, struct evq_item *out)
{
    for (struct evq_radix_chunk *c = run.chunks, *next; c; c = next) {
        next = c->next;
        for (size_t i = 0; i < c->n; i++)
            *out++ = c->items[i];
        chunk_give(r, c);
    }
}

void evq_radix_filter(struct evq_radix *r, bool (*keep)(const struct evq *q, struct evq_item *it),
                      const struct evq *q)
{
    struct evq_radix_run all = evq_radix_all(r);
    for (struct evq_radix_chunk *c = all.chunks, *next; c; c = next) {
        next = c->next;
        for (size_t i = 0; i < c->n; i++)
            if (keep(q, &c->items[i])) evq_radix_push(r, c->items[i]);
        chunk_give(r, c);
    }
}
