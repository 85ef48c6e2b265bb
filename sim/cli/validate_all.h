// SPDX-License-Identifier: GPL-3.0-or-later
/* validate_all.h - a list of scenarios on both clocks, one summary and one plot.
 *
 * The list is a text file: a scenario a line, its path as seen from the list's own folder, then KEY=VALUE as
 * `--set` takes them; `#` begins a comment. A scenario that cannot be real on this machine is named with the
 * reason and counted, never left out in silence. */
#ifndef VLAB_CLI_VALIDATE_ALL_H
#define VLAB_CLI_VALIDATE_ALL_H

#include <stddef.h>

struct validate_all {
    const char *list;    /* NULL: scenarios/validate/all.txt */
    const char *dir;     /* of the table and the plot; NULL: runs/validation-1, or the next */
    const char *profile; /* NULL: this machine is calibrated first */
    const char *const *sets;
    size_t n_sets;
    size_t pairs;
    int argc;
    char *const *argv; /* for the manifest */
};

/* The exit code. */
int validate_all(const struct validate_all *all);

#endif
