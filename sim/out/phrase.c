// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/phrase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/num.h"

/* --- keys --- */

/* The second part of a path: the name in vms.NAME.cpu.weight. */
static int name_in(const char *key, const char **name)
{
    const char *dot = strchr(key, '.');
    *name = dot ? dot + 1 : key;
    return dot ? (int)strcspn(dot + 1, ".") : 0;
}

/* Of a disk, a store, a NIC or a network; of a VM's own disk or NIC. "": the key is about no such thing. */
static const char *device_words(const char *key, const char *leaf)
{
    static const struct {
        const char *leaf, *disk, *net;
    } known[] = {{"queue", "the queue", ""},
                 {"iops", "the request rate", ""},
                 {"bandwidth", "the bandwidth", "the bandwidth"},
                 {"latency", "the latency", "the latency"},
                 {"burst", "the burst", ""},
                 {"pool", "the pool", ""},
                 {"divide", "the division", ""},
                 {"cache", "the cache", ""},
                 {"weight", "the disk weight", "the network weight"},
                 {"limit", "the disk limit", ""},
                 {"reservation", "the disk reservation", ""},
                 {"clone", "the kind of clone", ""},
                 {"trim", "trimming", ""},
                 {"network", "", "the network"},
                 {"ports", "", "the number of ports"},
                 {"mtu", "", "the MTU"},
                 {"packet_cost", "", "the packet cost"}};
    bool disk = strstr(key, ".disks.") || strstr(key, ".disk.") || !strncmp(key, "storage.", 8);
    bool net = strstr(key, ".nics.") || strstr(key, ".nic.") || !strncmp(key, "networks.", 9);
    for (size_t i = 0; (disk || net) && i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].leaf, leaf)) return disk ? known[i].disk : known[i].net;
    return "";
}

/* Of a VM's memory, whose keys are called as those of its CPU. */
static const char *memory_words(const char *leaf)
{
    if (!strcmp(leaf, "weight")) return "the memory weight";
    return strcmp(leaf, "reservation") == 0 ? "the memory reservation" : "";
}

char *phrase_key(const char *key, char *out, size_t size)
{
    static const struct {
        const char *leaf, *words;
    } known[] = {{"slice", "the time slice"},
                 {"vcpus", "the number of vCPUs"},
                 {"cores", "the number of pCPUs"},
                 {"clients", "the number of clients"},
                 {"poisson", "the arrival rate"},
                 {"periodic", "the time between arrivals"},
                 {"threads", "the number of threads"},
                 {"speed", "the speed of the pCPUs"},
                 {"tick", "the tick"},
                 {"switch_cost", "the cost of a switch"},
                 {"limit", "the CPU limit"},
                 {"reservation", "the CPU reservation"},
                 {"weight", "the CPU weight"},
                 {"scheduler", "the scheduler"},
                 {"working_set", "the working set"},
                 {"think", "the thinking time"},
                 {"queue", "the length of the queue"},
                 {"period", "the period of the limit"},
                 {"mode", "the virtualization mode"},
                 {"of", "the working set"},
                 {"pages", "the number of references"},
                 {"profile", "the profile"},
                 {"type", "the type of hypervisor"},
                 {"nested_paging", "nested paging"},
                 {"replacement_scope", "the scope of replacement"},
                 {"size", "the memory"},
                 {"estimate", "the way of estimating use"},
                 {"replacement", "the replacement policy"},
                 {"swap", "the swap disk"},
                 {"tax", "the idle-memory tax"},
                 {"page", "the page size"},
                 {"load", "the load of the host OS"},
                 {"cosched", "the co-scheduling"},
                 {"wait", "the way of waiting"}};
    const char *name, *leaf = strrchr(key, '.');
    int len = name_in(key, &name);
    bool vms = !strncmp(key, "vms.", 4), hosts = !strncmp(key, "hosts.", 6);
    leaf = leaf ? leaf + 1 : key;
    snprintf(out, size, "%s", key);
    if ((vms || hosts) && !strcmp(leaf, "count") && name + len + 1 == leaf)
        snprintf(out, size, "the number of %.*s %s", len, name, vms ? "VMs" : "hosts");
    const char *device = vms && strstr(key, ".memory.") ? memory_words(leaf) : device_words(key, leaf),
               *within = strstr(key, ".disks.");
    if (!within) within = strstr(key, ".nics.");
    if (hosts && within) len = name_in(within + 1, &name); /* of h1's ssd0 the disk's name is enough */
    if (*device) snprintf(out, size, "%s of %.*s", device, len, name);
    for (size_t i = 0; (vms || hosts) && !*device && i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].leaf, leaf)) snprintf(out, size, "%s of %.*s", known[i].words, len, name);
    return out;
}

