// SPDX-License-Identifier: GPL-3.0-or-later
/* Xen's credit scheduler (credit1).
 *
 * Every 30 ms a pCPU hands out 30 ms of credit (Xen: 300 credits) among its active vCPUs by weight; running
 * costs credit. Three priorities, first come first served in each: OVER has no credit left, UNDER has,
 * BOOST has and has just woken; it preempts. A slice is 30 ms; a woken vCPU does not interrupt one that
 * has run for less than 1 ms (ratelimit). Boost ends with the first 10 ms tick, or when the vCPU comes
 * back to the queue. With `credit: {debit: tick}` whoever runs at a tick pays for 10 ms, as Xen does, and who
 * knows when the ticks are runs for nothing; else the time really run is paid.
 * A vCPU is active while it can run or has run since the last handing out; a sleeper saves at most 30 ms,
 * and what it cannot save goes to the others with the next. Here credit is handed out by each queue, in
 * Xen by the whole host: weights hold exactly on one pCPU, on several as well as balancing makes them.
 *
 * Handing out takes a step, not one for each vCPU: the queue keeps the income of a unit of weight so far, and
 * a vCPU adds up its own when it is looked at. Those that wait OVER stand in a heap besides, by the income
 * at which they will be UNDER. */
#include "policy/sched_class.h"

#define TICK_NS      INT64_C(10000000)
#define SLICE_NS     INT64_C(30000000)
#define RATELIMIT_NS INT64_C(1000000)
#define MOST_NS      SLICE_NS
#define LEAST_NS     (-8 * SLICE_NS)
#define TICKS        3
#define ONE          65536 /* income is in ns a unit of weight, times this */
#define LEAST_TOTAL  1024  /* of weights; keeps income far from overflow */

enum prio { BOOST, UNDER, OVER, N_PRIOS };

struct vcpu {
    struct sched_node back; /* in queue.back while it waits OVER */
    int64_t credit_ns;      /* with income up to mark */
    int64_t mark;
    struct queue *home; /* that it is active in; NULL: inactive */
    uint32_t weight;    /* counted in home->total */
    enum prio prio;
    uint64_t ran_round; /* when it last ran */
    struct vcpu *next;  /* active sleepers of a queue */
    struct vcpu **link; /* NULL: not among them */
};

