// SPDX-License-Identifier: GPL-3.0-or-later
/* Strict co-scheduling (Ousterhout 1982; VMware ESX 2): of a gang all members that can run do, or none does.
 *
 * A host with a strict gang has one queue for all its pCPUs (one for each set of pins, where there are
 * several), ordered by the policy as ever. What waits there is a unit: a gang, which its VM's first vCPU
 * stands for, with the VM's whole weight and charged what all its members ran; or any other vCPU. The first
 * in line begins its turn as soon as as many of its pCPUs are free at once as it has members that can run.
 * Until then those that are free stay idle for it, and nobody behind it goes first: nobody starves, and a
 * gang of k among singles leaves idle what does not divide (fragmentation). Who is first is the policy's word
 * each time: a single that has run and had less for its weight than the gang goes before it again. A turn is
 * one slice of the policy's and ends for all members with the first of them that is to stop: slice over,
 * preempted, late or not.
 *
 * A member that blocks leaves its pCPU to the gang until the turn is over, and comes back to it if it wakes;
 * one that wakes and finds no pCPU kept or free ends the turn, and the gang waits for one more. The members
 * of a gang that is first in line are SCHED_COSTOPPED, as many as pCPUs are held for it, the others
 * SCHED_QUEUED.
 *
 * Between queues of different pins the one that has run the least for its load goes first (a stride over
 * queues). Weights hold within a queue: as each class keeps them, plus the k slices that a gang of k is
 * charged at a time. Who wakes and should preempt, as its class has it, does so where it last ran, if no pCPU
 * is free; a reservation goes first in line but interrupts nobody. credit hands out what was run instead of a
 * slice a pCPU, and pays the time run even where ticks are sampled.
 *
 * The policy is behind `wrap`, a class that charges nobody, so that the way of a slice on other hosts has no
 * word of this. A change of turns takes O(pCPUs + sets of pins x pCPUs / 64). */
#include "policy/sched_frame.h"

enum unit_state { UNIT_OUT, UNIT_WAITING, UNIT_ON };

enum { PCPU_WORDS = SCHED_MAX_PCPUS / 64 };

static bool strict(const struct sched *s, const struct sched_vcpu *v)
{
    return vm_of(s, v)->cosched == SCHED_COSCHED_STRICT;
}

static uint32_t unit_of(const struct sched *s, const struct sched_vcpu *v)
{
    return strict(s, v) ? vm_of(s, v)->first_vcpu : v->id;
}

static uint32_t n_members(const struct sched *s, uint32_t u)
{
    const struct sched_vcpu *v = vcpu_at(s, u);
    return strict(s, v) ? vm_of(s, v)->n_vcpus : 1;
}

static bool is_ready(const struct sched *s, const struct sched_vcpu *v)
{
    return v->where == SCHED_QUEUED || v->where == SCHED_RUNNING ||
           (v->where == SCHED_COSTOPPED && !is_stopped(s, v));
}

static struct sched_queue *pool_of(const struct sched *s, uint32_t u)
{
    return pool_at(s, vcpu_at(s, u)->pinset);
}

static struct gang_line *line_of(const struct sched *s, uint32_t u)
{
    return &s->gang.lines[vcpu_at(s, u)->pinset];
}

/* --- units in their queue --- */

static void pool_wait(struct sched *s, uint32_t u)
{
    s->gang.units[u].state = UNIT_WAITING;
    pool_of(s, u)->n_waiting++;
    s->gang.n_waiting++;
    if (s->has_reservations) sched_reserve_wait(s, pool_of(s, u), vcpu_at(s, u));
}

static void pool_unwait(struct sched *s, uint32_t u)
{
    pool_of(s, u)->n_waiting--;
    s->gang.n_waiting--;
    sched_reserve_unwait(pool_of(s, u), vcpu_at(s, u));
}

/* A pCPU whose turn is nobody's, that v may use. */
static uint32_t free_seat(const struct sched *s, const struct sched_vcpu *v)
{
    if (v->pcpu != SCHED_NONE && s->gang.seats[v->pcpu].unit == SCHED_NONE) return v->pcpu;
    for (uint32_t p = 0; p < s->n_pcpus; p++)
        if (s->gang.seats[p].unit == SCHED_NONE && may_run(s, v, p)) return p;
    return SCHED_NONE;
}

