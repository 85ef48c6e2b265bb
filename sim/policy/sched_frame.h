// SPDX-License-Identifier: GPL-3.0-or-later
/* sched_frame.h - the frame's own state, shared by sched.c, sched_place.c, sched_limit.c, sched_reserve.c,
 * sched_balance.c, sched_gang.c, sched_skew.c, sched_lend.c, sched_seat.c and sched_slots.c. Policies do not
 * include it.
 *
 * Rules that hold after every call:
 *   - a vCPU is blocked, throttled or co-stopped (in no queue), or waits in one queue, or is one's current;
 *   - a VM whose quota is all handed out has nobody waiting;
 *   - with idle stealing, a vCPU waits only if every pCPU it may run on is busy or about to be picked for.
 * A host with a strict gang has rules of its own, see sched_gang.c. */
#ifndef VLAB_POLICY_SCHED_FRAME_H
#define VLAB_POLICY_SCHED_FRAME_H

#include "base/assert.h"
#include "policy/sched_class.h"

#define WORD(i) ((i) / 64)
#define BIT(i)  (UINT64_C(1) << ((i) % 64))

struct sched_vm {
    uint32_t weight, share; /* stated; of each runnable vCPU, SCHED_WEIGHT_ONE at the default */
    uint32_t first_vcpu, n_vcpus, n_runnable, n_throttled;
    uint32_t pinset;
    uint8_t cosched;    /* enum sched_cosched, as far as it is possible */
    uint32_t n_stopped; /* relaxed: ahead of the others */
    uint32_t reservation_ppm;
    int64_t quota_ns, period_ns; /* quota 0: none */
    int64_t period_end_ns;       /* of the period that pool_ns belongs to */
    int64_t pool_ns;             /* not handed out yet; negative: overrun, repaid from the next periods */
    int64_t due_ns;              /* the time up to which the reservation has been served */
    struct sched_node timer;     /* in sched.timers by period_end_ns, while vCPUs are throttled */
    bool has_timer;
};

struct sched_pinset { /* a distinct set of pins; number 0 is "any" */
    const uint64_t *pins;
    struct sched_vcpu *oldest, *newest; /* who waits with it, on whatever queue */
};

/* Of a host with a strict gang, see sched_gang.c. A unit is a gang, named by its first vCPU, or any other
 * vCPU. */
struct gang_unit {
    uint32_t n_ready;        /* members that are not blocked or throttled */
    uint8_t state;           /* enum unit_state */
    int64_t run_ns, ends_ns; /* its turn */
    int64_t prepaid_ns;      /* run time its policy was charged for before the caller did */
};
struct gang_seat {             /* of a pCPU */
    uint32_t unit;             /* whose turn it is there, SCHED_NONE: free */
    struct sched_vcpu *member; /* NULL: kept for one that may wake */
    bool fresh;                /* the turn has not begun here */
};
struct gang_line {  /* units with the same pins */
    uint32_t held;  /* the first in line, where pCPUs are held for it; SCHED_NONE */
    uint32_t tried; /* the last round in which its first found no room */
    uint32_t n_units;
    uint64_t load;
    int64_t pass; /* run time by load */
};
struct gangs {
    bool on;
    const struct sched_class *cls; /* the policy; the frame sees `wrap` in its place */
    struct sched_class wrap;
    char *pools; /* a queue for each pin set */
    size_t pool_stride;
    struct gang_unit *units;   /* by vCPU */
    struct gang_seat *seats;   /* by pCPU */
    struct gang_line *lines;   /* by pin set */
    uint32_t round, n_waiting; /* units */
};

/* Fixed slots, see sched_slots.c. */
struct slot_pcpu {
    uint32_t owner;       /* VM; SCHED_NONE: nobody */
    struct sched_vcpu *v; /* who runs there, or will as soon as it is off its last pCPU; NULL: nobody */
};
struct slot_vm {
    int64_t number;      /* the slot in which it chose last */
    uint32_t from, next; /* whose turn it was when that began, and is now: of its vCPUs */
};
struct slots {
    bool on;
    bool stale;                       /* a VM came or went in slot stale_in: lists are old after that */
    int64_t stale_in, number;         /* the slot that `pcpus` is for */
    uint32_t n_lists;                 /* one a pCPU, or one for all: nobody has pins */
    uint32_t *order, *n_order;        /* by list: VMs that have slots, room_vms a list */
    struct slot_pcpu *pcpus;          /* by pCPU */
    struct slot_vm *vms;              /* by VM */
    uint32_t *at;                     /* by vCPU: 1 + the pCPU that it is chosen for; 0: none */
    const struct sched_vcpu *leaving; /* is about to be in no queue */
    struct sched_class wrap;          /* in the policy's place: there is nothing to order */
};

