// SPDX-License-Identifier: GPL-3.0-or-later
/* bare_mm1.h - an M/M/1 queue in the fewest instructions: Lindley's recursion, two draws a customer,
 * no events, no records. What a customer must cost at least, and what the whole path is held against. */
#ifndef BENCH_BARE_MM1_H
#define BENCH_BARE_MM1_H

#include <stdint.h>

#include "bare_draw.h"

/* The mean time in the system over n customers, service rate 1; 1/(1 - rho) is what it should be. */
static inline double bare_mm1(uint64_t n, double rho)
{
    struct bare_rng r = {42, 109};
    double wait = 0, sum = 0, between = 1 / rho;
    for (uint64_t i = 0; i < n; i++) {
        double service = bare_exponential(&r, 1);
        sum += wait + service;
        wait += service - bare_exponential(&r, between);
        if (wait < 0) wait = 0;
    }
    return sum / (double)n;
}

#endif
