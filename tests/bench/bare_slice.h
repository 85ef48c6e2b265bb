// SPDX-License-Identifier: GPL-3.0-or-later
/* bare_slice.h - the least that time slicing costs, without a model around it: 4 pCPUs, 16 vCPUs, a round
 * robin of its own on each pCPU, idle ones taking from the longest queue, and the accounting nobody can do
 * without: how long each vCPU ran, waited (and at most), slept, each pCPU switched and was idle, and how many
 * waited on average.
 *
 * bare_slice: all have work for ever; the event list is the ends of four slices. About 13 ns a slice on the
 * reference machine.
 * bare_block: each works for an exponential time and then sleeps for one; the event list is the ends of
 * slices and the wake-ups. About 40 ns an event. */
#ifndef VLAB_TESTS_BARE_SLICE_H
#define VLAB_TESTS_BARE_SLICE_H

#include "base/draw.h"
#include "bare_heap.h"

enum { BARE_PCPUS = 4, BARE_VCPUS = 16 };

#define BARE_SLICE_NS  10000000
#define BARE_SWITCH_NS 2000
/* On average 4 of the 16 want to run: the overcommitted host on which who waits is a matter of luck. */
#define BARE_BURST_NS 10e6
#define BARE_SLEEP_NS 30e6

struct bare_vcpu {
    int64_t ran_ns, waited_ns, slept_ns, longest_wait_ns;
    int64_t since_ns; /* in its state */
    int64_t left_ns;  /* of its burst */
    struct rng rng;   /* a stream of its own */
    uint64_t slices;
    uint32_t by_length[2][64]; /* slices and waits by the power of two: the least that tells a distribution */
};

struct bare_pcpu {
    uint32_t vcpu;
    int64_t slice_ns; /* of the slice under way */
    int64_t switch_ns, idle_ns, idle_since_ns;
    uint64_t switches;
    uint32_t head, n;
    uint32_t ring[BARE_VCPUS]; /* who waits here */
};

struct bare_slice {
    struct bare_heap events; /* payload: a pCPU, or BARE_PCPUS + a vCPU that wakes */
    struct bare_pcpu pcpus[BARE_PCPUS];
    struct bare_vcpu vcpus[BARE_VCPUS];
    uint32_t n;            /* who wait */
    int64_t level_ns;      /* n is so since then */
    uint64_t waiting_area; /* its integral over units of 1024 ns */
    uint32_t idle;         /* bit p: pCPU p is */
    bool for_ever;
    struct dist burst, sleep; /* the lab's own draws: they must not tell between the two sides */
};

static inline int bare_power(int64_t ns)
{
    return 63 - __builtin_clzll((uint64_t)ns | 1);
}

static inline void bare_level(struct bare_slice *s, int64_t now)
{
    s->waiting_area += s->n * ((uint64_t)(now - s->level_ns) / 1024);
    s->level_ns = now;
}

static inline void bare_enqueue(struct bare_slice *s, uint32_t k, uint32_t v)
{
    struct bare_pcpu *p = &s->pcpus[k];
    p->ring[(p->head + p->n++) % BARE_VCPUS] = v;
    s->n++;
}

static inline uint32_t bare_shortest(const struct bare_slice *s)
{
    uint32_t a = s->pcpus[1].n < s->pcpus[0].n, b = 2 + (s->pcpus[3].n < s->pcpus[2].n);
    return s->pcpus[b].n < s->pcpus[a].n ? b : a;
}

static inline uint32_t bare_longest(const struct bare_slice *s)
{
    uint32_t a = s->pcpus[1].n > s->pcpus[0].n, b = 2 + (s->pcpus[3].n > s->pcpus[2].n);
    return s->pcpus[b].n > s->pcpus[a].n ? b : a;
}

/* Somebody waits, here or elsewhere: the first of them runs on pCPU k from now on, after the switch. */
static inline void bare_dispatch(struct bare_slice *s, uint32_t k, int64_t now)
{
    struct bare_pcpu *p = &s->pcpus[k], *from = p->n ? p : &s->pcpus[bare_longest(s)];
    p->vcpu = from->ring[from->head];
    from->head = (from->head + 1) % BARE_VCPUS;
    from->n--;
    s->n--;
    struct bare_vcpu *c = &s->vcpus[p->vcpu];
    int64_t starts = now + BARE_SWITCH_NS, waited = starts - c->since_ns;
    p->switch_ns += BARE_SWITCH_NS;
    p->switches++;
    c->waited_ns += waited;
    c->by_length[1][bare_power(waited)]++;
    if (waited > c->longest_wait_ns) c->longest_wait_ns = waited;
    c->since_ns = starts;
    c->slices++;
    p->slice_ns = s->for_ever || c->left_ns > BARE_SLICE_NS ? BARE_SLICE_NS : c->left_ns;
    bare_heap_push(&s->events, (struct bare_item){(uint64_t)(starts + p->slice_ns), k});
}

