// SPDX-License-Identifier: GPL-3.0-or-later
/* What queues, buckets and disks must come out at, by numbers that can be worked out by hand. */
#include <check.h>
#include <math.h>

#include "base/draw.h"
#include "policy/bucket.h"
#include "policy/hdd.h"
#include "policy/ssd.h"
#include "tests/properties/ioqueue_world.h"

Suite *ioqueue_truths_suite(void);

#define near(x, y, relative) ck_assert_double_le(fabs((double)(x) / (double)(y)-1), relative)

static const char *const weighted[] = {"fair", "mclock"};

/* A store of 8000 IOPS; host 1: VM1 1000 shares, VM2 2500; host 2: VM3 500 offering 10 IOPS, VM4 1000 limited
 * to 2000. By hosts, host 2 is entitled to 8000*1500/5000 = 2400, uses 2010, and the rest is host 1's. */
static void storage(struct iow *w, const char *cls, bool flat)
{
    *w = (struct iow){.cls = cls, .n = 4, .n_groups = flat ? 1 : 2};
    static const uint32_t weights[] = {1000, 2500, 500, 1000};
    for (uint32_t i = 0; i < 4; i++)
        w->f[i] = (struct iow_flow){.cfg = {.weight = weights[i], .group = flat ? 0 : i / 2},
                                    .depth = 32,
                                    .bytes = 8192,
                                    .cost_ns = IOW_S / 8000};
    w->f[2].depth = 0;
    w->f[2].every_ns = IOW_S / 10;
    w->f[3].cfg.limit_u = INT64_C(2000000000);
    iow_begin(w, 1);
    iow_run(w, 20 * IOW_S);
    iow_end(w);
}

START_TEST(storage_shares_by_hosts)
{
    struct iow w;
    storage(&w, weighted[_i], false);
    near(iow_rate(&w, 0), 5990. * 1000 / 3500, .002); /* 1711 */
    near(iow_rate(&w, 1), 5990. * 2500 / 3500, .002); /* 4279 */
    near(iow_rate(&w, 2), 10, .005);
    near(iow_rate(&w, 3), 2000, .001);
}
END_TEST

START_TEST(storage_shares_flat)
{
    struct iow w;
    storage(&w, weighted[_i], true);
    near(iow_rate(&w, 0), 7990. * 1000 / 4500, .002); /* 1776 */
    near(iow_rate(&w, 1), 7990. * 2500 / 4500, .002); /* 4439 */
    near(iow_rate(&w, 2), 10, .005);
    near(iow_rate(&w, 3), 7990. * 1000 / 4500, .002);
}
END_TEST

/* 2:1 on 200 MB/s: large and small requests against small ones of one size; what counts is bytes. */
START_TEST(two_to_one_in_bandwidth)
{
    struct iow w = {.cls = weighted[_i], .n = 2, .vary = true};
    w.f[0] = (struct iow_flow){.cfg = {.weight = 2000}, .depth = 4, .bytes = 500000, .cost_ns = 2500000};
    w.f[1] = (struct iow_flow){.cfg = {.weight = 1000}, .depth = 4, .bytes = 20000, .cost_ns = 100000};
    iow_begin(&w, 3);
    iow_run(&w, 60 * IOW_S);
    near((double)w.f[0].done_bytes / 60e6, 133.3333, .002);
    near((double)w.f[1].done_bytes / 60e6, 66.6667, .002);
    iow_end(&w);
}
END_TEST

/* 2:1 where each request costs 1/IOPS, whatever its size. */
START_TEST(two_to_one_in_requests)
{
    struct iow w = {.cls = weighted[_i], .n = 2};
    w.f[0] = (struct iow_flow){.cfg = {.weight = 2000}, .depth = 4, .bytes = 65536, .cost_ns = 50000};
    w.f[1] = (struct iow_flow){.cfg = {.weight = 1000}, .depth = 4, .bytes = 512, .cost_ns = 50000};
    iow_begin(&w, 3);
    iow_run(&w, 10 * IOW_S);
    near(iow_rate(&w, 0), 20000 * 2. / 3, .0005);
    near(iow_rate(&w, 1), 20000 / 3., .0005);
    iow_end(&w);
}
END_TEST

