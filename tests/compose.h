// SPDX-License-Identifier: GPL-3.0-or-later
/* compose.h - for tests: the composed scenarios of the validation set. A seed makes one scenario of VMs that
 * share at least three resources; every second seed asks for more than there is of one of them. Words and
 * ranges are the key table's, less what no hardware can be told (COMPOSE_UNREAL). What a seed makes is
 * committed as scenarios/validate/composed-NN.yaml and never chosen by what came out of it. */
#ifndef VLAB_TESTS_COMPOSE_H
#define VLAB_TESTS_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "scenario/keys.h"

/* Twelve seeds: the first ones, whatever they make. */
#define COMPOSE_SEEDS                                                                                        \
    {                                                                                                        \
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12                                                                \
    }

/* Reference bits, which a pager on hardware does not see. */
#define COMPOSE_UNREAL "lru clock"

enum compose_resource { COMPOSE_CPU, COMPOSE_MEMORY, COMPOSE_DISK, COMPOSE_NET, COMPOSE_EXITS, COMPOSE_N };

struct compose {
    struct rng rng;
    FILE *to;
    bool has[COMPOSE_N], over;
    enum compose_resource tight; /* where there is too little; only if `over` */
    uint32_t cores, vms;
    char scheduler[16];
};

static inline uint32_t compose_of(struct compose *c, uint32_t from, uint32_t to)
{
    return from + rng_u32(&c->rng) % (to - from + 1);
}

/* One of the key's words, put into `out`. */
static inline const char *compose_word(struct compose *c, const char *path, char *out, size_t size)
{
    const char *words = key_find(path)->words, *w[32];
    size_t len[32];
    uint32_t n = 0;
    for (const char *p = words; *p && n < 32; p += strspn(p, " ")) {
        size_t l = strcspn(p, " ");
        if (!key_has_word(COMPOSE_UNREAL, p, l)) w[n] = p, len[n++] = l;
        p += l;
    }
    uint32_t k = compose_of(c, 0, n - 1);
    snprintf(out, size, "%.*s", (int)len[k], w[k]);
    return out;
}

static inline void compose_host(struct compose *c)
{
    char a[40], b[40];
    bool more = c->over && c->tight == COMPOSE_MEMORY;
    fprintf(c->to, "hosts:\n  - name: h1\n    cpu: {cores: %u, scheduler: %s}\n", c->cores,
            compose_word(c, "hosts.cpu.scheduler", c->scheduler, sizeof c->scheduler));
    if (more) {
        uint32_t mib = compose_of(c, 4, 5) * 8;
        fprintf(c->to,
                "    memory: {size: %uMiB, reclaim: [swap], swap: swap0, replacement: %s, replacement_scope: "
                "vm}\n",
                mib, compose_word(c, "hosts.memory.replacement", a, sizeof a));
    }
    if (c->has[COMPOSE_DISK] || more) fprintf(c->to, "    disks:\n");
    if (c->has[COMPOSE_DISK])
        fprintf(c->to, "      - {name: disk0, iops: %u, queue: %s}\n",
                c->over && c->tight == COMPOSE_DISK ? 200 : 2000,
                compose_word(c, "hosts.disks.queue", b, sizeof b));
    if (more)
        fprintf(c->to,
                "      - {name: swap0, iops: 2000}\n"); /* of the host alone: what it takes is its own */
    if (c->has[COMPOSE_NET]) fprintf(c->to, "networks: [{name: lan, kind: host-only}]\n");
}

/* A step a resource, the CPU's first; `hard` VMs want more of what there is too little of. A statement has
 * one draw: in which order arguments are evaluated is the compiler's. */
static inline void compose_touch(struct compose *c, bool hard)
{
    uint32_t pages = compose_of(c, 10, 60) * 10, span = compose_of(c, 4, 12),
             write = compose_of(c, 0, 4) * 25;
    fprintf(c->to, ", {touch: {pages: %u, of: %uMiB, write: %u%%}}", pages,
            hard && c->tight == COMPOSE_MEMORY ? 24 : span, write);
}

static inline void compose_disk(struct compose *c)
{
    const char *what = compose_of(c, 0, 1) ? "read" : "write";
    uint32_t kib = 4u << compose_of(c, 0, 2);
    fprintf(c->to, ", {disk: {%s: %uKiB%s}}", what, kib, compose_of(c, 0, 1) ? "" : ", pattern: sequential");
}

