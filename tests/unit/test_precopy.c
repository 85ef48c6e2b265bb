// SPDX-License-Identifier: GPL-3.0-or-later
/* Pre-copy: the truths of a fixed rate, the adaptive rule, and Clark et al.'s SPECweb99 run. */
#include <check.h>
#include <math.h>

#include "policy/precopy.h"

Suite *precopy_suite(void);

#define MB  INT64_C(1000000)
#define MIB INT64_C(1048576)
#define S   INT64_C(1000000000)

struct end {
    double s, downtime_s;
    int64_t bytes, left;
    uint32_t rounds;
    bool diverged;
    int64_t round[64];
};

static int64_t ns_for(int64_t bytes, int64_t rate_bps)
{
    return (int64_t)((__int128)bytes * 8 * S / rate_bps);
}

/* The whole migration of a VM of so much memory; what is left goes at 1 Gb/s where the policy says "as fast
 * as it goes". */
static struct end run(const struct precopy_cfg *cfg, const struct precopy_writer *w, int64_t memory)
{
    struct end e = {0};
    struct precopy p;
    int64_t ns = 0;
    struct precopy_step s = precopy_begin(&p, cfg, memory);
    while (s.what == PRECOPY_ROUND) {
        int64_t took = ns_for(s.bytes, s.rate_bps);
        ck_assert_uint_lt(p.rounds, 64);
        e.round[p.rounds - 1] = s.bytes;
        e.bytes += s.bytes;
        ns += took;
        s = precopy_next(&p, precopy_dirty(w, took), took);
    }
    e.rounds = p.rounds;
    e.diverged = s.what == PRECOPY_DIVERGED;
    e.left = s.bytes;
    int64_t last = ns_for(s.bytes, s.rate_bps ? s.rate_bps : 1000 * MB);
    e.downtime_s = (double)last / 1e9;
    e.s = (double)(ns + last) / 1e9;
    e.bytes += s.bytes;
    ck_assert(e.diverged == p.diverged);
    return e;
}

static struct end fixed(int64_t memory, int64_t rate, int64_t dirty, int64_t below)
{
    struct precopy_cfg cfg = {.rate_bps = rate * 8, .stop_below_bytes = below, .max_rounds = 30};
    struct precopy_writer w = {.rate_bps = dirty * 8, .of_bytes = memory, .memory_bytes = memory};
    return run(&cfg, &w, memory);
}

START_TEST(a_fixed_rate)
{
    struct end e = fixed(1024 * MB, 125 * MB, 25 * MB, MB);
    ck_assert_uint_eq(e.rounds, 5);
    ck_assert_double_eq_tol(e.s, 10.23934464, 1e-6);
    ck_assert_int_eq(e.bytes, 1279918080); /* 1279.92 MB */
    ck_assert_double_eq_tol(e.downtime_s, .00262144, 1e-8);
    ck_assert(!e.diverged);
}

/* 500 MiB at 125 MiB/s, written at so many percent of the rate. */
START_TEST(as_it_is_written_faster)
{
    static const struct {
        int percent;
        uint32_t rounds;
        double s;
    } truth[] = {{0, 1, 4.000}, {25, 4, 5.328}, {50, 8, 7.984}, {90, 30, 38.474}};
    for (size_t i = 0; i < 4; i++) {
        struct end e = fixed(500 * MIB, 125 * MIB, 125 * MIB * truth[i].percent / 100, 2 * MIB);
        ck_assert_double_eq_tol(e.s, truth[i].s, .0005);
        ck_assert_uint_eq(e.rounds, truth[i].rounds);
        ck_assert(!e.diverged);
        if (truth[i].percent != 90) continue;
        ck_assert_double_eq_tol((double)e.left / (double)MIB, 21.2, .05);
        ck_assert_double_eq_tol(e.downtime_s, .170, .0005);
    }
}

START_TEST(faster_than_the_line)
{
    struct end e = fixed(500 * MIB, 125 * MIB, 150 * MIB, 2 * MIB);
    ck_assert(e.diverged);
    ck_assert_uint_eq(e.rounds, 1);
    ck_assert_int_eq(e.left, 500 * MIB); /* all of it again, and no more than there is */
}