struct queue {
    struct sched_list waiting[N_PRIOS];
    struct sched_node *back;
    struct vcpu *asleep;
    int64_t income, income_rest;
    int64_t total;   /* weights of the active */
    int64_t rest_ns; /* what sleepers could not save */
    int64_t paid_ns; /* since the last handing out */
    uint64_t round;  /* handings out */
    int64_t ran_ns;  /* the current, since it was picked */
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

/* Adds up its income. */
static void settle(struct vcpu *x)
{
    if (!x->home) return;
    x->credit_ns += (int64_t)((__int128)(x->home->income - x->mark) * x->weight / ONE);
    x->mark = x->home->income;
    if (x->credit_ns < LEAST_NS) x->credit_ns = LEAST_NS;
}

/* A sleeper's income beyond what it may save goes back. */
static void cap(struct vcpu *x)
{
    if (!x->home || x->credit_ns <= MOST_NS) return;
    x->home->rest_ns += x->credit_ns - MOST_NS;
    x->credit_ns = MOST_NS;
}

static void activate(struct queue *own, struct vcpu *x, uint32_t weight)
{
    x->home = own;
    x->mark = own->income;
    x->weight = weight;
    own->total += weight;
}

static void deactivate(struct vcpu *x)
{
    if (!x->home) return;
    settle(x);
    x->home->total -= x->weight;
    x->home = NULL;
}

static void fall_asleep(struct queue *own, struct vcpu *x)
{
    x->next = own->asleep;
    x->link = &own->asleep;
    if (x->next) x->next->link = &x->next;
    own->asleep = x;
}

static void rouse(struct vcpu *x)
{
    if (!x->link) return;
    *x->link = x->next;
    if (x->next) x->next->link = x->link;
    x->link = NULL;
}

static enum prio by_credit(const struct vcpu *x)
{
    return x->credit_ns >= 0 ? UNDER : OVER;
}

static void queue_add(struct queue *own, struct sched_vcpu *v, enum prio prio)
{
    struct vcpu *x = own_of(v);
    x->prio = prio;
    sched_list_add(&own->waiting[prio], v);
    if (prio != OVER) return;
    x->back.id = v->id;
    x->back.key = x->mark + (-x->credit_ns * ONE + x->weight - 1) / x->weight;
    sched_heap_add(&own->back, &x->back);
}

static void queue_del(struct queue *own, struct sched_vcpu *v)
{
    struct vcpu *x = own_of(v);
    sched_list_del(&own->waiting[x->prio], v);
    if (x->prio == OVER) sched_heap_del(&own->back, &x->back);
}

static bool wake(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = own_of(v);
    (void)now;
    rouse(x);
    settle(x);
    if (how != SCHED_HOW_MOVE) cap(x);
    deactivate(x); /* it may have slept elsewhere, or with another weight */
    activate(own, x, v->weight);
    queue_add(own, v, how == SCHED_HOW_SLEEP && by_credit(x) == UNDER ? BOOST : by_credit(x));
    return q->current && x->prio < own_of(q->current)->prio;
}

static void block(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = own_of(v);
    (void)now;
    if (v != q->current) queue_del(own, v);
    settle(x);
    if (how == SCHED_HOW_MOVE) {
        deactivate(x);
    } else {
        cap(x);
        fall_asleep(own, x);
    }
}

/* What it saved or owes goes to those that stay, by weight: else who often come, run and leave would not have
 * paid, and the credit of the others would not be worth anything. */
static void leave(struct sched_vcpu *v)
{
    struct vcpu *x = own_of(v);
    struct queue *own = x->home;
    rouse(x);
    deactivate(x);
    if (!own || !own->total) return;
    int64_t total = own->total > LEAST_TOTAL ? own->total : LEAST_TOTAL;
    int64_t sum = x->credit_ns * ONE + own->income_rest;
    own->income += sum / total;
    own->income_rest = sum % total;
}

static void pay(struct queue *own, struct vcpu *x, int64_t cost_ns)
{
    x->credit_ns -= cost_ns;
    own->paid_ns += cost_ns;
    x->ran_round = own->round;
}

static void charge(struct sched_queue *q, struct sched_vcpu *v, int64_t ran_ns, int64_t weighted_ns,
                   int64_t now)
{
    struct queue *own = sched_queue_own(q);
    (void)weighted_ns, (void)now;
    own->ran_ns += ran_ns;
    if (!q->rules->debit_tick || q->shared) pay(own, own_of(v), ran_ns);
}

static void back(struct sched_queue *q)
{
    settle(own_of(q->current));
    queue_add(sched_queue_own(q), q->current, by_credit(own_of(q->current)));
}

static struct sched_vcpu *first(struct sched_queue *q)
{
    const struct queue *own = sched_queue_own(q);
    int p = 0;
    while (!own->waiting[p].first)
        p++;
    return own->waiting[p].first;
}

static struct sched_choice pick(struct sched_queue *q, struct sched_vcpu *must, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    int64_t slice = q->rules->slice_ns, limit = RATELIMIT_NS < slice ? RATELIMIT_NS : slice;
    (void)now;
    if (q->current && !must && own->ran_ns < limit)
        return (struct sched_choice){q->current, limit - own->ran_ns};
    if (q->current) back(q);
    struct sched_vcpu *v = must ? must : first(q);
    queue_del(own, v);
    own->ran_ns = 0;
    return (struct sched_choice){v, slice};
}

static void set(struct sched_queue *q, struct sched_vcpu *v, uint32_t old_weight, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    struct vcpu *x = own_of(v);
    enum prio prio = x->prio;
    (void)old_weight, (void)now;
    if (v != q->current) queue_del(own, v);
    deactivate(x);
    activate(own, x, v->weight);
    if (v != q->current) queue_add(own, v, prio == BOOST ? BOOST : by_credit(x));
}

/* Sleepers: nobody sees to their limit but here; one that has not run since the last time is inactive. */
static void visit_sleepers(struct queue *own)
{
    for (struct vcpu *x = own->asleep, *next; x; x = next) {
        next = x->next;
        settle(x);
        cap(x);
        if (x->ran_round + 1 >= own->round) continue;
        rouse(x);
        deactivate(x);
    }
}

static void hand_out(struct sched_queue *q, struct queue *own)
{
    /* A queue of several pCPUs gives what they really ran: gangs leave some of it idle. */
    int64_t slices = q->shared ? own->paid_ns : SLICE_NS;
    int64_t pool = slices + (own->rest_ns < SLICE_NS ? own->rest_ns : SLICE_NS);
    int64_t total = own->total > LEAST_TOTAL ? own->total : LEAST_TOTAL, sum = pool * ONE + own->income_rest;
    own->rest_ns = own->paid_ns = 0;
    own->income += sum / total;
    own->income_rest = sum % total;
    own->round++;
    visit_sleepers(own);
    while (own->back && own->back->key <= own->income) {
        struct vcpu *x = (struct vcpu *)own->back;
        struct sched_vcpu *v = sched_vcpu_of(x);
        queue_del(own, v);
        settle(x);
        queue_add(own, v, UNDER);
    }
    if (!q->current) return;
    struct vcpu *x = own_of(q->current);
    settle(x);
    if (x->prio != BOOST) x->prio = by_credit(x);
}

static void tick(struct sched_queue *q, int64_t now)
{
    struct queue *own = sched_queue_own(q);
    (void)now;
    if (q->current) {
        struct vcpu *x = own_of(q->current);
        if (q->rules->debit_tick && !q->shared) pay(own, x, TICK_NS);
        if (x->prio == BOOST) x->prio = by_credit(x);
    }
    if (++own->ticks % TICKS == 0) hand_out(q, own);
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
    .back = back,
    .first = first,
    .set = set,
    .leave = leave,
    .tick = tick,
};
