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

/* By how much those on q, v taken out or in, have had more weighted time on average than v. */
static int64_t ahead_of(const struct sched_queue *q, const struct sched_vcpu *v, uint64_t n)
{
    return n ? (int64_t)(q->served_ns - heads(q) * v->served_ns) / (int64_t)n : 0;
}

/* Whether v should move to the queue `to`; `turns`: also to take turns. */
static bool gains(const struct sched *s, const struct sched_vcpu *v, const struct sched_queue *to, bool turns)
{
    const struct sched_queue *from = queue_at(s, v->pcpu);
    uint64_t w = load_of(s, v);
    if (from == to || heads(from) < 2) return false;
    if (to->load + w < from->load) return true;
    if (to->load + w > from->load || !turns) return false;
    if (heads(to) == 0) return true;
    /* Both means are over the queues as they would be afterwards, relative to v's own time. */
    return ahead_of(from, v, heads(from) - 1) < ahead_of(to, v, heads(to) + 1);
}

/* The better of two that may move: the one from the queue of more load. */
static struct sched_vcpu *better(const struct sched *s, struct sched_vcpu *a, struct sched_vcpu *b)
{
    return !a || queue_at(s, b->pcpu)->load > queue_at(s, a->pcpu)->load ? b : a;
}

static struct sched_vcpu *candidate(const struct sched *s, const struct sched_queue *to, bool turns)
{
    struct sched_vcpu *found = NULL;
    const uint64_t *allows = s->allows + (size_t)to->pcpu * s->pinset_words;
    for (uint32_t w = 0; w < s->pinset_words; w++)
        for (uint64_t m = allows[w] & s->pinset_waiting[w]; m; m &= m - 1) {
            const struct sched_pinset *set = &s->pinsets[w * 64 + (uint32_t)__builtin_ctzll(m)];
            int n = 0;
            for (struct sched_vcpu *v = set->newest; v && n < LOOK; v = v->older, n++)
                if (gains(s, v, to, turns)) found = better(s, found, v);
            n = 0;
            for (struct sched_vcpu *v = set->oldest; v && n < LOOK; v = v->newer, n++)
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

static struct sched_queue *least_loaded(const struct sched *s)
{
    struct sched_queue *best = queue_at(s, 0);
    for (uint32_t p = 1; p < s->n_pcpus; p++)
        if (queue_at(s, p)->load < best->load) best = queue_at(s, p);
    return best;
}

void sched_balance_tick(struct sched *s, int64_t now)
{
    sched_balance_arm(s, now);
    if (s->has_reservations) sched_reserve_spread(s, now);
    for (int i = 0; i < TIMES && pull(s, least_loaded(s), i == 0, now); i++) {
    }
    s->balance_turn = (s->balance_turn + 1) % s->n_pcpus;
    pull(s, queue_at(s, s->balance_turn), false, now);
}