static void ask_free(struct sched *s)
{
    for (uint32_t p = 0; p < s->n_pcpus; p++)
        if (s->gang.seats[p].unit == SCHED_NONE) {
            ask_resched(s, p);
            return;
        }
}

/* A queue that was empty has no claim on what the others ran meanwhile. */
static void line_enter(struct sched *s, struct gang_line *line, uint64_t load)
{
    int64_t least = INT64_MAX;
    for (uint32_t i = 0; i < s->n_pinsets && !line->n_units; i++)
        if (s->gang.lines[i].n_units && s->gang.lines[i].pass < least) least = s->gang.lines[i].pass;
    if (least != INT64_MAX && line->pass < least) line->pass = least;
    line->n_units++;
    line->load += load;
}

static uint64_t load(const struct sched *s, const struct sched_vcpu *v)
{
    return s->gang.cls->weighted ? v->weight : SCHED_WEIGHT_ONE;
}

/* Who would be interrupted for u: the unit where it last ran. NULL: a pCPU is free, or it is of another
 * queue. */
static struct sched_queue *rival(const struct sched *s, const struct sched_vcpu *v)
{
    if (v->pcpu == SCHED_NONE || free_seat(s, v) != SCHED_NONE) return NULL;
    uint32_t u = s->gang.seats[v->pcpu].unit;
    return u != SCHED_NONE && vcpu_at(s, u)->pinset == v->pinset ? queue_at(s, v->pcpu) : NULL;
}

static void enter(struct sched *s, uint32_t u, enum sched_how how, int64_t now)
{
    struct sched_vcpu *v = vcpu_at(s, u);
    struct sched_queue *pool = pool_of(s, u), *at = rival(s, v);
    v->weight = vm_of(s, v)->share;
    line_enter(s, line_of(s, u), load(s, v));
    pool_wait(s, u);
    pool->current = at ? vcpu_at(s, s->gang.seats[at->pcpu].unit) : NULL;
    pool->since_ns = at ? at->since_ns : now;
    bool preempt = s->gang.cls->wake(pool, v, how, now);
    if (at && preempt) {
        at->preempt = true;
        ask_resched(s, at->pcpu);
    }
    pool->current = NULL;
}

/* For the policy it is the current, whatever others run beside it. */
static struct sched_queue *speak_of(struct sched *s, uint32_t u, int64_t now)
{
    struct sched_queue *pool = pool_of(s, u);
    pool->current = s->gang.units[u].state == UNIT_WAITING ? NULL : vcpu_at(s, u);
    pool->since_ns = now;
    return pool;
}

static void pay(struct sched *s, uint32_t u, int64_t ran_ns, int64_t now)
{
    struct sched_vcpu *v = vcpu_at(s, u);
    struct gang_line *line = line_of(s, u);
    if (line->load) line->pass += (int64_t)((__int128)ran_ns * SCHED_WEIGHT_ONE / (__int128)line->load);
    if (!s->gang.cls->charge || s->gang.units[u].state == UNIT_OUT || ran_ns == 0) return;
    struct sched_queue *pool = speak_of(s, u, now);
    s->gang.cls->charge(pool, v, ran_ns, s->gang.cls->weighted ? weigh(v, ran_ns) : ran_ns, now);
    pool->current = NULL;
}

static void free_seats(struct sched *s, uint32_t u)
{
    for (uint32_t p = 0; p < s->n_pcpus; p++) {
        struct gang_seat *seat = &s->gang.seats[p];
        if (seat->unit != u) continue;
        *seat = (struct gang_seat){.unit = SCHED_NONE};
        if (queue_at(s, p)->current) ask_resched(s, p);
    }
}

/* Back among the waiting. What its members have run and their pCPUs have not said yet is paid in advance, or
 * the policy would see it too far ahead. */
static void turn_over(struct sched *s, uint32_t u, int64_t now)
{
    int64_t unsaid = 0;
    for (uint32_t p = 0; p < s->n_pcpus; p++) {
        const struct sched_queue *q = queue_at(s, p);
        if (q->current && s->gang.seats[p].unit == u && !s->gang.seats[p].fresh)
            unsaid += sched_queue_ran(q, now);
    }
    pay(s, u, unsaid, now);
    s->gang.units[u].prepaid_ns += unsaid;
    struct sched_queue *pool = speak_of(s, u, now);
    s->gang.cls->back(pool);
    pool->current = NULL;
    pool_wait(s, u);
    free_seats(s, u);
}

