// SPDX-License-Identifier: GPL-3.0-or-later
/* The VMM's end of a ring: what a guest may write there, and what no guest may. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/vmm/ring.h"

Suite *ring_suite(void);

struct lab {
    struct abi_ring *shared;
    struct ring r;
    const char *why;
};

static struct lab new_lab(void)
{
    struct lab l = {.shared = aligned_alloc(64, ABI_RING_BYTES)};
    memset(l.shared, 0, ABI_RING_BYTES);
    ring_init(&l.r, l.shared);
    return l;
}

static void put(struct lab *l, uint32_t tag)
{
    struct abi_ring *s = l->shared;
    s->sub[s->sub_head % ABI_RING_LEN] = (struct abi_sub){.op = ABI_OP_READ, .tag = tag, .length = tag};
    s->sub_head++;
}

START_TEST(requests_come_in_order_and_answers_go_back)
{
    struct lab l = new_lab();
    struct abi_sub sub;
    ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_EMPTY);
    for (uint32_t i = 0; i < 10 * ABI_RING_LEN; i++) {
        put(&l, i);
        ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_ENTRY);
        ck_assert_uint_eq(sub.tag, i);
        ck_assert_uint_eq(l.shared->sub_tail, i + 1);
        ck_assert_uint_eq(ring_open(&l.r), 1);
        ck_assert(!ring_give(&l.r, (struct abi_comp){.tag = i, .status = ABI_DONE, .value = 2 * i}));
        ck_assert_uint_eq(l.shared->comp[i % ABI_RING_LEN].tag, i);
        ck_assert_uint_eq(l.shared->comp_head, i + 1);
        l.shared->comp_tail = i + 1;
    }
    free(l.shared);
}
END_TEST

/* Counters pass 2^32 and nobody notices. */
START_TEST(counters_wrap)
{
    struct lab l = new_lab();
    struct abi_sub sub;
    l.r.taken = l.r.given = l.r.consumed = UINT32_MAX - 2;
    l.shared->sub_head = l.shared->sub_tail = l.shared->comp_head = l.shared->comp_tail = UINT32_MAX - 2;
    for (uint32_t i = 0; i < 8; i++) {
        put(&l, i);
        ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_ENTRY);
        ck_assert_uint_eq(sub.tag, i);
        ring_give(&l.r, (struct abi_comp){.tag = i});
        l.shared->comp_tail++;
    }
    ck_assert_uint_eq(l.shared->comp_head, 5);
    free(l.shared);
}
END_TEST

/* What is changed after it was taken is not seen; the private counters are not the guest's. */
START_TEST(what_was_taken_is_a_copy)
{
    struct lab l = new_lab();
    struct abi_sub sub;
    put(&l, 7);
    ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_ENTRY);
    l.shared->sub[0].length = UINT32_MAX;
    l.shared->sub_tail = 77;
    l.shared->comp_head = 99;
    ck_assert_uint_eq(sub.length, 7);
    put(&l, 8);
    ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_ENTRY);
    ck_assert_uint_eq(sub.tag, 8);
    ck_assert_uint_eq(l.shared->sub_tail, 2);
    ring_give(&l.r, (struct abi_comp){.tag = 7});
    ck_assert_uint_eq(l.shared->comp_head, 1);
    free(l.shared);
}
END_TEST

static const struct wrong {
    uint32_t head, tail; /* that the guest claims, after two requests of which one is answered */
    const char *why;
} wrongs[] = {
    {1, 0, "requests went back"},          {2 + ABI_RING_LEN + 1, 0, "requests went back, or past"},
    {UINT32_MAX, 0, "requests went back"}, {3, 2, "answers went back, or past"},
    {3, UINT32_MAX, "answers went back"},
};

START_TEST(counts_that_cannot_be)
{
    struct lab l = new_lab();
    struct abi_sub sub;
    put(&l, 1);
    put(&l, 2);
    ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_ENTRY);
    ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_ENTRY);
    ring_give(&l.r, (struct abi_comp){.tag = 1});
    l.shared->sub_head = wrongs[_i].head;
    l.shared->comp_tail = wrongs[_i].tail;
    ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_BAD);
    ck_assert_ptr_nonnull(strstr(l.why, wrongs[_i].why));
    free(l.shared);
}
END_TEST

