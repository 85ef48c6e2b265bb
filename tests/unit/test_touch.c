// SPDX-License-Identifier: GPL-3.0-or-later
/* References of a touch step: their probabilities, their order, and that the guest makes the same. */
#include <check.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "program/prog_touch.h"
#include "tests/often.h"

Suite *touch_suite(void);

__typeof__(prog_touch_make) guest_prog_touch_make;
__typeof__(prog_touch_begin) guest_prog_touch_begin;
__typeof__(prog_touch_fill) guest_prog_touch_fill;

static struct step step_of(uint32_t how, int64_t span, double skew, uint32_t write)
{
    struct step s = {.kind = STEP_TOUCH, .how = how, .span = span, .skew = skew, .write = write};
    ck_assert(prog_touch_make(&s) && prog_touch_valid(&s));
    return s;
}

static struct prog_touch begin(const struct step *s, int64_t amount, uint64_t task, uint64_t iter)
{
    struct prog_task t = {.key = 99, .task = task, .iter = iter};
    struct prog_act act = {.kind = STEP_TOUCH, .pc = 3, .amount = amount, .step = s};
    struct prog_touch w;
    prog_touch_begin(&w, &t, &act);
    return w;
}

enum { CELLS = 200, N = 400000 };

/* Pages counted in cells: the first ones alone, the rest in stretches that grow. */
static uint32_t cell_of(uint32_t page)
{
    if (page < 64) return page;
    uint32_t log = 31 - (uint32_t)__builtin_clz(page);
    return 64 + (log - 6) * 4 + (page >> (log - 2) & 3);
}

/* Pearson's statistic less its mean, in its standard deviations; cells of less than 10 go together. */
static double surprise(const int *seen, const double *want)
{
    double chi2 = 0, rest_seen = 0, rest_want = 0;
    int cells = 0;
    for (int c = 0; c < CELLS; c++) {
        rest_seen += seen[c];
        rest_want += want[c];
        if (rest_want < 10) continue;
        chi2 += (rest_seen - rest_want) * (rest_seen - rest_want) / rest_want;
        rest_seen = rest_want = 0;
        cells++;
    }
    ck_assert_double_lt(rest_seen, 60);
    ck_assert_int_gt(cells, 3);
    return (chi2 - (cells - 1)) / sqrt(2.0 * (cells - 1));
}

static void hold(uint32_t how, int64_t span, double skew)
{
    static int seen[CELLS];
    static double want[CELLS];
    struct step s = step_of(how, span, skew, 0);
    struct prog_touch w = begin(&s, N, 1, 1);
    double sum = 0;
    for (int c = 0; c < CELLS; c++)
        seen[c] = 0, want[c] = 0;
    for (int64_t k = span; k-- > 0;)
        sum += how == PROG_ZIPF ? pow((double)(k + 1), -skew) : 1;
    for (int64_t k = span; k-- > 0;)
        want[cell_of((uint32_t)k)] += (how == PROG_ZIPF ? pow((double)(k + 1), -skew) : 1) / sum * N;
    uint32_t refs[1000];
    for (uint32_t n; (n = prog_touch_fill(&w, refs, 1000)) > 0;)
        for (uint32_t i = 0; i < n; i++) {
            ck_often(refs[i] < span);
            seen[cell_of(refs[i])]++;
        }
    double z = surprise(seen, want);
    ck_assert_msg(z < 4, "span %" PRId64 " skew %g: %g deviations", span, skew, z);
}

START_TEST(pages_have_their_probabilities)
{
    static const int64_t spans[] = {5, 100, 4097, 1000000};
    hold(PROG_UNIFORM, spans[_i], 0);
    hold(PROG_ZIPF, spans[_i], .5);
    hold(PROG_ZIPF, spans[_i], .8);
    hold(PROG_ZIPF, spans[_i], 1);
    hold(PROG_ZIPF, spans[_i], 1 + 1e-9);
    hold(PROG_ZIPF, spans[_i], 1.2);
}
END_TEST

START_TEST(zipf_at_its_ends)
{
    uint32_t refs[1000];
    struct step one = step_of(PROG_ZIPF, 1, 1.5, 0);
    struct prog_touch w = begin(&one, 1000, 0, 0);
    ck_assert_uint_eq(prog_touch_fill(&w, refs, 1000), 1000);
    for (int i = 0; i < 1000; i++)
        ck_often(refs[i] == 0);
    static const double skews[] = {1e-9, .01, 3, PROG_MAX_SKEW};
    for (int k = 0; k < 4; k++) {
        struct step most = step_of(PROG_ZIPF, PROG_MAX_PAGES, skews[k], 0);
        w = begin(&most, 1000, 0, 0);
        ck_assert_uint_eq(prog_touch_fill(&w, refs, 1000), 1000);
        double sum = 0;
        for (int i = 0; i < 1000; i++) {
            ck_often(refs[i] < PROG_MAX_PAGES);
            sum += refs[i] * 0x1p-31 / 1000;
        }
        if (skews[k] < .001) ck_assert(fabs(sum - .5) < 4 * .2887 / sqrt(1000)); /* as good as uniform */
        if (skews[k] > 10) ck_assert(sum < 1e-9);
    }
}
END_TEST

START_TEST(cycles_go_on)
{
    uint32_t refs[64];
    struct step s = step_of(PROG_CYCLIC, 7, 0, 0);
    uint32_t page = 0;
    for (uint64_t iter = 0; iter < 20; iter++) {
        struct prog_touch w = begin(&s, 10, 2, iter);
        ck_assert_uint_eq(prog_touch_fill(&w, refs, 4), 4);
        ck_assert_uint_eq(prog_touch_fill(&w, refs + 4, 60), 6);
        ck_assert_uint_eq(prog_touch_fill(&w, refs, 0), 0);
        for (int i = 0; i < 10; i++, page = (page + 1) % 7)
            ck_assert_uint_eq(refs[i], page);
    }
}
END_TEST

