// SPDX-License-Identifier: GPL-3.0-or-later
/* writer.h - a whole run directory in one call.
 *
 *     if (dir && rundir_check(dir, &why)) ...          before the run: exit 2
 *     ...run, fill a struct report...
 *     int r = writer_write(&report, dir, &where, &why);
 *
 * Writes every file of the directory (manifest.json, scenario.yaml, summary.csv, series.csv, events.csv,
 * metrics.prom, plots/; entities.csv and trace.json where asked for) and puts it in its place. */
#ifndef VLAB_OUT_WRITER_H
#define VLAB_OUT_WRITER_H

#include "out/report.h"

/* dir NULL: runs/NAME-SEED[-n]. 0 with *where (malloc'ed), or -errno with *why (malloc'ed); -EEXIST: the
 * directory is not ours to replace (exit 2). */
int writer_write(const struct report *rp, const char *dir, char **where, char **why);

#endif
