// SPDX-License-Identifier: GPL-3.0-or-later
/* A real VMM, looked at from outside while its guest runs: it has given up what it does not need. */
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "lab.h"
#include "tests/kvm/procs.h"
#include "tests/often.h"

Suite *confined_suite(void);

/* The value of a line of /proc/.../status, as text; "" where there is none. */
static const char *status_of(const char *dir, const char *key, char *buf, size_t size)
{
    char path[128], line[256];
    size_t n = strlen(key);
    snprintf(path, sizeof path, "%s/status", dir);
    FILE *f = fopen(path, "re");
    buf[0] = 0;
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, key, n) != 0 || line[n] != ':') continue;
        line[strcspn(line, "\n")] = 0;
        const char *p = line + n + 1;
        while (isspace((unsigned char)*p))
            p++;
        snprintf(buf, size, "%s", p);
    }
    if (f) fclose(f);
    return buf;
}

static void expect(const char *dir, const char *key, const char *want)
{
    char buf[256];
    ck_assert_msg(strcmp(status_of(dir, key, buf, sizeof buf), want) == 0, "%s: %s is `%s`, not `%s`", dir,
                  key, buf, want);
}

/* All threads of a VMM; how many there were. */
static int expect_threads_confined(pid_t vmm)
{
    static const char *const caps[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};
    char dir[64], path[400];
    int n = 0;
    snprintf(dir, sizeof dir, "/proc/%d/task", (int)vmm);
    DIR *d = opendir(dir);
    ck_assert_ptr_nonnull(d);
    const bool may_bound = strtoull(status_of("/proc/self", "CapEff", path, sizeof path), NULL, 16) >> 8 & 1;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%.20s", dir, e->d_name);
        char name[64];
        status_of(path, "Name", name, sizeof name);
#ifndef SANITIZED
        expect(path, "Seccomp", "2");
        expect(path, "Seccomp_filters", "1");
#endif
        expect(path, "NoNewPrivs", "1");
        for (int i = 0; i < 4; i++)
            expect(path, caps[i], "0000000000000000");
        if (geteuid() == 0) {
            if (may_bound) expect(path, "CapBnd", "0000000000000000");
            expect(path, "Uid", "65534\t65534\t65534\t65534");
            expect(path, "Gid", "65534\t65534\t65534\t65534");
            expect(path, "Groups", "");
        }
        n += strcmp(name, "vlab-vmm") == 0; /* KVM adds one of the kernel's own */
    }
    closedir(d);
    return n;
}

/* Its descriptors: what it was started with as 0 to 2, its VM, its vCPUs and nothing else. */
static void expect_descriptors(pid_t vmm, int vcpus)
{
    char dir[64], path[400], to[256];
    int n = 0, n_vcpus = 0, n_vm = 0;
    snprintf(dir, sizeof dir, "/proc/%d/fd", (int)vmm);
    DIR *d = opendir(dir);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%.20s", dir, e->d_name);
        ssize_t len = readlink(path, to, sizeof to - 1);
        ck_assert_int_gt(len, 0);
        to[len] = 0;
        n++;
        n_vcpus += strncmp(to, "anon_inode:kvm-vcpu", 19) == 0;
        n_vm += strcmp(to, "anon_inode:kvm-vm") == 0;
        if (atoi(e->d_name) < 2) ck_assert_str_eq(to, "/dev/null");
    }
    closedir(d);
    ck_assert_int_eq(n_vcpus, vcpus);
    ck_assert_int_eq(n_vm, 1);
    ck_assert_int_eq(n, 3 + n_vm + n_vcpus);
}

static void expect_limits(pid_t vmm)
{
    char path[64], line[256];
    int zero = 0;
    snprintf(path, sizeof path, "/proc/%d/limits", (int)vmm);
    FILE *f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        unsigned long soft = 1, hard = 1;
        if (sscanf(line, "Max core file size %lu %lu", &soft, &hard) != 2)
            sscanf(line, "Max file size %lu %lu", &soft, &hard);
        zero += soft == 0 && hard == 0;
    }
    fclose(f);
    ck_assert_int_eq(zero, 2);
}

/* Nothing that can be written to is executable, and the guest's RAM lies between pages that are nobody's. */
static void expect_memory(pid_t vmm)
{
    char path[64], line[512], rights[8];
    unsigned long from, to, last = 0;
    bool fenced = false, was_none = false, was_ram = false;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)vmm);
    FILE *f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        ck_assert_int_eq(sscanf(line, "%lx-%lx %7s", &from, &to, rights), 3);
        ck_assert_msg(!(rights[1] == 'w' && rights[2] == 'x'), "writable and executable: %s", line);
        bool none = strncmp(rights, "---", 3) == 0;
        bool ram = strncmp(rights, "rw-p", 4) == 0 && to - from == ABI_RAM_END - ABI_RAM_BASE;
        if (was_ram && none && from == last) fenced = true;
        was_ram = ram && was_none && from == last;
        was_none = none;
        last = to;
    }
    fclose(f);
    ck_assert(fenced);
}

