// SPDX-License-Identifier: GPL-3.0-or-later
/* figures.h - the plots of a run: data and a gnuplot script each, ready to be rendered; gnuplot is not
 * started.
 *
 *   plots/NAME.gp   what is drawn of what, then the figure's script and style.gp beside it
 *   plots/NAME.tsv  the data: tabs between columns, a heading, "nan" where there is no value
 *
 *   gantt    who ran when, in the first window worth looking at (where there is a trace)
 *   shares   a bar a VM: run, ready, throttled, other waits, idle, down
 *   steal    each VM's share of ready over time, from the samples
 *   latency  ECDF of request latencies            wait    ECDF of waits for a pCPU
 *   allocated, queue  of pools and of disks: the level over time, from the samples
 *   power, down  of the cluster: power of all hosts, VMs that are down, over time, from the samples
 *   memory   of a host: resident, shared, ballooned, swapped over time, from the samples
 *   overhead of a sweep of words: useful time and overhead, a bar a VM and point
 *   sweep-N  of a sweep: the figures that the expectations name against the swept key, one plot a metric
 *
 * A figure that has nothing to show is not written. Of a sweep, shares, steal and the ECDFs show the last
 * point, and say so. */
#ifndef VLAB_OUT_FIGURES_H
#define VLAB_OUT_FIGURES_H

#include "out/report.h"
#include "out/rundir.h"

void figures_write(struct rundir *rd, const struct report *rp);
/* plots/style.gp alone, for who writes figures of their own (validated.h). */
void figures_style(struct rundir *rd);

#endif
