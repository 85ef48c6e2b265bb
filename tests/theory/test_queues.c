// SPDX-License-Identifier: GPL-3.0-or-later
/* Queues with known answers. Service has mean 1 ms, so a published number in service times is in ms here.
 * Bounds are 4 standard errors over 30 replications, and at quantiles the histogram's 0.8 % besides. */
#include <check.h>
#include <math.h>
#include <stdio.h>

#include "tests/lab.h"

Suite *queues_suite(void);

#define REPS 30

static struct lab *queue(const char *cores, const char *duration, const char *workload)
{
    return lab_open("vlab: 1\nname: queue\nrun: {duration: %s, warmup: 5s, sample: 10s}\n"
                    "hosts: [{name: h, cpu: {cores: %s, scheduler: rr, slice: 1s}}]\n"
                    "vms: [{name: v, host: h, vcpus: %s, %s}]\n",
                    duration, cores, cores, workload);
}

static void expect_mean(struct lab *l, const char *metric, const char *stat, double want, double rel)
{
    struct lab_mean m = lab_replicate(l, REPS, "vm.v", metric, stat);
    ck_assert_msg(m.se > 0, "replications must differ");
    ck_assert_msg(fabs(m.mean - want) <= 4 * m.se + rel * want, "%s.%s: mean %.6g +- %.3g, theory %.6g",
                  metric, stat, m.mean, m.se, want);
    ck_assert_msg(m.se < .02 * want, "%s.%s: the standard error %.3g is too wide to prove anything", metric,
                  stat, m.se);
}

START_TEST(mm1)
{
    struct lab *l =
        queue("1", "300s",
              "workload: {kind: requests, arrivals: {poisson: 800/s}, steps: [{cpu: {exponential: 1ms}}]}");
    expect_mean(l, "backlog", "mean", 4, 0);
    expect_mean(l, "latency", "mean", 5e-3, 0);
    expect_mean(l, "latency", "p95", 14.979e-3, .008);
    expect_mean(l, "latency", "p99", 23.026e-3, .008);
    expect_mean(l, "cpu.run", "share", .8, 0);
    lab_close(l);
}
END_TEST

START_TEST(mm4)
{
    struct lab *l = queue("4", "100s",
                          "workload: {kind: requests, threads: 4, arrivals: {poisson: 3200/s}, steps: [{cpu: "
                          "{exponential: 1ms}}]}");
    expect_mean(l, "latency", "mean", 1.745541e-3, 0);
    lab_close(l);
}
END_TEST

static const struct {
    const char *service;
    double wq_ms;
} mg1s[] = {{"1ms", 2}, {"{exponential: 1ms}", 4}, {"{hyperexponential: [1ms, 4]}", 10}};

START_TEST(mg1)
{
    char work[256];
    snprintf(work, sizeof work, "workload: {kind: requests, arrivals: {poisson: 800/s}, steps: [{cpu: %s}]}",
             mg1s[_i].service);
    struct lab *l = queue("1", "300s", work);
    expect_mean(l, "latency", "mean", (1 + mg1s[_i].wq_ms) * 1e-3, 0);
    lab_close(l);
}
END_TEST

/* Processor sharing does not care how service is distributed: W = 1/(1 - rho) = 5. */
START_TEST(mg1_ps)
{
    char work[256];
    snprintf(work, sizeof work,
             "guest_quantum: 10us, workload: {kind: requests, threads: unlimited, arrivals: {poisson: "
             "800/s}, steps: [{cpu: %s}]}",
             mg1s[_i].service);
    struct lab *l = queue("1", "50s", work);
    expect_mean(l, "latency", "mean", 5e-3, .01); /* the quantum is a hundredth of the mean */
    lab_close(l);
}
END_TEST

/* Erlang B with 8 Erlang on 10 servers and no queue: the same loss whatever the service. */
START_TEST(erlang_b)
{
    char work[256];
    snprintf(
        work, sizeof work,
        "workload: {kind: requests, threads: 10, queue: 0, arrivals: {poisson: 8000/s}, steps: [{cpu: %s}]}",
        mg1s[_i].service);
    struct lab *l = queue("10", "20s", work);
    double sum = 0, sum2 = 0;
    for (int r = 1; r <= REPS; r++) {
        lab_run(l, (uint64_t)r);
        double lost = (double)lab_exact(l, "vm.v", "queue.lost", "total"),
               done = (double)lab_exact(l, "vm.v", "work.done", "total");
        double x = lost / (lost + done);
        sum += x;
        sum2 += x * x;
    }
    double mean = sum / REPS, se = sqrt((sum2 / REPS - mean * mean) / (REPS - 1));
    ck_near(mean, .121661, 4 * se);
    ck_assert(se < .002);
    lab_close(l);
}
END_TEST

START_TEST(machine_repairman)
{
    struct lab *l = queue("1", "100s",
                          "workload: {kind: requests, clients: 10, think: {exponential: 10ms}, steps: [{cpu: "
                          "{exponential: 1ms}}]}");
    expect_mean(l, "throughput", "mean", 785.418, 0);
    expect_mean(l, "latency", "mean", 2.732079e-3, 0);
    lab_close(l);
}
END_TEST

Suite *queues_suite(void)
{
    Suite *s = suite_create("queues");
    TCase *t = tcase_create("queues");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, mm1);
    tcase_add_test(t, mm4);
    tcase_add_loop_test(t, mg1, 0, 3);
    tcase_add_loop_test(t, mg1_ps, 0, 3);
    tcase_add_loop_test(t, erlang_b, 0, 3);
    tcase_add_test(t, machine_repairman);
    suite_add_tcase(s, t);
    return s;
}
