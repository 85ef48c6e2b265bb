// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/wfq.h"

#include <stdbool.h>

#include "base/assert.h"

static inline bool before(const struct wfq_turn *a, const struct wfq_turn *b)
{
    return a->tag < b->tag || (a->tag == b->tag && a->id < b->id);
}

/* The tag of the flow's next frame. A tag of an earlier busy period says nothing any more: then all began at
 * 0. */
static int64_t tag_next(const struct wfq *q, struct wfq_flow *f, int64_t bytes)
{
    if (f->period != q->period || f->tag < q->v) f->tag = q->v;
    f->period = q->period;
    int64_t cost = (bytes << 16) + f->rest;
    f->rest = (uint32_t)(cost % f->weight);
    f->tag += cost / f->weight;
    ASSERT(f->tag >= 0);
    return f->tag;
}

static void sift_up(struct wfq *q, uint32_t i, struct wfq_turn t)
{
    for (; i > 0; i = (i - 1) / 2) {
        struct wfq_turn *above = &q->heap[(i - 1) / 2];
        if (!before(&t, above)) break;
        q->heap[i] = *above;
    }
    q->heap[i] = t;
}

/* From the top: t takes the place of whoever was there. */
static void sift_down(struct wfq *q, struct wfq_turn t)
{
    uint32_t i = 0;
    for (uint32_t c; (c = 2 * i + 1) < q->n; i = c) {
        if (c + 1 < q->n && before(&q->heap[c + 1], &q->heap[c])) c++;
        if (!before(&q->heap[c], &t)) break;
        q->heap[i] = q->heap[c];
    }
    q->heap[i] = t;
}

void wfq_add(struct wfq *q, struct wfq_flow *f, uint32_t flow, int64_t bytes)
{
    sift_up(q, q->n++, (struct wfq_turn){tag_next(q, f, bytes), f->id, flow});
}

uint32_t wfq_next(struct wfq *q)
{
    if (q->n > 0) {
        q->v = q->heap[0].tag;
        return q->heap[0].flow;
    }
    q->v = 0;
    q->period++;
    return WFQ_NONE;
}

void wfq_taken(struct wfq *q, struct wfq_flow *f, int64_t next_bytes)
{
    if (next_bytes > 0)
        sift_down(q, (struct wfq_turn){tag_next(q, f, next_bytes), f->id, q->heap[0].flow});
    else if (--q->n > 0)
        sift_down(q, q->heap[q->n]);
}