struct sched {
    const struct sched_class *cls;
    char *queues, *vcpus;
    size_t queue_stride, vcpu_stride;
    struct sched_vm *vms;
    uint32_t n_resched;
    uint32_t n_idle;
    uint32_t n_waiting;
    bool special;                      /* any of what follows up to has_lends */
    bool has_limits, has_reservations; /* anywhere on the host, ever */
    bool smp;                          /* a strict gang, fixed slots, or either of the next two */
    bool has_skews, has_lends;         /* a relaxed VM; a turn was ever given away */
    bool has_apart;                    /* a balanced VM */
    bool steal;                        /* idle pCPUs take waiting work */
    bool balance;                      /* served times and loads are wanted */
    bool track;                        /* pin sets' lists are wanted: either of the two */
    uint64_t *resched, *idle;          /* by pCPU */
    struct sched_vcpu *first_changed, *last_changed;
    uint32_t n_pcpus, n_vcpus, n_vms, n_pinsets, pinset_words, pinset_mask;
    uint32_t room_vcpus, room_vms;
    uint32_t n_runnable; /* waiting or current */
    struct sched_pinset *pinsets;
    uint64_t *allows;         /* pinset_words a pCPU: the pin sets that hold it */
    uint64_t *pinset_waiting; /* by pin set */
    uint32_t *pinset_table;   /* hash, by contents; 0 is free */
    struct sched_node *timers;
    int64_t class_tick_at_ns, balance_at_ns, balance_every_ns;
    uint32_t balance_turn;
    uint32_t threads;     /* per core */
    int64_t *progress_ns; /* by vCPU; only where has_skews */
    struct gangs gang;
    struct slots slots;
    struct sched_rules rules;
};

static inline struct sched_queue *queue_at(const struct sched *s, uint32_t pcpu)
{
    return (struct sched_queue *)(s->queues + pcpu * s->queue_stride);
}
static inline struct sched_vcpu *vcpu_at(const struct sched *s, uint32_t v)
{
    return (struct sched_vcpu *)(s->vcpus + v * s->vcpu_stride);
}
static inline struct sched_queue *pool_at(const struct sched *s, uint32_t line)
{
    return (struct sched_queue *)(s->gang.pools + line * s->gang.pool_stride);
}
static inline struct sched_vm *vm_of(const struct sched *s, const struct sched_vcpu *v)
{
    return &s->vms[v->vm];
}
static inline bool may_run(const struct sched *s, const struct sched_vcpu *v, uint32_t pcpu)
{
    const uint64_t *pins = s->pinsets[v->pinset].pins;
    return !pins || pins[WORD(pcpu)] & BIT(pcpu);
}
static inline void ask_resched(struct sched *s, uint32_t pcpu)
{
    s->n_resched += !(s->resched[WORD(pcpu)] & BIT(pcpu));
    s->resched[WORD(pcpu)] |= BIT(pcpu);
}
static inline void drop_resched(struct sched *s, uint32_t pcpu)
{
    s->n_resched -= (s->resched[WORD(pcpu)] & BIT(pcpu)) != 0;
    s->resched[WORD(pcpu)] &= ~BIT(pcpu);
}
/* Load counts weights, or heads where the policy ignores weights. */
static inline uint64_t load_of(const struct sched *s, const struct sched_vcpu *v)
{
    return s->cls->weighted ? v->weight : SCHED_WEIGHT_ONE;
}

/* Who waits, in order of arrival, by pin set: O(1) and on the way of each slice. */
static inline void list_waiting(struct sched *s, struct sched_vcpu *v)
{
    struct sched_pinset *set = &s->pinsets[v->pinset];
    v->newer = NULL;
    v->older = set->newest;
    if (set->newest) {
        set->newest->newer = v;
    } else {
        set->oldest = v;
        s->pinset_waiting[WORD(v->pinset)] |= BIT(v->pinset);
    }
    set->newest = v;
}
static inline void unlist_waiting(struct sched *s, struct sched_vcpu *v)
{
    struct sched_pinset *set = &s->pinsets[v->pinset];
    *(v->older ? &v->older->newer : &set->oldest) = v->newer;
    *(v->newer ? &v->newer->older : &set->newest) = v->older;
    if (!set->oldest) s->pinset_waiting[WORD(v->pinset)] &= ~BIT(v->pinset);
}

