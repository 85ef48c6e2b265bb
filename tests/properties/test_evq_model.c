// SPDX-License-Identifier: GPL-3.0-or-later
/* The event queue against a plain sorted array: the same events in the same order, whatever is pushed,
 * moved and cancelled, with many at one time, in the heap, in the radix part and between the two. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/evq_impl.h"

Suite *evq_model_suite(void);

/* Check writes to a pipe at every ck_assert that holds; these hold ten million times. */
#define MUST(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond)) ck_abort_msg("%s", #cond);                                                              \
    } while (0)

struct item {
    struct evq_event ev;
    evq_handle h;
};

/* The reference: sorted, next last. */
struct ref {
    struct item *items;
    size_t n, cap;
};

static bool leaves_before(const struct evq_event *a, const struct evq_event *b)
{
    if (a->at_ns != b->at_ns) return a->at_ns < b->at_ns;
    if (a->prio != b->prio) return a->prio > b->prio;
    return a->seq < b->seq;
}

static void ref_push(struct ref *r, struct item it)
{
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 64;
        r->items = realloc(r->items, r->cap * sizeof *r->items);
        MUST(r->items);
    }
    size_t lo = 0, hi = r->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (leaves_before(&it.ev, &r->items[mid].ev))
            lo = mid + 1;
        else
            hi = mid;
    }
    memmove(&r->items[lo + 1], &r->items[lo], (r->n - lo) * sizeof *r->items);
    r->items[lo] = it;
    r->n++;
}

static struct item ref_take(struct ref *r, size_t i)
{
    struct item it = r->items[i];
    r->n--;
    memmove(&r->items[i], &r->items[i + 1], (r->n - i) * sizeof *r->items);
    return it;
}

enum { N_GONE = 64 };

struct trial {
    struct evq *q;
    struct ref ref;
    struct rng rng;
    uint64_t seq;
    int64_t now;
    int64_t spread_ns;       /* events lie up to so far ahead */
    evq_handle gone[N_GONE]; /* the handles that went last */
    size_t n_gone;
    size_t pops, cancels, moves;
};

static uint32_t below(struct trial *t, uint32_t n)
{
    return (uint32_t)(((uint64_t)rng_u32(&t->rng) * n) >> 32);
}

/* Mostly spread out, often at a time that is taken, sometimes now or far away. */
static int64_t some_time(struct trial *t)
{
    switch (below(t, 8)) {
    case 0: return t->now;
    case 1: return t->ref.n ? t->ref.items[below(t, (uint32_t)t->ref.n)].ev.at_ns : t->now + 1;
    case 2: return t->now + ((int64_t)below(t, 1u << 20) << below(t, 30));
    default: return t->now + (int64_t)(((uint64_t)rng_u32(&t->rng) * (uint64_t)t->spread_ns) >> 32);
    }
}

static void do_push(struct trial *t)
{
    struct item it = {.ev = {.at_ns = some_time(t), .seq = ++t->seq}};
    it.ev.prio = (int8_t)(below(t, 4) ? 0 : (int)below(t, 16) - 8);
    it.ev.what = rng_u32(&t->rng);
    it.ev.arg = rng_u32(&t->rng);
    it.h = evq_push(t->q, it.ev.at_ns, it.ev.prio, it.ev.what, it.ev.arg);
    MUST(it.h != 0);
    ref_push(&t->ref, it);
}

static void went(struct trial *t, evq_handle h)
{
    t->gone[t->n_gone++ % N_GONE] = h;
}

static void do_pop(struct trial *t)
{
    struct evq_event ev;
    if (t->ref.n == 0) {
        MUST(!evq_pop(t->q, &ev));
        return;
    }
    struct item it = t->ref.items[t->ref.n - 1];
    if (below(t, 4) == 0) MUST(evq_next_ns(t->q) == it.ev.at_ns);
    if (below(t, 8) == 0) MUST(!evq_pop_until(t->q, it.ev.at_ns - 1, &ev));
    MUST(evq_pop_until(t->q, it.ev.at_ns + below(t, 2), &ev));
    MUST(ev.at_ns == it.ev.at_ns);
    MUST(ev.seq == it.ev.seq);
    MUST(ev.what == it.ev.what);
    MUST(ev.arg == it.ev.arg);
    MUST(ev.prio == it.ev.prio);
    went(t, ref_take(&t->ref, t->ref.n - 1).h);
    t->now = ev.at_ns;
    t->pops++;
}

