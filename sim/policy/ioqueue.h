// SPDX-License-Identifier: GPL-3.0-or-later
/* ioqueue.h - the queue of one disk or shared store: which request is served next.
 *
 * Pure: no clock, no engine, no I/O, no malloc. `now` comes in, a request goes out; the state lies in one
 * block that the caller owns, and so does each request (struct ioqueue_req, inside whatever the caller
 * keeps of it). All times are int64 ns, `now` never goes back; it may be late by any amount.
 *
 * A FLOW is one source of requests on this device: a VM's volume, or the host's own swapping. It has a
 * weight, a reservation and limits. Flows stand in GROUPS: under `divide: hosts` a store has a group for
 * each host and divides first among hosts, by the sum of their flows' weights, then inside the host; what a
 * host leaves unused goes to the others. A device of one host, or `divide: flat`, is one group.
 *
 * Two stages, as in Linux (blk-throttle above an elevator):
 *   - The frame (ioqueue.c) holds a flow to its limits, the same for every policy. A flow with a limit hands
 *     on one request at a time, when its bucket (bucket.h) owes nothing: so a limit is never passed by more
 *     than the one request that is under way. Served late, a flow may catch up by one request; what it does
 *     not ask for is lost, but for limit_burst_bytes.
 *   - The policy (ioqueue_NAME.c) orders what has been handed on:
 *       fifo      in order of arrival (of release, where a limit held it). No weights.
 *       deadline  by position, sweeping up and down (LOOK), unless the oldest read has waited 500 ms or the
 *                 oldest write 5 s (the defaults of Linux's deadline elevator). No weights.
 *       fair      by weight in device time: start-time fair queueing (Goyal, Vin and Cheng 1996) of the
 *                 requests' cost_ns, among groups and inside each. Work conserving.
 *       mclock    reservations first, then as fair (Gulati, Merchant and Varman, OSDI 2010).
 * Shares need somebody waiting: a flow that never has more than one request out gets what is left when its
 * next comes, whatever its weight.
 *
 * The caller's part, whenever the device can take another request (and after add, set and drop, where it
 * can): r = ioqueue_next(q, now, &again); if (r) serve it; if its cost turns out another than r->cost_ns,
 * ioqueue_served(q, r, cost); else if (again != IOQUEUE_FOREVER) ask again at `again`.
 *
 * Costs, with f flows and w requests waiting: O(1) fifo, O(log w) deadline, O(log f) the others and each
 * limit. Left out: merging of neighbouring requests, and limits or reservations of a group. */
#ifndef VLAB_POLICY_IOQUEUE_H
#define VLAB_POLICY_IOQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IOQUEUE_FOREVER        INT64_MAX
#define IOQUEUE_WEIGHT_DEFAULT 1000u
#define IOQUEUE_WEIGHT_MAX     10000u

struct ioqueue_class;

/* Make it zero, set the first part, and leave it alone from ioqueue_add until ioqueue_next gives it back. */
struct ioqueue_req {
    uint32_t flow;
    bool write;
    int64_t bytes;    /* >= 0 */
    int64_t position; /* on the medium, in any unit that grows with it; deadline alone looks at it */
    int64_t
        cost_ns; /* device time it takes, >= 0, as far as known: of a bucket max(1/iops, bytes/bandwidth) */

    /* The queue's own. */
    struct ioqueue_req *prev, *next;         /* in its flow, or in the list of all */
    struct ioqueue_req *left, *right, *over; /* deadline: by position */
    int64_t came_ns;
    uint64_t seq;
    bool queued; /* in here */
    bool passed; /* its flow's limits let it through: the policy has it */
};

struct ioqueue_flow_cfg {
    uint32_t weight;           /* 1..10000; 0: not in use now, adds nothing to its group */
    uint32_t group;            /* < n_groups; never changes */
    int64_t reservation_u;     /* millionths of a request a second; 0: none */
    int64_t limit_u;           /* likewise; 0: none */
    int64_t limit_bps;         /* bits a second; 0: none */
    int64_t limit_burst_bytes; /* what may be saved up of limit_bps */
};

struct ioqueue_cfg {
    const struct ioqueue_class *cls;
    uint32_t n_flows, n_groups;           /* 1 or more each */
    const struct ioqueue_flow_cfg *flows; /* copied */
};

struct ioqueue;

/* Bytes the state takes; 0 where cfg is out of range. The block must be 16-aligned. */
size_t ioqueue_size(const struct ioqueue_cfg *cfg);
struct ioqueue *ioqueue_init(void *block, const struct ioqueue_cfg *cfg);

void ioqueue_add(struct ioqueue *q, struct ioqueue_req *r, int64_t now);
/* The next request, which is no longer in the queue; NULL: nobody may go now, ask again at *again_ns (> now),
 * or, at IOQUEUE_FOREVER, after the next add or set. */
struct ioqueue_req *ioqueue_next(struct ioqueue *q, int64_t now, int64_t *again_ns);
/* A request that next gave took cost_ns of the device, not r->cost_ns: its flow is charged the difference.
 * Call it once for a request, before the next call of ioqueue_next. Not needed where they are the same. */
void ioqueue_served(struct ioqueue *q, const struct ioqueue_req *r, int64_t cost_ns);
/* Takes out a request that is still in the queue. */
void ioqueue_drop(struct ioqueue *q, struct ioqueue_req *r, int64_t now);
/* A flow's weight, reservation and limits from now on; cfg->group is not looked at. */
void ioqueue_set(struct ioqueue *q, uint32_t flow, const struct ioqueue_flow_cfg *cfg, int64_t now);

uint64_t ioqueue_waiting(const struct ioqueue *q);
uint64_t ioqueue_flow_waiting(const struct ioqueue *q, uint32_t flow);

/* The policies there are, by their names in a scenario; NULL: no such name. */
const struct ioqueue_class *ioqueue_class_find(const char *name);
const struct ioqueue_class *ioqueue_class_at(size_t i); /* 0, 1, ...; NULL after the last */
const char *ioqueue_class_name(const struct ioqueue_class *c);
const char *ioqueue_class_about(const struct ioqueue_class *c); /* a sentence */
bool ioqueue_class_weighted(const struct ioqueue_class *c); /* fair and mclock; the others ignore weights */
bool ioqueue_class_reserves(const struct ioqueue_class *c); /* mclock alone */

#endif
