// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/stores.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "kvm/runner/disklog.h"
#include "program/prog_disk.h"

#define READY_NS 10000000000
#define WRITTEN  (INT64_C(64) << 20)

/* What the runner holds for a VM until its VMM has it. */
struct held {
    struct vmproc_dev dev[ABI_MAX_DEVS];
    uint32_t n;
};

struct stores {
    struct storeproc *first;
    struct held *vm; /* [n_vms] */
    struct disklog *log;
};

/* --- files --- */

static int no_name(const char *dir)
{
    char path[4096];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_LARGEFILE, 0600);
    if (fd >= 0) return fd;
    /* A file system that cannot do that: it has a name for a moment. */
    snprintf(path, sizeof path, "%s/vlab-disk-XXXXXX", dir);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    return fd;
}

/* What was written before the run: the beginning really is, so that reads of it go to the medium; of the rest
 * the blocks are taken. */
static int write_used(int fd, int64_t used)
{
    const int64_t piece = 1 << 20;
    int64_t whole = used < WRITTEN ? used : WRITTEN;
    char *zeros = calloc(1, (size_t)piece);
    ASSERT(zeros);
    bool ok = true;
    for (int64_t at = 0; ok && at < whole; at += piece) {
        size_t n = (size_t)(whole - at < piece ? whole - at : piece);
        ok = pwrite(fd, zeros, n, at) == (ssize_t)n;
    }
    free(zeros);
    if (ok && whole > 0) ok = fdatasync(fd) == 0;
    return ok ? 0 : -1;
}

/* fds: the file, and the same once more without O_DIRECT. */
static int make_file(const struct sc_vdisk *d, int64_t bytes, int fds[2])
{
    const char *dir = getenv("TMPDIR");
    char path[64];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fds[0] = -1;
    fds[1] = no_name(dir && dir[0] == '/' ? dir : "/tmp");
    if (fds[1] < 0 || ftruncate(fds[1], bytes) != 0) return -1;
    /* Space is taken now where it is not thin; a thin one has what was written to it before the run. */
    int64_t now = d->size_bytes == 0 ? 0 : d->thin ? d->used_bytes : bytes;
    if (now > 0 && fallocate(fds[1], 0, 0, now) != 0) return -1;
    if (write_used(fds[1], d->used_bytes) != 0) return -1;
    if (fcntl(fds[1], F_OFD_SETLK, &lock) != 0) return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fds[1]);
    fds[0] = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
    if (fds[0] < 0) fds[0] = fcntl(fds[1], F_DUPFD_CLOEXEC, 0); /* no O_DIRECT there: the page cache it is */
    return fds[0] < 0 ? -1 : 0;
}

/* --- one datastore --- */

static const char *queue_of(const struct scenario *sc, uint32_t disk)
{
    bool reserves = false;
    for (uint32_t i = 0; i < sc->n_vms; i++)
        for (uint32_t k = 0; k < sc->vms[i].n_disks; k++)
            reserves |= sc->vms[i].disks[k].disk == disk && sc->vms[i].disks[k].reservation_u > 0;
    const char *name = sc->disks[disk].queue;
    return reserves && strcmp(name, "fair") == 0 ? "mclock" : name;
}

static struct store_volume volume_of(const struct sc_vdisk *d)
{
    return (struct store_volume){
        .bytes = (uint64_t)(d->size_bytes ? d->size_bytes : PROG_DISK_VAGUE),
        .window_bytes = ABI_DMA_STEP,
        .weight = d->weight,
        .reservation_u = d->reservation_u,
        .limit_u = d->limit_u,
        .limit_bps = d->limit_bps,
        .limit_burst_bytes = d->limit_burst_bytes,
    };
}

/* A volume with all that its two processes need: four descriptors of the datastore's, two of the VMM's. */
static int open_volume(struct run *r, uint32_t vm, const struct sc_vdisk *d, struct storeproc *p, int *fds)
{
    struct held *h = &r->stores->vm[vm];
    struct store_volume v = volume_of(d);
    struct vmproc_dev *dev = &h->dev[h->n];
    int pair[2];
    void *map = NULL;
    fds[0] = fds[1] = fds[2] = fds[3] = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    fds[0] = pair[0];
    *dev = (struct vmproc_dev){.kind = ABI_DEV_DISK,
                               .flags = r->vms[vm].sc->mode == SC_EMULATION ? ABI_DEV_PIO : 0u,
                               .peer_fd = pair[1],
                               .window_fd = -1,
                               .window_bytes = v.window_bytes};
    h->n++;
    if (make_file(d, (int64_t)v.bytes, fds + 1) != 0) return -1;
    dev->window_fd = vmproc_shared("vlab-window", v.window_bytes, &map);
    if (dev->window_fd < 0) return -1;
    munmap(map, v.window_bytes);
    fds[3] = fcntl(dev->window_fd, F_DUPFD_CLOEXEC, 0);
    p->vm[p->ctl->n_volumes] = vm;
    p->ctl->volume[p->ctl->n_volumes++] = v;
    return fds[3] < 0 ? -1 : 0;
}

