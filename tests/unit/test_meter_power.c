// SPDX-License-Identifier: GPL-3.0-or-later
/* Power, energy and cost from records, against sums by hand. */
#include <math.h>

#include "scenario/names.h"
#include "tests/lab.h"
#include "tests/unit/made_cloud.h"

Suite *meter_power_suite(void);

static const struct sc_power line = {.stated = true, .idle_mw = 100000, .busy_mw = 200000, .off_mw = 0};

static void rows_in_full(const struct cloud *c, const char *entity, const char *metric)
{
    const struct name_metric *m = name_find(metric);
    char stats[64];
    snprintf(stats, sizeof stats, "%s", name_stats(m->kind));
    for (char *save = NULL, *st = strtok_r(stats, " ", &save); st; st = strtok_r(NULL, " ", &save)) {
        const struct result *r = cloud_row(c, entity, metric, st);
        ck_assert_msg(r != NULL, "no %s.%s.%s", entity, metric, st);
        ck_assert_str_eq(r->unit, name_unit(m, st));
    }
}

/* n of 12 hosts of one core are on, each busy for so much of every 100 ms. */
static struct cloud *a_dozen(uint32_t on, int64_t busy_ms)
{
    struct cloud *c = cloud_new(12, 1, 12);
    for (uint32_t h = 0; h < 12; h++)
        c->hosts[h].power = line;
    cloud_start(c, false);
    for (uint32_t h = 0; h < on; h++)
        cloud_host(c, 0, h, REC_P_UP, 1);
    for (int64_t t = 0; t < 1000; t += 100) {
        for (uint32_t h = 0; h < on; h++)
            cloud_run(c, t, h, 0);
        for (uint32_t h = 0; h < on; h++)
            cloud_idle(c, t + busy_ms, h);
    }
    cloud_close_well(c);
    return c;
}

START_TEST(twelve_hosts_or_four)
{
    struct cloud *c = a_dozen(12, 20);
    ck_near(cloud_value(c, "cluster", "power", "mean"), 1440, 1e-9);
    ck_near(cloud_value(c, "cluster", "power", "max"), 1440, 1e-9);
    ck_near(cloud_value(c, "cluster", "energy", "total"), 1440, 1e-9);
    ck_near(cloud_value(c, "cluster", "energy", "rate"), 1440, 1e-9);
    ck_near(cloud_value(c, "host.h3", "power", "mean"), 120, 1e-9);
    ck_near(cloud_value(c, "cluster", "hosts.on", "mean"), 12, 1e-12);
    ck_near(cloud_sample(c, "cluster", "power", 300), 1440, 1e-9);
    static const char *const metrics[] = {"power", "energy"};
    for (size_t i = 0; i < 2; i++) {
        rows_in_full(c, "cluster", metrics[i]);
        rows_in_full(c, "host.h0", metrics[i]);
    }
    rows_in_full(c, "cluster", "hosts.on");
    cloud_done(c);
    c = a_dozen(4, 60);
    ck_near(cloud_value(c, "cluster", "power", "mean"), 640, 1e-9);
    ck_near(cloud_value(c, "host.h3", "power", "mean"), 160, 1e-9);
    ck_near(cloud_value(c, "host.h4", "power", "mean"), 0, 0);
    ck_near(cloud_value(c, "cluster", "hosts.on", "mean"), 4, 1e-12);
    cloud_done(c);
}
END_TEST

/* Up for 300 ms, busy with one of two cores in the last 150 of them; then off at 10 W until 800 ms. The host
 * is said to be down before what ran there ends. */
