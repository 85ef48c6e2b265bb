// SPDX-License-Identifier: GPL-3.0-or-later
/* Whatever happens to a run: it ends, says so, and leaves no process and no cgroup behind. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/kvm/procs.h"

Suite *clean_suite(void);

static void expect_nothing_left(pid_t runner)
{
    for (int i = 0; i < 200 && procs_vmms(runner, NULL, 0) > 0; i++)
        usleep(10000);
    ck_assert_int_eq(procs_vmms(runner, NULL, 0), 0);
    ck_assert_int_eq(procs_groups(runner), 0);
}

static const char *const schedulers[] = {"eevdf", "rr"};

START_TEST(nothing_is_left_after_a_run)
{
    struct lab *l = lab_new(schedulers[_i], 1, 2, 200000000);
    lab_run_well(l);
    lab_free(l);
    expect_nothing_left(getpid());
}
END_TEST

/* Runs in a child: its runner is then a process that can be signalled. Exit code: the run's status. */
static pid_t run_in_child(const char *scheduler, int64_t duration_ns)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid != 0) return pid;
    struct lab *l = lab_new(scheduler, 1, 2, duration_ns);
    enum kvm_status st = lab_run(l);
    /* A VMM that is killed ends its VM, not the run. */
    bool as_told = st != KVM_OK || (l->rep.ends[0] != NULL) + (l->rep.ends[1] != NULL) == 1;
    if (st == KVM_OK && as_told) {
        int dead = l->rep.ends[0] ? 0 : 1;
        as_told = strstr(l->rep.ends[dead], "killed by signal 9") &&
                  l->seen[dead].fault.cause == REC_EV_KILLED && l->seen[dead].fault.value == SIGKILL &&
                  l->seen[dead].last_to == VCPU_DOWN && l->seen[!dead].n[REC_WORK] > 0 &&
                  l->seen[!dead].last_to != VCPU_DOWN;
    }
    _exit(as_told ? (int)st : 99);
}

static void wait_for_vmms(pid_t runner, pid_t *vmm)
{
    for (int i = 0; i < 500 && procs_vmms(runner, vmm, 1) < 2; i++)
        usleep(10000);
    ck_assert_int_eq(procs_vmms(runner, vmm, 1), 2);
    usleep(300000);
}

static int exit_code(pid_t pid)
{
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

START_TEST(a_vmm_that_is_killed_ends_alone)
{
    pid_t vmm, runner = run_in_child(schedulers[_i], 1000000000);
    wait_for_vmms(runner, &vmm);
    ck_assert_int_eq(kill(vmm, SIGKILL), 0);
    ck_assert_int_eq(exit_code(runner), KVM_OK);
    expect_nothing_left(runner);
}
END_TEST

START_TEST(an_interrupted_run_cleans_up)
{
    pid_t runner = run_in_child(schedulers[_i], 60000000000);
    wait_for_vmms(runner, NULL);
    int64_t from = host_now();
    ck_assert_int_eq(kill(runner, SIGINT), 0);
    ck_assert_int_eq(exit_code(runner), KVM_FAILED);
    ck_assert_int_lt(host_now() - from, 3000000000);
    expect_nothing_left(runner);
}
END_TEST

START_TEST(guests_die_with_a_runner_that_is_killed)
{
    pid_t vmm, runner = run_in_child(schedulers[_i], 60000000000);
    wait_for_vmms(runner, &vmm);
    ck_assert_int_eq(kill(runner, SIGKILL), 0);
    ck_assert_int_eq(exit_code(runner), -SIGKILL);
    for (int i = 0; i < 300 && kill(vmm, 0) == 0; i++)
        usleep(10000);
    ck_assert_int_ne(kill(vmm, 0), 0);
    /* Its groups stay until the next run looks. */
    usleep(100000);
    struct lab *l = lab_new("eevdf", 1, 1, 50000000);
    lab_run_well(l);
    lab_free(l);
    ck_assert_int_eq(procs_groups(runner), 0);
}
END_TEST

Suite *clean_suite(void)
{
    Suite *s = suite_create("clean");
    if (!lab_usable("clean")) return s;
    TCase *t = tcase_create("clean");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, nothing_is_left_after_a_run, 0, 2);
    tcase_add_loop_test(t, a_vmm_that_is_killed_ends_alone, 0, 2);
    tcase_add_loop_test(t, an_interrupted_run_cleans_up, 0, 2);
    tcase_add_loop_test(t, guests_die_with_a_runner_that_is_killed, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
