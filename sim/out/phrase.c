// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/phrase.h"

#include <stdio.h>
#include <string.h>

/* --- keys --- */

/* The second part of a path: the name in vms.NAME.cpu.weight. */
static int name_in(const char *key, const char **name)
{
    const char *dot = strchr(key, '.');
    *name = dot ? dot + 1 : key;
    return dot ? (int)strcspn(dot + 1, ".") : 0;
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
                 {"period", "the period of the limit"}};
    const char *name, *leaf = strrchr(key, '.');
    int len = name_in(key, &name);
    bool vms = !strncmp(key, "vms.", 4), hosts = !strncmp(key, "hosts.", 6);
    leaf = leaf ? leaf + 1 : key;
    snprintf(out, size, "%s", key);
    if ((vms || hosts) && !strcmp(leaf, "count") && name + len + 1 == leaf)
        snprintf(out, size, "the number of %.*s %s", len, name, vms ? "VMs" : "hosts");
    for (size_t i = 0; (vms || hosts) && i < sizeof known / sizeof *known; i++)
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
                 {"wait", "wait for a pCPU"},
                 {"slice", "time slice"}};
    if (host && !strcmp(metric, "cpu.guest")) return "efficiency";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].metric, metric)) return known[i].words;
    return metric;
}

/* Only distributions have stats that a title should name. */
static const char *stat_words(const char *stat)
{
    if (!strcmp(stat, "max")) return "longest";
    return stat[0] == 'p' && stat[1] >= '0' && stat[1] <= '9' ? stat : "";
}

static const char *entity_words(const char *entity)
{
    const char *dot = strchr(entity, '.');
    return dot ? dot + 1 : entity;
}

char *phrase_figures(const struct interest *const *w, size_t n, char *out, size_t size)
{
    bool same_entity = true, same_stat = true;
    for (size_t i = 1; i < n; i++) {
        same_entity = same_entity && !strcmp(w[0]->entity, w[i]->entity);
        same_stat = same_stat && !strcmp(w[0]->stat, w[i]->stat);
    }
    const char *entity = entity_words(w[0]->entity), *stat = same_stat ? stat_words(w[0]->stat) : "";
    bool named = same_entity && !strchr(entity, '*') && !strchr(entity, '?') && !strchr(entity, '[');
    bool host = !strncmp(w[0]->entity, "host.", 5);
    snprintf(out, size, "%s%s%s%s%s%s", !strcmp(entity, "cluster") && named ? "the " : "",
             named         ? entity
             : same_entity ? "the "
                           : "",
             named ? "'s " : "", stat, *stat ? " " : "", metric_words(w[0]->metric, host));
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
                 (*call && !strcmp(w->stat, "max")) || !strcmp(w->metric, "isolation") ||
                 !strcmp(w->metric, "slowdown");
    snprintf(out, size, "%s%s%s%s", call, entity_words(w->entity), plain ? "" : " ", plain ? "" : w->stat);
    return out;
}
