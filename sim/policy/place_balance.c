// SPDX-License-Identifier: GPL-3.0-or-later
/* Balancing by migration, after VMware's DRS (Gulati et al., VMware Technical Journal 2012): the move that
 * takes most off the difference between the hosts' loads, if it is worth its price. */
#include "policy/place_class.h"

/* A host's load as a share of it, in ppm, with so much more. */
static int64_t load_of(const struct place_host *h, int64_t more_ppm)
{
    int64_t load = (h->load_ppm > 0 ? h->load_ppm : 0) + more_ppm;
    return h->have[PLACE_CPU] > 0 ? (int64_t)((__int128)load * 1000000 / h->have[PLACE_CPU]) : 0;
}

static bool compared(const struct place_host *h)
{
    return h->usable && !h->off;
}

bool place_balance(const struct place_host *hosts, uint32_t n, const struct place_mover *vms, uint32_t n_vms,
                   uint32_t above_ppm, int64_t horizon_ns,
                   enum rec_why (*may)(const void *ctx, uint32_t vm, uint32_t host), const void *ctx,
                   struct place_move *out)
{
    uint32_t most = PLACE_NONE;
    int64_t high = 0, low = INT64_MAX;
    bool found = false;
    for (uint32_t i = 0; i < n; i++) {
        if (!compared(&hosts[i])) continue;
        int64_t load = load_of(&hosts[i], 0);
        if (most == PLACE_NONE || load > high) most = i, high = load;
        if (load < low) low = load;
    }
    if (most == PLACE_NONE || high - low <= (int64_t)above_ppm) return false;
    for (uint32_t v = 0; v < n_vms; v++) {
        const struct place_mover *x = &vms[v];
        if (x->host != most || x->load_ppm <= 0) continue;
        int64_t there = load_of(&hosts[most], -x->load_ppm);
        for (uint32_t h = 0; h < n; h++) {
            if (h == most || !compared(&hosts[h])) continue;
            /* What lies between the two, before and after. */
            int64_t to = load_of(&hosts[h], x->load_ppm);
            int64_t before = high - load_of(&hosts[h], 0), after = to - there;
            /* Between hosts of unlike size the two could pass each other and widen what lies between all. */
            if (to >= high || there < low) continue;
            int64_t gain = before - (after < 0 ? -after : after);
            if (gain <= 0 || (found && gain <= out->gain_ppm)) continue;
            /* A pCPU's share won for the horizon against the VM's own share lost while it moves. */
            __int128 benefit = (__int128)gain * horizon_ns, cost = (__int128)x->load_ppm * x->move_ns;
            if (benefit <= cost || (may && may(ctx, x->vm, h))) continue;
            *out = (struct place_move){.vm = x->vm, .to = h, .gain_ppm = gain};
            found = true;
        }
    }
    return found;
}
