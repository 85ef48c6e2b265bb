// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/netproc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm/runner/host.h"

#define READY_NS INT64_C(10000000000)
#define SOCKET_ROOM                                                                                          \
    (2 << 20) /* bytes on their way between a VMM and its switch; less where it is not allowed */

static int make_page(struct netproc *p, const struct net_cfg *cfg)
{
    int fd = memfd_create("vlab-net", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    if (ftruncate(fd, sizeof *p->ctl) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        p->ctl = mmap(NULL, sizeof *p->ctl, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (!p->ctl || p->ctl == MAP_FAILED) {
        p->ctl = NULL;
        close(fd);
        return -1;
    }
    p->ctl->magic = NET_MAGIC;
    p->ctl->runner = getpid();
    p->ctl->cfg = *cfg;
    return fd;
}

static int make_pair(int pair[2])
{
    const int room = SOCKET_ROOM;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    for (unsigned i = 0; i < 2; i++)
        if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0)
            (void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    return 0;
}

/* In the child: puts the descriptors where a switch looks for them. Only async-signal-safe calls. */
_Noreturn static void become_switch(const char *path, const char *name, int ctl_fd, const int *fds,
                                    uint32_t n)
{
    int high[NET_PORTS], null_fd = open("/dev/null", O_RDWR), page = fcntl(ctl_fd, F_DUPFD_CLOEXEC, 512);
    if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0) _exit(126);
    for (uint32_t i = 0; i < n; i++)
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 512);
    if (dup2(page, NET_FD_CTL) < 0) _exit(126);
    for (uint32_t i = 0; i < n; i++)
        if (dup2(high[i], NET_FD_PORTS + (int)i) < 0) _exit(126);
    char *argv[] = {(char *)(uintptr_t) "vlab-switch", (char *)(uintptr_t)name, NULL};
    char *env[] = {NULL};
    execve(path, argv, env);
    _exit(127);
}

static bool find_switch(char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 16);
    char *slash = n > 0 ? (path[n] = 0, strrchr(path, '/')) : NULL;
    if (slash) strcpy(slash, "/vlab-switch");
    return slash && access(path, X_OK) == 0;
}

int netproc_start(struct netproc *p, const char *name, const struct net_cfg *cfg, char **why)
{
    char path[4096];
    int theirs[NET_PORTS], page;
    uint32_t n = 0;
    *p = (struct netproc){.pidfd = -1};
    for (uint32_t i = 0; i < NET_PORTS; i++)
        p->nic_fd[i] = -1;
    if (!find_switch(path, sizeof path)) {
        *why = host_text("network.%s: vlab-switch is not beside the program; build it with `make`", name);
        return -1;
    }
    page = make_page(p, cfg);
    for (int pair[2]; page >= 0 && n < cfg->n_ports && make_pair(pair) == 0; n++) {
        p->nic_fd[n] = pair[0];
        theirs[n] = pair[1];
    }
    int failed = page < 0 || n < cfg->n_ports ? -1 : 0;
    if (failed == 0) {
        p->pid = fork();
        if (p->pid == 0) become_switch(path, name, page, theirs, n);
        if (p->pid < 0) p->pid = 0, failed = -1;
    }
    if (failed == 0) failed = (p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0)) < 0 ? -1 : 0;
    if (failed != 0) *why = host_text("network.%s: cannot start its switch: %s", name, strerror(errno));
    for (uint32_t i = 0; i < n; i++)
        close(theirs[i]);
    if (page >= 0) close(page);
    if (failed != 0) netproc_stop(p);
    return failed;
}

int netproc_wait_ready(struct netproc *p, const char *name, char **why)
{
    int64_t until = host_now() + READY_NS;
    for (;;) {
        uint32_t state = __atomic_load_n(&p->ctl->state, __ATOMIC_ACQUIRE);
        if (state == NET_READY) return 0;
        if (state == NET_FAILED) {
            *why = host_text("network.%s: its switch cannot start: %.*s", name, NET_TEXT, p->ctl->text);
            return -1;
        }
        bool gone = netproc_gone(p) && __atomic_load_n(&p->ctl->state, __ATOMIC_ACQUIRE) == NET_STARTING;
        if (gone || host_now() > until) {
            *why = host_text("network.%s: its switch %s before it was ready", name,
                             gone ? "ended" : "took over 10 s and still was not there");
            return -1;
        }
        struct pollfd pf = {.fd = p->pidfd, .events = POLLIN};
        poll(&pf, 1, 1);
    }
}

void netproc_hand_over(struct netproc *p)
{
    for (uint32_t i = 0; i < NET_PORTS; i++) {
        if (p->nic_fd[i] >= 0) close(p->nic_fd[i]);
        p->nic_fd[i] = -1;
    }
}

bool netproc_gone(struct netproc *p)
{
    siginfo_t si = {0};
    if (p->gone || p->pid == 0) return true;
    if (waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT) != 0 || si.si_pid == 0) return false;
    return p->gone = true;
}

void netproc_stop(struct netproc *p)
{
    if (p->pid != 0) {
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    if (p->ctl) netproc_hand_over(p); /* made after the page */
    if (p->pid != 0 && p->pidfd >= 0) close(p->pidfd);
    if (p->ctl) munmap(p->ctl, sizeof *p->ctl);
    *p = (struct netproc){.pidfd = -1};
}
