// SPDX-License-Identifier: GPL-3.0-or-later
/* bare_mem.h - the least that models memory under clock: a word a page, a bit a frame and whose page it
 * holds, a hand. A reference that hits draws its page and whether it writes, loads the page's word, sets
 * flags and bit; a fault moves the hand to the first clear bit, and sets two words. No time, no tasks, no
 * swap, no counts by VM. Half of bare_mem_faults' references hit, as twice the frames are referred to: those
 * are part of a fault. */
#ifndef VLAB_TESTS_BARE_MEM_H
#define VLAB_TESTS_BARE_MEM_H

#include "base/rng.h"
#include "bench.h"
#include "model/mem_inner.h"

#define BARE_FRAMES 1000000u

struct bare_mem {
    struct rng rng;
    uint32_t hand, n_pages;
    int64_t resident, faults;
    uint32_t *words, *owner;
    uint8_t *bits;
};

static void *bare_mem_new(uint32_t n_pages)
{
    struct bare_mem *b = calloc(1, sizeof *b);
    if (!b) abort();
    b->n_pages = n_pages;
    b->rng = rng_at(1, 2, 3);
    b->words = calloc(b->n_pages, sizeof *b->words);
    b->owner = calloc(BARE_FRAMES, sizeof *b->owner);
    b->bits = calloc(BARE_FRAMES, 1);
    if (!b->words || !b->owner || !b->bits) abort();
    for (uint32_t i = 0; i < BARE_FRAMES; i++) {
        b->words[i] = page_at(PAGE_RESIDENT, i);
        b->owner[i] = i;
    }
    return b;
}

static void *bare_mem_fit(uint64_t size)
{
    (void)size;
    return bare_mem_new(BARE_FRAMES);
}

static void *bare_mem_twice(uint64_t size)
{
    (void)size;
    return bare_mem_new(2 * BARE_FRAMES);
}

static void bare_mem_free(void *st)
{
    struct bare_mem *b = st;
    free(b->words);
    free(b->owner);
    free(b->bits);
    free(b);
}

BENCH_NOINLINE static void bare_mem_hits(void *st, uint64_t n)
{
    struct bare_mem *b = st;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t page = (uint32_t)((uint64_t)rng_u32(&b->rng) * BARE_FRAMES >> 32);
        uint32_t flags = rng_u32(&b->rng) < 1288490188 ? PAGE_ACTIVE | PAGE_DIRTY : PAGE_ACTIVE;
        uint32_t w = b->words[page];
        if ((w & flags) != flags) b->words[page] = w | flags;
        b->bits[w & PAGE_NUMBER] = 1;
    }
}

BENCH_NOINLINE static void bare_mem_faults(void *st, uint64_t n)
{
    struct bare_mem *b = st;
    for (uint64_t done = 0; done < n;) {
        uint32_t page = (uint32_t)((uint64_t)rng_u32(&b->rng) * b->n_pages >> 32);
        if (page_where(b->words[page]) == PAGE_RESIDENT) {
            b->bits[b->words[page] & PAGE_NUMBER] = 1;
            continue;
        }
        while (b->bits[b->hand]) {
            b->bits[b->hand] = 0;
            b->hand = b->hand + 1 == BARE_FRAMES ? 0 : b->hand + 1;
        }
        b->words[b->owner[b->hand]] = PAGE_COPY;
        b->owner[b->hand] = page;
        b->words[page] = page_at(PAGE_RESIDENT, b->hand);
        b->bits[b->hand] = 1;
        b->faults++;
        done++;
    }
}

#endif
