// SPDX-License-Identifier: GPL-3.0-or-later
/* draw_math.h - the mathematics under the draws: what libm would give, from IEEE + - * / and sqrt alone.
 *
 * Those five operations are exact to half a unit in the last place by the standard, so whatever is
 * written with them, in one order and without contraction, has the same bits in every compiler and in
 * a guest without a libc. The series are those of a textbook, cut where the next term no longer counts.
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

/* Not __builtin_sqrt where it can be helped: that may call the C library to set errno. */
static inline double draw_math_sqrt(double x)
{
#ifdef __SSE2__
    return _mm_cvtsd_f64(_mm_sqrt_pd(_mm_set1_pd(x)));
#else
    return __builtin_sqrt(x);
#endif
}

/* x = 2^k * z with z in [sqrt 1/2, sqrt 2); x positive and normal. */
static inline int64_t draw_math_split(double x, double *z)
{
    const uint64_t low = UINT64_C(0x3fe6a09e667f3bcd); /* sqrt 1/2 */
    uint64_t bits = draw_math_bits(x);
    int64_t k = (int64_t)(bits - low) >> 52;
    *z = draw_math_from_bits(bits - ((uint64_t)k << 52));
    return k;
}

/* 2/3 w + 2/5 w^2 + 2/7 w^3 ...: what log((1+s)/(1-s))/s has beyond 2, for w = s^2 <= 0.0295. The first
 * term left out is under 2^-59. Paired, not nested: the processor does the pairs side by side. */
static inline double draw_math_log_tail(double w)
{
    double w2 = w * w, w4 = w2 * w2;
    double a = (2.0 / 3 + w * (2.0 / 5)) + w2 * (2.0 / 7 + w * (2.0 / 9));
    double b = (2.0 / 11 + w * (2.0 / 13)) + w2 * (2.0 / 15 + w * (2.0 / 17));
    double c = 2.0 / 19 + w * (2.0 / 21);
    return w * (a + w4 * (b + w4 * c));
}

/* The logarithm of a positive normal number. With f = z - 1 and s = f/(2+f), z = (1+s)/(1-s) and
 * log z = 2s + s*tail(s^2); as 2s = f - s*f, the exact f is left to carry the result. */
static inline double draw_math_log(double x)
{
    double z;
    double k = (double)draw_math_split(x, &z);
    double f = z - 1;
    double s = f / (2 + f);
    double tail = draw_math_log_tail(s * s);
    return k * DRAW_LN2_HI + (f - (s * (f - tail) - k * DRAW_LN2_LO));
}

/* cos(quarter * pi/2) for quarter in [0, 1]; absolute error under 2^-52. */
double draw_math_cos_quarter(double quarter);
/* Gamma(1 + t) for t >= 0; relative error under 1e-13 where it is finite. */
double draw_math_gamma1p(double t);
/* E[max(Z + z, 0)] for a standard normal Z and z >= 0; relative error under 1e-13. */
double draw_math_normal_plus(double z);

#endif
