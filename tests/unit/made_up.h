// SPDX-License-Identifier: GPL-3.0-or-later
/* made_up.h - runs that never were, for tests of the writers.
 *
 * made_small: two VMs, a handful of figures, each written by hand: its files are compared byte for byte.
 * made_big: any number of VMs on two pCPUs under a round robin of its own, with plausible distributions, for
 * pictures and sums. Both are pure functions of their arguments. Free with made_done. */
#ifndef VLAB_TESTS_MADE_UP_H
#define VLAB_TESTS_MADE_UP_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rec.h"
#include "base/rng.h"
#include "base/alloc.h"
#include "metrics/hist.h"
#include "out/report.h"
#include "scenario/expect.h"
#include "out/trace.h"

struct made {
    struct report rp;
    struct runset *rs;
    struct run_output out[64];
    struct series series[64];
    size_t n_out;
    struct trace *trace;
    struct scenario sc;
    struct sc_host host;
    struct sc_vm vms[128];
    struct report_point points[16];
    void *owned[8192];
    size_t n_owned;
};

static inline void *made_own(struct made *m, void *p)
{
    ASSERT(m->n_owned < sizeof m->owned / sizeof *m->owned);
    return m->owned[m->n_owned++] = p;
}

static inline void made_done(struct made *m)
{
    for (size_t i = 0; i < m->n_out; i++)
        results_free((struct results *)(uintptr_t)m->out[i].results);
    for (size_t i = 0; i < m->n_owned; i++)
        free(m->owned[i]);
    runset_free(m->rs);
    trace_free(m->trace);
    free(m);
}

static inline struct made *made_new(size_t points, size_t reps)
{
    static char *const argv[] = {(char *)(uintptr_t) "vlab", (char *)(uintptr_t) "run",
                                 (char *)(uintptr_t) "x.yaml"};
    struct made *m = alloc_array(1, sizeof *m);
    ASSERT(points <= 16 && points * reps <= 64);
    m->rs = runset_new(points, reps);
    m->rp = (struct report){.version = "0.1",
                            .scenario = "noisy-neighbour",
                            .about = "A database shares two pCPUs with batch VMs. Who pays?",
                            .backend = "sim",
                            .fidelity = "exact",
                            .seed = 42,
                            .duration_ns = 60000000000,
                            .warmup_ns = 5000000000,
                            .runs = m->rs,
                            .resolved = "vlab: 1\nname: noisy-neighbour\n",
                            .resolved_len = 29,
                            .argc = 3,
                            .argv = argv};
    return m;
}

/* Where two texts differ first: -1 nowhere. Check's own messages have no room for whole files. */
static inline long made_differ(const char *got, const char *want)
{
    for (long i = 0;; i++) {
        if (got[i] != want[i]) return i;
        if (!got[i]) return -1;
    }
}

/* --- small --- */

static inline struct made *made_small(size_t reps)
{
    static const char *const entities[] = {"vm.db", "vm.db", "vm.batch-0"};
    static const char *const metrics[] = {"cpu.ready", "latency.mean", "cpu.ready"};
    static const char *const units[] = {"", "s", ""};
    static const int64_t t_ns[] = {500000000, 1000000001};
    static const double v[] = {0.25, 0.0314, 0.5, 0.125, (double)NAN, 1.0 / 3};
    static const struct happening happened[] = {{0, "vm.db", "started", "", 0},
                                                {700000000, "vm.db", "lost", "queue full, \"at last\"", 17}};
    static const double x[] = {0.001, 0.002, 0.0314}, share[] = {0.25, 0.75, 1};
    static const struct ecdf ecdf = {"vm.db", "latency", "s", 3, x, share, 4};
    struct made *m = made_new(1, reps);
    m->series[0] = (struct series){3, 2, entities, metrics, units, t_ns, v};
    for (size_t rep = 0; rep < reps; rep++) {
        struct results *r = results_new();
        results_add(r, "vm.db", "cpu.run", "share", "", 0.612);
        results_add(r, "vm.db", "cpu.ready", "share", "", 0.306);
        results_add(r, "vm.db", "latency", "p50", "s", (61 + (double)rep) / 10000);
        results_add(r, "vm.db", "latency", "p99", "s", 0.0713);
        results_add_exact(r, "vm.db", "work.checksum", "total", "", (UINT64_C(1) << 53) + 1);
        results_add(r, "vm.batch-0", "cpu.run", "share", "", 0.46);
        results_add(r, "vm.batch-0", "cpu.ready", "share", "", 0.317);
        results_add(r, "vm.batch-0", "cpu.throttled", "share", "", 0.2);
        results_add(r, "host.h1", "cpu.util", "share", "", 1);
        results_add(r, "host.h1", "cpu.guest", "share", "", 0.9975);
        if (rep == 1) results_add(r, "vm.db", "events.lost", "total", "", 1);
        m->out[rep] = (struct run_output){r, &m->series[0], happened, 2, 3, &ecdf, 1, NULL};
        m->n_out++;
        runset_put(m->rs, 0, rep, 42 + rep, &m->out[rep]);
    }
    return m;
}

