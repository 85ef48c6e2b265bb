// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/rec.h"
#include "program/prog.h"
#include "scenario/keys.h"

#define VM      NAME_ON_VM
#define VCPU    NAME_ON_VCPU
#define HOST    NAME_ON_HOST
#define PCPU    NAME_ON_PCPU
#define CLUSTER NAME_ON_CLUSTER
#define OTHER   NAME_ON_OTHER
#define STATE(n, text)                                                                                       \
    {                                                                                                        \
        "cpu." n, NAME_STATE, "s", VM | VCPU | HOST, NULL, text,                                             \
            "total: sum over the vCPUs; share: total / (vCPUs x measured time)"                              \
    }

static const struct name_metric metrics[] = {
    {"cpu.run", NAME_STATE, "s", VM | VCPU | HOST, NULL, "Time on a pCPU.",
     "total: sum over the vCPUs; share: total / (vCPUs x measured time)"},
    STATE("ready", "Time in which it could run but had no pCPU: contention steal. The switch that ends a "
                   "wait belongs to it."),
    STATE("throttled", "Time in which it could run but its limit forbade it."),
    STATE("costop", "Time stopped so that its siblings could catch up (co-scheduling); always 0 so far."),
    STATE("swapwait", "Time waiting for the host to bring a page back; always 0 so far."),
    STATE("diskwait",
          "Time in which all its tasks waited, the one to return first for a disk; always 0 so far."),
    STATE("netwait", "The same for the network; always 0 so far."),
    {"cpu.idle", NAME_STATE, "s", VM | VCPU | HOST | PCPU, NULL,
     "Time with nothing to run. A host's is that of its pCPUs.",
     "share of a host: idle / (pCPUs x measured time)"},
    STATE("down", "Time not powered on."),
    {"cpu.guest", NAME_STATE, "s", VM | VCPU | HOST | PCPU, NULL,
     "Time of useful work in guests. A host's share is its efficiency.", "run - overhead"},
    {"cpu.overhead", NAME_STATE, "s", VM | VCPU | HOST | PCPU, NULL,
     "Run time that virtualization itself took (exits, emulation); always 0 so far.", "run - guest"},
    {"cpu.switch", NAME_STATE, "s", HOST | PCPU, NULL,
     "pCPU time spent changing to another vCPU, refilling its cache included.",
     "changes x (switch_cost + refill)"},
    {"cpu.hostos", NAME_STATE, "s", HOST | PCPU, NULL,
     "pCPU time that the host itself took: 0 in simulation, measured on KVM.",
     "measured time - guest - overhead - switch - idle"},
    {"cpu.util", NAME_SHARE, "", VM | VCPU | HOST | PCPU, NULL,
     "How busy it was: a VM its vCPUs, a host its pCPUs.",
     "VM: run / wall; host: (guest + overhead + switch + hostos) / wall"},
    {"unserved", NAME_SHARE, "", VM | HOST | CLUSTER, NULL, "The share of its demand that got no pCPU.",
     "ready / (run + ready)"},
    {"slice", NAME_DIST, "s", VM | VCPU | HOST, NULL, "How long a vCPU ran at a stretch.",
     "time from coming onto a pCPU to leaving it"},
    {"wait", NAME_DIST, "s", VM | VCPU | HOST, NULL,
     "How long a vCPU was ready at a stretch, with the switch that ends it.", "time from ready to run"},
    {"latency", NAME_DIST, "s", VM, NULL, "From a request's arrival to its last step.", "done - arrival"},
    {"work.done", NAME_COUNT, "", VM | CLUSTER, NULL, "Requests answered, or iterations of a loop finished.",
     "count of those that ended in the measured time"},
    {"work.checksum", NAME_CHECKSUM, "", VM, NULL,
     "Equal where the very same work was done, whatever the backend.",
     "sum modulo 2^52 over tasks and steps of hash(task, iteration, step, draw)"},
    {"work.time", NAME_TIME, "s", VM, NULL,
     "From the VM's start to its `until`; none where it was not reached.",
     "time of the event finished - start"},
    {"throughput", NAME_SCALAR, "1/s", VM | CLUSTER, NULL, "Requests or iterations done a second.",
     "work.done / measured time"},
    {"backlog", NAME_LEVEL, "", VM, NULL, "Requests that have come and are not answered.",
     "integral of the number inside / measured time"},
    {"queue.lost", NAME_COUNT, "", VM, NULL, "Requests that found the queue full.", "count"},
    {"fairness", NAME_SHARE, "", HOST | CLUSTER, NULL,
     "Jain's index: 1 when all get by their weight, 1/n when one of n gets all.",
     "(sum x)^2 / (n sum x^2), x = run/weight, over vCPUs never idle"},
    {"slowdown", NAME_SCALAR, "", VM, NULL,
     "How many times longer its work takes than alone on its host with the same draws. Asking for it adds "
     "that run.",
     "mean latency (loop: time an iteration) / the same alone"},
    {"isolation", NAME_SCALAR, "", HOST | CLUSTER, NULL,
     "How well the well-behaved are protected: 1 is perfect.",
     "the worst slowdown of the VMs with `role: victim`"},
    {"events.KIND", NAME_EVENTS, "", NAME_ON_EVERY, NULL,
     "Things that happened; `vlab explain events` lists the kinds.",
     "count; time of the first and of the last"},

    {"boot.time", NAME_TIME, "s", VM, "dependability", "From power-on to ready.", "ready - start"},
    {"mem.resident", NAME_LEVEL, "B", VM | HOST, "resources", "Memory really held.", "pages x page size"},
    {"mem.active", NAME_LEVEL, "B", VM | HOST, "resources", "Memory in use lately.", "pages referenced"},
    {"mem.ballooned", NAME_LEVEL, "B", VM | HOST, "resources", "Memory taken back by balloon.",
     "pages in the balloon"},
    {"mem.shared", NAME_LEVEL, "B", VM | HOST, "resources", "Memory saved by sharing.", "pages shared"},
    {"mem.swapped", NAME_LEVEL, "B", VM | HOST, "resources", "Memory on the swap disk.", "pages swapped"},
    {"mem.refs", NAME_COUNT, "", VM, "resources", "Page references.", "count"},
    {"mem.faults", NAME_COUNT, "", VM, "resources", "Hard faults.", "count"},
    {"mem.softfaults", NAME_COUNT, "", VM, "resources", "Soft faults.", "count"},
    {"mem.miss", NAME_SHARE, "", VM, "resources", "Miss ratio.", "faults / refs"},
    {"mem.swapin", NAME_COUNT, "B", VM, "resources", "Bytes brought back.", "sum"},
    {"mem.tlbmisses", NAME_COUNT, "", VM, "resources", "TLB misses.", "count"},
    {"mem.walkrefs", NAME_COUNT, "", VM, "resources", "References of page walks.", "count"},
    {"disk.ops", NAME_COUNT, "", VM | OTHER, "resources", "Disk requests.", "count"},
    {"disk.bytes", NAME_COUNT, "B", VM | OTHER, "resources", "Bytes moved.", "sum"},
    {"disk.latency", NAME_DIST, "s", VM | OTHER, "resources", "Time of a disk request.", "done - issued"},
    {"disk.queue", NAME_LEVEL, "", VM | OTHER, "resources", "Requests waiting.", "mean number"},
    {"disk.allocated", NAME_LEVEL, "B", VM | OTHER, "resources", "Blocks given out.", "sum"},
    {"disk.util", NAME_SHARE, "", OTHER, "resources", "How much of its rate is used.", "used / possible"},
    {"disk.busy", NAME_SHARE, "", OTHER, "resources", "Time with a request inside.", "busy / wall"},
    {"net.frames", NAME_COUNT, "", VM | OTHER, "resources", "Frames.", "count"},
    {"net.bytes", NAME_COUNT, "B", VM | OTHER, "resources", "Payload.", "sum"},
    {"net.wire", NAME_COUNT, "B", VM | OTHER, "resources", "Bytes on the wire.", "sum"},
    {"net.drops", NAME_COUNT, "", VM | OTHER, "resources", "Frames lost.", "count"},
    {"net.reach", NAME_SCALAR, "", VM | OTHER, "resources", "Whether it can be reached.", "0 or 1"},
    {"exits", NAME_COUNT, "", VM, "resources", "Exits by reason.", "count"},
    {"migration.time", NAME_TIME, "s", VM, "dependability", "Length of a migration.", "end - start"},
    {"migration.downtime", NAME_TIME, "s", VM, "dependability", "Stop to resume.", "resume - stop"},
    {"migration.rounds", NAME_COUNT, "", VM, "dependability", "Rounds of copying.", "count"},
    {"migration.bytes", NAME_COUNT, "B", VM, "dependability", "Bytes copied.", "sum"},
    {"availability", NAME_SHARE, "", VM | OTHER, "dependability", "Time it was there.", "1 - down share"},
    {"vms.down", NAME_LEVEL, "", CLUSTER, "dependability", "VMs that are down.", "mean number"},
    {"hosts.on", NAME_LEVEL, "", CLUSTER, "dependability", "Hosts powered on.", "mean number"},
    {"rejected", NAME_COUNT, "", CLUSTER, "dependability", "Requests for VMs turned away.", "count"},
    {"power", NAME_LEVEL, "W", HOST | CLUSTER, "dependability", "Electric power.", "mean"},
    {"energy", NAME_COUNT, "J", HOST | CLUSTER, "dependability", "Electric energy.", "integral of power"},
    {"cost", NAME_COUNT, "", HOST | CLUSTER, "dependability", "What it costs.", "price x powered-on time"},
    {"covert.ber", NAME_SHARE, "", VM, "dependability", "Bit error rate.", "wrong bits / bits"},
};
#define N_METRICS (sizeof metrics / sizeof metrics[0])

