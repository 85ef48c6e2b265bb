// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/recs.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static void reserve(struct recs *r, size_t n)
{
    if (n <= r->cap) return;
    size_t cap = r->cap ? r->cap : 256;
    while (cap < n)
        cap *= 2;
    r->v = realloc(r->v, cap * sizeof *r->v);
    ASSERT(r->v);
    r->cap = cap;
}

void recs_add(struct recs *r, struct rec x)
{
    reserve(r, r->n + 1);
    r->v[r->n++] = x;
}

void recs_append(struct recs *to, const struct recs *from)
{
    reserve(to, to->n + from->n);
    if (from->n > 0) memcpy(to->v + to->n, from->v, from->n * sizeof *from->v);
    to->n += from->n;
}

/* Merges the sorted runs a[0..m) and a[m..n) by way of b. */
static void merge(struct rec *a, size_t m, size_t n, struct rec *b)
{
    size_t i = 0, j = m;
    for (size_t k = 0; k < n; k++)
        b[k] = j == n || (i < m && a[i].t_ns <= a[j].t_ns) ? a[i++] : a[j++];
    memcpy(a, b, n * sizeof *a);
}

void recs_sort(struct recs *r)
{
    struct rec *b = malloc((r->n + 1) * sizeof *b);
    ASSERT(b);
    for (size_t w = 1; w < r->n; w *= 2)
        for (size_t i = 0; i + w < r->n; i += 2 * w)
            merge(r->v + i, w, r->n - i < 2 * w ? r->n - i : 2 * w, b);
    free(b);
}

void recs_feed(const struct recs *r, struct rec_block *out)
{
    for (size_t i = 0; i < r->n; i++)
        if (rec_wants(out, (enum rec_kind)r->v[i].kind)) *rec_next(out) = r->v[i];
    rec_block_flush(out);
}

void recs_done(struct recs *r)
{
    free(r->v);
    *r = (struct recs){0};
}
