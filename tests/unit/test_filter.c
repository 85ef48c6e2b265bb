// SPDX-License-Identifier: GPL-3.0-or-later
/* The sandbox's own code, put on by a process that then tries what it should not: each try is its end, by
 * SIGSYS, and what a role needs goes on working. */
#include <check.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kvm/ctl.h"
#include "kvm/sandbox/rules.h"
#include "tests/often.h"

Suite *filter_suite(void);

#ifdef SANITIZED /* whose own calls no table names */
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

static const struct filter_role *const roles[] = {&rules_control, &rules_vcpu, &rules_native};
#define N_ROLES (int)(sizeof roles / sizeof *roles)

static void try_execve(void)
{
    char *argv[] = {NULL};
    execve("/bin/true", argv, argv);
}
static void try_open(void)
{
    open("/dev/null", O_RDONLY);
}
static void try_openat2(void)
{
    syscall(SYS_openat2, AT_FDCWD, "/dev/null", NULL, 0);
}
static void try_socket(void)
{
    socket(AF_INET, SOCK_STREAM, 0);
}
static void try_ptrace(void)
{
    ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}
static void try_fork(void)
{
    if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0) == 0) _exit(0);
}
static void try_thread(void)
{
    syscall(SYS_clone3, NULL, 0);
}
static void try_mmap(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static void try_mprotect(void)
{
    mprotect((void *)(uintptr_t)((uintptr_t)&try_mmap & ~(uintptr_t)4095), 4096,
             PROT_READ | PROT_WRITE | PROT_EXEC);
}
static void try_brk(void)
{
    syscall(SYS_brk, NULL);
}
static void try_read(void)
{
    char c;
    if (read(0, &c, 1) != 1) return;
}
static void try_write(void)
{
    if (write(2, "", 0) != 0) return;
}
static void try_peek(void)
{
    char c;
    struct iovec v = {&c, 1};
    process_vm_readv(getppid(), &v, 1, &v, 1, 0);
}
static void try_kill(void)
{
    kill(getppid(), 0);
}
static void try_tgkill_other(void)
{
    syscall(SYS_tgkill, 1, 1, CTL_KICK);
}
static void try_tgkill_stop(void)
{
    pid_t me = (pid_t)syscall(SYS_gettid);
    syscall(SYS_tgkill, me, me, SIGSTOP);
}
static void try_create_vm(void)
{
    ioctl(-1, KVM_CREATE_VM, 0);
}
static void try_set_slot(void)
{
    ioctl(-1, KVM_SET_USER_MEMORY_REGION, NULL);
}
static void try_set_regs(void)
{
    ioctl(-1, KVM_SET_SREGS, NULL);
}
static void try_tiocsti(void)
{
    ioctl(0, TIOCSTI, "x");
}
static void try_requeue(void)
{
    uint32_t a = 0, b = 0;
    syscall(SYS_futex, &a, FUTEX_CMP_REQUEUE_PI, 1, 1, &b, 0);
}
static void try_huge(void)
{
    madvise(NULL, 0, MADV_HUGEPAGE);
}
static void try_prctl(void)
{
    prctl(PR_SET_DUMPABLE, 1);
}
static void try_unshare(void)
{
    unshare(CLONE_NEWUSER);
}
static void try_setuid(void)
{
    syscall(SYS_setuid, 0);
}
static void try_io_uring(void)
{
    syscall(SYS_io_uring_setup, 1, NULL);
}
static void try_userfaultfd(void)
{
    syscall(SYS_userfaultfd, 0);
}
static void try_bpf(void)
{
    syscall(SYS_bpf, 0, NULL, 0);
}
static void try_seccomp(void)
{
    syscall(SYS_seccomp, 0, 0, NULL);
}
static void try_sigaction(void)
{
    signal(SIGUSR2, SIG_IGN);
}
static void try_x32(void)
{
    syscall(0x40000000 | SYS_getpid);
}
static void try_32_bits(void)
{
    long r = 20; /* getpid of another ABI */
    __asm__ volatile("int $0x80" : "+a"(r) : : "memory");
}

static const struct {
    const char *name;
    void (*it)(void);
} forbidden[] = {
    {"execve", try_execve},
    {"open", try_open},
    {"openat2", try_openat2},
    {"socket", try_socket},
    {"ptrace", try_ptrace},
    {"fork", try_fork},
    {"a thread", try_thread},
    {"mmap", try_mmap},
    {"mprotect", try_mprotect},
    {"brk", try_brk},
    {"read", try_read},
    {"write", try_write},
    {"another's memory", try_peek},
    {"kill", try_kill},
    {"tgkill of another process", try_tgkill_other},
    {"tgkill with another signal", try_tgkill_stop},
    {"KVM_CREATE_VM", try_create_vm},
    {"KVM_SET_USER_MEMORY_REGION", try_set_slot},
    {"KVM_SET_SREGS", try_set_regs},
    {"TIOCSTI", try_tiocsti},
    {"FUTEX_CMP_REQUEUE_PI", try_requeue},
    {"MADV_HUGEPAGE", try_huge},
    {"prctl", try_prctl},
    {"unshare", try_unshare},
    {"setuid", try_setuid},
    {"io_uring", try_io_uring},
    {"userfaultfd", try_userfaultfd},
    {"bpf", try_bpf},
    {"seccomp", try_seccomp},
    {"sigaction", try_sigaction},
    {"x32", try_x32},
    {"int 0x80", try_32_bits},
};

/* What comes of a process of that role that does it: the signal that ended it, or 0. */
static int fate(const struct filter_role *role, void (*it)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || filter_enter(role) != 0) _exit(99);
        it();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) return WTERMSIG(status);
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    return 0;
}

