// SPDX-License-Identifier: GPL-3.0-or-later
/* What must not matter, does not; what must scale, scales. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab.h"

Suite *metamorphic_suite(void);

#define HOST                                                                                                 \
    "hosts: [{name: h, cpu: {cores: 2, scheduler: %s, slice: 10ms, switch_cost: 5us, cache: {share: 1MiB, "  \
    "line: 10ns}}}]\n"
#define DB                                                                                                   \
    "{name: db, host: h, vcpus: 2, workload: {kind: requests, threads: 3, arrivals: {poisson: 300/s}, "      \
    "steps: [{cpu: {lognormal: [2ms, 4ms]}}]}}"
#define WEB                                                                                                  \
    "{name: web, host: h, cpu: {limit: 30%%}, workload: {kind: requests, clients: 5, think: {exponential: "  \
    "20ms}, steps: [{cpu: {exponential: 1ms}}, {sleep: 2ms, probability: 0.5}]}}"
#define BATCH                                                                                                \
    "{name: batch, count: 3, host: h, workload: {kind: loop, steps: [{cpu: {uniform: [1ms, 9ms]}}, {busy: "  \
    "1ms}]}}"

static const char *const schedulers[] = {"rr", "credit", "cfs", "eevdf", "stride"};
#define N_SCHEDULERS 5

static char *text_of(const char *fmt, const char *scheduler, uint64_t seed)
{
    char *yaml = NULL;
    ck_assert(asprintf(&yaml, fmt, scheduler) > 0);
    struct lab *l = lab_open("%s", yaml);
    lab_run(l, seed);
    char *t = lab_text(l);
    lab_close(l);
    free(yaml);
    return t;
}

/* The first line in which two long texts differ; NULL: none. malloc'ed. */
static char *difference(const char *a, const char *b)
{
    while (*a && *b) {
        size_t la = strcspn(a, "\n"), lb = strcspn(b, "\n");
        char *said = NULL;
        if (la != lb || memcmp(a, b, la) != 0) {
            ck_assert(asprintf(&said, "%.*s | %.*s", (int)(la < 200 ? la : 200), a,
                               (int)(lb < 200 ? lb : 200), b) > 0);
            return said;
        }
        a += la + (a[la] != 0);
        b += lb + (b[lb] != 0);
    }
    return *a || *b ? strdup("one is longer") : NULL;
}

static void ck_same(const char *a, const char *b)
{
    char *d = difference(a, b);
    ck_assert_msg(d == NULL, "%s", d);
}

#define HEAD "vlab: 1\nname: meta\nrun: {duration: 5s, warmup: 500ms}\n"

START_TEST(one_seed_one_result)
{
    const char *yaml = HEAD HOST "vms: [" DB ", " WEB ", " BATCH "]\n";
    char *a = text_of(yaml, schedulers[_i], 7), *b = text_of(yaml, schedulers[_i], 7),
         *c = text_of(yaml, schedulers[_i], 8);
    ck_same(a, b);
    ck_assert(strcmp(a, c) != 0);
    free(a), free(b), free(c);
}
END_TEST

START_TEST(the_order_of_the_file_does_not_matter)
{
    char *a = text_of(HEAD HOST "vms: [" DB ", " WEB ", " BATCH "]\n", schedulers[_i], 7);
    char *b = text_of(HEAD "vms: [" BATCH ", " WEB ", " DB "]\n" HOST, schedulers[_i], 7);
    ck_same(a, b);
    free(a), free(b);
}
END_TEST

/* Deterministic workloads: who is called what only says whose row it is. */
START_TEST(renaming_only_permutes)
{
    static const char *const names[2][3] = {{"a", "b", "c"}, {"x", "b", "a"}};
    double share[2][3], wait[2][3];
    for (int k = 0; k < 2; k++) {
        struct lab *l = lab_open(
            HEAD "hosts: [{name: h, cpu: {cores: 1, scheduler: rr, switch_cost: 50us}}]\n"
                 "vms: [{name: %s, host: h, start: {at: 1ms}, workload: {kind: loop, steps: [{cpu: 7ms}]}},\n"
                 "      {name: %s, host: h, start: {at: 2ms}, workload: {kind: loop, steps: [{cpu: 3ms}, "
                 "{sleep: 5ms}]}},\n"
                 "      {name: %s, host: h, start: {at: 3ms}, workload: {kind: loop, steps: [{busy: 11ms}, "
                 "{sleep: 1ms}]}}]\n",
            names[k][0], names[k][1], names[k][2]);
        lab_run(l, 1);
        for (int i = 0; i < 3; i++) {
            char vm[16];
            snprintf(vm, sizeof vm, "vm.%s", names[k][i]);
            share[k][i] = lab_value(l, vm, "cpu.run", "total");
            wait[k][i] = lab_value(l, vm, "wait", "max");
        }
        lab_close(l);
    }
    ck_assert_mem_eq(share[0], share[1], sizeof share[0]);
    ck_assert_mem_eq(wait[0], wait[1], sizeof wait[0]);
}
END_TEST

