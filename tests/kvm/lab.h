// SPDX-License-Identifier: GPL-3.0-or-later
/* lab.h - scenarios made by hand, run on real guests, and what came of them: for the tests of kvm/. */
#ifndef VLAB_TESTS_KVM_LAB_H
#define VLAB_TESTS_KVM_LAB_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm/runner/run.h"
#include "program/prog_touch.h"
#include "tests/often.h"

#define LAB_VMS  128
#define LAB_RUNS 8192
#define LAB_SEED 42

struct lab_vm {
    int64_t state_ns[VCPU_NSTATES];
    int64_t runs_ns[LAB_RUNS], waits_ns[LAB_RUNS]; /* periods in run and in ready */
    size_t n_runs, n_waits, n_work;
    int64_t work_ns[LAB_RUNS]; /* of iterations */
    int64_t last_ns;           /* end of the last interval */
    uint8_t last_to;
    uint64_t n[REC_NKINDS], n_events[REC_NEVENTS];
    int64_t refs; /* of touch steps */
    int64_t exits[PROG_NOPS];
    struct rec fault; /* the last REC_EVENT of REC_EV_FAULT or REC_EV_KILLED */
};

struct lab {
    struct sc_vm vms[LAB_VMS];
    char names[LAB_VMS][16];
    struct sc_host host;
    struct scenario sc;
    int payloads[LAB_VMS];
    struct run_own own;
    struct sc_stretch stretch;
    struct rec_reader also; /* reads the records too, where its function is set */
    /* after lab_run: */
    struct lab_vm seen[LAB_VMS];
    int64_t pcpu_ns[4][3]; /* run, switch, idle */
    int64_t pcpu_last_ns[4];
    bool pcpu_gaps;
    int64_t t_ns;
    struct kvm_report rep;
    char *why;
};

/* Whether guests can run here; says why not. */
static inline bool lab_usable(const char *suite)
{
    struct host h;
    char *why = NULL;
    enum kvm_status st = host_open(&h, &why);
    if (st == KVM_OK)
        host_close(&h);
    else
        fprintf(stderr, "SKIPPED: %s: %s\n", suite, why);
    free(why);
    return st == KVM_OK;
}

static inline struct prog *lab_prog(const struct step *steps, uint32_t n)
{
    struct step s[4];
    memcpy(s, steps, n * sizeof *s);
    for (uint32_t i = 0; i < n; i++)
        ck_assert_int_eq(draw_make(&s[i].amount), 0);
    void *mem = malloc(prog_size(n, 0));
    return prog_build(mem, s, n, NULL, 0);
}

static inline void lab_set_prog(struct lab *l, uint32_t vm, const struct step *steps, uint32_t n)
{
    struct step s[4];
    memcpy(s, steps, n * sizeof *s);
    for (uint32_t i = 0; i < n; i++)
        if (s[i].kind == STEP_TOUCH) ck_assert(prog_touch_make(&s[i]));
    free((void *)(uintptr_t)l->vms[vm].work.prog);
    l->vms[vm].work.prog = lab_prog(s, n);
}

/* n VMs of one vCPU that loop over 1 ms of work, on `cores` pCPUs. The pace is given, so none is measured. */
static inline struct lab *lab_new(const char *scheduler, uint32_t cores, uint32_t n, int64_t duration_ns)
{
    struct lab *l = calloc(1, sizeof *l);
    const struct step work = {
        .kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 1000000}};
    l->host = (struct sc_host){.name = "h1",
                               .group = "h1",
                               .cores = cores,
                               .speed_ppm = 1000000,
                               .scheduler = scheduler,
                               .balance_idle = true,
                               .limit_ppm = 1000000,
                               .rack = SC_NONE,
                               .measured = {.iters_per_ns = 1.0}};
    for (uint32_t i = 0; i < n; i++) {
        snprintf(l->names[i], sizeof l->names[i], "v%u", i);
        l->vms[i] = (struct sc_vm){.name = l->names[i],
                                   .group = l->names[i],
                                   .draws = l->names[i],
                                   .vcpus = 1,
                                   .mode = SC_HARDWARE,
                                   .network = SC_NONE,
                                   .swap = SC_NONE,
                                   .weight = 1000,
                                   .period_ns = 100000000,
                                   .work = {.threads = 1, .queue_max = INT64_MAX, .until = UINT64_MAX}};
        l->vms[i].work.prog = lab_prog(&work, 1);
        l->payloads[i] = -1;
    }
    l->own.store_fd = -1;
    l->sc = (struct scenario){.name = "lab",
                              .run = {.duration_ns = duration_ns},
                              .hosts = &l->host,
                              .n_hosts = 1,
                              .vms = l->vms,
                              .n_vms = n};
    return l;
}

static inline void lab_see_pcpu(struct lab *l, const struct rec *r, int what)
{
    int64_t from = r->t_ns - r->value;
    ck_assert_uint_lt(r->pcpu, 4);
    ck_assert_int_ge(from, l->pcpu_last_ns[r->pcpu]); /* never two things at once */
    if (from != l->pcpu_last_ns[r->pcpu]) l->pcpu_gaps = true;
    l->pcpu_last_ns[r->pcpu] = r->t_ns;
    l->pcpu_ns[r->pcpu][what] += r->value;
}