/* ran_ns in time of a vCPU of the default weight; what the division leaves is kept for the next. */
static inline int64_t weigh(struct sched_vcpu *v, int64_t ran_ns)
{
    if (ran_ns >= INT64_C(1) << 36) return sched_weighted(v->weight, ran_ns);
    uint64_t x = (uint64_t)ran_ns * SCHED_WEIGHT_ONE + v->rest, whole = x / v->weight;
    v->rest = x - whole * v->weight;
    return (int64_t)whole;
}
/* The current's slice lasts. What the clock's grain leaves of it is not worth a switch. */
static inline bool goes_on(const struct sched_queue *q)
{
    return q->left_ns > q->slice_ns / 32 && !q->preempt;
}
static inline bool is_stopped(const struct sched *s, const struct sched_vcpu *v)
{
    return v->where == SCHED_COSTOPPED && s->vms[v->vm].cosched == SCHED_COSCHED_RELAXED;
}
/* Of a strict gang that is next: it waits in a queue all the same. */
static inline bool is_held(const struct sched *s, const struct sched_vcpu *v)
{
    return v->where == SCHED_COSTOPPED && !is_stopped(s, v);
}
/* Its state is news for sched_take_changed. */
static inline void tell_changed(struct sched *s, struct sched_vcpu *v)
{
    if (v->changed) return;
    v->changed = true;
    v->next_changed = NULL;
    *(s->last_changed ? &s->last_changed->next_changed : &s->first_changed) = v;
    s->last_changed = v;
}
/* It is not to be told of any more. */
static inline void untell_changed(struct sched *s, struct sched_vcpu *v)
{
    struct sched_vcpu *last = NULL;
    for (struct sched_vcpu *x = s->first_changed; v->changed && x; last = x, x = x->next_changed) {
        if (x != v) continue;
        *(last ? &last->next_changed : &s->first_changed) = v->next_changed;
        if (s->last_changed == v) s->last_changed = last;
        v->changed = false;
    }
}

/* sched_place.c: in and out of queues. */
struct sched_vcpu *sched_place_steal(const struct sched *s, uint32_t pcpu); /* who could be taken; NULL */
uint32_t sched_place_idle(const struct sched *s,
                          const struct sched_vcpu *v); /* an idle pCPU, or SCHED_NONE */
bool sched_place_meets(const struct sched *s, const struct sched_vcpu *v,
                       uint32_t pcpu);  /* a sibling that it must not */
void sched_place_kick(struct sched *s); /* idle pCPUs that could take somebody who waits */
void sched_place_wait(struct sched *s, struct sched_queue *q, struct sched_vcpu *v);   /* books only */
void sched_place_unwait(struct sched *s, struct sched_queue *q, struct sched_vcpu *v); /* books only */
void sched_place_join(struct sched *s, uint32_t pcpu, struct sched_vcpu *v, enum sched_how how, int64_t now);
void sched_place_leave(struct sched *s, struct sched_vcpu *v, enum sched_how how, int64_t now);
void sched_place_runnable(struct sched *s, struct sched_vcpu *v, enum sched_how how,
                          int64_t now);                                      /* chooses where */
void sched_place_weight(struct sched *s, struct sched_vcpu *v, int64_t now); /* takes its VM's new share */
void sched_place_share(struct sched_vm *vm);                                 /* computes it */

/* sched_limit.c: quotas. The VM has one. */
void sched_limit_set(struct sched *s, struct sched_vm *vm, int64_t quota_ns, int64_t period_ns, int64_t now);
bool sched_limit_admit(struct sched *s, struct sched_vcpu *v, int64_t now); /* false: it is throttled now */
void sched_limit_charge(struct sched *s, struct sched_vcpu *v, int64_t ran_ns, int64_t now);
bool sched_limit_spent(struct sched *s, struct sched_vcpu *v,
                       int64_t now); /* the one that ran may not go on */
