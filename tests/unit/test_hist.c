// SPDX-License-Identifier: GPL-3.0-or-later
/* The histogram against the sorted values themselves: its bound holds, its exact parts are exact. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "metrics/hist.h"

Suite *hist_suite(void);

enum { N = 20000 };
static const double BOUND = 1.0 / 128;
static const double qs[] = {0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1};

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Spread over `bits` octaves, as the i-th of a fixed sequence. */
static int64_t made_up(uint64_t i, unsigned bits)
{
    return (int64_t)(rng_mix(2 * i + 1) >> (1 + rng_mix(i) % 63) >> (63 - bits));
}

START_TEST(quantiles_keep_their_bound)
{
    int64_t *v = calloc(N, sizeof *v);
    struct hist h = {0};
    unsigned bits = (unsigned)_i;
    for (uint64_t i = 0; i < N; i++)
        hist_add(&h, v[i] = made_up(i, bits));
    qsort(v, N, sizeof *v, by_size);
    for (size_t k = 0; k < sizeof qs / sizeof *qs; k++) {
        double at = qs[k] * (N - 1);
        size_t below = (size_t)at;
        double above = (double)v[below + 1 < N ? below + 1 : below];
        double want = (double)v[below] + (at - (double)below) * (above - (double)v[below]);
        double got = hist_quantile(&h, qs[k]);
        ck_assert_msg(fabs(got - want) <= BOUND * above + 1e-9, "q %g: %.17g, not %.17g", qs[k], got, want);
    }
    ck_assert(hist_quantile(&h, 0) == (double)v[0] && hist_quantile(&h, 1) == (double)v[N - 1]);
    hist_done(&h);
    free(v);
}
END_TEST

START_TEST(count_sum_and_mean_are_exact)
{
    struct hist h = {0};
    ck_assert(isnan(hist_mean(&h)) && isnan(hist_quantile(&h, 0.5)));
    for (int i = 0; i < 3; i++)
        hist_add(&h, INT64_MAX); /* their sum does not fit 64 bits */
    ck_assert(h.sum == (unsigned __int128)INT64_MAX * 3);
    ck_assert(hist_mean(&h) == (double)INT64_MAX);
    ck_assert(h.min == INT64_MAX && h.max == INT64_MAX && h.count == 3);
    hist_done(&h);
    hist_add_n(&h, 10, 3);
    hist_add_n(&h, 0, 1);
    ck_assert(hist_mean(&h) == 7.5 && h.min == 0 && h.max == 10 && h.count == 4);
    ck_assert(hist_quantile(&h, 0.5) == 10.0);
    hist_done(&h);
}
END_TEST

START_TEST(equal_values_come_out_exactly)
{
    static const int64_t values[] = {0, 1, 127, 128, 255, 256, 257, 1000003, 30200000, INT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct hist h = {0};
        hist_add_n(&h, values[i], 7);
        for (size_t k = 0; k < sizeof qs / sizeof *qs; k++)
            ck_assert(hist_quantile(&h, qs[k]) == (double)values[i]);
        hist_done(&h);
    }
}
END_TEST

START_TEST(merged_is_as_if_one_had_seen_all)
{
    struct hist a = {0}, b = {0}, all = {0}, none = {0};
    for (uint64_t i = 0; i < N; i++) {
        int64_t v = made_up(i, 40);
        hist_add(i % 3 ? &a : &b, v);
        hist_add(&all, v);
    }
    hist_merge(&a, &b);
    hist_merge(&a, &none);
    hist_merge(&none, &all);
    ck_assert(a.count == all.count && a.sum == all.sum && a.min == all.min && a.max == all.max);
    for (unsigned o = 0; o < HIST_OCTAVES; o++) {
        ck_assert_int_eq(!a.octave[o], !all.octave[o]);
        if (!a.octave[o]) continue;
        ck_assert_mem_eq(a.octave[o], all.octave[o], HIST_SUBS * sizeof(uint64_t));
        ck_assert_mem_eq(none.octave[o], all.octave[o], HIST_SUBS * sizeof(uint64_t));
    }
    hist_done(&a);
    hist_done(&b);
    hist_done(&all);
    hist_done(&none);
}
END_TEST

START_TEST(the_ecdf_rises_to_one_at_the_maximum)
{
    struct hist h = {0};
    double *x, *share;
    ck_assert_uint_eq(hist_ecdf(&h, 1e9, &x, &share), 0);
    ck_assert(!x && !share);
    int64_t values[] = {5, 5, 300, 1000000, 2000000};
    for (size_t i = 0; i < 5; i++)
        hist_add(&h, values[i]);
    size_t n = hist_ecdf(&h, 1.0, &x, &share);
    ck_assert_uint_eq(n, 4);
    ck_assert(x[0] == 5 && share[0] == 0.4 && x[3] == 2000000 && share[3] == 1.0);
    for (size_t i = 1; i < n; i++)
        ck_assert(x[i] > x[i - 1] && share[i] > share[i - 1]);
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(hist_count_to(&h, (int64_t)x[i]), (uint64_t)lround(share[i] * 5));
    free(x);
    free(share);
    hist_done(&h);
}
END_TEST

START_TEST(a_negative_duration_stops_the_program)
{
    struct hist h = {0};
    hist_add(&h, -1);
}
END_TEST

Suite *hist_suite(void)
{
    Suite *s = suite_create("hist");
    TCase *t = tcase_create("hist");
    tcase_add_loop_test(t, quantiles_keep_their_bound, 1, 64);
    tcase_add_test(t, count_sum_and_mean_are_exact);
    tcase_add_test(t, equal_values_come_out_exactly);
    tcase_add_test(t, merged_is_as_if_one_had_seen_all);
    tcase_add_test(t, the_ecdf_rises_to_one_at_the_maximum);
    tcase_add_test_raise_signal(t, a_negative_duration_stops_the_program, 6);
    suite_add_tcase(s, t);
    return s;
}
