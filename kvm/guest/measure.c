// SPDX-License-Identifier: GPL-3.0-or-later
/* How fast the counted loop is here, and what exits and memory cost: raw figures for the runner. */
#include "kvm/guest/guest.h"

#define EXITS 64
#define CALLS 100000
#define REFS  65536
#define LINE  64u /* bytes of a cache line */

/* So many of what is measured; `done` of them were before. */
typedef void measured(struct guest *g, uint64_t n, uint64_t done);

static void spin(struct guest *g, uint64_t n, uint64_t done)
{
    (void)g, (void)done;
    abi_spin(n);
}

static void events(struct guest *g, uint64_t n, uint64_t done)
{
    (void)done;
    ops_happen(g->boot->op, n);
}

static void fresh_pages(struct guest *g, uint64_t n, uint64_t done)
{
    for (uint64_t i = 0; i < n; i++)
        touch_write(g, done + i);
}

static void references(struct guest *g, uint64_t n, uint64_t done)
{
    uint64_t pages = g->boot->mapped_bytes / g->boot->page_bytes;
    const struct step s = {.kind = STEP_TOUCH, .how = PROG_UNIFORM, .span = (int64_t)pages};
    const struct prog_act act = {.kind = STEP_TOUCH, .amount = (int64_t)n, .step = &s};
    struct task *t = &g->tasks[0];
    prog_begin(&t->prog, 0, 0, done);
    touch_begin(g, t, &act);
    while (t->does == TASK_TOUCHES)
        touch_piece(g, t);
}

/* Every line holds the address of the next. The order is a linear congruential one of full period, so that it
 * is all lines in one circle, which no prefetcher follows. */
static void make_circle(uint64_t bytes)
{
    const uint64_t n = bytes / LINE;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t next = (i * UINT64_C(0x5851f42d4c957f2d) + UINT64_C(0x14057b7ef767814f)) % n;
        *(volatile uint64_t *)(uintptr_t)(ABI_MEMORY + i * LINE) = ABI_MEMORY + next * LINE;
    }
}

static void walk(struct guest *g, uint64_t n, uint64_t done)
{
    volatile uint64_t *p = (volatile uint64_t *)(uintptr_t)g->walk_at;
    (void)done;
    for (uint64_t i = 0; i < n; i++)
        p = (volatile uint64_t *)(uintptr_t)*p;
    g->walk_at = (uint64_t)(uintptr_t)p;
}

static int64_t timed(struct guest *g, measured *fn, uint64_t n, uint64_t done)
{
    uint64_t from = abi_tsc();
    fn(g, n, done);
    return abi_ticks_to_ns(abi_tsc() - from, g->boot->ns_per_tsc_q32);
}

static void repeat(struct guest *g, measured *fn, uint64_t n)
{
    for (uint32_t i = 0; i < g->boot->count; i++)
        io_log(g, ABI_LOG_MEASURE, timed(g, fn, n, i * n), (int64_t)n);
}

/* So many that they take target_ns. */
static uint64_t enough(struct guest *g, measured *fn)
{
    uint64_t n = 1000;
    while (timed(g, fn, n, 0) < g->boot->target_ns)
        n *= 2;
    return n;
}

void measure_run(struct guest *g)
{
    const struct abi_boot *b = g->boot;
    uint64_t pages = b->page_bytes ? b->mapped_bytes / b->page_bytes : 0;
    switch (b->mode) {
    case ABI_MEASURE: repeat(g, spin, enough(g, spin)); return;
    case ABI_MEASURE_OP: repeat(g, events, b->op == OP_CALL_RET ? CALLS : EXITS); return;
    case ABI_MEASURE_FRESH: repeat(g, fresh_pages, pages / b->count); return;
    case ABI_MEASURE_REFS:
        fresh_pages(g, pages, 0);
        repeat(g, references, REFS);
        return;
    case ABI_MEASURE_WALK:
        if (b->walk_bytes < ABI_PAGE || (b->walk_bytes & (b->walk_bytes - 1)) != 0 ||
            b->walk_bytes > b->mapped_bytes)
            io_abort(ABI_ABORT_BOOT);
        make_circle(b->walk_bytes);
        g->walk_at = ABI_MEMORY;
        repeat(g, walk, enough(g, walk));
        return;
    default: io_abort(ABI_ABORT_BOOT);
    }
}