/* --- big --- */

static inline double made_unit(uint64_t a, uint64_t b)
{
    return ((double)(rng_mix(rng_mix(a) + b) >> 11) + 0.5) / 0x1p53;
}

static inline char *made_text(struct made *m, const char *fmt, size_t i)
{
    char text[64];
    snprintf(text, sizeof text, fmt, i);
    return made_own(m, alloc_copy(text));
}

static inline void made_scenario(struct made *m, size_t n_vms)
{
    m->host = (struct sc_host){.name = "h1", .group = "h1", .cores = 2, .scheduler = "rr"};
    for (size_t i = 0; i < n_vms; i++)
        m->vms[i] = (struct sc_vm){.name = i ? made_text(m, "batch-%zu", i - 1) : "db", .vcpus = i ? 1 : 2};
    m->sc = (struct scenario){.name = "noisy-neighbour",
                              .run = {.duration_ns = 60000000000, .warmup_ns = 5000000000, .seed = 42},
                              .hosts = &m->host,
                              .n_hosts = 1,
                              .vms = m->vms,
                              .n_vms = (uint32_t)n_vms};
}

/* Two pCPUs, each with its half of the vCPUs in turn: slices of 7 to 13 ms, switches of 200 us; one in eight
 * times the pCPU idles for a moment. Every interval of every vCPU and pCPU is a record, in order of time
 * within a pCPU and, by the blocks of 1 s, nearly so between them. */
static inline void made_records(struct made *m, struct rec_reader reader, int64_t end_ns)
{
    struct turn {
        uint32_t vm;
        uint16_t vcpu;
        int64_t since;
    } turns[2][128];
    size_t n[2] = {0}, at[2] = {0};
    int64_t now[2] = {0};
    for (uint32_t v = 0, k = 0; v < m->sc.n_vms; v++)
        for (uint16_t c = 0; c < m->vms[v].vcpus; c++, k++)
            turns[k % 2][n[k % 2]++] = (struct turn){v, c, 0};
    uint64_t step = 0;
    while (now[0] < end_ns || now[1] < end_ns) {
        uint16_t p = now[0] <= now[1] ? 0 : 1;
        struct turn *t = &turns[p][at[p]++ % n[p]];
        int64_t idle = rng_mix(++step) % 8 ? 0 : 1500001, sw = 200000;
        int64_t run = 7000000 + (int64_t)(rng_mix(step * 77) % 6000001);
        int64_t begin = now[p];
        struct rec out[8];
        size_t k = 0;
        struct rec base = {.host = 0, .vm = t->vm, .vcpu = t->vcpu, .pcpu = p};
#define MADE_REC(...)                                                                                        \
    do {                                                                                                     \
        struct rec made_r = {__VA_ARGS__};                                                                   \
        made_r.vm = base.vm, made_r.vcpu = base.vcpu, made_r.pcpu = p;                                       \
        out[k++] = made_r;                                                                                   \
    } while (0)
        if (begin + idle > end_ns) idle = end_ns - begin;
        if (begin + idle + sw > end_ns) sw = end_ns - begin - idle;
        if (begin + idle + sw + run > end_ns) run = end_ns - begin - idle - sw;
        if (idle > 0) MADE_REC(.kind = REC_IDLE, .t_ns = begin + idle, .value = idle);
        if (sw > 0) MADE_REC(.kind = REC_SWITCH, .t_ns = begin + idle + sw, .value = sw);
        int64_t on = begin + idle + sw;
        if (run > 0) {
            MADE_REC(.kind = REC_STATE, .t_ns = on, .value = on - t->since, .from = VCPU_READY,
                     .to = VCPU_RUN);
            MADE_REC(.kind = REC_STATE, .t_ns = on + run, .value = run, .from = VCPU_RUN, .to = VCPU_READY);
            t->since = on + run;
        }
#undef MADE_REC
        reader.read(reader.ctx, out, k);
        now[p] = on + run;
    }
    for (uint16_t p = 0; p < 2; p++)
        for (size_t i = 0; i < n[p]; i++) {
            struct turn *t = &turns[p][i];
            struct rec last = {.kind = REC_STATE, .t_ns = end_ns, .value = end_ns - t->since, .vm = t->vm};
            last.vcpu = t->vcpu, last.pcpu = REC_NONE, last.from = VCPU_READY, last.to = VCPU_READY;
            reader.read(reader.ctx, &last, 1);
        }
}

