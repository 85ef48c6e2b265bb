// SPDX-License-Identifier: GPL-3.0-or-later
/* Room for all after failures: every set of `spares` hosts is taken away, and its VMs are put on the others
 * by first-fit decreasing, the one with the greatest dominant share first. First-fit decreasing may fail
 * where a cleverer packing would not (it uses at most 11/9 of the bins that are needed, of one resource), so
 * a no may be overcautious; a yes comes with the packing that it found. */
#include "policy/place_world.h"

size_t place_survives_bytes(uint32_t n, uint32_t n_vms)
{
    return place_world_bytes(n, n_vms);
}

/* The greatest `spares` values seen. */
static void keep_greatest(uint64_t *best, uint32_t spares, uint64_t x)
{
    for (uint32_t k = 0; k < spares; k++) {
        if (x <= best[k]) continue;
        uint64_t y = best[k];
        best[k] = x;
        x = y;
    }
}

/* How many VMs the host could take besides if each wanted `want`. */
static uint64_t slots_of(const struct place_host *h, const int64_t *want, uint64_t features)
{
    uint64_t slots = UINT32_MAX;
    if (!h->usable || (features & ~h->features)) return 0;
    for (int r = 0; r < PLACE_NRES; r++) {
        if (want[r] <= 0 || h->most[r] == PLACE_NO_BOUND) continue;
        int64_t left = (h->most[r] - h->promised[r]) / want[r];
        if (left < (int64_t)slots) slots = left > 0 ? (uint64_t)left : 0;
    }
    return slots;
}

/* A bound that suffices, without rules: as many places for a VM that wants the most of everything, on what is
 * left when the hosts with the most places fail, as the fullest hosts have VMs. First-fit then cannot fail: a
 * host refuses only after it took as many as it has places. `counts`: [n]. */
static bool plainly(const struct place_host *hosts, uint32_t n, const struct place_vm *vms, uint32_t n_vms,
                    uint32_t spares, uint32_t *counts)
{
    int64_t want[PLACE_NRES] = {0};
    uint64_t features = 0, slots = 0, lost[PLACE_MOST_SPARES] = {0}, to_move[PLACE_MOST_SPARES] = {0};
    for (uint32_t h = 0; h < n; h++)
        counts[h] = 0;
    for (uint32_t v = 0; v < n_vms; v++) {
        features |= vms[v].features;
        counts[vms[v].host]++;
        for (int r = 0; r < PLACE_NRES; r++)
            if (vms[v].want[r] > want[r]) want[r] = vms[v].want[r];
    }
    for (uint32_t h = 0; h < n; h++) {
        uint64_t s = slots_of(&hosts[h], want, features);
        slots += s;
        keep_greatest(lost, spares, s);
        keep_greatest(to_move, spares, counts[h]);
    }
    uint64_t needed = 0;
    for (uint32_t k = 0; k < spares; k++) {
        slots -= lost[k];
        needed += to_move[k];
    }
    return slots >= needed;
}

/* Puts those of the hosts that are down elsewhere: the largest first, whosoever it is. Whether all have a
 * place. */
static bool put_all(struct place_world *w, const uint32_t *down, uint32_t spares)
{
    uint32_t head[PLACE_MOST_SPARES];
    for (uint32_t i = 0; i < spares; i++) {
        head[i] = w->first[down[i]];
        place_world_down(w, down[i]);
    }
    for (;;) {
        uint32_t at = PLACE_NONE;
        for (uint32_t i = 0; i < spares; i++)
            if (head[i] != PLACE_NONE && (at == PLACE_NONE || place_world_before(w, head[i], head[at])))
                at = i;
        if (at == PLACE_NONE) return true;
        if (place_world_put(w, head[at]) == PLACE_NONE) return false;
        head[at] = w->after[head[at]];
    }
}

static bool survives(struct place_world *w, const uint32_t *down, uint32_t spares)
{
    bool all = put_all(w, down, spares);
    place_world_undo(w);
    for (uint32_t i = 0; i < spares; i++)
        place_world_up(w, down[i]);
    return all;
}

uint32_t place_survives(const struct place_host *hosts, uint32_t n, const struct place_vm *vms,
                        uint32_t n_vms, uint32_t spares, place_rule *rule, const void *ctx, void *scratch)
{
    struct place_world w = {.hosts = hosts, .vms = vms, .n = n, .n_vms = n_vms, .rule = rule, .ctx = ctx};
    uint32_t down[PLACE_MOST_SPARES] = {0, 1, 2};
    if (spares > PLACE_MOST_SPARES) spares = PLACE_MOST_SPARES;
    if (spares == 0 || n_vms == 0) return PLACE_NONE;
    if (n <= spares) return 0;
    if (!rule && plainly(hosts, n, vms, n_vms, spares, scratch)) return PLACE_NONE;
    place_world_init(&w, scratch);
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

uint32_t place_evacuate(const struct place_host *hosts, uint32_t n, const struct place_vm *vms,
                        uint32_t n_vms, const uint32_t *down, uint32_t n_down, place_rule *rule,
                        const void *ctx, struct place_move *out, void *scratch)
{
    struct place_world w = {.hosts = hosts, .vms = vms, .n = n, .n_vms = n_vms, .rule = rule, .ctx = ctx};
    if (n_down > PLACE_MOST_SPARES) return PLACE_NONE;
    place_world_init(&w, scratch);
    if (!put_all(&w, down, n_down)) return PLACE_NONE;
    for (uint32_t i = 0; i < w.n_moved; i++)
        out[i] = (struct place_move){.vm = vms[w.moved[i]].vm, .to = w.to[i]};
    return w.n_moved;
}
