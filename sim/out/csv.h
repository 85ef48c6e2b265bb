// SPDX-License-Identifier: GPL-3.0-or-later
/* csv.h - the tables of a run directory, as RFC 4180 has them but with bare line feeds.
 *
 * All of them are tidy: one value a row, names in columns, so that a filter is a comparison. `point` is
 * KEY=VALUE;KEY=VALUE of the sweep (empty without one), `rep` counts from 0, times are seconds, exact.
 *
 *   summary.csv  scenario,backend,point,rep,seed,entity,metric,stat,unit,value
 *   entities.csv  the same columns, a row for every single host, pCPU, VM and vCPU (--per-entity)
 *   series.csv   point,rep,t,entity,metric,unit,value    t: the end of the sample; no value, no row
 *   events.csv   point,rep,t,entity,kind,cause,value
 *
 * Numbers are the shortest text that reads back to the same bits (num.h). */
#ifndef VLAB_OUT_CSV_H
#define VLAB_OUT_CSV_H

#include <stdio.h>

#include "out/report.h"

/* One field, quoted where it must be. */
void csv_field(FILE *f, const char *text);
void csv_summary(FILE *f, const struct report *rp);
void csv_entities(FILE *f, const struct report *rp);
void csv_series(FILE *f, const struct report *rp);
void csv_events(FILE *f, const struct report *rp);

#endif
