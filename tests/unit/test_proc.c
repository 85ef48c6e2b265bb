// SPDX-License-Identifier: GPL-3.0-or-later
/* --backend=proc: the payload in native processes does the very work that the library's interpreter does,
 * under the same gates, needs no KVM, and refuses by name what a process cannot. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/kvm/lab.h"
#include "tests/kvm/procs.h"
#include "tests/often.h"

Suite *proc_suite(void);

static const char *const schedulers[] = {"rr", "stride", "cfs", "eevdf"};

static struct lab *native_lab(const char *scheduler, uint32_t cores, uint32_t n, int64_t duration_ns)
{
    struct lab *l = lab_new(scheduler, cores, n, duration_ns);
    l->own.native = true;
    return l;
}

/* False: Linux's own scheduler cannot be followed here. */
static bool run_or_skip(struct lab *l)
{
    enum kvm_status st = lab_run(l);
    if (st == KVM_NO_KVM && strcmp(l->host.scheduler, "eevdf") == 0) {
        fprintf(stderr, "SKIPPED: eevdf: %s\n", l->why);
        return false;
    }
    ck_assert_msg(st == KVM_OK, "%s", l->why ? l->why : "?");
    for (uint32_t i = 0; i < l->sc.n_vms; i++)
        ck_assert_int_eq(l->seen[i].last_ns, l->sc.run.duration_ns);
    return true;
}

static const struct step drawn[] = {
    {.kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_EXPONENTIAL, .a = 200000}},
    {.kind = STEP_TOUCH,
     .probability = UINT32_MAX,
     .amount = {.kind = DIST_CONST, .a = 500},
     .how = PROG_UNIFORM,
     .span = 300,
     .write = 1u << 31,
     .skew = .8},
    {.kind = STEP_SLEEP,
     .probability = UINT32_MAX / 2,
     .amount = {.kind = DIST_UNIFORM, .a = 0, .b = 300000}},
};

START_TEST(a_loop_has_the_librarys_checksum)
{
    enum { N = 100 };
    struct lab *l = native_lab(schedulers[_i], 1, 2, 700000000);
    for (uint32_t i = 0; i < 2; i++) {
        lab_set_prog(l, i, drawn, 3);
        l->vms[i].work.until = N;
    }
    if (run_or_skip(l))
        for (uint32_t i = 0; i < 2; i++) {
            ck_assert_ptr_null(l->rep.ends[i]);
            ck_assert_uint_eq(l->seen[i].n[REC_UNTIL], 1);
            ck_assert_uint_eq(l->rep.checksum[i], lab_expected(l, i, 0, N));
            ck_assert_int_eq(l->seen[i].refs, N * 500);
            ck_assert_int_gt(l->seen[i].state_ns[VCPU_IDLE], 0);
        }
    lab_free(l);
}
END_TEST

START_TEST(requests_are_served)
{
    enum { N = 100 };
    struct lab *l = native_lab("rr", 1, 1, 700000000);
    struct sc_workload *w = &l->vms[0].work;
    lab_set_prog(l, 0, drawn, 1);
    w->requests = true;
    w->arrivals = SC_CLOSED;
    w->clients = 1;
    w->think = (struct dist){.kind = DIST_EXPONENTIAL, .a = 2000000};
    draw_make(&w->think);
    w->until = N;
    ck_assert(run_or_skip(l));
    ck_assert_uint_eq(l->seen[0].n[REC_DONE], N);
    ck_assert_uint_eq(l->rep.checksum[0], lab_expected(l, 0, 0, N));
    lab_free(l);
}
END_TEST

/* Two threads of one process and a lock between them; the payload sees to it that one is inside at a time. */
START_TEST(a_lock_lets_one_in_at_a_time)
{
    struct lab *l = native_lab("rr", 2, 1, 700000000);
    const struct step s = {
        .kind = STEP_LOCK, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 2000}};
    lab_set_prog(l, 0, &s, 1);
    if (sysconf(_SC_NPROCESSORS_ONLN) >= 2) {
        l->vms[0].vcpus = l->vms[0].work.threads = 2;
        l->vms[0].work.until = 2000;
        ck_assert(run_or_skip(l));
        ck_assert_msg(!l->rep.ends[0], "%s", l->rep.ends[0]);
        ck_assert_uint_eq(l->seen[0].n[REC_UNTIL], 1);
        uint64_t sum = lab_expected(l, 0, 0, 1000) + lab_expected(l, 0, 1, 1000);
        ck_assert_uint_eq(l->rep.checksum[0], sum & PROG_CHECKSUM_MASK);
    }
    lab_free(l);
}
END_TEST

/* The gate holds processes as it holds guests: one runs at a time, and both get what the policy says. */
START_TEST(the_dispatcher_shares_a_cpu_among_processes)
{
    struct lab *l = native_lab("stride", 1, 2, 900000000);
    l->vms[0].weight = 3000;
    ck_assert(run_or_skip(l));
    ck_assert_msg(lab_share(l, 0) > 72 && lab_share(l, 0) < 78, "%.1f %% of 75", lab_share(l, 0));
    int64_t run = l->seen[0].state_ns[VCPU_RUN] + l->seen[1].state_ns[VCPU_RUN];
    ck_assert_int_le(run, l->sc.run.duration_ns);
    ck_assert_int_gt(run, l->sc.run.duration_ns * 9 / 10);
    lab_free(l);
}
END_TEST

#define MEMORY (100 * (int64_t)4096)
static const struct {
    enum prog_access how;
    int64_t address;
    const char *line;
} refused[] = {
    {PROG_NULL, 0, "page fault"},
    {PROG_OUTSIDE, ABI_MEMORY + MEMORY, "outside its memory"},
    {PROG_NX, ABI_MEMORY, "page fault"},
    {PROG_READONLY, ABI_BOOT, "page fault"},
};

