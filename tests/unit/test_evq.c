// SPDX-License-Identifier: GPL-3.0-or-later
/* The event queue's rules, one by one; test_evq_model holds it against a sorted array. */
#include <check.h>
#include <stdlib.h>

#include "engine/evq_impl.h"
#include "tests/often.h"

Suite *evq_suite(void);

static struct evq *q;

static void setup(void)
{
    q = evq_new();
}

static void teardown(void)
{
    evq_free(q);
}

static struct evq_event pop(void)
{
    struct evq_event ev;
    ck_assert(evq_pop(q, &ev));
    return ev;
}

START_TEST(time_then_priority_then_sequence)
{
    evq_push(q, 20, EVQ_NORMAL, 1, 0);
    evq_push(q, 10, EVQ_LATE, 2, 0);
    evq_push(q, 10, EVQ_NORMAL, 3, 0);
    evq_push(q, 10, EVQ_EARLY, 4, 0);
    evq_push(q, 10, EVQ_NORMAL, 5, 0);
    evq_push(q, 10, EVQ_EARLY, 6, 0);
    ck_assert_int_eq(evq_next_ns(q), 10);
    const uint32_t want[] = {4, 6, 3, 5, 2, 1};
    for (size_t i = 0; i < 6; i++)
        ck_assert_uint_eq(pop().what, want[i]);
    struct evq_event ev;
    ck_assert(!evq_pop(q, &ev));
    ck_assert_int_eq(evq_next_ns(q), INT64_MAX);
}
END_TEST

START_TEST(an_event_comes_back_whole)
{
    evq_push(q, 7, EVQ_NORMAL, 0, 0);
    evq_push(q, INT64_MAX - 1, -8, UINT32_MAX, 0xfedcba98u);
    pop();
    struct evq_event ev = pop();
    ck_assert_int_eq(ev.at_ns, INT64_MAX - 1);
    ck_assert_uint_eq(ev.seq, 2);
    ck_assert_uint_eq(ev.what, UINT32_MAX);
    ck_assert_uint_eq(ev.arg, 0xfedcba98u);
    ck_assert_int_eq(ev.prio, -8);
}
END_TEST

START_TEST(until_leaves_what_is_later)
{
    struct evq_event ev;
    evq_push(q, 5, 0, 1, 0);
    ck_assert(!evq_pop_until(q, 4, &ev));
    ck_assert_uint_eq(evq_pending(q), 1);
    evq_push(q, 3, 0, 2, 0); /* a look ahead does not move time */
    ck_assert(evq_pop_until(q, 4, &ev));
    ck_assert_uint_eq(ev.what, 2);
    ck_assert(evq_pop_until(q, 5, &ev));
    ck_assert_uint_eq(ev.what, 1);
}
END_TEST

START_TEST(a_handle_is_good_once)
{
    evq_handle a = evq_push(q, 5, 0, 1, 0);
    ck_assert(evq_cancel(q, a));
    ck_assert(!evq_cancel(q, a));
    evq_handle b = evq_push(q, 5, 0, 2, 0); /* in the same slot */
    ck_assert_uint_ne(a, b);
    ck_assert(!evq_cancel(q, a));
    ck_assert(!evq_move(q, a, 9));
    ck_assert_uint_eq(pop().what, 2);
    ck_assert(!evq_cancel(q, b));
    ck_assert(!evq_cancel(q, 0));
    ck_assert(!evq_cancel(q, UINT64_MAX));
    ck_assert(!evq_cancel(q, (uint64_t)1 << 32 | 63)); /* a slot nobody had */
}
END_TEST

START_TEST(a_worn_out_slot_is_retired)
{
    evq_handle a = evq_push(q, 1, 0, 1, 0);
    q->slots[(uint32_t)a].gen = UINT32_MAX - 1;
    a = (uint64_t)(UINT32_MAX - 1) << 32 | (uint32_t)a;
    ck_assert(evq_cancel(q, a));
    for (int i = 0; i < 200; i++) {
        evq_handle b = evq_push(q, 1, 0, 1, 0);
        ck_assert_uint_ne((uint32_t)b, (uint32_t)a);
    }
    ck_assert(!evq_cancel(q, a));
    ck_assert_uint_eq(evq_pending(q), 200);
}
END_TEST

START_TEST(a_moved_event_is_the_latest_of_its_time)
{
    evq_handle a = evq_push(q, 5, EVQ_NORMAL, 1, 11);
    evq_push(q, 8, EVQ_NORMAL, 2, 0);
    ck_assert(evq_move(q, a, 8));
    ck_assert_uint_eq(evq_pending(q), 2);
    ck_assert_uint_eq(pop().what, 2);
    ck_assert(evq_move(q, a, 9));
    struct evq_event ev = pop();
    ck_assert_int_eq(ev.at_ns, 9);
    ck_assert_uint_eq(ev.what, 1);
    ck_assert_uint_eq(ev.arg, 11);
    ck_assert_uint_eq(ev.seq, 4);
    ck_assert(!evq_move(q, a, 10));
}
END_TEST

