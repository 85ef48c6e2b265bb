// SPDX-License-Identifier: GPL-3.0-or-later
/* memstate.h - how short of memory a host is: high, soft, hard, low, as free memory falls below 4, 2, 1 % of
 * its free target.
 *
 * A state is entered as soon as free memory is below its own threshold (6, 4, 2, 1 %), and left for the one
 * above only when free memory has come up to the threshold of that one: falling below 4 % makes soft, and
 * 6 % make high again (Waldspurger, OSDI 2002: percents of the host's memory; for those, let free_target be
 * the host's size). Between two thresholds the state stays, so small changes do not make it go to and fro.
 * What a state asks for is in mem_reclaim.h. Pure. Thresholds are rounded up to whole pages. */
#ifndef VLAB_POLICY_MEMSTATE_H
#define VLAB_POLICY_MEMSTATE_H

#include <stdint.h>

enum memstate { MEMSTATE_HIGH, MEMSTATE_SOFT, MEMSTATE_HARD, MEMSTATE_LOW, MEMSTATE_N };

struct memstate_marks {
    int64_t pages[MEMSTATE_N]; /* the threshold of each state, falling; all 0: always high */
};

struct memstate_marks memstate_marks(int64_t target_pages);
/* The state with so many pages free, coming from `was`. */
enum memstate memstate_next(const struct memstate_marks *m, enum memstate was, int64_t free_pages);

#endif
