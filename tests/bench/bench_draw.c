// SPDX-License-Identifier: GPL-3.0-or-later
/* What a draw costs, by kind, as ns and as a ratio to the bare code of bare_draw.h in the same run: the
 * least of several rounds each, in turn, so that a disturbance meets both. Means and what they should
 * be stand beside, for a fast draw of the wrong thing is no draw. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bare_draw.h"
#include "program/prog.h"

enum { N = 1000000, ROUNDS = 9 };

static const int64_t pool[] = {10, 20, 30, 40};
#define A 1000000
#define B 500000

/* mean 1, sd 1/2: exp(mu + sigma Z), the constants of a compiler that knew them */
#define LOG_SIGMA 0.47238072707743883
#define LOG_MU    (-LOG_SIGMA * LOG_SIGMA / 2)

static double bare_draw(enum dist_kind kind, struct bare_rng *r, uint64_t i)
{
    double x;
    switch (kind) {
    case DIST_CONST: return A;
    case DIST_EXPONENTIAL: return bare_exponential(r, A);
    case DIST_UNIFORM: return B + (A - B) * bare_unit(r);
    case DIST_NORMAL: return A + B / 8.0 * bare_normal(r);
    case DIST_LOGNORMAL: return A * exp(LOG_MU + LOG_SIGMA * bare_normal(r));
    case DIST_WEIBULL: return A * pow(-log(bare_unit(r)), 1 / 0.8);
    case DIST_PARETO: return A * pow(bare_unit(r), -1 / 3.0);
    case DIST_HYPEREXP:
        x = bare_unit(r) < 0.1127016653792583 ? 4.436491673103709 : 0.5635083268962915;
        return bare_exponential(r, x * A);
    case DIST_ERLANG: x = bare_unit(r) * bare_unit(r); return -A / 4.0 * log(x * bare_unit(r) * bare_unit(r));
    case DIST_EMPIRICAL: return (double)pool[bare_u32(r) >> 30];
    case DIST_SEQUENCE: return (double)pool[i & 3];
    case DIST_NKINDS: break;
    }
    return 0;
}

static const struct {
    const char *name;
    struct dist d;
} kinds[DIST_NKINDS] = {
    {"const", {.kind = DIST_CONST, .a = A}},
    {"exponential", {.kind = DIST_EXPONENTIAL, .a = A}},
    {"uniform", {.kind = DIST_UNIFORM, .a = B, .b = A}},
    {"normal", {.kind = DIST_NORMAL, .a = A, .b = B / 4}},
    {"lognormal", {.kind = DIST_LOGNORMAL, .a = A, .b = B}},
    {"weibull", {.kind = DIST_WEIBULL, .a = A, .x = 0.8}},
    {"pareto", {.kind = DIST_PARETO, .a = A, .x = 3}},
    {"hyperexponential", {.kind = DIST_HYPEREXP, .a = A, .x = 4}},
    {"erlang (4)", {.kind = DIST_ERLANG, .a = A, .n = 4}},
    {"empirical", {.kind = DIST_EMPIRICAL, .n = 4}},
    {"sequence", {.kind = DIST_SEQUENCE, .n = 4}},
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A constant in each case of this switch, so that the compiler specialises the bare loop. */
static double bare_loop(enum dist_kind kind, struct bare_rng *r)
{
    double sum = 0;
#define LOOP(k)                                                                                              \
    case k:                                                                                                  \
        for (uint64_t i = 0; i < N; i++)                                                                     \
            sum += bare_draw(k, r, i);                                                                       \
        break
    switch (kind) {
        LOOP(DIST_CONST);
        LOOP(DIST_EXPONENTIAL);
        LOOP(DIST_UNIFORM);
        LOOP(DIST_NORMAL);
        LOOP(DIST_LOGNORMAL);
        LOOP(DIST_WEIBULL);
        LOOP(DIST_PARETO);
        LOOP(DIST_HYPEREXP);
        LOOP(DIST_ERLANG);
        LOOP(DIST_EMPIRICAL);
        LOOP(DIST_SEQUENCE);
    case DIST_NKINDS: break;
    }
    return sum;
}

static void bench_kind(enum dist_kind kind)
{
    struct dist d = kinds[kind].d;
    struct rng r = rng_at(1, 2, 3);
    struct bare_rng b = {r.state, r.inc};
    double best = HUGE_VAL, bare = best, sum = 0;
    if (draw_make(&d) != 0) return;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t total = 0;
        double t0 = now_ns();
        for (uint64_t i = 0; i < N; i++)
            total += draw_amount(&d, &r, pool, i);
        double t1 = now_ns();
        double check = bare_loop(kind, &b);
        double t2 = now_ns();
        if (!(check > 0)) puts("the bare loop is wrong");
        best = fmin(best, t1 - t0);
        bare = fmin(bare, t2 - t1);
        sum += (double)total;
    }
    printf("%-18s %6.2f ns  bare %6.2f ns  ratio %5.2f   mean %12.2f (expected %.2f)\n", kinds[kind].name,
           best / N, bare / N, best / bare, sum / N / ROUNDS, draw_mean(&d, pool));
}

/* A stream begun and one output of it; then a whole iteration of one exponential step. */
static void bench_streams(void)
{
    struct step s = {STEP_CPU, UINT32_MAX, {.kind = DIST_EXPONENTIAL, .a = A}};
    uint64_t mem[16];
    if (draw_make(&s.amount) != 0 || prog_size(1, 0) > sizeof mem) return;
    const struct prog *p = prog_build(mem, &s, 1, NULL, 0);
    double at = HUGE_VAL, iteration = at, u32 = at;
    uint64_t sink = 0;
    struct rng one = rng_at(7, 7, 7);
    for (int round = 0; round < ROUNDS; round++) {
        double t0 = now_ns();
        for (uint64_t i = 0; i < N; i++)
            sink += rng_u32(&one);
        double t1 = now_ns();
        for (uint64_t i = 0; i < N; i++) {
            struct rng r = rng_at(7, 0, i);
            sink += rng_u32(&r);
        }
        double t2 = now_ns();
        for (uint64_t i = 0; i < N; i++) {
            struct prog_task t;
            prog_begin(&t, 7, 0, i);
            sink += (uint64_t)prog_next(&t, p).amount;
            sink += prog_next(&t, p).kind + t.checksum;
        }
        double t3 = now_ns();
        u32 = fmin(u32, t1 - t0);
        at = fmin(at, t2 - t1);
        iteration = fmin(iteration, t3 - t2);
    }
    printf("%-18s %6.2f ns\n%-18s %6.2f ns  with its first output\n", "rng_u32", u32 / N, "rng_at", at / N);
    printf("%-18s %6.2f ns  begin, one exponential step, end, checksum (%016llx)\n", "prog iteration",
           iteration / N, (unsigned long long)sink);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--list")) return 0; /* nothing here is counted by instructions */
    if (argc > 1 && strcmp(argv[1], "--quick")) {
        fprintf(stderr, "usage: %s [--quick | --list]\n", argv[0]);
        return 2;
    }
    for (int k = 0; k < DIST_NKINDS; k++)
        bench_kind((enum dist_kind)k);
    bench_streams();
    return 0;
}
