// SPDX-License-Identifier: GPL-3.0-or-later
/* memory_world.h - for tests of memory that moves: any three hosts, of different sizes, prices and ways to
 * take memory back, and any four VMs that touch; all may be on each. The first two touch without an end. All
 * VMs have as many vCPUs. */
#ifndef VLAB_TESTS_MEMORY_WORLD_H
#define VLAB_TESTS_MEMORY_WORLD_H

#include <check.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/rng.h"

enum { HOSTS = 3, VMS = 4, PAGES = 256, TASKS = 3 };

struct text {
    char s[8192];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    t->n += (size_t)vsnprintf(t->s + t->n, sizeof t->s - t->n, fmt, ap);
    va_end(ap);
    ck_assert_uint_lt(t->n, sizeof t->s);
}

static uint32_t pick(struct rng *r, uint32_t n)
{
    return (uint32_t)((uint64_t)rng_u32(r) * n >> 32);
}

static void say_host(struct text *t, struct rng *r, int i)
{
    static const char *const policies[] = {"lru", "fifo", "second-chance", "clock", "random"};
    static const char *const ways[] = {"share, ", "balloon, ", "compress, "};
    say(t,
        "  - {name: h%d, hypervisor: {nested_paging: %s}, cpu: {cores: %u, speed: %u, slice: 50us}, disks: "
        "[{name: d}], ",
        i, pick(r, 2) ? "true" : "false", 1 + pick(r, 3), 1 + pick(r, 2));
    if (pick(r, 3)) say(t, "tlb: {entries: %u, walk: %uns}, ", 1 + pick(r, 64), pick(r, 60));
    uint32_t takes = pick(r, 6), kib = 4 * (60 + 150 * (uint32_t)i + pick(r, 150));
    say(t, "memory: {size: %uKiB, page: 4KiB, ref_cost: %uns", takes ? kib : 4096, 100 + pick(r, 500));
    if (takes == 1) say(t, ", reclaim: [share]");
    if (takes > 1) {
        say(t, ", swap: d, replacement: %s, replacement_scope: %s, tax: %u%%, reclaim: [",
            policies[pick(r, 5)], pick(r, 3) ? "host" : "vm", pick(r, 100));
        for (uint32_t k = pick(r, 3), n = pick(r, 4); n-- > 0; k = (k + 1) % 3)
            say(t, "%s", ways[k]);
        say(t,
            "swap], share: {rate: %uMB/s, cost: %uns}, balloon: {rate: %uMB/s, max: %u%%}, compress: {ratio: "
            "3}",
            500 + pick(r, 4000), pick(r, 2) * pick(r, 500), pick(r, 2) * (10 + pick(r, 1000)), pick(r, 101));
        if (pick(r, 2)) say(t, ", free_target: %uKiB", 100 * (1 + pick(r, 2)));
    }
    say(t, "}}\n");
}

/* The first two touch without an end; the others in short steps. */
static void say_vm(struct text *t, struct rng *r, int i, uint32_t vcpus)
{
    static const char *const patterns[] = {"uniform", "cyclic", "{zipf: .9}"};
    say(t, "  - {name: v%d, host: h%u, vcpus: %u, memory: {size: 1MiB, weight: %u, reservation: %uKiB", i,
        i ? pick(r, 3) : 0, vcpus, 1 + pick(r, 3000), 4 * pick(r, 12));
    if (pick(r, 3)) say(t, ", content: {os: %u%%, zero: %u%%}", pick(r, 60), pick(r, 40));
    say(t, "%s}, workload: {kind: loop, threads: %u, steps: [{cpu: 1ns}, ", pick(r, 2) ? ", swap: san" : "",
        1 + pick(r, TASKS));
    const char *pattern = patterns[pick(r, 3)];
    uint32_t pages = 20 + pick(r, PAGES - 20), write = pick(r, 2) * pick(r, 60);
    if (i < 2)
        say(t, "{touch: {pages: 1000000000, of: %uKiB, pattern: %s, write: %u%%}}]}}\n", 4 * pages, pattern,
            write);
    else
        say(t,
            "{touch: {pages: %u, of: %uKiB, pattern: %s, write: %u%%}}, {cpu: %uns}, {sleep: {uniform: [1us, "
            "%uns]}}]}}\n",
            1 + pick(r, 900), 4 * pages, pattern, write, 100 + pick(r, 30000), 1100 + pick(r, 30000));
}

static void say_all(struct text *t, struct rng *r)
{
    say(t,
        "vlab: 1\nname: t\nrun: {duration: 100s}\ncloud: {overcommit: {cpu: unlimited, memory: unlimited}}\n"
        "storage: [{name: san, hosts: [h0, h1, h2]}]\nhosts:\n");
    for (int i = 0; i < HOSTS; i++)
        say_host(t, r, i);
    say(t, "vms:\n");
    uint32_t vcpus = 1 + pick(r, 2);
    for (int i = 0; i < VMS; i++)
        say_vm(t, r, i, vcpus);
    say(t, "events: [{at: 90s, migrate: v0, to: h1}]\n");
}

#endif
