// SPDX-License-Identifier: GPL-3.0-or-later
/* The pool: each job once, on any number of workers; one that dies takes its job along and no other. */
#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/workers.h"

Suite *workers_suite(void);

#define MOST 500

struct seen { /* shared with the workers */
    uint32_t runs[MOST], ended[MOST];
    int codes[MOST], sigs[MOST];
    uint32_t waits, stop_after, deadly; /* job number; MOST: none */
    bool keep_going;
};

static struct seen *seen;

static void setup(void)
{
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(seen != MAP_FAILED);
    seen->deadly = seen->stop_after = MOST;
    seen->keep_going = true;
}

static void teardown(void)
{
    munmap(seen, sizeof *seen);
}

static int run(void *ctx, size_t i, bool (*stopped)(void *arg), void *arg)
{
    (void)ctx;
    __atomic_fetch_add(&seen->runs[i], 1, __ATOMIC_RELAXED);
    if (i == seen->deadly) raise(SIGKILL);
    if (!seen->keep_going) usleep(20000); /* longer than it takes to be told */
    if (seen->stop_after < MOST)
        while (!stopped(arg))
            usleep(1000);
    return (int)(i % 7);
}

static bool done(void *ctx, size_t i, int code, int sig)
{
    (void)ctx;
    seen->ended[i]++;
    seen->codes[i] = code;
    seen->sigs[i] = sig;
    return seen->keep_going;
}

static bool look(void *ctx)
{
    (void)ctx;
    return ++seen->waits < seen->stop_after;
}

static const struct workers_job job = {.run = run, .done = done, .wait = look};

START_TEST(each_job_once)
{
    static const size_t workers[] = {1, 2, 3, 16, 1000};
    ck_assert_int_eq(workers_run(MOST, workers[_i], &job), 0);
    for (size_t i = 0; i < MOST; i++) {
        ck_assert_uint_eq(seen->runs[i], 1);
        ck_assert_uint_eq(seen->ended[i], 1);
        ck_assert_int_eq(seen->codes[i], (int)(i % 7));
    }
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}
END_TEST

START_TEST(nothing_to_do)
{
    ck_assert_int_eq(workers_run(0, 2, &job), 0);
    ck_assert_uint_eq(seen->waits, 0);
}
END_TEST

/* The one that dies is told of with its signal; the other worker does the rest. */
START_TEST(a_worker_dies)
{
    seen->deadly = 100;
    ck_assert_int_eq(workers_run(MOST, 2, &job), 0);
    ck_assert_int_eq(seen->codes[100], -1);
    ck_assert_int_eq(seen->sigs[100], SIGKILL);
    for (size_t i = 0; i < MOST; i++)
        ck_assert_uint_eq(seen->ended[i], 1);
}
END_TEST

START_TEST(done_can_end_it)
{
    seen->keep_going = false;
    ck_assert_int_eq(workers_run(MOST, 2, &job), 0);
    uint32_t n = 0;
    for (size_t i = 0; i < MOST; i++) {
        ck_assert_uint_le(seen->runs[i], 1);
        n += seen->runs[i];
    }
    ck_assert_uint_ge(n, 1);
    ck_assert_uint_lt(n, MOST);
}
END_TEST

START_TEST(jobs_under_way_can_be_stopped)
{
    seen->stop_after = 2;
    ck_assert_int_eq(workers_run(MOST, 2, &job), 0);
    uint32_t n = 0;
    for (size_t i = 0; i < MOST; i++)
        n += seen->runs[i];
    ck_assert_uint_eq(n, 2);
}
END_TEST

Suite *workers_suite(void)
{
    Suite *s = suite_create("workers");
    TCase *t = tcase_create("workers");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, each_job_once, 0, 5);
    tcase_add_test(t, nothing_to_do);
    tcase_add_test(t, a_worker_dies);
    tcase_add_test(t, done_can_end_it);
    tcase_add_test(t, jobs_under_way_can_be_stopped);
    suite_add_tcase(s, t);
    return s;
}
