// SPDX-License-Identifier: GPL-3.0-or-later
/* Xen's credit scheduler (credit1).
 *
 * Every 30 ms a pCPU hands out 30 ms of credit (Xen: 300 credits) among its active vCPUs by weight; running
 * costs credit. Three priorities, first come first served in each: OVER has no credit left, UNDER has,
 * BOOST has and has just woken; it preempts. A slice is 30 ms; a woken vCPU does not interrupt one that
 * has run for less than 1 ms (ratelimit). Boost ends with the first 10 ms tick, or when the vCPU comes
 * back to the queue. With `credit: {debit: tick}` whoever runs at a tick pays for 10 ms, as Xen does, and who
 * knows when the ticks are runs for nothing; else the time really run is paid.
 * A vCPU is active while it can run or has run since the last handing out; one that slept saves at
 * most 30 ms, and what it cannot save goes to the others with the next. Here credit is handed out by each
 * queue, in Xen by the whole host: weights hold exactly on one pCPU, on several as well as balancing makes
 * them. */
#include "policy/sched_class.h"

#define TICK_NS      INT64_C(10000000)
#define SLICE_NS     INT64_C(30000000)
#define RATELIMIT_NS INT64_C(1000000)
#define MOST_NS      SLICE_NS
#define LEAST_NS     (-8 * SLICE_NS)
#define TICKS        3

enum prio { BOOST, UNDER, OVER, N_PRIOS };

struct vcpu {
    int64_t credit_ns;
    enum prio prio;
    bool burned, slept;      /* since credit was last handed out */
    struct sched_vcpu *next; /* active vCPUs of a queue */
    struct sched_vcpu **link;
};

struct queue {
    struct sched_list waiting[N_PRIOS];
    struct sched_vcpu *active;
    int64_t ran_ns;  /* the current, since it was picked */
    int64_t rest_ns; /* not handed out yet */
    int ticks;
};

static int64_t slice_ns(uint32_t n_pcpus)
{
    (void)n_pcpus;
    return SLICE_NS;
}

static inline struct vcpu *own_of(const struct sched_vcpu *v)
{
    return sched_vcpu_own((struct sched_vcpu *)v);
}

static void activate(struct queue *own, struct sched_vcpu *v)
{
    struct vcpu *x = own_of(v);
    if (x->link) return;
    x->next = own->active;
    x->link = &own->active;
    if (x->next) own_of(x->next)->link = &x->next;
    own->active = v;
}

static void deactivate(struct sched_vcpu *v)
{
    struct vcpu *x = own_of(v);
    if (!x->link) return;
    *x->link = x->next;
    if (x->next) own_of(x->next)->link = x->link;
    x->link = NULL;
}

static enum prio by_credit(const struct vcpu *x)
{
    return x->credit_ns >= 0 ? UNDER : OVER;
}

static bool wake(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = own_of(v);
    (void)now;
    x->prio = by_credit(x);
    x->slept = x->slept || how == SCHED_HOW_SLEEP;
    if (how == SCHED_HOW_SLEEP && x->prio == UNDER) x->prio = BOOST;
    deactivate(v); /* it may have slept on another queue's list */
    activate(own, v);
    sched_list_add(&own->waiting[x->prio], v);
    return q->current && x->prio < own_of(q->current)->prio;
}

static void block(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    (void)now;
    if (v != q->current) sched_list_del(&own->waiting[own_of(v)->prio], v);
    if (how == SCHED_HOW_MOVE) deactivate(v);
}

static void pay(struct vcpu *x, int64_t cost_ns)
{
    x->credit_ns -= cost_ns;
    if (x->credit_ns < LEAST_NS) x->credit_ns = LEAST_NS;
    x->burned = true;
}

static void charge(struct sched_queue *q, struct sched_vcpu *v, int64_t ran_ns, int64_t weighted_ns,
                   int64_t now)
{
    struct queue *own = sched_queue_own(q);
    (void)weighted_ns, (void)now;
    own->ran_ns += ran_ns;
    if (!q->rules->debit_tick) pay(own_of(v), ran_ns);
}

static struct sched_choice pick(struct sched_queue *q, struct sched_vcpu *must, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct sched_vcpu *v = must;
    int64_t slice = q->rules->slice_ns, limit = RATELIMIT_NS < slice ? RATELIMIT_NS : slice;
    (void)now;
    if (q->current && !must && own->ran_ns < limit)
        return (struct sched_choice){q->current, limit - own->ran_ns};
    if (q->current) {
        own_of(q->current)->prio = by_credit(own_of(q->current));
        sched_list_add(&own->waiting[own_of(q->current)->prio], q->current);
    }
    for (int p = 0; !v; p++)
        v = own->waiting[p].first;
    sched_list_del(&own->waiting[own_of(v)->prio], v);
    own->ran_ns = 0;
    return (struct sched_choice){v, slice};
}

static void set(struct sched_queue *q, struct sched_vcpu *v, uint32_t old_weight, int64_t now)
{
    (void)q, (void)v, (void)old_weight, (void)now; /* it counts when credit is next handed out */
}

/* Its priority after its credit has changed; to the end of the new one's list if it waits. */
static void reorder(struct sched_queue *q, struct queue *own, struct sched_vcpu *v)
{
    struct vcpu *x = own_of(v);
    enum prio prio = by_credit(x);
    if (prio == x->prio || (x->prio == BOOST && prio == UNDER)) return;
    if (v->where == SCHED_QUEUED) {
        sched_list_del(&own->waiting[x->prio], v);
        sched_list_add(&own->waiting[prio], v);
    }
    if (v->where == SCHED_QUEUED || v == q->current) x->prio = prio;
}

static void hand_out(struct sched_queue *q, struct queue *own, int64_t now)
{
    uint64_t total = 0;
    for (struct sched_vcpu *v = own->active, *next; v; v = next) {
        struct vcpu *x = own_of(v);
        next = x->next;
        if (!x->burned && v->where != SCHED_QUEUED && v != q->current)
            deactivate(v);
        else
            total += v->weight;
    }
    int64_t pool = SLICE_NS + own->rest_ns, given = 0;
    for (struct sched_vcpu *v = own->active; v; v = own_of(v)->next) {
        struct vcpu *x = own_of(v);
        int64_t part = (int64_t)((uint64_t)pool * v->weight / total);
        /* The current has spent some that it was not charged for yet. */
        int64_t room = MOST_NS - x->credit_ns;
        if (v == q->current && !q->rules->debit_tick) room += sched_queue_ran(q, now);
        if (x->slept && part > room) part = room > 0 ? room : 0;
        x->credit_ns += part;
        x->burned = x->slept = false;
        given += part;
        reorder(q, own, v);
    }
    own->rest_ns = pool - given < SLICE_NS ? pool - given : SLICE_NS;
}

static void tick(struct sched_queue *q, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    (void)now;
    if (q->current) {
        struct vcpu *x = own_of(q->current);
        if (q->rules->debit_tick) pay(x, TICK_NS);
        if (x->prio == BOOST) x->prio = by_credit(x);
    }
    if (++own->ticks % TICKS == 0) hand_out(q, own, now);
}

const struct sched_class sched_credit_class = {
    .name = "credit",
    .about =
        "Xen's credit scheduler: 30 ms of credit by weight every 30 ms; who wakes with credit left preempts",
    .weighted = true,
    .queue_bytes = sizeof(struct queue),
    .vcpu_bytes = sizeof(struct vcpu),
    .tick_ns = TICK_NS,
    .slice_ns = slice_ns,
    .wake = wake,
    .block = block,
    .charge = charge,
    .pick = pick,
    .set = set,
    .tick = tick,
};
