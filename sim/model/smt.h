// SPDX-License-Identifier: GPL-3.0-or-later
/* smt.h - hardware threads: pCPUs that share a core.
 *
 * n busy threads of a core together do 1 + .3 (n - 1) of what one does alone, in equal parts (a second thread
 * adds 30 %). What runs on one has all of the time, and c->rate_num / c->rate_den of it is work; that changes
 * when a sibling becomes busy or idle. Work is in whole ns: what is left over is carried, so that it does not
 * matter how often a stretch is cut; a change of the rate drops it. */
#ifndef VLAB_MODEL_SMT_H
#define VLAB_MODEL_SMT_H

#include "model/inner.h"

/* The work done in so much time, up to now; the remainder is carried. */
int64_t smt_work_ns(struct pcpu *c, int64_t ran_ns);
/* When its vCPU's burst will be done, were nothing to change; the end of the slice if that is before. */
int64_t smt_end_ns(const struct pcpu *c, int64_t now_ns);
/* Who shares a core with whom has changed, perhaps: all that run there are charged at the old rate and go on
 * at the new. */
void smt_settle(struct model *m, struct mhost *h);

#endif
