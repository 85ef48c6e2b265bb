// SPDX-License-Identifier: GPL-3.0-or-later
#include "metrics/hist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/alloc.h"

void hist_done(struct hist *h)
{
    for (unsigned o = 0; o < HIST_OCTAVES; o++)
        free(h->octave[o]);
    memset(h, 0, sizeof *h);
}

uint64_t *hist_octave(struct hist *h, unsigned o)
{
    ASSERT(o < HIST_OCTAVES); /* a negative duration */
    if (!h->octave[o]) h->octave[o] = alloc_array(HIST_SUBS, sizeof(uint64_t));
    return h->octave[o];
}

void hist_merge(struct hist *into, const struct hist *from)
{
    if (from->count == 0) return;
    for (unsigned o = 0; o < HIST_OCTAVES; o++) {
        if (!from->octave[o]) continue;
        uint64_t *counts = hist_octave(into, o);
        for (unsigned s = 0; s < HIST_SUBS; s++)
            counts[s] += from->octave[o][s];
    }
    if (into->count == 0 || from->min < into->min) into->min = from->min;
    if (into->count == 0 || from->max > into->max) into->max = from->max;
    into->count += from->count;
    into->sum += from->sum;
}

double hist_mean(const struct hist *h)
{
    if (h->count == 0) return (double)NAN;
    /* Quotient and remainder apart: one rounding each, however large the sum. */
    unsigned __int128 whole = h->sum / h->count;
    uint64_t rest = (uint64_t)(h->sum % h->count);
    return (double)whole + (double)rest / (double)h->count;
}

/* The first and last value a bucket can hold, narrowed by what is known of the extremes. */
static void bounds(const struct hist *h, unsigned o, unsigned s, int64_t *lo, int64_t *hi)
{
    unsigned shift = o ? o - 1 : 0;
    uint64_t first = o ? (uint64_t)(HIST_SUBS + s) << shift : s;
    *lo = (int64_t)first;
    *hi = (int64_t)(first + ((uint64_t)1 << shift) - 1);
    if (*lo < h->min) *lo = h->min;
    if (*hi > h->max) *hi = h->max;
}

/* The value of rank `rank` (from 0): those in a bucket are taken as spread evenly over it. */
static double at_rank(const struct hist *h, uint64_t rank)
{
    if (rank == 0) return (double)h->min;
    if (rank >= h->count - 1) return (double)h->max;
    uint64_t seen = 0;
    for (unsigned o = 0; o < HIST_OCTAVES; o++) {
        for (unsigned s = 0; h->octave[o] && s < HIST_SUBS; s++) {
            uint64_t c = h->octave[o][s];
            if (rank >= seen + c) {
                seen += c;
                continue;
            }
            int64_t lo, hi;
            bounds(h, o, s, &lo, &hi);
            return (double)lo + (double)(hi - lo) * (((double)(rank - seen) + 0.5) / (double)c);
        }
    }
    return (double)h->max;
}

double hist_quantile(const struct hist *h, double q)
{
    if (h->count == 0) return (double)NAN;
    ASSERT(q >= 0.0 && q <= 1.0);
    double at = q * (double)(h->count - 1);
    uint64_t below = (uint64_t)at;
    double part = at - (double)below;
    double x = at_rank(h, below);
    return part > 0.0 ? x + part * (at_rank(h, below + 1) - x) : x;
}

uint64_t hist_count_to(const struct hist *h, int64_t v)
{
    uint64_t seen = 0;
    for (unsigned o = 0; o < HIST_OCTAVES; o++) {
        for (unsigned s = 0; h->octave[o] && s < HIST_SUBS; s++) {
            int64_t lo, hi;
            if (!h->octave[o][s]) continue;
            bounds(h, o, s, &lo, &hi);
            if (hi > v) return seen;
            seen += h->octave[o][s];
        }
    }
    return seen;
}

size_t hist_ecdf(const struct hist *h, double unit_ns, double **x, double **share)
{
    size_t n = 0, cap_x = 0, cap_share = 0;
    uint64_t seen = 0;
    *x = NULL;
    *share = NULL;
    for (unsigned o = 0; o < HIST_OCTAVES; o++) {
        for (unsigned s = 0; h->octave[o] && s < HIST_SUBS; s++) {
            int64_t lo, hi;
            if (!h->octave[o][s]) continue;
            bounds(h, o, s, &lo, &hi);
            seen += h->octave[o][s];
            *x = alloc_grow(*x, n, &cap_x, sizeof **x);
            *share = alloc_grow(*share, n, &cap_share, sizeof **share);
            (*x)[n] = (double)hi / unit_ns;
            (*share)[n++] = (double)seen / (double)h->count;
        }
    }
    return n;
}
