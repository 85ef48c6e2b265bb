// SPDX-License-Identifier: GPL-3.0-or-later
/* results.h - what a run came out at: rows of (entity, metric, stat, unit, value), and many runs of them.
 *
 * A `results` is one run (one point, one replication, one backend). A `runset` is points x replications;
 * it is what summary.csv, --json, plots and expectations are made of. */
#ifndef VLAB_METRICS_RESULTS_H
#define VLAB_METRICS_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct result {
    const char *entity; /* "vm.db" */
    const char *metric; /* "cpu.ready" */
    const char *stat;   /* "share" */
    const char *unit;   /* "s", "1/s", "" for shares and counts, ... */
    double value;
    uint64_t exact; /* the whole number that value rounds, where is_exact */
    bool is_exact;
};

struct meter;
struct results; /* owns its rows and the strings it was given (they are copied once each) */

struct results *results_new(void);
void results_free(struct results *r);
void results_add(struct results *r, const char *entity, const char *metric, const char *stat,
                 const char *unit, double value);
void results_add_exact(struct results *r, const char *entity, const char *metric, const char *stat,
                       const char *unit, uint64_t value);
size_t results_count(const struct results *r);
const struct result *results_at(const struct results *r, size_t i); /* in the order they were added */
const struct result *results_find(const struct results *r, const char *entity, const char *metric,
                                  const char *stat); /* NULL: none */

/* How many things that happened the figure rests on, beside which an interval over replications means
 * nothing where they are few: an availability on the failures of its entity. UINT64_MAX: not of that kind. */
uint64_t results_events(const struct results *r, const char *entity, const char *metric);
#define RESULTS_EVENTS 30 /* so many at least, of all replications together */

/* A time series: column names and rows of values at times; made once a sample. Cells may be NaN (no value).
 */
struct series {
    size_t n_cols, n_rows;
    const char *const *entities; /* [n_cols] */
    const char *const *metrics;  /* [n_cols] "cpu.ready" as share of the sample, "backlog", "latency.mean" */
    const char *const *units;    /* [n_cols] */
    const int64_t *t_ns;         /* [n_rows] the sample's end */
    const double *v;             /* [n_rows * n_cols] */
};

/* One thing that happened, for events.csv. */
struct happening {
    int64_t t_ns;
    const char *entity; /* "vm.db" */
    const char *kind;   /* "finished" */
    const char *cause;  /* "" where none */
    double value;
};

/* An ECDF's data: counts in histogram buckets, as upper bounds and cumulated share. */
struct ecdf {
    const char *entity, *metric, *unit;
    size_t n;
    const double *x, *share;
    uint64_t count;
};

struct run_output { /* one replication of one point, for the writers; everything owned by the meter */
    const struct results *results;
    const struct series *series;
    const struct happening *happenings;
    size_t n_happenings, happenings_cut; /* how many more there were */
    const struct ecdf *ecdfs;
    size_t n_ecdfs;
    struct meter *each; /* meter_entities makes the rows of every single entity; NULL: nobody asked */
};

#endif
