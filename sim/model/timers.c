// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/timers.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/assert.h"

void timers_done(struct timers *t)
{
    free(t->v);
    *t = (struct timers){0};
}

static bool earlier(const struct timer *a, const struct timer *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void insert(struct timers *t, struct timer x)
{
    size_t i = t->n++;
    for (; i && earlier(&x, &t->v[(i - 1) / 2]); i = (i - 1) / 2)
        t->v[i] = t->v[(i - 1) / 2];
    t->v[i] = x;
}

void timers_set(struct timers *t, int64_t at_ns, enum timer_kind kind, uint32_t id)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 4;
        t->v = realloc(t->v, t->cap * sizeof *t->v);
        ASSERT(t->v);
    }
    insert(t, (struct timer){.at_ns = at_ns, .order = t->order++, .kind = kind, .id = id});
}

void timers_drop(struct timers *t, unsigned kinds)
{
    size_t n = t->n;
    t->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct timer x = t->v[i]; /* what is inserted never passes what is still to be looked at */
        if (!(kinds >> x.kind & 1)) insert(t, x);
    }
}

struct timer timers_take(struct timers *t)
{
    ASSERT(t->n > 0);
    struct timer top = t->v[0], x = t->v[--t->n];
    size_t i = 0;
    for (;;) {
        size_t c = 2 * i + 1;
        if (c >= t->n) break;
        if (c + 1 < t->n && earlier(&t->v[c + 1], &t->v[c])) c++;
        if (!earlier(&t->v[c], &x)) break;
        t->v[i] = t->v[c];
        i = c;
    }
    if (t->n) t->v[i] = x;
    return top;
}
