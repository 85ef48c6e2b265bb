// SPDX-License-Identifier: GPL-3.0-or-later
/* covert.h - hearing a covert channel through steal time: which bit a slot was.
 *
 * A receiver computes through slots of equal length and knows what CPU time it had in each. A sender on the
 * same pCPU computes through a slot for a 1, so the receiver has less, and sleeps through it for a 0. What
 * the receiver had lies in two clusters then; the border is the middle between them.
 *
 * The clusters are followed as the slots come, without memory of them (2-means with forgetting): a slot pulls
 * the mean of its own cluster 1/64 of the way to itself, or less while that is young (then it is the plain
 * mean), and the other's 1/256, so a cluster begun by an outlier is not kept and a load that changes for good
 * is followed. The first 32 slots have the middle of the extremes so far as their border, from which the
 * means begin. The middle of the extremes alone would be spoilt for ever by one slot without any CPU time.
 *
 * With two normal clusters d apart of deviation s each and as many ones as zeros, Q(d / 2s) of the bits are
 * wrong at best (Q the upper tail of the normal distribution); this comes within a tenth of that. Where both
 * clusters are one (a defence by fixed slots) every bit is heard as 0. It needs both bits now and then: a run
 * of hundreds of equal ones makes it forget the other. Pure, integers; amounts in ns, O(1) a slot. */
#ifndef VLAB_POLICY_COVERT_H
#define VLAB_POLICY_COVERT_H

#include <stdbool.h>
#include <stdint.h>

struct covert {
    int64_t least_ns, most_ns; /* of the first slots */
    int64_t mean_ns[2];        /* what was had in a slot of a 0, of a 1 */
    uint32_t members[2];       /* of each, counted to 63 */
    uint32_t heard;            /* slots, counted to 32 */
};

void covert_begin(struct covert *c);
/* The receiver had got_ns in a slot: true: a 1. */
bool covert_hear(struct covert *c, int64_t got_ns);
/* A slot with less than that is a 1. 0 before the first slot. */
int64_t covert_border(const struct covert *c);

#endif
