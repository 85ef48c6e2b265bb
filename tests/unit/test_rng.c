// SPDX-License-Identifier: GPL-3.0-or-later
/* Streams: the published generator, and streams that know nothing of their neighbours. Seeds are fixed;
 * bounds are 4 to 5 standard deviations of what independent streams would show. */
#include <check.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "tests/often.h"

Suite *rng_suite(void);

enum { N = FEWER(1 << 17) };

static struct rng by_b(uint64_t i)
{
    return rng_at(77, 0, i);
}
static struct rng by_a(uint64_t i)
{
    return rng_at(77, i, 0);
}
static struct rng by_both(uint64_t i)
{
    return rng_at(77, i & 255, i >> 8);
}
static struct rng by_diagonal(uint64_t i)
{
    return rng_at(77, i, i);
}
static struct rng by_raw_key(uint64_t i)
{
    return rng_at(i, 0, 0);
}
static struct rng by_seed(uint64_t i)
{
    return rng_at(rng_key(i, 5, RNG_STEPS), 0, 0);
}
static struct rng by_high_bits(uint64_t i)
{
    return rng_at(77, i << 40, 0);
}

static struct rng (*const families[])(uint64_t) = {by_b,       by_a,    by_both,     by_diagonal,
                                                   by_raw_key, by_seed, by_high_bits};
enum { FAMILIES = sizeof families / sizeof families[0] };

START_TEST(pcg32_as_published)
{
    static const uint32_t want[] = {0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e};
    struct rng r = {.state = 0, .inc = 54u << 1 | 1}; /* pcg32_srandom(42, 54) */
    rng_u32(&r);
    r.state += 42;
    rng_u32(&r);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        ck_assert_uint_eq(rng_u32(&r), want[i]);
}
END_TEST

/* FNV-1a's published values for "" and "a", then mixed. */
START_TEST(names_are_hashed_by_fnv)
{
    ck_assert_uint_eq(rng_hash_name("", 0), rng_mix(0xcbf29ce484222325));
    ck_assert_uint_eq(rng_hash_name("a", 1), rng_mix(0xaf63dc4c8601ec8c));
    ck_assert_uint_eq(rng_hash_name("foobar", 6), rng_mix(0x85944171f73967e8));
    ck_assert_uint_ne(rng_hash_name("vm-1", 4), rng_hash_name("vm-2", 4));
    ck_assert_uint_eq(rng_hash_name("vm-1", 3), rng_hash_name("vm-", 3));
}
END_TEST

START_TEST(keys_differ_by_seed_name_and_use)
{
    uint64_t db = rng_hash_name("db", 2), web = rng_hash_name("web", 3);
    uint64_t k[] = {rng_key(1, db, RNG_STEPS), rng_key(2, db, RNG_STEPS), rng_key(1, web, RNG_STEPS),
                    rng_key(1, db, RNG_THINK), rng_key(1, db, RNG_TIE),   rng_key(1, db, RNG_ARRIVAL)};
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(k[i], k[j]);
    ck_assert_uint_eq(k[0], rng_key(1, db, RNG_STEPS));
}
END_TEST

/* Over neighbouring streams the first outputs fill 256 bins evenly, by their upper and their lower bits. */
START_TEST(first_outputs_are_equidistributed)
{
    for (int shift = 0; shift <= 24; shift += 24) {
        double bins[256] = {0}, chi2 = 0;
        for (uint64_t i = 0; i < N; i++) {
            struct rng r = families[_i](i);
            bins[rng_u32(&r) >> shift & 255]++;
        }
        for (int i = 0; i < 256; i++)
            chi2 += (bins[i] - N / 256.0) * (bins[i] - N / 256.0) / (N / 256.0);
        double p = gsl_cdf_chisq_Q(chi2, 255);
        ck_assert_msg(p > 1e-5 && p < 1 - 1e-5, "family %d, bits from %d: chi2 %g, p %g", _i, shift, chi2, p);
    }
}
END_TEST

/* The j-th output of a stream and the k-th of the next (and of the one after) have no correlation. */
START_TEST(neighbours_do_not_correlate)
{
    for (unsigned gap = 1; gap <= 2; gap++) {
        double sum[3][3] = {{0}};
        for (uint64_t i = 0; i < N; i++) {
            struct rng r = families[_i](i), s = families[_i](i + gap);
            double x[3], y[3];
            for (int j = 0; j < 3; j++) {
                x[j] = (rng_u32(&r) + 0.5) * 0x1p-32 - 0.5;
                y[j] = (rng_u32(&s) + 0.5) * 0x1p-32 - 0.5;
            }
            for (int j = 0; j < 9; j++)
                sum[j / 3][j % 3] += x[j / 3] * y[j % 3];
        }
        for (int j = 0; j < 9; j++) {
            double z = sum[j / 3][j % 3] * 12 / sqrt(N); /* standard normal if independent */
            ck_assert_msg(fabs(z) < 4.5, "family %d, gap %u, outputs %d and %d: z = %g", _i, gap, j / 3,
                          j % 3, z);
        }
    }
}
END_TEST

/* One bit changed in key, a or b changes half of the bits of the first output. */
START_TEST(each_bit_of_the_key_moves_half_of_the_output)
{
    struct rng pick = rng_at(1, 2, 3);
    for (int bit = 0; bit < 192; bit++) {
        int64_t moved = 0;
        for (int i = 0; i < 2000; i++) {
            uint64_t k[3], was, is;
            for (int j = 0; j < 3; j++)
                k[j] = (uint64_t)rng_u32(&pick) << 32 | rng_u32(&pick);
            struct rng r = rng_at(k[0], k[1], k[2]);
            was = rng_u32(&r);
            k[bit / 64] ^= UINT64_C(1) << bit % 64;
            r = rng_at(k[0], k[1], k[2]);
            is = rng_u32(&r);
            moved += __builtin_popcountll(was ^ is);
        }
        double z = ((double)moved - 32000) / sqrt(32 * 2000 * 0.25);
        ck_assert_msg(fabs(z) < 5, "bit %d: %ld of 64000 bits moved", bit, (long)moved);
    }
}
END_TEST

static int by_state(const void *x, const void *y)
{
    const struct rng *a = x, *b = y;
    if (a->state != b->state) return a->state < b->state ? -1 : 1;
    return a->inc < b->inc ? -1 : a->inc > b->inc;
}

START_TEST(no_two_streams_are_one)
{
    struct rng *all = malloc(N * sizeof *all);
    for (uint64_t i = 0; i < N; i++)
        all[i] = families[_i](i);
    for (uint64_t i = 0; i < N; i++)
        ck_often(all[i].inc & 1);
    qsort(all, N, sizeof *all, by_state);
    for (uint64_t i = 1; i < N; i++)
        ck_often(all[i].state != all[i - 1].state && all[i].inc != all[i - 1].inc);
    free(all);
}
END_TEST

Suite *rng_suite(void)
{
    Suite *s = suite_create("rng");
    TCase *t = tcase_create("rng");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, pcg32_as_published);
    tcase_add_test(t, names_are_hashed_by_fnv);
    tcase_add_test(t, keys_differ_by_seed_name_and_use);
    tcase_add_loop_test(t, first_outputs_are_equidistributed, 0, FAMILIES);
    tcase_add_loop_test(t, neighbours_do_not_correlate, 0, FAMILIES);
    tcase_add_test(t, each_bit_of_the_key_moves_half_of_the_output);
    tcase_add_loop_test(t, no_two_streams_are_one, 0, FAMILIES);
    suite_add_tcase(s, t);
    return s;
}
