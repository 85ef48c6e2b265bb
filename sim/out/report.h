// SPDX-License-Identifier: GPL-3.0-or-later
/* report.h - all that the writers of sim/out need to know about what was run.
 *
 * A plain struct the command fills; the writers read it and keep nothing. Everything is borrowed. */
#ifndef VLAB_OUT_REPORT_H
#define VLAB_OUT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "metrics/runset.h"

struct expect;
struct trace;

struct report_point { /* of the sweep; n == 0: nothing is swept */
    size_t n;
    const char *const *keys, *const *values; /* as written in the scenario */
    const uint32_t *axes;                    /* keys of one zip are on the same; NULL: each has its own */
};

enum report_verdict { REPORT_HOLDS, REPORT_FAILS, REPORT_UNDECIDED };

struct report_expect {
    const char *text; /* as written */
    enum report_verdict verdict;
    const char *detail;          /* what came out instead, for people; NULL or "": nothing to add */
    const struct expect *parsed; /* what it compares; NULL: nothing that tables and figures could show */
};

struct report {
    const char *version;
    const char *scenario; /* its name */
    const char *about;    /* its question or sentence; may be NULL */
    const char *backend;  /* "sim", "kvm", "proc" */
    const char *fidelity; /* "exact" */
    uint64_t seed;        /* the master seed; each run's own is in `runs` */
    int64_t duration_ns, warmup_ns;
    const struct runset *runs;
    const struct report_point *points; /* [runset_points(runs)]; NULL: nothing is swept */
    const struct report_expect *expects;
    size_t n_expects;
    const char *resolved; /* scenario.yaml: the resolved text, resolved_len long */
    size_t resolved_len;
    struct trace *trace; /* NULL: nobody recorded who ran where */
    bool trace_json;     /* --trace: write trace.json (gantt.tsv is always written where there is a trace) */
    bool per_entity;     /* write entities.csv */
    size_t trace_point;  /* of which run the trace is; replication 0 */
    /* For the manifest alone: */
    int argc;
    char *const *argv;
    struct timespec started;
    double took_s;
};

const char *report_verdict_name(enum report_verdict v); /* "holds" */
/* "vms.batch.count=4;hosts.h1.cpu.scheduler=rr", or "" where nothing is swept. malloc'ed. */
char *report_point_text(const struct report *rp, size_t point);
/* The same for people: a key that repeats an earlier one is left out. */
char *report_point_words(const struct report *rp, size_t point);
/* Whether this key has at every point the value of an earlier one, as in a zip of the modes of several VMs.
 */
bool report_repeats(const struct report *rp, size_t key);
/* Whether later ones repeat this one: it stands for one key of several VMs or hosts. */
bool report_of_several(const struct report *rp, size_t key);
/* Whether the values of the two go side by side. */
bool report_same_axis(const struct report *rp, size_t a, size_t b);
/* The value of the named stat, else of the first there is of "", "mean", "share", "rate", "total". */
struct estimate report_pick(const struct report *rp, size_t point, const char *entity, const char *metric,
                            const char *stat);
/* Names of the VMs of a point ("vm.db"), in the order of the results. Borrowed strings, malloc'ed array. */
size_t report_vms(const struct report *rp, size_t point, const char ***entities);
/* The same for hosts. */
size_t report_hosts(const struct report *rp, size_t point, const char ***entities);

#endif
