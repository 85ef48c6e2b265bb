// SPDX-License-Identifier: GPL-3.0-or-later
/* Many VMs, and what it takes to have them; one of six that is killed; runners that are ended at any moment.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "lab.h"
#include "tests/kvm/procs.h"

Suite *many_suite(void);

static const char *const schedulers[] = {"eevdf", "rr"};

START_TEST(a_hundred_vms_come_and_go)
{
    enum { N = 100 };
    int64_t from = host_now();
    struct lab *l = lab_new(schedulers[_i], 1, N, 1500000000);
    for (uint32_t i = 0; i < N; i++)
        l->vms[i].work.until = 3;
    lab_run_well(l);
    for (uint32_t i = 0; i < N; i++) {
        ck_assert_msg(!l->rep.ends[i], "%s", l->rep.ends[i]);
        ck_assert_uint_eq(l->seen[i].n[REC_UNTIL], 1);
        ck_assert_uint_eq(l->rep.checksum[i], lab_expected(l, i, 0, 3));
    }
    double took = (double)(host_now() - from) / 1e9;
    printf("100 VMs under %s: %.1f s in all, of which %.0f ms to set them up\n", schedulers[_i], took,
           (double)l->rep.setup_ns / 1e6);
    ck_assert_msg(took < 30, "took %.1f s", took);
    lab_free(l);
    ck_assert_int_eq(procs_vmms(getpid(), NULL, 0), 0);
    ck_assert_int_eq(procs_groups(getpid()), 0);
}
END_TEST

/* From the first fork until four guests have said that they are ready, by the runner's clock. */
START_TEST(four_vms_are_set_up_in_no_time)
{
    enum { RUNS = 11 };
    double ms[RUNS];
    for (int k = 0; k < RUNS; k++) {
        struct lab *l = lab_new("rr", 1, 4, 20000000);
        lab_run_well(l);
        ms[k] = (double)l->rep.setup_ns / 1e6;
        lab_free(l);
    }
    double median = lab_median(ms, RUNS);
    printf("4 VMs are set up in %.1f ms (median of %d; from %.1f to %.1f)\n", median, RUNS, ms[0],
           ms[RUNS - 1]);
    ck_assert_msg(median < 100, "set up in %.1f ms", median);
}
END_TEST

#define SIX    6
#define VICTIM 2

struct outcome {
    uint64_t checksum[SIX];
    int finished[SIX];
    bool killed;
};

/* The VMM of that VM, when all six are there: its name is its argument. */
static pid_t vmm_named(pid_t runner, const char *name)
{
    pid_t vmms[SIX] = {0};
    for (int i = 0; i < 1000 && procs_vmms(runner, vmms, SIX) < SIX; i++)
        usleep(5000);
    for (int i = 0; i < SIX; i++) {
        char path[64], line[64];
        snprintf(path, sizeof path, "/proc/%d/cmdline", (int)vmms[i]);
        FILE *f = fopen(path, "re");
        size_t n = f ? fread(line, 1, sizeof line - 1, f) : 0;
        if (f) fclose(f);
        line[n] = 0;
        if (n > 0 && strlen(line) + 1 < n && strcmp(line + strlen(line) + 1, name) == 0) return vmms[i];
    }
    ck_abort_msg("no VMM of %s", name);
    return 0;
}

/* Six VMs with so much to do each, the victim without end; what came of it, from a runner in a process of its
 * own. */
static struct outcome run_six(const char *scheduler, bool kill_one)
{
    struct outcome o = {0};
    int p[2];
    ck_assert_int_eq(pipe(p), 0);
    pid_t runner = fork();
    if (runner == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct lab *l = lab_new(scheduler, 1, SIX, 2500000000);
        static const struct step drawn = {
            .kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_EXPONENTIAL, .a = 400000}};
        for (uint32_t i = 0; i < SIX; i++) {
            lab_set_prog(l, i, &drawn, 1);
            l->vms[i].work.until = i == VICTIM ? UINT64_MAX : 150;
        }
        if (lab_run(l) != KVM_OK) {
            fprintf(stderr, "the run failed: %s\n", l->why);
            _exit(1);
        }
        for (uint32_t i = 0; i < SIX; i++) {
            o.checksum[i] = l->rep.checksum[i];
            o.finished[i] = l->seen[i].n[REC_UNTIL] == 1 && !l->rep.ends[i];
        }
        const char *end = l->rep.ends[VICTIM];
        o.killed = end && strstr(end, "killed by signal 9") && l->seen[VICTIM].last_to == VCPU_DOWN;
        _exit(write(p[1], &o, sizeof o) == (ssize_t)sizeof o ? 0 : 1);
    }
    close(p[1]);
    if (kill_one) {
        pid_t victim = vmm_named(runner, "v2");
        for (int i = 0; i < 1000 && procs_ticks(victim) < 4; i++) /* at work for a while, as all are */
            usleep(5000);
        ck_assert_int_eq(kill(victim, SIGKILL), 0);
    }
    ck_assert_int_eq(read(p[0], &o, sizeof o), sizeof o);
    close(p[0]);
    int status;
    ck_assert_int_eq(waitpid(runner, &status, 0), runner);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_int_eq(procs_groups(runner), 0);
    return o;
}

