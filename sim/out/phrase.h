// SPDX-License-Identifier: GPL-3.0-or-later
/* phrase.h - keys and figures in words, for titles that ask a question a student understands.
 *
 *     vms.batch.count, vm.db.latency.p99    What does the number of batch VMs do to db's p99 latency?
 *
 * What has no words of its own is called by its name in the scenario. All return out. */
#ifndef VLAB_OUT_PHRASE_H
#define VLAB_OUT_PHRASE_H

#include <stddef.h>

#include "out/interest.h"

/* "the number of batch VMs", "the scheduler of h1", "the weight of db". */
char *phrase_key(const char *key, char *out, size_t size);
/* What they have in common: "db's p99 latency", "db's latency", "latency". */
char *phrase_figures(const struct interest *const *w, size_t n, char *out, size_t size);
/* For a key of curves: "db p99", "the most of loop-*". */
char *phrase_curve(const struct interest *w, char *out, size_t size);

/* What stands out of a run of one point besides waits for a pCPU, in a sentence: a VM that the host ended for
 * want of memory, writers that wait for a full pool, what could not be sent, the longest waits, the greatest
 * overhead. "": nothing does. */
char *phrase_standout(const struct report *rp, char *out, size_t size);

#endif
