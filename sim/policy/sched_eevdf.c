// SPDX-License-Identifier: GPL-3.0-or-later
/* Earliest eligible virtual deadline first (Stoica and Abdel-Wahab 1995), Linux's scheduler since 6.6.
 *
 * Each vCPU has a virtual time v_i that advances by ran/weight; the queue's virtual time is their mean by
 * weight, V = sum(w_i v_i) / sum(w_i). A vCPU's lag is w_i (V - v_i): what it is owed. It asks for a slice q
 * with the virtual deadline v_i + q/w_i. Among those that are eligible, v_i <= V, the earliest deadline
 * runs, until its request is used up: who wakes does not interrupt a request (RUN_TO_PARITY). The slice
 * is 0.70 ms scaled by 1 + log2(min(cpus, 8)), or the host's `slice`; with a tick it ends on a tick.
 * Who sleeps keeps its lag, at most two slices of it.
 * Left out: group hierarchy, delayed dequeue, a slice of its own for each vCPU. */
#include "policy/sched_class.h"

#define SLICE_NS INT64_C(700000)

struct queue {
    struct sched_node *waiting; /* key: v_i, second: deadline */
    __int128 sum;               /* of w_i v_i over all here, the current too */
    int64_t total;              /* of w_i */
    int64_t mean;               /* V when the queue was last empty */
};

struct vcpu {
    int64_t vtime;
    int64_t deadline;
    int64_t lag; /* V - v_i when it left */
};

static int64_t slice_ns(uint32_t n_pcpus)
{
    return SLICE_NS * sched_cpu_scale(n_pcpus);
}

static inline struct vcpu *own_of(struct sched_vcpu *v)
{
    return sched_vcpu_own(v);
}

static int64_t mean(const struct queue *own)
{
    if (!own->total) return own->mean;
    __int128 m = own->sum / own->total;
    return (int64_t)(m - (own->sum < 0 && m * own->total != own->sum));
}

static bool eligible(const void *ctx, int64_t vtime)
{
    const struct queue *own = ctx;
    return (__int128)vtime * own->total <= own->sum;
}

static void add(struct queue *own, const struct sched_vcpu *v, int64_t vtime)
{
    own->sum += (__int128)vtime * v->weight;
    own->total += v->weight;
}

static void wait(struct queue *own, struct sched_vcpu *v)
{
    v->node.key = own_of(v)->vtime;
    v->node.second = own_of(v)->deadline;
    sched_tree_add(&own->waiting, &v->node);
}

/* The queue's virtual time with what the current has run and was not charged for. */
static int64_t mean_now(struct sched_queue *q, const struct queue *own, int64_t now)
{
    if (!q->current) return mean(own);
    struct queue at = *own;
    at.sum += (__int128)sched_weighted(q->current->weight, sched_queue_ran(q, now)) * q->current->weight;
    return mean(&at);
}

static bool wake(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = own_of(v);
    (void)how;
    x->vtime = mean_now(q, own, now);
    /* Its own coming moves V towards it by w/(W+w) of its lag: ask for that much more. */
    if (own->total) x->vtime -= (int64_t)((__int128)x->lag * (own->total + v->weight) / own->total);
    x->deadline = x->vtime + sched_weighted(v->weight, q->rules->slice_ns);
    add(own, v, x->vtime);
    wait(own, v);
    if (!q->current) return false;
    const struct vcpu *c = own_of(q->current);
    return c->vtime + sched_weighted(q->current->weight, sched_queue_ran(q, now)) >= c->deadline;
}

static void block(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = own_of(v);
    (void)how;
    int64_t most = 2 * q->rules->slice_ns > q->rules->tick_ns ? 2 * q->rules->slice_ns : q->rules->tick_ns;
    most = sched_weighted(v->weight, most);
    x->lag = mean_now(q, own, now) - x->vtime;
    if (x->lag > most) x->lag = most;
    if (x->lag < -most) x->lag = -most;
    if (v != q->current) sched_tree_del(&own->waiting, &v->node);
    if (own->total == v->weight) own->mean = x->vtime;
    own->sum -= (__int128)x->vtime * v->weight;
    own->total -= v->weight;
}

static void charge(struct sched_queue *q, struct sched_vcpu *v, int64_t ran_ns, int64_t weighted_ns,
                   int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = own_of(v);
    (void)ran_ns, (void)now;
    x->vtime += weighted_ns;
    own->sum += (__int128)weighted_ns * v->weight;
    /* A request of which a sliver is left, by rounding or by the clock's grain, is used up. */
    int64_t ask = sched_weighted(v->weight, q->rules->slice_ns);
    if (x->vtime >= x->deadline - ask / 32) x->deadline = x->vtime + ask;
}

static void back(struct sched_queue *q)
{
    wait(sched_queue_own(q), q->current);
}

/* Where several pCPUs share the queue all who are owed may be running. */
static struct sched_vcpu *first(struct sched_queue *q)
{
    const struct queue *own = sched_queue_own(q);
    struct sched_node *n = sched_tree_best(own->waiting, eligible, own);
    return (struct sched_vcpu *)(n || !q->shared ? n : sched_tree_first(own->waiting));
}

static struct sched_choice pick(struct sched_queue *q, struct sched_vcpu *must, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    (void)now;
    if (q->current) back(q);
    struct sched_vcpu *v = must ? must : first(q);
    sched_tree_del(&own->waiting, &v->node);
    int64_t left = own_of(v)->deadline - own_of(v)->vtime;
    if (v->weight != SCHED_WEIGHT_ONE)
        left = (int64_t)(((__int128)left * v->weight + SCHED_WEIGHT_ONE - 1) / SCHED_WEIGHT_ONE);
    return (struct sched_choice){v, left > 0 ? left : 1};
}

/* What it is owed in real time stays: its distance from V scales with 1/weight. */
static void set(struct sched_queue *q, struct sched_vcpu *v, uint32_t old_weight, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = own_of(v);
    (void)now;
    bool waits = v != q->current;
    int64_t at = mean(own);
    if (waits) sched_tree_del(&own->waiting, &v->node);
    own->sum -= (__int128)x->vtime * old_weight;
    own->total -= old_weight;
    x->vtime = at - (int64_t)((__int128)(at - x->vtime) * old_weight / v->weight);
    x->deadline = x->vtime + sched_weighted(v->weight, q->rules->slice_ns);
    add(own, v, x->vtime);
    if (waits) wait(own, v);
}

const struct sched_class sched_eevdf_class = {
    .name = "eevdf",
    .about = "Linux since 6.6: of those owed time, the earliest virtual deadline first",
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
