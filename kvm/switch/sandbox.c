// SPDX-License-Identifier: GPL-3.0-or-later
/* What a switch gives up before it reads the first frame: root, capabilities, other descriptors, core dumps,
 * files, and every system call but those that carry frames. It dies with its runner. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm/switch/switch.h"

#define NOBODY 65534

static void limit(struct net_ctl *ctl, int what, rlim_t most)
{
    struct rlimit r = {most, most};
    if (setrlimit((__rlimit_resource_t)what, &r) != 0) switch_fail(ctl, "setrlimit: %s", strerror(errno));
}

static void drop_user(struct net_ctl *ctl, bool was_root)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    if (was_root && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
                     setresuid(NOBODY, NOBODY, NOBODY) != 0))
        switch_fail(ctl, "cannot give up root: %s", strerror(errno));
    if (syscall(SYS_capset, &head, none) != 0) switch_fail(ctl, "capset: %s", strerror(errno));
}

static void filter(struct net_ctl *ctl, bool slirp)
{
    static const int plain[] = {SCMP_SYS(read),           SCMP_SYS(write),        SCMP_SYS(recvfrom),
                                SCMP_SYS(sendmsg),        SCMP_SYS(ppoll),        SCMP_SYS(close),
                                SCMP_SYS(clock_gettime),  SCMP_SYS(rt_sigreturn), SCMP_SYS(exit_group),
                                SCMP_SYS(restart_syscall)};
    /* What libslirp does for a UDP or TCP connection, and glib for memory. */
    static const int slirps[] = {
        SCMP_SYS(socket),     SCMP_SYS(bind),       SCMP_SYS(connect),     SCMP_SYS(sendto),
        SCMP_SYS(recvmsg),    SCMP_SYS(shutdown),   SCMP_SYS(getsockname), SCMP_SYS(getpeername),
        SCMP_SYS(setsockopt), SCMP_SYS(getsockopt), SCMP_SYS(fcntl),       SCMP_SYS(ioctl),
        SCMP_SYS(mmap),       SCMP_SYS(munmap),     SCMP_SYS(mremap),      SCMP_SYS(brk),
        SCMP_SYS(madvise),    SCMP_SYS(getrandom),  SCMP_SYS(futex)};
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int e = f ? 0 : -ENOMEM;
    for (size_t i = 0; e == 0 && i < sizeof plain / sizeof *plain; i++)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, plain[i], 0);
    for (size_t i = 0; e == 0 && slirp && i < sizeof slirps / sizeof *slirps; i++) {
        if (slirps[i] == SCMP_SYS(socket)) { /* of the internet's families: the namespace holds them */
            e = seccomp_rule_add(f, SCMP_ACT_ALLOW, slirps[i], 1, SCMP_A0(SCMP_CMP_EQ, 2 /* AF_INET */));
            continue;
        }
        if (slirps[i] == SCMP_SYS(mmap)) { /* never to be executed */
            e = seccomp_rule_add(f, SCMP_ACT_ALLOW, slirps[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
            continue;
        }
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, slirps[i], 0);
    }
    if (e == 0) e = seccomp_load(f);
    if (e != 0) switch_fail(ctl, "seccomp: %s", strerror(-e));
    seccomp_release(f);
}

void sandbox_enter(struct net_ctl *ctl, bool slirp)
{
    drop_user(ctl, getuid() == 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) switch_fail(ctl, "no_new_privs: %s", strerror(errno));
    /* After the change of user, which clears it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) switch_fail(ctl, "parent death signal: %s", strerror(errno));
    if (getppid() != ctl->runner) switch_fail(ctl, "the runner is gone");
    prctl(PR_SET_TIMERSLACK, 1);
    prctl(PR_SET_DUMPABLE, 0);
    limit(ctl, RLIMIT_CORE, 0);
    limit(ctl, RLIMIT_FSIZE, 0);
    limit(ctl, RLIMIT_NOFILE, NET_PORTS + HUB_UPLINK_FDS + 64);
    filter(ctl, slirp);
}
