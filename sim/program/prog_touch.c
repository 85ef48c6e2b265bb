// SPDX-License-Identifier: GPL-3.0-or-later
#include "program/prog_touch.h"

#include "base/draw_math.h"

/* Where |x| is below it, two terms of the series are better than what a difference leaves. */
#define SMALL 0x1p-16

/* (e^x - 1) / x */
static double exp_slope(double x)
{
    double ax = x < 0 ? -x : x;
    if (ax > SMALL) return (draw_exp(x) - 1) / x;
    return 1 + x * 0.5 * (1 + x * (1.0 / 3) * (1 + x * 0.25));
}

/* log(1 + x) / x, x > -1 */
static double log_slope(double x)
{
    double ax = x < 0 ? -x : x;
    if (ax > SMALL) return draw_math_log(1 + x) / x;
    return 1 - x * (0.5 - x * (1.0 / 3 - x * 0.25));
}

/* The area under t^-skew from 1 to x. */
static double area(double x, double skew)
{
    double l = draw_math_log(x);
    return exp_slope((1 - skew) * l) * l;
}

/* Up to where the area is a. */
static double area_end(double a, double skew)
{
    double t = a * (1 - skew);
    if (t < -1 + 0x1p-53) t = -1 + 0x1p-53; /* by rounding; only beyond every page */
    return draw_exp(log_slope(t) * a);
}

static double height(double x, double skew)
{
    return draw_exp(-skew * draw_math_log(x));
}

bool prog_touch_make(struct step *s)
{
    s->u = s->v = 0;
    if (s->kind != STEP_TOUCH || s->how >= PROG_NPATTERNS || s->span < 1 || s->span > PROG_MAX_PAGES)
        return false;
    if (s->how != PROG_ZIPF) return true;
    if (!(s->skew > 0 && s->skew <= PROG_MAX_SKEW)) return false;
    s->u = area(1.5, s->skew) - 1; /* the first column has its whole height: 1 */
    s->v = area((double)s->span + 0.5, s->skew);
    return true;
}

bool prog_touch_valid(const struct step *s)
{
    struct step made = *s;
    return prog_touch_make(&made) && draw_math_bits(made.u) == draw_math_bits(s->u) &&
           draw_math_bits(made.v) == draw_math_bits(s->v);
}

void prog_touch_begin(struct prog_touch *w, const struct prog_task *t, const struct prog_act *act)
{
    const struct step *s = act->step;
    uint64_t stream = t->iter * PROG_MAX_STEPS + act->pc;
    *w = (struct prog_touch){
        .rng = rng_at(t->key ^ UINT64_C(0x746f756368), t->task, stream), .step = s, .left = act->amount};
    uint64_t span = (uint64_t)s->span; /* below 2^32: the product fits */
    w->next = (uint32_t)(t->iter % span * ((uint64_t)act->amount % span) % span);
    if (s->how == PROG_ZIPF) w->sure = 2 - area_end(area(2.5, s->skew) - height(2, s->skew), s->skew);
}

/* Of n, each exactly as likely (Lemire 2019). */
static inline uint32_t below(struct rng *r, uint32_t n)
{
    uint64_t product = (uint64_t)rng_u32(r) * n;
    if (__builtin_expect((uint32_t)product < n, 0))
        for (uint32_t least = -n % n; (uint32_t)product < least;)
            product = (uint64_t)rng_u32(r) * n;
    return (uint32_t)(product >> 32);
}

static uint32_t zipf(const struct prog_touch *w, struct rng *r)
{
    const struct step *s = w->step;
    for (;;) {
        uint64_t bits = (uint64_t)rng_u32(r) << 20;
        bits |= rng_u32(r) >> 12;
        double a = s->v + draw_math_small((int64_t)(bits >> 1)) * 0x1p-51 * (s->u - s->v);
        double x = area_end(a, s->skew);
        int64_t k = x < (double)s->span ? (int64_t)(x + 0.5) : s->span;
        if (k < 1) k = 1;
        double kd = draw_math_small(k);
        if (kd - x <= w->sure || a >= area(kd + 0.5, s->skew) - height(kd, s->skew)) return (uint32_t)(k - 1);
    }
}

static inline uint32_t writes(uint32_t share, struct rng *r)
{
    if (share == UINT32_MAX) return PROG_TOUCH_WRITE;
    return share && rng_u32(r) < share ? PROG_TOUCH_WRITE : 0;
}

uint32_t prog_touch_fill(struct prog_touch *w, uint32_t *out, uint32_t n)
{
    const struct step *s = w->step;
    struct rng r = w->rng;
    uint32_t share = s->write, span = (uint32_t)s->span;
    if ((int64_t)n > w->left) n = (uint32_t)w->left;
    switch ((enum prog_pattern)s->how) {
    case PROG_CYCLIC:
        for (uint32_t i = 0; i < n; i++) {
            out[i] = w->next | writes(share, &r);
            w->next = (int64_t)w->next + 1 == s->span ? 0 : w->next + 1;
        }
        break;
    case PROG_ZIPF:
        for (uint32_t i = 0; i < n; i++) {
            uint32_t page = zipf(w, &r);
            out[i] = page | writes(share, &r);
        }
        break;
    case PROG_UNIFORM:
    default:
        for (uint32_t i = 0; i < n; i++) {
            uint32_t page = below(&r, span);
            out[i] = page | writes(share, &r);
        }
    }
    w->rng = r;
    w->left -= n;
    return n;
}
