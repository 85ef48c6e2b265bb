// SPDX-License-Identifier: GPL-3.0-or-later
/* Runs in files: read back to the bit; cut short or damaged anywhere, they are no runs. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "metrics/runfile.h"
#include "tests/lab.h"
#include "tests/often.h"
#include "tests/unit/own_dir.h"

Suite *runfile_suite(void);

#define FILE_NAME "a.run"

static struct lab *some_run(void)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: r\nrun: {duration: 200ms, sample: 10ms}\nhosts: [{name: h, cpu: {cores: 1}}]\n"
        "vms: [{name: a, count: 2, workload: {kind: requests, arrivals: {poisson: 90/s}, steps: [{cpu: "
        "{exponential: 5ms}}]}}]\nevents: [{at: 50ms, pause: a-0}]\n");
    lab_run(l, 1);
    return l;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void ck_same(const struct run_output *a, const struct run_output *b)
{
    ck_assert_uint_eq(results_count(a->results), results_count(b->results));
    for (size_t i = 0; i < results_count(a->results); i++) {
        const struct result *x = results_at(a->results, i), *y = results_at(b->results, i);
        ck_often(same_text(x->entity, y->entity) && same_text(x->metric, y->metric) &&
                 same_text(x->stat, y->stat) && same_text(x->unit, y->unit) &&
                 memcmp(&x->value, &y->value, sizeof x->value) == 0 && x->is_exact == y->is_exact &&
                 (!x->is_exact || x->exact == y->exact));
    }
    ck_assert_uint_eq(a->series->n_cols, b->series->n_cols);
    ck_assert_uint_eq(a->series->n_rows, b->series->n_rows);
    ck_assert_mem_eq(a->series->t_ns, b->series->t_ns, a->series->n_rows * sizeof(int64_t));
    ck_assert_mem_eq(a->series->v, b->series->v, a->series->n_rows * a->series->n_cols * sizeof(double));
    for (size_t c = 0; c < a->series->n_cols; c++)
        ck_often(same_text(a->series->metrics[c], b->series->metrics[c]));
    ck_assert_uint_eq(a->n_happenings, b->n_happenings);
    ck_assert_uint_eq(a->happenings_cut, b->happenings_cut);
    for (size_t i = 0; i < a->n_happenings; i++)
        ck_often(a->happenings[i].t_ns == b->happenings[i].t_ns &&
                 same_text(a->happenings[i].kind, b->happenings[i].kind));
    ck_assert_uint_eq(a->n_ecdfs, b->n_ecdfs);
    for (size_t i = 0; i < a->n_ecdfs; i++) {
        ck_assert_uint_eq(a->ecdfs[i].n, b->ecdfs[i].n);
        ck_assert_uint_eq(a->ecdfs[i].count, b->ecdfs[i].count);
        ck_assert_mem_eq(a->ecdfs[i].share, b->ecdfs[i].share, a->ecdfs[i].n * sizeof(double));
    }
}

START_TEST(what_is_read_back_is_the_same_to_the_bit)
{
    struct lab *l = some_run();
    const struct run_output *out = lab_output(l);
    ck_assert(out->series && out->n_happenings > 0 && out->n_ecdfs > 0);
    ck_assert_int_eq(runfile_save(FILE_NAME, out), 0);
    struct runfile *f = runfile_load(FILE_NAME);
    ck_assert_ptr_nonnull(f);
    ck_same(out, runfile_output(f));
    ck_assert_int_eq(runfile_save("b.run", runfile_output(f)), 0);
    ck_assert_int_eq(system("cmp a.run b.run"), 0);
    runfile_free(f);
    lab_close(l);
    ck_assert_int_eq(runfile_save("no/such/place", lab_output(l = some_run())), -2); /* ENOENT */
    lab_close(l);
    ck_assert_ptr_null(runfile_load("no.run"));
}
END_TEST

static struct runfile *of(const struct buf *b, size_t n)
{
    char *copy = malloc(n + 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, b->text, n);
    return runfile_of(copy, n);
}

START_TEST(what_is_damaged_is_no_run)
{
    struct lab *l = some_run();
    struct buf b;
    ck_assert_int_eq(runfile_save(FILE_NAME, lab_output(l)), 0);
    FILE *in = fopen(FILE_NAME, "rb");
    buf_init(&b);
    ck_assert_int_eq(buf_read(&b, in, 1 << 22), 0);
    fclose(in);
    size_t step = b.len / (size_t)FEWER(500) + 1;
    for (size_t n = 0; n < b.len; n += n < 64 ? 1 : step) /* cut short */
        ck_often(of(&b, n) == NULL);
    for (size_t i = 0; i < b.len; i += i < 64 ? 1 : step) { /* a bit is another */
        b.text[i] ^= (char)(1 << i % 8);
        ck_often(of(&b, b.len) == NULL);
        b.text[i] ^= (char)(1 << i % 8);
    }
    struct runfile *f = of(&b, b.len);
    ck_assert_ptr_nonnull(f);
    runfile_free(f);
    buf_done(&b);
    lab_close(l);
}
END_TEST

/* With a right sum, whatever the bytes are: read or refused, without a stumble. */
START_TEST(whatever_the_bytes)
{
    struct lab *l = some_run();
    struct buf b;
    ck_assert_int_eq(runfile_save(FILE_NAME, lab_output(l)), 0);
    FILE *in = fopen(FILE_NAME, "rb");
    buf_init(&b);
    ck_assert_int_eq(buf_read(&b, in, 1 << 22), 0);
    fclose(in);
    srand(7);
    for (int k = 0; k < FEWER(3000); k++) {
        size_t n = b.len;
        char *copy = malloc(n);
        memcpy(copy, b.text, n);
        for (int c = 0; c < 1 + rand() % 4; c++)
            copy[11 + (size_t)rand() % (k % 2 ? n - 19 : 40)] = (char)(rand() % 3 ? rand() : -1);
        uint64_t h = 0xcbf29ce484222325u;
        for (size_t i = 0; i < n - 8; i++)
            h = (h ^ (unsigned char)copy[i]) * 0x100000001b3u;
        memcpy(copy + n - 8, &h, 8);
        runfile_free(runfile_of(copy, n));
    }
    buf_done(&b);
    lab_close(l);
}
END_TEST

Suite *runfile_suite(void)
{
    Suite *s = suite_create("runfile");
    TCase *t = tcase_create("runfile");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, own_dir_enter, own_dir_leave);
    tcase_add_test(t, what_is_read_back_is_the_same_to_the_bit);
    tcase_add_test(t, what_is_damaged_is_no_run);
    tcase_add_test(t, whatever_the_bytes);
    suite_add_tcase(s, t);
    return s;
}
