// SPDX-License-Identifier: GPL-3.0-or-later
/* expect_eval.h - whether an expectation holds in the runs that were made.
 *
 * With replications each is evaluated by itself; the 95 % Student t interval of left - right must lie
 * inside what is allowed. If it lies outside, the line fails; if it straddles, it is undecided. It is
 * undecided too where a side rests on too few events: an availability, or a sum, mean, max or min of such, on
 * fewer than RESULTS_EVENTS failures of its entities in all replications together; but not where every
 * replication came out the same, with failures (they were at given times, so there is nothing to estimate).
 * Whole numbers (totals of 2^53 and more, checksums) compare exactly, without a detour through doubles. */
#ifndef VLAB_METRICS_EXPECT_EVAL_H
#define VLAB_METRICS_EXPECT_EVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/results.h"
#include "scenario/expect.h"

enum expect_verdict { EXPECT_HOLDS, EXPECT_UNDECIDED, EXPECT_FAILS }; /* the worse, the greater */

/* Where results are: the runs of every point and replication, however they are kept. */
struct expect_runs {
    const struct results *(*at)(void *ctx, size_t point, uint32_t rep); /* NULL: that run is not there */
    void *ctx;
    uint32_t n_reps;
};

struct expect_result {
    enum expect_verdict verdict;
    double lhs, rhs; /* means over replications */
    double lo, hi;   /* interval of lhs - rhs; both the same where there is one replication */
    bool is_exact;   /* one replication, whole numbers: */
    uint64_t lhs_exact, rhs_exact;
    uint32_t n_reps;
    bool few;                          /* too few events: */
    uint64_t events;                   /* so many */
    const struct expect_node *missing; /* a term without a value; NULL: none */
};

/* At the point that the expectation was parsed for (a scenario holds those of its own point). */
struct expect_result expect_eval(const struct expect *e, const struct expect_runs *runs);
/* A term or a call over terms as it came out at `point`, whatever its @ says; NaN: no value. */
double expect_figure(const struct expect_node *n, const struct expect_runs *runs, size_t point, uint32_t rep);
/* How many failures it rests on in all replications at `point` (results_events); UINT64_MAX: it rests on
 * none. */
uint64_t expect_events(const struct expect_node *n, const struct expect_runs *runs, size_t point);
/* "holds", "fails", "undecided" */
const char *expect_verdict_name(enum expect_verdict v);
/* "vm.db.latency.p99 is 71.3 ms, wanted < 50 ms (at vms.batch.count=3)". `place` is what stands in the
 * parentheses; NULL or "": nothing. malloc'ed. */
char *expect_explain(const struct expect *e, const struct expect_result *r, const char *place);

#endif
