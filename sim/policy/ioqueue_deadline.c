// SPDX-License-Identifier: GPL-3.0-or-later
/* An elevator that lets nobody wait for ever, after Linux's deadline elevator.
 *
 * All requests stand in one order by position; the sweep goes up to the last of them, then down (LOOK). After
 * every 16 requests it looks whether the oldest read has waited 500 ms or the oldest write 5 s; if so it
 * jumps to the one whose time was over first and sweeps on from there. Linux has an order of its own for
 * reads and for writes and only ever sweeps up; its constants are kept: read_expire, write_expire,
 * fifo_batch. */
#include "base/rng.h"
#include "policy/ioqueue_class.h"

#define READ_EXPIRE_NS  INT64_C(500000000)
#define WRITE_EXPIRE_NS INT64_C(5000000000)
#define BATCH           16u

/* prev and next of a request: in `old`. The order by position is a treap, over being the node above. */
struct queue {
    struct ioqueue_req *top;
    struct ioqueue_list old[2]; /* by arrival: reads, writes */
    int64_t at;                 /* where the sweep is */
    bool down;
    uint32_t batch; /* taken since it looked at times */
};

static bool before(const struct ioqueue_req *a, const struct ioqueue_req *b)
{
    return a->position < b->position || (a->position == b->position && a->seq < b->seq);
}

/* Heap order of the treap: depends on the request alone. */
static bool above(const struct ioqueue_req *a, const struct ioqueue_req *b)
{
    return rng_mix(a->seq + 1) > rng_mix(b->seq + 1);
}

static struct ioqueue_req **link_to(struct queue *own, const struct ioqueue_req *n)
{
    if (!n->over) return &own->top;
    return n->over->left == n ? &n->over->left : &n->over->right;
}

/* n goes up over its parent. */
static void rotate(struct queue *own, struct ioqueue_req *n)
{
    struct ioqueue_req *p = n->over, *mid;
    *link_to(own, p) = n;
    n->over = p->over;
    if (p->left == n) {
        mid = n->right;
        p->left = mid;
        n->right = p;
    } else {
        mid = n->left;
        p->right = mid;
        n->left = p;
    }
    p->over = n;
    if (mid) mid->over = p;
}

static void add(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r)
{
    struct queue *own = ioqueue_own(q);
    struct ioqueue_req **at = &own->top, *over = NULL;
    (void)f;
    ioqueue_list_add(&own->old[r->write], r);
    while (*at) {
        over = *at;
        at = before(r, over) ? &over->left : &over->right;
    }
    r->left = r->right = NULL;
    r->over = over;
    *at = r;
    while (r->over && above(r, r->over))
        rotate(own, r);
}

static void drop(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r)
{
    struct queue *own = ioqueue_own(q);
    (void)f;
    ioqueue_list_del(&own->old[r->write], r);
    while (r->left && r->right)
        rotate(own, above(r->left, r->right) ? r->left : r->right);
    struct ioqueue_req *under = r->left ? r->left : r->right;
    *link_to(own, r) = under;
    if (under) under->over = r->over;
}

static struct ioqueue_req *first_from(const struct queue *own, int64_t position)
{
    struct ioqueue_req *best = NULL, *n = own->top;
    while (n) {
        bool ahead = n->position >= position;
        if (ahead) best = n;
        n = ahead ? n->left : n->right;
    }
    return best;
}

/* The next at or beyond the sweep's place, of one position the first that came; NULL: none that way. */
static struct ioqueue_req *onward(const struct queue *own)
{
    if (!own->down) return first_from(own, own->at);
    struct ioqueue_req *best = NULL, *n = own->top;
    while (n) {
        bool ahead = n->position <= own->at;
        if (ahead) best = n;
        n = ahead ? n->right : n->left;
    }
    return best ? first_from(own, best->position) : NULL;
}

static struct ioqueue_req *expired(const struct queue *own, int64_t now)
{
    struct ioqueue_req *r = own->old[0].first, *w = own->old[1].first;
    if (r && now - r->came_ns < READ_EXPIRE_NS) r = NULL;
    if (w && now - w->came_ns < WRITE_EXPIRE_NS) w = NULL;
    if (!r || !w) return r ? r : w;
    return w->came_ns + (WRITE_EXPIRE_NS - READ_EXPIRE_NS) < r->came_ns ? w : r;
}

static struct ioqueue_req *take(struct ioqueue *q, int64_t now)
{
    struct queue *own = ioqueue_own(q);
    struct ioqueue_req *r = NULL;
    if (own->batch >= BATCH) {
        own->batch = 0;
        r = expired(own, now);
    }
    if (!r && !(r = onward(own))) {
        own->down = !own->down;
        r = onward(own);
    }
    ASSUME(r);
    drop(q, NULL, r);
    own->at = r->position;
    own->batch++;
    return r;
}

const struct ioqueue_class ioqueue_deadline_class = {
    .name = "deadline",
    .about = "By position, sweeping up and down, unless a read has waited 500 ms or a write 5 s",
    .queue_bytes = sizeof(struct queue),
    .add = add,
    .take = take,
    .drop = drop,
};
