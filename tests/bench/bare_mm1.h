// SPDX-License-Identifier: GPL-3.0-or-later
/* bare_mm1.h - the least a simulated M/M/1 queue costs: two times, of the next arrival and the next
 * departure, the number inside and its integral over time. No event list, no entities, no records. About
 * 24 ns a customer (42 million a second) on the reference machine. */
#ifndef VLAB_TESTS_BARE_MM1_H
#define VLAB_TESTS_BARE_MM1_H

#include "bare_exp.h"

struct bare_mm1 {
    struct bare_exp e;
    uint64_t arrivals, services;    /* streams */
    double now, arrival, departure; /* in mean service times; departure HUGE_VAL: nobody is served */
    uint64_t inside;
    double area;
};

static void *bare_mm1_new(uint64_t size)
{
    (void)size;
    struct bare_mm1 *m = calloc(1, sizeof *m);
    if (!m) abort();
    bare_exp_init(&m->e);
    m->arrivals = 1;
    m->services = 2;
    m->arrival = bare_exp_draw(&m->e, &m->arrivals) * 1.25;
    m->departure = HUGE_VAL;
    return m;
}

static void bare_mm1_free(void *st)
{
    free(st);
}

/* n customers leave. */
BENCH_NOINLINE static void bare_mm1_run(void *st, uint64_t n)
{
    struct bare_mm1 *m = st;
    double now = m->now, arrival = m->arrival, departure = m->departure, area = m->area;
    uint64_t inside = m->inside;
    while (n > 0) {
        if (arrival < departure) {
            area += (double)inside * (arrival - now);
            now = arrival;
            if (inside++ == 0) departure = now + bare_exp_draw(&m->e, &m->services);
            arrival = now + bare_exp_draw(&m->e, &m->arrivals) * 1.25;
        } else {
            area += (double)inside * (departure - now);
            now = departure;
            departure = --inside ? now + bare_exp_draw(&m->e, &m->services) : HUGE_VAL;
            n--;
        }
    }
    m->now = now, m->arrival = arrival, m->departure = departure, m->area = area;
    m->inside = inside;
}

static inline double bare_mm1_mean(const void *st)
{
    const struct bare_mm1 *m = st;
    return m->area / m->now;
}

#endif