/* The same where nobody knows a request's cost before it is served, as on a hard disk. */
START_TEST(two_to_one_in_time_told_afterwards)
{
    struct iow w = {.cls = weighted[_i], .n = 2, .unknown = true};
    w.f[0] = (struct iow_flow){.cfg = {.weight = 2000}, .depth = 4, .bytes = 1, .cost_ns = 1000000};
    w.f[1] = (struct iow_flow){.cfg = {.weight = 1000}, .depth = 4, .bytes = 1, .cost_ns = 3000000};
    iow_begin(&w, 3);
    iow_run(&w, 60 * IOW_S);
    near((double)w.f[0].done_cost_ns, 2 * (double)w.f[1].done_cost_ns, .001);
    iow_end(&w);
}
END_TEST

/* In order of arrival, who keeps three requests out gets three times as much as who keeps one. */
START_TEST(first_come_is_by_depth)
{
    struct iow w = {.cls = "fifo", .n = 2};
    w.f[0] = (struct iow_flow){.cfg = {.weight = 1}, .depth = 3, .cost_ns = 50000};
    w.f[1] = (struct iow_flow){.cfg = {.weight = 10000}, .depth = 1, .cost_ns = 50000};
    iow_begin(&w, 3);
    iow_run(&w, IOW_S);
    near(iow_rate(&w, 0), 15000, 1e-3);
    near(iow_rate(&w, 1), 5000, 1e-3);
    iow_end(&w);
}
END_TEST

/* x_i = clamp(lambda w_i, R_i, L_i) with the sum of the capacity: what mClock is for. */
static void fill_up(const struct iow *w, double capacity, double *x)
{
    double low = 0, high = 1e9;
    for (int k = 0; k < 200; k++) {
        double lambda = (low + high) / 2, sum = 0;
        for (uint32_t i = 0; i < w->n; i++) {
            const struct ioqueue_flow_cfg *c = &w->f[i].cfg;
            x[i] = fmax(lambda * c->weight, (double)c->reservation_u / 1e6);
            if (c->limit_u) x[i] = fmin(x[i], (double)c->limit_u / 1e6);
            sum += x[i];
        }
        *(sum < capacity ? &low : &high) = lambda;
    }
}

START_TEST(mclock_fills_up)
{
    struct rng r = {rng_mix((uint64_t)_i + 77), 5};
    struct iow w = {.cls = "mclock", .n = 2 + (uint32_t)_i % 6, .late_ns = _i % 2 ? 20000 : 0};
    const double capacity = 1e9 / (1e6 + (w.late_ns ? 10000 : 0));
    for (uint32_t i = 0; i < w.n; i++) {
        w.f[i] =
            (struct iow_flow){.cfg = {.weight = 100 + rng_u32(&r) % 2000}, .depth = 16, .cost_ns = 1000000};
        /* All reservations together at most 80 %. */
        if (rng_u32(&r) % 2) w.f[i].cfg.reservation_u = INT64_C(1000000) * (rng_u32(&r) % 800 / w.n + 1);
        if (rng_u32(&r) % 3 == 0)
            w.f[i].cfg.limit_u = w.f[i].cfg.reservation_u + INT64_C(1000000) * (20 + rng_u32(&r) % 400);
    }
    w.f[0].cfg.limit_u = 0; /* somebody takes the rest */
    double x[IOW_FLOWS];
    fill_up(&w, capacity, x);
    iow_begin(&w, 9);
    iow_run(&w, 50 * IOW_S);
    for (uint32_t i = 0; i < w.n; i++)
        ck_assert_msg(fabs(iow_rate(&w, i) - x[i]) <= .01 * x[i] + .1, "case %d flow %u: %f, not %f", _i, i,
                      iow_rate(&w, i), x[i]);
    iow_end(&w);
}
END_TEST

#define MB INT64_C(1000000)

/* 10 MB/s, burst 100 MB, peak 100 MB/s: 1000 MB take 90.0 s, to the ns, in however many requests, whether
 * they all come at once or one after another. */
START_TEST(token_bucket)
{
    static const int64_t pieces[] = {1, 1000, 999, 1000000};
    for (int one_by_one = 0; one_by_one < 2; one_by_one++) {
        struct bucket b;
        bucket_init(&b, 0, 80 * MB, 100 * MB, 800 * MB, 0);
        int64_t n = pieces[_i], left = 1000 * MB, through = 0;
        for (int64_t i = 0; i < n; i++) {
            int64_t bytes = left / (n - i);
            left -= bytes;
            through = bucket_take(&b, bytes, one_by_one ? through : 0);
        }
        ck_assert_int_eq(left, 0);
        ck_assert_int_eq(through, 90 * IOW_S);
    }
}
END_TEST