static const char *const stats[NAME_NKINDS] = {
    [NAME_STATE] = "share total rate",          [NAME_SHARE] = "share",    [NAME_COUNT] = "total rate",
    [NAME_EVENTS] = "total first last",         [NAME_TIME] = "total",     [NAME_LEVEL] = "mean max",
    [NAME_DIST] = "mean count p50 p95 p99 max", [NAME_CHECKSUM] = "total", [NAME_SCALAR] = "mean",
};

size_t name_count(void)
{
    return N_METRICS;
}

const struct name_metric *name_at(size_t i)
{
    ASSERT(i < N_METRICS);
    return &metrics[i];
}

const struct name_metric *name_find(const char *metric)
{
    const char *dot = strchr(metric, '.'), *kind = dot && !strncmp(metric, "events.", 7) ? dot + 1 : NULL;
    for (int e = 0; kind && e < REC_NEVENTS; e++)
        if (!strcmp(kind, rec_event_name((enum rec_event)e))) return name_find("events.KIND");
    if (!strncmp(metric, "exits.", 6)) return name_find("exits");
    if (!strncmp(metric, "net.reach.", 10)) return name_find("net.reach");
    for (size_t i = 0; i < N_METRICS; i++)
        if (!strcmp(metrics[i].name, metric)) return &metrics[i];
    return NULL;
}

