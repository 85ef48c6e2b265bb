// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static void *grow(void *v, uint32_t need, uint32_t *room, size_t size)
{
    if (need <= *room) return v;
    uint64_t to = *room ? *room : 16;
    while (to < need)
        to *= 2;
    v = realloc(v, to * size);
    ASSERT(v);
    *room = (uint32_t)to;
    return v;
}

void pool_init(struct pool *p, int64_t pool_bytes, int64_t grain_bytes)
{
    ASSERT(grain_bytes > 0 && pool_bytes >= 0);
    memset(p, 0, sizeof *p);
    p->grain_bytes = grain_bytes;
    p->cap = POOL_NO_BOUND;
    if (pool_bytes) {
        p->cap = 0;
        pool_grow(p, pool_bytes);
    }
    p->in.free = p->out.free = p->closed = POOL_NOBODY;
}

void pool_done(struct pool *p)
{
    free(p->in.v);
    free(p->out.v);
    free(p->accounts);
    free(p->moved);
    free(p->regions);
}

void pool_grow(struct pool *p, int64_t bytes)
{
    if (p->cap != POOL_NO_BOUND) p->cap += (uint64_t)(bytes / p->grain_bytes);
}

static void close_empty(struct pool *p, uint32_t account)
{
    struct pool_account *a = &p->accounts[account];
    if (!a->closes || a->owned || a->moved) return;
    a->next = p->closed;
    p->closed = account;
}

void pool_close(struct pool *p, uint32_t account)
{
    p->accounts[account].closes = true;
    close_empty(p, account);
}

uint32_t pool_open(struct pool *p)
{
    if (p->closed != POOL_NOBODY) {
        uint32_t account = p->closed;
        p->closed = p->accounts[account].next;
        p->accounts[account] = (struct pool_account){0};
        return account;
    }
    uint32_t room = p->room_accounts;
    p->accounts = grow(p->accounts, p->n_accounts + 1, &p->room_accounts, sizeof *p->accounts);
    if (room != p->room_accounts) {
        p->moved = realloc(p->moved, p->room_accounts * sizeof *p->moved);
        ASSERT(p->moved);
    }
    p->accounts[p->n_accounts] = (struct pool_account){0};
    return p->n_accounts++;
}

static void charge(struct pool *p, uint32_t account, uint64_t n, bool back)
{
    struct pool_account *a = &p->accounts[account];
    ASSERT(!back || a->owned >= n);
    a->owned = back ? a->owned - n : a->owned + n;
    if (a->moved) return;
    a->moved = true;
    p->moved[p->n_moved++] = account;
}

uint32_t pool_moved(struct pool *p)
{
    if (p->n_moved == 0) return POOL_NOBODY;
    uint32_t account = p->moved[--p->n_moved];
    p->accounts[account].moved = false;
    close_empty(p, account);
    return account;
}

static struct pool_grain *grain_of(const struct pool *p, uint32_t grain)
{
    const struct pool_list *l = grain & POOL_BESIDE ? &p->out : &p->in;
    return &l->v[grain & ~POOL_BESIDE];
}

uint32_t pool_take(struct pool *p, uint32_t account)
{
    struct pool_list *l = &p->in;
    uint32_t g = l->free;
    if (g != POOL_NOBODY) {
        l->free = l->v[g].owner;
    } else {
        ASSERT(l->n < POOL_MOST);
        l->v = grow(l->v, l->n + 1, &l->room, sizeof *l->v);
        g = l->n++;
    }
    l->v[g] = (struct pool_grain){.refs = 1, .owner = account};
    p->given++;
    charge(p, account, 1, false);
    return g;
}

static void count(struct pool *p, uint64_t n, uint32_t account)
{
    p->beside += n;
    charge(p, account, n, false);
}

int64_t pool_reserve(struct pool *p, uint64_t n, uint32_t account, bool counted)
{
    uint64_t most = (uint64_t)(POOL_THIN_AT / p->grain_bytes);
    if (counted) count(p, n, account);
    if (n > most - (uint64_t)(p->next_place / p->grain_bytes)) return 0; /* more than any address: overlaid */
    int64_t place = p->next_place;
    p->next_place += (int64_t)n * p->grain_bytes;
    return place;
}

uint32_t pool_detail(struct pool *p, int64_t place, uint32_t n, uint32_t account, bool counted)
{
    struct pool_list *l = &p->out;
    ASSERT(n <= POOL_MOST - l->n);
    if (!counted) count(p, n, account);
    l->v = grow(l->v, l->n + n, &l->room, sizeof *l->v);
    p->regions = grow(p->regions, p->n_regions + 1, &p->room_regions, sizeof *p->regions);
    p->regions[p->n_regions++] = (struct pool_region){.first = l->n, .n = n, .place = place};
    for (uint32_t i = 0; i < n; i++)
        l->v[l->n++] = (struct pool_grain){.refs = 1, .owner = account};
    return POOL_BESIDE | (l->n - n);
}

void pool_unreserve(struct pool *p, uint64_t n, uint32_t account)
{
    ASSERT(p->beside >= n);
    p->beside -= n;
    charge(p, account, n, true);
}

int64_t pool_place(const struct pool *p, uint32_t grain)
{
    if (!(grain & POOL_BESIDE)) return POOL_THIN_AT + (int64_t)grain * p->grain_bytes;
    uint32_t i = grain & ~POOL_BESIDE, lo = 0, hi = p->n_regions;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        *(p->regions[mid].first <= i ? &lo : &hi) = mid;
    }
    return p->regions[lo].place + (int64_t)(i - p->regions[lo].first) * p->grain_bytes;
}

void pool_ref(struct pool *p, uint32_t grain)
{
    struct pool_grain *g = grain_of(p, grain);
    ASSERT(g->refs > 0 && g->refs < UINT32_MAX);
    g->refs++;
}

bool pool_drop(struct pool *p, uint32_t grain)
{
    struct pool_grain *g = grain_of(p, grain);
    ASSERT(g->refs > 0);
    if (--g->refs > 0) return false;
    charge(p, g->owner, 1, true);
    if (grain & POOL_BESIDE) { /* its number is not used again */
        p->beside--;
        return true;
    }
    p->given--;
    g->owner = p->in.free;
    p->in.free = grain;
    return true;
}

uint32_t pool_refs(const struct pool *p, uint32_t grain)
{
    return grain_of(p, grain)->refs;
}
