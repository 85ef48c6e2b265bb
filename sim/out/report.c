// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/alloc.h"

const char *report_verdict_name(enum report_verdict v)
{
    switch (v) {
    case REPORT_HOLDS: return "holds";
    case REPORT_FAILS: return "fails";
    case REPORT_UNDECIDED: return "undecided";
    }
    bool is_a_verdict = false;
    ASSERT(is_a_verdict);
    return "";
}

bool report_repeats(const struct report *rp, size_t key)
{
    for (size_t k = 0; k < key; k++) {
        size_t same = 0, points = runset_points(rp->runs);
        while (same < points && strcmp(rp->points[same].values[k], rp->points[same].values[key]) == 0)
            same++;
        if (same == points && points > 1) return true;
    }
    return false;
}

bool report_of_several(const struct report *rp, size_t key)
{
    for (size_t k = key + 1; k < rp->points[0].n; k++)
        if (report_same_axis(rp, k, key) && report_repeats(rp, k)) return true;
    return false;
}

bool report_same_axis(const struct report *rp, size_t a, size_t b)
{
    const uint32_t *axes = rp->points[0].axes;
    return axes ? axes[a] == axes[b] : a == b;
}

static char *point_text(const struct report *rp, size_t point, bool all)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    ASSERT(f != NULL);
    const struct report_point *p = rp->points ? &rp->points[point] : NULL;
    for (size_t i = 0; p && i < p->n; i++)
        if (all || !report_repeats(rp, i)) fprintf(f, "%s%s=%s", i ? ";" : "", p->keys[i], p->values[i]);
    fclose(f);
    return text;
}

char *report_point_text(const struct report *rp, size_t point)
{
    return point_text(rp, point, true);
}

char *report_point_words(const struct report *rp, size_t point)
{
    return point_text(rp, point, false);
}

struct estimate report_pick(const struct report *rp, size_t point, const char *entity, const char *metric,
                            const char *stat)
{
    const char *const order[] = {stat ? stat : "", "", "mean", "share", "rate", "total"};
    struct estimate e = {0};
    size_t n = stat ? 1 : sizeof order / sizeof *order;
    for (size_t i = 0; i < n; i++) {
        e = runset_estimate(rp->runs, point, entity, metric, order[i]);
        if (e.n) break;
    }
    return e;
}

/* Entities named PREFIX and a name without a dot, each once, as they first come in any replication. */
static size_t entities(const struct report *rp, size_t point, const char *prefix, const char ***list)
{
    struct results *seen = results_new();
    size_t n = 0, cap = 0, len = strlen(prefix);
    *list = NULL;
    for (size_t rep = 0; rep < runset_reps(rp->runs); rep++) {
        const struct run_output *out = runset_get(rp->runs, point, rep);
        const char *last = NULL;
        for (size_t i = 0; out && i < results_count(out->results); i++) {
            const char *e = results_at(out->results, i)->entity;
            if (e == last) continue; /* a string kept once: the same row of rows goes on */
            last = e;
            if (strncmp(e, prefix, len) != 0 || strchr(e + len, '.') || results_find(seen, e, "", ""))
                continue;
            results_add(seen, e, "", "", "", 0);
            *list = alloc_grow(*list, n, &cap, sizeof **list);
            (*list)[n++] = e;
        }
    }
    results_free(seen);
    return n;
}

size_t report_vms(const struct report *rp, size_t point, const char ***list)
{
    return entities(rp, point, "vm.", list);
}

size_t report_hosts(const struct report *rp, size_t point, const char ***list)
{
    return entities(rp, point, "host.", list);
}
