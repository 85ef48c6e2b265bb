// SPDX-License-Identifier: GPL-3.0-or-later
/* A binary heap; the caller's array is large enough by construction: a task or client has one timer. */
#include "kvm/guest/guest.h"

static bool before(const struct timer *a, const struct timer *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->seq < b->seq;
}

void timers_push(struct timers *t, int64_t at_ns, uint32_t what)
{
    struct timer x = {.at_ns = at_ns, .seq = t->seq++, .what = what};
    uint32_t i = t->n++;
    for (; i > 0 && before(&x, &t->heap[(i - 1) / 2]); i = (i - 1) / 2)
        t->heap[i] = t->heap[(i - 1) / 2];
    t->heap[i] = x;
}

struct timer timers_pop(struct timers *t)
{
    struct timer top = t->heap[0], x = t->heap[--t->n];
    uint32_t i = 0;
    for (uint32_t c; (c = 2 * i + 1) < t->n; i = c) {
        if (c + 1 < t->n && before(&t->heap[c + 1], &t->heap[c])) c++;
        if (!before(&t->heap[c], &x)) break;
        t->heap[i] = t->heap[c];
    }
    t->heap[i] = x;
    return top;
}
