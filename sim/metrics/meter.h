// SPDX-License-Identifier: GPL-3.0-or-later
/* meter.h - from records to metrics: one meter reads one run, whichever clock made it.
 *
 * It adds up every state of every vCPU and pCPU, distributions, levels and counts over [warmup, end),
 * takes a sample each run.sample, and asserts on the way that intervals are seamless. At the end it
 * checks conservation and Little's law and says what is broken; a broken law is an error, not a note. */
#ifndef VLAB_METRICS_METER_H
#define VLAB_METRICS_METER_H

#include "base/rec.h"
#include "metrics/results.h"
#include "scenario/scenario.h"

struct meter;

struct meter_opts {
    uint32_t only_vm; /* as in model_new; UINT32_MAX: all */
    bool real_clock;  /* records come from hardware: pCPU time not in records is the host's own */
    bool no_series;   /* save the time of sampling where nobody looks */
    bool per_entity;  /* keep the distributions of every VM apart, for meter_entities */
};

struct meter *meter_new(const struct scenario *sc, const struct meter_opts *o);
void meter_free(struct meter *m);
/* The reader to add to the block the records come through. */
struct rec_reader meter_reader(struct meter *m);
/* What records cannot tell, before meter_finish: the work.checksum of a VM. */
void meter_set_checksum(struct meter *m, uint32_t vm, uint64_t sum);
/* The mean latency (or seconds per iteration of a loop) of the VM alone, for slowdown and isolation. */
void meter_set_alone(struct meter *m, uint32_t vm, double seconds);
double meter_pace(const struct meter *m, uint32_t vm); /* that same figure of this run; NaN: no such */
/* Closes the books at end_ns. 0, or -1 with *why (malloc'ed) naming the law that is broken. */
int meter_finish(struct meter *m, int64_t end_ns, char **why);
/* After meter_finish; owned by the meter. */
const struct run_output *meter_output(const struct meter *m);
/* Every host, pCPU, VM and vCPU under its own name, also those of folded groups, one host or VM at a time:
 * `take` gets its rows and those of its pCPUs or vCPUs and need not keep them, so that memory stays bounded
 * however many there are. After meter_finish, of a meter made with per_entity. */
void meter_entities(struct meter *m, void (*take)(void *ctx, const struct results *rows), void *ctx);

#endif
