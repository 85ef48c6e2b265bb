// SPDX-License-Identifier: GPL-3.0-or-later
/* validated.h - what came of many comparisons of the simulator with hardware, as one table and two sentences.
 *
 * The error of a row is |ln(real / simulated)|: a half and a double are as far off. Rows that are only shown,
 * and those of which either side is 0 or a share under 1 %, have none. A ranking is a pair of points of one
 * scenario's sweep (two policies, say) seen by one row: it counts where the real medians are further apart
 * than twice the spread of their difference, and agrees where the simulated ones are apart in the same
 * direction. */
#ifndef VLAB_OUT_VALIDATED_H
#define VLAB_OUT_VALIDATED_H

#include <stdio.h>

#include "out/report.h"
#include "out/rundir.h"

struct validated_row {
    const char *scenario, *point, *entity, *metric, *stat, *unit; /* copied by validated_add */
    double sim, real, difference, spread, real_spread; /* medians; spreads are standard errors of them */
    const char *verdict;                               /* static text: "agrees", "DIFFERS", ... */
    bool judged;
};

struct validated {
    struct validated_row *rows;
    size_t n, cap;
};

struct validated_summary {
    size_t errors; /* rows that have one */
    double mean, worst;
    const struct validated_row *worst_row;
    size_t rankings, agreeing;
};

void validated_add(struct validated *v, const struct validated_row *row);
void validated_done(struct validated *v);
struct validated_summary validated_sum(const struct validated *v);
/* scenario,point,entity,metric,stat,unit,sim,kvm,difference,spread,verdict */
void validated_csv(FILE *f, const struct validated *v);
/* plots/validated.gp and what it draws from: simulated against measured, a point a row, in decades. */
void fig_validated(struct rundir *rd, const struct report *rp, const struct validated *v);

#endif