int64_t sched_limit_take(struct sched *s, struct sched_vcpu *v, int64_t run_ns, int64_t now); /* for a run */
void sched_limit_release(struct sched *s, struct sched_vcpu *v, int64_t now); /* it leaves its pCPU */
void sched_limit_forget(struct sched *s, struct sched_vcpu *v);               /* throttled, it blocks */
void sched_limit_tick(struct sched *s, int64_t now);

/* sched_reserve.c: reservations. The VM has one. */
void sched_reserve_set(struct sched *s, struct sched_vm *vm, uint32_t ppm, int64_t now);
void sched_reserve_charge(struct sched_vm *vm, int64_t ran_ns, int64_t now);
void sched_reserve_wait(struct sched *s, struct sched_queue *q, struct sched_vcpu *v);
void sched_reserve_unwait(struct sched_queue *q, struct sched_vcpu *v);
bool sched_reserve_preempts(const struct sched *s, const struct sched_queue *q, const struct sched_vcpu *v,
                            int64_t now);
struct sched_vcpu *sched_reserve_first(struct sched *s, struct sched_queue *q,
                                       int64_t now); /* NULL: none due */
struct sched_vcpu *sched_reserve_pull(struct sched *s, struct sched_queue *q,
                                      int64_t now); /* to q; NULL: nobody */
int64_t sched_reserve_bound(struct sched *s, struct sched_queue *q, int64_t run_ns, int64_t now);
void sched_reserve_spread(struct sched *s, int64_t now);
void sched_reserve_book(struct sched *s, struct sched_queue *q, struct sched_vcpu *v, bool in);
bool sched_reserve_fits(const struct sched_queue *to,
                        const struct sched_vcpu *v); /* with what is booked there */

static inline bool may_join(const struct sched *s, const struct sched_vcpu *v, uint32_t pcpu)
{
    return may_run(s, v, pcpu) && (!s->has_apart || !sched_place_meets(s, v, pcpu));
}

/* sched_gang.c: strict co-scheduling, where s->gang.on. */
void sched_gang_ready(struct sched *s, struct sched_vcpu *v, enum sched_how how, int64_t now);
void sched_gang_leave(struct sched *s, struct sched_vcpu *v, enum sched_how how, int64_t now);
void sched_gang_charge(struct sched *s, struct sched_vcpu *v, int64_t ran_ns, int64_t now);
void sched_gang_weight(struct sched *s, struct sched_vcpu *v, uint32_t old, int64_t now);
void sched_gang_due(struct sched *s, struct sched_vm *vm, int64_t now); /* its reservation has changed */
struct sched_pick sched_gang_pick(struct sched *s, struct sched_queue *q, int64_t now);

/* sched_skew.c: relaxed co-scheduling. The VM is. */
void sched_skew_wake(struct sched *s, struct sched_vcpu *v, int64_t now);
void sched_skew_charge(struct sched *s, struct sched_vcpu *v, int64_t ran_ns);
bool sched_skew_spent(struct sched *s, struct sched_vcpu *v, int64_t now); /* it is ahead and stops */
int64_t sched_skew_bound(struct sched *s, struct sched_vcpu *v, int64_t run_ns, int64_t now);
void sched_skew_settle(struct sched *s, struct sched_vm *vm,
                       int64_t now);                           /* who ran or waited does not now */
void sched_skew_forget(struct sched *s, struct sched_vcpu *v); /* stopped, it blocks */

/* sched_slots.c: fixed slots, where s->slots.on. */
void sched_slots_init(struct sched *s);
struct sched_pick sched_slots_pick(struct sched *s, struct sched_queue *q, int64_t now);
void sched_slots_change(struct sched *s, uint32_t vm, int64_t now); /* it is about to come, or to go */

/* sched_lend.c: directed yield. */
struct sched_vcpu *sched_lend_next(struct sched *s, struct sched_queue *q, int64_t now); /* NULL: nobody */
void sched_lend_over(struct sched *s, struct sched_vcpu *v, int64_t now); /* its turn is over */

/* sched_init.c: a seat as new; a VM on its seats, with whom nobody is yet. */
void sched_init_vcpu(struct sched *s, uint32_t v);
void sched_init_vm(struct sched *s, uint32_t i, const struct sched_vm_cfg *cfg, int64_t now);

/* sched_balance.c */
void sched_balance_arm(struct sched *s, int64_t now); /* somebody waits */
void sched_balance_tick(struct sched *s, int64_t now);

#endif
