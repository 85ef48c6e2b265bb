// SPDX-License-Identifier: GPL-3.0-or-later
/* Token buckets: exact to the ns, without drift, to the end of time. */
#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "policy/bucket.h"
#include "tests/often.h"

Suite *bucket_suite(void);

#define S INT64_C(1000000000)

START_TEST(nothing_bounds)
{
    struct bucket b;
    bucket_init(&b, 0, 0, 0, 0, 0);
    ck_assert(!bucket_bounds(&b));
    ck_assert_int_eq(bucket_take(&b, 1000000, 5), 5);
    ck_assert_int_eq(bucket_cost_ns(&b, 1000000), 0);
    ck_assert_int_le(bucket_ready_ns(&b), 0);
}
END_TEST

START_TEST(both_rates_at_once)
{
    struct bucket b; /* 1000 IOPS, 8 Mb/s: 1 ms, and 1 us a byte */
    bucket_init(&b, 1000 * INT64_C(1000000), 8000000, 0, 0, 0);
    ck_assert_int_eq(bucket_cost_ns(&b, 10), 1000000);
    ck_assert_int_eq(bucket_cost_ns(&b, 4000), 4000000);
    ck_assert_int_eq(bucket_take(&b, 10, 0), 1000000);
    ck_assert_int_eq(bucket_take(&b, 4000, 1000000), 5000000);
    ck_assert_int_eq(bucket_take(&b, 10, 5000000), 6000000);
    ck_assert_int_eq(bucket_take(&b, 10, 9000000), 10000000); /* idle, without a burst: lost */
    /* As they come instead of one by one, each rate is a budget of its own: 3 ms of requests, 4.02 ms of
     * bytes. */
    bucket_init(&b, 1000 * INT64_C(1000000), 8000000, 0, 0, 0);
    bucket_take(&b, 10, 0);
    bucket_take(&b, 4000, 0);
    ck_assert_int_eq(bucket_take(&b, 10, 0), 4020000);
}
END_TEST

/* 10^6 requests of 1/3 ns more than a whole number, asked for one after another by a clock of whole ns. */
START_TEST(no_drift)
{
    const int64_t n = FEWER(1000000);
    struct bucket b;
    bucket_init(&b, INT64_C(3000000000), 0, 0, 0, 0); /* 3000 IOPS: 333333.3 ns each */
    int64_t t = 0;
    for (int64_t i = 1; i <= n; i++) {
        t = bucket_take(&b, 1, t);
        ck_often(t == (i * 1000000 + 2) / 3);
    }
    bucket_init(&b, 0, 56, 0, 0, 0); /* 7 bytes a second */
    for (int64_t i = 1, now = 0; i <= n; i++) {
        now = bucket_take(&b, 1, now);
        ck_often(now == (i * S + 6) / 7);
    }
}
END_TEST

/* With a burst: what is saved up is exactly what was not used, and no more than the burst. */
START_TEST(saves_up_to_the_burst)
{
    struct bucket b;
    bucket_init(&b, 0, 8000, 500, 0, 0);               /* 1000 B/s */
    ck_assert_int_eq(bucket_take(&b, 500, 0), 0);      /* full at the start */
    ck_assert_int_eq(bucket_take(&b, 100, 0), S / 10); /* now by the rate */
    ck_assert_int_eq(bucket_take(&b, 200, S / 10 + S / 5), S / 10 + S / 5);
    ck_assert_int_eq(bucket_take(&b, 501, 100 * S), 100 * S + 1000000);
}
END_TEST

START_TEST(to_the_end_of_time)
{
    const int64_t far = INT64_C(3600) * 1000000 * S; /* 10^6 h */
    struct bucket b;
    bucket_init(&b, INT64_C(3000000000), 24000000, 1000000, 80000000, 0);
    ck_assert_int_eq(bucket_take(&b, 3000000, far), far + 2 * S / 3 + 1);
    bucket_init(&b, 1, 1, INT64_MAX, 1, 0); /* one request in 10^6 s, a bit a second */
    for (int i = 0; i < 20000; i++)
        ck_assert_int_ge(bucket_take(&b, INT64_MAX, far), far);
    ck_assert_int_eq(bucket_take(&b, 0, far), BUCKET_FOREVER);
    ck_assert_int_eq(bucket_ready_ns(&b), BUCKET_FOREVER);
    ck_assert_int_eq(bucket_cost_ns(&b, INT64_MAX), BUCKET_FOREVER);
    bucket_pass(&b, INT64_MAX, far);
    ck_assert_int_eq(bucket_ready_ns(&b), BUCKET_FOREVER);
}
END_TEST

