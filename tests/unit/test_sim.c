// SPDX-License-Identifier: GPL-3.0-or-later
/* The simulated clock: where it stands when a run ends, and what is said when nothing moves. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/sim.h"

Suite *sim_suite(void);

static struct sim *s;
static int ran;
static int64_t seen_ns;

static void setup(void)
{
    s = sim_new();
    ran = 0;
    seen_ns = -1;
}

static void teardown(void)
{
    sim_free(s);
}

static void count(void *ctx, uint32_t arg)
{
    (void)ctx;
    ran += (int)arg;
    seen_ns = *assert_clock_ns;
    ck_assert_int_eq(seen_ns, sim_now(s));
}

static void again(void *ctx, uint32_t arg)
{
    ran++;
    sim_at(s, sim_now(s) + arg, EVQ_NORMAL, *(uint32_t *)ctx, arg);
}

static void stop(void *ctx, uint32_t arg)
{
    (void)ctx;
    (void)arg;
    sim_stop(s);
}

START_TEST(the_clock_stands_where_it_should)
{
    uint32_t c = sim_on(s, "count", count, NULL);
    sim_at(s, 10, EVQ_NORMAL, c, 1);
    sim_at(s, 20, EVQ_NORMAL, c, 10);
    sim_at(s, 30, EVQ_NORMAL, c, 100);
    ck_assert_int_eq(sim_run(s, 9), SIM_UNTIL);
    ck_assert_int_eq(sim_now(s), 9);
    ck_assert_int_eq(ran, 0);
    ck_assert_int_eq(sim_run(s, 20), SIM_UNTIL); /* up to and at */
    ck_assert_int_eq(ran, 11);
    ck_assert_int_eq(seen_ns, 20);
    ck_assert_int_eq(sim_run(s, 25), SIM_UNTIL);
    ck_assert_int_eq(sim_now(s), 25);
    ck_assert_int_eq(sim_run(s, 100), SIM_EMPTY);
    ck_assert_int_eq(sim_now(s), 30);
    ck_assert_int_eq(ran, 111);
    ck_assert_uint_eq(sim_events(s), 3);
}
END_TEST

START_TEST(stop_step_cancel_and_move)
{
    uint32_t c = sim_on(s, "count", count, NULL), st = sim_on(s, "stop", stop, NULL);
    evq_handle a = sim_at(s, 10, EVQ_NORMAL, c, 1);
    sim_at(s, 10, EVQ_NORMAL, st, 0);
    evq_handle b = sim_at(s, 11, EVQ_NORMAL, c, 10);
    ck_assert_int_eq(sim_run(s, 100), SIM_STOPPED);
    ck_assert_int_eq(sim_now(s), 10);
    ck_assert_int_eq(ran, 1);
    ck_assert(!sim_cancel(s, a));
    ck_assert(sim_move(s, b, 50));
    ck_assert(sim_step(s));
    ck_assert_int_eq(sim_now(s), 50);
    ck_assert_int_eq(ran, 11);
    ck_assert(!sim_move(s, b, 60));
    ck_assert(!sim_step(s));
    b = sim_at(s, 60, EVQ_NORMAL, c, 100);
    ck_assert(sim_cancel(s, b));
    ck_assert_int_eq(sim_run(s, 100), SIM_EMPTY);
    ck_assert_int_eq(ran, 11);
}
END_TEST

START_TEST(the_assert_clock_is_put_back)
{
    static const int64_t outer = 42;
    uint32_t c = sim_on(s, "count", count, NULL);
    assert_clock_ns = &outer;
    sim_at(s, 5, EVQ_NORMAL, c, 1);
    sim_run(s, 10);
    ck_assert_ptr_eq(assert_clock_ns, &outer);
    ck_assert_int_eq(seen_ns, 5);
    sim_at(s, 15, EVQ_NORMAL, c, 1);
    sim_step(s);
    ck_assert_ptr_eq(assert_clock_ns, &outer);
    ck_assert_int_eq(seen_ns, 15);
    assert_clock_ns = NULL;
}
END_TEST

static void stuck(void *ctx, sim_waiter *say, void *out)
{
    if (!ctx) return;
    say(out, ctx, "disk ssd0");
    say(out, "web.1", "lock of db.0");
}

