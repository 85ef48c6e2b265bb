// SPDX-License-Identifier: GPL-3.0-or-later
/* Stages at work: a frame waits for its sender's turn, is sent bit by bit, and is under way for the latency.
 * A frame of w bytes on the wire takes 8 w / bps; what does not fill a ns is carried on while the stage is
 * busy, so that a second of frames takes a second. */
#include "kvm/switch/core.h"

static const struct {
    uint8_t n, stage[3];
} ways[CORE_NWAYS] = {
    [CORE_INSIDE] = {1, {CORE_FABRIC}},
    [CORE_OUTWARD] = {3, {CORE_NIC_OUT, CORE_FABRIC, CORE_UP}},
    [CORE_INWARD] = {3, {CORE_DOWN, CORE_FABRIC, CORE_NIC_IN}},
};

static void append(struct core *c, struct core_fifo *q, uint32_t f)
{
    c->frames[f].next = CORE_NONE;
    if (q->head == CORE_NONE)
        q->head = f;
    else
        c->frames[q->tail].next = f;
    q->tail = f;
}

static uint32_t take(struct core *c, struct core_fifo *q)
{
    uint32_t f = q->head;
    q->head = c->frames[f].next;
    return f;
}

void core_stage_init(struct core *c)
{
    const struct net_link of[CORE_NSTAGES] = {
        [CORE_FABRIC] = c->cfg.fabric, [CORE_NIC_OUT] = c->cfg.nic, [CORE_UP] = c->cfg.up,
        [CORE_DOWN] = c->cfg.up,       [CORE_NIC_IN] = c->cfg.nic,
    };
    for (uint32_t i = 0; i < CORE_NSTAGES; i++) {
        struct core_stage *s = &c->stage[i];
        s->bps = of[i].bps;
        /* Of the wires between the host and the switch above it there is one latency each, the NIC's. */
        s->latency_ns = i == CORE_UP || i == CORE_DOWN ? 0 : of[i].latency_ns;
        s->serving = CORE_NONE;
        s->air.head = CORE_NONE;
        s->turns.heap = s->heap;
        for (uint32_t p = 0; p < c->n_all; p++) {
            s->waiting[p].head = CORE_NONE;
            s->flow[p] =
                (struct wfq_flow){.id = p, .weight = p < c->cfg.n_ports ? c->cfg.port[p].weight : 1000};
        }
    }
}

static int64_t wire(const struct core *c, uint32_t f)
{
    return (int64_t)c->frames[f].len + NET_ON_WIRE;
}

static void send(struct core *c, struct core_stage *s, uint32_t f, int64_t now)
{
    __int128 t = (__int128)wire(c, f) * 8 * 1000000000 + s->rest;
    s->rest = (int64_t)(t % s->bps);
    s->serving = f;
    if (__builtin_add_overflow(now, (int64_t)(t / s->bps), &s->end_ns)) s->end_ns = INT64_MAX;
}

/* Whose turn it is; nobody's: the stage is idle. */
static void send_next(struct core *c, struct core_stage *s, int64_t now)
{
    uint32_t p = wfq_next(&s->turns);
    if (p == WFQ_NONE) {
        s->serving = CORE_NONE;
        s->rest = 0;
        return;
    }
    uint32_t f = take(c, &s->waiting[p]), next = s->waiting[p].head;
    wfq_taken(&s->turns, &s->flow[p], next == CORE_NONE ? 0 : wire(c, next));
    send(c, s, f, now);
}

static void queue(struct core *c, struct core_stage *s, uint32_t f, int64_t now)
{
    uint32_t p = c->frames[f].from;
    bool first = s->waiting[p].head == CORE_NONE;
    append(c, &s->waiting[p], f);
    if (first) wfq_add(&s->turns, &s->flow[p], p, wire(c, f));
    if (s->serving == CORE_NONE) send_next(c, s, now);
}

/* It has been sent through stage s at `now`. False: its latency begins. */
static bool pass(struct core *c, struct core_stage *s, uint32_t f, int64_t now)
{
    struct core_frame *x = &c->frames[f];
    uint32_t id = (uint32_t)(s - c->stage);
    const uint8_t *bytes = c->bytes + (size_t)f * c->cfg.frame_max;
    if (id == CORE_FABRIC) core_count(&c->ctl->fabric, bytes, x->len);
    if (id == CORE_NIC_OUT || id == CORE_NIC_IN) core_count(&c->ctl->nic, bytes, x->len);
    if (id == CORE_NIC_OUT) core_left(c, f);
    if (s->latency_ns == 0) {
        x->hop++;
        return true;
    }
    if (__builtin_add_overflow(now, s->latency_ns, &x->at_ns)) x->at_ns = INT64_MAX;
    append(c, &s->air, f);
    return false;
}

void core_forward(struct core *c, uint32_t f, int64_t now)
{
    for (;;) {
        const struct core_frame *x = &c->frames[f];
        if (x->hop == ways[x->way].n) {
            core_arrive(c, f);
            return;
        }
        struct core_stage *s = &c->stage[ways[x->way].stage[x->hop]];
        if (s->bps) {
            queue(c, s, f, now);
            return;
        }
        if (!pass(c, s, f, now)) return;
    }
}

/* The next thing that happens at a stage. */
static int64_t due(const struct core *c, const struct core_stage *s)
{
    int64_t end = s->serving == CORE_NONE ? INT64_MAX : s->end_ns;
    int64_t air = s->air.head == CORE_NONE ? INT64_MAX : c->frames[s->air.head].at_ns;
    return end < air ? end : air;
}

static struct core_stage *first_due(struct core *c)
{
    struct core_stage *first = &c->stage[0];
    for (uint32_t i = 1; i < CORE_NSTAGES; i++)
        if (due(c, &c->stage[i]) < due(c, first)) first = &c->stage[i];
    return first;
}

int64_t core_due(const struct core *c)
{
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < CORE_NSTAGES; i++) {
        int64_t t = due(c, &c->stage[i]);
        if (t < first) first = t;
    }
    return first;
}

void core_run(struct core *c, int64_t now)
{
    for (;;) {
        struct core_stage *s = first_due(c);
        int64_t t = due(c, s);
        if (t > now || t == INT64_MAX) return;
        if (s->serving != CORE_NONE && s->end_ns == t) {
            uint32_t f = s->serving;
            send_next(c, s, t);
            if (pass(c, s, f, t)) core_forward(c, f, t);
        } else {
            uint32_t f = take(c, &s->air);
            c->frames[f].hop++;
            core_forward(c, f, t);
        }
    }
}
