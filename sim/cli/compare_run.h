// SPDX-License-Identifier: GPL-3.0-or-later
/* compare_run.h - the numbers of a run directory, read back from its summary.csv. */
#ifndef VLAB_CLI_COMPARE_RUN_H
#define VLAB_CLI_COMPARE_RUN_H

#include "metrics/runset.h"

struct compare_run {
    char *name; /* as it was asked for: DIR or DIR@KEY=VALUE@KEY=VALUE */
    char *scenario, *backend;
    char **points; /* of those that were asked for, as summary.csv has them: "vms.db.count=2;..." */
    size_t n_points;
    struct runset *runs; /* [n_points] */
    struct run_output *outs;
    size_t n_outs;
};

/* 0, or -1 with *why (malloc'ed): it is not there, no run directory, damaged, or has no such point. */
int compare_run_open(struct compare_run *r, const char *name, char **why);
void compare_run_close(struct compare_run *r); /* fine on zeros */

#endif
