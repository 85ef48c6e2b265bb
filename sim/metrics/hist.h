// SPDX-License-Identifier: GPL-3.0-or-later
/* hist.h - a mergeable histogram of durations: any number of values, bounded memory, quantiles within 0.8 %.
 *
 * In short. hist_add costs one count of leading zeros, one increment and the upkeep of count, sum, min
 * and max: about 2 ns. Two histograms merge into exactly the one that had seen all values. Count, sum
 * (128 bits), mean, minimum and maximum are exact; quantiles and the ECDF are within 1/128 = 0.78 %.
 *
 * In detail. Values are whole ns from 0 to 2^63 - 1. Those below 256 have a bucket each. From there on
 * every octave [2^k, 2^(k+1)) is cut into 128 equal buckets, so a bucket is at most 1/128 of the values
 * in it. Octaves are allocated when first touched, 1 KiB each: a histogram whose values lie between 1 us
 * and 1 s takes at most 20 KiB.
 *
 * The error bound. Whatever the values in a bucket are, the value reported for one of them lies in the
 * same bucket, so it is off by less than the bucket's width: at most 1/128 of the value. A quantile
 * between two order statistics is interpolated between two such estimates and inherits the bound (it is
 * then relative to the larger). Estimates are kept within [min, max]: equal values come out exactly.
 *
 * A histogram is zero-initialised ({0}) and owns its octaves; hist_done gives them back. */
#ifndef VLAB_METRICS_HIST_H
#define VLAB_METRICS_HIST_H

#include <stddef.h>
#include <stdint.h>

#define HIST_SUB_BITS 7 /* 128 buckets an octave */
#define HIST_SUBS     (1u << HIST_SUB_BITS)
#define HIST_OCTAVES  (64 - HIST_SUB_BITS) /* 57: octave 0 is [0, 128), octave o is [2^(o+6), 2^(o+7)) */

struct hist {
    uint64_t count;
    int64_t min, max; /* where count > 0 */
    unsigned __int128 sum;
    int64_t last;         /* the value added last, and its bucket: equal values in a row are common */
    uint64_t *last_count; /* NULL: none yet */
    uint64_t *octave[HIST_OCTAVES + 1]; /* NULL or HIST_SUBS counts; the last stays NULL: negative values */
};

void hist_done(struct hist *h); /* leaves an empty one */
/* Makes the octave (it was NULL) and returns it; hist_add calls it. */
uint64_t *hist_octave(struct hist *h, unsigned o);

/* n times the value v >= 0 (less is our own mistake: it lands in no bucket and stops the program). */
static inline void hist_add_n(struct hist *h, int64_t v, uint64_t n)
{
    uint64_t u = (uint64_t)v;
    if (v == h->last && h->last_count) {
        *h->last_count += n;
        h->count += n;
        h->sum += (unsigned __int128)u * n;
        return;
    }
    unsigned shift = (unsigned)(63 - HIST_SUB_BITS - __builtin_clzll(u | HIST_SUBS));
    uint64_t top = u >> shift; /* below 128 only where shift is 0 */
    unsigned o = shift + (unsigned)(top >> HIST_SUB_BITS);
    uint64_t *counts = h->octave[o];
    if (__builtin_expect(!counts, 0)) counts = hist_octave(h, o);
    counts[top & (HIST_SUBS - 1)] += n;
    h->last = v;
    h->last_count = &counts[top & (HIST_SUBS - 1)];
    if (h->count == 0) h->min = h->max = v;
    h->min = v < h->min ? v : h->min;
    h->max = v > h->max ? v : h->max;
    h->count += n;
    h->sum += (unsigned __int128)u * n;
}

static inline void hist_add(struct hist *h, int64_t v)
{
    hist_add_n(h, v, 1);
}

/* into := all values of both. */
void hist_merge(struct hist *into, const struct hist *from);
double hist_mean(const struct hist *h); /* ns; NaN where empty */
/* The q-quantile in ns, 0 <= q <= 1: the value at rank q * (count - 1), interpolated (type 7 of Hyndman
 * and Fan 1996, as R and numpy have it). q = 0 and 1 are the exact minimum and maximum. NaN where empty. */
double hist_quantile(const struct hist *h, double q);
/* How many values are at most v, as far as buckets tell: exact where v is the upper end of a bucket. */
uint64_t hist_count_to(const struct hist *h, int64_t v);
/* The ECDF at the upper end of every bucket in use (the last: max), x in units of unit_ns. Both arrays
 * are malloc'ed, n long (the return value); *x and *share are NULL where the histogram is empty. */
size_t hist_ecdf(const struct hist *h, double unit_ns, double **x, double **share);

#endif
