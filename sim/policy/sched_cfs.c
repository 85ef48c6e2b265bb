// SPDX-License-Identifier: GPL-3.0-or-later
/* Linux's Completely Fair Scheduler, as it was from 2.6.23 to 6.5.
 *
 * Each vCPU has a virtual runtime that advances by ran/weight; the smallest runs next. A slice is its part
 * by weight of a period in which everybody runs once: 8 granules, or one for each where there are more
 * than 8. A granule is 0.75 ms (the host's `slice` where it is stated), all scaled by 1 + log2(min(cpus, 8)).
 * Who wakes is placed half a period before the queue's smallest, at most, and preempts whoever is ahead
 * of it by more than the wake-up granularity, 1 ms scaled.
 * Left out: group hierarchy, buddies (LAST, NEXT), the tick's early preemption inside a slice. */
#include "policy/sched_class.h"

#define GRANULE_NS      INT64_C(750000)
#define WAKE_NS         INT64_C(1000000)
#define PERIOD_GRANULES 8

struct queue {
    struct sched_node *waiting; /* by virtual runtime */
    int64_t least;              /* virtual runtime, never goes back */
    uint64_t load;              /* weights of all here, the current too */
};

struct vcpu {
    int64_t vtime;
    int64_t lead; /* over its queue's least when it left; negative: behind */
    uint32_t pcpu;
};

static int64_t slice_ns(uint32_t n_pcpus)
{
    return GRANULE_NS * sched_cpu_scale(n_pcpus);
}

static inline struct vcpu *own_of(struct sched_vcpu *v)
{
    return sched_vcpu_own(v);
}

static int64_t current_vtime(struct sched_queue *q, int64_t now)
{
    return own_of(q->current)->vtime + sched_weighted(q->current->weight, sched_queue_ran(q, now));
}

static void advance(struct sched_queue *q, struct queue *own, int64_t now)
{
    const struct sched_node *first = own->waiting;
    int64_t least = first ? first->key : INT64_MAX;
    if (q->current) {
        int64_t c = current_vtime(q, now);
        if (c < least) least = c;
    }
    if (least != INT64_MAX && least > own->least) own->least = least;
}

static void wait(struct queue *own, struct sched_vcpu *v)
{
    v->node.key = own_of(v)->vtime;
    sched_heap_add(&own->waiting, &v->node);
}

static bool wake(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = own_of(v);
    advance(q, own, now);
    if (how == SCHED_HOW_MOVE || x->pcpu != q->pcpu) x->vtime = own->least + x->lead;
    if (how != SCHED_HOW_MOVE) {
        int64_t bonus = how == SCHED_HOW_SLEEP ? PERIOD_GRANULES / 2 * q->rules->slice_ns : 0;
        if (x->vtime < own->least - bonus) x->vtime = own->least - bonus;
    }
    x->pcpu = q->pcpu;
    own->load += v->weight;
    wait(own, v);
    int64_t grain = sched_weighted(v->weight, WAKE_NS * sched_cpu_scale(q->rules->n_pcpus));
    return q->current && current_vtime(q, now) - x->vtime > grain;
}

static void block(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    (void)how;
    advance(q, own, now);
    own_of(v)->lead = own_of(v)->vtime - own->least;
    own->load -= v->weight;
    if (v != q->current) sched_heap_del(&own->waiting, &v->node);
}

static void charge(struct sched_queue *q, struct sched_vcpu *v, int64_t ran_ns, int64_t weighted_ns,
                   int64_t now)
{
    (void)q, (void)ran_ns, (void)now;
    own_of(v)->vtime += weighted_ns;
}

static int64_t slice_of(const struct sched_queue *q, const struct queue *own, const struct sched_vcpu *v)
{
    int64_t n = (int64_t)q->n_waiting + (q->current != NULL), granule = q->rules->slice_ns;
    int64_t period = granule * (n > PERIOD_GRANULES ? n : PERIOD_GRANULES);
    if (v->weight == own->load) return period;
    int64_t slice = (int64_t)((__int128)period * v->weight / (__int128)own->load);
    return slice > granule ? slice : granule;
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
    if (!must && own_of(v)->vtime > own->least) own->least = own_of(v)->vtime;
    return (struct sched_choice){v, slice_of(q, own, v)};
}

static void set(struct sched_queue *q, struct sched_vcpu *v, uint32_t old_weight, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    (void)now;
    own->load += (uint64_t)v->weight - old_weight;
}

const struct sched_class sched_cfs_class = {
    .name = "cfs",
    .about = "Linux's Completely Fair Scheduler (to 6.5): least virtual runtime first, wake-up preemption",
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
