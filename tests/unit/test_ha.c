// SPDX-License-Identifier: GPL-3.0-or-later
/* Restarts elsewhere, VMs made again, hosts switched off and on, and that a seed has one result: however
 * often it is run, sampled, or its VMs ordered. */
#include "tests/lifelab.h"

Suite *ha_suite(void);

#define CLOUD                                                                                                \
    "vlab: 1\nname: t\nrun: {duration: 60s, seed: 5%s}\nhosts: [{name: h, count: 4, cpu: {cores: 2}, "       \
    "memory: "                                                                                               \
    "4GiB, failures: {ttf: {exponential: 20s}, repair: {exponential: 3s}}}]\n"                               \
    "storage: [{name: san, hosts: [h-0, h-1, h-2, h-3], iops: 2000, bandwidth: 400MB/s}]\n"                  \
    "images: [{name: i, boot: {shared: 20MB, own: 10MB, cpu: 50ms, time: 100ms}}]\n"                         \
    "cloud: {place: first-fit, ha: {detect: 1s, dispatch: 500ms}, overcommit: {cpu: 2}}\nvms:\n"
#define A                                                                                                    \
    "- {name: a, memory: 1GiB, disk: {on: san, size: 1GiB, from: i}, workload: {steps: [{cpu: "              \
    "{exponential: 3ms}}, {disk: {write: 64KiB}}], until: {count: 2000}}}\n"
#define B                                                                                                    \
    "- {name: b, memory: 1GiB, disk: {on: san, size: 1GiB, from: i}, workload: {kind: requests, clients: "   \
    "4, think: 20ms, steps: [{cpu: {exponential: 5ms}}]}}\n"
#define C                                                                                                    \
    "- {name: c, vcpus: 2, memory: 2GiB, disk: {on: san, size: 1GiB, from: i}, workload: {kind: requests, "  \
    "arrivals: {poisson: 50/s}, steps: [{cpu: {exponential: 5ms}}]}}\n"
#define EVENTS                                                                                               \
    "events: [{at: 10s, migrate: a}, {at: 20s, migrate: c}, {at: 30s, drain: h-0}, {at: 41s, fail: b}]\n"

static char *all(const char *run, const char *vms, bool twice)
{
    struct lab *l = lab_open(CLOUD "%s" EVENTS, run, vms);
    if (twice) life_run(l, 5);
    lab_run(l, 5);
    char *a = life_rows(l, "vm.a"), *b = life_rows(l, "vm.b"), *c = life_rows(l, "vm.c"),
         *h = life_rows(l, "cluster"), *text = NULL;
    ck_assert_int_gt(life_count(l, "vm.a", "failed") + life_count(l, "vm.b", "failed") +
                         life_count(l, "vm.c", "failed"),
                     3);
    ck_assert_int_gt(asprintf(&text, "%s%s%s%s", a, b, c, h), 1000);
    free(a), free(b), free(c), free(h);
    lab_close(l);
    return text;
}

START_TEST(one_seed_one_result)
{
    char *first = all("", A B C, false), *again = all("", A B C, true),
         *sampled = all(", sample: 37ms", A B C, false), *order = all("", C A B, false);
    ck_assert_str_eq(again, first);
    ck_assert_str_eq(sampled, first);
    ck_assert_str_eq(order, first);
    free(first), free(again), free(sampled), free(order);
}
END_TEST

Suite *ha_suite(void)
{
    Suite *s = suite_create("ha");
    TCase *tc = tcase_create("ha");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, one_seed_one_result);
    suite_add_tcase(s, tc);
    return s;
}