static inline void bare_wake(struct bare_slice *s, uint32_t v, int64_t now)
{
    struct bare_vcpu *c = &s->vcpus[v];
    bare_level(s, now);
    c->slept_ns += now - c->since_ns;
    c->since_ns = now;
    c->left_ns = 1 + draw_amount(&s->burst, &c->rng, NULL, 0);
    uint32_t k = s->idle ? (uint32_t)__builtin_ctz(s->idle) : bare_shortest(s);
    bare_enqueue(s, k, v);
    if (!s->idle) return;
    s->idle &= s->idle - 1;
    s->pcpus[k].idle_ns += now - s->pcpus[k].idle_since_ns;
    bare_dispatch(s, k, now);
}

static inline void bare_slice_end(struct bare_slice *s, uint32_t k, int64_t now)
{
    struct bare_pcpu *p = &s->pcpus[k];
    struct bare_vcpu *c = &s->vcpus[p->vcpu];
    bare_level(s, now);
    c->ran_ns += now - c->since_ns;
    c->by_length[0][bare_power(now - c->since_ns)]++;
    c->since_ns = now;
    c->left_ns -= p->slice_ns;
    if (s->for_ever || c->left_ns > 0) {
        bare_enqueue(s, k, p->vcpu);
    } else {
        int64_t at = now + 1 + draw_amount(&s->sleep, &c->rng, NULL, 0);
        bare_heap_push(&s->events, (struct bare_item){(uint64_t)at, BARE_PCPUS + p->vcpu});
    }
    if (s->n) {
        bare_dispatch(s, k, now);
    } else {
        s->idle |= 1u << k;
        p->idle_since_ns = now;
    }
}

static struct bare_slice *bare_vcpus_new(bool for_ever)
{
    struct bare_slice *s = calloc(1, sizeof *s);
    if (!s) abort();
    s->burst = (struct dist){.kind = DIST_EXPONENTIAL, .a = (int64_t)BARE_BURST_NS};
    s->sleep = (struct dist){.kind = DIST_EXPONENTIAL, .a = (int64_t)BARE_SLEEP_NS};
    if (draw_make(&s->burst) || draw_make(&s->sleep)) abort();
    bare_heap_init(&s->events, BARE_PCPUS + BARE_VCPUS);
    s->for_ever = for_ever;
    s->idle = (1u << BARE_PCPUS) - 1;
    for (uint32_t v = 0; v < BARE_VCPUS; v++) {
        s->vcpus[v].rng = rng_at(1, v, 0);
        bare_wake(s, v, v * 700001); /* not all at once */
    }
    return s;
}

static void *bare_slice_new(uint64_t size)
{
    (void)size;
    return bare_vcpus_new(true);
}

static void *bare_block_new(uint64_t size)
{
    (void)size;
    return bare_vcpus_new(false);
}

static void bare_slice_free(void *st)
{
    free(((struct bare_slice *)st)->events.block);
    free(st);
}

/* n slices end. */
BENCH_NOINLINE static void bare_slice_run(void *st, uint64_t n)
{
    struct bare_slice *s = st;
    while (n--) {
        struct bare_item it = bare_heap_pop(&s->events);
        bare_slice_end(s, (uint32_t)it.payload, (int64_t)it.at);
    }
}

/* n events: ends of slices, blocks, wake-ups. */
BENCH_NOINLINE static void bare_block_run(void *st, uint64_t n)
{
    struct bare_slice *s = st;
    while (n--) {
        struct bare_item it = bare_heap_pop(&s->events);
        if (it.payload < BARE_PCPUS)
            bare_slice_end(s, (uint32_t)it.payload, (int64_t)it.at);
        else
            bare_wake(s, (uint32_t)it.payload - BARE_PCPUS, (int64_t)it.at);
    }
}

#endif
