// SPDX-License-Identifier: GPL-3.0-or-later
/* Tables read back: what csv.c writes, what other programs write, and what is no table. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/csv.h"
#include "out/csv_read.h"
#include "tests/often.h"

Suite *csv_read_suite(void);

static struct csv_row row;

static FILE *table(const char *text, size_t len)
{
    FILE *f = fmemopen((void *)(uintptr_t)text, len, "r");
    ck_assert_ptr_nonnull(f);
    memset(&row, 0, sizeof row);
    return f;
}

START_TEST(rows_and_fields)
{
    static const char text[] = "a,b,c\n,,\n1,\"x, \"\"y\"\"\nz\",\r\nlast";
    static const char *const want[][3] = {
        {"a", "b", "c"}, {"", "", ""}, {"1", "x, \"y\"\nz", ""}, {"last", NULL, NULL}};
    static const size_t lines[] = {1, 2, 4, 5};
    FILE *f = table(text, sizeof text - 1);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(csv_read(f, &row), 1);
        ck_assert_uint_eq(row.n, i == 3 ? 1 : 3);
        for (size_t k = 0; k < row.n; k++)
            ck_assert_str_eq(row.field[k], want[i][k]);
        ck_assert_uint_eq(row.line, lines[i]);
    }
    ck_assert_int_eq(csv_read(f, &row), 0);
    fclose(f);
}
END_TEST

START_TEST(what_is_written_is_read)
{
    static const char *const words[] = {"plain",       "",      " led",   "a,b",    "\"",
                                        "line\nbreak", "cr\rx", "ümlaut", "\"\"\"", ","};
    enum { N = sizeof words / sizeof *words };
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    for (int i = 0; i < N; i++) {
        csv_field(f, words[i]);
        putc(i + 1 < N ? ',' : '\n', f);
    }
    fclose(f);
    f = table(text, len);
    ck_assert_int_eq(csv_read(f, &row), 1);
    ck_assert_uint_eq(row.n, N);
    for (int i = 0; i < N; i++)
        ck_assert_str_eq(row.field[i], words[i]);
    fclose(f);
    free(text);
}
END_TEST

START_TEST(what_is_no_table)
{
    char many[200], *huge = malloc(2 * CSV_MAX_ROW);
    memset(many, ',', sizeof many);
    memset(huge, 'x', 2 * CSV_MAX_ROW);
    const struct {
        const char *text;
        size_t len;
    } cases[] = {{"a,\"b", 4}, {many, sizeof many}, {huge, 2 * CSV_MAX_ROW}, {"a\0b\n", 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *f = table(cases[i].text, cases[i].len);
        ck_assert_msg(csv_read(f, &row) == -1, "case %zu", i);
        fclose(f);
    }
    free(huge);
}
END_TEST

START_TEST(whatever_the_bytes)
{
    static const char kinds[] = ",,,\n\n\"\"ab\r \0";
    srand(5);
    for (int k = 0; k < FEWER(20000); k++) {
        char text[60];
        size_t n = 1 + (size_t)rand() % sizeof text;
        for (size_t i = 0; i < n; i++)
            text[i] = kinds[(size_t)rand() % sizeof kinds];
        FILE *f = table(text, n);
        int got, rows = 0;
        while ((got = csv_read(f, &row)) == 1) {
            ck_often(row.n > 0 && row.n <= CSV_MAX_FIELDS);
            ck_often(++rows <= 60);
        }
        fclose(f);
    }
}
END_TEST

Suite *csv_read_suite(void)
{
    Suite *s = suite_create("csv_read");
    TCase *t = tcase_create("csv_read");
    tcase_add_test(t, rows_and_fields);
    tcase_add_test(t, what_is_written_is_read);
    tcase_add_test(t, what_is_no_table);
    tcase_add_test(t, whatever_the_bytes);
    suite_add_tcase(s, t);
    return s;
}
