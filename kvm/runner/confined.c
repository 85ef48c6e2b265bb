// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/confined.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm/runner/boot.h"
#include "kvm/runner/vmproc.h"

#define LONG_NS INT64_C(3600000000000)

struct seen {
    int threads, filtered, no_new, uid;
    bool caps; /* some thread has one */
};

static void look_at_thread(const char *path, struct seen *s)
{
    char line[256];
    int n;
    unsigned long long caps;
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "Seccomp: %d", &n) == 1) s->filtered += n == 2;
        if (sscanf(line, "NoNewPrivs: %d", &n) == 1) s->no_new += n == 1;
        if (sscanf(line, "CapPrm: %llx", &caps) == 1 || sscanf(line, "CapEff: %llx", &caps) == 1)
            s->caps |= caps != 0;
        if (sscanf(line, "Uid: %d", &n) == 1) s->uid = n;
    }
    if (f) fclose(f);
}

static struct seen look_at(pid_t pid)
{
    struct seen s = {0};
    char dir[64], path[400];
    snprintf(dir, sizeof dir, "/proc/%d/task", (int)pid);
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%.20s/status", dir, e->d_name);
        look_at_thread(path, &s);
        s.threads++;
    }
    if (d) closedir(d);
    return s;
}

/* One of two threads, as far as the barrier before its guest; it waits there for us. */
static bool start(const struct host *h, struct vmproc *p, char **why)
{
    const struct boot_measure what = {.mode = ABI_MEASURE, .count = 1, .target_ns = LONG_NS};
    int fd = boot_make_measure(h, &what, why);
    if (fd < 0) return false;
    struct vmproc_cfg cfg = {.name = "look", .n_vcpus = 1, .boot_fd = fd, .payload_fd = -1, .cpu = -1};
    bool ok = vmproc_start(p, h, &cfg, why) == 0;
    close(fd);
    return ok && vmproc_wait_ready(p, cfg.name, why) == 0;
}

bool confined_look(char *text, size_t size)
{
    struct host h;
    struct vmproc p = {.pidfd = -1, .bell_fd = -1};
    char *why = NULL;
    enum kvm_status st = host_open(&h, &why);
    if (st == KVM_NO_KVM) {
        free(why);
        why = NULL;
        st = host_open_native(&h, &why);
    }
    if (st != KVM_OK || !start(&h, &p, &why)) {
        snprintf(text, size, "%s", why ? why : "nothing could be started to look at");
        free(why);
        vmproc_stop(&p);
        if (st == KVM_OK) host_close(&h);
        return false;
    }
    struct seen s = look_at(p.pid);
    const char *name = strrchr(h.vmm_path, '/');
    bool good = s.threads > 0 && s.filtered == s.threads && s.no_new == s.threads && !s.caps && s.uid != 0;
    if (good)
        snprintf(text, size, "seccomp is in force in all %d threads of %s; uid %d, no capabilities",
                 s.threads, name ? name + 1 : "", s.uid);
    else
        snprintf(text, size, "%s: %d of %d threads are under seccomp, %d without new privileges, %s, uid %d",
                 name ? name + 1 : "", s.filtered, s.threads, s.no_new,
                 s.caps ? "capabilities" : "no capabilities", s.uid);
    vmproc_stop(&p);
    host_close(&h);
    return good;
}
