// SPDX-License-Identifier: GPL-3.0-or-later
/* interest.h - the figures a scenario asks about: those its expectations name.
 *
 * Every word of an expectation that is ENTITY.METRIC or ENTITY.METRIC.STAT of a row is one; a glob
 * ("vm.batch-*.cpu.ready") stands for the first row it fits. What follows an @ is a point, not a figure. */
#ifndef VLAB_OUT_INTEREST_H
#define VLAB_OUT_INTEREST_H

#include "out/report.h"

#define INTEREST_MAX 8

struct interest {
    const char *entity, *metric, *stat, *unit; /* borrowed from the results */
};

/* In the order they are named, each once; how many (at most INTEREST_MAX). Where the expectations name none:
 * the shares of ready of the first VMs. */
size_t interest_of(const struct report *rp, struct interest list[INTEREST_MAX]);

#endif
