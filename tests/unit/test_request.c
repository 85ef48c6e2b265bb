// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs that are asked for, live and leave: thousands through a few places, and nobody finds what was left
 * there. */
#include "base/rng.h"
#include "tests/lifelab.h"

Suite *request_suite(void);

/* Asked for every 10 s. */
static struct lab *asked_for(int cores, int most, const char *life, int64_t run_s)
{
    return lab_open(
        "vlab: 1\nname: t\nrun: {duration: %llds, seed: 1}\nhosts: [{name: h, cpu: {cores: %d}}]\n"
        "cloud: {place: first-fit, overcommit: {cpu: 1}, requests: {arrivals: {periodic: 10s}, lifetime: "
        "%s, flavours: [{most: %d, vm: {name: v, workload: {steps: [{cpu: {exponential: 700ms}}]}}}]}}\n",
        (long long)run_s, cores, life, most);
}

/* What comes of the same VM when it lives once, for that long. */
static void alone(const char *name, const char *life, double *done, uint64_t *sum)
{
    struct lab *l =
        lab_open("vlab: 1\nname: t\nrun: {duration: 1000s, seed: 1}\nhosts: [{name: h, cpu: {cores: 8}}]\n"
                 "cloud: {place: first-fit}\nvms: [{name: %s, start: 10s, workload: {steps: [{cpu: "
                 "{exponential: 700ms}}]}}]\nevents: [{at: 10s, pause: %s}, {at: 10s, resume: %s}, {at: "
                 "%s, destroy: %s}]\n",
                 name, name, name, life, name);
    life_run(l, 1);
    char entity[40];
    snprintf(entity, sizeof entity, "vm.%s", name);
    *done = life_total(l, entity, "work.done");
    *sum = (uint64_t)lab_value(l, entity, "work.checksum", "total");
    lab_close(l);
}

/* 25 s each, so two or three at a time, and each of 499 does what it would have done alone. */
START_TEST(each_finds_its_place_clean)
{
    struct lab *l = asked_for(8, 3, "25s", 4999);
    life_run(l, 1);
    ck_near(lab_value(l, "cluster", "rejected", "total"), 0, 0);
    double tenants = 0;
    for (int i = 0; i < 3; i++) {
        char name[20], entity[40];
        double done;
        uint64_t sum;
        snprintf(name, sizeof name, "v-%d", i);
        snprintf(entity, sizeof entity, "vm.v-%d", i);
        alone(name, "35s", &done, &sum);
        int n = life_count(l, entity, "started"), gone = life_count(l, entity, "destroyed");
        ck_assert_int_ge(n, 150);
        ck_assert_int_ge(gone, n - 1);
        ck_assert(done > 20);
        tenants += n;
        if (gone < n) continue; /* the last one is still at it */
        ck_assert(life_total(l, entity, "work.done") == n * done);
        ck_assert_uint_eq((uint64_t)lab_value(l, entity, "work.checksum", "total"),
                          sum * (uint64_t)n & PROG_CHECKSUM_MASK);
    }
    ck_near(tenants, 499, 0);
    lab_close(l);
}
END_TEST

/* How many of n get one of so many places, each for `life` s: first come, first served, no waiting. */
static int served(int n, int places, int life)
{
    int until[16] = {0}, got = 0;
    for (int k = 1; k <= n; k++)
        for (int i = 0; i < places; i++) {
            if (until[i] > 10 * k) continue;
            until[i] = 10 * k + life;
            got++;
            break;
        }
    return got;
}

/* Turned away for want of a place of the flavour's, or for want of a core: counted, every one. */
START_TEST(who_finds_no_place_is_counted)
{
    static const struct {
        int cores, most, life;
    } cases[] = {{8, 3, 45}, {2, 9, 45}, {1, 1, 15}, {8, 4, 99}, {4, 8, 99}, {8, 5, 45}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char life[20];
        snprintf(life, sizeof life, "%ds", cases[i].life);
        struct lab *l = asked_for(cases[i].cores, cases[i].most, life, 20005);
        lab_run(l, 1);
        int places = cases[i].cores < cases[i].most ? cases[i].cores : cases[i].most,
            want = served(2000, places, cases[i].life);
        ck_near(lab_value(l, "cluster", "events.started", "total"), want, 0);
        ck_near(lab_value(l, "cluster", "rejected", "total"), 2000 - want, 0);
        ck_assert_int_eq(want == 2000, i == 5);
        lab_close(l);
    }
}
END_TEST

Suite *request_suite(void)
{
    Suite *s = suite_create("request");
    TCase *t = tcase_create("request");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, each_finds_its_place_clean);
    tcase_add_test(t, who_finds_no_place_is_counted);
    suite_add_tcase(s, t);
    return s;
}
