// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/sim.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

#define MAX_HANDLERS 64u
#define MAX_STUCK    16u
#define SAMPLE       1000u /* events run beyond the limit, to say what the loop is made of */

struct handler {
    sim_handler *fn;
    void *ctx;
    const char *name;
};

struct sim {
    int64_t now_ns; /* first: see sim_now */
    struct evq *q;
    bool stopped;
    uint32_t at_once; /* events run, or steps counted, at now_ns after the first */
    uint64_t events;
    uint32_t n_handlers;
    uint32_t n_stuck;
    struct handler handlers[MAX_HANDLERS];
    struct {
        sim_stuck *fn;
        void *ctx;
    } stuck[MAX_STUCK];
    uint32_t sampled[MAX_HANDLERS]; /* after a loop without time: events by handler */
};

_Static_assert(offsetof(struct sim, now_ns) == 0, "sim_now reads it there");

struct sim *sim_new(void)
{
    struct sim *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->q = evq_new();
    if (!s->q) {
        free(s);
        return NULL;
    }
    return s;
}

void sim_free(struct sim *s)
{
    if (!s) return;
    evq_free(s->q);
    free(s);
}

uint32_t sim_on(struct sim *s, const char *name, sim_handler *fn, void *ctx)
{
    ASSERT(s->n_handlers < MAX_HANDLERS);
    s->handlers[s->n_handlers] = (struct handler){fn, ctx, name};
    return s->n_handlers++;
}

void sim_on_stuck(struct sim *s, sim_stuck *fn, void *ctx)
{
    ASSERT(s->n_stuck < MAX_STUCK);
    s->stuck[s->n_stuck].fn = fn;
    s->stuck[s->n_stuck++].ctx = ctx;
}

uint64_t sim_events(const struct sim *s)
{
    return s->events;
}

evq_handle sim_at(struct sim *s, int64_t at_ns, int prio, uint32_t what, uint32_t arg)
{
    ASSERT(at_ns >= s->now_ns && what < s->n_handlers);
    return evq_push(s->q, at_ns, prio, what, arg);
}

bool sim_cancel(struct sim *s, evq_handle h)
{
    return evq_cancel(s->q, h);
}

bool sim_move(struct sim *s, evq_handle h, int64_t at_ns)
{
    ASSERT(at_ns >= s->now_ns);
    return evq_move(s->q, h, at_ns);
}

void sim_stop(struct sim *s)
{
    s->stopped = true;
}

static bool stands_still(const struct sim *s)
{
    return s->at_once >= SIM_STALL_EVENTS;
}

bool sim_counts(struct sim *s, uint32_t n)
{
    if (!stands_still(s)) s->at_once += n;
    return !stands_still(s);
}

static inline void run_event(struct sim *s, const struct evq_event *ev)
{
    s->at_once = ev->at_ns == s->now_ns ? s->at_once + 1 : 0;
    s->now_ns = ev->at_ns;
    s->events++;
    s->handlers[ev->what].fn(s->handlers[ev->what].ctx, ev->arg);
}

/* The clock has stood still over too many events, or steps of the last one: a few more, to be able to say
 * which. */
static void loop_sample(struct sim *s, uint32_t last)
{
    struct evq_event ev;
    uint32_t n = 0;
    for (uint32_t i = 0; i < MAX_HANDLERS; i++)
        s->sampled[i] = 0;
    for (; n < SAMPLE && !s->stopped && evq_pop_until(s->q, s->now_ns, &ev); n++) {
        s->sampled[ev.what]++;
        run_event(s, &ev);
    }
    if (n == 0) s->sampled[last] = 1;
}

static void waiter_count(void *out, const char *who, const char *what)
{
    (void)who;
    (void)what;
    ++*(size_t *)out;
}

static bool anyone_waits(struct sim *s)
{
    size_t n = 0;
    for (uint32_t i = 0; i < s->n_stuck; i++)
        s->stuck[i].fn(s->stuck[i].ctx, waiter_count, &n);
    return n > 0;
}

static enum sim_end run_events(struct sim *s, int64_t until_ns)
{
    struct evq_event ev;
    if (stands_still(s)) return SIM_STALLED;
    while (evq_pop_until(s->q, until_ns, &ev)) {
        run_event(s, &ev);
        if (__builtin_expect(s->stopped, 0)) return SIM_STOPPED;
        if (__builtin_expect(stands_still(s), 0)) {
            loop_sample(s, ev.what);
            return SIM_STALLED;
        }
    }
    if (evq_pending(s->q) == 0) return anyone_waits(s) ? SIM_STALLED : SIM_EMPTY;
    s->now_ns = until_ns;
    return SIM_UNTIL;
}

enum sim_end sim_run(struct sim *s, int64_t until_ns)
{
    ASSERT(until_ns >= s->now_ns);
    const int64_t *outer = assert_clock_ns;
    assert_clock_ns = &s->now_ns;
    s->stopped = false;
    if (!stands_still(s)) s->at_once = 0;
    enum sim_end end = run_events(s, until_ns);
    assert_clock_ns = outer;
    return end;
}

bool sim_step(struct sim *s)
{
    struct evq_event ev;
    if (!evq_pop(s->q, &ev)) return false;
    const int64_t *outer = assert_clock_ns;
    assert_clock_ns = &s->now_ns;
    run_event(s, &ev);
    assert_clock_ns = outer;
    return true;
}

static void waiter_print(void *out, const char *who, const char *what)
{
    fprintf(out, "%s waits for %s\n", who, what);
}

static void loop_print(const struct sim *s, FILE *out)
{
    fprintf(out,
            "more than %u events or steps at %" PRId64 ".%09" PRId64
            " s, and time does not pass; of the last ones:\n",
            SIM_STALL_EVENTS, s->now_ns / 1000000000, s->now_ns % 1000000000);
    for (uint32_t i = 0; i < s->n_handlers; i++)
        if (s->sampled[i])
            fprintf(out, "%u time%s %s\n", s->sampled[i], s->sampled[i] == 1 ? "" : "s", s->handlers[i].name);
}

char *sim_stall_report(struct sim *s)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    ASSERT(out);
    if (stands_still(s)) loop_print(s, out);
    for (uint32_t i = 0; i < s->n_stuck; i++)
        s->stuck[i].fn(s->stuck[i].ctx, waiter_print, out);
    ASSERT(fclose(out) == 0);
    return text;
}