static inline void compose_steps(struct compose *c, bool hard)
{
    static const char *const ops[] = {"io_port", "hlt", "mmio", "doorbell"};
    static const char *const times[] = {"%uus", "{exponential: %uus}", "{uniform: [%uus, 2ms]}"};
    const char *time = times[compose_of(c, 0, 2)];
    fprintf(c->to, "[{cpu: ");
    fprintf(c->to, time, compose_of(c, 3, 15) * 100);
    fprintf(c->to, "}");
    if (c->has[COMPOSE_MEMORY]) compose_touch(c, hard);
    if (c->has[COMPOSE_DISK]) compose_disk(c);
    if (c->has[COMPOSE_NET]) fprintf(c->to, ", {net: {send: %ukB, to: sink}}", compose_of(c, 1, 20));
    if (c->has[COMPOSE_EXITS]) {
        const char *op = ops[compose_of(c, 0, 3)];
        fprintf(c->to, ", {ops: {%s: %u}}", op, compose_of(c, 1, 8));
    }
    if (!hard) fprintf(c->to, ", {sleep: {exponential: %ums}}", compose_of(c, 2, 8));
    fprintf(c->to, "]");
}

static inline void compose_vm(struct compose *c, uint32_t i)
{
    bool hard = c->over && (i > 0 || c->tight != COMPOSE_CPU || c->cores == 1);
    uint32_t weight = compose_of(c, 1, 4) * 500;
    fprintf(c->to, "  - {name: v%u%s, memory: 32MiB", i, i == 0 ? ", role: victim" : "");
    if (strcmp(c->scheduler, "rr") != 0) fprintf(c->to, ", cpu: {weight: %u}", weight);
    if (c->has[COMPOSE_DISK]) fprintf(c->to, ", disk: {on: disk0, size: 64MB}");
    if (c->has[COMPOSE_NET]) fprintf(c->to, ", nic: lan");
    fprintf(c->to, ", workload: {kind: loop");
    if (i == 0) fprintf(c->to, ", until: {count: %u}", compose_of(c, 4, 8) * 25);
    fprintf(c->to, ", steps: ");
    compose_steps(c, hard);
    fprintf(c->to, "}}\n");
}

static inline void compose(FILE *to, uint64_t seed)
{
    struct compose c = {.rng = rng_at(rng_key(seed, 0, RNG_TIE), 0, 0), .to = to, .over = seed % 2 == 0};
    uint32_t n = 1, want = compose_of(&c, 3, 4);
    c.has[COMPOSE_CPU] = true;
    while (n < want) {
        uint32_t r = compose_of(&c, 1, COMPOSE_N - 1);
        n += !c.has[r];
        c.has[r] = true;
    }
    do /* exits are never scarce */
        c.tight = (enum compose_resource)compose_of(&c, 0, COMPOSE_N - 3);
    while (!c.has[c.tight]);
    c.cores = compose_of(&c, 1, 2);
    c.vms = c.over && c.tight == COMPOSE_CPU ? c.cores + compose_of(&c, 1, 2) : 2;
    static const char *const names[COMPOSE_N] = {"CPU", "memory", "disk", "network", "exits"};
    fprintf(to,
            "# SPDX-License-Identifier: GPL-3.0-or-later\n"
            "# Made by tests/compose.h from seed %llu; tests/unit/test_composed.c compares.\n"
            "vlab: 1\nname: composed-%02llu\nabout: \"",
            (unsigned long long)seed, (unsigned long long)seed);
    for (uint32_t r = 0, k = 0; r < COMPOSE_N; r++)
        if (c.has[r]) fprintf(to, "%s%s", k++ ? ", " : "", names[r]);
    fprintf(to, " shared by %u VMs%s%s. What does the first of them lose?\"\n", c.vms,
            c.over ? ", too little " : "", c.over ? names[c.tight] : "");
    fprintf(to, "run: {duration: 3s, seed: %llu}\n", (unsigned long long)seed);
    compose_host(&c);
    fprintf(to, "vms:\n");
    for (uint32_t i = 0; i < c.vms; i++)
        compose_vm(&c, i);
    if (c.has[COMPOSE_NET])
        fprintf(to, "  - {name: sink, nic: lan, workload: {kind: loop, steps: [{net: {receive: 1}}, {cpu: "
                    "10us}]}}\n");
}

#endif