static void do_cancel(struct trial *t)
{
    if (t->n_gone && below(t, 4) == 0) { /* popped or cancelled before, and its slot perhaps in use again */
        evq_handle h = t->gone[below(t, (uint32_t)(t->n_gone < N_GONE ? t->n_gone : N_GONE))];
        MUST(!evq_cancel(t->q, h));
        MUST(!evq_move(t->q, h, t->now + 5));
    }
    if (t->ref.n == 0) return;
    size_t i = below(t, 3) ? below(t, (uint32_t)t->ref.n) : t->ref.n - 1;
    struct item it = ref_take(&t->ref, i);
    if (below(t, 3) == 0) {
        it.ev.at_ns = some_time(t);
        it.ev.seq = ++t->seq;
        MUST(evq_move(t->q, it.h, it.ev.at_ns));
        ref_push(&t->ref, it);
        t->moves++;
        return;
    }
    MUST(evq_cancel(t->q, it.h));
    if (below(t, 2)) MUST(!evq_cancel(t->q, it.h));
    went(t, it.h);
    t->cancels++;
}

/* n operations about a number pending that wanders between 0 and `crowd`. */
static void run_trial(uint64_t seed, const struct evq_tuning *tune, size_t n, uint32_t crowd,
                      int64_t spread_ns)
{
    struct trial t = {.q = evq_new(), .rng = {rng_mix(seed), 2 * seed + 1}, .spread_ns = spread_ns};
    if (tune) evq_tune(t.q, tune);
    uint32_t aim = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % (n / 16 + 1) == 0) aim = below(&t, 4) ? below(&t, crowd + 1) : 0;
        uint32_t k = below(&t, 16);
        if (k < 3)
            do_cancel(&t);
        else if (k < (t.ref.n < aim ? 13u : 8u))
            do_push(&t);
        else
            do_pop(&t);
        MUST(evq_pending(t.q) == t.ref.n);
        /* Memory follows what is pending: dead items never outnumber it by more than a few. */
        MUST(t.q->dead <= t.ref.n + 9);
    }
    while (t.ref.n)
        do_pop(&t);
    struct evq_event ev;
    MUST(!evq_pop(t.q, &ev));
    MUST(evq_next_ns(t.q) == INT64_MAX);
    MUST(t.pops > n / 8);
    MUST(t.cancels > n / 32);
    MUST(t.moves > n / 64);
    free(t.ref.items);
    evq_free(t.q);
}

START_TEST(small_as_it_is)
{
    for (uint64_t seed = 1; seed <= 30; seed++)
        run_trial(seed, NULL, 15000, 20, 100 + (int64_t)seed * 1000);
}
END_TEST

/* The switch to the radix part and back at a few dozen events, buckets of a few, turns that run out. */
START_TEST(rare_paths_made_common)
{
    struct evq_tuning tune = {.split_at = 40, .join_at = 12, .pull_max = 4, .turn_limit = 1500};
    for (uint64_t seed = 1; seed <= 24; seed++)
        run_trial(seed * 1000, &tune, 15000, 250, (int64_t)1 << (2 * seed));
    tune = (struct evq_tuning){.split_at = 500, .join_at = 400, .pull_max = 100, .turn_limit = 5000};
    for (uint64_t seed = 1; seed <= 8; seed++)
        run_trial(seed * 7777, &tune, 30000, 2000, (int64_t)1 << (4 * seed));
}
END_TEST

/* As it is, across the switch in both directions: 60,000 pending, then none, again and again. */
START_TEST(large_as_it_is)
{
    struct evq *q = evq_new();
    struct rng r = {.state = 11, .inc = 1};
    size_t n = 0, split = 0, joined = 0;
    bool was_split = false;
    struct evq_event prev = {.at_ns = 0}, ev;
    for (int round = 0; round < 3; round++) {
        while (n < 60000) {
            int64_t at = prev.at_ns + (int64_t)(rng_u32(&r) >> (round * 6));
            evq_push(q, at, rng_u32(&r) % 3 == 0 ? EVQ_EARLY : EVQ_NORMAL, 0, 0);
            n++;
            if (rng_u32(&r) % 4 == 0) {
                MUST(evq_pop(q, &ev));
                MUST(ev.at_ns >= prev.at_ns);
                prev = ev;
                n--;
            }
        }
        for (; n > 0; n--) {
            MUST(evq_pop(q, &ev));
            MUST(ev.seq == prev.seq || leaves_before(&prev, &ev));
            prev = ev;
            bool is_split = q->bound != EVQ_NEVER;
            split += is_split && !was_split;
            joined += was_split && !is_split;
            was_split = is_split;
        }
        MUST(!evq_pop(q, &ev));
    }
    MUST(split == 3);
    MUST(joined == 3);
    evq_free(q);
}
END_TEST

Suite *evq_model_suite(void)
{
    Suite *s = suite_create("evq against a sorted array");
    TCase *t = tcase_create("evq_model");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, small_as_it_is);
    tcase_add_test(t, rare_paths_made_common);
    tcase_add_test(t, large_as_it_is);
    suite_add_tcase(s, t);
    return s;
}
