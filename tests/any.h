// SPDX-License-Identifier: GPL-3.0-or-later
/* any.h - for tests: any scenario. Bytes choose, one a choice; where they have run out, the simplest is
 * chosen, so that fewer bytes make a smaller scenario. It mixes whatever the language has, small and tight,
 * so that parts meet: 2 hosts at most, few VMs, little memory, slow disks, short queues. Most of what comes
 * out is a valid scenario; the reader refuses the rest, and is right. */
#ifndef VLAB_TESTS_ANY_H
#define VLAB_TESTS_ANY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct any {
    const uint8_t *from;
    size_t left;
    FILE *to;
    struct any_host {
        uint32_t cores, disks, nics;
        bool rr, more; /* more: its VMs may state more memory than it has */
    } hosts[2];
    uint32_t n_hosts, stores, nets, peers, vms;
    bool pool[2][3];     /* of a host's disk; the store is number 2 */
    bool reserves[2][3]; /* whether its queue knows reservations */
    uint8_t kind[3];     /* of a network: bridge nat host-only */
};

/* 0 .. n-1; 0 once the bytes are used up. */
static inline uint32_t any_of(struct any *a, uint32_t n)
{
    if (!a->left) return 0;
    a->left--;
    return *a->from++ % n;
}
static inline bool any_chance(struct any *a, uint32_t n)
{
    return any_of(a, n) == n - 1;
}
#define ANY_ONE(a, ...)                                                                                      \
    (((const char *const[]){                                                                                 \
        __VA_ARGS__})[any_of(a, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))])
/* One time in n: `, key: one of the values`. */
#define ANY_MAY(a, n, key, ...)                                                                              \
    do {                                                                                                     \
        if (any_chance(a, n)) fprintf((a)->to, ", " key ": %s", ANY_ONE(a, __VA_ARGS__));                    \
    } while (0)
#define ANY_TIMES                                                                                            \
    "100us", "1ms", "333us", "7777ns", "50us", "{exponential: 200us}", "{uniform: [1us, 2ms]}",              \
        "{exponential: 1ms}", "3ms", "{pareto: [20us, 1.5]}"
#define ANY_SIZES                                                                                            \
    "4KiB", "64KiB", "1000B", "100kB", "1MiB", "{exponential: 8KiB}", "1B", "{uniform: [1B, 200KiB]}"

static inline void any_cpu(struct any *a, struct any_host *h)
{
    const char *scheduler = ANY_ONE(a, "credit", "rr", "cfs", "eevdf", "stride", "bvt");
    h->cores = 1 + any_of(a, 4);
    h->rr = scheduler[0] == 'r';
    fprintf(a->to, "cpu: {cores: %u, scheduler: %s", h->cores, scheduler);
    if (any_chance(a, 4)) {
        uint32_t threads = 2 + any_chance(a, 4);
        fprintf(a->to, ", threads_per_core: %u", threads);
        h->cores *= threads;
    }
    ANY_MAY(a, 3, "speed", "0.5", "2", "1.37", "0.001");
    ANY_MAY(a, 2, "slice", "1ms", "100us", "3333ns", "30ms");
    ANY_MAY(a, 4, "tick", "1ms", "4ms", "10us");
    ANY_MAY(a, 3, "switch_cost", "5us", "1us", "1ns", "200us");
    ANY_MAY(a, 4, "balance", "{idle: false}", "{every: 1ms}", "{idle: false, every: 0s}");
    ANY_MAY(a, 4, "cache", "{share: 64KiB, line: 50ns}", "{share: 1MiB, line: 1ns}");
    if (scheduler[0] == 'c' && scheduler[1] == 'r') ANY_MAY(a, 6, "credit", "tick");
    fprintf(a->to, "}");
}

