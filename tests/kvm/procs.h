// SPDX-License-Identifier: GPL-3.0-or-later
/* procs.h - the VMMs of a runner as /proc shows them, and what a runner may leave behind: for tests. */
#ifndef VLAB_TESTS_KVM_PROCS_H
#define VLAB_TESTS_KVM_PROCS_H

#include <dirent.h>

#include "lab.h"

/* Processes named so whose parent is `runner`; the ids of at most `most` of them into pids. */
static inline int procs_named(const char *name, pid_t runner, pid_t *pids, int most)
{
    DIR *d = opendir("/proc");
    int n = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[300], line[512], seen[64];
        int id, parent;
        if (e->d_name[0] < '0' || e->d_name[0] > '9') continue;
        snprintf(path, sizeof path, "/proc/%.200s/stat", e->d_name);
        host_read_line(path, line, sizeof line);
        if (sscanf(line, "%d (%63[^)]) %*c %d", &id, seen, &parent) != 3) continue;
        if (parent != runner || strcmp(seen, name) != 0) continue;
        if (pids && n < most) pids[n] = id;
        n++;
    }
    if (d) closedir(d);
    return n;
}

static inline int procs_vmms(pid_t runner, pid_t *pids, int most)
{
    return procs_named("vlab-vmm", runner, pids, most);
}

/* CPU time of all threads of a process in clock ticks. */
static inline long procs_ticks(pid_t pid)
{
    char path[64], line[512];
    long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    host_read_line(path, line, sizeof line);
    const char *p = strrchr(line, ')');
    if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system) != 2)
        return -1;
    return user + system;
}

/* Until the runner has n VMMs and the first of them has worked for a while; false: not within 10 s. */
static inline bool procs_wait_running(pid_t runner, int n, pid_t *pids)
{
    for (int i = 0; i < 1000; i++, usleep(10000))
        if (procs_vmms(runner, pids, n) == n && procs_ticks(pids[0]) >= 5) return true;
    return false;
}

/* Groups that a runner made. */
static inline int procs_groups(pid_t runner)
{
    struct cgroups c;
    char *why = NULL, prefix[64];
    int n = 0;
    if (!cgroup_find(&c, &why)) {
        free(why);
        return 0;
    }
    snprintf(prefix, sizeof prefix, "vlab-%d-", (int)runner);
    DIR *d = opendir(c.base);
    for (struct dirent *e; d && (e = readdir(d));)
        n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
    if (d) closedir(d);
    return n;
}

#endif