/* --- figures --- */

static const char *metric_words(const char *metric, bool host)
{
    static const struct {
        const char *metric, *words;
    } known[] = {{"cpu.run", "share of the CPU"},
                 {"cpu.ready", "time spent waiting"},
                 {"cpu.throttled", "time held by its limit"},
                 {"cpu.idle", "idle time"},
                 {"cpu.util", "utilization"},
                 {"cpu.switch", "switching time"},
                 {"cpu.overhead", "overhead"},
                 {"unserved", "unserved demand"},
                 {"work.done", "work done"},
                 {"work.time", "time to finish"},
                 {"queue.lost", "lost requests"},
                 {"cpu.swapwait", "time waiting for swap"},
                 {"cpu.diskwait", "time waiting for disks"},
                 {"cpu.netwait", "time waiting for the network"},
                 {"cpu.costop", "time stopped for its siblings"},
                 {"cpu.hostos", "time of the host OS"},
                 {"mem.resident", "memory held"},
                 {"mem.active", "memory in use"},
                 {"mem.ballooned", "memory given to the balloon"},
                 {"mem.shared", "memory saved by sharing"},
                 {"mem.swapped", "memory swapped out"},
                 {"mem.refs", "page references"},
                 {"mem.faults", "hard faults"},
                 {"mem.softfaults", "soft faults"},
                 {"mem.miss", "miss ratio"},
                 {"mem.swapin", "bytes swapped in"},
                 {"mem.tlbmisses", "TLB misses"},
                 {"mem.walkrefs", "walk references"},
                 {"disk.ops", "disk requests"},
                 {"disk.bytes", "disk traffic"},
                 {"disk.latency", "disk latency"},
                 {"disk.queue", "disk queue"},
                 {"disk.allocated", "space given out"},
                 {"disk.util", "disk utilization"},
                 {"disk.busy", "busy servers"},
                 {"net.frames", "frames"},
                 {"net.bytes", "network traffic"},
                 {"net.wire", "traffic on the wire"},
                 {"net.drops", "dropped frames"},
                 {"wait", "wait for a pCPU"},
                 {"slice", "time slice"}};
    if (host && !strcmp(metric, "cpu.guest")) return "efficiency";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].metric, metric)) return known[i].words;
    return strncmp(metric, "events.", 7) == 0 ? metric + 7 : metric;
}

/* Only distributions have stats that a title should name, and levels and things that happen one or two. */
static const char *stat_words(const char *stat, const char *unit)
{
    if (!strcmp(stat, "max")) return strcmp(unit, "s") == 0 ? "longest" : "highest";
    if (!strcmp(stat, "first") || !strcmp(stat, "last")) return stat;
    return stat[0] == 'p' && stat[1] >= '0' && stat[1] <= '9' ? stat : "";
}

static const char *entity_words(const char *entity)
{
    /* Of a device only its own name: host.h1.disk.ssd0 is ssd0. */
    const char *dot = strchr(entity, '.'), *last = strrchr(entity, '.');
    bool dev = strstr(entity, ".disk.") || strstr(entity, ".nic.");
    return dot ? (dev ? last : dot) + 1 : entity;
}

