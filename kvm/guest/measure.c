// SPDX-License-Identifier: GPL-3.0-or-later
/* How fast the counted loop is here, and what exits and memory cost: raw figures for the runner. */
#include "kvm/guest/guest.h"

#define EXITS 64
#define CALLS 100000
#define REFS  65536

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

void measure_run(struct guest *g)
{
    const struct abi_boot *b = g->boot;
    uint64_t n = 1000, pages = b->page_bytes ? b->mapped_bytes / b->page_bytes : 0;
    switch (b->mode) {
    case ABI_MEASURE:
        while (timed(g, spin, n, 0) < b->target_ns)
            n *= 2;
        repeat(g, spin, n);
        return;
    case ABI_MEASURE_OP: repeat(g, events, b->op == OP_CALL_RET ? CALLS : EXITS); return;
    case ABI_MEASURE_FRESH: repeat(g, fresh_pages, pages / b->count); return;
    case ABI_MEASURE_REFS:
        fresh_pages(g, pages, 0);
        repeat(g, references, REFS);
        return;
    default: io_abort(ABI_ABORT_BOOT);
    }
}
