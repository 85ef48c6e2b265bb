// SPDX-License-Identifier: GPL-3.0-or-later
/* once.h - one run of one scenario on either clock, metered and checked by its laws. Every command that
 * runs something comes through here. */
#ifndef VLAB_CLI_ONCE_H
#define VLAB_CLI_ONCE_H

#include "metrics/meter.h"
#include "scenario/scenario.h"

struct once {
    const struct scenario *sc;
    uint64_t seed;
    bool no_series, per_entity;    /* as in meter_opts */
    bool native;                   /* once_kvm: as processes of this machine instead of guests */
    const struct rec_reader *also; /* further readers of the records, n_also of them */
    uint32_t n_also;
    /* Called about a hundred times a run where not NULL; false ends the run. */
    bool (*progress)(void *ctx, int64_t now_ns, int64_t end_ns);
    void *progress_ctx;
};

/* The finished meter, to be freed by the caller; or NULL with *why (malloc'ed) set: a law is broken, the
 * simulation stalled, or (*why NULL) progress asked to stop. Runs VMs alone where their slowdown is asked
 * for. */
struct meter *once_sim(const struct once *o, char **why);

/* The same on KVM guests, or as native processes. NULL: *code is the exit code and *why says why. *disturbed
 * is raised to the share of the pCPUs' time that the host lost meanwhile, to its own hypervisor or to its
 * other work. */
struct meter *once_kvm(const struct once *o, double *disturbed, int *code, char **why);

#endif