/* The same as a limit of a flow on a device of 100 MB/s: the last 10 KB begin 1 ms of the limit early at
 * most. */
START_TEST(token_bucket_as_limit)
{
    struct iow w = {.cls = weighted[_i], .n = 1};
    w.f[0] = (struct iow_flow){.cfg = {.weight = 1, .limit_bps = 80 * MB, .limit_burst_bytes = 100 * MB},
                               .depth = 4,
                               .bytes = 10000,
                               .cost_ns = 100000};
    iow_begin(&w, 1);
    while (w.f[0].done_bytes < 1000 * MB)
        iow_run(&w, w.now + 1);
    ck_assert_int_le(llabs(w.f[0].last_ns - 90 * IOW_S), 1000000);
    iow_end(&w);
}
END_TEST

/* HP 97560, random 8 KB, in order of arrival: 25.860 ms. */
START_TEST(hp97560)
{
    struct hdd h;
    hdd_init(&h, hdd_preset_at(0));
    near((double)hdd_mean_random_ns(&h, 8192), 25.860e6, 2e-5);
    struct rng r = rng_at(1, 2, 3);
    const int n = 200000;
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        int64_t sector = (int64_t)(((uint64_t)rng_u32(&r) << 20) % (uint64_t)(h.bytes / 512));
        double t = (double)hdd_serve_ns(&h, sector * 512, 8192, &r);
        sum += t;
        squares += t * t;
    }
    double mean = sum / n, sigma = sqrt((squares / n - mean * mean) / n);
    ck_assert_double_le(fabs(mean - (double)hdd_mean_random_ns(&h, 8192)), 4 * sigma);
    near(mean, 25.860e6, .002);
}
END_TEST

/* Where the last ended: no seek, no rotation. One track of 36 KB takes a turn of 14.993 ms, and 2.2 ms. */
START_TEST(hp97560_streams)
{
    struct hdd h;
    hdd_init(&h, hdd_preset_at(0));
    struct rng r = rng_at(1, 2, 3);
    hdd_serve_ns(&h, 0, 36864, &r);
    for (int i = 1; i < 100; i++)
        ck_assert_int_le(llabs(hdd_serve_ns(&h, i * 36864, 36864, &r) - 2200000 - 14992504), 1);
    ck_assert_uint_eq(h.cylinder, 99 / 19);
    int64_t most = 0, least = INT64_MAX;
    for (int i = 0; i < 1000; i++) { /* on its cylinder, but elsewhere: a part of a turn */
        int64_t t = hdd_serve_ns(&h, 95 * 36864 + i % 2 * 512, 0, &r);
        if (t > most) most = t;
        if (t < least) least = t;
    }
    ck_assert_int_ge(least, 2200000);
    ck_assert_int_lt(most, 2200000 + 14992504);
    ck_assert_int_gt(most - least, 14800000);
    hdd_serve_ns(&h, h.bytes - 512, 1024, &r); /* round the end */
    ck_assert_uint_eq(h.cylinder, 0);
}
END_TEST

START_TEST(seeks_by_the_formula)
{
    const struct hdd_preset *p = hdd_preset_at(0);
    ck_assert_int_eq(hdd_seek_ns(p, 0), 0);
    ck_assert_int_eq(hdd_seek_ns(p, 1), 3640000);
    ck_assert_int_eq(hdd_seek_ns(p, 100), 7240000);
    ck_assert_int_eq(hdd_seek_ns(p, 383), 3240000 + (int64_t)(400000 * sqrt(383)));
    ck_assert_int_eq(hdd_seek_ns(p, 384), 8000000 + 384 * 8000);
    ck_assert_int_eq(hdd_seek_ns(p, 1961), 8000000 + 1961 * 8000);
}
END_TEST

START_TEST(sata7200)
{
    struct hdd h;
    hdd_init(&h, hdd_preset_at(1));
    near((double)(hdd_mean_random_ns(&h, 0) - h.preset->ctl_ns - h.rotation_ns / 2), 8.5e6, .01);
    near((double)hdd_seek_ns(h.preset, h.preset->cylinders - 1), 17e6, .001);
    near((double)h.bytes, 1e12, .01);
    near(1e9 / (double)hdd_transfer_ns(&h, MB), 130, .005);
}
END_TEST

