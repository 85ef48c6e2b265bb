// SPDX-License-Identifier: GPL-3.0-or-later
/* One source, the same bits: the library's draws and the guest's (compiled with the guest's flags and
 * linked here under guest_ names), a million of each distribution, compared one by one. Their hash is
 * written down too, so gcc and clang, -O0 and -O2, this year's compiler and next year's are held
 * together: a hash that changes means every seed has changed its results, which only a new format
 * version may do. */
#include <check.h>
#include <inttypes.h>
#include <math.h>

#include "program/prog.h"
#include "tests/often.h"

Suite *draw_bits_suite(void);

__typeof__(draw_amount) guest_draw_amount;
__typeof__(draw_make) guest_draw_make;
__typeof__(draw_mean) guest_draw_mean;
__typeof__(draw_least) guest_draw_least;
__typeof__(draw_log) guest_draw_log;
__typeof__(draw_exp) guest_draw_exp;
__typeof__(draw_pow) guest_draw_pow;
__typeof__(rng_at) guest_rng_at;
__typeof__(rng_key) guest_rng_key;
__typeof__(rng_hash_name) guest_rng_hash_name;

enum { N = 1000000, STREAM = 10 };

static const int64_t pool[] = {3, 1, 4, 1, 5, 9, 2, 6};

static const struct {
    struct dist d;
    uint64_t hash;
} cases[] = {
    {{.kind = DIST_CONST, .a = 5}, UINT64_C(0x371e264094b3eb3a)},
    {{.kind = DIST_EXPONENTIAL, .a = 1000000}, UINT64_C(0xc692c31424a7132d)},
    {{.kind = DIST_UNIFORM, .a = 10, .b = 987654321}, UINT64_C(0xdc069d887e340236)},
    {{.kind = DIST_NORMAL, .a = 100000, .b = 70000}, UINT64_C(0xe43a6a468ab0bd12)},
    {{.kind = DIST_LOGNORMAL, .a = 100000, .b = 250000}, UINT64_C(0x3c4eef2e717db5f2)},
    {{.kind = DIST_WEIBULL, .a = 1000000, .x = 0.7}, UINT64_C(0xee61186de50f8fa1)},
    {{.kind = DIST_PARETO, .a = 1000, .x = 1.1}, UINT64_C(0x622db28e22fcdbc0)},
    {{.kind = DIST_HYPEREXP, .a = 1000000, .x = 9}, UINT64_C(0x5394e6c8d84eb0cf)},
    {{.kind = DIST_ERLANG, .a = 1000000, .n = 20}, UINT64_C(0x95b2af42d020bdf5)},
    {{.kind = DIST_EMPIRICAL, .at = 1, .n = 7}, UINT64_C(0x704a397702b9eb85)},
    {{.kind = DIST_SEQUENCE, .at = 0, .n = 8}, UINT64_C(0x15e0e7a73a08219a)},
};

static uint64_t bits_of(double x)
{
    union {
        double d;
        uint64_t u;
    } v = {.d = x};
    return v.u;
}

START_TEST(a_million_draws_are_the_same)
{
    struct dist d = cases[_i].d, g = d;
    ck_assert_uint_eq(d.kind, (unsigned)_i);
    ck_assert(draw_make(&d) == 0 && guest_draw_make(&g) == 0);
    ck_assert(bits_of(d.u) == bits_of(g.u) && bits_of(d.v) == bits_of(g.v));
    ck_assert(bits_of(draw_mean(&d, pool)) == bits_of(guest_draw_mean(&g, pool)));
    ck_assert_int_eq(draw_least(&d, pool), guest_draw_least(&g, pool));
    uint64_t hash = 0;
    struct rng r = {0, 1}, s = r;
    for (uint64_t i = 0; i < N; i++) {
        if (i % STREAM == 0) {
            r = rng_at(2026, 7, i);
            s = guest_rng_at(2026, 7, i);
        }
        int64_t x = draw_amount(&d, &r, pool, i), y = guest_draw_amount(&g, &s, pool, i);
        if (x != y || r.state != s.state)
            ck_abort_msg("draw %" PRIu64 ": %" PRId64 ", guest %" PRId64, i, x, y);
        hash = rng_mix(hash + (uint64_t)x);
    }
    ck_assert_msg(hash == cases[_i].hash, "kind %d: hash 0x%016" PRIx64, _i, hash);
}
END_TEST

START_TEST(functions_are_the_same)
{
    struct rng r = rng_at(4, 4, 4);
    for (int i = 0; i < FEWER(N); i++) {
        double u = (rng_u32(&r) + 0.5) * 0x1p-32, x = ldexp(1 + u, (int)(rng_u32(&r) % 2100) - 1060);
        double y = ((double)rng_u32(&r) * 0x1p-31 - 1) * 750;
        ck_often(bits_of(draw_log(x)) == bits_of(guest_draw_log(x)));
        ck_often(bits_of(draw_exp(y)) == bits_of(guest_draw_exp(y)));
        ck_often(bits_of(draw_pow(x, y / 500)) == bits_of(guest_draw_pow(x, y / 500)));
    }
}
END_TEST

START_TEST(keys_are_the_same)
{
    uint64_t h = rng_hash_name("noisy-neighbour", 15);
    ck_assert_uint_eq(h, guest_rng_hash_name("noisy-neighbour", 15));
    ck_assert_uint_eq(rng_key(42, h, RNG_STEPS), guest_rng_key(42, h, RNG_STEPS));
    ck_assert_uint_eq(rng_key(42, h, RNG_STEPS), UINT64_C(0xb0077a837db2b71d));
    ck_assert_uint_eq(rng_at(42, 1, 2).state, UINT64_C(0x0b5485409c44e0cd));
    ck_assert_uint_eq(rng_at(42, 1, 2).inc, UINT64_C(0x0d43c88f11e4f8a9));
}
END_TEST

Suite *draw_bits_suite(void)
{
    Suite *s = suite_create("draw_bits");
    TCase *t = tcase_create("draw_bits");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_million_draws_are_the_same, 0, DIST_NKINDS);
    tcase_add_test(t, functions_are_the_same);
    tcase_add_test(t, keys_are_the_same);
    suite_add_tcase(s, t);
    return s;
}
