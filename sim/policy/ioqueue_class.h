// SPDX-License-Identifier: GPL-3.0-or-later
/* ioqueue_class.h - how to write an I/O queue policy: one file, four to seven small functions.
 *
 * The frame (ioqueue.c) owns what is the same for all: flows, their limits, who is held back. A policy orders
 * what the limits have let through, and knows nothing of them. It is pure: no clock, no malloc, no globals;
 * its state lies behind the queue, each group and each flow (ioqueue_own, ...), as many bytes as it asks for,
 * zero at the start.
 *
 *   init    (may be NULL) once, when flows and groups have their weights and reservations.
 *   add     r of flow f is let through. r->came_ns is when, by its limits, it could have been.
 *   take    which is next? Called only while there is one; it must give one, whatever `now` is.
 *   drop    r will not be served; it is here.
 *   served  (may be NULL) the request of f that take gave last took more_ns more of the device than its
 *           cost_ns said; negative: less.
 *   set     (may be NULL) f has other weights or reservation; its group's weight is up to date, too.
 *
 * prev and next of a request are the policy's while it has it, and so are left, right and over. Break ties by
 * order of arrival or ioqueue_put, never by a flow's number. A new policy is a file ioqueue_NAME.c that
 * defines ioqueue_NAME_class, and a line in ioqueue_table.c; ioqueue_fifo.c is the shortest. */
#ifndef VLAB_POLICY_IOQUEUE_CLASS_H
#define VLAB_POLICY_IOQUEUE_CLASS_H

#include "base/assert.h"
#include "policy/bucket.h"
#include "policy/ioqueue.h"
#include "policy/ioqueue_tree.h"

struct ioqueue_list {
    struct ioqueue_req *first, *last;
};

struct ioqueue_group {
    /* Read only. */
    _Alignas(16) uint64_t weight; /* sum over its flows, at least 1 */
    uint32_t id;
    const uint32_t *members; /* flows, by rank; as many as by_rank.n */

    struct ioqueue_tree by_rank; /* the policy's own, if it is `weighted`: its flows */

    uint64_t sum; /* the frame's own: of the weights as stated */
};

struct ioqueue_flow {
    /* Read only. */
    _Alignas(16) struct ioqueue_group *group;
    uint32_t weight;   /* at least 1 */
    uint32_t id, rank; /* among all; among its group's */
    int64_t reservation_u;

    /* The frame's own. */
    uint32_t stated; /* weight, may be 0 */
    bool limited;
    uint64_t n_passed, n_back; /* requests the policy has, and that wait for it */
    struct ioqueue_list back;
    struct bucket limit;
};

struct ioqueue {
    _Alignas(16) const struct ioqueue_class *cls;
    char *groups, *flows;
    size_t group_stride, flow_stride;
    uint32_t n_groups, n_flows;
    uint64_t n_passed, n_back; /* sums */
    uint64_t seq, turn;
    struct ioqueue_tree held; /* flows, by the time their limits let them go on */

    /* The policy's own. */
    struct ioqueue_tree by_group; /* if it is `weighted` */
    struct ioqueue_tree by_flow;  /* if it `reserves` */
};

struct ioqueue_class {
    const char *name;
    const char *about;
    bool weighted, reserves;
    size_t queue_bytes, group_bytes, flow_bytes;
    void (*init)(struct ioqueue *q);
    void (*add)(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r);
    struct ioqueue_req *(*take)(struct ioqueue *q, int64_t now);
    void (*drop)(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r);
    void (*served)(struct ioqueue *q, struct ioqueue_flow *f, int64_t more_ns);
    void (*set)(struct ioqueue *q, struct ioqueue_flow *f, int64_t now);
};

extern const struct ioqueue_class ioqueue_fifo_class, ioqueue_deadline_class, ioqueue_fair_class,
    ioqueue_mclock_class;

/* A policy's own bytes. */
static inline void *ioqueue_own(struct ioqueue *q)
{
    return q + 1;
}
static inline void *ioqueue_group_own(struct ioqueue_group *g)
{
    return g + 1;
}
static inline void *ioqueue_flow_own(struct ioqueue_flow *f)
{
    return f + 1;
}
static inline struct ioqueue_flow *ioqueue_flow_at(const struct ioqueue *q, uint32_t i)
{
    return (struct ioqueue_flow *)(q->flows + i * q->flow_stride);
}
static inline struct ioqueue_group *ioqueue_group_at(const struct ioqueue *q, uint32_t i)
{
    return (struct ioqueue_group *)(q->groups + i * q->group_stride);
}

/* Puts member i in a tree, or anew, behind its equals. */
static inline void ioqueue_put(struct ioqueue *q, struct ioqueue_tree *t, uint32_t i, unsigned __int128 key)
{
    ioqueue_tree_put(t, i, key, q->turn++);
}

static inline void ioqueue_list_add(struct ioqueue_list *l, struct ioqueue_req *r)
{
    r->prev = l->last;
    r->next = NULL;
    *(l->last ? &l->last->next : &l->first) = r;
    l->last = r;
}
static inline void ioqueue_list_del(struct ioqueue_list *l, struct ioqueue_req *r)
{
    *(r->prev ? &r->prev->next : &l->first) = r->next;
    *(r->next ? &r->next->prev : &l->last) = r->prev;
}

#endif
