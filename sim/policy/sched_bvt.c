// SPDX-License-Identifier: GPL-3.0-or-later
/* Borrowed virtual time (Duda and Cheriton 1999), in Xen before its credit scheduler.
 *
 * Each vCPU has an actual virtual time A that advances by ran/weight; the smallest runs. It goes on until it
 * is further than the context-switch allowance C, in its own weighted time, ahead of the next: for
 * (A_next - A) w + C. C is the host's `slice`, 5 ms where it is not stated; two equals that never sleep so
 * run 2C in turn. Who wakes begins at max(A, SVT), the scheduler virtual time SVT being the smallest A of
 * those that can run: sleeping saves nothing up. Whoever runs goes on for C beyond it and no more, so who
 * wakes waits for C at most where nobody else does.
 * Left out: borrowing itself. In the paper a latency-sensitive thread subtracts its warp from A when it is
 * compared (its effective virtual time), within limits of warp time; there is no key for warp, so effective
 * and actual are the same. Between two pCPUs A is carried as its lead over SVT. */
#include "policy/sched_class.h"

#define ALLOWANCE_NS INT64_C(5000000)

struct queue {
    struct sched_node *waiting; /* by A */
    int64_t svt;                /* never goes back */
    int64_t until;              /* the A up to which the current was let run */
};

struct vcpu {
    int64_t avt;
    int64_t lead; /* over its queue's svt when it left */
    uint32_t pcpu;
};

static int64_t slice_ns(uint32_t n_pcpus)
{
    (void)n_pcpus;
    return ALLOWANCE_NS;
}

static inline struct vcpu *own_of(struct sched_vcpu *v)
{
    return sched_vcpu_own(v);
}

static int64_t current_avt(struct sched_queue *q, int64_t now)
{
    return own_of(q->current)->avt + sched_weighted(q->current->weight, sched_queue_ran(q, now));
}

static void advance(struct sched_queue *q, struct queue *own, int64_t now)
{
    const struct sched_node *first = own->waiting;
    int64_t least = first ? first->key : INT64_MAX;
    if (q->current) {
        int64_t c = current_avt(q, now);
        if (c < least) least = c;
    }
    if (least != INT64_MAX && least > own->svt) own->svt = least;
}

static void wait(struct queue *own, struct sched_vcpu *v)
{
    v->node.key = own_of(v)->avt;
    sched_heap_add(&own->waiting, &v->node);
}

/* C in a vCPU's weighted time. */
static int64_t allowance(const struct sched_queue *q, const struct sched_vcpu *v)
{
    int64_t c = sched_weighted(v->weight, q->rules->slice_ns);
    return c > 0 ? c : 1;
}

static bool wake(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = own_of(v);
    advance(q, own, now);
    if (how == SCHED_HOW_MOVE || x->pcpu != q->pcpu) x->avt = own->svt + x->lead;
    if (how != SCHED_HOW_MOVE && x->avt < own->svt) x->avt = own->svt;
    x->pcpu = q->pcpu;
    wait(own, v);
    return q->current && x->avt + allowance(q, q->current) < own->until;
}

static void block(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    (void)how;
    advance(q, own, now);
    own_of(v)->lead = own_of(v)->avt - own->svt;
    if (v != q->current) sched_heap_del(&own->waiting, &v->node);
}

static void charge(struct sched_queue *q, struct sched_vcpu *v, int64_t ran_ns, int64_t weighted_ns,
                   int64_t now)
{
    (void)q, (void)ran_ns, (void)now;
    own_of(v)->avt += weighted_ns;
}

static void back(struct sched_queue *q)
{
    wait(sched_queue_own(q), q->current);
}

/* How far the current may still go, in its weighted time: less than this share of C is not worth it. */
static bool goes_on(struct sched_queue *q, const struct queue *own)
{
    int64_t c = allowance(q, q->current);
    if (!own->waiting) return true;
    return own->waiting->key + c - own_of(q->current)->avt > c / 32;
}

static struct sched_vcpu *first(struct sched_queue *q)
{
    return (struct sched_vcpu *)((struct queue *)sched_queue_own(q))->waiting;
}

static struct sched_choice pick(struct sched_queue *q, struct sched_vcpu *must, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct sched_vcpu *v = must;
    (void)now;
    if (!v && q->current && goes_on(q, own)) v = q->current;
    if (!v || v != q->current) {
        if (q->current) back(q);
        if (!v) v = (struct sched_vcpu *)own->waiting;
        sched_heap_del(&own->waiting, &v->node);
    }
    int64_t avt = own_of(v)->avt, c = allowance(q, v), ahead = 0;
    if (own->waiting) ahead = own->waiting->key - avt;
    if (ahead < c / 32 - c) ahead = 0; /* it is there because it must */
    own->until = avt + ahead + c;
    if (!must && avt > own->svt && !(own->waiting && own->waiting->key < avt)) own->svt = avt;
    int64_t run = (int64_t)((__int128)ahead * v->weight / SCHED_WEIGHT_ONE) + q->rules->slice_ns;
    return (struct sched_choice){v, run > 0 ? run : 1};
}

static void set(struct sched_queue *q, struct sched_vcpu *v, uint32_t old_weight, int64_t now)
{
    (void)q, (void)v, (void)old_weight, (void)now; /* it counts from the next charge on */
}

const struct sched_class sched_bvt_class = {
    .name = "bvt",
    .about =
        "Borrowed virtual time: least virtual time first, a switch only when 5 ms behind the next; no warp",
    .weighted = true,
    .queue_bytes = sizeof(struct queue),
    .vcpu_bytes = sizeof(struct vcpu),
    .slice_ns = slice_ns,
    .wake = wake,
    .block = block,
    .charge = charge,
    .pick = pick,
    .back = back,
    .first = first,
    .set = set,
};
