// SPDX-License-Identifier: GPL-3.0-or-later
/* Stages at work: a frame waits for its sender's turn, is sent bit by bit, counted, and under way for the
 * latency.
 *
 * A frame of w bytes takes 8 w / bps; what does not fill a ns is carried on while the stage is busy, so that
 * a second of frames takes a second. */
#include "model/net_inner.h"

static void append(struct net *net, struct net_fifo *q, uint32_t f)
{
    net->frames[f].next = NONE;
    if (q->head == NONE)
        q->head = f;
    else
        net->frames[q->tail].next = f;
    q->tail = f;
}

static uint32_t take(struct net *net, struct net_fifo *q)
{
    uint32_t f = q->head;
    q->head = net->frames[f].next;
    return f;
}

uint32_t net_frame_new(struct net *net, uint32_t route, uint32_t task, uint32_t payload)
{
    uint32_t f = net->free_frame;
    if (f != NONE) {
        net->free_frame = net->frames[f].next;
    } else {
        net_grow(net->frames, net->n_frames, net->cap_frames);
        f = net->n_frames++;
    }
    net->frames[f] = (struct net_frame){
        .route = route,
        .task = task,
        .payload = payload,
        .frames = 1,
        .wire = payload + NET_HEADERS + NET_FRAMING,
    };
    return f;
}

void net_frame_free(struct net *net, uint32_t f)
{
    net->frames[f].route = NONE;
    net->frames[f].next = net->free_frame;
    net->free_frame = f;
}

/* --- sending --- */

static void send(struct net *net, struct net_stage *s, uint32_t f)
{
    int64_t t = (int64_t)net->frames[f].wire * 8 * 1000000000 + s->rest;
    s->rest = t % s->bps;
    s->serving = f;
    sim_at(net->m->sim, sim_now(net->m->sim) + t / s->bps, EVQ_NORMAL, net->ev_sent,
           (uint32_t)(s - net->stages));
}

/* Whose turn it is; nobody's: the stage is idle. */
static void send_next(struct net *net, struct net_stage *s)
{
    uint32_t i = wfq_next(&s->turns);
    if (i == WFQ_NONE) {
        s->serving = NONE;
        s->rest = 0;
        return;
    }
    struct net_flow *fl = &net->flows[i];
    uint32_t f = take(net, &fl->waiting);
    wfq_taken(&s->turns, &fl->turn, fl->waiting.head == NONE ? 0 : net->frames[fl->waiting.head].wire);
    send(net, s, f);
}

static void queue(struct net *net, struct net_stage *s, uint32_t flow, uint32_t f)
{
    struct net_flow *fl = &net->flows[flow];
    bool first = fl->waiting.head == NONE;
    append(net, &fl->waiting, f);
    if (first) wfq_add(&s->turns, &fl->turn, flow, net->frames[f].wire);
    if (s->serving == NONE) send_next(net, s);
}

/* --- passing --- */

static void count(struct book *b, const struct net_frame *f)
{
    book_add(b, REC_N_NET_FRAMES, f->frames);
    book_add(b, REC_N_NET_BYTES, f->payload);
    book_add(b, REC_N_NET_WIRE, f->wire);
}

/* The frame has been sent through. False: its latency begins. */
static bool pass(struct net *net, struct net_stage *s, uint32_t i)
{
    struct net_frame *f = &net->frames[i];
    if (s->dev != NONE) count(&net->m->dev_books[s->dev], f);
    if (f->hop == 0 && !net->routes[f->route].inside) net_left(net, i);
    if (s->latency_ns == 0) {
        f->hop++;
        return true;
    }
    f->at_ns = sim_now(net->m->sim) + s->latency_ns;
    append(net, &s->air, i);
    if (!s->armed) {
        s->armed = true;
        sim_at(net->m->sim, f->at_ns, EVQ_NORMAL, net->ev_came, (uint32_t)(s - net->stages));
    }
    return false;
}

void net_forward(struct net *net, uint32_t i)
{
    for (;;) {
        const struct net_frame *f = &net->frames[i];
        const struct net_route *r = &net->routes[f->route];
        if (f->hop == r->n_hops) {
            net_arrive(net, i);
            return;
        }
        const struct net_hop *h = &net->hops[r->first_hop + f->hop];
        struct net_stage *s = &net->stages[h->stage];
        if (__builtin_expect(s->down, 0)) {
            net_lose(net, i, f->hop > 0 && !r->inside);
            return;
        }
        if (s->bps) {
            queue(net, s, h->flow, i);
            return;
        }
        if (!pass(net, s, i)) return;
    }
}

void net_on_sent(void *ctx, uint32_t stage)
{
    struct net *net = ctx;
    struct net_stage *s = &net->stages[stage];
    uint32_t f = s->serving;
    bool lost = s->lost;
    net_enter(net);
    s->lost = false;
    send_next(net, s);
    if (__builtin_expect(lost, 0))
        net_lose(net, f, net->frames[f].hop > 0 && !net->routes[net->frames[f].route].inside);
    else if (pass(net, s, f))
        net_forward(net, f);
    net_leave(net);
}

void net_on_came(void *ctx, uint32_t stage)
{
    struct net *net = ctx;
    struct net_stage *s = &net->stages[stage];
    int64_t now = sim_now(net->m->sim);
    net_enter(net);
    while (s->air.head != NONE && net->frames[s->air.head].at_ns <= now) {
        uint32_t f = take(net, &s->air);
        net->frames[f].hop++;
        if (__builtin_expect(net->frames[f].lost, 0))
            net_lose(net, f, !net->routes[net->frames[f].route].inside);
        else
            net_forward(net, f);
    }
    s->armed = s->air.head != NONE;
    if (s->armed) sim_at(net->m->sim, net->frames[s->air.head].at_ns, EVQ_NORMAL, net->ev_came, stage);
    net_leave(net);
}