START_TEST(off_while_it_is_down)
{
    struct cloud *c = cloud_new(1, 2, 1);
    c->hosts[0].power = line;
    c->hosts[0].power.off_mw = 10000;
    c->hosts[0].price_u = 3600000; /* 3.6 an hour: a thousandth a second */
    cloud_start(c, false);
    cloud_host(c, 0, 0, REC_P_UP, 1);
    cloud_run(c, 150, 0, 0);
    cloud_host(c, 300, 0, REC_P_UP, 0);
    cloud_state(c, 300, 0, VCPU_DOWN, 0);
    cloud_host(c, 800, 0, REC_P_UP, 1);
    cloud_close_well(c);
    /* .5 s at 100 W, .15 s of half the 100 W between, .5 s at 10 W */
    ck_near(cloud_value(c, "host.h0", "energy", "total"), 50 + 7.5 + 5, 1e-9);
    ck_near(cloud_value(c, "host.h0", "power", "max"), 150, 1e-9);
    ck_near(cloud_sample(c, "host.h0", "power", 200), 125, 1e-9);
    ck_near(cloud_sample(c, "host.h0", "power", 300), 150, 1e-9);
    ck_near(cloud_sample(c, "host.h0", "power", 400), 10, 1e-9);
    ck_near(cloud_value(c, "host.h0", "cost", "total"), .5e-3, 1e-15);
    ck_near(cloud_value(c, "cluster", "cost", "total"), .5e-3, 1e-15);
    ck_near(cloud_value(c, "cluster", "hosts.on", "mean"), .5, 1e-12);
    rows_in_full(c, "host.h0", "cost");
    cloud_done(c);
}
END_TEST

/* What happened before the warm-up's end is not of the window, also where it ends within a sample. */
START_TEST(the_window_begins_within_a_sample)
{
    struct cloud *c = cloud_new(1, 1, 1);
    c->hosts[0].power = line;
    c->sc.run.warmup_ns = 250 * MS;
    cloud_start(c, false);
    cloud_host(c, 0, 0, REC_P_UP, 1);
    cloud_run(c, 0, 0, 0);
    cloud_idle(c, 300, 0);
    cloud_close_well(c);
    ck_near(cloud_value(c, "host.h0", "energy", "total"), 75 + 5, 1e-9);
    ck_near(cloud_value(c, "host.h0", "power", "max"), 200, 1e-9); /* of what is left of that sample */
    ck_near(cloud_sample(c, "host.h0", "power", 100), 200, 1e-9);
    ck_near(cloud_sample(c, "host.h0", "power", 300), 200, 1e-9);
    cloud_done(c);
}
END_TEST

/* A curve of 50, 80, 100 W at loads 0, 1/2, 1, in samples of 100 ms: .75 in the first, .25 in the second. */
START_TEST(a_curve_by_samples)
{
    static const int64_t curve[] = {50000, 80000, 100000};
    for (int no_series = 0; no_series < 2; no_series++) {
        struct cloud *c = cloud_new(1, 1, 1);
        c->hosts[0].power = (struct sc_power){.stated = true, .curve_mw = curve, .n_curve = 3};
        cloud_start(c, no_series != 0);
        cloud_host(c, 0, 0, REC_P_UP, 1);
        cloud_run(c, 0, 0, 0);
        cloud_idle(c, 75, 0);
        cloud_run(c, 175, 0, 0);
        cloud_idle(c, 200, 0);
        cloud_run(c, 900, 0, 0); /* all of the last sample */
        cloud_close_well(c);
        ck_near(cloud_value(c, "host.h0", "energy", "total"), 9 + 6.5 + 7 * 5 + 10, 1e-9);
        ck_near(cloud_value(c, "host.h0", "power", "max"), 100, 1e-9);
        cloud_done(c);
    }
}
END_TEST

/* Steps of 40-60 W and of 100-200 W; the slow one from 250 to 600 ms, busy from 200 to 700 ms. */
START_TEST(steps_are_exact)
{
    static const struct sc_speed steps[] = {{500000, 40000, 60000}, {1000000, 100000, 200000}};
    struct cloud *c = cloud_new(1, 1, 1);
    c->hosts[0].power = (struct sc_power){.stated = true, .steps = steps, .n_steps = 2};
    cloud_start(c, false);
    cloud_host(c, 0, 0, REC_P_UP, 1);
    cloud_host(c, 0, 0, REC_P_SPEED, 1);
    cloud_run(c, 200, 0, 0);
    cloud_host(c, 250, 0, REC_P_SPEED, 0);
    cloud_host(c, 600, 0, REC_P_SPEED, 1);
    cloud_idle(c, 700, 0);
    cloud_close_well(c);
    ck_near(cloud_value(c, "host.h0", "energy", "total"), 20 + 10 + 21 + 20 + 30, 1e-9);
    ck_near(cloud_sample(c, "host.h0", "power", 300), .5 * 200 + .5 * 60, 1e-9);
    cloud_done(c);
}
END_TEST

