// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/volume.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

static void init(struct volume *v, struct pool *p, int64_t size, bool thick, bool counted)
{
    ASSERT(size > 0);
    uint64_t grains = (uint64_t)((size - 1) / p->grain_bytes + 1), chunks = (grains - 1) / VOLUME_CHUNK + 1;
    ASSERT(thick || chunks <= UINT32_MAX);
    *v = (struct volume){
        .pool = p,
        .size = size,
        .grain_bytes = p->grain_bytes,
        .account = pool_open(p),
        .n_grains = grains,
        .n_chunks = (uint32_t)chunks,
        .thick = thick,
        .counted = counted,
    };
    if (thick) v->place = pool_reserve(p, v->n_grains, v->account, counted);
}

void volume_init(struct volume *v, struct pool *p, int64_t size, bool thick)
{
    init(v, p, size, thick, true);
}

void volume_init_vague(struct volume *v, struct pool *p, int64_t size)
{
    init(v, p, size, true, false);
}

static void drop_chunk(struct pool *p, struct volume_chunk *c)
{
    if (!c || --c->refs > 0) return;
    for (uint32_t i = 0; i < VOLUME_CHUNK; i++)
        if (c->at[i]) pool_drop(p, c->at[i] - 1);
    free(c);
}

void volume_done(struct volume *v)
{
    if (v->thick && !v->map && v->counted) pool_unreserve(v->pool, v->n_grains, v->account);
    for (uint32_t i = 0; v->map && i < v->n_chunks; i++)
        drop_chunk(v->pool, v->map[i]);
    free(v->map);
    v->map = NULL;
    v->thick = false;
    v->n_grains = v->n_chunks = 0;
}

/* A chunk of v's own, to be changed. Of a shared one it gets a copy, whose grains have one more reference. */
static struct volume_chunk *own_chunk(struct volume *v, uint32_t i)
{
    if (!v->map) v->map = alloc_array(v->n_chunks, sizeof(struct volume_chunk *));
    struct volume_chunk *c = v->map[i];
    if (c && c->refs == 1) return c;
    struct volume_chunk *n = alloc_array(1, sizeof *n);
    if (c) {
        *n = *c;
        c->refs--;
        for (uint32_t k = 0; k < VOLUME_CHUNK; k++)
            if (n->at[k]) pool_ref(v->pool, n->at[k] - 1);
    }
    n->refs = 1;
    return v->map[i] = n;
}

static void take(struct volume *v, struct volume_chunk *c, uint32_t k)
{
    c->at[k] = pool_take(v->pool, v->account) + 1;
    c->used++;
}

void volume_fill(struct volume *v, int64_t bytes)
{
    if (bytes > v->size) bytes = v->size;
    if (bytes > 0) volume_write(v, 0, bytes);
}

/* A thick volume's reservation becomes a map, so that it can be shared. */
static void detail(struct volume *v)
{
    if (!v->thick || v->map) return;
    ASSERT(v->n_grains <= POOL_MOST);
    uint32_t n = (uint32_t)v->n_grains, first = pool_detail(v->pool, v->place, n, v->account, v->counted);
    v->counted = true;
    for (uint32_t g = 0; g < n; g++) {
        struct volume_chunk *c = own_chunk(v, g / VOLUME_CHUNK);
        c->at[g % VOLUME_CHUNK] = first + g + 1;
        c->used++;
    }
}

/* Makes v, which is thin, of the same pool and has no grain yet, a copy-on-write twin of src. Where it is
 * larger, the rest of it is empty; where it is smaller, it begins as src does. */
static void share(struct volume *v, struct volume *src)
{
    ASSERT(!v->thick && !v->map && v->pool == src->pool);
    detail(src);
    v->ever_shared = src->ever_shared = true;
    if (!src->map) return;
    v->map = alloc_array(v->n_chunks, sizeof(struct volume_chunk *));
    for (uint32_t i = 0; i < v->n_chunks && i < src->n_chunks; i++) {
        v->map[i] = src->map[i];
        if (v->map[i]) v->map[i]->refs++;
    }
}

void volume_snapshot(struct volume *snap, struct volume *src)
{
    share(snap, src);
}

