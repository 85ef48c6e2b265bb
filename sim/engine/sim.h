// SPDX-License-Identifier: GPL-3.0-or-later
/* sim.h - the simulated clock: run, step, until; and who waits for what when nothing moves.
 *
 * No globals: `struct sim *` is the first argument everywhere. A handler is registered once for a kind of
 * event and is called with the event's argument; it may push, cancel and move events, and stop the run.
 * While a run is under way ASSERT prints this clock. */
#ifndef VLAB_ENGINE_SIM_H
#define VLAB_ENGINE_SIM_H

#include "engine/evq.h"

struct sim;

typedef void sim_handler(void *ctx, uint32_t arg);
/* Says, for the stall report, who waits for what: called for each waiter that is stuck. */
typedef void sim_waiter(void *out, const char *who, const char *what);
typedef void sim_stuck(void *ctx, sim_waiter *say, void *out);

enum sim_end {
    SIM_UNTIL,   /* reached the time it was asked for */
    SIM_STOPPED, /* sim_stop was called */
    SIM_EMPTY,   /* no event is left and nobody waits: the clock went on to the time asked for */
    SIM_STALLED  /* no event is left but somebody waits, or the clock stood still over too many events */
};

#ifndef SIM_STALL_EVENTS
#define SIM_STALL_EVENTS 10000000u /* at one instant, they mean a loop which takes no time */
#endif

struct sim *sim_new(void);
void sim_free(struct sim *s);
/* Registers a handler; the number returned is the `what` of its events. At most 64. The name, which the stall
 * report shows, must outlive s. */
uint32_t sim_on(struct sim *s, const char *name, sim_handler *fn, void *ctx);
void sim_on_stuck(struct sim *s, sim_stuck *fn, void *ctx);
/* The clock is what a struct sim begins with: reading it costs a load, not a call. */
struct sim_clock {
    int64_t now_ns;
};
static inline int64_t sim_now(const struct sim *s)
{
    return ((const struct sim_clock *)(const void *)s)->now_ns;
}
evq_handle sim_at(struct sim *s, int64_t at_ns, int prio, uint32_t what, uint32_t arg); /* at_ns >= now */
bool sim_cancel(struct sim *s, evq_handle h);
/* To another time; the handle stays good. As if cancelled and scheduled anew. False: it already ran. */
bool sim_move(struct sim *s, evq_handle h, int64_t at_ns); /* at_ns >= now */
/* Runs every event up to and at until_ns; the clock then stands there. */
enum sim_end sim_run(struct sim *s, int64_t until_ns);
/* Runs one event. False: there was none. */
bool sim_step(struct sim *s);
void sim_stop(struct sim *s);
/* For a handler that takes many steps at one instant: they count as n events. False: there have been too
 * many; it is to take no more and return, and sim_run ends with SIM_STALLED. */
bool sim_counts(struct sim *s, uint32_t n);
uint64_t sim_events(const struct sim *s); /* run so far */
/* After SIM_STALLED: one line a waiter ("db.0 waits for disk ssd0"), malloc'ed; before them, where the clock
 * stood still, what kinds of event it stood still over. */
char *sim_stall_report(struct sim *s);

#endif
