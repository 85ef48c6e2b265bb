// SPDX-License-Identifier: GPL-3.0-or-later
/* Rows in the order they came, the strings they are made of kept once each, and an open-addressed index
 * over (entity, metric, stat). A string kept once has one address, so rows are compared by pointers. */
#include "metrics/results.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/alloc.h"

struct table { /* of numbers from 1; 0: free slot. Never more than half full. */
    uint32_t *slot;
    size_t size; /* a power of two, or 0 */
};

struct results {
    struct result *row;
    size_t n, cap;
    char **text;
    size_t n_text, cap_text;
    struct table rows, texts;
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 32)) * 0x9e3779b97f4a7c15u;
    return x ^ (x >> 29);
}

static uint64_t hash_text(const char *s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return mix(h);
}

static uint64_t hash_row(const char *entity, const char *metric, const char *stat)
{
    return mix((uintptr_t)entity + mix((uintptr_t)metric + mix((uintptr_t)stat)));
}

static void table_put(struct table *t, uint64_t hash, size_t index)
{
    size_t at = hash & (t->size - 1);
    while (t->slot[at])
        at = (at + 1) & (t->size - 1);
    t->slot[at] = (uint32_t)(index + 1);
}

/* True where n more than half fill it: emptied at twice the size, to be filled again by the caller. */
static bool table_grow(struct table *t, size_t n)
{
    if (2 * (n + 1) <= t->size) return false;
    ASSERT(n < UINT32_MAX / 4);
    t->size = t->size ? 2 * t->size : 64;
    free(t->slot);
    t->slot = alloc_array(t->size, sizeof *t->slot);
    return true;
}

struct results *results_new(void)
{
    return alloc_array(1, sizeof(struct results));
}

void results_free(struct results *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->n_text; i++)
        free(r->text[i]);
    free(r->text);
    free(r->row);
    free(r->rows.slot);
    free(r->texts.slot);
    free(r);
}

/* The one copy of s, or NULL where there is none. */
static const char *text_find(const struct results *r, const char *s)
{
    if (!r->texts.size) return NULL;
    size_t mask = r->texts.size - 1;
    for (size_t at = hash_text(s) & mask; r->texts.slot[at]; at = (at + 1) & mask) {
        const char *have = r->text[r->texts.slot[at] - 1];
        if (strcmp(have, s) == 0) return have;
    }
    return NULL;
}

static const char *text_keep(struct results *r, const char *s)
{
    const char *have = text_find(r, s);
    if (have) return have;
    if (table_grow(&r->texts, r->n_text)) {
        for (size_t i = 0; i < r->n_text; i++)
            table_put(&r->texts, hash_text(r->text[i]), i);
    }
    r->text = alloc_grow(r->text, r->n_text, &r->cap_text, sizeof *r->text);
    r->text[r->n_text] = alloc_copy(s);
    table_put(&r->texts, hash_text(s), r->n_text);
    return r->text[r->n_text++];
}

static const struct result *row_find(const struct results *r, const char *entity, const char *metric,
                                     const char *stat)
{
    if (!r->rows.size) return NULL;
    size_t mask = r->rows.size - 1;
    for (size_t at = hash_row(entity, metric, stat) & mask; r->rows.slot[at]; at = (at + 1) & mask) {
        const struct result *x = &r->row[r->rows.slot[at] - 1];
        if (x->entity == entity && x->metric == metric && x->stat == stat) return x;
    }
    return NULL;
}

static void add(struct results *r, struct result x)
{
    x.entity = text_keep(r, x.entity);
    x.metric = text_keep(r, x.metric);
    x.stat = text_keep(r, x.stat);
    x.unit = text_keep(r, x.unit);
    ASSERT(!row_find(r, x.entity, x.metric, x.stat)); /* a figure has one value */
    if (table_grow(&r->rows, r->n)) {
        for (size_t i = 0; i < r->n; i++)
            table_put(&r->rows, hash_row(r->row[i].entity, r->row[i].metric, r->row[i].stat), i);
    }
    r->row = alloc_grow(r->row, r->n, &r->cap, sizeof *r->row);
    r->row[r->n] = x;
    table_put(&r->rows, hash_row(x.entity, x.metric, x.stat), r->n++);
}

void results_add(struct results *r, const char *entity, const char *metric, const char *stat,
                 const char *unit, double value)
{
    add(r, (struct result){.entity = entity, .metric = metric, .stat = stat, .unit = unit, .value = value});
}

void results_add_exact(struct results *r, const char *entity, const char *metric, const char *stat,
                       const char *unit, uint64_t value)
{
    add(r, (struct result){.entity = entity,
                           .metric = metric,
                           .stat = stat,
                           .unit = unit,
                           .value = (double)value,
                           .exact = value,
                           .is_exact = true});
}

size_t results_count(const struct results *r)
{
    return r->n;
}

const struct result *results_at(const struct results *r, size_t i)
{
    ASSERT(i < r->n);
    return &r->row[i];
}

const struct result *results_find(const struct results *r, const char *entity, const char *metric,
                                  const char *stat)
{
    const char *e = text_find(r, entity);
    const char *m = e ? text_find(r, metric) : NULL;
    const char *s = m ? text_find(r, stat) : NULL;
    return s ? row_find(r, e, m, s) : NULL;
}

uint64_t results_events(const struct results *r, const char *entity, const char *metric)
{
    if (strcmp(metric, "availability") != 0) return UINT64_MAX;
    const struct result *x = results_find(r, entity, "events.failed", "total");
    return x ? x->exact : 0;
}
