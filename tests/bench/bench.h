// SPDX-License-Identifier: GPL-3.0-or-later
/* bench.h - what the benchmarks share: two loops that do the same work, one of ours and one bare, run in
 * turn on the same machine within the same second, and the ratio of their best times.
 *
 * A figure is one line:   name  ns an event  bare ns  ratio  bound  verdict
 * The time is the thread's own on the CPU, and the best of several short runs is what the machine can do; the
 * others were disturbed. Where the ratio is over its bound more runs are made before it is called broken.
 *
 *     bench_X            all figures           bench_X --quick     the same, shorter
 *     bench_X --list     their names           bench_X --one NAME N  our loop alone, N events, no clock:
 *                                               for counting instructions under callgrind (run.sh) */
#ifndef VLAB_TESTS_BENCH_H
#define VLAB_TESTS_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_NOINLINE __attribute__((noinline))

struct bench_figure {
    const char *name;
    void *(*own_new)(uint64_t size);       /* sets up, not measured; NULL: the bare loop alone is shown */
    void (*own_run)(void *st, uint64_t n); /* n events */
    void (*own_free)(void *st);
    void *(*bare_new)(uint64_t size);
    void (*bare_run)(void *st, uint64_t n);
    void (*bare_free)(void *st);
    uint64_t size;
    uint64_t n;       /* events a run */
    double bound;     /* of the ratio; 0: only shown */
    double stated_ns; /* what the bare loop takes on the reference machine; 0: not stated */
    void (*note)(const void *own, const void *bare, double own_ns,
                 double bare_ns); /* one more line, or NULL */
};

/* The splitmix64 generator, shared by both sides so that it does not tell between them. */
static inline uint64_t bench_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline double bench_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline double bench_time(void (*run)(void *, uint64_t), void *st, uint64_t n)
{
    double t0 = bench_now_ns();
    run(st, n);
    return (bench_now_ns() - t0) / (double)n;
}

static inline void bench_print(const struct bench_figure *f, double own_ns, double bare_ns, bool ok)
{
    printf("%-16s", f->name);
    if (f->own_new)
        printf(" %8.2f ns", own_ns);
    else
        printf("           -");
    printf("   bare %7.2f ns", bare_ns);
    if (f->stated_ns > 0)
        printf(" (stated %2.0f)", f->stated_ns);
    else
        printf("            ");
    if (f->own_new) printf("   ratio %5.2f", own_ns / bare_ns);
    if (f->bound > 0)
        printf("   bound %4.2f   %s\n", f->bound, ok ? "ok" : "BROKEN");
    else
        printf("\n");
}

/* Runs the pair in turn and prints; true where the bound holds. */
static inline bool bench_compare(const struct bench_figure *f, bool quick)
{
    const int enough = quick ? 5 : 10, most = 60;
    uint64_t n = quick ? f->n / 2 : f->n;
    void *own = f->own_new ? f->own_new(f->size) : NULL, *bare = f->bare_new(f->size);
    double own_ns = 1e18, bare_ns = 1e18;
    bool ok = true;
    /* The first round warms the caches and lets a queue find its shape. */
    for (int i = 0; i < most; i++) {
        double a = own ? bench_time(f->own_run, own, n) : 0, b = bench_time(f->bare_run, bare, n);
        if (i == 0) continue;
        if (a < own_ns) own_ns = a;
        if (b < bare_ns) bare_ns = b;
        ok = f->bound <= 0 || own_ns <= f->bound * bare_ns;
        if (ok && i >= enough) break;
    }
    bench_print(f, own_ns, bare_ns, ok);
    if (f->note) f->note(own, bare, own_ns, bare_ns);
    fflush(stdout);
    if (own) f->own_free(own);
    f->bare_free(bare);
    return ok;
}

static inline int bench_main(int argc, char **argv, const struct bench_figure *figs, size_t n_figs)
{
    bool quick = argc == 2 && strcmp(argv[1], "--quick") == 0;
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
    bool one = argc == 4 && strcmp(argv[1], "--one") == 0;
    if (argc > 1 && !quick && !list && !one) {
        fprintf(stderr, "usage: %s [--quick | --list | --one NAME N]\n", argv[0]);
        return 2;
    }
    int broken = 0;
    for (size_t i = 0; i < n_figs; i++) {
        const struct bench_figure *f = &figs[i];
        if (list) {
            if (f->own_new) puts(f->name);
        } else if (one) {
            if (!f->own_new || strcmp(argv[2], f->name) != 0) continue;
            void *st = f->own_new(f->size);
            f->own_run(st, strtoull(argv[3], NULL, 10));
            f->own_free(st);
            return 0;
        } else {
            broken |= !bench_compare(f, quick);
        }
    }
    return one ? 2 : broken;
}

#endif
