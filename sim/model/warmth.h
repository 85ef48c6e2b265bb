// SPDX-License-Identifier: GPL-3.0-or-later
/* warmth.h - what a switch costs beyond itself: refilling the cache.
 *
 * refill = footprint * (1 - warmth) * time of a line, footprint = min(working set, LLC share) in lines of
 * 64 B. Warmth is what is left of a vCPU's lines under LRU: it left w lines in a cache of C, others have
 * brought in L lines since, so max(0, min(w, C - L)) remain. L counts what they brought in, so it cannot
 * be less than the distinct lines, and the estimate errs to the cold side when two others alternate.
 * Another pCPU's cache is cold. Source: Barham et al. (SOSP 2003) for the constants of `era2003`; the
 * LRU stack argument is Mattson et al. (1970). Leaves out: sharing between VMs, prefetch, inner caches. */
#ifndef VLAB_MODEL_WARMTH_H
#define VLAB_MODEL_WARMTH_H

#include "model/inner.h"

/* All are for hosts whose cache is modelled (cache_lines > 0).
 *
 * v comes to p from another pCPU, or for the first time: nothing of its is here. */
void warmth_cold(const struct pcpu *p, struct vcpu *v);
/* The time to refill what is missing for v on p. */
int64_t warmth_refill_ns(const struct pcpu *p, const struct vcpu *v);
/* It was given `spent_ns` of refilling (INT64_MAX: all it needed): its lines, and what others lose by them.
 */
void warmth_refilled(struct pcpu *p, struct vcpu *v, int64_t spent_ns);
/* It leaves the pCPU. */
void warmth_leave(const struct pcpu *p, struct vcpu *v);

#endif