const char *name_stats(enum name_kind kind)
{
    return stats[kind];
}

const char *name_second_stat(enum name_kind kind)
{
    return kind == NAME_STATE ? "total" : NULL;
}

bool name_has_stat(enum name_kind kind, const char *stat)
{
    return key_has_word(stats[kind], stat, strlen(stat));
}

const char *name_unit(const struct name_metric *m, const char *stat)
{
    if (!strcmp(stat, "share") || !strcmp(stat, "count")) return "";
    if (!strcmp(stat, "first") || !strcmp(stat, "last")) return "s";
    if (!strcmp(stat, "rate")) return !strcmp(m->unit, "s") ? "" : !strcmp(m->unit, "B") ? "B/s" : "1/s";
    return m->unit;
}

double name_most(const struct name_metric *m, const char *stat)
{
    return !strcmp(stat, "share") && (m->kind == NAME_STATE || m->kind == NAME_SHARE) ? 1.0 : HUGE_VAL;
}

char *name_entities(unsigned on, char *out, size_t size)
{
    static const char *const words[] = {"vm", "vcpu", "host", "pcpu", "cluster", "others"};
    size_t at = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < 6; i++)
        if (on >> i & 1 && at < size)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", words[i]);
    return out;
}

const char *name_op(unsigned op)
{
    static const char *const ops[PROG_NOPS] = {
        [OP_SYSCALL] = "syscall",
        [OP_PAGE_FAULT] = "page_fault",
        [OP_IO_PORT] = "io_port",
        [OP_CR8] = "cr8",
        [OP_CALL_RET] = "call_ret",
        [OP_DIVIDE] = "divide",
        [OP_PTE_MODIFY] = "pte_modify",
        [OP_DOORBELL] = "doorbell",
        [OP_MMIO] = "mmio",
        [OP_HLT] = "hlt",
        [OP_CONTEXT_SWITCH] = "context_switch",
        [OP_FORK] = "fork",
        [OP_EXEC] = "exec",
    };
    ASSERT(op < PROG_NOPS);
    return ops[op];
}

double name_percentile(const char *stat)
{
    char *end;
    if (stat[0] != 'p' || stat[1] < '0' || stat[1] > '9') return -1;
    double p = strtod(stat + 1, &end);
    return *end ? -1 : p;
}
