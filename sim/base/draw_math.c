// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/draw_math.h"

#include <stdbool.h>

#include "base/draw.h"

#define INF  __builtin_inf()
#define NAN_ __builtin_nan("")

double draw_log(double x)
{
    if (x != x) return x;
    if (x <= 0) return x < 0 ? NAN_ : -INF;
    if (x == INF) return x;
    if (x < 0x1p-1022) return draw_math_log(x * 0x1p54) - 54 * (DRAW_LN2_HI + DRAW_LN2_LO);
    return draw_math_log(x);
}

/* exp(x + e) for a small e: x = k ln 2 + r with |r| <= ln(2)/2, then Taylor's series to r^13 (the next
 * term is under 2^-57). 2^k is applied in two steps, so that results below the normal range are reached
 * through a power of two that exists. */
static double exp_sum(double x, double e)
{
    if (x != x) return x;
    if (x > 710) return INF;
    if (x < -746) return 0;
    const double to_whole = 0x1.8p52; /* adding it leaves no bits behind the point */
    double k = (x * 0x1.71547652b82fep+0 + to_whole) - to_whole;
    double r = (x - k * DRAW_LN2_HI) - (k * DRAW_LN2_LO - e);
    double r2 = r * r, r4 = r2 * r2;
    double a = (1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));
    double b = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
    double c = (1.0 / 3628800 + r * (1.0 / 39916800)) + r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));
    double y = 1 + (r + r2 * (a + r4 * (b + r4 * c)));
    int64_t whole = (int64_t)k, half = whole / 2;
    return y * draw_math_from_bits((uint64_t)(1023 + half) << 52) *
           draw_math_from_bits((uint64_t)(1023 + whole - half) << 52);
}

double draw_exp(double x)
{
    return exp_sum(x, 0);
}

/* a * b as the nearest double and what it lacks, exactly (Dekker 1971); |a|, |b| < 2^970. */
static double product(double a, double b, double *lacks)
{
    double t = a * 0x1.0000002p27; /* 2^27 + 1: parts of 26 bits, whose products are exact */
    double a1 = t - (t - a), a2 = a - a1;
    t = b * 0x1.0000002p27;
    double b1 = t - (t - b), b2 = b - b1;
    double p = a * b;
    *lacks = ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;
    return p;
}

/* log x of a positive normal number in two doubles, 65 good bits and more: all that is as large as r^2
 * is kept with its rounding error, the tail from r^3 on need not be. */
static double log_pair(double x, double *lo)
{
    struct draw_math_parts p = draw_math_split(x);
    double r = p.near + p.rest, r_lo = p.rest - (r - p.near);
    double square_lo, square = product(r, r, &square_lo);
    double big = p.k * DRAW_LN2_HI + p.row->hi; /* exact */
    double sum = big + r, sum_lo = big == 0 ? 0 : r - (sum - big);
    double next = sum - square / 2, next_lo = (sum - next) - square / 2;
    double rest = (p.k * DRAW_LN2_LO + p.row->lo) + (r_lo - (square_lo / 2 + r * r_lo));
    rest += sum_lo + next_lo + draw_math_log_tail(r);
    double hi = next + rest;
    *lo = rest - (hi - next);
    return hi;
}

static double pow_positive(double x, double y)
{
    double lo, lacks, more = 0;
    if (y > 0x1p64) y = 0x1p64; /* |log x| >= 2^-54: the result is 0 or infinite already */
    if (y < -0x1p64) y = -0x1p64;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        more = -54;
    }
    double hi = log_pair(x, &lo);
    if (more != 0) {
        double sum = more * DRAW_LN2_HI + hi;
        lo += (hi - (sum - more * DRAW_LN2_HI)) + more * DRAW_LN2_LO;
        hi = sum;
    }
    double p = product(y, hi, &lacks);
    if (p > 710 || p < -746) return p > 0 ? INF : 0;
    return exp_sum(p, lacks + y * lo);
}

double draw_pow(double x, double y)
{
    if (y == 0 || x == 1) return 1;
    if (x != x || y != y) return x + y;
    double ax = x < 0 ? -x : x, ay = y < 0 ? -y : y;
    bool whole = ay >= 0x1p52 || (double)(int64_t)ay == ay;
    bool odd = whole && ay < 0x1p53 && ((int64_t)ay & 1);
    bool minus = odd && draw_math_bits(x) >> 63;
    double m;
    if (ay == INF)
        m = ax == 1 ? 1 : (ax > 1) == (y > 0) ? INF : 0;
    else if (ax == 0 || ax == INF)
        m = (ax == 0) == (y > 0) ? 0 : INF;
    else if (x < 0 && !whole)
        return NAN_;
    else
        m = ax == 1 ? 1 : pow_positive(ax, y);
    return minus ? -m : m;
}

/* cos 2h = 1 - 2 sin(h)^2, with sin's series on [0, pi/4] to h^17. */
double draw_math_cos_quarter(double quarter)
{
    double h = quarter * 0x1.921fb54442d18p-1; /* pi/4 */
    double w = h * h, w2 = w * w, w4 = w2 * w2;
    double a = (1 - w * (1.0 / 6)) + w2 * (1.0 / 120 - w * (1.0 / 5040));
    double b = (1.0 / 362880 - w * (1.0 / 39916800)) + w2 * (1.0 / 6227020800 - w * (1.0 / 1307674368000));
    double sine = h * (a + w4 * (b + w4 * (1.0 / 355687428096000)));
    return 1 - 2 * (sine * sine);
}

/* Stirling's series at y = t + 1 + n >= 16, brought down by Gamma(y) = Gamma(y - n) * (y-1)...(y-n). */
double draw_math_gamma1p(double t)
{
    if (t > 170.7) return INF;
    double y = t + 1, down = 1;
    for (; y < 16; y += 1)
        down *= y;
    double i = 1 / y, i2 = i * i;
    double tail = i * (1.0 / 12 - i2 * (1.0 / 360 - i2 * (1.0 / 1260 - i2 * (1.0 / 1680 - i2 / 1188))));
    double root = draw_pow(y, (y - 0.5) / 2); /* squared below: y^(y-1/2) alone may overflow */
    return root * (draw_exp(tail - y) * 0x1.40d931ff62706p+1) * root / down; /* sqrt(2 pi) */
}

/* z Phi(z) + phi(z), where Phi(z) = 1/2 + phi(z) (z + z^3/3 + z^5/15 + ...): every term is positive. */
double draw_math_normal_plus(double z)
{
    if (z > 9) return z;                                      /* the difference is under 2^-60 of z */
    double phi = draw_exp(-z * z / 2) * 0x1.9884533d43651p-2; /* 1/sqrt(2 pi) */
    double sum = 0, term = z;
    for (int n = 3; sum + term > sum; n += 2) {
        sum += term;
        term *= z * z / n;
    }
    return z * (0.5 + phi * sum) + phi;
}