/* None of its members can run any more. */
static void drop(struct sched *s, uint32_t u, enum sched_how how, int64_t now)
{
    struct gang_unit *x = &s->gang.units[u];
    struct gang_line *line = line_of(s, u);
    struct sched_queue *pool = speak_of(s, u, now);
    s->gang.cls->block(pool, vcpu_at(s, u), how, now);
    pool->current = NULL;
    if (x->state == UNIT_WAITING) pool_unwait(s, u);
    if (line->held == u) line->held = SCHED_NONE;
    if (x->state == UNIT_ON) free_seats(s, u);
    x->state = UNIT_OUT;
    line->n_units--;
    line->load -= load(s, vcpu_at(s, u));
}

/* --- turns --- */

static void seat(struct sched *s, uint32_t u, struct sched_vcpu *v, uint32_t p)
{
    s->gang.seats[p] = (struct gang_seat){.unit = u, .member = v, .fresh = true};
    v->pcpu = p;
    if (v->where == SCHED_COSTOPPED) {
        v->where = SCHED_QUEUED;
        tell_changed(s, v);
    }
    ask_resched(s, p);
}

/* Those that could go on are co-stopped: n of its members that wait. */
static void hold(struct sched *s, uint32_t u, uint32_t n)
{
    for (uint32_t i = 0; i < n_members(s, u); i++) {
        struct sched_vcpu *v = vcpu_at(s, u + i);
        if (!is_ready(s, v) || v->where == SCHED_RUNNING) continue;
        uint8_t where = n ? SCHED_COSTOPPED : SCHED_QUEUED;
        n -= n > 0;
        if (v->where != where) tell_changed(s, v);
        v->where = where;
    }
}

static uint32_t take_lowest(uint64_t *set)
{
    uint32_t w = 0;
    while (!set[w])
        w++;
    uint32_t p = w * 64 + (uint32_t)__builtin_ctzll(set[w]);
    set[w] &= set[w] - 1;
    return p;
}

static void seat_all(struct sched *s, uint32_t u, uint64_t *own)
{
    enum {
        STAYS,
        RETURNS,
        ANYWHERE
    }; /* who is still on its pCPU goes on there, whoever else was there last */
    uint32_t n = n_members(s, u);
    for (int round = STAYS; round <= ANYWHERE; round++)
        for (uint32_t i = 0; i < n; i++) {
            struct sched_vcpu *v = vcpu_at(s, u + i);
            if (!is_ready(s, v) || (v->pcpu != SCHED_NONE && s->gang.seats[v->pcpu].member == v)) continue;
            bool there = v->pcpu != SCHED_NONE && own[WORD(v->pcpu)] & BIT(v->pcpu);
            if (round == STAYS ? v->where != SCHED_RUNNING : round == RETURNS && !there) continue;
            uint32_t p = round == ANYWHERE ? take_lowest(own) : v->pcpu;
            ASSUME(p < s->n_pcpus); /* who runs is on one */
            own[WORD(p)] &= ~BIT(p);
            seat(s, u, v, p);
        }
}

/* The first in line comes out of it: its turn begins. */
static void begin_turn(struct sched *s, struct sched_queue *pool, struct sched_vcpu *must, int64_t now)
{
    struct sched_choice c = s->gang.cls->pick(pool, must, now);
    uint32_t u = c.v->id;
    struct gang_unit *x = &s->gang.units[u];
    pool_unwait(s, u);
    x->state = UNIT_ON;
    x->run_ns = c.run_ns;
    if (s->has_reservations) {
        pool->current = c.v;
        pool->reserved = must != NULL;
        x->run_ns = sched_reserve_bound(s, pool, c.run_ns, now);
        pool->current = NULL;
    }
    x->ends_ns = now + x->run_ns;
    if (line_of(s, u)->held == u) line_of(s, u)->held = SCHED_NONE;
}

/* Begins the turn of the first in line if there is room among the free, or else holds what there is for it.
 */
