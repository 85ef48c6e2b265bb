// SPDX-License-Identifier: GPL-3.0-or-later
/* contrast.h - whether two sets of runs differ in a figure, and by how much.
 *
 * Runs with the same seeds on both sides are compared in pairs (common random numbers): the mean of the
 * differences, its Student-t interval, and the probability of so large a mean where there is no difference.
 * Others by Welch's test, whose degrees of freedom are Satterthwaite's. Who asks many questions at once is
 * answered yes to some by luck: contrast_holm (Holm 1979) makes the probability that any of the yeses is luck
 * what it is said to be. */
#ifndef VLAB_METRICS_CONTRAST_H
#define VLAB_METRICS_CONTRAST_H

#include <stdbool.h>
#include <stddef.h>

#define CONTRAST_CONFIDENCE 0.95

struct contrast {
    double a, b;       /* means */
    double difference; /* b - a */
    double low, high;  /* its interval; NaN where there is none (a single run) */
    double p;          /* of a difference so large by luck alone; NaN where there is no interval */
    bool paired, same; /* same: every pair is equal to the bit, or all values are */
};

/* Values of n pairs; none is NaN. */
struct contrast contrast_paired(const double *a, const double *b, size_t n);
struct contrast contrast_welch(const double *a, size_t n_a, const double *b, size_t n_b);
/* p[i] becomes the least level at which the i-th is told apart though n are asked about; NaNs are not asked.
 */
void contrast_holm(double *p, size_t n);

#endif
