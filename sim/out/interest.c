// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/interest.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/alloc.h"

/* What an expectation without a stat means. */
static bool default_stat(const char *stat)
{
    static const char *const stats[] = {"", "total", "share", "mean"};
    for (size_t i = 0; i < sizeof stats / sizeof *stats; i++)
        if (strcmp(stat, stats[i]) == 0) return true;
    return false;
}

/* Whether `rest` is the metric of this row, alone or with its stat. */
static bool names(const char *rest, const struct result *r)
{
    size_t len = strlen(r->metric);
    if (strncmp(rest, r->metric, len) != 0) return false;
    if (rest[len] == '\0') return default_stat(r->stat);
    return rest[len] == '.' && strcmp(rest + len + 1, r->stat) == 0;
}

/* Whether `word` is this row's: tried at every dot, since entities and metrics have dots in them. */
static bool fits(const char *word, const struct result *r)
{
    char entity[256];
    for (const char *dot = strchr(word, '.'); dot; dot = strchr(dot + 1, '.')) {
        size_t len = (size_t)(dot - word);
        if (len >= sizeof entity || !names(dot + 1, r)) continue;
        memcpy(entity, word, len);
        entity[len] = '\0';
        if (fnmatch(entity, r->entity, 0) == 0) return true;
    }
    return false;
}

static size_t add(struct interest *list, size_t n, const struct result *r)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].entity, r->entity) == 0 && strcmp(list[i].metric, r->metric) == 0 &&
            strcmp(list[i].stat, r->stat) == 0)
            return n;
    list[n] = (struct interest){r->entity, r->metric, r->stat, r->unit};
    return n + 1;
}

static const struct result *find(const struct report *rp, const char *word)
{
    for (size_t point = runset_points(rp->runs); point-- > 0;) {
        const struct run_output *out = runset_get(rp->runs, point, 0);
        for (size_t i = 0; out && i < results_count(out->results); i++)
            if (fits(word, results_at(out->results, i))) return results_at(out->results, i);
    }
    return NULL;
}

size_t interest_of(const struct report *rp, struct interest list[INTEREST_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < rp->n_expects; i++) {
        for (const char *s = rp->expects[i].text; *s && n < INTEREST_MAX;) {
            if (*s == '@') { /* KEY=VALUE */
                s += strcspn(s, " )");
                continue;
            }
            size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-*?");
            if (len == 0) {
                s++;
                continue;
            }
            char *word = strndup(s, len);
            ASSERT(word != NULL);
            const struct result *r = isalpha((unsigned char)*word) ? find(rp, word) : NULL;
            if (r) n = add(list, n, r);
            free(word);
            s += len;
        }
    }
    const struct run_output *out = runset_get(rp->runs, runset_points(rp->runs) - 1, 0);
    bool none = n == 0;
    for (size_t i = 0; none && n < INTEREST_MAX && out && i < results_count(out->results); i++) {
        const struct result *r = results_at(out->results, i);
        bool vm = strncmp(r->entity, "vm.", 3) == 0 && !strchr(r->entity + 3, '.');
        if (vm && strcmp(r->metric, "cpu.ready") == 0 && default_stat(r->stat) &&
            strcmp(r->stat, "total") != 0)
            n = add(list, n, r);
    }
    return n;
}
