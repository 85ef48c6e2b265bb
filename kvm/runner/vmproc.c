// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/vmproc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"

#define READY_NS 10000000000

int vmproc_shared(const char *name, uint64_t bytes, void **map)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    if (ftruncate(fd, (off_t)bytes) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
        *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (*map != MAP_FAILED) return fd;
    }
    *map = NULL;
    close(fd);
    return -1;
}

/* In the child: puts the descriptors where a VMM looks for them. Only async-signal-safe calls. */
_Noreturn static void become_vmm(const struct host *h, const struct vmproc_cfg *cfg,
                                 const int fds[CTL_FD_END])
{
    int high[CTL_FD_END];
    if (cfg->cpu >= 0) host_pin(0, cfg->cpu);
    if (dup2(h->null_fd, 0) < 0 || dup2(h->null_fd, 1) < 0) _exit(126); /* before its number is taken */
    for (int i = CTL_FD_CTL; i < CTL_FD_END; i++)
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
    for (int i = CTL_FD_CTL; i < CTL_FD_END; i++)
        if (dup2(high[i], i) < 0) _exit(126);
    const char *slash = strrchr(h->vmm_path, '/');
    char *argv[] = {(char *)(uintptr_t)(slash ? slash + 1 : h->vmm_path), (char *)(uintptr_t)cfg->name, NULL};
    char *env[] = {NULL};
    execve(h->vmm_path, argv, env);
    _exit(127);
}

static int map_all(struct vmproc *p, const struct vmproc_cfg *cfg, int fds[CTL_FD_END])
{
    void *ctl = NULL, *logs = NULL;
    fds[CTL_FD_CTL] = vmproc_shared("vlab-ctl", ctl_bytes(cfg->n_vcpus), &ctl);
    if (fds[CTL_FD_CTL] < 0) return -1;
    p->ctl = ctl;
    fds[CTL_FD_LOG] = vmproc_shared("vlab-log", cfg->n_vcpus * ABI_LOG_STEP, &logs);
    p->logs = logs;
    fds[CTL_FD_BELL] = p->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fds[CTL_FD_LOG] < 0 || p->bell_fd < 0 ? -1 : 0;
}

int vmproc_start(struct vmproc *p, const struct host *h, const struct vmproc_cfg *cfg, char **why)
{
    int fds[CTL_FD_END] = {0, 1, 2, -1, -1, cfg->boot_fd, h->bells_fd, -1, -1, -1};
    for (uint32_t i = 0; i < ABI_MAX_DEVS; i++) {
        fds[CTL_FD_DEV + 2 * i] = i < cfg->n_devs ? cfg->devs[i].peer_fd : h->null_fd;
        fds[CTL_FD_DEV + 2 * i + 1] = i < cfg->n_devs ? cfg->devs[i].window_fd : h->null_fd;
    }
    fds[CTL_FD_PAGES] = fds[CTL_FD_STORE] = fds[CTL_FD_UFFD] = h->null_fd;
    *p = (struct vmproc){.pidfd = -1, .bell_fd = -1, .n_vcpus = cfg->n_vcpus};
    fds[CTL_FD_KVM] = h->kvm_fd >= 0 ? h->kvm_fd : h->null_fd;
    fds[CTL_FD_PAYLOAD] = cfg->payload_fd >= 0 ? cfg->payload_fd : h->null_fd;
    if (cfg->pool != CTL_NO_POOL) fds[CTL_FD_PAGES] = cfg->pages_fd;
    if (cfg->pool == CTL_PAGED) fds[CTL_FD_STORE] = cfg->store_fd;
    int failed = map_all(p, cfg, fds);
    if (failed == 0) {
        p->ctl->magic = CTL_MAGIC;
        p->ctl->n_vcpus = cfg->n_vcpus;
        p->ctl->memory_bytes = cfg->memory.bytes;
        p->ctl->mapped_bytes = cfg->memory.mapped;
        p->ctl->secret_bytes = cfg->memory.secret;
        p->ctl->page_bytes = cfg->memory.page;
        p->ctl->pool = (uint32_t)cfg->pool;
        p->ctl->no_move = cfg->no_move;
        p->ctl->runner = getpid();
        p->ctl->gated = cfg->gated;
        for (uint32_t i = 0; i < cfg->n_devs; i++)
            p->ctl->dev[i] = (struct ctl_dev){.kind = cfg->devs[i].kind,
                                              .flags = cfg->devs[i].flags,
                                              .window_bytes = cfg->devs[i].window_bytes};
        p->ctl->start_ns = cfg->start_ns;
        p->pid = fork();
        if (p->pid == 0) become_vmm(h, cfg, fds);
        if (p->pid < 0) p->pid = 0, failed = -1;
    }
    if (failed == 0) failed = (p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0)) < 0 ? -1 : 0;
    if (failed != 0) *why = host_text("vm.%s: cannot start its VMM: %s", cfg->name, strerror(errno));
    if (fds[CTL_FD_CTL] >= 0) close(fds[CTL_FD_CTL]);
    if (fds[CTL_FD_LOG] >= 0) close(fds[CTL_FD_LOG]);
    if (failed != 0) vmproc_stop(p);
    return failed;
}

