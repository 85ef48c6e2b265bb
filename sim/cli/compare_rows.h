// SPDX-License-Identifier: GPL-3.0-or-later
/* compare_rows.h - which numbers two clocks are compared by, how far apart they may be, and the verdict.
 *
 * A pair is one simulated and one real run with the same seed. The difference is the median over pairs of
 * (real - simulated); its spread is 1.2533 * 1.4826 * MAD / sqrt(n), the standard error of a median. They
 * agree where |difference| <= max(bound, 2 * spread); they are undecided where 2 * spread is more than
 * three times the bound, for then agreement means nothing. A median of times is compared with what lies
 * about it: two medians agree as well where the ranges from the 45th to the 55th percentile come within the
 * bound of each other. Slices end on ticks, so a distribution may sit on two values, half on each, and its
 * median then jumps from one to the other when a single slice changes sides. Bounds are those that repeat
 * well on real machines: shares by points, times relative to the simulated one. What hangs on how fast a core
 * is just now (the run time of a VM that idles between its work: 30 % from one minute to the next on a shared
 * machine) is shown and not judged. Exits and faults are counted for each unit of work done, or reference
 * made, so that the core's speed does not matter; what a VM that came to its end has computed is the same to
 * the bit. */
#ifndef VLAB_CLI_COMPARE_ROWS_H
#define VLAB_CLI_COMPARE_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics/results.h"
#include "scenario/scenario.h"

enum compare_verdict { COMPARE_AGREES, COMPARE_DIFFERS, COMPARE_UNDECIDED, COMPARE_SHOWN };

struct compare_row {
    const char *entity, *metric, *stat, *unit; /* borrowed from the scenario and static text */
    const char *per;                           /* NULL, or what its total is divided by */
    double bound;                              /* absolute for shares, else relative to the simulated value */
    bool relative;
    bool shown;         /* not judged */
    bool at_end;        /* only where the VM came to its `until` on both sides */
    double *sim, *real; /* [n] pairs */
    double *gap;        /* [n] between the ranges about the medians; 0: they meet */
    size_t n;
    double sim_median, real_median, difference, spread, allowed;
    double real_spread; /* of the real median, as `spread` is of the difference */
    enum compare_verdict verdict;
};

struct compare {
    struct compare_row *rows;
    size_t n_rows, cap;
    char **names;
    size_t n_names;
};

/* The rows a scenario is compared by; room for `pairs` values each. */
void compare_init(struct compare *c, const struct scenario *sc, size_t pairs);
void compare_done(struct compare *c);
/* Adds a pair; a row either side has no value for gets none. */
void compare_add(struct compare *c, const struct run_output *sim, const struct run_output *real);
/* Works out differences, spreads and verdicts; rows without a pair are left out of n_rows. */
void compare_judge(struct compare *c);
const char *compare_verdict_name(enum compare_verdict v);

#endif
