// SPDX-License-Identifier: GPL-3.0-or-later
/* trace.h - who ran where: a reader of records that keeps slices, for Perfetto and for the Gantt chart.
 *
 * trace.json is Chrome's trace event format (ui.perfetto.dev reads it): each host is a process with one
 * track a pCPU, on which every slice is named VM.vcpuN, "host thread N", "switch" or "idle"; each VM is a
 * process with one track a vCPU, on which every slice is a state, and where there is any, one a vCPU with the
 * overhead that its run time had. Slices of a track follow one another without gap or overlap; times are
 * microseconds with three decimals, so nothing is rounded and the sums are those of the accounting to the ns.
 * What happens is an instant on its vCPU's, VM's, host's or device's track, with the reason where the event
 * alone does not say it.
 *
 * At most `max` slices are kept: the first, the last, or those that touch a window of time. What was cut
 * is said in the file ("otherData") and by trace_cut_text.
 *
 * Without `slices` only the Gantt chart's data is kept (gantt.h), and the reader soon returns at once. */
#ifndef VLAB_OUT_TRACE_H
#define VLAB_OUT_TRACE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/rec.h"
#include "out/gantt.h"
#include "scenario/scenario.h"

#define TRACE_MAX 1000000

enum trace_keep { TRACE_FIRST, TRACE_LAST, TRACE_WINDOW };

struct trace_opts {
    bool slices;            /* --trace */
    enum trace_keep keep;   /* which, where there are more than max */
    size_t max;             /* 0: TRACE_MAX */
    int64_t from_ns, to_ns; /* TRACE_WINDOW: slices that touch [from, to) */
};

struct trace;

/* The scenario must outlive the trace. */
struct trace *trace_new(const struct scenario *sc, const struct trace_opts *o);
void trace_free(struct trace *t);
/* The reader to add to the block the records come through. */
struct rec_reader trace_reader(struct trace *t);
/* How many slices were seen and not kept; 0: the trace is whole. */
uint64_t trace_cut(const struct trace *t);
/* A line for stderr about it, malloc'ed; NULL where nothing was cut. */
char *trace_cut_text(const struct trace *t);
void trace_json(FILE *f, const struct trace *t);
const struct gantt *trace_gantt(const struct trace *t);
const struct scenario *trace_scenario(const struct trace *t);

#endif