/* A switch is known when it ends, also at the very end of the run; a thread of the host is load as a vCPU. */
START_TEST(switches_and_threads_are_load)
{
    struct cloud *c = cloud_new(1, 2, 1);
    c->hosts[0].power = line;
    cloud_start(c, false);
    cloud_host(c, 0, 0, REC_P_UP, 1);
    struct rec idle = AT_IDLE(400, 400, 1), begin = AT_THREAD(400, 400, 0, IDLE, RUN),
               end = AT_THREAD(500, 100, 0, RUN, IDLE), rest = AT_IDLE(960, 460, 1),
               last = AT_THREAD(1000, 500, 0, IDLE, IDLE);
    struct rec sw = {.t_ns = 1000 * MS, .value = 40 * MS, .kind = REC_SWITCH, .pcpu = 1};
    cloud_tell(c, idle);
    cloud_tell(c, begin);
    cloud_tell(c, end);
    cloud_tell(c, rest);
    cloud_tell(c, sw);
    cloud_tell(c, last);
    c->idle_since[0][1] = 1000;
    cloud_close_well(c);
    ck_near(cloud_value(c, "host.h0", "energy", "total"), 100 + .14 * 50, 1e-9);
    ck_near(cloud_sample(c, "host.h0", "power", 500), 150, 1e-9);
    cloud_done(c);
}
END_TEST

START_TEST(no_power_no_rows)
{
    struct cloud *c = cloud_new(2, 1, 2);
    c->hosts[1].power = line;
    cloud_start(c, false);
    cloud_all_up(c);
    cloud_close_well(c);
    ck_assert_ptr_null(cloud_row(c, "host.h0", "power", "mean"));
    ck_assert_ptr_null(cloud_row(c, "host.h0", "energy", "total"));
    ck_assert_ptr_null(cloud_row(c, "host.h1", "cost", "total"));
    ck_assert(isnan(cloud_sample(c, "host.h0", "power", 100)));
    ck_near(cloud_value(c, "cluster", "energy", "total"), 100, 1e-9);
    cloud_done(c);
    c = cloud_new(1, 1, 1);
    cloud_start(c, false);
    cloud_all_up(c);
    cloud_close_well(c);
    ck_assert_ptr_null(cloud_row(c, "cluster", "power", "mean"));
    ck_assert_ptr_null(cloud_row(c, "cluster", "cost", "total"));
    ck_assert(isnan(cloud_sample(c, "cluster", "power", 100)));
    cloud_done(c);
}
END_TEST

START_TEST(nothing_runs_on_a_host_that_is_down)
{
    struct cloud *c = cloud_new(1, 1, 1);
    c->hosts[0].power = line;
    cloud_start(c, false);
    cloud_all_up(c);
    cloud_host(c, 500, 0, REC_P_UP, 0);
    cloud_run(c, 600, 0, 0);
    cloud_close_broken(c, "vm.v0 runs on host.h0 at 600000000 ns, which is down");
}
END_TEST

Suite *meter_power_suite(void)
{
    Suite *s = suite_create("meter_power");
    TCase *t = tcase_create("meter_power");
    tcase_add_test(t, twelve_hosts_or_four);
    tcase_add_test(t, off_while_it_is_down);
    tcase_add_test(t, the_window_begins_within_a_sample);
    tcase_add_test(t, a_curve_by_samples);
    tcase_add_test(t, steps_are_exact);
    tcase_add_test(t, switches_and_threads_are_load);
    tcase_add_test(t, no_power_no_rows);
    tcase_add_test(t, nothing_runs_on_a_host_that_is_down);
    suite_add_tcase(s, t);
    return s;
}
