// SPDX-License-Identifier: GPL-3.0-or-later
/* Round robin: a circle and a slice. Weights do not count and nobody is preempted: a vCPU that wakes
 * goes to the end of the circle.
 *
 * N that never sleep, slice q, switch cost c: each gets 1/N of q/(q+c), and waits (N-1)(q+c)+c. */
#include "policy/sched_class.h"

static int64_t slice_ns(uint32_t n_pcpus)
{
    (void)n_pcpus;
    return 10000000;
}

static bool wake(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    (void)how, (void)now;
    sched_list_add(sched_queue_own(q), v);
    return false;
}

static void block(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    (void)how, (void)now;
    if (v != q->current) sched_list_del(sched_queue_own(q), v);
}

static void back(struct sched_queue *q)
{
    sched_list_add(sched_queue_own(q), q->current);
}

static struct sched_vcpu *first(struct sched_queue *q)
{
    return ((struct sched_list *)sched_queue_own(q))->first;
}

static struct sched_choice pick(struct sched_queue *q, struct sched_vcpu *must, int64_t now)
{
    struct sched_list *circle = sched_queue_own(q);
    (void)now;
    if (q->current) back(q);
    struct sched_vcpu *v = must ? must : circle->first;
    sched_list_del(circle, v);
    return (struct sched_choice){v, q->rules->slice_ns};
}

const struct sched_class sched_rr_class = {
    .name = "rr",
    .about = "Round robin: everybody in turn, a slice each; ignores weights",
    .queue_bytes = sizeof(struct sched_list),
    .slice_ns = slice_ns,
    .wake = wake,
    .block = block,
    .pick = pick,
    .back = back,
    .first = first,
};
