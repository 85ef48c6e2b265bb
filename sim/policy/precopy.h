// SPDX-License-Identifier: GPL-3.0-or-later
/* precopy.h - live migration by pre-copy: what the next round is, and when to stop.
 *
 * Clark et al., NSDI 2005: the first round sends all the memory at `rate`, each next one what was written
 * during the one before, at the rate at which it was written plus `step`, but never slower than `rate`; when
 * what is left is below stop_below, or the rate would pass rate_max, or max_rounds rounds are over, the VM is
 * stopped and the rest sent at full speed. With step 0 every round and the rest go at `rate`, and rate_max
 * does not apply. A round that is no smaller than the one before it (the second round against the first
 * included) has diverged.
 *
 * Pure; sizes in bytes of memory without framing, rates in bits a second, times in ns. */
#ifndef VLAB_POLICY_PRECOPY_H
#define VLAB_POLICY_PRECOPY_H

#include <stdbool.h>
#include <stdint.h>

struct precopy_cfg {
    int64_t rate_bps, step_bps, rate_max_bps;
    int64_t stop_below_bytes;
    uint32_t max_rounds;
};

struct precopy {
    struct precopy_cfg cfg;
    uint32_t rounds; /* begun, the stop-and-copy not counted */
    int64_t last_bytes;
    bool diverged; /* said once */
};

enum precopy_do {
    PRECOPY_ROUND,   /* send bytes at rate_bps while the VM runs */
    PRECOPY_STOP,    /* stop it and send bytes, at rate_bps; 0: as fast as it goes */
    PRECOPY_DIVERGED /* what is asked for is another decision: stop all the same, slow the VM down and go on
                        with precopy_go_on, or give up */
};

struct precopy_step {
    enum precopy_do what;
    int64_t bytes, rate_bps;
};

struct precopy_step precopy_begin(struct precopy *p, const struct precopy_cfg *cfg, int64_t bytes);
/* A round took ns, and meanwhile dirty bytes were written. */
struct precopy_step precopy_next(struct precopy *p, int64_t dirty_bytes, int64_t took_ns);
/* After PRECOPY_DIVERGED: the round all the same. */
struct precopy_step precopy_go_on(struct precopy *p, int64_t dirty_bytes, int64_t took_ns);

/* What a stated writer leaves dirty after ns: rate_bps over a hot set of `of` bytes, in order (min(r t, of))
 * or uniform (of (1 - exp(-r t / of))), and `cold` besides, never the same twice; no more than `memory` in
 * all. */
struct precopy_writer {
    int64_t rate_bps, of_bytes, cold_bps, memory_bytes;
    bool uniform;
};
int64_t precopy_dirty(const struct precopy_writer *w, int64_t ns);

#endif
