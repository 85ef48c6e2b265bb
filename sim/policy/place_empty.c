// SPDX-License-Identifier: GPL-3.0-or-later
/* Consolidation: the host with the least promised is emptied, its largest VM first, onto others that are on
 * and not empty themselves (an empty one is to be switched off, not to be filled). All of its VMs have a
 * place or none is moved. */
#include "policy/place_world.h"

static uint32_t least_promised(const struct place_host *hosts, uint32_t n)
{
    uint32_t least = PLACE_NONE;
    int64_t share = 0;
    for (uint32_t i = 0; i < n; i++) {
        int64_t s = place_dominant(&hosts[i], NULL);
        if (!hosts[i].usable || hosts[i].off || hosts[i].n_vms == 0 || (least != PLACE_NONE && s >= share))
            continue;
        least = i;
        share = s;
    }
    return least;
}

uint32_t place_empty(const struct place_host *hosts, uint32_t n, const struct place_vm *vms, uint32_t n_vms,
                     place_rule *rule, const void *ctx, struct place_move *out, void *scratch)
{
    struct place_world w = {.hosts = hosts, .vms = vms, .n = n, .n_vms = n_vms, .rule = rule, .ctx = ctx};
    uint32_t least = least_promised(hosts, n);
    if (least == PLACE_NONE) return PLACE_NONE;
    place_world_init(&w, scratch);
    for (uint32_t h = 0; h < n; h++)
        if (h == least || hosts[h].off || hosts[h].n_vms == 0) place_world_down(&w, h);
    for (uint32_t v = w.first[least]; v != PLACE_NONE; v = w.after[v]) {
        uint32_t to = place_world_put(&w, v);
        if (to == PLACE_NONE) return PLACE_NONE;
        out[w.n_moved - 1] = (struct place_move){.vm = vms[v].vm, .to = to};
    }
    return w.n_moved ? least : PLACE_NONE;
}