char *phrase_figures(const struct interest *const *w, size_t n, char *out, size_t size)
{
    bool same_entity = true, same_stat = true;
    for (size_t i = 1; i < n; i++) {
        same_entity = same_entity && !strcmp(w[0]->entity, w[i]->entity);
        same_stat = same_stat && !strcmp(w[0]->stat, w[i]->stat);
    }
    const char *entity = entity_words(w[0]->entity),
               *stat = same_stat ? stat_words(w[0]->stat, w[0]->unit) : "";
    bool named = same_entity && !strchr(entity, '*') && !strchr(entity, '?') && !strchr(entity, '[');
    bool host = !strncmp(w[0]->entity, "host.", 5);
    snprintf(out, size, "%s%s%s%s%s%s", !strcmp(entity, "cluster") && named ? "the " : "",
             named         ? entity
             : same_entity ? "the "
                           : "",
             !named                              ? ""
             : entity[strlen(entity) - 1] == 's' ? "' "
                                                 : "'s ",
             stat, *stat ? " " : "", metric_words(w[0]->metric, host));
    if (w[0]->per) {
        size_t at = strlen(out);
        if (at < size) snprintf(out + at, size - at, " / %s", metric_words(w[0]->per, host));
    }
    if (same_entity && !named) {
        size_t at = strlen(out);
        if (at < size) snprintf(out + at, size - at, " of %s", entity);
    }
    return out;
}

char *phrase_curve(const struct interest *w, char *out, size_t size)
{
    static const char *const calls[] = {[EXPECT_SUM] = "sum of ",
                                        [EXPECT_MEAN] = "mean of ",
                                        [EXPECT_MAX] = "the most of ",
                                        [EXPECT_MIN] = "the least of "};
    const char *call = w->node.kind >= EXPECT_SUM ? calls[w->node.kind] : "";
    /* What is no distribution has one stat that anyone would ask for. */
    bool plain = !strcmp(w->stat, "share") || !strcmp(w->stat, "total") || !strcmp(w->unit, "1/s") ||
                 !strcmp(w->stat, "rate") || (*call && !strcmp(w->stat, "max")) ||
                 !strcmp(w->metric, "isolation") || !strcmp(w->metric, "slowdown");
    snprintf(out, size, "%s%s%s%s", call, entity_words(w->entity), plain ? "" : " ", plain ? "" : w->stat);
    return out;
}

/* --- what stands out --- */

static double figure(const struct report *rp, const char *entity, const char *metric, const char *stat)
{
    struct estimate e = report_pick(rp, 0, entity, metric, stat);
    return e.n ? e.mean : 0;
}

/* Something that happened and should not: in a sentence, and how often. */
static bool happened(const struct report *rp, const char *vm, char *out, size_t size)
{
    static const struct {
        const char *metric, *words;
    } bad[] = {{"events.oom", "was ended by its host, which had no memory left"},
               {"events.pool-full", "waited for room in a full pool"},
               {"events.nat-full", "found no free port to send from"},
               {"events.refused", "sent to where it has no way"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (!(figure(rp, vm, bad[i].metric, "total") > 0)) continue;
        snprintf(out, size, "%s %s.", vm, bad[i].words);
        return true;
    }
    return false;
}

enum { WORTH_PERCENT = 5 }; /* less stands out of nothing */

char *phrase_standout(const struct report *rp, char *out, size_t size)
{
    static const struct {
        const char *metric, *words;
    } waits[] = {{"cpu.swapwait", "spent %s of its time waiting for memory to be swapped in."},
                 {"cpu.diskwait", "spent %s of its time waiting for disks."},
                 {"cpu.netwait", "spent %s of its time waiting for the network."},
                 {"cpu.costop", "was stopped for %s of its time, for its siblings to catch up."},
                 {"cpu.overhead", "lost %s of its time to virtualization."}};
    const char **vms;
    size_t n = report_vms(rp, 0, &vms), which = 0;
    double most = WORTH_PERCENT / 100.0;
    const char *who = NULL;
    bool told = false;
    out[0] = '\0';
    for (size_t i = 0; i < n && !told; i++)
        told = happened(rp, vms[i], out, size);
    for (size_t i = 0; i < n && !told; i++) {
        for (size_t k = 0; k < sizeof waits / sizeof *waits; k++) {
            double x = figure(rp, vms[i], waits[k].metric, "share");
            if (!(x > most)) continue;
            most = x;
            who = vms[i];
            which = k;
        }
    }
    if (who) {
        char num[NUM_LEN];
        const char *words = waits[which].words, *at = strstr(words, "%s");
        snprintf(out, size, "%s %.*s%s%s", who, (int)(at - words), words, num_percent(num, most), at + 2);
    }
    free(vms);
    return out;
}
