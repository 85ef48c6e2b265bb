// SPDX-License-Identifier: GPL-3.0-or-later
/* gantt.h - the few hundred slices from which the chart of who ran when is drawn.
 *
 * Kept are the slices and switches of all pCPUs from the start of the measured time on, until the buffer
 * is full; what is still running then is kept as open. From them the first window is chosen in which a
 * pCPU goes from one vCPU to another, and it is cut where the busiest pCPU has had GANTT_SLICES slices, so
 * that each can be seen. A run in which nobody shares shows its beginning. */
#ifndef VLAB_OUT_GANTT_H
#define VLAB_OUT_GANTT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/rec.h"
#include "scenario/scenario.h"

#define GANTT_SLICES 40         /* on the busiest pCPU of the window */
#define GANTT_ROWS   16         /* pCPUs shown at most */
#define GANTT_SWITCH UINT32_MAX /* who is no VM: switches, and threads of the host itself */
#define GANTT_HOST   (UINT32_MAX - 1)

struct gantt;

struct gantt_window {
    uint32_t host, rows; /* pCPUs 0 .. rows-1 of that host */
    int64_t from_ns, to_ns;
    bool shared; /* a pCPU changes hands in it */
};

struct gantt *gantt_new(const struct scenario *sc); /* which must outlive it */
void gantt_free(struct gantt *g);
/* One record; false once it has enough and needs no more. */
bool gantt_see(struct gantt *g, const struct rec *r);
/* False: nothing ran. */
bool gantt_choose(const struct gantt *g, struct gantt_window *w);
/* How many slices of vCPUs lie in the window. */
size_t gantt_count(const struct gantt *g, const struct gantt_window *w);
/* How long the VM (GANTT_SWITCH, GANTT_HOST: those) had pCPUs in the window, in s. */
double gantt_time(const struct gantt *g, const struct gantt_window *w, uint32_t vm);
/* Columns pcpu, start, end, vm, vcpu, label with a heading, tab between, times in s on the run's clock,
 * exact. A switch is a slice of the VM "switch", a thread of the host itself one of the VM "host OS".
 * Overhead is not told apart here: it comes in pieces too small to be seen (trace.json and the figure of
 * shares have it). What is left is idle. A label is set where there is room for it; returns how many. */
size_t gantt_write(FILE *f, const struct gantt *g, const struct gantt_window *w);

#endif
