// SPDX-License-Identifier: GPL-3.0-or-later
/* Room for all after failures: every set of `spares` hosts is taken away, and its VMs are put on the others
 * by first-fit decreasing, the one with the greatest dominant share first. First-fit decreasing may fail
 * where a cleverer packing would not (it uses at most 11/9 of the bins that are needed, of one resource), so
 * a no may be overcautious; a yes comes with the packing that it found. */
#include <string.h>

#include "policy/place_class.h"

struct scratch {
    int64_t *added;      /* [n hosts][PLACE_NRES]: by this packing */
    uint32_t *order;     /* VMs, the largest first */
    uint32_t *on, *next; /* [n hosts], [vms]: who is on a host: lists */
    uint32_t *there;     /* [vms] of one host, for the rule */
};

size_t place_survives_bytes(uint32_t n, uint32_t n_vms)
{
    return (size_t)n * (PLACE_NRES * sizeof(int64_t) + sizeof(uint32_t)) +
           (size_t)n_vms * 3 * sizeof(uint32_t);
}

static struct scratch lay_out(void *block, uint32_t n, uint32_t n_vms)
{
    struct scratch s = {.added = block};
    s.order = (uint32_t *)(s.added + (size_t)n * PLACE_NRES);
    s.next = s.order + n_vms;
    s.there = s.next + n_vms;
    s.on = s.there + n_vms;
    return s;
}

/* Of the largest host there is: what it takes of the scarcest resource. */
static int64_t size_of(const struct place_host *like, const struct place_vm *vm)
{
    int64_t most = 0;
    for (int r = 0; r < PLACE_NRES; r++) {
        int64_t share = like->have[r] > 0 ? (int64_t)((__int128)vm->want[r] * 1000000000 / like->have[r]) : 0;
        if (share > most) most = share;
    }
    return most;
}

static void sift(const struct place_host *like, const struct place_vm *vms, uint32_t *order, uint32_t i,
                 uint32_t n)
{
    for (;;) {
        uint32_t c = 2 * i + 1, x = order[i];
        if (c >= n) return;
        int64_t left = size_of(like, &vms[order[c]]);
        if (c + 1 < n) { /* the smaller child, so that the heap gives the largest last; ties by number */
            int64_t right = size_of(like, &vms[order[c + 1]]);
            if (right < left || (right == left && order[c + 1] > order[c])) c++, left = right;
        }
        int64_t own = size_of(like, &vms[x]);
        if (own < left || (own == left && x > order[c])) return;
        order[i] = order[c];
        order[c] = x;
        i = c;
    }
}

/* Largest first, ties by number: a heap sort, since nothing may be allocated. */
static void sort(const struct place_host *like, const struct place_vm *vms, uint32_t *order, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n / 2; i-- > 0;)
        sift(like, vms, order, i, n);
    for (uint32_t i = n; i > 1; i--) {
        uint32_t x = order[0];
        order[0] = order[i - 1];
        order[i - 1] = x;
        sift(like, vms, order, 0, i - 1);
    }
}

static bool is_down(const uint32_t *down, uint32_t spares, uint32_t host)
{
    for (uint32_t i = 0; i < spares; i++)
        if (down[i] == host) return true;
    return false;
}

struct world {
    const struct place_host *hosts;
    const struct place_vm *vms;
    uint32_t n, n_vms;
    place_rule *rule;
    const void *ctx;
    struct scratch s;
};

static bool fits(struct world *w, const struct place_vm *vm, uint32_t v, uint32_t host)
{
    const struct place_host *h = &w->hosts[host];
    int64_t *added = &w->s.added[(size_t)host * PLACE_NRES];
    if (!h->usable || (vm->features & ~h->features)) return false;
    for (int r = 0; r < PLACE_NRES; r++)
        if (vm->want[r] > 0 && h->most[r] != PLACE_NO_BOUND &&
            vm->want[r] > h->most[r] - h->promised[r] - added[r])
            return false;
    if (!w->rule) return true;
    uint32_t n_there = 0;
    for (uint32_t i = w->s.on[host]; i != PLACE_NONE; i = w->s.next[i])
        w->s.there[n_there++] = i;
    return w->rule(w->ctx, w->vms, v, host, w->s.there, n_there);
}

/* Puts VM v on the first host that will do and is not down; PLACE_NONE: none. */
static uint32_t put(struct world *w, uint32_t v, const uint32_t *down, uint32_t spares)
{
    const struct place_vm *vm = &w->vms[v];
    for (uint32_t h = 0; h < w->n; h++) {
        if (is_down(down, spares, h) || !fits(w, vm, v, h)) continue;
        for (int r = 0; r < PLACE_NRES; r++)
            w->s.added[(size_t)h * PLACE_NRES + (size_t)r] += vm->want[r];
        w->s.next[v] = w->s.on[h];
        w->s.on[h] = v;
        return h;
    }
    return PLACE_NONE;
}