static void try_turn(struct sched *s, uint32_t line, uint64_t *free, int64_t now)
{
    struct sched_queue *pool = pool_at(s, line);
    struct gang_line *l = &s->gang.lines[line];
    struct sched_vcpu *must = s->has_reservations ? sched_reserve_first(s, pool, now) : NULL;
    uint32_t u = must ? must->id : s->gang.cls->first(pool)->id, words = WORD(s->n_pcpus + 63), n = 0;
    const struct gang_unit *x = &s->gang.units[u];
    const uint64_t *pins = s->pinsets[line].pins;
    uint64_t own[PCPU_WORDS];
    for (uint32_t w = 0; w < words; w++) {
        own[w] = free[w] & (pins ? pins[w] : UINT64_MAX);
        n += (uint32_t)__builtin_popcountll(own[w]);
        free[w] &= ~own[w];
    }
    bool room = n >= x->n_ready;
    for (uint32_t i = 0; room && i < n_members(s, u); i++) { /* who is still on a pCPU can only go on there */
        const struct sched_vcpu *v = vcpu_at(s, u + i);
        if (v->where == SCHED_RUNNING) room = own[WORD(v->pcpu)] & BIT(v->pcpu);
    }
    if (!room) {
        if (l->held != SCHED_NONE && l->held != u) hold(s, l->held, 0);
        hold(s, u, n < x->n_ready ? n : 0);
        l->held = u;
        l->tried = s->gang.round;
        return;
    }
    begin_turn(s, pool, must, now);
    seat_all(s, u, own);
    for (uint32_t w = 0; w < words; w++)
        free[w] |= own[w];
}

/* The line whose first may try: of those with a pCPU free, the least served for its load. */
static uint32_t next_line(const struct sched *s, const uint64_t *free)
{
    uint32_t best = SCHED_NONE;
    for (uint32_t i = 0; i < s->n_pinsets; i++) {
        const struct gang_line *line = &s->gang.lines[i];
        const uint64_t *pins = s->pinsets[i].pins;
        bool room = false;
        if (line->tried == s->gang.round || !pool_at(s, i)->n_waiting) continue;
        for (uint32_t w = 0; w < WORD(s->n_pcpus + 63); w++)
            room = room || free[w] & (pins ? pins[w] : UINT64_MAX);
        if (room && (best == SCHED_NONE || line->pass < s->gang.lines[best].pass)) best = i;
    }
    return best;
}

/* Begins what turns can begin. Who was first in line and is not now has no pCPU held any more. */
static void begin_turns(struct sched *s, int64_t now)
{
    uint64_t free[PCPU_WORDS] = {0};
    s->gang.round++;
    for (uint32_t p = 0; p < s->n_pcpus; p++)
        if (s->gang.seats[p].unit == SCHED_NONE) free[WORD(p)] |= BIT(p);
    for (uint32_t line; (line = next_line(s, free)) != SCHED_NONE;)
        try_turn(s, line, free, now);
    for (uint32_t i = 0; i < s->n_pinsets; i++) {
        struct gang_line *line = &s->gang.lines[i];
        if (line->tried == s->gang.round || line->held == SCHED_NONE) continue;
        hold(s, line->held, 0);
        line->held = SCHED_NONE;
    }
}

static void take_off(struct sched *s, struct sched_queue *q, int64_t now)
{
    struct sched_vcpu *v = q->current;
    q->current = NULL;
    v->where = SCHED_QUEUED;
    if (s->has_limits && vm_of(s, v)->quota_ns) sched_limit_release(s, v, now);
    if (s->has_skews) sched_skew_settle(s, vm_of(s, v), now);
    if (s->gang.n_waiting) ask_free(s); /* its next turn may have waited for this */
}

/* How much of so long a turn it may have. */
static int64_t bounded(struct sched *s, struct sched_vcpu *v, int64_t run_ns, int64_t now)
{
    if (s->has_skews) run_ns = sched_skew_bound(s, v, run_ns, now);
    if (s->has_limits && vm_of(s, v)->quota_ns) run_ns = sched_limit_take(s, v, run_ns, now);
    return run_ns;
}

/* The turn here is q->current's and lasts. */
static bool lasts(const struct sched *s, const struct sched_queue *q)
{
    const struct gang_seat *seat = &s->gang.seats[q->pcpu];
    return q->current && seat->member == q->current && !seat->fresh && goes_on(q);
}