/* A runner of n guests, in a process that can be signalled. Its exit code: 50 and how many of them ended,
 * where all those died of a call their sandbox forbids. */
static pid_t start_runner(const char *scheduler, uint32_t n, uint32_t vcpus, int64_t duration_ns)
{
    pid_t runner = fork();
    if (runner != 0) return runner;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct lab *l = lab_new(scheduler, 1, n, duration_ns);
    int ended = 0;
    l->vms[0].vcpus = vcpus;
    enum kvm_status st = lab_run(l);
    for (uint32_t i = 0; st == KVM_OK && i < n; i++) {
        if (!l->rep.ends[i]) continue;
        bool told = strstr(l->rep.ends[i], "its VMM made a system call that its sandbox forbids") != NULL;
        if (!told || l->seen[i].fault.cause != REC_EV_KILLED || l->seen[i].fault.value != SIGSYS) _exit(99);
        ended++;
    }
    _exit(st == KVM_OK ? 50 + ended : (int)st);
}

static int exit_of(pid_t runner)
{
    int status;
    ck_assert_int_eq(waitpid(runner, &status, 0), runner);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

START_TEST(a_vmm_is_confined)
{
    pid_t vmm = 0, runner = start_runner(_i == 0 ? "eevdf" : "rr", 1, 3, 60000000000);
    ck_assert(procs_wait_running(runner, 1, &vmm));
    ck_assert_int_eq(expect_threads_confined(vmm), 1 + 3);
    expect_descriptors(vmm, 3);
    expect_limits(vmm);
    expect_memory(vmm);
    kill(runner, SIGINT);
    ck_assert_int_eq(exit_of(runner), KVM_FAILED);
}
END_TEST

#ifndef SANITIZED
/* A thread of the VMM by its place: 0 is the first, which only waits; the others run vCPUs. */
static pid_t thread_of(pid_t vmm, int place)
{
    char dir[64], path[128], name[64];
    pid_t best = 0;
    snprintf(dir, sizeof dir, "/proc/%d/task", (int)vmm);
    if (place == 0) return vmm;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%.20s", dir, e->d_name);
        if (atoi(e->d_name) <= 0 || atoi(e->d_name) == vmm) continue;
        if (strcmp(status_of(path, "Name", name, sizeof name), "vlab-vmm") == 0) best = atoi(e->d_name);
    }
    if (d) closedir(d);
    return best;
}

/* Makes a thread that is in a system call make another: what a VMM that was taken over would do. How it
 * ended: the signal; 0: it may not be looked at here. */
static int make_it_call(pid_t tid, long number)
{
    struct user_regs_struct r;
    int status;
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0) return 0;
    ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL), 0);
    ck_assert_int_eq(waitpid(tid, &status, __WALL), tid);
    ck_assert(WIFSTOPPED(status));
    ck_assert_int_eq(ptrace(PTRACE_GETREGS, tid, NULL, &r), 0);
    long code = ptrace(PTRACE_PEEKTEXT, tid, (void *)(uintptr_t)(r.rip - 2), NULL);
    ck_assert_int_eq(code & 0xffff, 0x050f); /* it stands behind `syscall` */
    r.rip -= 2;
    r.rax = (unsigned long long)number;
    r.orig_rax = (unsigned long long)-1; /* nothing to be begun again */
    ck_assert_int_eq(ptrace(PTRACE_SETREGS, tid, NULL, &r), 0);
    ck_assert_int_eq(ptrace(PTRACE_CONT, tid, NULL, NULL), 0);
    for (int i = 0; i < 20; i++) {
        if (waitpid(tid, &status, __WALL) != tid) return -1;
        if (WIFSIGNALED(status)) return WTERMSIG(status);
        if (WIFEXITED(status)) return -1;
        ptrace(PTRACE_CONT, tid, NULL, (void *)(uintptr_t)WSTOPSIG(status));
    }
    return -1;
}

START_TEST(a_vmm_that_was_taken_over_dies_trying)
{
    static const long tries[] = {SYS_execve, SYS_openat, SYS_socket, SYS_ptrace};
    pid_t vmms[2], runner = start_runner("rr", 2, 1, 700000000);
    ck_assert(procs_wait_running(runner, 2, vmms));
    int sig = make_it_call(thread_of(vmms[0], _i % 2), tries[_i / 2]);
    if (sig == 0) {
        fprintf(stderr, "SKIPPED: ptrace: a VMM may not be traced here\n");
        kill(runner, SIGINT);
        exit_of(runner);
        return;
    }
    ck_assert_int_eq(sig, SIGSYS);
    ck_assert_int_eq(exit_of(runner), 51); /* that VM alone */
}
END_TEST
#endif

Suite *confined_suite(void)
{
    Suite *s = suite_create("confined");
    if (!lab_usable("confined")) return s;
    TCase *t = tcase_create("confined");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, a_vmm_is_confined, 0, 2);
#ifndef SANITIZED
    tcase_add_loop_test(t, a_vmm_that_was_taken_over_dies_trying, 0, 8);
#endif
    suite_add_tcase(s, t);
    return s;
}
