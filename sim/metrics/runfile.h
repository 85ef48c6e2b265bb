// SPDX-License-Identifier: GPL-3.0-or-later
/* runfile.h - what one run came out at, in a file: so that a worker can hand it over, and a batch that was
 * killed need not run it again.
 *
 * The file is of this machine's kind (byte order, doubles as they are in memory: what is read back is the
 * same to the bit), begins with a mark and its format's version, and ends in a sum over all of it. One that
 * is cut short, damaged or of another version is no run: reading it says so and nothing else happens. */
#ifndef VLAB_METRICS_RUNFILE_H
#define VLAB_METRICS_RUNFILE_H

#include "metrics/results.h"

struct runfile; /* a run read back; owns what its output points to */

/* Makes `path` under a name beside it first: it is there whole, or not at all. 0, or -errno. */
int runfile_save(const char *path, const struct run_output *out);
/* NULL: there is none, or it is not one. */
struct runfile *runfile_load(const char *path);
/* Without `each`. */
const struct run_output *runfile_output(const struct runfile *r);
void runfile_free(struct runfile *r);
/* From bytes in memory, which are kept and freed by runfile_free; for tests. */
struct runfile *runfile_of(char *bytes, size_t n);

#endif
