// SPDX-License-Identifier: GPL-3.0-or-later
/* Overhead within run time, and the host's own threads: what the meter makes of them, and what it refuses. */
#include "tests/unit/made_records.h"
#include "tests/lab.h"

Suite *meter_host_suite(void);

/* The VM runs on pCPU 0 from 100 to 900 ms; 40 ms of it are overhead, 10 of them before the warm-up's end. */
START_TEST(overhead_is_taken_off_the_useful_time)
{
    struct made_run *r = made_run_new(1, (struct meter_opts){0});
    MADE_READ(r, AT_STATE(0, 0, DOWN, IDLE), AT_STATE(100, 100, IDLE, RUN), AT_IDLE(100, 100, 0),
              AT_OVERHEAD(210, 20), AT_OVERHEAD(230, 20), AT_STATE(900, 800, RUN, IDLE),
              AT_STATE(1000, 100, IDLE, IDLE), AT_IDLE(1000, 100, 0), AT_IDLE(1000, 1000, 1));
    made_end_well(r);
    static const char *const entities[] = {"vm.v", "vm.v.vcpu0", "host.h.pcpu0", "host.h", "cluster"};
    for (size_t i = 0; i < 5; i++) {
        double pcpus = i < 3 ? 1 : 2;
        ck_near(made_value(r, entities[i], "cpu.overhead", "total"), .03, 1e-12);
        ck_near(made_value(r, entities[i], "cpu.guest", "total"), .67, 1e-12);
        ck_near(made_value(r, entities[i], "cpu.overhead", "share"), .03 / .8 / pcpus, 1e-12);
        ck_near(made_value(r, entities[i], "cpu.util", "share"), .7 / .8 / pcpus, 1e-12);
    }
    ck_near(made_value(r, "vm.v", "cpu.run", "total"), .7, 1e-12);
    made_run_done(r);
}
END_TEST

static void refuse_overhead(struct rec over, const char *word)
{
    struct made_run *r = made_run_new(1, (struct meter_opts){0});
    MADE_READ(r, AT_STATE(0, 0, DOWN, IDLE), AT_STATE(100, 100, IDLE, RUN), AT_IDLE(100, 100, 0),
              AT_OVERHEAD(200, 50));
    if (over.t_ns <= 900 * MS) made_read(r, &over, 1);
    MADE_READ(r, AT_STATE(900, 800, RUN, IDLE));
    if (over.t_ns > 900 * MS) made_read(r, &over, 1);
    MADE_READ(r, AT_STATE(1000, 100, IDLE, IDLE), AT_IDLE(1000, 100, 0), AT_IDLE(1000, 1000, 1));
    if (word)
        made_end_broken(r, word);
    else {
        made_end_well(r);
        made_run_done(r);
    }
}

START_TEST(overhead_lies_in_a_run)
{
    refuse_overhead((struct rec)AT_OVERHEAD(900, 700), NULL);                  /* all that is left */
    refuse_overhead((struct rec)AT_OVERHEAD(900, 701), "do not lie in a run"); /* into the last overhead */
    refuse_overhead((struct rec)AT_OVERHEAD(900, 801), "do not lie in a run"); /* before the run began */
    refuse_overhead((struct rec)AT_OVERHEAD(950, 10), "do not lie in a run");  /* idle by now */
    struct rec elsewhere = AT_OVERHEAD(900, 10);
    elsewhere.pcpu = 1; /* where nobody ran */
    refuse_overhead(elsewhere, "pcpu1 had 10000000 ns of overhead in 0 ns");
}
END_TEST

/* Thread 2 of the host runs on pCPU 1 from 150 to 250 and from 500 to 700 ms; threads 0 and 1 never do
 * anything. */
static void thread_run(struct made_run *r, int64_t gap_ms, int64_t end_ms)
{
    MADE_READ(r, AT_IDLE(150, 150, 1), AT_THREAD(150, 150, 2, IDLE, RUN), AT_THREAD(250, 100, 2, RUN, IDLE),
              AT_IDLE(500, 250, 1), AT_THREAD(500, 250 - gap_ms, 2, IDLE, RUN),
              AT_THREAD(700, 200, 2, RUN, READY), AT_IDLE(1000, 300, 1),
              AT_THREAD(end_ms, end_ms - 700, 2, READY, READY));
    MADE_READ(r, AT_STATE(1000, 1000, DOWN, DOWN), AT_IDLE(1000, 1000, 0));
}

START_TEST(threads_take_the_hosts_own_time)
{
    struct made_run *r = made_run_new(1, (struct meter_opts){0});
    thread_run(r, 0, 1000);
    made_end_well(r);
    ck_near(made_value(r, "host.h.pcpu1", "cpu.hostos", "total"), .25, 1e-12);
    ck_near(made_value(r, "host.h.pcpu0", "cpu.hostos", "total"), 0, 0);
    ck_near(made_value(r, "host.h", "cpu.hostos", "share"), .25 / 1.6, 1e-12);
    ck_near(made_value(r, "host.h", "cpu.util", "share"), .25 / 1.6, 1e-12);
    ck_near(made_value(r, "cluster", "cpu.hostos", "total"), .25, 1e-12);
    ck_near(made_sample(r, "host.h", "cpu.util", 100 * MS), 0, 0);
    ck_near(made_sample(r, "host.h", "cpu.util", 200 * MS), .25, 1e-12); /* still running when it was taken */
    ck_near(made_sample(r, "host.h", "cpu.util", 300 * MS), .25, 1e-12);
    ck_near(made_sample(r, "host.h", "cpu.util", 600 * MS), .5, 1e-12);
    made_run_done(r);
}
END_TEST

START_TEST(threads_are_seamless)
{
    struct made_run *r = made_run_new(1, (struct meter_opts){0});
    thread_run(r, 1, 1000);
    made_end_broken(r, "its thread 2 left idle");
    r = made_run_new(1, (struct meter_opts){0});
    thread_run(r, 0, 999);
    made_end_broken(r, "known up to 999000000");
    r = made_run_new(1, (struct meter_opts){0}); /* one pCPU, a thread and a vCPU at a time */
    MADE_READ(r, AT_STATE(0, 0, DOWN, RUN), AT_IDLE(500, 500, 1), AT_THREAD(500, 500, 0, IDLE, RUN));
    struct rec both = AT_THREAD(1000, 500, 0, RUN, IDLE);
    both.pcpu = 0;
    MADE_READ(r, AT_STATE(1000, 1000, RUN, IDLE), both);
    made_end_broken(r, "host.h.pcpu0: an interval ends");
}
END_TEST

Suite *meter_host_suite(void)
{
    Suite *s = suite_create("meter_host");
    TCase *t = tcase_create("meter_host");
    tcase_add_test(t, overhead_is_taken_off_the_useful_time);
    tcase_add_test(t, overhead_lies_in_a_run);
    tcase_add_test(t, threads_take_the_hosts_own_time);
    tcase_add_test(t, threads_are_seamless);
    suite_add_tcase(s, t);
    return s;
}