/* Every duration twice as long, every rate half: all times twice as long. */
START_TEST(scaling_every_duration)
{
    double run[2], latency[2], slice[2];
    for (int k = 0; k < 2; k++) {
        int f = k + 1;
        struct lab *l = lab_open("vlab: 1\nname: scale\nrun: {duration: %ds, warmup: %dms, sample: %dms}\n"
                                 "hosts: [{name: h, cpu: {cores: 2, scheduler: %s, slice: %dms, switch_cost: "
                                 "%dus, balance: {every: %dms}}}]\n"
                                 "vms: [{name: db, host: h, cpu: {limit: 60%%, period: %dms}, workload: "
                                 "{kind: requests, arrivals: {periodic: %dus}, steps: [{cpu: %dus}]}},\n"
                                 "      {name: b, count: 3, host: h, workload: {kind: loop, steps: [{cpu: "
                                 "%dms}, {sleep: %dus}]}}]\n",
                                 4 * f, 500 * f, 10 * f, _i ? "stride" : "rr", 10 * f, 4 * f, 4 * f, 50 * f,
                                 3300 * f, 1700 * f, 7 * f, 900 * f);
        lab_run(l, 1);
        run[k] = lab_value(l, "vm.b-1", "cpu.run", "total");
        latency[k] = lab_value(l, "vm.db", "latency", "max");
        slice[k] = lab_value(l, "vm.b-2", "slice", "mean");
        lab_close(l);
    }
    ck_near(run[1], 2 * run[0], 1e-9);
    ck_near(latency[1], 2 * latency[0], 2e-9);
    ck_near(slice[1], 2 * slice[0], 2e-9);
}
END_TEST

/* A VM that never runs leaves every other number as it was. */
START_TEST(an_idle_vm_changes_nothing)
{
    char *a = text_of(HEAD HOST "vms: [" DB ", " BATCH "]\n", schedulers[_i], 7);
    char *b = text_of(HEAD HOST "vms: [" DB ", " BATCH
                                ", {name: zzz, host: h, workload: {kind: loop, steps: [{sleep: 1h}]}}]\n",
                      schedulers[_i], 7);
    /* Every row of the VMs that were there before must be there again. */
    size_t rows = 0;
    for (char *line = strtok(a, "\n"); line; line = strtok(NULL, "\n")) {
        if (strncmp(line, "vm.", 3) != 0) continue;
        char *found = strstr(b, line);
        ck_assert_msg(found && (found[strlen(line)] == '\n'), "changed: %s", line);
        rows++;
    }
    ck_assert_uint_gt(rows, 100);
    free(a), free(b);
}
END_TEST

/* The same program, iteration for iteration, whatever else runs and whoever schedules (C5). */
START_TEST(checksums_do_not_depend_on_the_schedule)
{
    uint64_t first = 0;
    for (int i = 0; i < N_SCHEDULERS; i++) {
        struct lab *l =
            lab_open(HEAD HOST "vms: [{name: v, host: h, workload: {kind: loop, threads: 3, steps: [{cpu: "
                               "{exponential: 1ms}}, {sleep: 1ms}], until: {count: 200}}}, " BATCH "]\n",
                     schedulers[i]);
        lab_run(l, 3);
        ck_assert(lab_value(l, "vm.v", "work.time", "total") < 5); /* all 200 were done */
        uint64_t sum = lab_exact(l, "vm.v", "work.checksum", "total");
        ck_assert_uint_ne(sum, 0);
        if (i == 0) first = sum;
        ck_assert_uint_eq(sum, first);
        lab_close(l);
    }
}
END_TEST

Suite *metamorphic_suite(void)
{
    Suite *s = suite_create("metamorphic");
    TCase *t = tcase_create("metamorphic");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, one_seed_one_result, 0, N_SCHEDULERS);
    tcase_add_loop_test(t, the_order_of_the_file_does_not_matter, 0, N_SCHEDULERS);
    tcase_add_test(t, renaming_only_permutes);
    tcase_add_loop_test(t, scaling_every_duration, 0, 2);
    tcase_add_loop_test(t, an_idle_vm_changes_nothing, 0, N_SCHEDULERS);
    tcase_add_test(t, checksums_do_not_depend_on_the_schedule);
    suite_add_tcase(s, t);
    return s;
}