static inline void lab_see_state(struct lab *l, const struct rec *r)
{
    struct lab_vm *v = &l->seen[r->vm];
    v->state_ns[r->from] += r->value;
    if (r->from == VCPU_RUN) lab_see_pcpu(l, r, 0);
    if (r->vcpu != 0) return;
    ck_assert_int_eq(r->t_ns - r->value, v->last_ns); /* seamless */
    if (v->last_ns > 0) ck_assert_uint_eq(r->from, v->last_to);
    v->last_ns = r->t_ns;
    v->last_to = r->to;
    if (r->from == VCPU_RUN && v->n_runs < LAB_RUNS) v->runs_ns[v->n_runs++] = r->value;
    if (r->from == VCPU_READY && v->n_waits < LAB_RUNS) v->waits_ns[v->n_waits++] = r->value;
}

static inline void lab_read(void *ctx, const struct rec *r, size_t n)
{
    struct lab *l = ctx;
    for (size_t i = 0; i < n; i++) {
        ck_often(r[i].t_ns >= l->t_ns); /* in the order of time */
        l->t_ns = r[i].t_ns;
        if (r[i].kind == REC_STATE) lab_see_state(l, &r[i]);
        if (r[i].kind == REC_SWITCH) lab_see_pcpu(l, &r[i], 1);
        if (r[i].kind == REC_IDLE) lab_see_pcpu(l, &r[i], 2);
        if (r[i].vm >= LAB_VMS) continue;
        struct lab_vm *v = &l->seen[r[i].vm];
        v->n[r[i].kind]++;
        if (r[i].kind == REC_COUNT && r[i].cause >= REC_N_EXIT)
            v->exits[r[i].cause - REC_N_EXIT] += r[i].value;
        if (r[i].kind == REC_COUNT && r[i].cause == REC_N_MEM_REFS) v->refs += r[i].value;
        if (r[i].kind == REC_WORK && v->n_work < LAB_RUNS) v->work_ns[v->n_work++] = r[i].value;
        if (r[i].kind != REC_EVENT) continue;
        l->seen[r[i].vm].n_events[r[i].cause]++;
        if (r[i].cause == REC_EV_FAULT || r[i].cause == REC_EV_KILLED) l->seen[r[i].vm].fault = r[i];
    }
}

static inline enum kvm_status lab_run(struct lab *l)
{
    struct rec_block *b = malloc(sizeof *b);
    rec_block_init(b);
    rec_block_add_reader(b, (struct rec_reader){lab_read, l, UINT32_MAX});
    if (l->also.read) rec_block_add_reader(b, l->also);
    l->own.payload_fds = l->payloads;
    enum kvm_status st = run_with(&l->sc, LAB_SEED, &l->own, b, &l->rep, &l->why);
    free(b);
    return st;
}

/* The same, where it has to go well: every vCPU's states sum to the run. */
static inline void lab_run_well(struct lab *l)
{
    enum kvm_status st = lab_run(l);
    if (st == KVM_NO_KVM && l->why && strncmp(l->why, "cgroups", 7) == 0) {
        fprintf(stderr, "SKIPPED: cgroups: %s\n", l->why); /* may be: tests/kvm/may-skip.txt */
        _exit(0);
    }
    if (st == KVM_NO_KVM && l->why && strstr(l->why, "userfaultfd")) {
        fprintf(stderr, "SKIPPED: userfaultfd: %s\n", l->why); /* likewise */
        _exit(0);
    }
    ck_assert_msg(st == KVM_OK, "%s", l->why ? l->why : "?");
    for (uint32_t i = 0; i < l->sc.n_vms; i++)
        ck_assert_int_eq(l->seen[i].last_ns, l->sc.run.duration_ns);
}

static inline void lab_free(struct lab *l)
{
    for (uint32_t i = 0; i < l->sc.n_vms; i++) {
        free((void *)(uintptr_t)l->vms[i].work.prog);
        if (l->payloads[i] >= 0) close(l->payloads[i]);
    }
    kvm_report_done(&l->rep);
    free(l->why);
    free(l);
}

/* The VM's part of the time that all VMs ran, in percent. */
static inline double lab_share(const struct lab *l, uint32_t vm)
{
    int64_t all = 0;
    for (uint32_t i = 0; i < l->sc.n_vms; i++)
        all += l->seen[i].state_ns[VCPU_RUN];
    return 100.0 * (double)l->seen[vm].state_ns[VCPU_RUN] / (double)all;
}

static inline uint64_t lab_key(const char *name, enum rng_use use)
{
    return rng_key(LAB_SEED, rng_hash_name(name, strlen(name)), use);
}

/* What the library's interpreter makes of iterations 0 .. n-1 of that task: their checksum. */
static inline uint64_t lab_expected(const struct lab *l, uint32_t vm, uint64_t task, uint64_t n)
{
    struct prog_task t;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        prog_begin(&t, lab_key(l->names[vm], RNG_STEPS), task, i);
        while (prog_next(&t, l->vms[vm].work.prog).kind != STEP_END) {
        }
        sum = (sum + t.checksum) & PROG_CHECKSUM_MASK;
    }
    return sum;
}

static inline int lab_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double lab_median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, lab_by_value);
    return v[n / 2];
}

static inline int lab_by_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static inline double lab_median_ms(int64_t *v, size_t n)
{
    ck_assert_uint_gt(n, 0);
    qsort(v, n, sizeof *v, lab_by_ns);
    return (double)v[n / 2] / 1e6;
}

/* The path of a file built beside this program. */
static inline const char *lab_beside(char *buf, size_t size, const char *name)
{
    ssize_t n = readlink("/proc/self/exe", buf, size - 1);
    ck_assert_int_gt(n, 0);
    buf[n] = 0;
    char *slash = strrchr(buf, '/');
    snprintf(slash + 1, size - (size_t)(slash + 1 - buf), "%s", name);
    return buf;
}

#endif
