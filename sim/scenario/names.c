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
#define DEVICE  (NAME_ON_DISK | NAME_ON_STORAGE)
#define WIRE    (NAME_ON_NIC | NAME_ON_NETWORK | NAME_ON_PEER)
#define PEER    NAME_ON_PEER
#define SERVICE NAME_ON_SERVICE
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
    STATE("costop", "Time stopped so that its siblings could catch up (co-scheduling)."),
    STATE("swapwait", "Time waiting for the host to bring a page back from swap."),
    STATE("diskwait", "Time in which all its tasks waited, the one to return first for a disk."),
    STATE("netwait", "The same for the network."),
    {"cpu.idle", NAME_STATE, "s", VM | VCPU | HOST | PCPU, NULL,
     "Time with nothing to run. A host's is that of its pCPUs.",
     "share of a host: idle / (pCPUs x measured time)"},
    STATE("down", "Time not powered on."),
    {"cpu.guest", NAME_STATE, "s", VM | VCPU | HOST | PCPU, NULL,
     "Time of useful work in guests. A host's share is its efficiency.", "run - overhead"},
    {"cpu.overhead", NAME_STATE, "s", VM | VCPU | HOST | PCPU, NULL,
     "Run time that virtualization itself took: exits, emulation, page walks in two dimensions.",
     "run - guest"},
    {"cpu.switch", NAME_STATE, "s", HOST | PCPU, NULL,
     "pCPU time spent changing to another vCPU, refilling its cache included.",
     "changes x (switch_cost + refill)"},
    {"cpu.hostos", NAME_STATE, "s", HOST | PCPU, NULL,
     "pCPU time that the host itself took: its threads, and what a type 2 host runs beside.",
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
    {"queue.lost", NAME_COUNT, "", VM, NULL,
     "Requests lost: they found the queue full, or were inside when their VM went down (events.aborted).",
     "count"},
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
     "Things that happened; `vlab explain events` lists the kinds. A service fails where it goes down and is "
     "repaired where it is up again.",
     "count; time of the first and of the last"},

    {"boot.time", NAME_TIME, "s", VM, NULL,
     "From power-on to being up, of VMs with an image: the mean over the boots that ended in the measured "
     "time; "
     "none where there was none.",
     "sum of (up - powered on) / boots"},
    {"mem.resident", NAME_LEVEL, "B", VM | HOST, NULL,
     "Memory that is really there: a VM's pages in memory, a host's frames in use.",
     "VM: resident pages x page size; host: frames x page size, a shared one once"},
    {"mem.active", NAME_LEVEL, "B", VM | HOST, NULL,
     "Memory in use, as the host estimates it (hosts.memory.estimate); min-funding reckons with it.",
     "share of the pages referenced lately x pages x page size; host: sum over its VMs"},
    {"mem.ballooned", NAME_LEVEL, "B", VM | HOST, NULL, "Memory that guests gave up to their balloon.",
     "pages in the balloon x page size; host: sum over its VMs"},
    {"mem.shared", NAME_LEVEL, "B", VM | HOST, NULL, "Memory saved by sharing equal pages.",
     "(pages mapped to shared frames - those frames) x page size"},
    {"mem.swapped", NAME_LEVEL, "B", VM | HOST, NULL, "Memory that is on the swap disk only.",
     "pages swapped out x page size; host: sum over its VMs"},
    {"mem.refs", NAME_COUNT, "", VM, NULL, "References to pages, of touch steps.", "count"},
    {"mem.faults", NAME_COUNT, "", VM, NULL, "Hard faults: references to a page that had to be fetched.",
     "count"},
    {"mem.softfaults", NAME_COUNT, "", VM, NULL,
     "Soft faults: references that needed no disk but a frame or a copy, as the first one to each page.",
     "count"},
    {"mem.miss", NAME_SHARE, "", VM, NULL, "Miss ratio: how many references are hard faults.",
     "faults / refs"},
    {"mem.swapin", NAME_COUNT, "B", VM, NULL, "Bytes brought back from swap.",
     "hard faults from swap x page size"},
    {"mem.tlbmisses", NAME_COUNT, "", VM, NULL, "References whose page the TLB did not know.",
     "count; (1 - reach / working set) x refs for uniform references, reach = hosts.tlb.entries x page"},
    {"mem.walkrefs", NAME_COUNT, "", VM, NULL, "Memory references of page walks.",
     "TLB misses x 4 (pages of 2 MiB: 3); in two dimensions (n + 1)(m + 1) - 1, 24 of 4 and 4"},
    {"disk.ops", NAME_COUNT, "", VM | DEVICE, NULL, "Disk requests done.", "count"},
    {"disk.bytes", NAME_COUNT, "B", VM | DEVICE, NULL, "Bytes read, written and trimmed.",
     "sum over the requests done"},
    {"disk.latency", NAME_DIST, "s", VM | DEVICE, NULL, "How long a disk request took, its queue included.",
     "done - issued"},
    {"disk.queue", NAME_LEVEL, "", VM | DEVICE, NULL, "Requests issued and not done.",
     "integral of their number / measured time"},
    {"disk.allocated", NAME_LEVEL, "B", VM | DEVICE, NULL,
     "Blocks that hold something: of a VM's disks, and what a device's pool has given out.",
     "blocks x grain"},
    {"disk.busy", NAME_LEVEL, "", DEVICE, NULL, "Servers at work: 1 or 0, of an SSD its dies.",
     "integral of their number / measured time"},
    {"disk.util", NAME_SHARE, "", DEVICE, NULL, "How much of it is at work.", "mean disk.busy / servers"},
    {"net.frames", NAME_COUNT, "", VM | WIRE, NULL, "Frames sent and received.", "count"},
    {"net.bytes", NAME_COUNT, "B", VM | WIRE, NULL, "Payload sent and received.", "sum over the frames"},
    {"net.wire", NAME_COUNT, "B", VM | WIRE, NULL, "The same with all framing.",
     "payload + frames x (52 of headers + 38 of Ethernet)"},
    {"net.drops", NAME_COUNT, "", VM | WIRE, NULL,
     "Frames lost: a full queue, no port, no way to the receiver.", "count"},
    {"net.reach.NAME", NAME_SCALAR, "", VM | PEER, NULL,
     "Whether it could open a connection to the VM or peer NAME.", "1: yes; 0: no"},
    {"exits.REASON", NAME_COUNT, "", VM, NULL,
     "Events of `ops`, of I/O and of task switches that the hypervisor handled. REASON: syscall page_fault "
     "io_port "
     "cr8 call_ret divide pte_modify doorbell mmio hlt context_switch fork exec.",
     "count; which of them leave the guest is a matter of vms.mode"},
    {"migration.time", NAME_TIME, "s", VM, NULL,
     "How long a migration took: the mean over those that ended in the measured time; none where there was "
     "none.",
     "sum of (end - start) / migrations"},
    {"migration.downtime", NAME_TIME, "s", VM, NULL,
     "How long a VM stood still for a migration: the mean over those that ended in the measured time.",
     "sum of (resumed - stopped) / migrations"},
    {"migration.rounds", NAME_COUNT, "", VM, NULL,
     "Rounds of copying, also of migrations that were given up; a stop-and-copy is none.", "count"},
    {"migration.bytes", NAME_COUNT, "B", VM, NULL,
     "Bytes of memory copied, also by migrations that were given up.",
     "sum over the rounds and the stop-and-copy"},
    {"availability", NAME_SHARE, "", VM | SERVICE, NULL,
     "Share of the measured time in which it was up; of a service, in which at least `need` of its VMs were. "
     "A VM "
     "that boots, is paused, failed or off is not up. Over replications, an interval from fewer than 30 "
     "failures is `too few events`, and `expect` is undecided.",
     "time up / measured time = 1 - down share; of a group the mean over its members"},
    {"vms.down", NAME_LEVEL, "", CLUSTER, NULL,
     "VMs that are defined and wanted (not stopped or destroyed) but not up.",
     "integral of their number / measured time"},
    {"hosts.on", NAME_LEVEL, "", CLUSTER, NULL, "Hosts that are powered on and have not failed.",
     "integral of their number / measured time"},
    {"rejected", NAME_COUNT, "", CLUSTER, NULL,
     "VMs that were asked for and not made; events.csv says why each.", "count of the events `rejected`"},
    {"power", NAME_LEVEL, "W", HOST | CLUSTER, NULL,
     "Electric power of hosts that state it; the most is that of a sample.",
     "up: by its load (pCPUs not idle / pCPUs), from idle to busy, along curve or as its step says; else "
     "off"},
    {"energy", NAME_COUNT, "J", HOST | CLUSTER, NULL, "Electric energy of hosts that state their power.",
     "integral of power"},
    {"cost", NAME_COUNT, "", HOST | CLUSTER, NULL, "What hosts with a price cost, paid by the second.",
     "price x time powered on and not failed"},
    {"covert.ber", NAME_SHARE, "", VM, NULL,
     "Bit error rate of what it received over a covert channel; none where it received nothing.",
     "wrong bits / bits"},
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

