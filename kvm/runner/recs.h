// SPDX-License-Identifier: GPL-3.0-or-later
/* recs.h - records gathered from many places, brought into the order of time, handed on.
 *
 * A place (a vCPU, a pCPU, a guest's log) gathers its own in order; at the end they are sorted together
 * (stable: equal times stay in the order in which their places are added). */
#ifndef VLAB_KVM_RUNNER_RECS_H
#define VLAB_KVM_RUNNER_RECS_H

#include "base/rec.h"

struct recs {
    struct rec *v;
    size_t n, cap;
};

void recs_add(struct recs *r, struct rec x);
void recs_append(struct recs *to, const struct recs *from);
void recs_sort(struct recs *r);
/* Feeds those kinds that are wanted and flushes. */
void recs_feed(const struct recs *r, struct rec_block *out);
void recs_done(struct recs *r);

#endif