static inline void any_memory(struct any *a, const struct any_host *h, bool more)
{
    static const char *const ways[] = {"swap",
                                       "share, swap",
                                       "balloon, swap",
                                       "compress, swap",
                                       "share, balloon, swap",
                                       "share, balloon, compress, swap",
                                       "balloon, compress, swap",
                                       "compress, share, swap"};
    fprintf(a->to, ", memory: {size: %s", ANY_ONE(a, "256KiB", "64KiB", "1MiB", "300KiB", "4MiB", "8MiB"));
    if (more && (h->disks || a->stores))
        fprintf(a->to, ", reclaim: [%s], swap: %s", ways[any_of(a, sizeof ways / sizeof *ways)],
                a->stores && (!h->disks || any_chance(a, 3)) ? "san" : "d0");
    else if (more)
        fprintf(a->to, ", reclaim: [%s]",
                ANY_ONE(a, "share", "balloon", "compress", "share, balloon, compress"));
    ANY_MAY(a, 2, "replacement", "lru", "fifo", "random", "second-chance", "clock");
    ANY_MAY(a, 3, "replacement_scope", "vm");
    ANY_MAY(a, 3, "free_target", "16KiB", "64KiB", "4KiB");
    ANY_MAY(a, 4, "tax", "0%", "50%", "99%");
    ANY_MAY(a, 4, "estimate", "sampled");
    ANY_MAY(a, 3, "share", "{rate: 500MB/s}", "{rate: 10GB/s, cost: 1us, break: 2us}",
            "{rate: 1GB/s, cost: 100us}");
    ANY_MAY(a, 3, "balloon", "{rate: 10MB/s}", "{max: 30%}", "{rate: 1GB/s, max: 100%}", "{max: 0%}");
    ANY_MAY(a, 3, "compress", "{ratio: 2, cost: 5us}", "{ratio: 1.5}", "{ratio: 10, cost: 1us}");
    ANY_MAY(a, 2, "ref_cost", "100ns", "1us", "1ns", "20us");
    ANY_MAY(a, 8, "page", "2MiB");
    fprintf(a->to, "}");
    if (any_chance(a, 3))
        fprintf(a->to, ", tlb: {entries: %s, walk: %s}", ANY_ONE(a, "16", "64", "4"),
                ANY_ONE(a, "30ns", "1us", "0s"));
}

/* What disks and stores have in common. */
static inline void any_medium(struct any *a, bool *pool, bool *reserves)
{
    const char *queue = ANY_ONE(a, "fair", "fifo", "deadline", "mclock");
    *reserves = queue[0] == 'm' || queue[1] == 'a';
    fprintf(a->to, ", queue: %s", queue);
    *pool = any_chance(a, 2);
    if (*pool) fprintf(a->to, ", pool: %s", ANY_ONE(a, "64MiB", "9MiB", "1GiB"));
    if (*pool) ANY_MAY(a, 2, "grain", "4KiB", "1MiB", "512B");
    ANY_MAY(a, 4, "cache", "1MiB", "8KiB", "64KiB");
    ANY_MAY(a, 3, "latency", "80us", "1ms", "1ns");
}

static inline void any_rates(struct any *a)
{
    ANY_MAY(a, 2, "iops", "20000", "1000", "333/s", "1000000");
    if (!any_chance(a, 2)) return;
    fprintf(a->to, ", bandwidth: %s", ANY_ONE(a, "200MB/s", "10MB/s", "1GB/s"));
    ANY_MAY(a, 3, "burst", "100kB", "1MB", "1B");
    ANY_MAY(a, 4, "peak", "2GB/s", "100GB/s");
}

static inline void any_disk(struct any *a, uint32_t h, uint32_t d)
{
    fprintf(a->to, "%s{name: d%u, ", d ? ", " : ", disks: [", d);
    switch (any_of(a, 4)) {
    case 2:
        fprintf(a->to, "model: ssd");
        ANY_MAY(a, 2, "channels", "1", "2", "32");
        ANY_MAY(a, 2, "dies", "1", "2", "3");
        ANY_MAY(a, 3, "read", "{exponential: 60us}", "10us");
        ANY_MAY(a, 3, "program", "{exponential: 60us}", "100us");
        ANY_MAY(a, 3, "erase", "100us", "0s");
        ANY_MAY(a, 3, "spare", "7%", "50%");
        break;
    case 3: fprintf(a->to, "model: hdd, preset: %s", ANY_ONE(a, "hp97560", "sata7200")); break;
    default: fprintf(a->to, "model: bucket"); any_rates(a);
    }
    any_medium(a, &a->pool[h][d], &a->reserves[h][d]);
    fprintf(a->to, "}");
}

