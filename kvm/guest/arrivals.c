// SPDX-License-Identifier: GPL-3.0-or-later
/* When requests come: open streams in stretches, traces, and clients that think. The rules are abi.h's. */
#include "kvm/guest/guest.h"

#define AT(g, type, off) ((const type *)(const void *)((const char *)(g)->boot + (g)->boot->off))

static void next_in_stretches(struct guest *g)
{
    struct arrivals *a = &g->arrivals;
    const struct abi_stretch *all = AT(g, struct abi_stretch, stretch_at);
    int64_t from = a->next_ns;
    for (; a->stretch < g->boot->n_stretches; a->stretch++) {
        const struct abi_stretch *s = &all[a->stretch];
        int64_t gap = s->gap_ns;
        if (!s->periodic) {
            struct dist d = {.kind = DIST_EXPONENTIAL, .a = s->gap_ns};
            draw_make(&d);
            gap = draw_amount(&d, &a->rng, NULL, 0);
        }
        int64_t end, at;
        if (__builtin_add_overflow(a->stretch_ns, s->for_ns, &end)) end = INT64_MAX;
        if (__builtin_add_overflow(from, gap, &at)) at = INT64_MAX;
        if (at < end) {
            a->next_ns = at;
            return;
        }
        a->stretch_ns = from = end;
    }
    a->next_ns = INT64_MAX;
}

void arrivals_next(struct guest *g)
{
    struct arrivals *a = &g->arrivals;
    if (a->number >= g->boot->until) {
        a->next_ns = INT64_MAX;
    } else if (g->boot->arrivals == ABI_STRETCHES) {
        next_in_stretches(g);
    } else if (g->boot->arrivals == ABI_TRACE && a->stretch < g->boot->n_trace) {
        int64_t at = AT(g, int64_t, trace_at)[a->stretch++];
        if (__builtin_add_overflow(at, g->boot->start_ns, &a->next_ns)) a->next_ns = INT64_MAX;
    } else {
        a->next_ns = INT64_MAX;
    }
}

void arrivals_begin(struct guest *g)
{
    struct arrivals *a = &g->arrivals;
    a->next_ns = a->stretch_ns = g->boot->start_ns;
    a->rng = rng_at(g->boot->key_arrival, 0, 0);
    if (g->boot->requests)
        arrivals_next(g);
    else
        a->next_ns = INT64_MAX;
}

int64_t arrivals_think(struct guest *g, uint32_t client)
{
    uint64_t cycle = g->cycles[client];
    struct rng r = rng_at(g->boot->key_think, client, cycle);
    return draw_amount(&g->boot->think, &r, AT(g, int64_t, think_at), cycle);
}
