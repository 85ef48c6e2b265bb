// SPDX-License-Identifier: GPL-3.0-or-later
/* pagecache.h - which blocks a cache holds: the least recently used one leaves.
 *
 * Blocks of 4 KiB are known by a number, the key. A block may be dirty (its content is nowhere else yet) and
 * may be on its way (`fetch`: the request that brings it). Find, put and clean are O(1);
 * memory is taken as the cache fills. It holds no bytes: nothing here needs them.
 * Hit ratio under uniform references to B blocks: C/B of them, C its capacity. */
#ifndef VLAB_MODEL_PAGECACHE_H
#define VLAB_MODEL_PAGECACHE_H

#include <stdbool.h>
#include <stdint.h>

#define PAGECACHE_BLOCK 4096
#define PAGECACHE_NONE  UINT32_MAX

struct pagecache_block {
    uint64_t key;
    uint32_t prev, next;             /* by use: next is older */
    uint32_t dirty_prev, dirty_next; /* by time of becoming dirty: next is younger */
    uint64_t fetch;                  /* the caller's; 0 when it was put */
    uint32_t chain;                  /* of its hash */
    bool dirty;
};

struct pagecache {
    uint32_t capacity; /* blocks; 0: there is no cache */
    uint32_t n, room;
    uint32_t *hash;
    uint32_t mask; /* buckets - 1 */
    uint32_t young, old, dirty_old, dirty_young, free, n_dirty;
    struct pagecache_block *v;
};

void pagecache_init(struct pagecache *c, int64_t bytes);
void pagecache_done(struct pagecache *c);
/* The block, which is the most recently used from now on; PAGECACHE_NONE: it is not held. */
uint32_t pagecache_find(struct pagecache *c, uint64_t key);
/* Only whether it is held. */
bool pagecache_has(const struct pagecache *c, uint64_t key);
/* Takes in a block that is not held; there must be a capacity. True: *out_key had to leave and was dirty. */
bool pagecache_put(struct pagecache *c, uint64_t key, uint32_t *block, uint64_t *out_key);
void pagecache_dirty(struct pagecache *c, uint32_t block);
/* The block that has been dirty longest is clean from now on; false: none is dirty. */
bool pagecache_clean(struct pagecache *c, uint64_t *key);
void pagecache_drop(struct pagecache *c, uint64_t key);

#endif
