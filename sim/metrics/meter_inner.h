// SPDX-License-Identifier: GPL-3.0-or-later
/* meter_inner.h - the meter's own state, shared by the meter_*.c files and by nobody else.
 *
 * All totals run from time 0; `base` is what they were when the warm-up ended, so a result is the
 * difference. Records arrive in order of time, so at a boundary (the end of the warm-up, or of a sample)
 * every vCPU's state is known and what it has had of it is added up to that very instant. */
#ifndef VLAB_METRICS_METER_INNER_H
#define VLAB_METRICS_METER_INNER_H

#include "metrics/hist.h"
#include "metrics/meter.h"

#define METER_FOLD       100 /* a `count:` group with more members is reported as one */
#define METER_WORST      100 /* of which the worst are named */
#define METER_HAPPENINGS 100000

struct event_meter {
    uint64_t total;
    int64_t first_ns, last_ns;
};

struct vcpu_meter {  /* what every record of a vCPU touches, and no more */
    int64_t last_ns; /* up to when its time is accounted for */
    uint32_t vm;
    uint32_t state;
    struct hist *slice, *wait; /* its own, or its group's */
    int64_t total[VCPU_NSTATES];
};

struct vcpu_marks { /* what `total` was */
    int64_t base[VCPU_NSTATES], sampled[VCPU_NSTATES];
};

struct pcpu_meter { /* of the measured window only */
    int64_t last_ns;
    int64_t guest_ns, switch_ns, idle_ns;
    int64_t hostos_ns;                        /* on a real clock: what no record covers */
    int64_t switch_all_ns, switch_sampled_ns; /* from time 0, for samples */
};

struct vm_meter {
    uint32_t first_vcpu, n_vcpus;
    uint64_t arrived, lost, done;         /* in the window */
    uint64_t arrived_all, done_all, open; /* from time 0 */
    uint64_t done_sampled;
    int64_t inside, inside_max; /* requests in the system now, and the most of them in the window */
    int64_t level_ns;           /* when `inside` last changed */
    __int128 integral, integral_base, integral_sampled;
    __int128 latency_all, latency_sampled,
        ages;      /* sums of ns: answered, answered before this sample, still open */
    __int128 took; /* of a loop's iterations in the window */
    struct hist *latency;
    int64_t until_ns; /* -1: not reached */
    uint64_t checksum;
    double alone_s; /* NaN: not asked */
    struct event_meter events[REC_NEVENTS];
};

struct dists {
    struct hist slice, wait, latency;
};
#define METER_NAME_LEN 100 /* "vm." + 63 + "-99999" + ".vcpu1023" */

/* What is reported under one name of its own: a VM, or a group of too many to name. */
struct meter_unit {
    const char *name; /* "vm.db" */
    uint32_t first_vm, n_vms;
};

struct meter {
    const struct scenario *sc;
    struct meter_opts opts;
    int64_t warmup_ns, end_ns, next_boundary, next_sample;
    bool warm, finished;
    struct vcpu_meter *vcpus;
    struct vcpu_marks *marks; /* of each vCPU */
    struct pcpu_meter *pcpus;
    struct vm_meter *vms;
    uint32_t *first_pcpu; /* of each host */
    uint32_t *first_vcpu; /* of each VM: apart from vms, which the hot path need not touch */
    uint32_t n_vcpus, n_pcpus;
    struct dists *dists; /* one a unit, one a vCPU of units that have several */
    size_t n_dists;
    struct meter_unit *units;
    uint32_t n_units;
    struct event_meter (*host_events)[REC_NEVENTS], (*pcpu_events)[REC_NEVENTS];
    struct event_meter (*vcpu_events)[REC_NEVENTS], cluster_events[REC_NEVENTS];
    char *broken; /* the first law found broken */
    /* samples */
    const char **col_entity, **col_metric, **col_unit;
    size_t n_cols;
    struct series series;
    int64_t *sample_t;
    double *sample_v;
    size_t sample_cap;
    struct happening *happenings;
    size_t n_happenings, cap_happenings, happenings_cut;
    char **names; /* entity names made for the output */
    size_t n_names, cap_names;
    struct results *results;
    struct run_output output;
};

/* Remembers the first broken law; the run will be refused for it. */
__attribute__((format(printf, 2, 3))) void meter_broken(struct meter *m, const char *fmt, ...);
/* A name that lives as long as the meter. */
__attribute__((format(printf, 2, 3))) const char *meter_name(struct meter *m, const char *fmt, ...);

/* meter_sample.c */
void meter_sample_init(struct meter *m);
void meter_sample_take(struct meter *m, int64_t t_ns);
void meter_sample_done(struct meter *m);
/* meter_laws.c */
void meter_check_laws(struct meter *m);
/* meter_rows.c: into m->results */
void meter_write_rows(struct meter *m);
/* A host with its pCPUs, a VM with its vCPUs, under their own names. */
void meter_write_host(struct meter *m, uint32_t host);
void meter_write_vm(struct meter *m, uint32_t vm);
/* Adds all slices, waits and latencies of a unit. */
void meter_add_dists(const struct meter *m, const struct meter_unit *u, struct dists *to);
/* meter_ecdf.c */
void meter_make_ecdfs(struct meter *m);

/* What v has had of state st up to t_ns, which is not before its last record. */
static inline int64_t meter_state_until(const struct vcpu_meter *v, int st, int64_t t_ns)
{
    return v->total[st] + ((uint32_t)st == v->state ? t_ns - v->last_ns : 0);
}

/* Whether every VM of the unit has distributions of its own. */
static inline bool meter_has_own(const struct meter *m, const struct meter_unit *u)
{
    return u->n_vms == 1 || m->opts.per_entity;
}

static inline double meter_s(int64_t ns)
{
    return (double)ns / 1e9;
}

#endif
