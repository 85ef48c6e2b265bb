// SPDX-License-Identifier: GPL-3.0-or-later
/* batch_state.h - the directory that keeps the finished runs of a batch until all are there: DIR.partial.
 *
 * Its file `of` says of what runs: the resolved scenario and the program's version. What is kept of another
 * scenario is never mixed in: going on with it is refused, beginning anew sweeps it away. Only a directory
 * with that file is ever swept. */
#ifndef VLAB_CLI_BATCH_STATE_H
#define VLAB_CLI_BATCH_STATE_H

#include "out/report.h"

struct batch_state {
    char *dir;
};

enum batch_open { BATCH_ANEW, BATCH_GO_ON /* or anew, where nothing is there */ };

/* output: where the results will be; NULL: runs/NAME-SEED. 0, or -1 with *why (malloc'ed). */
int batch_state_open(struct batch_state *s, const struct report *rp, const char *output, enum batch_open how,
                     char **why);
/* Of run number `run`; malloc'ed. */
char *batch_state_file(const struct batch_state *s, size_t run);
/* All is done: sweeps it away. */
void batch_state_remove(struct batch_state *s);
void batch_state_close(struct batch_state *s); /* leaves it where it is; fine on zeros */

#endif
