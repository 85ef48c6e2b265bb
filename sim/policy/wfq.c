// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/wfq.h"

#include <stdbool.h>

#include "base/assert.h"

/* By tag, then id: one number, so that no jump hangs on it. A tag is never below 0. */
static inline unsigned __int128 rank(const struct wfq_turn *t)
{
    return (unsigned __int128)(uint64_t)t->tag << 64 | t->who;
}

/* The tag of the flow's next frame. A tag of an earlier busy period says nothing any more: then all began at
 * 0. */
static void tag_next(const struct wfq *q, struct wfq_flow *f, int64_t bytes)
{
    if (f->period != q->period || f->tag < q->v) f->tag = q->v;
    f->period = q->period;
    int64_t cost = (bytes << 16) + f->rest;
    f->rest = (uint32_t)(cost % f->weight);
    f->tag += cost / f->weight;
    ASSERT(f->tag >= 0);
}

/* A heap with four children a node. */
static void sift_up(struct wfq *q, uint32_t i, struct wfq_turn t)
{
    for (; i > 0; i = (i - 1) / 4) {
        const struct wfq_turn *above = &q->heap[(i - 1) / 4];
        if (rank(&t) >= rank(above)) break;
        q->heap[i] = *above;
    }
    q->heap[i] = t;
}

struct least {
    unsigned __int128 rank;
    uint32_t i;
};

static inline struct least lesser(struct least a, struct least b)
{
    bool second = b.rank < a.rank;
    return (struct least){second ? b.rank : a.rank, second ? b.i : a.i};
}

static inline struct least at(const struct wfq *q, uint32_t i)
{
    return (struct least){rank(&q->heap[i]), i};
}

/* From the top: t takes the place of whoever was there. */
static void sift_down(struct wfq *q, struct wfq_turn t)
{
    uint32_t i = 0;
    for (uint32_t c; (c = 4 * i + 1) < q->n;) {
        struct least l = at(q, c);
        if (__builtin_expect(c + 3 < q->n, 1))
            l = lesser(lesser(l, at(q, c + 1)), lesser(at(q, c + 2), at(q, c + 3)));
        else
            for (uint32_t k = c + 1; k < q->n; k++)
                l = lesser(l, at(q, k));
        if (l.rank >= rank(&t)) break;
        q->heap[i] = q->heap[l.i];
        i = l.i;
    }
    q->heap[i] = t;
}

static struct wfq_turn turn(const struct wfq_flow *f, uint32_t flow)
{
    return (struct wfq_turn){(uint64_t)f->id << 32 | flow, f->tag};
}

void wfq_add(struct wfq *q, struct wfq_flow *f, uint32_t flow, int64_t bytes)
{
    tag_next(q, f, bytes);
    sift_up(q, q->n++, turn(f, flow));
}

uint32_t wfq_next(struct wfq *q)
{
    if (q->n > 0) {
        q->v = q->heap[0].tag;
        return (uint32_t)q->heap[0].who;
    }
    q->v = 0;
    q->period++;
    return WFQ_NONE;
}

void wfq_taken(struct wfq *q, struct wfq_flow *f, int64_t next_bytes)
{
    if (next_bytes > 0) {
        tag_next(q, f, next_bytes);
        sift_down(q, turn(f, (uint32_t)q->heap[0].who));
    } else if (--q->n > 0) {
        sift_down(q, q->heap[q->n]);
    }
}