/* In the child; as become_vmm of vmproc.c. */
_Noreturn static void become_store(const struct run *r, const char *path, const int *fds, int n)
{
    int high[1 + STORE_MAX_VOLUMES * STORE_FDS];
    for (int i = 0; i < n; i++)
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, STORE_FD_CTL + n);
    for (int i = 0; i < n; i++)
        if (dup2(high[i], STORE_FD_CTL + i) < 0) _exit(126);
    if (dup2(r->host.null_fd, 0) < 0 || dup2(r->host.null_fd, 1) < 0) _exit(126);
    char *argv[] = {(char *)(uintptr_t) "vlab-store", NULL};
    char *env[] = {NULL};
    execve(path, argv, env);
    _exit(127);
}

static int start(struct run *r, struct storeproc *p, int *fds)
{
    const struct sc_disk *d = &r->sc->disks[p->disk];
    void *map = NULL;
    int n = 1;
    char path[sizeof r->host.vmm_path];
    fds[0] = vmproc_shared("vlab-store", sizeof *p->ctl, &map);
    if (fds[0] < 0) return -1;
    p->ctl = map;
    *p->ctl = (struct store_ctl){.magic = STORE_MAGIC,
                                 .runner = getpid(),
                                 .iops_u = d->iops_u,
                                 .bandwidth_bps = d->bandwidth_bps,
                                 .burst_bytes = d->burst_bytes,
                                 .peak_bps = d->peak_bps,
                                 .latency_ns = d->latency_ns,
                                 .zero_ns = INT64_MAX};
    if (r->own.faults) p->ctl->faults = *r->own.faults;
    snprintf(p->ctl->queue, sizeof p->ctl->queue, "%s", queue_of(r->sc, p->disk));
    for (uint32_t i = 0; i < r->n_vms; i++)
        for (uint32_t k = 0; k < r->vms[i].sc->n_disks; k++) {
            const struct sc_vdisk *v = &r->vms[i].sc->disks[k];
            if (v->disk != p->disk) continue;
            n += STORE_FDS;
            if (open_volume(r, i, v, p, fds + n - STORE_FDS) != 0) return -1;
        }
    snprintf(path, sizeof path, "%s", r->host.vmm_path);
    char *slash = strrchr(path, '/');
    snprintf(slash + 1, sizeof path - (size_t)(slash + 1 - path), "vlab-store");
    p->pid = fork();
    if (p->pid == 0) become_store(r, path, fds, n);
    if (p->pid < 0) p->pid = 0;
    return p->pid > 0 ? 0 : -1;
}

static bool look_gone(struct storeproc *p)
{
    siginfo_t si = {0};
    if (p->gone || p->pid == 0) return true;
    if (waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid != 0) p->gone = true;
    return p->gone;
}

static int wait_ready(const struct run *r, struct storeproc *p, char **why)
{
    int64_t until = host_now() + READY_NS;
    const char *name = r->sc->disks[p->disk].entity;
    while (!__atomic_load_n(&p->ctl->ready, __ATOMIC_ACQUIRE)) {
        bool gone = look_gone(p);
        if (__atomic_load_n(&p->ctl->failed, __ATOMIC_ACQUIRE)) {
            *why = host_text("%s: its datastore cannot start: %.*s", name, CTL_TEXT - 1, p->ctl->text);
            return -1;
        }
        if (gone || host_now() > until) {
            *why = host_text("%s: its datastore %s before it was ready", name,
                             gone ? "ended (is vlab-store beside the program? build it with `make`)"
                                  : "took over 10 s and still was not there");
            return -1;
        }
        host_sleep_until(host_now() + 200000);
    }
    return 0;
}

/* It works for VMs, whose groups leave little to who is in none. */
static int join_group(struct run *r, const struct storeproc *p, char **why)
{
    uint32_t group = r->n_vms + r->n_stores;
    if (r->groups.version == 0) return 0;
    r->n_stores++;
    if (cgroup_make(&r->groups, group, CGROUP_MAX_WEIGHT, 0, 100000000, why) != 0) return -1;
    return cgroup_add(&r->groups, group, p->pid, why);
}

