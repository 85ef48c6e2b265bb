// SPDX-License-Identifier: GPL-3.0-or-later
/* experiment.h - every point and replication of a scenario, run one after the other on one clock, and what
 * came of its expectations.
 *
 * Replication r runs with seed + r: the seed a table shows for it repeats it alone. Ctrl-C keeps what has
 * been finished: the runs that are done are reported, and the exit code says that the rest is missing. */
#ifndef VLAB_CLI_EXPERIMENT_H
#define VLAB_CLI_EXPERIMENT_H

#include "metrics/meter.h"
#include "out/report.h"
#include "out/trace.h"
#include "scenario/scenario.h"

struct experiment_opts {
    const char *path;
    const char *const *sets; /* KEY=VALUE, n_sets of them, in order */
    size_t n_sets;
    bool kvm; /* on this machine's clock: as guests, or where `native` is set as processes */
    bool native;
    bool trace;      /* keep slices for trace.json; the Gantt chart's are always kept */
    bool per_entity; /* make what entities.csv is written from */
    bool silent;     /* no progress */
};

struct experiment {
    struct experiment_opts opts;
    struct scenario_file *file;
    struct scenario **at;    /* [n_points] */
    size_t n_points, n_reps; /* the most replications of any point */
    struct meter **meters;   /* [n_points * n_reps]; NULL: not run */
    struct runset *runs;
    struct trace *trace;  /* of the last point's first replication */
    struct report report; /* for the writers; what it borrows lives as long as the experiment */
    struct report_point *points;
    struct report_expect *expects;
    char *resolved;
    bool interrupted;
    size_t n_done;
    double disturbed; /* on hardware: the largest share that the host itself lost, over all runs */
};

/* Reads and checks all points; 0, or the exit code after the mistakes have been shown on stderr. */
int experiment_open(struct experiment *x, const struct experiment_opts *o);
/* Runs them; 0, or the exit code after the reason has been shown. */
int experiment_run(struct experiment *x);
/* For who runs them another way: one run, not kept (NULL: *why as once_sim says); what a run came out at,
 * which must live as long as the experiment; the run of the trace again, for its trace alone (0, or the exit
 * code with *why); and when all are there, what came of the expectations. */
struct meter *experiment_one(const struct experiment *x, size_t point, size_t rep,
                             bool (*progress)(void *ctx, int64_t now_ns, int64_t end_ns), void *ctx,
                             char **why);
void experiment_put(struct experiment *x, size_t point, size_t rep, const struct run_output *out);
int experiment_trace(struct experiment *x, char **why);
void experiment_judge(struct experiment *x);
/* How the expectations came out: CLI_OK or CLI_FAILED; CLI_BROKEN where it was interrupted. */
int experiment_verdict(const struct experiment *x);
void experiment_close(struct experiment *x);

/* Reads and checks one scenario for commands that run it in their own way. NULL: *code is the exit code. */
struct scenario_file *experiment_read(const struct experiment_opts *o, int *code);

#endif