void volume_clone(struct volume *v, struct volume *src, bool linked)
{
    if (linked) {
        share(v, src);
        return;
    }
    for (uint64_t g = 0; !v->thick && g < v->n_grains && g < src->n_grains; g++) {
        if (!volume_has(src, g)) continue;
        struct volume_chunk *c = own_chunk(v, (uint32_t)(g / VOLUME_CHUNK));
        if (!c->at[g % VOLUME_CHUNK]) take(v, c, g % VOLUME_CHUNK);
    }
}

/* The pool's grain + 1 that the map has at g; 0: none, or there is no map. */
static uint32_t entry(const struct volume *v, uint64_t g)
{
    const struct volume_chunk *c = v->map ? v->map[g / VOLUME_CHUNK] : NULL;
    return c ? c->at[g % VOLUME_CHUNK] : 0;
}

bool volume_has(const struct volume *v, uint64_t g)
{
    return v->thick && !v->map ? v->counted : entry(v, g) != 0;
}

static bool is_shared(const struct volume *v, uint64_t g, uint32_t at)
{
    if (!v->ever_shared || !at) return false;
    return v->map[g / VOLUME_CHUNK]->refs > 1 || pool_refs(v->pool, at - 1) > 1;
}

int64_t volume_place(const struct volume *v, int64_t at)
{
    if (v->thick && !v->map) return v->place + at;
    uint32_t has = entry(v, (uint64_t)(at / v->grain_bytes));
    return has ? pool_place(v->pool, has - 1) + at % v->grain_bytes : -1;
}

struct volume_need volume_needs(const struct volume *v, int64_t at, int64_t len)
{
    struct volume_need need = {.copy_bytes = v->grain_bytes};
    if (!v->map && v->thick) return need;
    int64_t end = at + len, first = at / v->grain_bytes, last = (end - 1) / v->grain_bytes;
    for (int64_t g = first; g <= last; g++) {
        uint32_t has = entry(v, (uint64_t)g);
        if (!has) need.grains++;
        if (!is_shared(v, (uint64_t)g, has)) continue;
        need.grains++;
        int64_t from = g * v->grain_bytes, to = from + v->grain_bytes;
        if (to > v->size) to = v->size;
        if (at <= from && end >= to) continue; /* all of it is written: there is nothing to copy */
        int64_t covered = (end < to ? end : to) - (at > from ? at : from);
        need.copy_from[need.copies++] = pool_place(v->pool, has - 1);
        need.extra_bytes += to - from - covered;
    }
    return need;
}

void volume_write(struct volume *v, int64_t at, int64_t len)
{
    if (!v->map && v->thick) return;
    if (at < v->trim_to && at + len > v->trim_from) v->trim_from = v->trim_to = 0;
    int64_t last = (at + len - 1) / v->grain_bytes;
    for (int64_t i = at / v->grain_bytes; i <= last; i++) {
        uint64_t g = (uint64_t)i;
        uint32_t has = entry(v, g), k = g % VOLUME_CHUNK;
        if (has && !is_shared(v, g, has)) continue;
        struct volume_chunk *c = own_chunk(v, (uint32_t)(g / VOLUME_CHUNK));
        if (has) {
            pool_drop(v->pool, has - 1);
            c->used--;
        }
        take(v, c, k);
    }
}

uint32_t volume_trim(struct volume *v, int64_t at, int64_t len)
{
    int64_t from = at, to = at + len;
    if (at == v->trim_to && v->trim_to > v->trim_from) from = v->trim_from;
    v->trim_from = from;
    v->trim_to = to;
    if (!v->map) return 0;
    int64_t end = to == v->size ? (int64_t)v->n_grains : to / v->grain_bytes;
    /* What the trims before this one covered wholly is gone already: no further back than one grain. */
    int64_t since = at / v->grain_bytes * v->grain_bytes;
    if (from < since) from = since;
    uint32_t gone = 0;
    for (int64_t i = (from + v->grain_bytes - 1) / v->grain_bytes; i < end; i++) {
        uint64_t g = (uint64_t)i;
        uint32_t has = entry(v, g);
        if (!has || (has - 1) & POOL_BESIDE) continue;
        struct volume_chunk *c = own_chunk(v, (uint32_t)(g / VOLUME_CHUNK));
        c->at[g % VOLUME_CHUNK] = 0;
        c->used--;
        pool_drop(v->pool, has - 1);
        gone++;
        if (c->used == 0) {
            free(c);
            v->map[g / VOLUME_CHUNK] = NULL;
        }
    }
    return gone;
}
