// SPDX-License-Identifier: GPL-3.0-or-later
/* bare_draw.h - the least code that draws the same distributions: PCG32 inlined, libm's functions,
 * parameters known to the compiler, results left as doubles. What the library's draws are held against. */
#ifndef BENCH_BARE_DRAW_H
#define BENCH_BARE_DRAW_H

#include <math.h>
#include <stdint.h>

struct bare_rng {
    uint64_t state, inc;
};

static inline uint32_t bare_u32(struct bare_rng *r)
{
    uint64_t old = r->state;
    r->state = old * 6364136223846793005u + r->inc;
    uint32_t x = (uint32_t)(((old >> 18) ^ old) >> 27), rot = (uint32_t)(old >> 59);
    return (x >> rot) | (x << ((32 - rot) & 31));
}

/* In (0, 1), 53 bits. */
static inline double bare_unit(struct bare_rng *r)
{
    uint64_t hi = bare_u32(r);
    return (double)(int64_t)((hi << 32 | bare_u32(r)) >> 11) * 0x1p-53 + 0x1p-54;
}

static inline double bare_exponential(struct bare_rng *r, double mean)
{
    return -mean * log(bare_unit(r));
}

static inline double bare_normal(struct bare_rng *r)
{
    double radius = sqrt(-2 * log(bare_unit(r)));
    return radius * cos(2 * M_PI * bare_unit(r));
}

#endif
