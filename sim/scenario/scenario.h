// SPDX-License-Identifier: GPL-3.0-or-later
/* scenario.h - what a YAML file asks for, read, checked and unchangeable.
 *
 * A `scenario_file` is the tree of one document with its marks. A `scenario` is one point of its sweep:
 * keys resolved, defaults filled in, `count:` expanded, every number in its base unit (ns, bytes,
 * millionths). All it points to lives in its own arena; models keep their own copies of what changes. */
#ifndef VLAB_SCENARIO_SCENARIO_H
#define VLAB_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/draw.h"
#include "program/prog.h"

struct expect; /* scenario/expect.h */

/* A host's measured side, from the calibrated file its `profile:` names; all 0 where it is not known. */
struct sc_measured {
    double iters_per_ns; /* of the guest's counted loop */
    int64_t exit_ns;     /* one exit to user space and back */
    int64_t kick_ns;     /* from asking a running vCPU to stop until it has stopped */
    int64_t switch_ns;   /* from one vCPU thread stopping to the next one running */
    int64_t slice_ns;    /* of the host kernel's own scheduler, median */
    int64_t tick_ns;     /* of the host kernel: 1/HZ */
};

struct sc_host {
    const char *name;    /* with its -N where it was counted */
    const char *group;   /* the name in the file */
    const char *profile; /* "ideal", or the path of a calibrated host */
    uint32_t cores;
    uint32_t speed_ppm;    /* 1000000: speed 1.0 */
    const char *scheduler; /* rr credit cfs eevdf stride */
    int64_t slice_ns;      /* 0: the scheduler's own default */
    int64_t tick_ns;
    int64_t switch_ns; /* direct cost of a switch to another vCPU */
    int64_t balance_every_ns;
    bool balance_idle;
    bool credit_debit_tick;
    int64_t cache_bytes;   /* of the last-level cache, the share of one pCPU; 0: not modelled */
    int64_t cache_line_ns; /* to refill one 64-byte line */
    int64_t memory_bytes;  /* 0: not stated */
    struct sc_measured measured;
};

enum sc_arrivals { SC_CLOSED, SC_POISSON, SC_PERIODIC, SC_TRACE, SC_SEQUENCE };

/* A stretch of an arrival sequence; `poisson` and `periodic` alone are one stretch without end. */
struct sc_stretch {
    enum sc_arrivals kind; /* SC_POISSON or SC_PERIODIC */
    int64_t gap_ns;        /* mean, or exact, time between arrivals */
    int64_t for_ns;        /* INT64_MAX: without end */
};

struct sc_workload {
    bool requests;     /* false: loop */
    bool unlimited;    /* threads: unlimited (requests only): each has its own thread */
    uint32_t threads;  /* 0 only where unlimited */
    int64_t queue_max; /* waiting requests; INT64_MAX: no bound */
    enum sc_arrivals arrivals;
    const struct sc_stretch *stretches; /* SC_POISSON, SC_PERIODIC, SC_SEQUENCE */
    uint32_t n_stretches;
    const int64_t *trace_ns; /* SC_TRACE: absolute times, never decreasing */
    uint32_t n_trace;
    uint32_t clients;  /* SC_CLOSED */
    struct dist think; /* SC_CLOSED; its numbers are in think_pool */
    const int64_t *think_pool;
    const struct prog *prog; /* the steps; 8-aligned, prog->bytes long */
    uint64_t until;          /* iterations (over all tasks) or requests; UINT64_MAX: the end of the run */
};

struct sc_vm {
    const char *name;
    const char *group;
    uint32_t host; /* index */
    uint32_t vcpus;
    uint32_t weight;
    uint32_t limit_ppm; /* of one pCPU; 0: none */
    int64_t period_ns;
    uint32_t reservation_ppm;
    const uint64_t *pins; /* NULL: any; else (cores of its host + 63) / 64 words */
    int64_t working_set_bytes;
    int64_t guest_quantum_ns; /* 0: none */
    int64_t memory_bytes;     /* 0: not stated */
    bool victim;              /* role: victim */
    const char *draws;        /* whose random numbers: the hash of this name keys its streams */
    int64_t start_ns;         /* start.at + index in the count * start.every */
    struct sc_workload work;
};

struct sc_run {
    int64_t duration_ns, warmup_ns, sample_ns;
    uint64_t seed;
    uint32_t replications;
};

struct scenario {
    const char *path, *name, *about;
    struct sc_run run;
    const struct sc_host *hosts;
    uint32_t n_hosts;
    const struct sc_vm *vms;
    uint32_t n_vms;
    const struct expect *const *expects;
    uint32_t n_expects;
    /* This point of the sweep: keys and values as written; n_keys 0 where nothing is swept. */
    const char *const *keys, *const *values;
    uint32_t n_keys;
};

struct scenario_file;

/* Reads a document ("-": standard input). NULL: d says why. Free with scenario_close. */
struct scenario_file *scenario_open(const char *path, struct diag *d);
/* The same from memory, under a name for messages. */
struct scenario_file *scenario_parse(const char *name, const char *text, size_t len, struct diag *d);
void scenario_close(struct scenario_file *f);
/* `--set KEY=VALUE`: the value is YAML; takes a swept key out of the sweep. False: d says why. */
bool scenario_set(struct scenario_file *f, const char *key, const char *value, struct diag *d);
/* How many points the sweep has: 1 without one. */
size_t scenario_points(const struct scenario_file *f);
/* Resolves one point, checks everything. NULL: d says why (up to 20 diagnostics). Free with scenario_free. */
struct scenario *scenario_at(struct scenario_file *f, size_t point, struct diag *d);
void scenario_free(struct scenario *sc);
/* The resolved scenario as YAML (every key with its value; reads back to the same). malloc'ed. */
char *scenario_dump(const struct scenario_file *f, size_t *len);

#endif
