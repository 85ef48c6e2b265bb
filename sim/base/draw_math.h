// SPDX-License-Identifier: GPL-3.0-or-later
/* draw_math.h - the mathematics under the draws: what libm would give, from IEEE + - * / and sqrt alone.
 *
 * Those five operations are exact to half a unit in the last place by the standard, so whatever is
 * written with them, in one order and without contraction, has the same bits in every compiler and in
 * a guest without a libc. The series are Taylor's, cut where the next term no longer counts.
 *
 * log is here and inline because the exponential draw, the most frequent of all, is made of it. */
#ifndef VLAB_BASE_DRAW_MATH_H
#define VLAB_BASE_DRAW_MATH_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ln 2 in two parts: the first has 37 bits, so that k times it is exact for every exponent k. */
#define DRAW_LN2_HI 0x1.62e42fefap-1
#define DRAW_LN2_LO 0x1.cf79abc9e3b39803fp-40

static inline uint64_t draw_math_bits(double x)
{
    union {
        double d;
        uint64_t u;
    } v = {.d = x};
    return v.u;
}

static inline double draw_math_from_bits(uint64_t u)
{
    union {
        uint64_t u;
        double d;
    } v = {.u = u};
    return v.d;
}

/* n as a double, |n| < 2^51: by adding it to the last bits of one whose last bit is worth 1. The
 * processor's own conversion keeps what the register held before and so waits for it. */
static inline double draw_math_small(int64_t n)
{
    return draw_math_from_bits(UINT64_C(0x4338000000000000) + (uint64_t)n) - 0x1.8p52;
}

/* Not __builtin_sqrt where it can be helped: that may call the C library to set errno. */
static inline double draw_math_sqrt(double x)
{
#ifdef __SSE2__
    return _mm_cvtsd_f64(_mm_sqrt_pd(_mm_set1_pd(x)));
#else
    return __builtin_sqrt(x);
#endif
}

/* One stretch of the table of logarithms (draw_table.c): inv is near 1/z for every z in it, and
 * hi + lo = -log(inv). The stretch about 1 has inv = 1, so that log x is good to its last bits there. */
struct draw_math_row {
    double inv, hi, lo;
};
extern const struct draw_math_row draw_math_rows[128];

/* x = 2^k * z with z in [0.701, 1.402), positive and normal, and z * inv = 1 + (near + rest): the
 * upper half of z times inv is exact and so is what it leaves beside 1; |near + rest| < 2^-7.9. */
struct draw_math_parts {
    double k, near, rest;
    const struct draw_math_row *row;
};

static inline struct draw_math_parts draw_math_split(double x)
{
    const uint64_t half_row = UINT64_C(1) << 44, low = UINT64_C(0x3fe6800000000000) - half_row;
    uint64_t bits = draw_math_bits(x), from_low = bits - low;
    int64_t k = (int64_t)from_low >> 52;
    uint64_t z = bits - ((uint64_t)k << 52), upper = z & ~UINT64_C(0x3ffff);
    double z1 = draw_math_from_bits(upper), z2 = draw_math_from_bits(z) - z1;
    const struct draw_math_row *row = &draw_math_rows[from_low >> 45 & 127];
    return (struct draw_math_parts){draw_math_small(k), z1 * row->inv - 1, z2 * row->inv, row};
}

/* log(1 + r) - r + r^2/2 = r^3/3 - r^4/4 + ... to r^8; paired, not nested: the processor does the
 * pairs side by side. */
static inline double draw_math_log_tail(double r)
{
    double r2 = r * r;
    return r * r2 *
           ((1.0 / 3 - r * (1.0 / 4)) + r2 * ((1.0 / 5 - r * (1.0 / 6)) + r2 * (1.0 / 7 - r * (1.0 / 8))));
}

/* The logarithm of a positive normal number: k ln 2 - log inv + log(1 + r). */
static inline double draw_math_log(double x)
{
    struct draw_math_parts p = draw_math_split(x);
    double r = p.near + p.rest;
    double small = draw_math_log_tail(r) - r * r * 0.5;
    return (p.k * DRAW_LN2_HI + p.row->hi) + (r + (small + (p.k * DRAW_LN2_LO + p.row->lo)));
}

/* cos(quarter * pi/2) for quarter in [0, 1]; absolute error under 2^-52. */
double draw_math_cos_quarter(double quarter);
/* Gamma(1 + t) for t >= 0; relative error under 1e-13 where it is finite. */
double draw_math_gamma1p(double t);
/* E[max(Z + z, 0)] for a standard normal Z and z >= 0; relative error under 1e-13. */
double draw_math_normal_plus(double z);

#endif
