// SPDX-License-Identifier: GPL-3.0-or-later
/* Records: nothing is lost, doubled or reordered on the way from producer to readers. */
#include <check.h>
#include <stdlib.h>

#include "base/rec.h"

Suite *rec_suite(void);

struct tally {
    size_t n, calls;
    int64_t last;
};

static void tally_read(void *ctx, const struct rec *r, size_t n)
{
    struct tally *t = ctx;
    t->calls++;
    for (size_t i = 0; i < n; i++, t->n++) {
        ck_assert_int_eq(r[i].value, (int64_t)t->n);
        ck_assert_int_ge(r[i].t_ns, t->last);
        t->last = r[i].t_ns;
    }
}

START_TEST(every_reader_sees_every_record_once)
{
    struct rec_block *b = malloc(sizeof *b);
    struct tally a = {0}, c = {0};
    rec_block_init(b);
    rec_block_add_reader(b, (struct rec_reader){tally_read, &a, 1u << REC_STATE});
    rec_block_add_reader(b, (struct rec_reader){tally_read, &c, 1u << REC_DONE});
    ck_assert(rec_wants(b, REC_STATE) && rec_wants(b, REC_DONE) && !rec_wants(b, REC_LOST));
    enum { N = 3 * REC_BLOCK_LEN + 7 };
    for (int i = 0; i < N; i++)
        *rec_next(b) = (struct rec){.t_ns = i / 2, .value = i, .kind = REC_STATE};
    rec_block_flush(b);
    rec_block_flush(b);
    ck_assert_uint_eq(a.n, N);
    ck_assert_uint_eq(c.n, N);
    ck_assert_uint_eq(a.calls, 4);
    free(b);
}
END_TEST

START_TEST(every_state_and_event_has_a_name)
{
    for (int i = 0; i < VCPU_NSTATES; i++)
        ck_assert_ptr_nonnull(rec_state_name((enum vcpu_state)i));
    for (int i = 0; i < REC_NEVENTS; i++) {
        ck_assert_ptr_nonnull(rec_event_name((enum rec_event)i));
        ck_assert_ptr_nonnull(rec_event_about((enum rec_event)i));
    }
}
END_TEST

Suite *rec_suite(void)
{
    Suite *s = suite_create("rec");
    TCase *t = tcase_create("rec");
    tcase_add_test(t, every_reader_sees_every_record_once);
    tcase_add_test(t, every_state_and_event_has_a_name);
    suite_add_tcase(s, t);
    return s;
}
