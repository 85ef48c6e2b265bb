// SPDX-License-Identifier: GPL-3.0-or-later
/* evq.h - the future event list.
 *
 * Events leave in order of (time, priority, sequence): equal times run the higher priority first, then
 * the one scheduled earlier. The order is total, so a seed fixes a run exactly. Time never goes back: an
 * event is pushed at or after the last one that left, none before 0.
 *
 * An event is a small number (`what`, a code the simulator dispatches on) and an argument; nothing is
 * allocated but when the queue grows. Push, pop and cancel cost O(log n) amortised; handles are never
 * reused. */
#ifndef VLAB_ENGINE_EVQ_H
#define VLAB_ENGINE_EVQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evq;

typedef uint64_t evq_handle; /* 0: no event */

struct evq_event {
    int64_t at_ns;
    uint64_t seq;  /* what it was scheduled as, from 1: unique in a run */
    uint32_t what; /* index of a handler, see sim.h */
    uint32_t arg;  /* usually the id of the entity */
    int8_t prio;
};

/* Events of the same time: higher first. Any from -8 to 7 will do. */
enum evq_prio { EVQ_LATE = -1, EVQ_NORMAL = 0, EVQ_EARLY = 1 };

struct evq *evq_new(void);
void evq_free(struct evq *q);
evq_handle evq_push(struct evq *q, int64_t at_ns, int prio, uint32_t what, uint32_t arg);
/* False: it already left, or was cancelled. */
bool evq_cancel(struct evq *q, evq_handle h);
/* To another time, keeping handle, priority, what and arg; among equals it is the latest, as if cancelled
 * and pushed anew. False: it already left, or was cancelled. */
bool evq_move(struct evq *q, evq_handle h, int64_t at_ns);
/* The next event leaves the queue. False: there is none. */
bool evq_pop(struct evq *q, struct evq_event *out);
/* The same, but what is later than until_ns stays. */
bool evq_pop_until(struct evq *q, int64_t until_ns, struct evq_event *out);
/* The next event's time without taking it; INT64_MAX: there is none. */
int64_t evq_next_ns(struct evq *q);
size_t evq_pending(const struct evq *q); /* cancelled ones do not count */

#endif
