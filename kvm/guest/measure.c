// SPDX-License-Identifier: GPL-3.0-or-later
/* How fast the counted loop is here, and what an exit to the VMM costs: raw figures for the runner. */
#include "kvm/guest/guest.h"

#define EXITS 64

static int64_t timed_spin(struct guest *g, uint64_t iters)
{
    uint64_t from = abi_tsc();
    abi_spin(iters);
    return abi_ticks_to_ns(abi_tsc() - from, g->boot->ns_per_tsc_q32);
}

static void measure_loop(struct guest *g)
{
    uint64_t iters = 1000;
    while (timed_spin(g, iters) < g->boot->target_ns)
        iters *= 2;
    for (uint32_t i = 0; i < g->boot->count; i++)
        io_log(g, ABI_LOG_MEASURE, timed_spin(g, iters), (int64_t)iters);
}

static void measure_exits(struct guest *g)
{
    for (uint32_t i = 0; i < g->boot->count; i++) {
        uint64_t from = abi_tsc();
        for (int k = 0; k < EXITS; k++)
            io_nop();
        io_log(g, ABI_LOG_MEASURE, abi_ticks_to_ns(abi_tsc() - from, g->boot->ns_per_tsc_q32), EXITS);
    }
}

void measure_run(struct guest *g)
{
    if (g->boot->mode == ABI_MEASURE)
        measure_loop(g);
    else
        measure_exits(g);
}