START_TEST(who_waits_for_what)
{
    uint32_t c = sim_on(s, "count", count, NULL);
    sim_on_stuck(s, stuck, NULL);
    sim_at(s, 5, EVQ_NORMAL, c, 1);
    ck_assert_int_eq(sim_run(s, 10), SIM_EMPTY);
    sim_on_stuck(s, stuck, (void *)"db.0");
    sim_at(s, 7, EVQ_NORMAL, c, 1);
    ck_assert_int_eq(sim_run(s, 10), SIM_STALLED);
    ck_assert_int_eq(sim_now(s), 7);
    char *text = sim_stall_report(s);
    ck_assert_str_eq(text, "db.0 waits for disk ssd0\nweb.1 waits for lock of db.0\n");
    free(text);
    sim_at(s, 20, EVQ_NORMAL, c, 1); /* somebody waits, but events are left */
    ck_assert_int_eq(sim_run(s, 10), SIM_UNTIL);
}
END_TEST

START_TEST(a_loop_that_takes_no_time)
{
    uint32_t a = 0, c = sim_on(s, "count", count, NULL);
    a = sim_on(s, "disk retry", again, &a);
    sim_on_stuck(s, stuck, (void *)"db.0");
    sim_at(s, 1000000003, EVQ_NORMAL, a, 0);
    sim_at(s, 2000000000, EVQ_NORMAL, c, 1);
    ck_assert_int_eq(sim_run(s, 3000000000), SIM_STALLED);
    ck_assert_int_eq(sim_now(s), 1000000003);
    ck_assert_int_gt(ran, 10000000);
    char *text = sim_stall_report(s);
    ck_assert_ptr_nonnull(strstr(text, "1.000000003 s"));
    ck_assert_ptr_nonnull(strstr(text, "1000 times disk retry\n"));
    ck_assert_ptr_null(strstr(text, "count"));
    ck_assert_ptr_nonnull(strstr(text, "db.0 waits for disk ssd0\n"));
    free(text);
}
END_TEST

static void many_steps(void *ctx, uint32_t arg)
{
    (void)arg;
    while (sim_counts(s, 1000))
        ++*(int *)ctx;
}

/* A single event without end is a loop too, and stays one however often the run is continued. */
START_TEST(a_loop_within_an_event)
{
    int thousands = 0;
    uint32_t a = sim_on(s, "ping-pong", many_steps, &thousands);
    sim_at(s, 3, EVQ_NORMAL, a, 0);
    sim_at(s, 4, EVQ_NORMAL, a, 0);
    for (int64_t t = 10; t < 13; t++) {
        ck_assert_int_eq(sim_run(s, t), SIM_STALLED);
        ck_assert_int_eq(sim_now(s), 3);
        char *text = sim_stall_report(s);
        ck_assert_ptr_nonnull(strstr(text, "0.000000003 s"));
        ck_assert_ptr_nonnull(strstr(text, "1 time ping-pong\n"));
        free(text);
    }
    ck_assert_int_eq(thousands, 9999);
}
END_TEST

START_TEST(steps_that_take_time_are_no_loop)
{
    uint32_t a = 0;
    a = sim_on(s, "again", again, &a);
    sim_at(s, 0, EVQ_NORMAL, a, 1);
    ck_assert_int_eq(sim_run(s, SIM_STALL_EVENTS + 10), SIM_UNTIL);
    ck_assert_uint_eq(sim_events(s), SIM_STALL_EVENTS + 11);
}
END_TEST

Suite *sim_suite(void)
{
    Suite *su = suite_create("sim");
    TCase *t = tcase_create("sim");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_clock_stands_where_it_should);
    tcase_add_test(t, stop_step_cancel_and_move);
    tcase_add_test(t, the_assert_clock_is_put_back);
    tcase_add_test(t, who_waits_for_what);
    tcase_add_test(t, a_loop_that_takes_no_time);
    tcase_add_test(t, a_loop_within_an_event);
    tcase_add_test(t, steps_that_take_time_are_no_loop);
    suite_add_tcase(su, t);
    return su;
}
