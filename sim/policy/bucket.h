// SPDX-License-Identifier: GPL-3.0-or-later
/* bucket.h - token buckets, exact: a rate in requests, a rate in bytes with a burst, and a peak.
 *
 * A device of rate r, burst b and peak p passes V bytes, asked for at once after a rest, in
 *     max(V / p, (V - b) / r):    r 10 MB/s, b 100 MB, p 100 MB/s: 1000 MB in 90 s.
 * Kept as a line for each rate: the time up to which what was passed has used it up. A request of n bytes
 * moves the line of rate r to max(line, now - b/r) + n/r; it is through when the last of its lines is. This
 * is the bucket read as time (the virtual scheduling form of ATM's GCRA, ITU-T I.371). Times are whole ns and
 * a remainder in units of 1/rate ns that is carried: no drift, however many requests. What lies beyond the
 * end of time stays there.
 *
 * Of one bucket, requests taken one after another (`now` of each when the one before is through) use the
 * device for max(1/iops, n/bandwidth) each; taken as they come, in order, each rate is a budget of its own.
 */
#ifndef VLAB_POLICY_BUCKET_H
#define VLAB_POLICY_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_FOREVER INT64_MAX

struct bucket_line { /* rate 0: no bound */
    int64_t ns;      /* whole ns of the line */
    uint64_t rest;   /* and rest / rate of one more */
    uint64_t rate;
    int64_t depth_ns; /* what may be saved up, in time */
    uint64_t depth_rest;
};

struct bucket {
    struct bucket_line ops, rate, peak;
    uint64_t step_ns, step_rest; /* of ops: one request */
};

/* Rates as in a scenario: millionths of a request a second, bits a second; 0: no bound. It begins with
 * burst_bytes saved up. All >= 0. */
void bucket_init(struct bucket *b, int64_t iops_u, int64_t bps, int64_t burst_bytes, int64_t peak_bps,
                 int64_t now);
/* A device's: a request of `bytes` begins at `now`. When is it through, rounded up to a ns? A `now` less than
 * a ns after the line, which is what a caller that goes by whole ns can do best, loses nothing. */
int64_t bucket_take(struct bucket *b, int64_t bytes, int64_t now);
/* What a request of `bytes` takes of the device in the long run, rounded up: max(1/iops, bytes/rate). */
int64_t bucket_cost_ns(const struct bucket *b, int64_t bytes);

/* A limit's: a request may begin from when on? It is let in when nothing is owed and may then owe its own. */
int64_t bucket_ready_ns(const struct bucket *b);
/* It begins, at bucket_ready_ns or later: late by no more than its own time, nothing is lost. */
void bucket_pass(struct bucket *b, int64_t bytes, int64_t now);
/* Nobody has asked up to now: what was not used is lost, but for the burst. */
void bucket_rest(struct bucket *b, int64_t now);
/* Other rates from now on; what is owed stays, as time, and what is saved up is cut to the new burst. */
void bucket_set(struct bucket *b, int64_t iops_u, int64_t bps, int64_t burst_bytes, int64_t peak_bps,
                int64_t now);

static inline bool bucket_bounds(const struct bucket *b)
{
    return b->ops.rate || b->rate.rate || b->peak.rate;
}

#endif
