// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab kvm probe: what this machine can do for real guests, and what would make more possible. */
#include "kvm/runner/probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kvm/runner/cgroup.h"
#include "kvm/runner/confined.h"
#include "kvm/runner/dispatch.h"
#include "kvm/runner/switches.h"

#define FEATURE_MOVE (UINT64_C(1) << 16) /* of userfaultfd; newer than Debian 12's headers */

const char *probe_cpu(char *buf, size_t size)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    char line[256];
    snprintf(buf, size, "unknown");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        colon[1 + strcspn(colon + 1, "\n")] = 0;
        snprintf(buf, size, "%s", colon + (colon[1] == ' ' ? 2 : 1));
        break;
    }
    if (f) fclose(f);
    return buf;
}

const char *probe_kvm_module(char *buf, size_t size)
{
    DIR *d = opendir("/sys/module");
    snprintf(buf, size, "built in");
    for (struct dirent *e; d && (e = readdir(d));)
        if (strncmp(e->d_name, "kvm_", 4) == 0) snprintf(buf, size, "%.60s", e->d_name);
    if (d) closedir(d);
    return buf;
}

/* One line: yes, no or a word; the fact; and where it is no, what would help. */
static void row(const char *verdict, const char *name, const char *fact, const char *help)
{
    printf("%-4s %-16s %s\n", verdict, name, fact);
    if (help && *help) printf("     %-16s -> %s\n", "", help);
}

static void row_kernel(void)
{
    struct utsname u;
    char text[256], cpu[128];
    uname(&u);
    snprintf(text, sizeof text, "%s, Linux %s", probe_cpu(cpu, sizeof cpu), u.release);
    row("", "machine", text, NULL);
}

static void row_cpus(const struct host *h)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%u to use as pCPUs:", h->n_cpus);
    for (uint32_t i = 0; i < h->n_cpus && n < 200; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %d", h->cpus[i]);
    row("", "CPUs", text, h->n_cpus < 2 ? "scenarios of two pCPUs need two CPUs in the affinity mask" : NULL);
}

static void row_kvm_caps(const struct host *h)
{
    char text[128], module[64];
    int api = ioctl(h->kvm_fd, KVM_GET_API_VERSION, 0),
        max = ioctl(h->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
    snprintf(text, sizeof text, "API %d, %s, up to %d vCPUs a VM", api,
             probe_kvm_module(module, sizeof module), max);
    row("yes", "/dev/kvm", text, NULL);
    int tsc = ioctl(h->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_GET_TSC_KHZ);
    snprintf(text, sizeof text, "%.3f GHz%s", 4294967296.0 / (double)h->ns_per_tsc_q32,
             tsc > 0 ? "" : ", not told by KVM");
    row("yes", "TSC", text, NULL);
}

static void row_eevdf(void)
{
    char text[128];
    bool ok = host_kernel_at_least(6, 6);
    snprintf(text, sizeof text, "%s; tick %.1f ms (HZ %.0f)",
             ok ? "Linux's scheduler is EEVDF" : "Linux's scheduler is CFS", (double)host_tick_ns() / 1e6,
             1e9 / (double)host_tick_ns());
    row(ok ? "yes" : "no", "eevdf", text,
        ok ? NULL : "Linux 6.6 or later; `cfs` works here, by the dispatcher");
    char buf[64];
    if (*host_read_line("/sys/kernel/debug/sched/base_slice_ns", buf, sizeof buf)) {
        snprintf(text, sizeof text, "%s ns (debugfs)", buf);
        row("", "base slice", text, NULL);
    } else {
        row("", "base slice", "not shown by this kernel; `vlab kvm calibrate` measures the slice", NULL);
    }
}

static void row_cgroup(void)
{
    struct cgroups c;
    char *why = NULL, text[128];
    if (cgroup_find(&c, &why)) {
        snprintf(text, sizeof text, "cpu controller, version %d", c.version);
        row("yes", "cgroups", text, NULL);
    } else {
        row("no", "cgroups", "no weights or limits under `scheduler: eevdf`", why);
    }
    free(why);
}

static void row_switches(void)
{
    struct switches s;
    char text[128], level[32];
    int e = switches_open(&s, 0);
    if (e == 0) switches_done(&s);
    snprintf(text, sizeof text, "kernel.perf_event_paranoid is %s",
             host_read_line("/proc/sys/kernel/perf_event_paranoid", level, sizeof level));
    row(e == 0 ? "yes" : "no", "switch records", text,
        e == 0 ? NULL : "sysctl kernel.perf_event_paranoid=2 (needed by `scheduler: eevdf`)");
}

static void row_fifo(void)
{
    bool ok = dispatch_fifo_allowed();
    row(ok ? "yes" : "no", "SCHED_FIFO",
        ok ? "slices by the dispatcher hold within 5 %" : "slices by the dispatcher hold within 10 %",
        ok ? NULL : "run as root, or give the user an rtprio limit (ulimit -r 10)");
}

static void row_memory(void)
{
    char buf[128];
    host_read_line("/sys/kernel/mm/transparent_hugepage/enabled", buf, sizeof buf);
    bool thp = *buf && !strstr(buf, "[never]");
    row(thp ? "yes" : "no", "huge pages", *buf ? buf : "no transparent huge pages",
        thp ? NULL : "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    row(fd >= 0 ? "yes" : "no", "userfaultfd",
        fd >= 0 ? "guests may use more memory than their host has: their faults are served" : strerror(errno),
        fd >= 0 ? NULL : "run as root, or sysctl vm.unprivileged_userfaultfd=1");
    if (fd < 0) return;
    struct uffdio_api api = {.api = UFFD_API, .features = FEATURE_MOVE};
    bool move = ioctl(fd, UFFDIO_API, &api) == 0;
    row(move ? "yes" : "no", "moving pages", move ? "pages are taken from guests whole" : "pages are copied",
        move ? NULL : "Linux 6.8 or later (only faster)");
    close(fd);
}

static void row_sandbox(void)
{
    char text[256];
    bool ok = confined_look(text, sizeof text);
    row(ok ? "yes" : "no", "sandbox", text,
        ok ? NULL : "a kernel with CONFIG_SECCOMP_FILTER, and a vlab that was not built with a sanitizer");
}

static const char usage[] =
    "usage: vlab kvm probe\n"
    "Says what this machine can do for guests on KVM, and what would make more possible.\n"
    "Exits 77 where no guest can run here.\n"
    "examples:\n"
    "  vlab kvm probe\n"
    "  vlab kvm probe && vlab run scenarios/01-two-vms.yaml --backend=kvm\n";

int kvm_cmd_probe(int argc, char **argv)
{
    if (argc > 1) {
        bool help = strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0;
        if (!help) fprintf(stderr, "vlab kvm probe: unknown option %s\n", argv[1]);
        fputs(usage, help ? stdout : stderr);
        return help ? 0 : 2;
    }
    struct host h;
    char *why = NULL;
    enum kvm_status st = host_open(&h, &why);
    row_kernel();
    row_cpus(&h);
    if (st == KVM_OK)
        row_kvm_caps(&h);
    else
        row("no", "/dev/kvm", "no guest can run", why);
    row_eevdf();
    row_cgroup();
    row_switches();
    row_fifo();
    row_memory();
    row_sandbox();
    if (st != KVM_OK) fprintf(stderr, "vlab kvm probe: %s\n", why);
    free(why);
    host_close(&h);
    return (int)st;
}