static inline void any_host(struct any *a, uint32_t h, bool more)
{
    struct any_host *host = &a->hosts[h];
    fprintf(a->to, "  - {name: h%u, ", h);
    any_cpu(a, host);
    ANY_MAY(a, 3, "profile", "modern", "era2003");
    if (any_chance(a, 3)) {
        fprintf(a->to, ", hypervisor: {type: %s", ANY_ONE(a, "2", "1"));
        ANY_MAY(a, 2, "nested_paging", "false");
        ANY_MAY(a, 2, "load", "50%", "10%", "100%");
        ANY_MAY(a, 2, "host_io", "5us", "1ns", "300us");
        ANY_MAY(a, 3, "emulation", "50", "1.5");
        fprintf(a->to, "}");
    }
    ANY_MAY(a, 4, "mode_costs", "{io_port: 2us, doorbell: 1us}", "{context_switch: 3us, page_fault: 1us}",
            "{syscall: 100ns, hlt: 5us, mmio: 1ns}");
    host->disks = any_of(a, 3);
    for (uint32_t d = 0; d < host->disks; d++)
        any_disk(a, h, d);
    if (host->disks) fprintf(a->to, "]");
    host->nics = any_of(a, 3);
    for (uint32_t n = 0; n < host->nics; n++) {
        fprintf(a->to, "%s{name: e%u", n ? ", " : ", nics: [", n);
        ANY_MAY(a, 2, "bandwidth", "1Gb/s", "10Mb/s", "100Mb/s");
        ANY_MAY(a, 2, "latency", "50us", "1ms", "1ns");
        ANY_MAY(a, 3, "mtu", "500", "9000", "68");
        ANY_MAY(a, 2, "packet_cost", "1us", "50us", "1ns");
        ANY_MAY(a, 3, "rx_queue", "1", "8");
        fprintf(a->to, "}");
    }
    if (host->nics) fprintf(a->to, "]");
    host->more = more;
    if (more || any_chance(a, 3)) any_memory(a, host, more);
    fprintf(a->to, "}\n");
}

static inline void any_store(struct any *a)
{
    fprintf(a->to, "storage: [{name: san");
    any_rates(a);
    any_medium(a, &a->pool[0][2], &a->reserves[0][2]);
    a->pool[1][2] = a->pool[0][2];
    a->reserves[1][2] = a->reserves[0][2];
    ANY_MAY(a, 2, "divide", "flat");
    fprintf(a->to, "}]\n");
}

static inline void any_nets(struct any *a)
{
    bool nics = a->hosts[0].nics && (a->n_hosts == 1 || a->hosts[1].nics);
    a->nets = any_of(a, 4);
    for (uint32_t n = 0; n < a->nets; n++) {
        a->kind[n] = nics ? (uint8_t)any_of(a, 3) : 2;
        fprintf(a->to, "%s{name: n%u, kind: %s", n ? ", " : "networks: [", n,
                (const char *const[]){"bridge", "nat", "host-only"}[a->kind[n]]);
        if (a->kind[n] < 2) {
            fprintf(a->to, ", nics: [h0/e%u", any_of(a, a->hosts[0].nics));
            if (a->n_hosts > 1) fprintf(a->to, ", h1/e%u", any_of(a, a->hosts[1].nics));
            fprintf(a->to, "]");
            ANY_MAY(a, 2, "uplink", "core", n ? "n0" : "core", "other");
        }
        if (a->kind[n] == 1) {
            ANY_MAY(a, 2, "ports", "1", "3", "100");
            ANY_MAY(a, 2, "hold", "1ms", "0s", "100us");
            ANY_MAY(a, 3, "rewrite", "1us", "100us");
        }
        ANY_MAY(a, 3, "latency", "10us", "1ms");
        ANY_MAY(a, 3, "bandwidth", "1Gb/s", "10Mb/s");
        fprintf(a->to, "}");
    }
    if (!a->nets) return;
    fprintf(a->to, "]\n");
    a->peers = any_of(a, 3);
    for (uint32_t p = 0; p < a->peers; p++) {
        uint32_t n = any_of(a, a->nets + 1);
        fprintf(a->to, "%s{name: p%u, on: ", p ? ", " : "peers: [", p);
        n < a->nets && a->kind[n] < 2 ? fprintf(a->to, "n%u}", n) : fprintf(a->to, "outside}");
    }
    if (a->peers) fprintf(a->to, "]\n");
}

