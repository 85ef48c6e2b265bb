// SPDX-License-Identifier: GPL-3.0-or-later
/* summary.h - the run in about ten lines, for people.
 *
 *   noisy-neighbour  SIM  seed 42  60 s after 5 s of warm-up  mean of 10 runs
 *   A latency-sensitive database shares two pCPUs with three CPU-bound batch VMs.
 *
 *     VM          ran  ready  throttled  ##run ++ready --throttled ..idle    p50      p99     rate
 *     db        61.2%  30.6%          -  ############++++++..            6.10 ms  71.3 ms    398/s
 *
 * Groups above SUMMARY_GROUP VMs are folded to their first rows and the mean of the rest. Of a sweep the
 * table has a row a point, with the figures the expectations ask about. */
#ifndef VLAB_OUT_SUMMARY_H
#define VLAB_OUT_SUMMARY_H

#include <stdio.h>

#include "out/report.h"
#include "out/term.h"

#define SUMMARY_GROUP 10

/* where: the run directory, or NULL where none was written. */
void summary_print(FILE *f, const struct report *rp, const char *where, struct term_style style);

#endif
