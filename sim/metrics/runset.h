// SPDX-License-Identifier: GPL-3.0-or-later
/* runset.h - points x replications of run_output, and what the replications agree on.
 *
 * Replications of one point are independent runs, so the mean of a figure over them has the Student-t
 * interval mean +- t(0.975, n - 1) * sd / sqrt(n). With one replication there is no interval, and none
 * where it would rest on fewer than RESULTS_EVENTS failures (availability): `few`.
 *
 * The outputs are borrowed: they must live as long as the set is read. */
#ifndef VLAB_METRICS_RUNSET_H
#define VLAB_METRICS_RUNSET_H

#include "metrics/results.h"

#define RUNSET_CONFIDENCE 0.95

struct estimate {
    size_t n;        /* replications that have a value (NaN is none) */
    double mean, sd; /* NaN where n == 0; sd 0 where n == 1 */
    double lo, hi;   /* the interval; both the mean where n < 2, NaN where `few` */
    bool few;        /* too few events for an interval */
    bool is_exact;   /* every replication has the same whole number: */
    uint64_t exact;
};

struct runset_row {
    const struct result *like; /* names and unit; borrowed from the first output that has the row */
    struct estimate e;
};

struct runset;

struct runset *runset_new(size_t n_points, size_t n_reps); /* both at least 1 */
void runset_free(struct runset *rs);
size_t runset_points(const struct runset *rs);
size_t runset_reps(const struct runset *rs);
size_t runset_done(const struct runset *rs); /* runs that are there */
/* Each place once, in any order (workers finish when they like; readers see point by point). */
void runset_put(struct runset *rs, size_t point, size_t rep, uint64_t seed, const struct run_output *out);
const struct run_output *runset_get(const struct runset *rs, size_t point, size_t rep); /* NULL: not there */
uint64_t runset_seed(const struct runset *rs, size_t point, size_t rep);

struct estimate runset_estimate_of(const double *v, size_t n);
/* n == 0 where no replication has it. */
struct estimate runset_estimate(const struct runset *rs, size_t point, const char *entity, const char *metric,
                                const char *stat);
/* Every row any replication of the point has, in the order of the first that has it. malloc'ed. */
size_t runset_rows(const struct runset *rs, size_t point, struct runset_row **rows);

#endif