static inline void any_step(struct any *a, uint32_t h, uint32_t me, uint32_t vms, const uint32_t *disks,
                            uint32_t n_disks, bool nic, bool memory)
{
    const char *to = NULL;
    char name[8];
    switch (any_of(a, 10)) {
    default: fprintf(a->to, "{cpu: %s", ANY_ONE(a, ANY_TIMES)); break;
    case 2: fprintf(a->to, "{busy: %s", ANY_ONE(a, ANY_TIMES)); break;
    case 3: fprintf(a->to, "{sleep: %s", ANY_ONE(a, ANY_TIMES)); break;
    case 4:
    case 9:
        if (!memory) {
            fprintf(a->to, "{touch: {pages: %s, of: %s", ANY_ONE(a, "10", "1", "200"),
                    ANY_ONE(a, "64KiB", "1MiB"));
        } else {
            fprintf(a->to, "{touch: {pages: %s", ANY_ONE(a, "10", "100", "1", "200"));
            ANY_MAY(a, 2, "of", "64KiB", "4KiB", "120KiB", "256KiB");
        }
        ANY_MAY(a, 2, "pattern", "cyclic", "{zipf: 0.8}", "{zipf: 1}", "uniform");
        ANY_MAY(a, 2, "write", "100%", "50%", "1%");
        fprintf(a->to, "}");
        break;
    case 5:
        if (!n_disks) {
            fprintf(a->to, "{cpu: 10us");
            break;
        }
        fprintf(a->to, "{disk: {%s: %s", ANY_ONE(a, "read", "write", "write", "trim"), ANY_ONE(a, ANY_SIZES));
        ANY_MAY(a, 2, "pattern", "sequential");
        if (n_disks > 1) {
            uint32_t d = disks[any_of(a, n_disks)];
            d == 2 ? fprintf(a->to, ", on: san") : fprintf(a->to, ", on: d%u", d);
        }
        fprintf(a->to, "}");
        break;
    case 6:
        for (uint32_t i = 0; nic && !to && i < 4; i++) {
            uint32_t v = any_of(a, vms + a->peers);
            if (v == me) v = (v + 1) % (vms + a->peers);
            if (v == me) continue;
            snprintf(name, sizeof name, "%c%u", v < vms ? 'v' : 'p', v < vms ? v : v - vms);
            to = name;
        }
        if (to && !any_chance(a, 4))
            fprintf(
                a->to, "{net: {send: %s, to: %s}",
                ANY_ONE(a, "4KiB", "64KiB", "1000B", "1B", "{exponential: 8KiB}", "{uniform: [1B, 200KiB]}"),
                to);
        else if (nic)
            fprintf(a->to, "{net: {receive: %s}", ANY_ONE(a, "1", "3"));
        else
            fprintf(a->to, "{sleep: 10us");
        break;
    case 7:
        fprintf(a->to, "{ops: {%s: %s",
                ANY_ONE(a, "syscall", "page_fault", "io_port", "pte_modify", "fork", "exec", "hlt"),
                ANY_ONE(a, "1", "10", "100"));
        ANY_MAY(a, 2, "mmio", "1", "7");
        ANY_MAY(a, 2, "context_switch", "1", "5");
        ANY_MAY(a, 3, "doorbell", "3");
        fprintf(a->to, "}");
        break;
    case 8:
        fprintf(a->to, "{lock: {hold: %s, wait: %s}",
                ANY_ONE(a, "10us", "1ms", "{exponential: 100us}", "1ns"), ANY_ONE(a, "spin", "yield"));
        break;
    }
    (void)h;
    ANY_MAY(a, 5, "probability", "0.5", "0.01", "0");
    fprintf(a->to, "}");
}

