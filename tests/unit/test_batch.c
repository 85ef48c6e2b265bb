// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab batch: what vlab run leaves, byte for byte, on any number of workers and however often it was killed.
 */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "tests/unit/own_dir.h"

Suite *batch_suite(void);

static const char text[] =
    "vlab: 1\nname: b\nrun: {duration: 300ms, seed: 5, replications: 3}\nhosts: [{name: h, cpu: {cores: "
    "1}}]\n"
    "vms:\n- {name: a, workload: {kind: requests, arrivals: {poisson: 100/s}, steps: [{cpu: {exponential: "
    "4ms}}]}}\n"
    "- {name: hog, count: 1, workload: {kind: loop, steps: [{cpu: {exponential: 10ms}}]}}\n"
    "sweep: {vms.hog.count: [0, 1, 2], hosts.h.cpu.scheduler: [credit, stride]}\n"
    "expect: [\"vm.a.throughput > 10/s\"]\n";
#define RUNS 18

static void setup(void)
{
    own_dir_enter();
    FILE *f = fopen("b.yaml", "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

/* A command line in a process of its own, its words in out.txt and err.txt; its pid. */
static pid_t begin(int (*command)(int, char **), const char *line)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid > 0) return pid;
    char copy[300], *argv[20] = {NULL}, *save = NULL;
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    if (!freopen("out.txt", "w", stdout) || !freopen("err.txt", "w", stderr)) _exit(99);
    int code = command(argc, argv);
    fflush(NULL);
    _exit(code);
}

