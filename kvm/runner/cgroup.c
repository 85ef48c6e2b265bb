// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm/runner/host.h"

#define PATH_SIZE 4096

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += n)
        if ((p == list || strchr(", ", p[-1])) && (p[n] == 0 || strchr(", \n", p[n]))) return true;
    return false;
}

/* Where the hierarchy of that version with the cpu controller is mounted. */
static bool find_mount(int version, char *at, size_t size)
{
    FILE *f = fopen("/proc/self/mounts", "re");
    char line[PATH_SIZE], dir[1024], type[64], opts[1024];
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%*s %1023s %63s %1023s", dir, type, opts) != 3) continue;
        found = version == 1 ? strcmp(type, "cgroup") == 0 && has_word(opts, "cpu")
                             : strcmp(type, "cgroup2") == 0;
    }
    if (f) fclose(f);
    if (found) snprintf(at, size, "%s", dir);
    return found;
}

/* Our own group in it, below the mount. */
static void own_path(int version, char *path, size_t size)
{
    FILE *f = fopen("/proc/self/cgroup", "re");
    char line[PATH_SIZE];
    path[0] = 0;
    while (f && fgets(line, sizeof line, f)) {
        char *list = strchr(line, ':'), *p = list ? strchr(list + 1, ':') : NULL;
        if (!p) continue;
        *p++ = 0;
        p[strcspn(p, "\n")] = 0;
        if (version == 1 ? has_word(list + 1, "cpu") : list[1] == 0)
            snprintf(path, size, "%s", strcmp(p, "/") ? p : "");
    }
    if (f) fclose(f);
}

static int write_text(const char *dir, const char *file, const char *text)
{
    char path[PATH_SIZE + 64];
    snprintf(path, sizeof path, "%s/%.40s", dir, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t n = write(fd, text, strlen(text));
    int r = n < 0 ? -errno : 0;
    close(fd);
    return r;
}

static void group_dir(const struct cgroups *c, uint32_t vm, char *dir, size_t size)
{
    snprintf(dir, size, "%s/vlab-%d-%u", c->base, (int)getpid(), vm);
}

/* The runner that a group of that name belongs to; 0: it is not one of ours. */
static int runner_of(const char *name)
{
    int pid, used = 0;
    char what[16];
    if (sscanf(name, "vlab-%d-%15[a-z0-9]%n", &pid, what, &used) != 2 || name[used] != 0 || pid <= 0)
        return 0;
    return pid;
}

/* Groups of runners that were killed before they could clean up. */
static void remove_stale(const struct cgroups *c)
{
    DIR *d = opendir(c->base);
    for (struct dirent *e; d && (e = readdir(d));) {
        int pid = runner_of(e->d_name);
        if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH) unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
    }
    if (d) closedir(d);
}

int cgroup_remove_of(const struct cgroups *c, pid_t runner)
{
    DIR *d = opendir(c->base);
    int left = 0;
    for (struct dirent *e; d && (e = readdir(d));)
        if (runner_of(e->d_name) == runner) left += unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) != 0;
    if (d) closedir(d);
    return left;
}

static bool try_base(struct cgroups *c, int version, const char *mount, const char *below)
{
    char probe[PATH_SIZE];
    int n = snprintf(c->base, sizeof c->base, "%s%s", mount, below);
    if (n < 0 || (size_t)n >= sizeof c->base || access(c->base, W_OK) != 0) return false;
    if (version == 2) write_text(c->base, "cgroup.subtree_control", "+cpu");
    c->version = version;
    remove_stale(c);
    snprintf(probe, sizeof probe, "%s/vlab-%d-probe", c->base, (int)getpid());
    if (mkdir(probe, 0755) != 0) return false;
    char file[PATH_SIZE + 16];
    snprintf(file, sizeof file, "%s/%s", probe, version == 1 ? "cpu.shares" : "cpu.weight");
    bool ok = access(file, W_OK) == 0;
    rmdir(probe);
    return ok;
}

