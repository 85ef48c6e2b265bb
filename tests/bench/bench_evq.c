// SPDX-License-Identifier: GPL-3.0-or-later
/* The event queue alone, in the hold model: so many pending, and over and over the next one leaves and one
 * is pushed a random time later. Held against bare code that keeps no order among equal times. */
#include "bare_hold.h"
#include "engine/evq.h"

struct hold {
    struct evq *q;
    uint64_t rng;
    evq_handle timer; /* of cancel_run */
};

static void *hold_new(uint64_t size)
{
    struct hold *h = calloc(1, sizeof *h);
    if (!h) abort();
    h->q = evq_new();
    h->rng = 1;
    for (uint64_t i = 0; i < size; i++)
        evq_push(h->q, (int64_t)(bench_random(&h->rng) >> 32), EVQ_NORMAL, 0, (uint32_t)i);
    return h;
}

static void hold_free(void *st)
{
    evq_free(((struct hold *)st)->q);
    free(st);
}

BENCH_NOINLINE static void hold_run(void *st, uint64_t n)
{
    struct hold *h = st;
    struct evq_event ev;
    while (n--) {
        evq_pop(h->q, &ev);
        evq_push(h->q, ev.at_ns + (int64_t)(bench_random(&h->rng) >> 32), EVQ_NORMAL, ev.what, ev.arg);
    }
}

/* Beside each hold a timer is set, and the one set before is cancelled before it is due. */
BENCH_NOINLINE static void cancel_run(void *st, uint64_t n)
{
    struct hold *h = st;
    struct evq_event ev;
    while (n--) {
        evq_pop(h->q, &ev);
        evq_push(h->q, ev.at_ns + (int64_t)(bench_random(&h->rng) >> 32), EVQ_NORMAL, ev.what, ev.arg);
        if (h->timer) evq_cancel(h->q, h->timer);
        h->timer = evq_push(h->q, ev.at_ns + (1ll << 32), EVQ_NORMAL, 0, 0);
    }
}

/* The same with the timer moved. */
BENCH_NOINLINE static void move_run(void *st, uint64_t n)
{
    struct hold *h = st;
    struct evq_event ev;
    while (n--) {
        evq_pop(h->q, &ev);
        evq_push(h->q, ev.at_ns + (int64_t)(bench_random(&h->rng) >> 32), EVQ_NORMAL, ev.what, ev.arg);
        if (!h->timer || !evq_move(h->q, h->timer, ev.at_ns + (1ll << 32)))
            h->timer = evq_push(h->q, ev.at_ns + (1ll << 32), EVQ_NORMAL, 0, 0);
    }
}

#define OWN(run)   hold_new, run, hold_free
#define HEAP_BARE  bare_heap_new, bare_heap_run, bare_heap_free
#define RADIX_BARE bare_radix_new, bare_radix_run, bare_radix_free

int main(int argc, char **argv)
{
    static const struct bench_figure figs[] = {
        {"hold-1", OWN(hold_run), HEAP_BARE, 1, 500000, 0, 0, NULL},
        {"hold-4", OWN(hold_run), HEAP_BARE, 4, 500000, 0, 0, NULL},
        {"hold-16", OWN(hold_run), HEAP_BARE, 16, 500000, 0, 0, NULL},
        {"hold-32", OWN(hold_run), HEAP_BARE, 32, 500000, 0, 0, NULL},
        {"hold-100", OWN(hold_run), HEAP_BARE, 100, 500000, 1.6, 22, NULL},
        {"hold-10k", OWN(hold_run), HEAP_BARE, 10000, 500000, 2.2, 27, NULL},
        {"hold-1M", OWN(hold_run), RADIX_BARE, 1000000, 2000000, 3.0, 52, NULL},
        {"hold-cancel-16", OWN(cancel_run), HEAP_BARE, 16, 500000, 0, 0, NULL},
        {"hold-move-16", OWN(move_run), HEAP_BARE, 16, 500000, 0, 0, NULL},
    };
    return bench_main(argc, argv, figs, sizeof figs / sizeof figs[0]);
}