static enum kvm_status start_one(struct run *r, uint32_t disk, char **why)
{
    struct storeproc *p = calloc(1, sizeof *p);
    int *fds = calloc(1 + STORE_MAX_VOLUMES * STORE_FDS, sizeof *fds);
    ASSERT(p && fds);
    for (uint32_t i = 0; i < 1 + STORE_MAX_VOLUMES * STORE_FDS; i++)
        fds[i] = -1;
    p->disk = disk;
    p->next = r->stores->first;
    r->stores->first = p;
    int failed = start(r, p, fds);
    if (failed != 0)
        *why = host_text("%s: cannot start its datastore: %s%s", r->sc->disks[disk].entity, strerror(errno),
                         errno == ENOSPC
                             ? " (where $TMPDIR says, a disk that is not `provision: thin` takes its "
                               "whole size)"
                             : "");
    for (uint32_t i = 0; i < 1 + STORE_MAX_VOLUMES * STORE_FDS; i++)
        if (fds[i] >= 0) close(fds[i]);
    free(fds);
    if (failed == 0) failed = join_group(r, p, why);
    if (failed == 0) failed = wait_ready(r, p, why);
    return failed == 0 ? KVM_OK : KVM_FAILED;
}

static bool is_used(const struct run *r, uint32_t disk)
{
    for (uint32_t i = 0; i < r->n_vms; i++)
        for (uint32_t k = 0; k < r->vms[i].sc->n_disks; k++)
            if (r->vms[i].sc->disks[k].disk == disk) return true;
    return false;
}

/* --- all of them --- */

enum kvm_status stores_start(struct run *r, char **why)
{
    enum kvm_status st = KVM_OK;
    if (r->sc->n_disks == 0) return KVM_OK;
    r->stores = calloc(1, sizeof *r->stores);
    ASSERT(r->stores);
    r->stores->vm = calloc(r->n_vms + 1, sizeof *r->stores->vm);
    ASSERT(r->stores->vm);
    r->stores->log = disklog_new(r);
    for (uint32_t i = 0; i < r->sc->n_disks && st == KVM_OK; i++)
        if (is_used(r, i)) st = start_one(r, i, why);
    return st;
}

const struct vmproc_dev *stores_devs(const struct run *r, uint32_t vm, uint32_t *n)
{
    *n = r->stores ? r->stores->vm[vm].n : 0;
    return r->stores ? r->stores->vm[vm].dev : NULL;
}

void stores_release(struct run *r)
{
    for (uint32_t i = 0; r->stores && i < r->n_vms; i++) {
        struct held *h = &r->stores->vm[i];
        while (h->n > 0) {
            struct vmproc_dev *d = &h->dev[--h->n];
            if (d->peer_fd >= 0) close(d->peer_fd);
            if (d->window_fd >= 0) close(d->window_fd);
        }
    }
}

void stores_go(struct run *r)
{
    for (struct storeproc *p = r->stores ? r->stores->first : NULL; p; p = p->next)
        __atomic_store_n(&p->ctl->zero_ns, r->zero_abs_ns, __ATOMIC_RELEASE);
}

void stores_poll(struct run *r)
{
    if (!r->stores) return;
    for (struct storeproc *p = r->stores->first; p; p = p->next) {
        bool before = p->gone;
        disklog_store(r->stores->log, p);
        if (look_gone(p) && !before) disklog_gone(r->stores->log, p->disk);
    }
    for (uint32_t i = 0; i < r->n_vms; i++)
        disklog_vm(r->stores->log, i);
}

int stores_report(struct run *r, char **why)
{
    if (!r->stores) return 0;
    stores_poll(r);
    return disklog_report(r->stores->log, why);
}

uint64_t stores_failed(const struct run *r, uint32_t vm)
{
    const struct ctl *c = r->vms[vm].proc.ctl;
    uint64_t n = 0;
    for (uint32_t i = 0; c && i < ABI_MAX_DEVS; i++)
        for (uint32_t s = ABI_DONE + 1; s < ABI_NSTATUS; s++)
            n += __atomic_load_n(&c->dev[i].given[s], __ATOMIC_RELAXED);
    return n;
}

void stores_stop(struct run *r)
{
    if (!r->stores) return;
    stores_release(r);
    for (struct storeproc *p = r->stores->first, *next; p; p = next) {
        next = p->next;
        if (p->pid != 0) {
            kill(p->pid, SIGKILL);
            while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR) {
            }
        }
        if (p->ctl) munmap(p->ctl, sizeof *p->ctl);
        free(p);
    }
    disklog_free(r->stores->log);
    free(r->stores->vm);
    free(r->stores);
    r->stores = NULL;
}