bool cgroup_find(struct cgroups *c, char **why)
{
    char mount[1024], own[2000];
    *c = (struct cgroups){0};
    if (find_mount(1, mount, sizeof mount)) {
        own_path(1, own, sizeof own);
        if (try_base(c, 1, mount, own) || try_base(c, 1, mount, "")) return true;
    }
    if (find_mount(2, mount, sizeof mount)) {
        own_path(2, own, sizeof own);
        /* A group with processes of its own cannot hand out controllers, so ours are made beside it. */
        char *last = strrchr(own, '/');
        if (last) *last = 0;
        if (try_base(c, 2, mount, "") || try_base(c, 2, mount, own)) return true;
    }
    c->version = 0;
    *why = host_text(
        "cgroups with the cpu controller cannot be made here; run as root, or have the controller delegated "
        "(systemd-run --user --scope -p Delegate=yes)");
    return false;
}

static int set_version1(const char *dir, uint32_t weight, int64_t quota_ns, int64_t period_ns)
{
    char text[64];
    snprintf(text, sizeof text, "%u", (unsigned)((weight * UINT64_C(1024) + 50) / 100));
    int r = write_text(dir, "cpu.shares", text);
    if (r != 0 || quota_ns == 0) return r;
    snprintf(text, sizeof text, "%jd", (intmax_t)(period_ns / 1000));
    if ((r = write_text(dir, "cpu.cfs_period_us", text)) != 0) return r;
    snprintf(text, sizeof text, "%jd", (intmax_t)(quota_ns / 1000));
    return write_text(dir, "cpu.cfs_quota_us", text);
}

static int set_version2(const char *dir, uint32_t weight, int64_t quota_ns, int64_t period_ns)
{
    char text[64];
    snprintf(text, sizeof text, "%u", weight);
    int r = write_text(dir, "cpu.weight", text);
    if (r != 0 || quota_ns == 0) return r;
    snprintf(text, sizeof text, "%jd %jd", (intmax_t)(quota_ns / 1000), (intmax_t)(period_ns / 1000));
    return write_text(dir, "cpu.max", text);
}

int cgroup_make(const struct cgroups *c, uint32_t vm, uint32_t weight, int64_t quota_ns, int64_t period_ns,
                char **why)
{
    char dir[PATH_SIZE];
    group_dir(c, vm, dir, sizeof dir);
    int r = mkdir(dir, 0755) == 0 || errno == EEXIST ? 0 : -errno;
    if (r == 0)
        r = c->version == 1 ? set_version1(dir, weight, quota_ns, period_ns)
                            : set_version2(dir, weight, quota_ns, period_ns);
    if (r != 0) *why = host_text("cgroup %s: %s", dir, strerror(-r));
    return r == 0 ? 0 : -1;
}

int cgroup_add(const struct cgroups *c, uint32_t vm, pid_t pid, char **why)
{
    char dir[PATH_SIZE], text[32];
    group_dir(c, vm, dir, sizeof dir);
    snprintf(text, sizeof text, "%d", (int)pid);
    int r = write_text(dir, "cgroup.procs", text);
    if (r == -ESRCH) r = 0; /* it is dead: nothing to put there */
    if (r != 0) *why = host_text("cgroup %s: cannot move a VMM into it: %s", dir, strerror(-r));
    return r == 0 ? 0 : -1;
}

int64_t cgroup_throttled_ns(const struct cgroups *c, uint32_t vm)
{
    char dir[PATH_SIZE], path[PATH_SIZE + 16], line[128];
    group_dir(c, vm, dir, sizeof dir);
    snprintf(path, sizeof path, "%s/cpu.stat", dir);
    FILE *f = fopen(path, "re");
    long long x;
    int64_t ns = 0;
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "throttled_time %lld", &x) == 1) ns = x;
        if (sscanf(line, "throttled_usec %lld", &x) == 1) ns = x * 1000;
    }
    if (f) fclose(f);
    return ns;
}

void cgroup_remove(const struct cgroups *c, uint32_t n)
{
    char dir[PATH_SIZE];
    for (uint32_t vm = 0; c->version != 0 && vm < n; vm++) {
        group_dir(c, vm, dir, sizeof dir);
        /* A process that was killed leaves its group a moment later. */
        for (int tries = 0; rmdir(dir) != 0 && errno == EBUSY && tries < 500; tries++)
            host_sleep_until(host_now() + 1000000);
    }
}