START_TEST(what_ends_it)
{
    struct precopy p;
    struct precopy_cfg cfg = {.rate_bps = 8000, .stop_below_bytes = 100, .max_rounds = 3};
    struct precopy_step s = precopy_begin(&p, &cfg, 0); /* nothing there */
    ck_assert_int_eq(s.what, PRECOPY_STOP);
    ck_assert_uint_eq(p.rounds, 0);
    s = precopy_begin(&p, &cfg, 1000);
    ck_assert_int_eq(s.what, PRECOPY_ROUND);
    ck_assert_int_eq(s.bytes, 1000);
    ck_assert_int_eq(s.rate_bps, 8000);
    s = precopy_next(&p, 100, S); /* 100 is not below 100 */
    ck_assert_int_eq(s.what, PRECOPY_ROUND);
    s = precopy_next(&p, 99, S / 10);
    ck_assert_int_eq(s.what, PRECOPY_STOP);
    ck_assert_int_eq(s.rate_bps, 8000); /* step 0: the rest no faster */
    precopy_begin(&p, &cfg, 1000);
    ck_assert_int_eq(precopy_next(&p, 900, S).what, PRECOPY_ROUND);
    ck_assert_int_eq(precopy_next(&p, 800, S).what, PRECOPY_ROUND);
    s = precopy_next(&p, 700, S); /* three rounds are over */
    ck_assert_int_eq(s.what, PRECOPY_STOP);
    ck_assert_int_eq(s.bytes, 700);
}

START_TEST(equal_is_diverged)
{
    struct precopy p;
    struct precopy_cfg cfg = {.rate_bps = 8000, .stop_below_bytes = 100, .max_rounds = 30};
    precopy_begin(&p, &cfg, 1000);
    ck_assert_int_eq(precopy_next(&p, 1000, S).what, PRECOPY_DIVERGED);
    ck_assert(p.diverged);
    struct precopy_step s = precopy_go_on(&p, 1000, S); /* slowed down: the round all the same */
    ck_assert_int_eq(s.what, PRECOPY_ROUND);
    ck_assert_int_eq(s.bytes, 1000);
    ck_assert_uint_eq(p.rounds, 2);
    ck_assert_int_eq(precopy_next(&p, 999, S).what, PRECOPY_ROUND);
}

/* Adaptive: as fast as it was written and a step more, never below `rate`; above rate_max the end. */
START_TEST(the_rate_follows)
{
    struct precopy p;
    struct precopy_cfg cfg = {.rate_bps = 100 * MB,
                              .step_bps = 50 * MB,
                              .rate_max_bps = 500 * MB,
                              .stop_below_bytes = 256000,
                              .max_rounds = 30};
    precopy_begin(&p, &cfg, 800 * MB);
    ck_assert_int_eq(precopy_next(&p, 50 * MB, 64 * S).rate_bps, 100 * MB); /* 6.25 + 50 */
    ck_assert_int_eq(precopy_next(&p, 40 * MB, 4 * S).rate_bps, 130 * MB);
    ck_assert_int_eq(precopy_next(&p, 36 * MB, S * 64 / 100).what, PRECOPY_ROUND); /* 450 + 50 */
    struct precopy_step s = precopy_next(&p, 36 * MB - 1, S * 63 / 100);
    ck_assert_int_eq(s.what, PRECOPY_STOP);
    ck_assert_int_eq(s.rate_bps, 0); /* as fast as it goes */
}

START_TEST(what_is_written)
{
    struct precopy_writer w = {.rate_bps = 80 * MB, .of_bytes = 30 * MB, .memory_bytes = 100 * MB};
    ck_assert_int_eq(precopy_dirty(&w, S), 10 * MB);
    ck_assert_int_eq(precopy_dirty(&w, 5 * S), 30 * MB);
    w.cold_bps = 8 * MB;
    ck_assert_int_eq(precopy_dirty(&w, 5 * S), 35 * MB);
    ck_assert_int_eq(precopy_dirty(&w, 1000 * S), 100 * MB); /* no more than there is */
    w.uniform = true;
    ck_assert_double_eq_tol((double)precopy_dirty(&w, 3 * S), 30e6 * (1 - exp(-1)) + 3e6, 2);
    w.of_bytes = 500 * MB;
    ck_assert_int_eq(precopy_dirty(&w, 1000 * S), 100 * MB);
    w.of_bytes = 0;
    ck_assert_int_eq(precopy_dirty(&w, S), MB);
    ck_assert_int_eq(precopy_dirty(&w, 0), 0);
}

