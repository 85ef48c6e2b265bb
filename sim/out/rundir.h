// SPDX-License-Identifier: GPL-3.0-or-later
/* rundir.h - the directory a run leaves behind, old or new but never half.
 *
 * Files are written into a hidden directory beside the target (same file system), which is renamed onto
 * its place when all of them are complete: whoever is interrupted before leaves the old directory as it
 * was. What an interrupted writer left is swept away by the next one that writes there.
 *
 * With a name given (`-o DIR`) an absent or empty directory is taken, an earlier vlab run directory
 * (manifest.h) is replaced, and anything else is refused. Without one it is runs/NAME-SEED, or
 * runs/NAME-SEED-2, -3, ... where that is taken.
 *
 * Errors are -errno with *why (malloc'ed) naming the path and what went wrong. -EEXIST is the refusal:
 * a usage error of the caller (exit 2), as are all errors of rundir_check. */
#ifndef VLAB_OUT_RUNDIR_H
#define VLAB_OUT_RUNDIR_H

#include <stdint.h>
#include <stdio.h>

struct rundir;

/* Before the run, so that nobody computes for an hour to be refused: may `dir` be written? */
int rundir_check(const char *dir, char **why);

/* dir NULL: runs/NAME-SEED[-n]. Makes the hidden directory. */
int rundir_open(struct rundir **rd, const char *dir, const char *name, uint64_t seed, char **why);
/* A new file, "plots/gantt.gp" say; never NULL: what goes wrong is reported by rundir_commit. Close it with
 * rundir_close_file. */
FILE *rundir_file(struct rundir *rd, const char *name);
void rundir_close_file(struct rundir *rd, FILE *f);
/* What a writer reports itself, 0 or -errno: the first error is kept and fails the commit. */
void rundir_note(struct rundir *rd, const char *name, int error);
/* Puts the directory in its place and frees rd; *path (malloc'ed) is where it is. On an error nothing has
 * changed. */
int rundir_commit(struct rundir *rd, char **path, char **why);
/* Leaves everything as it was and frees rd (NULL is fine). */
void rundir_abort(struct rundir *rd);

#endif
