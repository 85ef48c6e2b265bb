// SPDX-License-Identifier: GPL-3.0-or-later
/* prom.h - metrics.prom: the figures of a run as a Prometheus scrape (text format 0.0.4).
 *
 * One gauge family for each metric and unit: `cpu.ready` in s is vlab_cpu_ready_seconds, a share
 * vlab_cpu_ready_ratio; entity, stat and the sweep's point are labels; the value is the mean over
 * replications. Families are sorted by name, each with one HELP and TYPE, as promtool asks. */
#ifndef VLAB_OUT_PROM_H
#define VLAB_OUT_PROM_H

#include <stdio.h>

#include "out/report.h"

void prom_report(FILE *f, const struct report *rp);

#endif