/* --- Clark et al., section 6.3: SPECweb99 --- */

static const double seen_mb[] = {676.8, 126.7, 39.0, 28.4};
static const struct precopy_cfg clark = {.rate_bps = 100 * MB,
                                         .step_bps = 50 * MB,
                                         .rate_max_bps = 500 * MB,
                                         .stop_below_bytes = 256000,
                                         .max_rounds = 30};

static struct precopy_writer writer(double hot_mb, double rate_mb, double cold_mb)
{
    return (struct precopy_writer){.of_bytes = llround(hot_mb * 1e6),
                                   .rate_bps = llround(rate_mb * 8e6),
                                   .cold_bps = llround(cold_mb * 8e6),
                                   .memory_bytes = 800 * MB,
                                   .uniform = true};
}

/* Sum of squares of the log errors of rounds 2 to 4, each from the real length of the one before it; those
 * went at the floor, 100 Mb/s, as the measured rates say (18.7, 30.8 Mb/s and 50 more). */
static double misfit(const struct precopy_writer *w)
{
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        double d = (double)precopy_dirty(w, llround(seen_mb[i] * 8e6 / 100e6 * 1e9));
        sum += pow(log(d / 1e6 / seen_mb[i + 1]), 2);
    }
    return sum;
}

static double best_fit(double rate_mb, double *hot, double *cold)
{
    double least = 1e9;
    for (int h = 150; h <= 300; h++) {
        for (int c = 100; c <= 300; c += 2) {
            struct precopy_writer w = writer(h / 10., rate_mb, c / 100.);
            double e = misfit(&w);
            if (e >= least) continue;
            least = e, *hot = h / 10., *cold = c / 100.;
        }
    }
    return least;
}

/* CAL: hot set and cold rate from rounds 1 to 4. The hot set's own rate cannot be had from them: in the 3.1 s
 * of round 3 it is written all over, and the fit only gets better the faster it is. 200 MB/s stands for "at
 * once"; from 120 MB/s on the end changes by one round and 1 % of the bytes.
 *
 * PRED, against 9 rounds with the last, 960 MB, 71 s, 210 ms: the downtime is met (25 %); bytes, time and
 * rounds are not (5 %, 5 %, 1): this model sends in each round all that was written in the last, where
 * Clark's passes over pages written again before their turn. What is asserted is how far off it is. */
START_TEST(specweb)
{
    double hot = 0, cold = 0, before = 1e9, rates[] = {15, 30, 60, 200};
    for (int i = 0; i < 4; i++) {
        double e = best_fit(rates[i], &hot, &cold);
        ck_assert_double_lt(e, before);
        before = e;
    }
    ck_assert_double_eq_tol(hot, 21.7, .01);
    ck_assert_double_eq_tol(cold, 1.90, .001);
    struct precopy_writer w = writer(hot, 200, cold);
    struct end e = run(&clark, &w, llround(seen_mb[0] * 1e6));
    for (int i = 1; i < 4; i++) /* CAL: the fit itself */
        ck_assert_double_eq_tol((double)e.round[i] / 1e6 / seen_mb[i], 1, .05);
    double down_ms = 60 + e.downtime_s * 1e3;
    ck_assert_double_eq_tol(down_ms / 210, 1.10, .05);           /* met: 25 % */
    ck_assert_double_eq_tol((double)e.bytes / 960e6, 1.12, .01); /* not met: 5 % */
    ck_assert_double_eq_tol((e.s + .060) / 71, 1.055, .003);     /* not met, by a hair: 5 % */
    ck_assert_uint_eq(e.rounds + 1, 13);                         /* not met: 9 +- 1 */
    ck_assert_double_eq_tol((double)e.round[4] / 1e6 / 24.2, 1.044, .005);
}

Suite *precopy_suite(void)
{
    Suite *s = suite_create("precopy");
    TCase *t = tcase_create("precopy");
    tcase_add_test(t, a_fixed_rate);
    tcase_add_test(t, as_it_is_written_faster);
    tcase_add_test(t, faster_than_the_line);
    tcase_add_test(t, what_ends_it);
    tcase_add_test(t, equal_is_diverged);
    tcase_add_test(t, the_rate_follows);
    tcase_add_test(t, what_is_written);
    tcase_add_test(t, specweb);
    suite_add_tcase(s, t);
    return s;
}
