// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/precopy.h"

#include "base/draw.h"

static struct precopy_step round_of(struct precopy *p, int64_t bytes, int64_t rate_bps)
{
    p->rounds++;
    p->last_bytes = bytes;
    return (struct precopy_step){PRECOPY_ROUND, bytes, rate_bps};
}

static struct precopy_step stop(const struct precopy *p, int64_t bytes)
{
    return (struct precopy_step){PRECOPY_STOP, bytes, p->cfg.step_bps ? 0 : p->cfg.rate_bps};
}

struct precopy_step precopy_begin(struct precopy *p, const struct precopy_cfg *cfg, int64_t bytes)
{
    *p = (struct precopy){.cfg = *cfg};
    return bytes ? round_of(p, bytes, cfg->rate_bps) : stop(p, 0);
}

/* The rate at which it was written, and a step more. */
static int64_t next_rate(const struct precopy *p, int64_t dirty_bytes, int64_t took_ns)
{
    if (p->cfg.step_bps == 0) return p->cfg.rate_bps;
    __int128 written = took_ns > 0 ? (__int128)dirty_bytes * 8 * 1000000000 / took_ns : 0;
    written += p->cfg.step_bps;
    if (written < p->cfg.rate_bps) return p->cfg.rate_bps; /* never slower than it began */
    return written > INT64_MAX ? INT64_MAX : (int64_t)written;
}

static struct precopy_step next(struct precopy *p, int64_t dirty_bytes, int64_t took_ns, bool all_the_same)
{
    int64_t rate = next_rate(p, dirty_bytes, took_ns);
    bool too_fast = p->cfg.step_bps && rate > p->cfg.rate_max_bps;
    if (dirty_bytes < p->cfg.stop_below_bytes || dirty_bytes == 0 || too_fast ||
        p->rounds >= p->cfg.max_rounds)
        return stop(p, dirty_bytes);
    if (dirty_bytes >= p->last_bytes && !all_the_same) {
        p->diverged = true;
        return (struct precopy_step){PRECOPY_DIVERGED, dirty_bytes, rate};
    }
    return round_of(p, dirty_bytes, rate);
}

struct precopy_step precopy_next(struct precopy *p, int64_t dirty_bytes, int64_t took_ns)
{
    return next(p, dirty_bytes, took_ns, false);
}

struct precopy_step precopy_go_on(struct precopy *p, int64_t dirty_bytes, int64_t took_ns)
{
    return next(p, dirty_bytes, took_ns, true);
}

/* bits a second over ns, in bytes. */
static int64_t bytes_in(int64_t rate_bps, int64_t ns)
{
    __int128 bytes = (__int128)rate_bps * ns / 8000000000;
    return bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
}

int64_t precopy_dirty(const struct precopy_writer *w, int64_t ns)
{
    int64_t hot = bytes_in(w->rate_bps, ns),
            of = w->of_bytes < w->memory_bytes ? w->of_bytes : w->memory_bytes;
    if (w->uniform && of > 0)
        hot = (int64_t)((double)of * (1 - draw_exp(-(double)hot / (double)of)));
    else if (hot > of)
        hot = of;
    int64_t cold = bytes_in(w->cold_bps, ns), rest = w->memory_bytes - of;
    return hot + (cold < rest ? cold : rest);
}
