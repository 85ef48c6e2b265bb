// SPDX-License-Identifier: GPL-3.0-or-later
/* Stride scheduling (Waldspurger and Weihl 1995): whoever has had the least time for its weight runs next.
 *
 * Each vCPU has a pass, which advances by ran/weight, exactly; the smallest pass is picked, of equals the
 * lowest index. Nobody is preempted. Who sleeps keeps its pass but not less than the queue's: no credit
 * is saved up by sleeping. Between two pCPUs a pass is carried as its lead over the queue's smallest. */
#include "policy/sched_class.h"

struct queue {
    struct sched_node *waiting; /* by pass */
    int64_t pass;               /* the smallest there has been */
};

struct vcpu {
    int64_t pass;
    int64_t lead; /* over its queue's pass when it left */
    uint32_t pcpu;
};

static int64_t slice_ns(uint32_t n_pcpus)
{
    (void)n_pcpus;
    return 10000000;
}

/* The queue's pass follows its smallest, and never goes back. */
static void advance(struct sched_queue *q, struct queue *own)
{
    const struct sched_node *first = own->waiting;
    int64_t least = first ? first->key : INT64_MAX;
    if (q->current) {
        const struct vcpu *c = sched_vcpu_own(q->current);
        if (c->pass < least) least = c->pass;
    }
    if (least != INT64_MAX && least > own->pass) own->pass = least;
}

static void wait(struct queue *own, struct sched_vcpu *v)
{
    v->node.key = ((struct vcpu *)sched_vcpu_own(v))->pass;
    sched_heap_add(&own->waiting, &v->node);
}

static bool wake(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = sched_vcpu_own(v);
    (void)how, (void)now;
    advance(q, own);
    if (x->pcpu != q->pcpu) x->pass = own->pass + x->lead;
    if (x->pass < own->pass) x->pass = own->pass;
    x->pcpu = q->pcpu;
    wait(own, v);
    return false;
}

static void block(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = sched_vcpu_own(v);
    (void)how, (void)now;
    advance(q, own);
    x->lead = x->pass - own->pass;
    if (v != q->current) sched_heap_del(&own->waiting, &v->node);
}

static void charge(struct sched_queue *q, struct sched_vcpu *v, int64_t ran_ns, int64_t weighted_ns,
                   int64_t now)
{
    (void)q, (void)ran_ns, (void)now;
    ((struct vcpu *)sched_vcpu_own(v))->pass += weighted_ns;
}

static void back(struct sched_queue *q)
{
    wait(sched_queue_own(q), q->current);
}

static struct sched_vcpu *first(struct sched_queue *q)
{
    return (struct sched_vcpu *)((struct queue *)sched_queue_own(q))->waiting;
}

static struct sched_choice pick(struct sched_queue *q, struct sched_vcpu *must, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    (void)now;
    if (q->current) back(q);
    struct sched_vcpu *v = must ? must : (struct sched_vcpu *)own->waiting;
    sched_heap_del(&own->waiting, &v->node);
    int64_t pass = ((struct vcpu *)sched_vcpu_own(v))->pass;
    if (!must && pass > own->pass) own->pass = pass;
    return (struct sched_choice){v, q->rules->slice_ns};
}

static void set(struct sched_queue *q, struct sched_vcpu *v, uint32_t old_weight, int64_t now)
{
    (void)q, (void)v, (void)old_weight, (void)now; /* it counts from the next charge on */
}

const struct sched_class sched_stride_class = {
    .name = "stride",
    .about = "Stride: whoever has had the least time for its weight runs next; exact shares",
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
