// SPDX-License-Identifier: GPL-3.0-or-later
/* sched_class.h - how to write a scheduling policy: one file, one queue, nine small functions.
 *
 * The frame (sched.c) owns everything that is the same for all policies: who is runnable, pins, limits,
 * reservations, idle stealing, balancing, gangs. A policy orders ONE queue and never sees another. The
 * same object code decides in the simulator and on KVM, so a policy is pure: no clock (`now` comes in),
 * no malloc, no globals, no I/O; its state lies behind each queue and each vCPU (sched_queue_own,
 * sched_vcpu_own), as many bytes as it asks for, zero at the start.
 *
 * THE LIFE OF A vCPU, as a queue sees it:
 *
 *        wake(q, v)            pick(q) returns v           block(q, v)
 *     o -----------> waiting --------------------> current -----------> o
 *                       ^   \___ block(q, v) ___> o  |
 *                       |____ pick(q) returns another_|
 *
 *   init    (may be NULL) once a queue, before anything else.
 *
 *   wake    v begins to wait here. `how` says whence it comes: it slept, it was on another queue, or its
 *           quota was used up and is back. The answer counts where there is a current: true if v should
 *           run at once in its place.
 *
 *   block   v leaves this queue, from among the waiting or as q->current. `how` says where to: asleep, to
 *           another queue, or out of quota.
 *
 *   charge  (may be NULL) q->current ran ran_ns. weighted_ns is that divided by its weight, in time of a
 *           vCPU of the default weight; remainders are carried, so its sum is exact. It is ran_ns itself
 *           for a class that is not `weighted`.
 *
 *   pick    Who runs next, and for how long (> 0)? q->current, if there is one, has run and wants to go
 *           on: put it back among the waiting, or pick it again. Take the one you pick out of the
 *           waiting. `must` is NULL, or the one to pick: the frame insists, it is owed a reservation. Never
 *           called for a queue with nobody in it. q->n_waiting does not count the current.
 *
 *   first   Who among the waiting would pick take, if there were no current? There is somebody.
 *
 *   back    q->current goes back among the waiting, and nobody is picked: pick's own beginning.
 *
 *   set     (may be NULL in a class that is not `weighted`) v's weight was old_weight and is v->weight now.
 *           v waits here or is q->current.
 *
 *   leave   (may be NULL) v, which sleeps, leaves the host for good: nothing of it may be kept anywhere.
 *
 *   tick    (may be NULL where tick_ns is 0) every tick_ns while anybody is runnable on the host.
 *
 * WHAT MAY BE ASSUMED
 *   - `now` never goes back. A vCPU is in one queue at most, and never twice.
 *   - Before block(q, q->current) and before pick with a current, charge has told what it ran.
 *   - pick is called when the slice is over, the current left, or wake said so; while a slice lasts the
 *     frame itself goes on with the current.
 * A queue is a pCPU's, and has one current. Where the frame co-schedules strictly (sched_gang.c) a queue is
 * `shared` by pCPUs: several run that are not among the waiting, q->current is the one that is spoken of
 * or NULL, and n_waiting counts the waiting as ever. A vCPU there may stand for a gang: it is charged what
 * all members ran, and has their VM's whole weight.
 * WHAT MAY NOT
 *   - that a vCPU got the slice it was promised: it may stop early (it blocks, its quota ends, it is
 *     preempted) and, on a real clock, late by milliseconds; ran_ns is what it really had.
 *   - that q->current has been charged up to `now` when another vCPU wakes: sched_queue_ran estimates.
 *   - that v->weight stays: a VM's weight is divided among its runnable vCPUs. `set` tells.
 *
 * Every choice must be a function of the calls made so far: break ties by v->id, or by order of arrival.
 * A new policy is a file sched_NAME.c that defines sched_NAME_class, and a line in sched_table.c. The
 * shortest is sched_rr.c, and sched_stride.c the shortest that is fair by weight: begin with a copy. The
 * properties in tests/properties/test_sched_*.c then hold or say what does not. */
#ifndef VLAB_POLICY_SCHED_CLASS_H
#define VLAB_POLICY_SCHED_CLASS_H

#include "policy/sched.h"
#include "policy/sched_heap.h"
#include "policy/sched_tree.h"

/* The weight of a vCPU whose VM has the default weight and no other runnable vCPU. */
#define SCHED_WEIGHT_ONE (SCHED_WEIGHT_DEFAULT << 16)

enum sched_how { SCHED_HOW_SLEEP, SCHED_HOW_MOVE, SCHED_HOW_QUOTA };

struct sched_vcpu {
    /* The policy's own while v waits: sched_heap_*, sched_tree_* or sched_list_* keep it. */
    _Alignas(16) struct sched_node node;
    uint32_t id;
    uint32_t weight; /* 1 or more; SCHED_WEIGHT_ONE is the default */

    uint8_t where; /* enum sched_where; read only */

