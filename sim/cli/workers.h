// SPDX-License-Identifier: GPL-3.0-or-later
/* workers.h - many jobs on all cores, each in a process: what one does wrong, or to its memory, stays there.
 *
 * A worker takes the next job that nobody has taken until none is left. It is a fork of the caller and so
 * sees what the caller has read; what it finds out it has to leave in files. Workers do not outlive the
 * caller, however that ends. */
#ifndef VLAB_CLI_WORKERS_H
#define VLAB_CLI_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

struct workers_job {
    /* Does job i; what it returns (0 .. 255) is handed to `done`. `stopped` is to be asked now and then:
     * true, it should end without a result. */
    int (*run)(void *ctx, size_t i, bool (*stopped)(void *arg), void *arg);
    /* In the caller, as jobs end; code -1: its worker died (sig: of that signal). False: no more jobs. */
    bool (*done)(void *ctx, size_t i, int code, int sig);
    /* In the caller, some ten times a second. False: those under way are told to stop, no more are begun. */
    bool (*wait)(void *ctx);
    void *ctx;
};

/* Jobs 0 .. n-1 on at most `most` workers. 0, or -errno: no process could be had. */
int workers_run(size_t n, size_t most, const struct workers_job *job);

#endif