static int end_of(pid_t pid)
{
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int run(int (*command)(int, char **), const char *line)
{
    return end_of(begin(command, line));
}

static bool said(const char *file, const char *words)
{
    char got[4000] = "";
    FILE *f = fopen(file, "r");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(got, 1, sizeof got - 1, f);
    got[n] = '\0';
    fclose(f);
    return strstr(got, words) != NULL;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void ck_same_as_run(const char *dir)
{
    char line[200];
    if (!is_there("run")) ck_assert_int_eq(run(cli_run, "run b.yaml -o run"), 0);
    snprintf(line, sizeof line, "diff -r -x manifest.json run %s >diff.txt 2>&1", dir);
    ck_assert_msg(system(line) == 0, "%s and the directory of vlab run differ: see diff.txt", dir);
    snprintf(line, sizeof line, "%s.partial", dir);
    ck_assert(!is_there(line));
}

START_TEST(what_run_leaves_on_any_number_of_workers)
{
    static const char *const lines[] = {
        "batch b.yaml -o o --no-plots -j 1", "batch b.yaml -o o --no-plots -j 2",
        "batch b.yaml -o o --no-plots -j 7", "batch b.yaml -o o --no-plots -j 100"};
    ck_assert_int_eq(run(cli_batch, lines[_i]), 0);
    ck_assert(said("out.txt", "results in o"));
    ck_same_as_run("o");
}
END_TEST

/* Killed at five moments, each later than the one before. */
START_TEST(killed_and_resumed)
{
    for (int k = 0; k < 5; k++) {
        pid_t pid = begin(cli_batch, "batch b.yaml -o o --no-plots -j 2 --resume");
        struct timespec t = {.tv_nsec = 3000000 + 9000000 * k};
        nanosleep(&t, NULL);
        kill(pid, SIGKILL);
        int code = end_of(pid);
        ck_assert(code == -SIGKILL || code == 0);
    }
    ck_assert_int_eq(run(cli_batch, "batch b.yaml -o o --no-plots --resume"), 0);
    ck_same_as_run("o");
}
END_TEST

START_TEST(interrupted_and_resumed)
{
    ck_assert_int_eq(run(cli_batch, "batch b.yaml -o o --one=2/1"), 0);
    ck_assert(is_there("o.partial/7.run"));
    pid_t pid = begin(cli_batch, "batch b.yaml --set run.duration=3000s -o long --no-plots -j 2");
    struct timespec t = {.tv_nsec = 300000000};
    nanosleep(&t, NULL);
    kill(pid, SIGINT);
    ck_assert_int_eq(end_of(pid), CLI_BROKEN);
    ck_assert(said("err.txt", "--resume goes on"));
    ck_assert(is_there("long.partial/of") && !is_there("long"));
    ck_assert_int_eq(run(cli_batch, "batch b.yaml -o o --no-plots --resume"), 0);
    ck_same_as_run("o");
}
END_TEST

/* Runs that others have done are collected; a file that is damaged is done again. */
START_TEST(one_by_one)
{
    ck_assert_int_eq(run(cli_batch, "batch b.yaml -o o --list"), 0);
    ck_assert_int_eq(system("test $(wc -l <out.txt) = 18 && grep -q -- '-o o --one=5/2$' out.txt"), 0);
    pid_t pid[RUNS]; /* all at once: who comes first makes the directory */
    for (int i = 0; i < RUNS; i++) {
        char line[60];
        snprintf(line, sizeof line, "batch b.yaml -o o --one=%d/%d", i / 3, i % 3);
        pid[i] = begin(cli_batch, line);
    }
    for (int i = 0; i < RUNS; i++)
        ck_assert_int_eq(end_of(pid[i]), 0);
    ck_assert_int_eq(system("test $(ls o.partial | wc -l) = 19 && truncate -s -3 o.partial/4.run"), 0);
    ck_assert_int_eq(run(cli_batch, "batch b.yaml -o o --no-plots --resume"), 0);
    ck_same_as_run("o");
}
END_TEST

START_TEST(what_is_not_its_own_is_left_alone)
{
    ck_assert_int_eq(run(cli_batch, "batch b.yaml -o o --one=0/0"), 0);
    ck_assert_int_eq(run(cli_batch, "batch b.yaml -o o --resume --set vms.hog.workload.steps.0.cpu=1ms"),
                     CLI_USAGE);
    ck_assert(said("err.txt", "is of other runs"));
    ck_assert(is_there("o.partial/0.run"));
    mkdir("p.partial", 0777);
    close(open("p.partial/mine", O_CREAT | O_WRONLY, 0666));
    ck_assert_int_eq(run(cli_batch, "batch b.yaml -o p"), CLI_USAGE);
    ck_assert(said("err.txt", "is in the way") && is_there("p.partial/mine"));
    ck_assert_int_eq(run(cli_batch, "batch b.yaml -o o --no-plots --set run.seed=6"), 0); /* anew */
    ck_assert(!is_there("o.partial"));
}
END_TEST

START_TEST(compared)
{
    ck_assert_int_eq(run(cli_batch, "batch b.yaml -o o --no-plots -r 10"), 0);
    ck_assert_int_eq(run(cli_batch, "batch b.yaml -o p --no-plots -r 10 -s 100"), 0);
    ck_assert_int_eq(run(cli_compare, "compare o o -m vm.a.latency"), CLI_OK);
    ck_assert(said("out.txt", "of 6 figures 0 differ, 6 are the same, 0 may differ by luck"));
    /* One more hog is more than luck, and so is another policy where there is one. */
    ck_assert_int_eq(run(cli_compare, "compare o@vms.hog.count=0@hosts.h.cpu.scheduler=credit "
                                      "o@vms.hog.count=2@hosts.h.cpu.scheduler=credit -m vm.a.latency.mean"),
                     CLI_OK);
    ck_assert(said("out.txt", "of 1 figures 1 differ") && said("out.txt", "higher") &&
              said("out.txt", "in pairs"));
    /* Other seeds are not: as if by luck. */
    ck_assert_int_eq(run(cli_compare, "compare o p -m vm.a.throughput -m no.such --csv --all"), CLI_OK);
    ck_assert_int_eq(system("test $(grep -c 'may be luck' out.txt) = 6 && test $(wc -l <out.txt) = 7"), 0);
    ck_assert_int_eq(run(cli_compare, "compare o"), CLI_USAGE);
    ck_assert_int_eq(run(cli_compare, "compare o@vms.hog.count=7 o"), CLI_USAGE);
    ck_assert(said("err.txt", "no run has the point @vms.hog.count=7"));
    ck_assert_int_eq(run(cli_compare, "compare o@vms.hog.count=0 o@vms.hog.count=1"), CLI_USAGE);
    ck_assert(said("err.txt", "none in common"));
    ck_assert_int_eq(system("sed -i '5s/,[^,]*$/,x/' p/summary.csv"), 0);
    ck_assert_int_eq(run(cli_compare, "compare o p"), CLI_USAGE);
    ck_assert(said("err.txt", "p/summary.csv:5: this is not the table"));
}
END_TEST

START_TEST(says_what_it_wants)
{
    static const struct {
        const char *line;
        int code;
        const char *says;
    } cases[] = {{"batch", CLI_USAGE, "which scenario?"},
                 {"batch b.yaml b.yaml", CLI_USAGE, "one too many"},
                 {"batch b.yaml -j 0", CLI_USAGE, "-j wants"},
                 {"batch b.yaml -r none", CLI_USAGE, "number of replications"},
                 {"batch b.yaml -s -1", CLI_USAGE, "no seed"},
                 {"batch b.yaml --one=6/0", CLI_USAGE, "no such run"},
                 {"batch b.yaml --one=x", CLI_USAGE, "no such run"},
                 {"batch b.yaml --resume --list", CLI_USAGE, "one of"},
                 {"batch b.yaml --engine=cloud", CLI_USAGE, "no engine"},
                 {"batch b.yaml --frob", CLI_USAGE, "what is `--frob`?"},
                 {"batch no.yaml", CLI_USAGE, "no.yaml"},
                 {"batch b.yaml --set hosts.h.cpu.cores=0", CLI_INVALID, "cores"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(run(cli_batch, cases[i].line) == cases[i].code, "%s", cases[i].line);
        ck_assert_msg(said("err.txt", cases[i].says), "%s", cases[i].line);
    }
}
END_TEST

Suite *batch_suite(void)
{
    Suite *s = suite_create("batch");
    TCase *t = tcase_create("batch");
    tcase_add_checked_fixture(t, setup, own_dir_leave);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, what_run_leaves_on_any_number_of_workers, 0, 4);
    tcase_add_test(t, killed_and_resumed);
    tcase_add_test(t, interrupted_and_resumed);
    tcase_add_test(t, one_by_one);
    tcase_add_test(t, what_is_not_its_own_is_left_alone);
    tcase_add_test(t, compared);
    tcase_add_test(t, says_what_it_wants);
    suite_add_tcase(s, t);
    return s;
}