/* A limit lets in when nothing is owed, forgives lateness of one request, and no more. */
START_TEST(late_by_one_request)
{
    struct bucket b;
    bucket_init(&b, 100 * INT64_C(1000000), 0, 0, 0, 0); /* one in 10 ms */
    const int64_t ms = 1000000;
    bucket_pass(&b, 1, 0);
    ck_assert_int_eq(bucket_ready_ns(&b), 10 * ms);
    bucket_pass(&b, 1, 17 * ms); /* 7 ms late: the next keeps its time */
    ck_assert_int_eq(bucket_ready_ns(&b), 20 * ms);
    bucket_pass(&b, 1, 75 * ms); /* 55 ms late: it makes up for one */
    ck_assert_int_eq(bucket_ready_ns(&b), 75 * ms);
    bucket_pass(&b, 1, 75 * ms);
    ck_assert_int_eq(bucket_ready_ns(&b), 85 * ms);
    bucket_rest(&b, 200 * ms);
    ck_assert_int_eq(bucket_ready_ns(&b), 200 * ms);
}
END_TEST

START_TEST(other_rates)
{
    struct bucket b;
    bucket_init(&b, INT64_C(6000000000), 0, 0, 0, 0); /* two thirds of a ns are carried over */
    int64_t t = bucket_take(&b, 1, 0);
    bucket_set(&b, INT64_C(3000000000), 0, 0, 0, t);
    ck_assert_int_eq(bucket_take(&b, 1, t), 500000);
    bucket_init(&b, 0, 8000, 0, 0, 0);
    ck_assert_int_eq(bucket_take(&b, 2000, 0), 2 * S);
    bucket_set(&b, 0, 16000, 0, 0, S); /* what is owed stays, as time */
    ck_assert_int_eq(bucket_take(&b, 2000, S), 3 * S);
    bucket_set(&b, 0, 0, 0, 0, S);
    ck_assert_int_eq(bucket_take(&b, 2000, S), S);
    bucket_set(&b, 0, 8000, 1000, 0, 2 * S);
    ck_assert_int_eq(bucket_take(&b, 1000, 2 * S), 2 * S);
    bucket_set(&b, 0, 8000, 100, 0, 50 * S); /* a smaller burst: less is saved up */
    ck_assert_int_eq(bucket_take(&b, 1100, 50 * S), 51 * S);
}
END_TEST

/* Against max over all first requests of (first's arrival + what came since, less the burst, over the rate):
 * the other way to say what a bucket does. Times are whole, rates divide, all is exact. */
START_TEST(as_the_other_definition_says)
{
    enum { N = 200 };
    struct rng r = rng_at(11, (uint64_t)_i, 0);
    static const int64_t whole[] = {1,  2,  4,  5,   8,   10,
                                    20, 25, 40, 100, 125, 1000}; /* ns, such that rates are whole */
    const int64_t byte = whole[rng_u32(&r) % 12], peak_byte = whole[rng_u32(&r) % 6];
    const int64_t burst = _i % 2 ? rng_u32(&r) % 20000 : 0;
    struct bucket b;
    int64_t at[N], bytes[N], now = 0;
    bucket_init(&b, 0, 8 * S / byte, burst, 8 * S / peak_byte, 0);
    for (int i = 0; i < N; i++) {
        if (rng_u32(&r) % 3 == 0) now += rng_u32(&r) % (byte * 9000);
        at[i] = now;
        bytes[i] = 1 + rng_u32(&r) % 5000;
        int64_t sum = 0, expect = now;
        for (int k = i; k >= 0; k--) {
            sum += bytes[k];
            if (at[k] + (sum - burst) * byte > expect) expect = at[k] + (sum - burst) * byte;
            if (at[k] + sum * peak_byte > expect) expect = at[k] + sum * peak_byte;
        }
        ck_often(bucket_take(&b, bytes[i], now) == expect);
    }
}
END_TEST

Suite *bucket_suite(void)
{
    Suite *s = suite_create("bucket");
    TCase *t = tcase_create("bucket");
    tcase_add_test(t, nothing_bounds);
    tcase_add_test(t, both_rates_at_once);
    tcase_add_test(t, no_drift);
    tcase_add_test(t, saves_up_to_the_burst);
    tcase_add_test(t, to_the_end_of_time);
    tcase_add_test(t, late_by_one_request);
    tcase_add_test(t, other_rates);
    tcase_add_loop_test(t, as_the_other_definition_says, 0, 40);
    suite_add_tcase(s, t);
    return s;
}
