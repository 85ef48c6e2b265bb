// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/pagecache.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/rng.h"

#define NO PAGECACHE_NONE

void pagecache_init(struct pagecache *c, int64_t bytes)
{
    int64_t blocks = bytes / PAGECACHE_BLOCK;
    memset(c, 0, sizeof *c);
    c->capacity = blocks < NO - 1 ? (uint32_t)blocks : NO - 1;
    c->young = c->old = c->dirty_old = c->dirty_young = c->free = NO;
}

void pagecache_done(struct pagecache *c)
{
    free(c->v);
    free(c->hash);
    c->v = NULL;
    c->hash = NULL;
}

static uint32_t *bucket_of(const struct pagecache *c, uint64_t key)
{
    return &c->hash[rng_mix(key) & c->mask];
}

static uint32_t look_up(const struct pagecache *c, uint64_t key)
{
    if (!c->hash) return NO;
    uint32_t i = *bucket_of(c, key);
    while (i != NO && c->v[i].key != key)
        i = c->v[i].chain;
    return i;
}

static void grow(struct pagecache *c)
{
    uint64_t room = c->room ? 2 * (uint64_t)c->room : 64;
    c->room = (uint32_t)(room < c->capacity ? room : c->capacity);
    c->v = realloc(c->v, c->room * sizeof *c->v);
    ASSERT(c->v);
    if (c->hash && c->mask + 1 >= c->room) return;
    uint64_t buckets = 64;
    while (buckets < c->room)
        buckets *= 2;
    free(c->hash);
    c->hash = malloc(buckets * sizeof *c->hash);
    ASSERT(c->hash);
    c->mask = (uint32_t)(buckets - 1);
    memset(c->hash, 0xff, buckets * sizeof *c->hash);
    for (uint32_t i = c->young; i != NO; i = c->v[i].next) {
        uint32_t *b = bucket_of(c, c->v[i].key);
        c->v[i].chain = *b;
        *b = i;
    }
}

static void unlink_use(struct pagecache *c, const struct pagecache_block *b)
{
    *(b->prev == NO ? &c->young : &c->v[b->prev].next) = b->next;
    *(b->next == NO ? &c->old : &c->v[b->next].prev) = b->prev;
}

static void link_young(struct pagecache *c, uint32_t i)
{
    struct pagecache_block *b = &c->v[i];
    b->prev = NO;
    b->next = c->young;
    *(c->young == NO ? &c->old : &c->v[c->young].prev) = i;
    c->young = i;
}

static void unlink_dirty(struct pagecache *c, struct pagecache_block *b)
{
    *(b->dirty_prev == NO ? &c->dirty_old : &c->v[b->dirty_prev].dirty_next) = b->dirty_next;
    *(b->dirty_next == NO ? &c->dirty_young : &c->v[b->dirty_next].dirty_prev) = b->dirty_prev;
    b->dirty = false;
    c->n_dirty--;
}

static void unlink_hash(struct pagecache *c, uint32_t i)
{
    uint32_t *at = bucket_of(c, c->v[i].key);
    while (*at != i)
        at = &c->v[*at].chain;
    *at = c->v[i].chain;
}

uint32_t pagecache_find(struct pagecache *c, uint64_t key)
{
    uint32_t i = look_up(c, key);
    if (i == NO || i == c->young) return i;
    unlink_use(c, &c->v[i]);
    link_young(c, i);
    return i;
}

bool pagecache_has(const struct pagecache *c, uint64_t key)
{
    return look_up(c, key) != NO;
}

bool pagecache_put(struct pagecache *c, uint64_t key, uint32_t *block, uint64_t *out_key)
{
    ASSERT(c->capacity > 0);
    bool lost = false;
    uint32_t i = c->free;
    if (i != NO) {
        c->free = c->v[i].chain;
    } else if (c->n < c->capacity) {
        if (c->n == c->room) grow(c);
        i = c->n++;
    } else {
        i = c->old;
        lost = c->v[i].dirty;
        *out_key = c->v[i].key;
        if (lost) unlink_dirty(c, &c->v[i]);
        unlink_use(c, &c->v[i]);
        unlink_hash(c, i);
    }
    uint32_t *b = bucket_of(c, key);
    c->v[i] = (struct pagecache_block){.key = key, .chain = *b, .dirty_prev = NO, .dirty_next = NO};
    *b = i;
    link_young(c, i);
    *block = i;
    return lost;
}

void pagecache_dirty(struct pagecache *c, uint32_t i)
{
    struct pagecache_block *b = &c->v[i];
    if (b->dirty) return;
    b->dirty = true;
    c->n_dirty++;
    b->dirty_next = NO;
    b->dirty_prev = c->dirty_young;
    *(c->dirty_young == NO ? &c->dirty_old : &c->v[c->dirty_young].dirty_next) = i;
    c->dirty_young = i;
}

bool pagecache_clean(struct pagecache *c, uint64_t *key)
{
    if (c->dirty_old == NO) return false;
    *key = c->v[c->dirty_old].key;
    unlink_dirty(c, &c->v[c->dirty_old]);
    return true;
}

void pagecache_drop(struct pagecache *c, uint64_t key)
{
    uint32_t i = look_up(c, key);
    if (i == NO) return;
    if (c->v[i].dirty) unlink_dirty(c, &c->v[i]);
    unlink_use(c, &c->v[i]);
    unlink_hash(c, i);
    c->v[i].chain = c->free;
    c->free = i;
}