static inline uint32_t any_vdisks(struct any *a, uint32_t v, uint32_t h, uint32_t *disks)
{
    uint32_t n = 0, all = a->hosts[h].disks + a->stores, first = any_of(a, 3);
    for (uint32_t i = 0; i < all && n < 2; i++) {
        uint32_t d = (first + i) % all;
        if (d >= a->hosts[h].disks) d = 2;
        if (!any_chance(a, 2)) continue;
        fprintf(a->to, d == 2 ? "%s{on: san" : "%s{on: d%u", n ? ", " : ", disk: [", d);
        disks[n++] = d;
        fprintf(a->to, ", size: %s", ANY_ONE(a, "2MiB", "1MiB", "3000kB", "8MiB"));
        if (a->pool[h][d]) ANY_MAY(a, 2, "provision", "thin");
        if (v && any_chance(a, 4))
            fprintf(a->to, ", from: v%u, clone: %s", any_of(a, v), ANY_ONE(a, "full", "linked"));
        else
            ANY_MAY(a, 2, "used", "1MiB", "100kB");
        ANY_MAY(a, 3, "weight", "1", "3000");
        if (a->reserves[h][d]) ANY_MAY(a, 3, "reservation", "100/s", "10/s");
        ANY_MAY(a, 3, "limit", "2000/s", "{bandwidth: 10MB/s}",
                "{iops: 500/s, bandwidth: 50MB/s, burst: 1MB}");
        ANY_MAY(a, 4, "cache", "256KiB", "8KiB");
        fprintf(a->to, "}");
    }
    if (n) fprintf(a->to, "]");
    return n;
}

static inline void any_work(struct any *a, uint32_t v, uint32_t h, uint32_t vms, const uint32_t *disks,
                            uint32_t n_disks, bool nic, bool memory)
{
    bool requests = any_chance(a, 2);
    fprintf(a->to, ", workload: {");
    if (requests) {
        fprintf(a->to, "kind: requests, ");
        switch (any_of(a, 4)) {
        default: fprintf(a->to, "arrivals: {poisson: %s}", ANY_ONE(a, "2000/s", "300/s", "20000/s")); break;
        case 2: fprintf(a->to, "arrivals: {periodic: %s}", ANY_ONE(a, "1ms", "100us", "2ms")); break;
        case 3:
            fprintf(a->to, "clients: %s", ANY_ONE(a, "5", "1", "20"));
            ANY_MAY(a, 2, "think", "1ms", "{exponential: 300us}");
        }
        ANY_MAY(a, 3, "queue", "3", "0", "100");
    }
    if (any_chance(a, 2))
        fprintf(a->to, "%sthreads: %s", requests ? ", " : "",
                requests ? ANY_ONE(a, "2", "unlimited", "1", "7") : ANY_ONE(a, "2", "3", "1", "7"));
    else if (!requests)
        fprintf(a->to, "kind: loop");
    ANY_MAY(a, 3, "until", "10", "1", "100");
    fprintf(a->to, ", steps: [");
    uint32_t n = 1 + any_of(a, 5);
    for (uint32_t i = 0; i < n; i++) {
        if (i) fprintf(a->to, ", ");
        any_step(a, h, v, vms, disks, n_disks, nic, memory);
    }
    if (!any_chance(a, 8))
        fprintf(a->to, ", {%s: %s}", ANY_ONE(a, "cpu", "sleep", "busy"), ANY_ONE(a, "100us", "1us", "2ms"));
    fprintf(a->to, "]}");
}

