// SPDX-License-Identifier: GPL-3.0-or-later
/* ioqueue_fair.h - start-time fair queueing over groups and flows, for fair and mclock.
 *
 * Goyal, Vin and Cheng (1996). Each flow has a finish tag, the virtual time up to which it has been served:
 * cost/weight further with each request. Its next request starts at max(v, finish), where v is the start of
 * the request taken last; the smallest start is taken. While two flows both have requests waiting, what each
 * got for its weight differs by no more than one request of each: |Wi/wi - Wj/wj| <= ci/wi + cj/wj. Who had
 * none waiting saved up nothing. When nobody is left, v goes to the last finish: a busy period forgets the
 * one before.
 *
 * The same twice: among groups, a group's weight being the sum of its flows', and among a group's flows.
 *
 * Tags have 50 bits of fraction of a ns for the weight of 1, in 128 bits: 10^6 h never run over, and a
 * weight's share is right to 2^-26 at worst (a group of weight 10^7). */
#ifndef VLAB_POLICY_IOQUEUE_FAIR_H
#define VLAB_POLICY_IOQUEUE_FAIR_H

#include "policy/ioqueue_class.h"

struct ioqueue_fair_level { /* one choice: among the groups, or among one group's flows */
    unsigned __int128 v;
    unsigned __int128 last; /* the latest finish there was */
};

struct ioqueue_fair_member { /* of a level; while requests wait, in the level's tree by its start */
    unsigned __int128 finish;
    uint64_t unit; /* of virtual time, for a ns of cost */
};

struct ioqueue_fair_flow {
    struct ioqueue_fair_member m;
    struct ioqueue_list reqs;
};

struct ioqueue_fair_group {
    struct ioqueue_fair_member m;
    struct ioqueue_fair_level flows;
};

/* Own bytes of a queue begin with a struct ioqueue_fair_level, a group's are a struct ioqueue_fair_group, a
 * flow's begin with a struct ioqueue_fair_flow. */
void ioqueue_fair_init(struct ioqueue *q);
void ioqueue_fair_add(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r);
struct ioqueue_flow *ioqueue_fair_first(struct ioqueue *q); /* whose turn it is */
/* The first request of f, one that waits. `reserved`: f is served before its turn, which counts against it
 * later for no more than a second of the device's time. */
struct ioqueue_req *ioqueue_fair_take(struct ioqueue *q, struct ioqueue_flow *f, bool reserved);
void ioqueue_fair_drop(struct ioqueue *q, struct ioqueue_flow *f, struct ioqueue_req *r);
void ioqueue_fair_served(struct ioqueue *q, struct ioqueue_flow *f, int64_t more_ns);
void ioqueue_fair_set(struct ioqueue *q, struct ioqueue_flow *f, int64_t now);

#endif