START_TEST(one_of_six_is_killed_and_five_do_not_notice)
{
    struct outcome whole = run_six(schedulers[_i], false), lacking = run_six(schedulers[_i], true);
    ck_assert(!whole.killed);
    ck_assert(lacking.killed);
    for (int i = 0; i < SIX; i++) {
        if (i == VICTIM) continue;
        ck_assert(whole.finished[i]);
        ck_assert(lacking.finished[i]);
        ck_assert_uint_eq(whole.checksum[i], lacking.checksum[i]);
    }
}
END_TEST

static void reap_all(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

/* Processes that descend from us: we are whom orphans are given to. */
static int children(void)
{
    pid_t me = getpid();
    reap_all();
    return procs_vmms(me, NULL, 0) + procs_named("vlab-proc", me, NULL, 0) +
           procs_named("vlab-janitor", me, NULL, 0);
}

/* Looked at, not looked for: cgroup_find would remove what a dead runner left. */
static int groups_in(const struct cgroups *c, pid_t runner)
{
    char prefix[32];
    int n = 0;
    DIR *d = c->version != 0 ? opendir(c->base) : NULL;
    snprintf(prefix, sizeof prefix, "vlab-%d-", (int)runner);
    for (struct dirent *e; d && (e = readdir(d));)
        n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
    if (d) closedir(d);
    return n;
}

/* From before its first VMM until after its last, by a seed: said so that a moment that fails can be had
 * again. */
START_TEST(a_runner_may_end_at_any_moment)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGKILL};
    struct rng r = rng_at((uint64_t)_i + 1, 0, 0);
    struct cgroups place;
    char *none = NULL;
    cgroup_find(&place, &none);
    free(none);
    signal(SIGINT, SIG_DFL); /* Check's own, which a runner would begin with, end the test */
    signal(SIGTERM, SIG_DFL);
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    for (int k = 0; k < 12; k++) {
        int sig = signals[k % 3];
        useconds_t delay = (useconds_t)(rng_u32(&r) % 250000);
        pid_t runner = fork();
        if (runner == 0) {
            struct lab *l = lab_new(schedulers[(k / 3 + _i) % 2], 1, 3, 200000000);
            l->own.native = k % 4 == 3;
            l->host.measured.iters_per_ns = k % 2; /* 0: it measures first */
            _exit((int)lab_run(l));
        }
        usleep(delay);
        kill(runner, sig);
        int status;
        ck_assert_int_eq(waitpid(runner, &status, 0), runner);
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        ck_assert_msg(code == KVM_OK || code == KVM_FAILED || code == -sig, "signal %d after %u us: %d", sig,
                      (unsigned)delay, code);
        int left = 1;
        for (int i = 0; i < 300 && left > 0; i++, usleep(10000))
            left = children();
        ck_assert_msg(left == 0, "signal %d after %u us: %d processes are left", sig, (unsigned)delay, left);
        int groups = groups_in(&place, runner);
        ck_assert_msg(groups == 0, "signal %d after %u us: %d groups are left", sig, (unsigned)delay, groups);
    }
}
END_TEST

Suite *many_suite(void)
{
    Suite *s = suite_create("many");
    if (!lab_usable("many")) return s;
    TCase *t = tcase_create("many");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_hundred_vms_come_and_go, 0, 2);
    tcase_add_test(t, four_vms_are_set_up_in_no_time);
    tcase_add_loop_test(t, one_of_six_is_killed_and_five_do_not_notice, 0, 2);
    tcase_add_loop_test(t, a_runner_may_end_at_any_moment, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