/* An elevator over 64 waiting requests against order of arrival, same places. */
static double seconds(const char *cls)
{
    struct iow w = {.cls = cls, .n = 1};
    struct hdd h;
    hdd_init(&h, hdd_preset_at(0));
    w.f[0] = (struct iow_flow){.cfg = {.weight = 1}, .depth = 64, .bytes = 8192};
    w.span = h.bytes;
    iow_begin(&w, 5);
    struct rng r = rng_at(1, 2, 3);
    for (int i = 0; i < 20000; i++) {
        int64_t again;
        struct ioqueue_req *x = ioqueue_next(w.q, w.now, &again);
        w.now += hdd_serve_ns(&h, x->position, 8192, &r);
        x->next = w.free;
        w.free = x;
        iow_ask(&w, 0);
    }
    iow_end(&w);
    return (double)w.now / 1e9;
}

START_TEST(elevator_pays)
{
    double fifo = seconds("fifo"), deadline = seconds("deadline");
    near(fifo, 20000 * .025860, .01);
    /* 64 places on 1962 cylinders: the next is 30 away, a seek of 5.4 ms instead of 12.8. */
    near(deadline, 20000 * .0184, .02);
}
END_TEST

/* 16 requests at random places on 32 dies fall on 32 (1 - (31/32)^16) = 12.745 different ones. */
START_TEST(distinct_dies)
{
    struct rng r = rng_at(4, 5, 6);
    const int n = 100000;
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        uint32_t hit = 0;
        for (int k = 0; k < 16; k++)
            hit |= 1u << ssd_die((int64_t)rng_u32(&r) * 512, 32);
        double distinct = __builtin_popcount(hit);
        sum += distinct;
        squares += distinct * distinct;
    }
    double mean = sum / n;
    ck_assert_double_le(fabs(mean - 12.745), 4 * sqrt((squares / n - mean * mean) / n) + .0005);
}
END_TEST

START_TEST(pages_of_a_request)
{
    ck_assert_int_eq(ssd_pages(0, 0), 0);
    ck_assert_int_eq(ssd_pages(0, 1), 1);
    ck_assert_int_eq(ssd_pages(4095, 1), 1);
    ck_assert_int_eq(ssd_pages(4095, 2), 2);
    ck_assert_int_eq(ssd_pages(8192, 16384), 4);
    ck_assert_int_eq(ssd_pages(8193, 16384), 5);
    for (uint32_t i = 0; i < 100; i++)
        ck_assert_uint_eq(ssd_die((int64_t)i * 4096 + 17, 32), i % 32);
}
END_TEST

/* WA = 1/(1-u), rho = (u-1)/ln u: u = 1/2 at rho = 1/(2 ln 2). */
START_TEST(write_amplification)
{
    ck_assert_int_le(llabs(ssd_amplification_ppm(1000000 - 721348) - 2000000), 5);
    for (int64_t spare = 20000; spare < 1000000; spare += 20000) {
        double wa = (double)ssd_amplification_ppm(spare) / 1e6, u = 1 - 1 / wa;
        if (spare < 900000) near((u - 1) / log(u), 1 - (double)spare / 1e6, 1e-4);
        ck_assert_double_ge(wa, 1);
    }
    ck_assert_int_eq(ssd_amplification_ppm(0), 1000000);
}
END_TEST

Suite *ioqueue_truths_suite(void)
{
    Suite *s = suite_create("ioqueue_truths");
    TCase *t = tcase_create("shares");
    tcase_add_loop_test(t, storage_shares_by_hosts, 0, 2);
    tcase_add_loop_test(t, storage_shares_flat, 0, 2);
    tcase_add_loop_test(t, two_to_one_in_bandwidth, 0, 2);
    tcase_add_loop_test(t, two_to_one_in_requests, 0, 2);
    tcase_add_loop_test(t, two_to_one_in_time_told_afterwards, 0, 2);
    tcase_add_test(t, first_come_is_by_depth);
    tcase_add_loop_test(t, mclock_fills_up, 0, 30);
    suite_add_tcase(s, t);
    t = tcase_create("devices");
    tcase_add_loop_test(t, token_bucket, 0, 4);
    tcase_add_loop_test(t, token_bucket_as_limit, 0, 2);
    tcase_add_test(t, hp97560);
    tcase_add_test(t, hp97560_streams);
    tcase_add_test(t, seeks_by_the_formula);
    tcase_add_test(t, sata7200);
    tcase_add_test(t, elevator_pays);
    tcase_add_test(t, distinct_dies);
    tcase_add_test(t, pages_of_a_request);
    tcase_add_test(t, write_amplification);
    suite_add_tcase(s, t);
    return s;
}
