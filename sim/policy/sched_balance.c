// SPDX-License-Identifier: GPL-3.0-or-later
/* Periodic balancing: evens out the queues' loads and, where they cannot be even, takes turns.
 *
 * Load is the sum of the weights of who waits or runs (or their number, where the policy ignores weights).
 * A waiting vCPU moves from the queue of most load to that of least when this lowers the larger of the
 * two. When it would only mirror the imbalance (three equal vCPUs on two pCPUs), who is left alone
 * gains, so it moves if those it leaves have had less weighted time so far than those it joins: over
 * many periods all have had the same. Each period looks at the least loaded pCPU and at one more, in
 * turn, and at no more than LOOK waiting vCPUs from either end of each pin set's list. */
#include "policy/sched_frame.h"

enum { LOOK = 32, TIMES = 4 };

void sched_balance_arm(struct sched *s, int64_t now)
{
    s->balance_at_ns = (now / s->balance_every_ns + 1) * s->balance_every_ns;
}

static uint64_t heads(const struct sched_queue *q)
{
    return q->n_waiting + (q->current != NULL);
}

/* The sum over q of what its vCPUs have had more than v. */
static int64_t ahead(const struct sched_queue *q, const struct sched_vcpu *v)
{
    return (int64_t)(q->served_ns - heads(q) * v->served_ns);
}

/* Whether, v moved, those on the fuller queue would have had more than the others by a wider margin than
 * now. Then it is they who should wait longer for a while. */
static bool fairer(const struct sched_vcpu *v, const struct sched_queue *from, const struct sched_queue *to)
{
    int64_t n = (int64_t)heads(from), k = (int64_t)heads(to), all = ahead(from, v), there = ahead(to, v);
    if (all > 0) return false; /* who has had less than the others here is not sent to wait elsewhere */
    return there / (k + 1) - all / (n - 1) > all / n - there / k;
}

/* Whether v should move to the queue `to`; `turns`: also to take turns. */
static bool gains(const struct sched *s, const struct sched_vcpu *v, const struct sched_queue *to, bool turns)
{
    const struct sched_queue *from = queue_at(s, v->pcpu);
    uint64_t w = load_of(s, v);
    if (from == to || heads(from) < 2) return false;
    if (!sched_reserve_fits(to, v) || (s->has_apart && sched_place_meets(s, v, to->pcpu))) return false;
    if (to->load + w < from->load) return true;
    if (to->load + w > from->load || !turns) return false;
    if (heads(to) == 0) return true;
    return fairer(v, from, to);
}

/* The better of two that may move: from the queue of more load, then the one that has had more. */
static struct sched_vcpu *better(const struct sched *s, struct sched_vcpu *a, struct sched_vcpu *b)
{
    if (!a) return b;
    uint64_t of_a = queue_at(s, a->pcpu)->load, of_b = queue_at(s, b->pcpu)->load;
    if (of_a != of_b) return of_b > of_a ? b : a;
    return (int64_t)(b->served_ns - a->served_ns) > 0 ? b : a;
}

static struct sched_vcpu *candidate(const struct sched *s, const struct sched_queue *to, bool turns)
{
    struct sched_vcpu *found = NULL;
    const uint64_t *allows = s->allows + (size_t)to->pcpu * s->pinset_words;
    for (uint32_t w = 0; w < s->pinset_words; w++)
        for (uint64_t m = allows[w] & s->pinset_waiting[w]; m; m &= m - 1) {
            const struct sched_pinset *set = &s->pinsets[w * 64 + (uint32_t)__builtin_ctzll(m)];
            int n = 0;
            struct sched_vcpu *v = set->newest;
            for (; v && n < LOOK; v = v->older, n++)
                if (gains(s, v, to, turns)) found = better(s, found, v);
            if (!v) continue;
            for (n = 0, v = set->oldest; v && n < LOOK; v = v->newer, n++)
                if (gains(s, v, to, turns)) found = better(s, found, v);
        }
    return found;
}

static bool pull(struct sched *s, struct sched_queue *to, bool turns, int64_t now)
{
    struct sched_vcpu *v = candidate(s, to, turns);
    if (!v) return false;
    sched_place_leave(s, v, SCHED_HOW_MOVE, now);
    sched_place_join(s, to->pcpu, v, SCHED_HOW_MOVE, now);
    return true;
}

static uint64_t mean(const struct sched_queue *q)
{
    return q->served_ns / heads(q);
}

/* Of several, the one whose vCPUs have had the most. */
static struct sched_queue *least_loaded(const struct sched *s)
{
    struct sched_queue *best = queue_at(s, 0);
    for (uint32_t p = 1; p < s->n_pcpus; p++) {
        struct sched_queue *q = queue_at(s, p);
        if (q->load < best->load || (q->load == best->load && heads(q) && mean(q) > mean(best))) best = q;
    }
    return best;
}

static bool even(const struct sched *s)
{
    uint64_t load = queue_at(s, 0)->load;
    for (uint32_t p = 1; p < s->n_pcpus; p++)
        if (queue_at(s, p)->load != load) return false;
    return true;
}

void sched_balance_tick(struct sched *s, int64_t now)
{
    sched_balance_arm(s, now);
    if (s->has_reservations) sched_reserve_spread(s, now);
    if (even(s)) return;
    int moved = 0;
    while (moved < TIMES && pull(s, least_loaded(s), moved == 0, now))
        moved++;
    s->balance_turn = (s->balance_turn + 1) % s->n_pcpus;
    pull(s, queue_at(s, s->balance_turn), moved == 0, now);
}
