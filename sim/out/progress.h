// SPDX-License-Identifier: GPL-3.0-or-later
/* progress.h - how far a run is, on stderr, where that is a terminal; elsewhere nothing.
 *
 *   noisy-neighbour  [##############..........]  58%  run 3 of 10  7 s left
 *
 * Redrawn at most ten times a second of real time; the line is wiped at the end. */
#ifndef VLAB_OUT_PROGRESS_H
#define VLAB_OUT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    int fd;           /* -1: nobody looks */
    const char *what; /* the scenario's name; borrowed */
    size_t runs, run; /* how many in all, and which is under way (from 0) */
    int64_t duration_ns;
    int64_t began_ns, drawn_ns; /* real time */
    bool drawn;                 /* there is a line to wipe */
};

void progress_begin(struct progress *p, int fd, const char *what, size_t runs, int64_t duration_ns);
/* Run `run` has come to simulated time t_ns. Cheap enough to be called every few thousand events. */
void progress_at(struct progress *p, size_t run, int64_t t_ns);
void progress_end(struct progress *p);
/* The line as it is drawn at a share done after so many seconds, without wiping codes; for tests too. Returns
 * out. */
char *progress_line(const struct progress *p, char *out, size_t size, double share, double spent_s);

#endif