START_TEST(what_a_role_may_not_do_ends_it)
{
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        int sig = fate(roles[_i], forbidden[i].it);
        ck_assert_msg(sig == SIGSYS, "%s: %s: ended by %d", roles[_i]->name, forbidden[i].name, sig);
    }
}
END_TEST

static uint32_t word;
static void wait_and_wake(void)
{
    struct timespec t = {.tv_nsec = 1000}, now;
    syscall(SYS_futex, &word, FUTEX_WAIT, 0, &t, NULL, 0);
    syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    madvise(NULL, 0, MADV_DONTNEED);
}

static void sleep_and_kick(void)
{
    struct timespec t = {.tv_nsec = 1000};
    sigset_t kick;
    sigemptyset(&kick);
    sigaddset(&kick, CTL_KICK);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    sigprocmask(SIG_BLOCK, &kick, NULL);
    syscall(SYS_tgkill, getpid(), getpid(), CTL_KICK);
}

static void run_guest(void)
{
    ioctl(-1, KVM_RUN, 0);
    ioctl(-1, KVM_GET_REGS, NULL);
    ioctl(-1, KVM_GET_SREGS, NULL);
    ioctl(-1, KVM_GET_VCPU_EVENTS, NULL);
}

START_TEST(what_a_role_is_for_it_may)
{
    for (int i = 0; i < N_ROLES; i++)
        ck_assert_int_eq(fate(roles[i], wait_and_wake), 0);
    ck_assert_int_eq(fate(&rules_vcpu, sleep_and_kick), 0);
    ck_assert_int_eq(fate(&rules_native, sleep_and_kick), 0);
    ck_assert_int_eq(fate(&rules_vcpu, run_guest), 0);
    /* ... and the others not. */
    ck_assert_int_eq(fate(&rules_control, sleep_and_kick), SIGSYS);
    ck_assert_int_eq(fate(&rules_control, run_guest), SIGSYS);
    ck_assert_int_eq(fate(&rules_native, run_guest), SIGSYS);
}
END_TEST

/* A second filter can only take away: another role's is no way out. */
START_TEST(a_filter_cannot_be_taken_off)
{
    struct filter f;
    ck_assert_int_eq(filter_make(&f, &rules_vcpu), 0);
    ck_assert_uint_gt(f.n, 10);
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || filter_enter(&rules_control) != 0) _exit(99);
        filter_install(&f);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    filter_done(&f);
}
END_TEST

Suite *filter_suite(void)
{
    Suite *s = suite_create("filter");
    TCase *t = tcase_create("filter");
    if (!sanitized) {
        tcase_add_loop_test(t, what_a_role_may_not_do_ends_it, 0, N_ROLES);
        tcase_add_test(t, what_a_role_is_for_it_may);
        tcase_add_test(t, a_filter_cannot_be_taken_off);
    }
    suite_add_tcase(s, t);
    return s;
}
