// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/place_world.h"

#include <string.h>

#include "base/assert.h"

static uint32_t base_of(uint32_t n)
{
    uint32_t base = 1;
    while (base < n)
        base *= 2;
    return base;
}

size_t place_world_bytes(uint32_t n, uint32_t n_vms)
{
    return (2 * (size_t)base_of(n) * PLACE_NRES + n_vms) * sizeof(int64_t) +
           (2 * (size_t)n + 6 * (size_t)n_vms) * sizeof(uint32_t);
}

static void lay_out(struct place_world *w, void *block)
{
    w->base = base_of(w->n);
    w->room = block;
    w->size = w->room + 2 * (size_t)w->base * PLACE_NRES;
    w->first = (uint32_t *)(w->size + w->n_vms);
    w->on = w->first + w->n;
    w->after = w->on + w->n;
    w->next = w->after + w->n_vms;
    w->order = w->next + w->n_vms;
    w->there = w->order + w->n_vms;
    w->moved = w->there + w->n_vms;
    w->to = w->moved + w->n_vms;
}

/* --- the tree --- */

static int64_t *node(const struct place_world *w, uint32_t i)
{
    return w->room + (size_t)i * PLACE_NRES;
}

static bool pull(struct place_world *w, uint32_t i)
{
    bool changed = false;
    const int64_t *a = node(w, 2 * i), *b = node(w, 2 * i + 1);
    int64_t *x = node(w, i);
    for (int r = 0; r < PLACE_NRES; r++) {
        int64_t most = a[r] > b[r] ? a[r] : b[r];
        changed = changed || x[r] != most;
        x[r] = most;
    }
    return changed;
}

static void pull_up(struct place_world *w, uint32_t host)
{
    for (uint32_t i = (w->base + host) / 2; i > 0 && pull(w, i); i /= 2)
        ;
}

static void set_leaf(struct place_world *w, uint32_t host)
{
    const struct place_host *h = &w->hosts[host];
    for (int r = 0; r < PLACE_NRES; r++) {
        int64_t room = h->most[r] == PLACE_NO_BOUND ? PLACE_NO_BOUND : h->most[r] - h->promised[r];
        if (room < 0) room = 0; /* who wants nothing of it may still come */
        node(w, w->base + host)[r] = h->usable ? room : -1;
    }
}

/* The first host from `from` on with room for what is wanted. A node that has room may be the maximum of two
 * hosts that have it of different resources: then its leaves are gone through and left. */
static uint32_t first_with_room(const struct place_world *w, const int64_t *want, uint32_t from)
{
    if (from >= w->n) return PLACE_NONE;
    for (uint32_t i = w->base + from;;) {
        const int64_t *x = node(w, i);
        bool room = true;
        for (int r = 0; r < PLACE_NRES; r++)
            if (x[r] < 0 || want[r] > x[r]) room = false;
        if (room) {
            if (i >= w->base) return i - w->base;
            i *= 2;
            continue;
        }
        while (i & 1) /* a right child: what is above it is done too */
            i /= 2;
        if (i == 0) return PLACE_NONE;
        i++;
    }
}

/* --- order: a heap sort, since nothing may be allocated --- */

bool place_world_before(const struct place_world *w, uint32_t a, uint32_t b)
{
    return w->size[a] != w->size[b] ? w->size[a] > w->size[b] : w->vms[a].vm < w->vms[b].vm;
}

static void sift(struct place_world *w, uint32_t i, uint32_t n)
{
    uint32_t x = w->order[i];
    for (;;) {
        uint32_t c = 2 * i + 1;
        if (c >= n) break;
        if (c + 1 < n && place_world_before(w, w->order[c], w->order[c + 1])) c++;
        if (!place_world_before(w, x, w->order[c])) break;
        w->order[i] = w->order[c];
        i = c;
    }
    w->order[i] = x;
}

