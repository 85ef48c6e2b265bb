// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab kvm calibrate: what this machine's guests do and cost, as a host profile that scenarios include. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "kvm/runner/measure.h"
#include "kvm/runner/probe.h"
#include "scenario/names.h"

#define REPEATS       11u
#define GATE_REPEATS  41u
#define LOOP_NS       50000000
#define QUICK_LOOP_NS 10000000
#define SLICE_NS      3000000000
#define QUICK_NS      1000000000

#define MEMORY_BYTES (UINT64_C(16) << 20)

static const struct {
    uint32_t op;
    const char *what;
} ops[] = {{OP_IO_PORT, "a port: an exit to user space and back"},
           {OP_MMIO, "a device's register: an exit and an instruction to decode"},
           {OP_HLT, "a halt with work at once: an exit and back"},
           {OP_DOORBELL, "a doorbell: an exit to the kernel, which signals an eventfd"},
           {OP_CALL_RET, "a call and its return, which no hypervisor sees"}};
#define N_OPS (sizeof ops / sizeof *ops)

struct profile {
    struct measure loop, kick, change, slice, fresh, refs;
    struct measure op[PROG_NOPS]; /* of those that guests can bring about */
    int64_t tick_ns;
};

static int measure_all(const struct host *h, bool quick, struct profile *p, char **why)
{
    struct measure warm = {0};
    p->tick_ns = host_tick_ns();
    if (measure_loop(h, REPEATS, QUICK_LOOP_NS, &warm, why) != 0) return -1;
    if (measure_loop(h, REPEATS, quick ? QUICK_LOOP_NS : LOOP_NS, &p->loop, why) != 0) return -1;
    for (size_t i = 0; i < N_OPS; i++)
        if (measure_op(h, ops[i].op, REPEATS, &p->op[ops[i].op], why) != 0) return -1;
    if (measure_memory(h, REPEATS, MEMORY_BYTES, &p->fresh, &p->refs, why) != 0) return -1;
    if (measure_gate(h, quick ? REPEATS : GATE_REPEATS, &p->kick, &p->change, why) != 0) return -1;
    return measure_slice(quick ? QUICK_NS : SLICE_NS, &p->slice, why);
}

static void print_row(FILE *out, const char *name, const struct measure *m, double unit_ns, const char *unit,
                      const char *what)
{
    fprintf(out, "%-13s %9.3f %9.3f %9.3f %-3s %3u  %s\n", name, measure_at(m, 0) / unit_ns,
            measure_at(m, 0.5) / unit_ns, measure_at(m, 0.95) / unit_ns, unit, m->n, what);
}

static void print_table(FILE *out, const struct profile *p)
{
    fprintf(out, "%-13s %9s %9s %9s     %3s\n", "", "min", "median", "p95", "n");
    print_row(out, "iters_per_ns", &p->loop, 1, "", "the counted loop of a guest");
    for (size_t i = 0; i < N_OPS; i++)
        if (ops[i].op == OP_CALL_RET)
            print_row(out, name_op(ops[i].op), &p->op[ops[i].op], 1, "ns", ops[i].what);
        else
            print_row(out, name_op(ops[i].op), &p->op[ops[i].op], 1e3, "us", ops[i].what);
    print_row(out, "fresh page", &p->fresh, 1e3, "us", "the first touch of 4 KiB of a guest's memory");
    print_row(out, "reference", &p->refs, 1, "ns", "of a touch step, drawing included, in 16 MiB");
    print_row(out, "kick", &p->kick, 1e3, "us", "from asking a running vCPU to stop until it has");
    print_row(out, "switch", &p->change, 1e3, "us", "from one vCPU thread stopping to the next one running");
    print_row(out, "slice", &p->slice, 1e6, "ms", "that Linux's scheduler gives one of two busy vCPUs");
    fprintf(out, "%-13s %9s %9.3f %9s ms       of the kernel, 1/HZ\n", "tick", "", (double)p->tick_ns / 1e6,
            "");
}

/* A name from this machine as a YAML string: what is not plain is left out. */
static const char *plain(char *to, size_t size, const char *from)
{
    size_t n = 0;
    for (; *from && n + 1 < size; from++)
        if ((*from >= ' ' && *from < 127) && *from != '"' && *from != '\\') to[n++] = *from;
    to[n] = 0;
    return to;
}