START_TEST(consumed_answers_are_not_taken_back)
{
    struct lab l = new_lab();
    struct abi_sub sub;
    for (uint32_t i = 0; i < 3; i++) {
        put(&l, i);
        ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_ENTRY);
        ring_give(&l.r, (struct abi_comp){.tag = i});
        l.shared->comp_tail = i + 1;
    }
    put(&l, 3);
    ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_ENTRY);
    l.shared->comp_tail = 2;
    put(&l, 4);
    ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_BAD);
    free(l.shared);
}
END_TEST

START_TEST(a_full_ring_takes_no_more)
{
    struct lab l = new_lab();
    struct abi_sub sub;
    for (uint32_t i = 0; i < ABI_RING_LEN; i++)
        put(&l, i);
    for (uint32_t i = 0; i < ABI_RING_LEN; i++) {
        ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_ENTRY);
        ring_give(&l.r, (struct abi_comp){.tag = i});
    }
    put(&l, 0); /* no answer is consumed: the next would overwrite one */
    ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_BAD);
    ck_assert_ptr_nonnull(strstr(l.why, "more requests are under way than a ring holds"));
    l.shared->comp_tail = 1;
    ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_ENTRY);
    free(l.shared);
}
END_TEST

static const struct buffer {
    uint32_t window, offset, length;
    bool ok;
} buffers[] = {
    {2, 0, 0, true},
    {2, 0, 1u << 21, true},
    {2, 1u << 21, 0, true},
    {2, (1u << 21) - 1, 1, true},
    {2, (1u << 21) - 1, 2, false},
    {2, 1u << 21, 1, false},
    {2, UINT32_MAX, UINT32_MAX, false},
    {2, 0, UINT32_MAX, false},
    {2, UINT32_MAX, 1, false},
    {1, 0, 16, false},
    {UINT32_MAX, 0, 16, false},
};

START_TEST(buffers_lie_in_their_window)
{
    const struct buffer *b = &buffers[_i];
    const char *why;
    struct abi_sub sub = {.window = b->window, .offset = b->offset, .length = b->length};
    ck_assert_int_eq(ring_check(&sub, 2, 1u << 21, &why), b->ok);
}
END_TEST

START_TEST(bells_and_wake_ups)
{
    struct lab l = new_lab();
    struct abi_sub sub;
    ck_assert_uint_eq(l.shared->need_kick, 1);
    ring_attend(&l.r);
    ck_assert_uint_eq(l.shared->need_kick, 0);
    put(&l, 1); /* the guest sees need_kick 0 and does not ring: it is found all the same */
    ck_assert(!ring_leave(&l.r));
    ck_assert_int_eq(ring_take(&l.r, &sub, &l.why), RING_ENTRY);
    ck_assert(ring_leave(&l.r));
    ck_assert_uint_eq(l.shared->need_kick, 1);
    l.shared->waiting = 1;
    ck_assert(ring_give(&l.r, (struct abi_comp){.tag = 1}));
    free(l.shared);
}
END_TEST

Suite *ring_suite(void)
{
    Suite *s = suite_create("ring");
    TCase *t = tcase_create("ring");
    tcase_add_test(t, requests_come_in_order_and_answers_go_back);
    tcase_add_test(t, counters_wrap);
    tcase_add_test(t, what_was_taken_is_a_copy);
    tcase_add_loop_test(t, counts_that_cannot_be, 0, (int)(sizeof wrongs / sizeof *wrongs));
    tcase_add_test(t, consumed_answers_are_not_taken_back);
    tcase_add_test(t, a_full_ring_takes_no_more);
    tcase_add_loop_test(t, buffers_lie_in_their_window, 0, (int)(sizeof buffers / sizeof *buffers));
    tcase_add_test(t, bells_and_wake_ups);
    suite_add_tcase(s, t);
    return s;
}