START_TEST(what_no_guest_may_ends_a_process_alone)
{
    struct lab *l = native_lab("rr", 1, 2, 400000000);
    struct step s[] = {
        {.kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 1000000}},
        {.kind = STEP_ACCESS, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 1}}};
    s[1].how = refused[_i].how;
    lab_set_prog(l, 0, s, 2);
    l->vms[0].memory_bytes = MEMORY;
    l->vms[1].work.until = 20;
    ck_assert(run_or_skip(l));
    ck_assert_uint_eq(l->seen[0].n_events[REC_EV_FAULT], 1);
    ck_assert_int_eq(l->seen[0].fault.value, refused[_i].address);
    ck_assert_ptr_nonnull(strstr(l->rep.ends[0], refused[_i].line));
    ck_assert_uint_eq(l->seen[0].last_to, VCPU_DOWN);
    ck_assert_uint_eq(l->seen[1].n[REC_UNTIL], 1);
    ck_assert_uint_eq(l->rep.checksum[1], lab_expected(l, 1, 0, 20));
    lab_free(l);
}
END_TEST

static void expect_refused(struct lab *l, const char *what)
{
    ck_assert_int_eq(lab_run(l), KVM_CANNOT);
    ck_assert_msg(strstr(l->why, "not possible on this backend: ") == l->why && strstr(l->why, what), "%s",
                  l->why);
    free(l->why);
    l->why = NULL;
}

START_TEST(what_a_process_cannot_is_refused_by_name)
{
    static const struct step bell = {.kind = STEP_OPS,
                                     .probability = UINT32_MAX,
                                     .amount = {.kind = DIST_CONST, .a = 1},
                                     .how = OP_DOORBELL};
    static const struct step disk = {
        .kind = STEP_DISK, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 4096}};
    struct lab *l = native_lab("rr", 1, 1, 100000000);
    l->vms[0].mode = SC_PARAVIRTUAL;
    expect_refused(l, "vms.v0.mode: paravirtual");
    l->vms[0].mode = SC_EMULATION;
    expect_refused(l, "vms.v0.mode: emulation");
    l->vms[0].mode = SC_BARE;
    l->vms[0].network = 0;
    expect_refused(l, "vms.v0.nic");
    l->vms[0].network = SC_NONE;
    l->sc.n_events = 1;
    expect_refused(l, "events");
    l->sc.n_events = 0;
    l->host.speed_ppm = 500000;
    expect_refused(l, "hosts.h1.cpu.speed"); /* as of guests */
    l->host.speed_ppm = 1000000;
    lab_set_prog(l, 0, &bell, 1);
    expect_refused(l, "ops: doorbell");
    lab_set_prog(l, 0, &disk, 1);
    expect_refused(l, "`disk` step");
    lab_free(l);
}
END_TEST

START_TEST(bare_and_container_are_what_a_process_is)
{
    struct lab *l = native_lab("rr", 1, 2, 300000000);
    l->vms[0].mode = SC_BARE;
    l->vms[1].mode = SC_CONTAINER;
    l->vms[0].work.until = l->vms[1].work.until = 10;
    ck_assert(run_or_skip(l));
    for (uint32_t i = 0; i < 2; i++)
        ck_assert_uint_eq(l->rep.checksum[i], lab_expected(l, i, 0, 10));
    lab_free(l);
}
END_TEST

/* A process that is killed is one that is lost, not the run; and it is confined as a VMM is. */
START_TEST(a_process_that_is_killed_ends_alone)
{
    pid_t pids[2], runner = fork();
    if (runner == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct lab *l = native_lab("rr", 1, 2, 1500000000);
        enum kvm_status st = lab_run(l);
        int gone = st != KVM_OK ? 0 : (l->rep.ends[0] != NULL) + (l->rep.ends[1] != NULL);
        _exit(gone == 1 ? 0 : 1);
    }
    int n = 0;
    for (int i = 0; i < 500 && n < 2; i++, usleep(10000))
        n = procs_named("vlab-proc", runner, pids, 2);
    ck_assert_int_eq(n, 2);
    usleep(300000);
#ifndef SANITIZED
    char path[64], line[128];
    int confined = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pids[0]);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        confined += strcmp(line, "Seccomp:\t2\n") == 0 || strcmp(line, "NoNewPrivs:\t1\n") == 0;
    if (f) fclose(f);
    ck_assert_int_eq(confined, 2);
#endif
    kill(pids[0], SIGKILL);
    int status;
    ck_assert_int_eq(waitpid(runner, &status, 0), runner);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_int_eq(procs_named("vlab-proc", runner, NULL, 0), 0);
    ck_assert_int_eq(procs_groups(runner), 0);
}
END_TEST

Suite *proc_suite(void)
{
    Suite *s = suite_create("proc");
    TCase *t = tcase_create("proc");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, a_loop_has_the_librarys_checksum, 0, 4);
    tcase_add_test(t, requests_are_served);
    tcase_add_test(t, a_lock_lets_one_in_at_a_time);
    tcase_add_test(t, the_dispatcher_shares_a_cpu_among_processes);
    tcase_add_loop_test(t, what_no_guest_may_ends_a_process_alone, 0, 4);
    tcase_add_test(t, what_a_process_cannot_is_refused_by_name);
    tcase_add_test(t, bare_and_container_are_what_a_process_is);
    tcase_add_test(t, a_process_that_is_killed_ends_alone);
    suite_add_tcase(s, t);
    return s;
}
