// SPDX-License-Identifier: GPL-3.0-or-later
/* validate_one.h - one scenario on both clocks: at each point of its sweep so many pairs of runs, and their
 * table on stdout. */
#ifndef VLAB_CLI_VALIDATE_ONE_H
#define VLAB_CLI_VALIDATE_ONE_H

#include "cli/experiment.h"
#include "out/validated.h"

struct validate_cfg {
    struct experiment_opts x;
    const char *profile;    /* for hosts that state none; NULL: they assume nothing */
    size_t pairs;           /* at each point */
    struct validated *kept; /* takes the rows too; NULL: nobody does */
    bool goes_on;           /* past points that cannot be real here: they are named and counted */
};

struct validate_tally {
    size_t points, refused;
    size_t pairs, dropped, rows, undecided, differ; /* rows: judged */
};

/* Adds to the tally. 0, or the exit code after the reason has been shown on stderr. */
int validate_one(const struct validate_cfg *cfg, struct validate_tally *t);
/* Prints the tally's sentence; the exit code that it means. */
int validate_verdict(const struct validate_tally *t);

#endif
