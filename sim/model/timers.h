// SPDX-License-Identifier: GPL-3.0-or-later
/* timers.h - a VM's own alarm clocks: a binary heap ordered by (time, order of setting).
 *
 * A VM may have thousands of sleeping tasks; the engine sees one event, for the earliest. No single timer is
 * taken back: whoever set it is still waiting for it when it rings, unless all of its kind are dropped. */
#ifndef VLAB_MODEL_TIMERS_H
#define VLAB_MODEL_TIMERS_H

#include <stddef.h>
#include <stdint.h>

enum timer_kind { TIMER_TASK, TIMER_CLIENT, TIMER_ARRIVAL, TIMER_START, TIMER_BOOT, TIMER_LEAVE };

struct timer {
    int64_t at_ns;
    uint64_t order;
    uint32_t kind; /* enum timer_kind */
    uint32_t id;
};

struct timers {
    struct timer *v;
    size_t n, cap;
    uint64_t order;
};

void timers_done(struct timers *t);
/* O(log n); allocates only to grow. */
void timers_set(struct timers *t, int64_t at_ns, enum timer_kind kind, uint32_t id);
/* Forgets all timers of the kinds whose bits are set. O(n log n). */
void timers_drop(struct timers *t, unsigned kinds);
struct timer timers_take(struct timers *t); /* the earliest; there must be one */
static inline int64_t timers_next(const struct timers *t)
{
    return t->n ? t->v[0].at_ns : INT64_MAX;
}

#endif