/* A timer set and cancelled 100,000 times over three events that wait: the queue stays as small. */
START_TEST(cancelled_events_do_not_pile_up)
{
    for (int i = 0; i < 3; i++)
        evq_push(q, 1000 + i, 0, 0, 0);
    for (int i = 0; i < 100000; i++) {
        evq_handle h = evq_push(q, 200000 - i, 0, 1, 0);
        bool ok = (i % 2 || evq_move(q, h, 300000 - i)) && evq_cancel(q, h);
        if (!ok) ck_abort_msg("at %d", i); /* ck_assert is too slow for so many that hold */
    }
    ck_assert_uint_eq(q->cap, 64);
    ck_assert_uint_eq(q->n_slots, 64);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pop().at_ns, 1000 + i);
}
END_TEST

/* Every level of the radix part, and the last time there is. */
START_TEST(times_of_every_size)
{
    const struct evq_tuning tune = {.split_at = 8, .join_at = 2, .pull_max = 3, .turn_limit = 1u << 20};
    evq_tune(q, &tune);
    for (int bit = 62; bit >= 0; bit--) {
        evq_push(q, (int64_t)(((uint64_t)1 << bit) - 1), 0, (uint32_t)bit, 0);
        evq_push(q, (int64_t)(((uint64_t)1 << bit) - 1), EVQ_EARLY, 100, 0);
        evq_push(q, INT64_MAX - 1 - bit, 0, 200 + (uint32_t)bit, 0);
    }
    for (uint32_t bit = 0; bit <= 62; bit++) {
        ck_assert_uint_eq(pop().what, 100);
        struct evq_event ev = pop();
        ck_assert_uint_eq(ev.what, bit);
        ck_assert_int_eq(ev.at_ns, (int64_t)(((uint64_t)1 << bit) - 1));
    }
    ck_assert_uint_ne(q->bound, EVQ_NEVER);
    for (uint32_t bit = 63; bit-- > 0;)
        ck_assert_uint_eq(pop().what, 200 + bit);
    ck_assert_uint_eq(evq_pending(q), 0);
}
END_TEST

/* The radix part has looked ahead further than time has come, and then the heap must be split again. */
START_TEST(earlier_than_the_radix_part_has_looked)
{
    const struct evq_tuning tune = {.split_at = 8, .join_at = 2, .pull_max = 3, .turn_limit = 1u << 20};
    evq_tune(q, &tune);
    for (uint32_t i = 0; i < 12; i++)
        evq_push(q, ((int64_t)1 << 40) + ((int64_t)i << 20), 0, 100 + i, 0);
    ck_assert_uint_ne(q->bound, EVQ_NEVER);
    for (uint32_t i = 1; i <= 12; i++)
        evq_push(q, (int64_t)i << 30, 0, i, 0);
    for (uint32_t i = 1; i <= 12; i++)
        ck_assert_uint_eq(pop().what, i);
    for (uint32_t i = 0; i < 12; i++)
        ck_assert_uint_eq(pop().what, 100 + i);
}
END_TEST

/* Events of one instant cannot be split; they still leave in order, and soon. */
START_TEST(a_hundred_thousand_at_one_instant)
{
    for (uint32_t i = 0; i < 100000; i++)
        evq_push(q, 5, i % 3 ? EVQ_NORMAL : EVQ_EARLY, i, 0);
    uint32_t next[2] = {1, 0};
    for (uint32_t i = 0; i < 100000; i++) {
        struct evq_event ev = pop();
        bool early = ev.prio == EVQ_EARLY;
        ck_often(early == (i < 33334) && ev.what == next[early]);
        next[early] += early || ev.what % 3 == 2 ? (early ? 3 : 2) : 1;
    }
}
END_TEST

START_TEST(the_past_is_refused)
{
    evq_push(q, 5, 0, 0, 0);
    pop();
    evq_push(q, 4, 0, 0, 0);
}
END_TEST

Suite *evq_suite(void)
{
    Suite *s = suite_create("evq");
    TCase *t = tcase_create("evq");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, time_then_priority_then_sequence);
    tcase_add_test(t, an_event_comes_back_whole);
    tcase_add_test(t, until_leaves_what_is_later);
    tcase_add_test(t, a_handle_is_good_once);
    tcase_add_test(t, a_worn_out_slot_is_retired);
    tcase_add_test(t, a_moved_event_is_the_latest_of_its_time);
    tcase_add_test(t, cancelled_events_do_not_pile_up);
    tcase_add_test(t, times_of_every_size);
    tcase_add_test(t, earlier_than_the_radix_part_has_looked);
    tcase_add_test(t, a_hundred_thousand_at_one_instant);
    tcase_add_test_raise_signal(t, the_past_is_refused, 6 /* SIGABRT */);
    suite_add_tcase(s, t);
    return s;
}