static void reset(struct world *w)
{
    memset(w->s.added, 0, (size_t)w->n * PLACE_NRES * sizeof *w->s.added);
    for (uint32_t h = 0; h < w->n; h++)
        w->s.on[h] = PLACE_NONE;
    for (uint32_t v = w->n_vms; v-- > 0;) {
        w->s.next[v] = w->s.on[w->vms[v].host];
        w->s.on[w->vms[v].host] = v;
    }
}

static bool survives(struct world *w, const uint32_t *down, uint32_t spares)
{
    reset(w);
    for (uint32_t i = 0; i < w->n_vms; i++) {
        uint32_t v = w->s.order[i];
        if (is_down(down, spares, w->vms[v].host) && put(w, v, down, spares) == PLACE_NONE) return false;
    }
    return true;
}

/* Room for `slots` of the greatest wants on the other hosts is enough for any `slots` VMs. Only without
 * rules. */
static bool plainly(struct world *w, uint32_t spares)
{
    int64_t want[PLACE_NRES] = {0};
    uint64_t features = 0, slots = 0, best[3] = {0}, most_vms[3] = {0};
    if (w->rule) return false;
    for (uint32_t v = 0; v < w->n_vms; v++) {
        features |= w->vms[v].features;
        for (int r = 0; r < PLACE_NRES; r++)
            if (w->vms[v].want[r] > want[r]) want[r] = w->vms[v].want[r];
    }
    for (uint32_t i = 0; i < w->n; i++) {
        const struct place_host *h = &w->hosts[i];
        uint64_t room = UINT32_MAX, vms = h->n_vms;
        if (!h->usable || (features & ~h->features)) room = 0;
        for (int r = 0; r < PLACE_NRES; r++) {
            if (want[r] == 0 || h->most[r] == PLACE_NO_BOUND) continue;
            int64_t left = (h->most[r] - h->promised[r]) / want[r];
            if (left < (int64_t)room) room = left > 0 ? (uint64_t)left : 0;
        }
        slots += room;
        for (uint32_t k = 0; k < spares;
             k++) { /* the most that may be lost, and the most that may have to move */
            uint64_t x = room > best[k] ? best[k] : room;
            if (room > best[k]) best[k] = room;
            room = x;
            x = vms > most_vms[k] ? most_vms[k] : vms;
            if (vms > most_vms[k]) most_vms[k] = vms;
            vms = x;
        }
    }
    for (uint32_t k = 0; k < spares; k++) {
        slots -= best[k];
        if (slots < most_vms[k]) return false;
        slots -= most_vms[k];
    }
    return true;
}

uint32_t place_survives(const struct place_host *hosts, uint32_t n, const struct place_vm *vms,
                        uint32_t n_vms, uint32_t spares, place_rule *rule, const void *ctx, void *scratch)
{
    struct world w = {hosts, vms, n, n_vms, rule, ctx, lay_out(scratch, n, n_vms)};
    uint32_t down[3] = {0, 1, 2};
    if (spares > 3) spares = 3;
    if (spares == 0 || n_vms == 0 || plainly(&w, spares)) return PLACE_NONE;
    if (n <= spares) return 0;
    sort(&hosts[0], vms, w.s.order, n_vms);
    for (;;) {
        if (!survives(&w, down, spares)) return down[0];
        uint32_t i = spares; /* the next set, in order */
        while (i > 0 && down[i - 1] == n - spares + i - 1)
            i--;
        if (i == 0) return PLACE_NONE;
        down[i - 1]++;
        for (; i < spares; i++)
            down[i] = down[i - 1] + 1;
    }
}

uint32_t place_empty(const struct place_host *hosts, uint32_t n, const struct place_vm *vms, uint32_t n_vms,
                     place_rule *rule, const void *ctx, struct place_move *out, void *scratch)
{
    struct world w = {hosts, vms, n, n_vms, rule, ctx, lay_out(scratch, n, n_vms)};
    uint32_t least = PLACE_NONE;
    int64_t share = 0;
    for (uint32_t i = 0; i < n; i++) {
        int64_t s = place_dominant(&hosts[i], NULL);
        if (!hosts[i].usable || hosts[i].off || hosts[i].n_vms == 0 || (least != PLACE_NONE && s >= share))
            continue;
        least = i;
        share = s;
    }
    if (least == PLACE_NONE) return PLACE_NONE;
    sort(&hosts[0], vms, w.s.order, n_vms);
    reset(&w);
    uint32_t moves = 0;
    for (uint32_t i = 0; i < n_vms; i++) {
        uint32_t v = w.s.order[i];
        if (vms[v].host != least) continue;
        uint32_t to = PLACE_NONE;
        for (uint32_t h = 0; h < n && to == PLACE_NONE; h++)
            /* Never onto one that has less itself: it would come back. */
            if (h != least && !hosts[h].off && hosts[h].n_vms > 0 && fits(&w, &vms[v], v, h)) to = h;
        if (to == PLACE_NONE) return PLACE_NONE;
        for (int r = 0; r < PLACE_NRES; r++)
            w.s.added[(size_t)to * PLACE_NRES + (size_t)r] += vms[v].want[r];
        out[moves++] = (struct place_move){.vm = vms[v].vm, .to = to};
    }
    return moves ? least : PLACE_NONE;
}