enum ctl_state vmproc_state(const struct vmproc *p, uint32_t vcpu)
{
    return (enum ctl_state)__atomic_load_n(&p->ctl->v[vcpu].state, __ATOMIC_ACQUIRE);
}

static bool all_in(const struct vmproc *p, enum ctl_state a, enum ctl_state b)
{
    for (uint32_t i = 0; i < p->n_vcpus; i++) {
        enum ctl_state s = vmproc_state(p, i);
        if (s != a && s != b) return false;
    }
    return true;
}

bool vmproc_all_ended(const struct vmproc *p)
{
    return all_in(p, CTL_ENDED, CTL_ENDED);
}

/* A VMM says which its threads are; what it says is looked up, so that nobody else's is ever pinned. */
static bool is_its_thread(const struct vmproc *p, uint32_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%u", (int)p->pid, tid);
    return tid != 0 && tid <= INT32_MAX && access(path, F_OK) == 0;
}

static void learn_threads(struct vmproc *p)
{
    for (uint32_t i = 0; i < p->n_vcpus; i++) {
        uint32_t tid = __atomic_load_n(&p->ctl->v[i].tid, __ATOMIC_ACQUIRE);
        p->tid[i] = is_its_thread(p, tid) ? (pid_t)tid : 0;
    }
}

int vmproc_pin(const struct vmproc *p, uint32_t vcpu, int cpu)
{
    if (!is_its_thread(p, (uint32_t)p->tid[vcpu])) return -ESRCH;
    return host_pin(p->tid[vcpu], cpu);
}

int vmproc_wait_ready(struct vmproc *p, const char *name, char **why)
{
    int64_t until = host_now() + READY_NS;
    while (!all_in(p, CTL_READY, CTL_ENDED)) {
        bool gone = vmproc_gone(p);
        if (__atomic_load_n(&p->ctl->failed, __ATOMIC_ACQUIRE)) {
            char text[CTL_TEXT], safe[4 * CTL_TEXT + 1];
            memcpy(text, p->ctl->text, sizeof text);
            diag_escape(safe, sizeof safe, text, strnlen(text, sizeof text));
            *why = host_text("vm.%s: its VMM cannot start: %s", name, safe);
            return -1;
        }
        if (gone || host_now() > until) {
            *why = host_text("vm.%s: its VMM %s before it was ready", name,
                             gone ? "ended" : "took over 10 s and still was not there");
            return -1;
        }
        struct pollfd pf = {.fd = p->pidfd, .events = POLLIN};
        poll(&pf, 1, 1);
    }
    learn_threads(p);
    return 0;
}

void vmproc_go(struct vmproc *p, int64_t zero_ns, uint64_t tsc_zero)
{
    p->ctl->zero_ns = zero_ns;
    p->ctl->tsc_zero = tsc_zero;
    __atomic_store_n(&p->ctl->go, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &p->ctl->go, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

bool vmproc_gone(struct vmproc *p)
{
    siginfo_t si = {0};
    if (p->gone || p->pid == 0) return true;
    if (waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT) != 0 || si.si_pid == 0) return false;
    p->gone = true;
    if (si.si_code != CLD_EXITED) p->signal = si.si_status;
    return true;
}

void vmproc_stop(struct vmproc *p)
{
    if (p->pid != 0) {
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    if (p->pidfd >= 0 && p->ctl) close(p->pidfd);
    if (p->bell_fd >= 0 && p->ctl) close(p->bell_fd);
    if (p->logs) munmap(p->logs, p->n_vcpus * ABI_LOG_STEP);
    if (p->ctl) munmap(p->ctl, ctl_bytes(p->n_vcpus));
    *p = (struct vmproc){.pidfd = -1, .bell_fd = -1};
}
