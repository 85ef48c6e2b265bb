// SPDX-License-Identifier: GPL-3.0-or-later
/* How each amount is made.
 *
 * Every kind takes a fixed number of uniforms from the stream, whatever their values: one of 64 bits,
 * two for normal, lognormal and hyperexponential, n for Erlang, none for constants and sequences; each
 * real draw is a shape times a scale. So a mean twice as long makes every single draw twice as long,
 * and two settings compared on one seed see the same luck. That is why the exponential is inverted
 * (minus the mean times log U) and not drawn by a ziggurat, which takes a varying number of them.
 *
 * Of 64 bits, the upper 52 make a real number in (0, 1) (a tail out to 2^-53, and never log 0). The
 * lower 12 round the result: a real x becomes floor(x + v), v uniform in (0, 1), so its mean is x's
 * own. Rounding to nearest would make an exponential of mean 1 come out at 0.96. */
#include "base/draw.h"

#include <stdbool.h>

#include "base/draw_math.h"

#define INF        __builtin_inf()
#define AMOUNT_MAX (INT64_C(1) << 62)

static inline uint64_t bits64(struct rng *r)
{
    uint64_t hi = rng_u32(r);
    return hi << 32 | rng_u32(r);
}

/* In (0, 1): one of the 2^52 odd multiples of 2^-53. Without the processor's conversion from integers,
 * see draw_math_small. */
static inline double unit(uint64_t bits)
{
    double from_1 = draw_math_from_bits(UINT64_C(0x3ff0000000000000) | bits >> 12); /* [1, 2) by 2^-52 */
    return (from_1 - 1) + 0x1p-53;
}

/* A whole number in [0, n), each as likely to within n/2^64. */
static inline uint64_t below(uint64_t bits, uint64_t n)
{
    return (uint64_t)((unsigned __int128)bits * n >> 64);
}

/* x to one of its two whole neighbours, by the low 12 of `bits`; NaN and negatives give 0. */
static inline int64_t whole(double x, uint64_t bits)
{
    if (!(x > 0 && x < 0x1p62)) return x > 0 ? AMOUNT_MAX : 0;
    double v = draw_math_from_bits(UINT64_C(0x3ff0008000000000) | (bits & 4095) << 40); /* in (1, 2) */
    return (int64_t)(x + v) - 1;
}

/* Standard normal, Box and Muller 1958: a radius and the cosine of an angle. Its quarter circle is
 * drawn from the upper bits, its sign is the lowest; |Z| <= sqrt(2 * 53 ln 2) < 8.58. */
#define NORMAL_REACH 8.58

static inline double normal(uint64_t bits, struct rng *r)
{
    uint64_t turn = bits64(r);
    double radius = draw_math_sqrt(-2 * draw_math_log(unit(bits)));
    double z = radius * draw_math_cos_quarter(unit(turn));
    return turn & 1 ? -z : z;
}

/* The sum of n exponentials of mean 1 is minus the log of a product of uniforms; 16 of them at a time
 * cannot leave the range of a double. The last bits are handed back for the rounding. */
static double erlang(uint32_t n, uint64_t *bits, struct rng *r)
{
    double sum = 0, product = unit(*bits);
    for (uint32_t i = 1; i < n; i++) {
        if (i % 16 == 0) {
            sum -= draw_math_log(product);
            product = 1;
        }
        *bits = bits64(r);
        product *= unit(*bits);
    }
    return sum - draw_math_log(product);
}

/* u: probability of the rarer, longer branch; the two bring half of the mean each. */
static inline double hyperexp(const struct dist *d, uint64_t bits, struct rng *r)
{
    double p = unit(bits64(r)) <= d->u ? d->u : 1 - d->u;
    return (double)d->a / (2 * p) * -draw_math_log(unit(bits));
}

static int64_t from_pool(int64_t x)
{
    if (x < 0) return 0;
    return x < AMOUNT_MAX ? x : AMOUNT_MAX;
}

/* All the kinds that are neither the fastest nor the most frequent; `bits` is the first uniform. */
__attribute__((noinline)) static int64_t other_amount(const struct dist *d, struct rng *r,
                                                      const int64_t *pool, uint64_t bits)
{
    double a = (double)d->a;
    switch ((enum dist_kind)d->kind) {
    case DIST_UNIFORM: return d->a + (int64_t)below(bits, (uint64_t)(d->b - d->a));
    case DIST_NORMAL: return whole(a + (double)d->b * normal(bits, r), bits);
    case DIST_LOGNORMAL: return whole(draw_exp(d->u + d->v * normal(bits, r)), bits);
    case DIST_WEIBULL: return whole(a * draw_pow(-draw_math_log(unit(bits)), d->u), bits);
    case DIST_PARETO: return whole(a * draw_pow(unit(bits), d->u), bits);
    case DIST_HYPEREXP: return whole(hyperexp(d, bits, r), bits);
    case DIST_ERLANG: a = d->u * erlang(d->n, &bits, r); return whole(a, bits);
    case DIST_EMPIRICAL: return from_pool(pool[d->at + below(bits, d->n)]);
    case DIST_CONST:
    case DIST_EXPONENTIAL:
    case DIST_SEQUENCE:
    case DIST_NKINDS: break;
    }
    return 0;
}

