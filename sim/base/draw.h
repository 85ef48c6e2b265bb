// SPDX-License-Identifier: GPL-3.0-or-later
/* draw.h - every random amount of a run: from a stream to whole nanoseconds, bytes, pages or counts.
 *
 * No libm: logarithm, exponential and power are this file's own, in IEEE double arithmetic without
 * contraction, so that simulator and freestanding guest agree bit for bit. Negatives are cut to 0,
 * values above 2^62 to 2^62. */
#ifndef VLAB_BASE_DRAW_H
#define VLAB_BASE_DRAW_H

#include <stdint.h>

#include "base/rng.h"

enum dist_kind {
    DIST_CONST,       /* a */
    DIST_EXPONENTIAL, /* mean a */
    DIST_UNIFORM,     /* a <= X < b (a when they are equal) */
    DIST_NORMAL,      /* mean a, standard deviation b */
    DIST_LOGNORMAL,   /* a, b: mean and standard deviation of X itself, not of its logarithm */
    DIST_WEIBULL,     /* scale a, shape x */
    DIST_PARETO,      /* minimum a, shape x */
    DIST_HYPEREXP,    /* mean a, squared coefficient of variation x >= 1, balanced means */
    DIST_ERLANG,      /* mean a, n stages */
    DIST_EMPIRICAL,   /* one of pool[at .. at+n), each as likely */
    DIST_SEQUENCE,    /* pool[at + index mod n]: in order, not drawn */
    DIST_NKINDS
};

/* Plain data without pointers: it is copied into a guest's boot page as it is. Made by
 * draw_make, which fills the derived u and v; the unit of a and b is that of the result. */
struct dist {
    uint32_t kind; /* enum dist_kind */
    uint32_t n;    /* Erlang stages; length in the pool */
    uint32_t at;   /* first element in the pool */
    uint32_t pad;
    int64_t a;
    int64_t b;
    double x;    /* shape, scv */
    double u, v; /* derived by draw_make: constants of the kind */
};

#define DRAW_MAX_STAGES 10000u
#define DRAW_MAX_SCV    1e12

/* Fills the derived fields of d (kind, n, at, a, b, x given). 0, or -1 where the parameters are out
 * of range (a or b negative or above 2^62, shape <= 0, scv not in [1, DRAW_MAX_SCV], stages not in
 * [1, DRAW_MAX_STAGES], b < a for uniform, mean 0 with a deviation for lognormal, empty pool range,
 * NaN). The same parameters give the same bits everywhere. */
int draw_make(struct dist *d);

/* One amount. `pool` is the program's table of numbers; `index` counts the draws of this step
 * (the iteration number) and matters to DIST_SEQUENCE alone. */
int64_t draw_amount(const struct dist *d, struct rng *r, const int64_t *pool, uint64_t index);

/* The mean of what draw_amount yields, in its own unit (for a normal, with the negatives cut to 0; for
 * a uniform, of the whole numbers a .. b-1); infinite where there is none. */
double draw_mean(const struct dist *d, const int64_t *pool);
/* A lower bound of what it can yield: exact but for normal and lognormal, whose draws stay within 8.58
 * standard deviations; 0 for the others that reach down to it. */
int64_t draw_least(const struct dist *d, const int64_t *pool);

/* For tests and for models that need them; domain as in C. Within 1.25 units in the last place of the
 * true value, where the result is a normal number. */
double draw_log(double x);
double draw_exp(double x);
double draw_pow(double x, double y);

#endif