static inline const struct series *made_series(struct made *m, size_t n_vms, uint64_t key, struct series *s)
{
    enum { ROWS = 120 };
    const char **names = made_own(m, alloc_array(n_vms, sizeof *names));
    const char **metrics = made_own(m, alloc_array(n_vms, sizeof *metrics));
    const char **units = made_own(m, alloc_array(n_vms, sizeof *units));
    int64_t *t = made_own(m, alloc_array(ROWS, sizeof *t));
    double *v = made_own(m, alloc_array(ROWS * n_vms, sizeof *v));
    for (size_t c = 0; c < n_vms; c++) {
        names[c] = c ? made_text(m, "vm.batch-%zu", c - 1) : "vm.db";
        metrics[c] = "cpu.ready";
        units[c] = "";
    }
    for (size_t r = 0; r < ROWS; r++) {
        t[r] = (int64_t)(r + 1) * 500000000;
        for (size_t c = 0; c < n_vms; c++) {
            double slow = 0.1 * sin((double)r / 9 + (double)c);
            v[r * n_vms + c] =
                fmin(fmax(0.22 + 0.06 * (double)(c % 5) + slow + 0.06 * (made_unit(key + c, r) - 0.5), 0), 1);
        }
    }
    *s = (struct series){n_vms, ROWS, names, metrics, units, t, v};
    return s;
}

static inline struct ecdf made_ecdf(struct made *m, const char *entity, const char *metric, double mean_ns,
                                    uint64_t key)
{
    struct hist h = {0};
    double *x, *share;
    for (uint64_t i = 0; i < 3000; i++) /* sums of two exponentials and a constant */
        hist_add(&h, (int64_t)(0.2 * mean_ns -
                               mean_ns * 0.4 * (log(made_unit(key, i)) + log(made_unit(key + 1, i)))));
    size_t n = hist_ecdf(&h, 1e9, &x, &share);
    struct ecdf e = {entity, metric, "s", n, made_own(m, x), made_own(m, share), h.count};
    hist_done(&h);
    return e;
}

