// SPDX-License-Identifier: GPL-3.0-or-later
/* How fast the counted loop is here, and what an exit to the VMM costs: raw figures for the runner. */
#include "kvm/guest/guest.h"

#define EXITS 64
#define LINE  64u /* bytes of a cache line */

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

/* Every line holds the address of the next. The order is a linear congruential one of full period, so that it
 * is all lines in one circle, which no prefetcher follows. */
static volatile uint64_t *make_circle(uint64_t bytes)
{
    const uint64_t n = bytes / LINE;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t next = (i * UINT64_C(0x5851f42d4c957f2d) + UINT64_C(0x14057b7ef767814f)) % n;
        *(volatile uint64_t *)(uintptr_t)(ABI_MEMORY + i * LINE) = ABI_MEMORY + next * LINE;
    }
    return (volatile uint64_t *)(uintptr_t)ABI_MEMORY;
}

static int64_t timed_walk(const struct guest *g, volatile uint64_t **at, uint64_t steps)
{
    volatile uint64_t *p = *at;
    uint64_t from = abi_tsc();
    for (uint64_t i = 0; i < steps; i++)
        p = (volatile uint64_t *)(uintptr_t)*p;
    *at = p;
    return abi_ticks_to_ns(abi_tsc() - from, g->boot->ns_per_tsc_q32);
}

static void measure_walk(struct guest *g)
{
    uint64_t bytes = g->boot->walk_bytes, steps = 1000;
    if (bytes < ABI_PAGE || (bytes & (bytes - 1)) != 0 || bytes > g->boot->mapped_bytes)
        io_abort(ABI_ABORT_BOOT);
    volatile uint64_t *at = make_circle(bytes);
    while (timed_walk(g, &at, steps) < g->boot->target_ns)
        steps *= 2;
    for (uint32_t i = 0; i < g->boot->count; i++)
        io_log(g, ABI_LOG_MEASURE, timed_walk(g, &at, steps), (int64_t)steps);
}

void measure_run(struct guest *g)
{
    switch ((enum abi_mode)g->boot->mode) {
    case ABI_MEASURE: measure_loop(g); break;
    case ABI_MEASURE_EXIT: measure_exits(g); break;
    case ABI_MEASURE_WALK: measure_walk(g); break;
    default: io_abort(ABI_ABORT_BOOT);
    }
}
