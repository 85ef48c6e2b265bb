// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/janitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm/runner/cgroup.h"
#include "kvm/runner/host.h"

#define PATIENCE_NS 5000000000 /* for the VMMs to be gone: a group with a process in it stays */

static _Noreturn void wait_and_clean(int fd, pid_t runner)
{
    struct cgroups c;
    char *why = NULL, word;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "vlab-janitor");
    /* Who reads from the runner's output must not wait for us. */
    close_range(0, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0u, 0);
    ssize_t n;
    do
        n = read(fd, &word, 1);
    while (n < 0 && errno == EINTR);
    if (n != 0 || !cgroup_find(&c, &why)) _exit(0);
    int64_t until = host_now() + PATIENCE_NS;
    while (cgroup_remove_of(&c, runner) > 0 && host_now() < until)
        host_sleep_until(host_now() + 1000000);
    _exit(0);
}

void janitor_start(struct janitor *j)
{
    int p[2];
    pid_t runner = getpid();
    *j = (struct janitor){.fd = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) != 0) return;
    j->fd = p[1];
    j->pid = fork();
    if (j->pid == 0) {
        close(p[1]);
        /* Never 0, so that what is below it can be closed. */
        int fd = fcntl(p[0], F_DUPFD_CLOEXEC, 3);
        if (fd < 0) _exit(1);
        wait_and_clean(fd, runner);
    }
    close(p[0]);
    if (j->pid > 0) return;
    close(p[1]);
    *j = (struct janitor){.fd = -1};
}

void janitor_dismiss(struct janitor *j)
{
    if (j->pid == 0) return;
    (void)send(j->fd, "d", 1, MSG_NOSIGNAL); /* it may be gone */
    close(j->fd);
    while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    *j = (struct janitor){.fd = -1};
}
