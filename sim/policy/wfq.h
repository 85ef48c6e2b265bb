// SPDX-License-Identifier: GPL-3.0-or-later
/* wfq.h - whose frame goes next over a link that several senders share: weighted fair queueing, self-clocked
 * (Golestani, INFOCOM 1994).
 *
 * Each sender's first frame has a tag, the virtual time at which it would be through:
 *
 *     tag = max(v, the sender's tag before) + bytes / weight,     v = tag of the frame being sent
 *
 * and the smallest goes next, of equals the lower id. Senders that always have a frame get bytes in the ratio
 * of their weights, to within one frame each however long it lasts: what a division leaves is carried on. Who
 * was away starts at v, so nothing is saved up by sending nothing. With a window a sender at every link of
 * its path, the rates come to weighted max-min (Hahne, JSAC 1991).
 *
 * Pure: a heap in memory of the caller's, one wfq_turn a sender that may have a frame; O(log n) a frame, O(1)
 * where one sender is alone. The frames themselves are the caller's. */
#ifndef VLAB_POLICY_WFQ_H
#define VLAB_POLICY_WFQ_H

#include <stdint.h>

#define WFQ_NONE UINT32_MAX

struct wfq_flow {    /* a sender at this link; {.id, .weight}, the rest 0 */
    int64_t tag;     /* of its last frame that had one; in bytes / 2^16 a unit of weight */
    uint32_t id;     /* breaks ties */
    uint32_t weight; /* 1 or more */
    uint32_t rest;   /* what the last division left */
    uint32_t period; /* the busy period its tag is of */
};

struct wfq_turn {
    uint64_t who; /* id << 32 | flow */
    int64_t tag;
};

struct wfq {               /* all 0 but heap to begin with */
    struct wfq_turn *heap; /* the caller's: room for every flow that may wait */
    uint32_t n;
    uint32_t period; /* of busy ones, the number */
    int64_t v;
};

/* The flow, of this number, has a first frame now; it had none. */
void wfq_add(struct wfq *q, struct wfq_flow *f, uint32_t flow, int64_t bytes);
/* Whose frame goes next, without taking it; WFQ_NONE: nobody has one, the busy period is over. */
uint32_t wfq_next(struct wfq *q);
/* That flow's frame is on its way; its next one has so many bytes, 0: it has none. */
void wfq_taken(struct wfq *q, struct wfq_flow *f, int64_t next_bytes);

#endif