static inline void any_vm(struct any *a, uint32_t v, uint32_t vms)
{
    uint32_t h = any_of(a, a->n_hosts), disks[2] = {0}, n_disks, vcpus = 1 + any_of(a, 4), net = 0;
    const struct any_host *host = &a->hosts[h];
    bool memory = any_chance(a, 2), nic = false;
    fprintf(a->to, "  - {name: v%u, host: h%u, vcpus: %u, cpu: {period: 1ms", v, h, vcpus);
    if (!host->rr) ANY_MAY(a, 3, "weight", "100", "3000", "1", "10000");
    ANY_MAY(a, 4, "limit", "50%", "10%", "99.9%", "1%");
    if (any_chance(a, 5)) fprintf(a->to, ", reservation: %s", ANY_ONE(a, "10%", "1%"));
    if (any_chance(a, 5)) fprintf(a->to, ", pin: [%u]", any_of(a, host->cores));
    ANY_MAY(a, 4, "working_set", "64KiB", "10MB");
    if (vcpus <= host->cores) ANY_MAY(a, 3, "cosched", "strict", "relaxed", "balance");
    fprintf(a->to, "}");
    ANY_MAY(a, 3, "mode", "bare", "container", "emulation", "binary-translation", "hardware",
            "paravirtual, guest: modified");
    ANY_MAY(a, 4, "guest_quantum", "100us", "1ms", "100ns", "777us");
    if (memory) {
        fprintf(a->to, ", memory: {size: %s",
                host->more ? ANY_ONE(a, "256KiB", "128KiB", "1MiB", "2MiB", "300KiB") : "64KiB");
        ANY_MAY(a, 4, "weight", "1", "5000");
        ANY_MAY(a, 5, "reservation", "16KiB", "4KiB", "32KiB");
        ANY_MAY(a, 3, "content", "{linux: 60%}", "{linux: 30%, zero: 20%}", "{zero: 100%}",
                "{app: 1%, linux: 50%}");
        if (host->disks) ANY_MAY(a, 2, "swap", "d0");
        if (!host->disks && a->stores) ANY_MAY(a, 2, "swap", "san");
        fprintf(a->to, "}");
    }
    n_disks = any_vdisks(a, v, h, disks);
    if (a->nets && !any_chance(a, 3)) {
        nic = true;
        net = any_of(a, a->nets);
        fprintf(a->to, ", nic: {network: n%u", net);
        if (a->kind[net] == 1 && any_chance(a, 2))
            fprintf(a->to, ", forward: [{port: %u, to: 80}]", 8000 + v);
        ANY_MAY(a, 4, "weight", "1", "5000");
        fprintf(a->to, "}");
    }
    ANY_MAY(a, 4, "start", "1ms", "{at: 5ms}", "19ms");
    ANY_MAY(a, 6, "role", "victim");
    ANY_MAY(a, 8, "draws", "v0");
    any_work(a, v, h, vms, disks, n_disks, nic, memory);
    fprintf(a->to, "}\n");
}

/* Writes the scenario that these bytes choose. */
static inline void any_write(FILE *to, const uint8_t *bytes, size_t n)
{
    struct any a = {.from = bytes, .left = n, .to = to};
    fprintf(to, "name: any\nrun: {duration: 20ms, warmup: %s, seed: %u, sample: 1ms}\n",
            ANY_ONE(&a, "0s", "1ms", "5ms", "19999us"), any_of(&a, 256));
    a.n_hosts = 1 + any_chance(&a, 2);
    a.stores = any_chance(&a, 3);
    fprintf(to, "hosts:\n");
    for (uint32_t h = 0; h < a.n_hosts; h++)
        any_host(&a, h, any_chance(&a, 2));
    if (a.stores) any_store(&a);
    any_nets(&a);
    uint32_t vms = 1 + any_of(&a, 5);
    fprintf(to, "vms:\n");
    for (uint32_t v = 0; v < vms; v++)
        any_vm(&a, v, vms);
}

#endif
