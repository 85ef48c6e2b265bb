// SPDX-License-Identifier: GPL-3.0-or-later
/* bare_slice.h - the least that time slicing costs, without a model around it: 4 pCPUs, 16 vCPUs, each pCPU
 * with its own round robin of four, and how long each vCPU ran and waited.
 *
 * bare_slice: all have work for ever. The event list is four times, one a pCPU. About 13 ns a slice on the
 * reference machine.
 * bare_block: each works for an exponential time and then sleeps for one; the event list is a heap of slice
 * ends and wake-ups. About 40 ns an event. */
#ifndef VLAB_TESTS_BARE_SLICE_H
#define VLAB_TESTS_BARE_SLICE_H

#include "bare_exp.h"
#include "bare_heap.h"

enum { BARE_PCPUS = 4, BARE_VCPUS = 16, BARE_NOBODY = 255 };

#define BARE_SLICE_NS  10000000
#define BARE_SWITCH_NS 2000
#define BARE_BURST_NS  5e6
#define BARE_SLEEP_NS  5e6

struct bare_vcpu {
    int64_t ran_ns, waited_ns, slept_ns;
    int64_t since_ns; /* in its state */
    int64_t left_ns;  /* of its burst; bare_block alone */
    uint64_t slices;
};

/* A ring of waiting vCPUs. */
struct bare_pcpu {
    uint32_t head, n;
    uint8_t ring[BARE_VCPUS];
    uint8_t running; /* BARE_NOBODY: idle */
    int64_t idle_ns, idle_since_ns, switch_ns;
    int64_t slice_ns; /* of the slice under way */
};

struct bare_slice {
    int64_t end_ns[BARE_PCPUS];
    struct bare_pcpu pcpus[BARE_PCPUS];
    struct bare_vcpu vcpus[BARE_VCPUS];
    struct bare_exp e;
    struct bare_heap events; /* bare_block alone; payload: a pCPU, or BARE_PCPUS + a vCPU that wakes */
};

static inline void bare_enqueue(struct bare_pcpu *p, uint32_t v)
{
    p->ring[(p->head + p->n++) % BARE_VCPUS] = (uint8_t)v;
}

static inline uint32_t bare_dequeue(struct bare_pcpu *p)
{
    uint32_t v = p->ring[p->head];
    p->head = (p->head + 1) % BARE_VCPUS;
    p->n--;
    return v;
}

/* The next in the ring runs from now on, after the switch. */
static inline void bare_dispatch(struct bare_slice *s, struct bare_pcpu *p, int64_t now)
{
    uint32_t v = bare_dequeue(p);
    struct bare_vcpu *c = &s->vcpus[v];
    p->running = (uint8_t)v;
    p->switch_ns += BARE_SWITCH_NS;
    c->waited_ns += now + BARE_SWITCH_NS - c->since_ns;
    c->since_ns = now + BARE_SWITCH_NS;
    c->slices++;
}

static inline void bare_charge(struct bare_vcpu *c, int64_t now)
{
    c->ran_ns += now - c->since_ns;
    c->since_ns = now;
}

static void *bare_slice_new(uint64_t size)
{
    (void)size;
    struct bare_slice *s = calloc(1, sizeof *s);
    if (!s) abort();
    bare_exp_init(&s->e, 1);
    for (uint32_t v = 0; v < BARE_VCPUS; v++)
        bare_enqueue(&s->pcpus[v % BARE_PCPUS], v);
    for (uint32_t p = 0; p < BARE_PCPUS; p++) {
        bare_dispatch(s, &s->pcpus[p], 0);
        s->end_ns[p] = BARE_SLICE_NS + (int64_t)p * 1000003; /* not all at once */
    }
    return s;
}

static void bare_slice_free(void *st)
{
    free(st);
}

/* n slices end. */
BENCH_NOINLINE static void bare_slice_run(void *st, uint64_t n)
{
    struct bare_slice *s = st;
    while (n--) {
        uint32_t a = s->end_ns[1] < s->end_ns[0], b = 2 + (s->end_ns[3] < s->end_ns[2]);
        uint32_t k = s->end_ns[b] < s->end_ns[a] ? b : a;
        struct bare_pcpu *p = &s->pcpus[k];
        int64_t now = s->end_ns[k];
        bare_charge(&s->vcpus[p->running], now);
        bare_enqueue(p, p->running);
        bare_dispatch(s, p, now);
        s->end_ns[k] = now + BARE_SWITCH_NS + BARE_SLICE_NS;
    }
}

static inline void bare_block_start(struct bare_slice *s, uint32_t k, int64_t now)
{
    struct bare_pcpu *p = &s->pcpus[k];
    bare_dispatch(s, p, now);
    int64_t left = s->vcpus[p->running].left_ns;
    p->slice_ns = left < BARE_SLICE_NS ? left : BARE_SLICE_NS;
    int64_t end = now + BARE_SWITCH_NS + p->slice_ns;
    bare_heap_push(&s->events, (struct bare_item){(uint64_t)end, k});
}

static inline void bare_block_wake(struct bare_slice *s, uint32_t v, int64_t now)
{
    struct bare_vcpu *c = &s->vcpus[v];
    struct bare_pcpu *p = &s->pcpus[v % BARE_PCPUS];
    c->slept_ns += now - c->since_ns;
    c->since_ns = now;
    c->left_ns = 1 + (int64_t)(bare_exp_draw(&s->e) * BARE_BURST_NS);
    bare_enqueue(p, v);
    if (p->running != BARE_NOBODY) return;
    p->idle_ns += now - p->idle_since_ns;
    bare_block_start(s, v % BARE_PCPUS, now);
}

static inline void bare_block_end(struct bare_slice *s, uint32_t k, int64_t now)
{
    struct bare_pcpu *p = &s->pcpus[k];
    uint32_t v = p->running;
    struct bare_vcpu *c = &s->vcpus[v];
    bare_charge(c, now);
    c->left_ns -= p->slice_ns;
    if (c->left_ns > 0) {
        bare_enqueue(p, v);
    } else {
        int64_t at = now + 1 + (int64_t)(bare_exp_draw(&s->e) * BARE_SLEEP_NS);
        bare_heap_push(&s->events, (struct bare_item){(uint64_t)at, BARE_PCPUS + v});
    }
    if (p->n) {
        bare_block_start(s, k, now);
    } else {
        p->running = BARE_NOBODY;
        p->idle_since_ns = now;
    }
}

static void *bare_block_new(uint64_t size)
{
    struct bare_slice *s = calloc(1, sizeof *s);
    if (!s) abort();
    bare_exp_init(&s->e, size + 1);
    bare_heap_init(&s->events, BARE_PCPUS + BARE_VCPUS);
    for (uint32_t k = 0; k < BARE_PCPUS; k++)
        s->pcpus[k].running = BARE_NOBODY;
    for (uint32_t v = 0; v < BARE_VCPUS; v++)
        bare_block_wake(s, v, 0);
    return s;
}

static void bare_block_free(void *st)
{
    free(((struct bare_slice *)st)->events.block);
    free(st);
}

/* n events: ends of slices, blocks, wake-ups. */
BENCH_NOINLINE static void bare_block_run(void *st, uint64_t n)
{
    struct bare_slice *s = st;
    while (n--) {
        struct bare_item it = bare_heap_pop(&s->events);
        if (it.payload < BARE_PCPUS)
            bare_block_end(s, (uint32_t)it.payload, (int64_t)it.at);
        else
            bare_block_wake(s, (uint32_t)it.payload - BARE_PCPUS, (int64_t)it.at);
    }
}

#endif
