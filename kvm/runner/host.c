// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

#define RATE_NS 20000000

char *host_text(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    return s;
}

int64_t host_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void host_sleep_until(int64_t at_ns)
{
    struct timespec t = {.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
    }
}

void host_clock_pair(uint64_t *tsc, int64_t *ns)
{
    uint64_t best = UINT64_MAX;
    *tsc = 0;
    *ns = 0;
    for (int i = 0; i < 16; i++) {
        uint64_t before = abi_tsc();
        int64_t now = host_now();
        uint64_t after = abi_tsc();
        if (after - before >= best) continue;
        best = after - before;
        *tsc = before + best / 2;
        *ns = now;
    }
}

static void measure_rate(struct host *h)
{
    uint64_t tsc0, tsc1;
    int64_t ns0, ns1;
    host_clock_pair(&tsc0, &ns0);
    host_sleep_until(ns0 + RATE_NS);
    host_clock_pair(&tsc1, &ns1);
    h->ns_per_tsc_q32 = (uint64_t)(((unsigned __int128)(uint64_t)(ns1 - ns0) << 32) / (tsc1 - tsc0));
}

static enum kvm_status open_kvm(struct host *h, char **why)
{
    h->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (h->kvm_fd < 0) {
        const char *help =
            errno == ENOENT   ? "load the module (modprobe kvm_intel or kvm_amd) on a machine with "
                                "virtualization extensions enabled"
            : errno == EACCES ? "join its group (usermod -aG kvm USER, then log in again) or run as root"
                              : "see `vlab kvm probe`";
        *why = host_text("cannot open /dev/kvm: %s; to make it usable: %s", strerror(errno), help);
        return KVM_NO_KVM;
    }
    int version = ioctl(h->kvm_fd, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION) {
        *why = host_text("/dev/kvm speaks API version %d, not %d", version, KVM_API_VERSION);
        return KVM_NO_KVM;
    }
    return KVM_OK;
}

static enum kvm_status find_vmm(struct host *h, const char *name, char **why)
{
    ssize_t n = readlink("/proc/self/exe", h->vmm_path, sizeof h->vmm_path - 16);
    char *slash = n > 0 ? (h->vmm_path[n] = 0, strrchr(h->vmm_path, '/')) : NULL;
    if (slash) snprintf(slash, 16, "/%s", name);
    if (slash && access(h->vmm_path, X_OK) == 0) return KVM_OK;
    *why =
        host_text("%s is not beside the program (%s); build it with `make`", name, slash ? h->vmm_path : "?");
    return KVM_FAILED;
}

static enum kvm_status make_bells(struct host *h, char **why)
{
    h->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    h->bells_fd = memfd_create("vlab-bells", MFD_CLOEXEC);
    if (h->null_fd >= 0 && h->bells_fd >= 0 && ftruncate(h->bells_fd, sizeof *h->bells) == 0)
        h->bells = mmap(NULL, sizeof *h->bells, PROT_READ | PROT_WRITE, MAP_SHARED, h->bells_fd, 0);
    if (h->bells && h->bells != MAP_FAILED) return KVM_OK;
    h->bells = NULL;
    *why = host_text("cannot set up memory shared with guests: %s", strerror(errno));
    return KVM_FAILED;
}

static enum kvm_status open_as(struct host *h, bool native, char **why)
{
    *h = (struct host){.kvm_fd = -1, .null_fd = -1, .bells_fd = -1};
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        *why = host_text("cannot read the CPU affinity: %s", strerror(errno));
        return KVM_FAILED;
    }
    for (size_t i = 0; i < CPU_SETSIZE && h->n_cpus < CTL_PCPUS; i++)
        if (CPU_ISSET(i, &set)) h->cpus[h->n_cpus++] = (int)i;
    enum kvm_status st = native ? KVM_OK : open_kvm(h, why);
    if (st == KVM_OK) st = find_vmm(h, native ? "vlab-proc" : "vlab-vmm", why);
    if (st == KVM_OK) st = make_bells(h, why);
    if (st == KVM_OK)
        measure_rate(h);
    else
        host_close(h);
    return st;
}

enum kvm_status host_open(struct host *h, char **why)
{
    return open_as(h, false, why);
}

enum kvm_status host_open_native(struct host *h, char **why)
{
    return open_as(h, true, why);
}

void host_close(struct host *h)
{
    if (h->bells) munmap(h->bells, sizeof *h->bells);
    if (h->bells_fd >= 0) close(h->bells_fd);
    if (h->null_fd >= 0) close(h->null_fd);
    if (h->kvm_fd >= 0) close(h->kvm_fd);
    h->bells = NULL;
    h->bells_fd = h->null_fd = h->kvm_fd = -1;
}

int host_pin(int tid, int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(tid, sizeof set, &set) == 0 ? 0 : -errno;
}

int64_t host_stolen_ns(const struct host *h, uint32_t n_cpus)
{
    FILE *f = fopen("/proc/stat", "re");
    char line[512];
    int64_t ticks = 0;
    while (f && fgets(line, sizeof line, f)) {
        int cpu;
        long long steal;
        if (sscanf(line, "cpu%d %*d %*d %*d %*d %*d %*d %*d %lld", &cpu, &steal) != 2) continue;
        for (uint32_t i = 0; i < n_cpus; i++)
            if (h->cpus[i] == cpu) ticks += steal;
    }
    if (f) fclose(f);
    return ticks * (1000000000 / sysconf(_SC_CLK_TCK));
}

int64_t host_thread_ns(int pid, int tid)
{
    char path[64], line[128];
    long long ns;
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, tid);
    return sscanf(host_read_line(path, line, sizeof line), "%lld", &ns) == 1 ? ns : -1;
}

int64_t host_tick_ns(void)
{
    struct timespec t; /* the coarse clock moves once a tick, and says so */
    return clock_getres(CLOCK_MONOTONIC_COARSE, &t) == 0 ? t.tv_sec * INT64_C(1000000000) + t.tv_nsec : 0;
}

bool host_kernel_at_least(int major, int minor)
{
    struct utsname u;
    int a = 0, b = 0;
    if (uname(&u) != 0 || sscanf(u.release, "%d.%d", &a, &b) != 2) return false;
    return a > major || (a == major && b >= minor);
}

const char *host_read_line(const char *path, char *buf, size_t size)
{
    buf[0] = 0;
    FILE *f = fopen(path, "re");
    if (!f) return buf;
    if (fgets(buf, (int)size, f)) buf[strcspn(buf, "\n")] = 0;
    fclose(f);
    return buf;
}

void host_weigh_more(void)
{
    setpriority(PRIO_PROCESS, 0, -20); /* on Linux that is this thread alone */
}