static inline void made_results(struct results *r, size_t n_vms, uint64_t key, double load)
{
    for (size_t i = 0; i < n_vms; i++) {
        char vm[32];
        snprintf(vm, sizeof vm, i ? "vm.batch-%zu" : "vm.db", i - 1);
        double noise = 0.03 * (made_unit(key, i) - 0.5);
        double run = fmin(1.6 / (double)(n_vms + 1) * (i ? 1.0 : 1.3) + noise, 0.9);
        double ready = (1 - run) * fmin(0.35 * load, 0.9), thr = i == 2 ? 0.2 * (1 - run - ready) : 0;
        results_add(r, vm, "cpu.run", "share", "", run);
        results_add(r, vm, "cpu.ready", "share", "", ready);
        results_add(r, vm, "cpu.throttled", "share", "", thr);
        results_add(r, vm, "cpu.diskwait", "share", "", i == 1 ? 0.04 : 0);
        results_add(r, vm, "cpu.idle", "share", "", 1 - run - ready - thr - (i == 1 ? 0.04 : 0));
        if (i == 0) {
            results_add(r, vm, "latency", "p50", "s", 0.0061 * load + noise / 50);
            results_add(r, vm, "latency", "p99", "s", 0.0513 * load + noise / 5);
            results_add(r, vm, "throughput", "mean", "1/s", 398 / load + 40 * noise);
        }
    }
    results_add(r, "host.h1", "cpu.util", "share", "", 0.992);
    results_add(r, "host.h1", "cpu.guest", "share", "", 0.975);
    results_add(r, "host.h1", "cpu.switch", "share", "", 0.017);
}

/* keys: one key and `points` values, or NULL; keys2/values2: a second key for each point, or NULL. */
static inline struct made *made_big(size_t n_vms, size_t reps, size_t points, const char *const *keys,
                                    const char *const *values, size_t n_keys)
{
    static const struct expect_node p99 = {
        .kind = EXPECT_TERM, .unit = {.s = 1}, .entity = "vm.db", .metric = "latency", .stat = "p99"};
    static const struct expect_node p50 = {
        .kind = EXPECT_TERM, .unit = {.s = 1}, .entity = "vm.db", .metric = "latency", .stat = "p50"};
    static const struct expect_node rate = {
        .kind = EXPECT_TERM, .unit = {.s = -1}, .entity = "vm.db", .metric = "throughput", .stat = "mean"};
    static const struct expect parsed[] = {{.lhs = &p99}, {.lhs = &p50}, {.lhs = &rate, .rhs = &rate}};
    static const struct report_expect expects[] = {
        {"vm.db.latency.p99 < 50ms", REPORT_FAILS, "71.3 ms", &parsed[0]},
        {"vm.db.latency.p50 < 8ms", REPORT_HOLDS, NULL, &parsed[1]},
        {"vm.db.throughput >= 0.9 * vm.db.throughput@vms.batch.count=0", REPORT_UNDECIDED,
         "interval 351/s to 362/s", &parsed[2]},
    };
    struct made *m = made_new(points, reps);
    made_scenario(m, n_vms);
    m->trace = trace_new(&m->sc, &(struct trace_opts){.slices = true});
    made_records(m, trace_reader(m->trace), 8000000000);
    for (size_t p = 0; p < points; p++) {
        m->points[p] = (struct report_point){n_keys, keys, values ? values + p * n_keys : NULL, NULL};
        for (size_t rep = 0; rep < reps; rep++) {
            uint64_t key = 1000 * p + rep;
            struct results *r = results_new();
            made_results(r, n_vms, key, 1 + 0.4 * (double)p);
            struct ecdf *e = made_own(m, alloc_array(2 + n_vms, sizeof *e));
            e[0] = made_ecdf(m, "vm.db", "latency", 6e6, key);
            for (size_t i = 0; i < n_vms; i++)
                e[1 + i] = made_ecdf(m, i ? made_text(m, "vm.batch-%zu", i - 1) : "vm.db", "wait",
                                     4e6 + 3e6 * (double)i, key + i);
            struct run_output *o = &m->out[m->n_out];
            *o = (struct run_output){
                r, made_series(m, n_vms, key, &m->series[m->n_out]), NULL, 0, 0, e, 1 + n_vms, NULL};
            m->n_out++;
            runset_put(m->rs, p, rep, 42 + rep, o);
        }
    }
    if (n_keys) m->rp.points = m->points;
    m->rp.trace = m->trace;
    m->rp.trace_json = true;
    m->rp.expects = expects;
    m->rp.n_expects = 3;
    return m;
}

#endif