/* The row whose name is `head` and a word in capitals, for `head` and a word that is_one of those it stands
 * for. */
static const struct name_metric *find_pattern(const char *metric)
{
    size_t len = 0;
    if (!strncmp(metric, "events.", 7)) {
        for (int e = 0; e < REC_NEVENTS && !len; e++)
            if (!strcmp(metric + 7, rec_event_name((enum rec_event)e))) len = 7;
    } else if (!strncmp(metric, "exits.", 6)) {
        for (unsigned op = 0; op < PROG_NOPS && !len; op++)
            if (!strcmp(metric + 6, name_op(op))) len = 6;
    } else if (!strncmp(metric, "net.reach.", 10) && metric[10] && !strchr(metric + 10, '.')) {
        len = 10;
    }
    for (size_t i = 0; len && i < N_METRICS; i++)
        if (!strncmp(metrics[i].name, metric, len)) return &metrics[i];
    return NULL;
}

const struct name_metric *name_find(const char *metric)
{
    for (size_t i = 0; i < N_METRICS; i++)
        if (!strcmp(metrics[i].name, metric)) return &metrics[i];
    return find_pattern(metric);
}

bool name_is_pattern(const char *metric)
{
    return !strcmp(metric, "events.KIND") || !strcmp(metric, "exits.REASON") ||
           !strcmp(metric, "net.reach.NAME");
}

const char *name_each(size_t i, char *out, size_t size)
{
    if (i < N_METRICS)
        snprintf(out, size, "%s", metrics[i].name);
    else if ((i -= N_METRICS) < REC_NEVENTS)
        snprintf(out, size, "events.%s", rec_event_name((enum rec_event)i));
    else if ((i -= REC_NEVENTS) < PROG_NOPS)
        snprintf(out, size, "exits.%s", name_op((unsigned)i));
    else
        return NULL;
    return out;
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
    if (!strcmp(stat, "rate") && !strcmp(m->unit, "J")) return "W";
    if (!strcmp(stat, "rate")) return !strcmp(m->unit, "s") ? "" : !strcmp(m->unit, "B") ? "B/s" : "1/s";
    return m->unit;
}

double name_most(const struct name_metric *m, const char *stat)
{
    return !strcmp(stat, "share") && (m->kind == NAME_STATE || m->kind == NAME_SHARE) ? 1.0 : HUGE_VAL;
}

char *name_entities(unsigned on, char *out, size_t size)
{
    static const char *const words[] = {"vm",  "vcpu",    "host",    "pcpu", "cluster", "disk",
                                        "nic", "storage", "network", "peer", "service"};
    size_t at = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
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
