// SPDX-License-Identifier: GPL-3.0-or-later
/* measure.h - what this machine's guests can do, measured by guests: for profiles and for a run without one.
 */
#ifndef VLAB_KVM_RUNNER_MEASURE_H
#define VLAB_KVM_RUNNER_MEASURE_H

#include "kvm/runner/cgroup.h"
#include "kvm/runner/host.h"

#define MEASURE_MAX  64u
#define MEASURE_PACE 0.9 /* of the rates measured, this quantile is the undisturbed pace */

struct measure {
    uint32_t n;
    double v[MEASURE_MAX]; /* sorted */
};

void measure_add(struct measure *m, double v);
void measure_sort(struct measure *m);
double measure_at(const struct measure *m, double share); /* a quantile of the sorted values; NaN: none */

/* Puts a measuring VMM into the i-th group, where there may be groups; cgroup_remove takes it away. */
void measure_shelter(struct cgroups *groups, uint32_t i, int pid);

/* All: 0, or -1 with *why. count is at most MEASURE_MAX. */
/* Iterations of the counted loop per ns: `count` repeats of about target_ns each. */
int measure_loop(const struct host *h, uint32_t count, int64_t target_ns, struct measure *out, char **why);
/* ns of an event of that kind (enum prog_op; of those a payload can bring about, see refuse.c). */
int measure_op(const struct host *h, uint32_t op, uint32_t count, struct measure *out, char **why);
/* ns of the first touch of a page of 4 KiB, with the fault that it takes, and of a reference to pages that
 * are there, drawn and made as a touch step does it, anywhere in so many bytes. */
int measure_memory(const struct host *h, uint32_t count, uint64_t bytes, struct measure *fresh,
                   struct measure *refs, char **why);
/* ns of a load that waits for the one before it, all over that many bytes, a power of two from 4 KiB. */
int measure_walk(const struct host *h, uint64_t bytes, uint32_t count, int64_t target_ns, struct measure *out,
                 char **why);
/* ns from a kick to the vCPU standing at its gate, and from there to another vCPU running on its pCPU. */
int measure_gate(const struct host *h, uint32_t count, struct measure *kick, struct measure *change,
                 char **why);
/* ns that one of two busy vCPUs runs at a time under Linux's own scheduler, in a run of run_ns. */
int measure_slice(int64_t run_ns, struct measure *out, char **why);

#endif