static void sort(struct place_world *w)
{
    for (uint32_t i = 0; i < w->n_vms; i++)
        w->order[i] = i;
    for (uint32_t i = w->n_vms / 2; i-- > 0;)
        sift(w, i, w->n_vms);
    for (uint32_t i = w->n_vms; i > 1; i--) {
        uint32_t x = w->order[0];
        w->order[0] = w->order[i - 1];
        w->order[i - 1] = x;
        sift(w, 0, i - 1);
    }
}

/* What a VM takes of the largest host's scarcest resource. */
static void measure(struct place_world *w)
{
    int64_t have[PLACE_NRES] = {0};
    for (uint32_t h = 0; h < w->n; h++)
        for (int r = 0; r < PLACE_NRES; r++)
            if (w->hosts[h].have[r] > have[r]) have[r] = w->hosts[h].have[r];
    for (uint32_t v = 0; v < w->n_vms; v++) {
        w->size[v] = 0;
        for (int r = 0; r < PLACE_NRES; r++) {
            int64_t want = w->vms[v].want[r];
            int64_t share = have[r] > 0 ? (int64_t)((__int128)want * 1000000000 / have[r]) : 0;
            if (share > w->size[v]) w->size[v] = share;
        }
    }
}

void place_world_init(struct place_world *w, void *block)
{
    lay_out(w, block);
    w->n_moved = 0;
    memset(w->room, 0xff, 2 * (size_t)w->base * PLACE_NRES * sizeof *w->room); /* -1 */
    for (uint32_t h = 0; h < w->n; h++) {
        w->first[h] = w->on[h] = PLACE_NONE;
        set_leaf(w, h);
    }
    for (uint32_t i = w->base; i-- > 1;)
        pull(w, i);
    measure(w);
    sort(w);
    /* The sort leaves the one that comes before all others at 0; a list is built from its end. */
    for (uint32_t i = w->n_vms; i-- > 0;) {
        uint32_t v = w->order[i], h = w->vms[v].host;
        ASSERT(h < w->n);
        w->after[v] = w->first[h];
        w->first[h] = v;
    }
}

void place_world_down(struct place_world *w, uint32_t host)
{
    for (int r = 0; r < PLACE_NRES; r++)
        node(w, w->base + host)[r] = -1;
    pull_up(w, host);
}

void place_world_up(struct place_world *w, uint32_t host)
{
    set_leaf(w, host);
    pull_up(w, host);
}

static bool allowed(struct place_world *w, uint32_t v, uint32_t host)
{
    if (w->vms[v].features & ~w->hosts[host].features) return false;
    if (!w->rule) return true;
    uint32_t n_there = 0;
    for (uint32_t i = w->first[host]; i != PLACE_NONE; i = w->after[i])
        w->there[n_there++] = i;
    for (uint32_t i = w->on[host]; i != PLACE_NONE; i = w->next[i])
        w->there[n_there++] = i;
    return w->rule(w->ctx, w->vms, v, host, w->there, n_there);
}

static void take(struct place_world *w, uint32_t v, uint32_t host, int sign)
{
    int64_t *room = node(w, w->base + host);
    for (int r = 0; r < PLACE_NRES; r++)
        if (w->vms[v].want[r] > 0 && room[r] != PLACE_NO_BOUND) room[r] -= sign * w->vms[v].want[r];
    pull_up(w, host);
}

uint32_t place_world_put(struct place_world *w, uint32_t v)
{
    uint32_t h = first_with_room(w, w->vms[v].want, 0);
    while (h != PLACE_NONE && !allowed(w, v, h))
        h = first_with_room(w, w->vms[v].want, h + 1);
    if (h == PLACE_NONE) return h;
    take(w, v, h, 1);
    w->next[v] = w->on[h];
    w->on[h] = v;
    w->moved[w->n_moved] = v;
    w->to[w->n_moved++] = h;
    return h;
}

void place_world_undo(struct place_world *w)
{
    while (w->n_moved > 0) {
        uint32_t v = w->moved[--w->n_moved], h = w->to[w->n_moved];
        w->on[h] = w->next[v];
        take(w, v, h, -1);
    }
}