static void print_yaml(FILE *out, const struct profile *p)
{
    char cpu[128], module[64], a[128], b[128], c[64], date[32];
    struct utsname u;
    time_t now = time(NULL);
    struct tm tm;
    uname(&u);
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &tm));
    fprintf(out,
            "# What `vlab kvm calibrate` measured. Use it with `hosts: [{name: h1, profile: THIS-FILE}]`.\n");
    fprintf(out, "vlab_host: 1\n");
    fprintf(out, "machine: {cpu: \"%s\", kernel: \"%s\", kvm: \"%s\", date: \"%s\"}\n",
            plain(a, sizeof a, probe_cpu(cpu, sizeof cpu)), plain(b, sizeof b, u.release),
            plain(c, sizeof c, probe_kvm_module(module, sizeof module)), date);
    fprintf(out, "cpu: {tick: %jdns, switch_cost: %.0fns}\n", (intmax_t)p->tick_ns,
            measure_at(&p->change, 0.5));
    fprintf(out, "measured:\n");
    fprintf(out, "  iters_per_ns: %.6f\n", measure_at(&p->loop, MEASURE_PACE));
    fprintf(out, "  exit: %.0fns\n", measure_at(&p->op[OP_IO_PORT], 0.5));
    fprintf(out, "  kick: %.0fns\n", measure_at(&p->kick, 0.5));
    fprintf(out, "  switch: %.0fns\n", measure_at(&p->change, 0.5));
    fprintf(out, "  slice: %.0fns\n", measure_at(&p->slice, 0.5));
    fprintf(out, "  tick: %jdns\n", (intmax_t)p->tick_ns);
    fprintf(out, "  reference: %.3f\n", measure_at(&p->refs, 0.5));
    fprintf(out, "  ops: {");
    for (size_t i = 0; i < N_OPS; i++)
        fprintf(out, "%s: %.3f, ", name_op(ops[i].op), measure_at(&p->op[ops[i].op], 0.5));
    fprintf(out, "%s: %.3f}\n", name_op(OP_PAGE_FAULT), measure_at(&p->fresh, 0.5));
}

static int write_profile(const char *path, const struct profile *p)
{
    FILE *f = fopen(path, "we");
    if (!f) {
        fprintf(stderr, "vlab kvm calibrate: cannot write %s: %s\n", path, strerror(errno));
        return 2;
    }
    print_yaml(f, p);
    bool bad = ferror(f) != 0;
    if (fclose(f) != 0 || bad) {
        fprintf(stderr, "vlab kvm calibrate: cannot write %s: %s\n", path, strerror(errno));
        return KVM_FAILED;
    }
    printf("written to %s\n", path);
    return 0;
}

static const char usage[] =
    "usage: vlab kvm calibrate [--quick] [-o FILE]\n"
    "Measures this machine's guests, pinned and warm, 11 repeats each: iterations of the work loop a ns,\n"
    "exits by reason, a fresh page, a reference, a kick, a switch, the kernel's slice and tick; and writes "
    "a\n"
    "host profile for scenarios.\n"
    "  --quick   shorter repeats: within 20 s\n"
    "  -o FILE   writes the profile there; else it goes to stdout and the table to stderr\n"
    "examples:\n"
    "  vlab kvm calibrate -o here.yaml\n"
    "  vlab run scenarios/01-two-vms.yaml --set hosts.h1.profile=here.yaml\n";

static int calibrate(bool quick, const char *path)
{
    struct host h;
    struct profile p = {0};
    char *why = NULL;
    enum kvm_status st = host_open(&h, &why);
    if (st == KVM_OK && measure_all(&h, quick, &p, &why) != 0) st = KVM_FAILED;
    if (st != KVM_OK) {
        fprintf(stderr, "vlab kvm calibrate: %s\n", why ? why : "failed");
        free(why);
        host_close(&h);
        return (int)st;
    }
    host_close(&h);
    print_table(path ? stdout : stderr, &p);
    if (path) return write_profile(path, &p);
    print_yaml(stdout, &p);
    return 0;
}

int kvm_cmd_calibrate(int argc, char **argv)
{
    bool quick = false;
    const char *path = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--quick") == 0) {
            quick = true;
        } else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc) {
            path = argv[++i];
        } else if (strcmp(argv[i], "--allow-host-tuning") == 0) {
            fprintf(stderr, "vlab kvm calibrate: --allow-host-tuning is not built yet\n");
            return 2;
        } else {
            fprintf(stderr, "vlab kvm calibrate: unknown option %s\n%s", argv[i], usage);
            return 2;
        }
    }
    return calibrate(quick, path);
}