struct sched_pick sched_gang_pick(struct sched *s, struct sched_queue *q, int64_t now)
{
    struct gang_seat *seat = &s->gang.seats[q->pcpu];
    if (q->current && s->has_skews) sched_skew_spent(s, q->current, now);
    if (q->current && s->has_limits) sched_limit_spent(s, q->current, now);
    if (q->current && seat->member == q->current && !seat->fresh && !goes_on(q))
        turn_over(s, seat->unit, now);
    if (!lasts(s, q)) {
        begin_turns(s, now);
        drop_resched(s, q->pcpu);
        if (q->current && seat->member != q->current) take_off(s, q, now);
    }
    struct sched_vcpu *v = seat->member;
    if (!v) return (struct sched_pick){SCHED_NONE, SCHED_FOREVER};
    if (seat->fresh) {
        const struct gang_unit *x = &s->gang.units[seat->unit];
        seat->fresh = false;
        q->preempt = false;
        q->slice_ns = x->run_ns;
        q->left_ns = x->ends_ns - now > 0 ? x->ends_ns - now : 1;
        v->where = SCHED_RUNNING;
        q->current = v;
    }
    return (struct sched_pick){v->id, bounded(s, v, q->left_ns, now)};
}

/* --- members come and go --- */

/* Beside its siblings, whose turn it is; false: there is no room. */
static bool join_turn(struct sched *s, uint32_t u, struct sched_vcpu *v)
{
    uint32_t p = v->pcpu;
    const struct gang_seat *seats = s->gang.seats;
    if (p == SCHED_NONE || seats[p].unit != u || seats[p].member)
        for (p = 0; p < s->n_pcpus && (seats[p].unit != u || seats[p].member); p++) {
        }
    if (p == s->n_pcpus) p = free_seat(s, v);
    if (p != SCHED_NONE) seat(s, u, v, p);
    return p != SCHED_NONE;
}

void sched_gang_ready(struct sched *s, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    uint32_t u = unit_of(s, v);
    struct gang_unit *x = &s->gang.units[u];
    v->where = SCHED_QUEUED;
    x->n_ready++;
    if (s->n_runnable++ == 0 && s->cls->tick_ns)
        s->class_tick_at_ns = (now / s->cls->tick_ns + 1) * s->cls->tick_ns;
    if (x->state == UNIT_OUT)
        enter(s, u, how, now);
    else if (x->state == UNIT_ON && !join_turn(s, u, v))
        turn_over(s, u, now);
    ask_free(s);
}

void sched_gang_leave(struct sched *s, struct sched_vcpu *v, enum sched_how how, int64_t now)
{
    uint32_t u = unit_of(s, v);
    struct gang_unit *x = &s->gang.units[u];
    if (v->where == SCHED_RUNNING) queue_at(s, v->pcpu)->current = NULL;
    if (v->pcpu != SCHED_NONE && s->gang.seats[v->pcpu].member == v) {
        s->gang.seats[v->pcpu].member = NULL;
        s->gang.seats[v->pcpu].fresh = false;
    }
    s->n_runnable--;
    if (--x->n_ready == 0) drop(s, u, how, now);
    ask_free(s);
}

void sched_gang_charge(struct sched *s, struct sched_vcpu *v, int64_t ran_ns, int64_t now)
{
    uint32_t u = unit_of(s, v);
    struct gang_unit *x = &s->gang.units[u];
    int64_t paid = ran_ns < x->prepaid_ns ? ran_ns : x->prepaid_ns;
    x->prepaid_ns -= paid;
    pay(s, u, ran_ns - paid, now);
}

/* v's weight was `old`; of a gang only the one that stands for it counts. */
void sched_gang_weight(struct sched *s, struct sched_vcpu *v, uint32_t old, int64_t now)
{
    if (unit_of(s, v) != v->id || s->gang.units[v->id].state == UNIT_OUT || !s->gang.cls->weighted) return;
    line_of(s, v->id)->load += (uint64_t)v->weight - old;
    struct sched_queue *pool = speak_of(s, v->id, now);
    s->gang.cls->set(pool, v, old, now);
    pool->current = NULL;
}

void sched_gang_due(struct sched *s, struct sched_vm *vm, int64_t now)
{
    (void)now;
    for (uint32_t k = 0; k < vm->n_vcpus; k++) {
        struct sched_vcpu *v = vcpu_at(s, vm->first_vcpu + k);
        if (s->gang.units[v->id].state != UNIT_WAITING) continue;
        sched_reserve_unwait(pool_of(s, v->id), v);
        sched_reserve_wait(s, pool_of(s, v->id), v);
    }
}