int64_t draw_amount(const struct dist *d, struct rng *r, const int64_t *pool, uint64_t index)
{
    if (d->kind == DIST_CONST) return d->a;
    if (d->kind == DIST_SEQUENCE) return from_pool(pool[d->at + index % d->n]);
    uint64_t bits = bits64(r);
    if (d->kind == DIST_EXPONENTIAL) return whole(d->u * draw_math_log(unit(bits)), bits);
    return other_amount(d, r, pool, bits);
}

static bool finite(double x)
{
    return x - x == 0;
}

/* sigma^2 = log(1 + (sd/mean)^2), mu = log(mean) - sigma^2/2; the logarithm of 1 + y for a small y
 * gets back what the sum rounded away. */
static void make_lognormal(struct dist *d)
{
    if (d->a == 0) { /* X is 0: exp(-infinity) */
        d->u = -INF;
        return;
    }
    double ratio = (double)d->b / (double)d->a, y = ratio * ratio, w = 1 + y;
    double s2 = draw_log(w) - ((w - 1) - y) / w;
    d->u = draw_log((double)d->a) - s2 / 2;
    d->v = draw_math_sqrt(s2);
}

int draw_make(struct dist *d)
{
    d->u = d->v = 0;
    if (d->kind >= DIST_NKINDS) return -1;
    bool pooled = d->kind == DIST_EMPIRICAL || d->kind == DIST_SEQUENCE;
    if (pooled) return d->n > 0 ? 0 : -1;
    if (d->a < 0 || d->a > AMOUNT_MAX) return -1;
    switch ((enum dist_kind)d->kind) {
    case DIST_EXPONENTIAL: d->u = -(double)d->a; return 0;
    case DIST_UNIFORM: return d->b >= d->a && d->b <= AMOUNT_MAX ? 0 : -1;
    case DIST_NORMAL: return d->b >= 0 && d->b <= AMOUNT_MAX ? 0 : -1;
    case DIST_LOGNORMAL:
        if (d->b < 0 || d->b > AMOUNT_MAX || (d->a == 0 && d->b > 0)) return -1;
        make_lognormal(d);
        return 0;
    case DIST_WEIBULL:
    case DIST_PARETO:
        if (!(d->x > 0) || !finite(d->x) || !finite(1 / d->x)) return -1;
        d->u = d->kind == DIST_WEIBULL ? 1 / d->x : -1 / d->x;
        return 0;
    case DIST_HYPEREXP:
        if (!(d->x >= 1 && d->x <= DRAW_MAX_SCV)) return -1;
        /* (1 - q)/2 with q = sqrt((scv-1)/(scv+1)), without taking like from like */
        d->u = 1 / ((d->x + 1) * (1 + draw_math_sqrt((d->x - 1) / (d->x + 1))));
        return 0;
    case DIST_ERLANG:
        if (d->n < 1 || d->n > DRAW_MAX_STAGES) return -1;
        d->u = (double)d->a / d->n;
        return 0;
    case DIST_CONST:
    case DIST_EMPIRICAL:
    case DIST_SEQUENCE:
    case DIST_NKINDS: break;
    }
    return 0;
}

double draw_mean(const struct dist *d, const int64_t *pool)
{
    double a = (double)d->a, b = (double)d->b, sum = 0;
    switch ((enum dist_kind)d->kind) {
    case DIST_UNIFORM: return d->a == d->b ? a : (a + b - 1) / 2;
    case DIST_NORMAL: return d->b == 0 ? a : b * draw_math_normal_plus(a / b);
    case DIST_WEIBULL: return d->a == 0 ? 0 : a * draw_math_gamma1p(d->u);
    case DIST_PARETO: return d->a == 0 ? 0 : d->x > 1 ? a * d->x / (d->x - 1) : INF;
    case DIST_EMPIRICAL:
    case DIST_SEQUENCE:
        for (uint32_t i = 0; i < d->n; i++)
            sum += (double)from_pool(pool[d->at + i]);
        return sum / d->n;
    case DIST_CONST:
    case DIST_EXPONENTIAL:
    case DIST_LOGNORMAL:
    case DIST_HYPEREXP:
    case DIST_ERLANG:
    case DIST_NKINDS: break;
    }
    return a;
}

int64_t draw_least(const struct dist *d, const int64_t *pool)
{
    int64_t least = 0;
    double x = 0;
    switch ((enum dist_kind)d->kind) {
    case DIST_CONST:
    case DIST_UNIFORM:
    case DIST_PARETO: return d->a;
    case DIST_NORMAL: x = (double)d->a - NORMAL_REACH * (double)d->b; break;
    case DIST_LOGNORMAL: x = draw_exp(d->u - NORMAL_REACH * d->v); break;
    case DIST_EMPIRICAL:
    case DIST_SEQUENCE:
        least = from_pool(pool[d->at]);
        for (uint32_t i = 1; i < d->n; i++) {
            int64_t y = from_pool(pool[d->at + i]);
            least = y < least ? y : least;
        }
        return least;
    case DIST_EXPONENTIAL:
    case DIST_WEIBULL:
    case DIST_HYPEREXP:
    case DIST_ERLANG:
    case DIST_NKINDS: break;
    }
    return x > 0 ? (int64_t)x : 0;
}