    /* The frame's own from here on; what each slice needs fills two cache lines. */
    bool many;    /* its VM has several vCPUs: the weight may change */
    bool changed; /* waits to be told by sched_take_changed */
    bool has_due;
    uint32_t pcpu;
    uint32_t vm;
    uint32_t pinset;
    struct sched_vcpu *older, *newer; /* all that wait with the same pins, in order of arrival */
    uint64_t served_ns;               /* weighted; compared by differences only */
    uint64_t rest;                    /* of weighted time, in 1/weight */
    int64_t piece_ns, piece_end_ns;   /* of the VM's quota, while it runs */
    struct sched_vcpu *next_changed;
    struct sched_node due; /* waiting, of a VM with a reservation */
    uint32_t booked_ppm;   /* its part of its VM's reservation, counted in its queue's */
    uint32_t home;         /* the pCPU it was lent from, see sched_lend.c; SCHED_NONE */
};

struct sched_rules { /* of a host, for all its queues */
    uint32_t n_pcpus;
    int64_t slice_ns; /* as stated, or the class's default */
    bool slice_stated;
    int64_t tick_ns;
    bool debit_tick;
};

struct sched_queue {
    _Alignas(16) struct sched_vcpu *current; /* who runs here, not among the waiting; NULL: nobody */
    uint32_t n_waiting;
    uint32_t pcpu;
    const struct sched_rules *rules;

    /* The frame's own. */
    int64_t since_ns; /* the current's run up to here has been charged */
    int64_t left_ns;  /* of its slice */
    int64_t slice_ns;
    bool preempt;
    bool was_idle; /* until the pick that ends it */
    bool reserved; /* the current runs on its reservation */
    bool shared;   /* several pCPUs' */
    uint64_t load;
    uint64_t served_ns; /* sum over its vCPUs, the current too */
    struct sched_node *due;
    uint64_t booked_ppm;     /* reservations of those here */
    struct sched_vcpu *next; /* the current's turn goes to it; NULL */
};

struct sched_choice {
    struct sched_vcpu *v;
    int64_t run_ns;
};

struct sched_class {
    const char *name;
    const char *about;
    bool weighted; /* false: ignores weights, and is refused them */
    size_t queue_bytes, vcpu_bytes;
    int64_t tick_ns; /* 0: no ticks */
    int64_t (*slice_ns)(uint32_t n_pcpus);
    void (*init)(struct sched_queue *q);
    bool (*wake)(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now);
    void (*block)(struct sched_queue *q, struct sched_vcpu *v, enum sched_how how, int64_t now);
    void (*charge)(struct sched_queue *q, struct sched_vcpu *v, int64_t ran_ns, int64_t weighted_ns,
                   int64_t now);
    struct sched_choice (*pick)(struct sched_queue *q, struct sched_vcpu *must, int64_t now);
    struct sched_vcpu *(*first)(struct sched_queue *q);
    void (*back)(struct sched_queue *q);
    void (*set)(struct sched_queue *q, struct sched_vcpu *v, uint32_t old_weight, int64_t now);
    void (*leave)(struct sched_vcpu *v);
    void (*tick)(struct sched_queue *q, int64_t now);
};

extern const struct sched_class sched_rr_class, sched_credit_class, sched_cfs_class, sched_eevdf_class,
    sched_stride_class, sched_bvt_class;

/* A policy's own bytes behind a queue and behind a vCPU. */
static inline void *sched_queue_own(struct sched_queue *q)
{
    return q + 1;
}
static inline void *sched_vcpu_own(struct sched_vcpu *v)
{
    return v + 1;
}

/* The vCPU that own bytes belong to. */
static inline struct sched_vcpu *sched_vcpu_of(void *own)
{
    return (struct sched_vcpu *)own - 1;
}

/* What q->current has run since it was last charged, as far as `now` can tell. */
static inline int64_t sched_queue_ran(const struct sched_queue *q, int64_t now)
{
    return now > q->since_ns ? now - q->since_ns : 0;
}

/* t_ns of a vCPU's time in weighted time, rounded down; no remainder is kept. */
int64_t sched_weighted(uint32_t weight, int64_t t_ns);
/* The scale Linux gives its granularities: 1 + log2(min(cpus, 8)), rounded down. */
int64_t sched_cpu_scale(uint32_t n_pcpus);

/* A list in order of arrival; a vCPU is in one list or tree at a time. */
struct sched_list {
    struct sched_vcpu *first, *last;
};
static inline struct sched_vcpu *sched_list_next(const struct sched_vcpu *v)
{
    return (struct sched_vcpu *)v->node.right;
}
static inline void sched_list_add(struct sched_list *l, struct sched_vcpu *v)
{
    v->node.left = (struct sched_node *)l->last;
    v->node.right = NULL;
    if (l->last)
        l->last->node.right = &v->node;
    else
        l->first = v;
    l->last = v;
}
static inline void sched_list_add_first(struct sched_list *l, struct sched_vcpu *v)
{
    v->node.right = (struct sched_node *)l->first;
    v->node.left = NULL;
    if (l->first)
        l->first->node.left = &v->node;
    else
        l->last = v;
    l->first = v;
}
static inline void sched_list_del(struct sched_list *l, struct sched_vcpu *v)
{
    if (v->node.left)
        v->node.left->right = v->node.right;
    else
        l->first = (struct sched_vcpu *)v->node.right;
    if (v->node.right)
        v->node.right->left = v->node.left;
    else
        l->last = (struct sched_vcpu *)v->node.left;
}

#endif
