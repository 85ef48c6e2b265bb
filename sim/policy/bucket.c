// SPDX-License-Identifier: GPL-3.0-or-later
/* Each line is a fraction of ns: whole ns and rest / rate, 0 <= rest < rate. */
#include "policy/bucket.h"

#define BYTE_NS    UINT64_C(8000000000)       /* ns of a byte, times bits a second */
#define REQUEST_NS UINT64_C(1000000000000000) /* ns of a request, times millionths of a request a second */
#define MOST_DEPTH (INT64_MAX / 4)            /* that much before `now` still fits */

struct span {
    uint64_t ns, rest;
};

static struct span span_of(uint64_t bytes, uint64_t rate)
{
    if (bytes <= UINT64_MAX / BYTE_NS) return (struct span){bytes * BYTE_NS / rate, bytes * BYTE_NS % rate};
    unsigned __int128 n = (unsigned __int128)bytes * BYTE_NS, ns = n / rate;
    if (ns > INT64_MAX) return (struct span){INT64_MAX, 0};
    return (struct span){(uint64_t)ns, (uint64_t)(n % rate)};
}

static int64_t ceiling(const struct bucket_line *l)
{
    return l->rest && l->ns < BUCKET_FOREVER ? l->ns + 1 : l->ns;
}

/* Not before now - depth, but for less than a ns: whoever goes by whole ns comes so late at most. */
static void raise(struct bucket_line *l, int64_t now, int64_t grace_ns)
{
    int64_t ns = now - l->depth_ns;
    uint64_t rest = 0;
    if (l->depth_rest) {
        ns--;
        rest = l->rate - l->depth_rest;
    }
    if (ns - grace_ns < l->ns || (ns - grace_ns == l->ns && rest < l->rest)) return;
    l->ns = ns;
    l->rest = rest;
}

static void advance(struct bucket_line *l, struct span s)
{
    if (__builtin_add_overflow(l->ns, (int64_t)s.ns, &l->ns)) {
        l->ns = BUCKET_FOREVER;
        l->rest = 0;
        return;
    }
    /* rest < rate and s.rest < rate, and a rate is less than 2^63: no overflow. */
    l->rest += s.rest;
    if (l->rest < l->rate) return;
    l->rest -= l->rate;
    if (l->ns < BUCKET_FOREVER) l->ns++;
}

static void make(struct bucket_line *l, int64_t rate, int64_t depth_bytes, int64_t now)
{
    uint64_t old_rate = l->rate;
    l->rate = (uint64_t)rate;
    l->depth_ns = 0;
    l->depth_rest = 0;
    if (!rate) return;
    if (depth_bytes) {
        struct span s = span_of((uint64_t)depth_bytes, l->rate);
        bool far = s.ns > MOST_DEPTH;
        l->depth_ns = far ? MOST_DEPTH : (int64_t)s.ns;
        l->depth_rest = far ? 0 : s.rest;
    }
    if (old_rate) {
        l->rest = (uint64_t)((unsigned __int128)l->rest * l->rate / old_rate);
        raise(l, now, 1);
    } else {
        l->ns = now - l->depth_ns - (l->depth_rest != 0);
        l->rest = l->depth_rest ? l->rate - l->depth_rest : 0;
    }
}

void bucket_set(struct bucket *b, int64_t iops_u, int64_t bps, int64_t burst_bytes, int64_t peak_bps,
                int64_t now)
{
    make(&b->ops, iops_u, 0, now);
    make(&b->rate, bps, burst_bytes, now);
    make(&b->peak, peak_bps, 0, now);
    b->step_ns = iops_u ? REQUEST_NS / b->ops.rate : 0;
    b->step_rest = iops_u ? REQUEST_NS % b->ops.rate : 0;
}

void bucket_init(struct bucket *b, int64_t iops_u, int64_t bps, int64_t burst_bytes, int64_t peak_bps,
                 int64_t now)
{
    *b = (struct bucket){0};
    bucket_set(b, iops_u, bps, burst_bytes, peak_bps, now);
}

static int64_t line_take(struct bucket_line *l, struct span s, int64_t now)
{
    raise(l, now, 1);
    advance(l, s);
    return ceiling(l);
}

int64_t bucket_take(struct bucket *b, int64_t bytes, int64_t now)
{
    int64_t through = now, t;
    if (b->ops.rate) {
        t = line_take(&b->ops, (struct span){b->step_ns, b->step_rest}, now);
        if (t > through) through = t;
    }
    if (b->rate.rate) {
        t = line_take(&b->rate, span_of((uint64_t)bytes, b->rate.rate), now);
        if (t > through) through = t;
    }
    if (b->peak.rate) {
        t = line_take(&b->peak, span_of((uint64_t)bytes, b->peak.rate), now);
        if (t > through) through = t;
    }
    return through;
}

static int64_t span_ceiling(struct span s)
{
    return (int64_t)s.ns + (s.rest && s.ns < INT64_MAX);
}

int64_t bucket_cost_ns(const struct bucket *b, int64_t bytes)
{
    int64_t cost = 0, t;
    if (b->ops.rate) cost = span_ceiling((struct span){b->step_ns, b->step_rest});
    if (b->rate.rate && (t = span_ceiling(span_of((uint64_t)bytes, b->rate.rate))) > cost) cost = t;
    if (b->peak.rate && (t = span_ceiling(span_of((uint64_t)bytes, b->peak.rate))) > cost) cost = t;
    return cost;
}

int64_t bucket_ready_ns(const struct bucket *b)
{
    int64_t ready = INT64_MIN, t;
    if (b->ops.rate) ready = ceiling(&b->ops);
    if (b->rate.rate && (t = ceiling(&b->rate)) > ready) ready = t;
    if (b->peak.rate && (t = ceiling(&b->peak)) > ready) ready = t;
    return ready;
}

/* To max(line, now - max(depth, span)) + span. */
static void line_pass(struct bucket_line *l, struct span s, int64_t now)
{
    if ((int64_t)s.ns < l->depth_ns || ((int64_t)s.ns == l->depth_ns && s.rest < l->depth_rest)) {
        raise(l, now, 0);
        advance(l, s);
        return;
    }
    advance(l, s);
    if (l->ns < now) {
        l->ns = now;
        l->rest = 0;
    }
}

void bucket_pass(struct bucket *b, int64_t bytes, int64_t now)
{
    if (b->ops.rate) line_pass(&b->ops, (struct span){b->step_ns, b->step_rest}, now);
    if (b->rate.rate) line_pass(&b->rate, span_of((uint64_t)bytes, b->rate.rate), now);
    if (b->peak.rate) line_pass(&b->peak, span_of((uint64_t)bytes, b->peak.rate), now);
}

void bucket_rest(struct bucket *b, int64_t now)
{
    if (b->ops.rate) raise(&b->ops, now, 0);
    if (b->rate.rate) raise(&b->rate, now, 0);
    if (b->peak.rate) raise(&b->peak, now, 0);
}