START_TEST(a_share_writes)
{
    static uint32_t refs[100000];
    static const double shares[] = {0, .3, 1};
    for (int k = 0; k < 3; k++) {
        struct step s =
            step_of(PROG_UNIFORM, 100, 0, shares[k] == 1 ? UINT32_MAX : (uint32_t)(shares[k] * 0x1p32));
        struct prog_touch w = begin(&s, 100000, 0, 0);
        prog_touch_fill(&w, refs, 100000);
        double writes = 0;
        for (int i = 0; i < 100000; i++) {
            writes += (refs[i] & PROG_TOUCH_WRITE) != 0;
            ck_often((refs[i] & ~PROG_TOUCH_WRITE) < 100);
        }
        ck_assert(fabs(writes / 100000 - shares[k]) <= 4 * sqrt(shares[k] * (1 - shares[k]) / 100000));
    }
}
END_TEST

/* However the references are asked for, and for each task, iteration and step another stream. */
START_TEST(pieces_do_not_matter)
{
    static uint32_t a[5000], b[5000], c[5000];
    struct step s = step_of(PROG_ZIPF, 1000, .8, UINT32_C(1) << 30);
    struct prog_touch w = begin(&s, 5000, 4, 5), x = w, y = begin(&s, 5000, 4, 6);
    ck_assert_uint_eq(prog_touch_fill(&w, a, 5000), 5000);
    for (uint32_t at = 0, n = 1; at < 5000; at += n, n = n % 300 + 7)
        n = prog_touch_fill(&x, b + at, n);
    prog_touch_fill(&y, c, 5000);
    int same = 0;
    for (int i = 0; i < 5000; i++) {
        ck_often(a[i] == b[i]);
        same += a[i] == c[i];
    }
    ck_assert_int_lt(same, 1000);
}
END_TEST

START_TEST(the_guest_makes_the_same)
{
    static const struct {
        uint32_t how;
        int64_t span;
        double skew;
        uint64_t hash;
    } cases[] = {{PROG_UNIFORM, 1000000, 0, UINT64_C(0x9741229c6fa7510e)},
                 {PROG_CYCLIC, 12345, 0, UINT64_C(0x908c40f2625dc065)},
                 {PROG_ZIPF, 1000000, .8, UINT64_C(0x07aec87213bbf8b2)},
                 {PROG_ZIPF, PROG_MAX_PAGES, 1, UINT64_C(0x797a4dffd26ab4cb)},
                 {PROG_ZIPF, 100, 1.000001, UINT64_C(0xd599baf25e249a74)}};
    uint32_t a[1000], b[1000];
    struct step s = step_of(cases[_i].how, cases[_i].span, cases[_i].skew, UINT32_C(1) << 31), g = s;
    ck_assert(guest_prog_touch_make(&g));
    ck_assert_mem_eq(&s, &g, sizeof s);
    struct prog_task t = {.key = 77, .task = 8, .iter = 9};
    struct prog_act act = {.kind = STEP_TOUCH, .pc = 1, .amount = FEWER(1000000), .step = &s};
    struct prog_touch w, x;
    prog_touch_begin(&w, &t, &act);
    guest_prog_touch_begin(&x, &t, &act);
    uint64_t hash = 0;
    for (uint32_t n; (n = prog_touch_fill(&w, a, 1000)) > 0;) {
        ck_often(guest_prog_touch_fill(&x, b, 1000) == n);
        for (uint32_t i = 0; i < n; i++) {
            ck_often(a[i] == b[i]);
            hash = rng_mix(hash + a[i]);
        }
    }
    ck_assert_msg(act.amount < 1000000 || hash == cases[_i].hash, "case %d: hash 0x%016" PRIx64, _i, hash);
}
END_TEST

START_TEST(what_is_no_step)
{
    struct step s = {.kind = STEP_TOUCH, .how = PROG_ZIPF, .span = 10, .skew = .8}, made = s;
    ck_assert(prog_touch_make(&made) && prog_touch_valid(&made));
    ck_assert(!prog_touch_valid(&s)); /* u and v are not derived */
    made.u = nextafter(made.u, 2);
    ck_assert(!prog_touch_valid(&made));
    struct step bad[] = {s, s, s, s, s, s, s};
    bad[0].skew = 0;
    bad[1].skew = -1;
    bad[2].skew = (double)NAN;
    bad[3].skew = PROG_MAX_SKEW * 1.01;
    bad[4].span = 0;
    bad[5].span = PROG_MAX_PAGES + 1;
    bad[6].how = PROG_NPATTERNS;
    for (int i = 0; i < 7; i++)
        ck_assert_msg(!prog_touch_make(&bad[i]), "%d", i);
}
END_TEST

Suite *touch_suite(void)
{
    Suite *s = suite_create("touch");
    TCase *t = tcase_create("touch");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, pages_have_their_probabilities, 0, 4);
    tcase_add_test(t, zipf_at_its_ends);
    tcase_add_test(t, cycles_go_on);
    tcase_add_test(t, a_share_writes);
    tcase_add_test(t, pieces_do_not_matter);
    tcase_add_loop_test(t, the_guest_makes_the_same, 0, 5);
    tcase_add_test(t, what_is_no_step);
    suite_add_tcase(s, t);
    return s;
}
