// SPDX-License-Identifier: GPL-3.0-or-later
/* bare_exp.h - exponential draws as fast as they come, for the bare loops: the ziggurat of 256 layers
 * (Marsaglia and Tsang, 2000) over splitmix64, in doubles of mean 1. The lab's own draws (base/draw.h) are
 * whole nanoseconds and the same bit for bit on every side; this one need not be. */
#ifndef VLAB_TESTS_BARE_EXP_H
#define VLAB_TESTS_BARE_EXP_H

#include <math.h>

#include "bench.h"

#define BARE_EXP_R 7.69711747013104972   /* where the tail begins, for 256 layers */
#define BARE_EXP_V 0.0039496598225815572 /* area of a layer */

struct bare_exp {
    double x[257]; /* right edges, falling; x[0] is the base layer's as if it were a box */
    double f[257]; /* exp(-x) */
};

static inline void bare_exp_init(struct bare_exp *e)
{
    e->x[0] = BARE_EXP_V * exp(BARE_EXP_R);
    e->x[1] = BARE_EXP_R;
    for (int i = 1; i < 255; i++)
        e->x[i + 1] = -log(exp(-e->x[i]) + BARE_EXP_V / e->x[i]);
    e->x[256] = 0;
    for (int i = 0; i < 257; i++)
        e->f[i] = exp(-e->x[i]);
}

static inline double bare_exp_unit(uint64_t u)
{
    return (double)(u >> 11) * 0x1p-53;
}

/* One draw in a hundred comes here. */
BENCH_NOINLINE static double bare_exp_edge(const struct bare_exp *e, uint64_t *rng, unsigned i, double x)
{
    double shift = 0;
    for (;;) {
        if (x < e->x[i + 1]) return shift + x;
        if (i == 0) {
            shift += BARE_EXP_R; /* the tail looks like the whole */
        } else {
            double y = e->f[i] + bare_exp_unit(bench_random(rng)) * (e->f[i + 1] - e->f[i]);
            if (y < exp(-x)) return shift + x;
        }
        uint64_t u = bench_random(rng);
        i = u & 255;
        x = bare_exp_unit(u) * e->x[i];
    }
}

static inline double bare_exp_draw(const struct bare_exp *e, uint64_t *rng)
{
    uint64_t u = bench_random(rng);
    unsigned i = u & 255;
    double x = bare_exp_unit(u) * e->x[i];
    return __builtin_expect(x < e->x[i + 1], 1) ? x : bare_exp_edge(e, rng, i, x);
}

#endif
