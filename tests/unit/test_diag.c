// SPDX-License-Identifier: GPL-3.0-or-later
/* Diagnostics as people see them. tests/golden/diag holds scenarios that are wrong and, beside each, what is
 * said of it, to the character; VLAB_UPDATE_GOLDEN=1 writes what is said now. */
#include <check.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/diag.h"
#include "scenario/scenario.h"

Suite *diag_suite(void);

static char *printed(struct diag *d, bool colour)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    ck_assert_ptr_nonnull(f);
    diag_print(d, f, colour);
    fclose(f);
    return text;
}

static void check_print(const char *source, struct diag_mark m, const char *text, const char *want)
{
    struct diag d;
    diag_init(&d);
    diag_source(&d, "x.yaml", source, strlen(source));
    diag_add(&d, m, "%s", text);
    char *got = printed(&d, false);
    ck_assert_str_eq(got, want);
    free(got);
    diag_done(&d);
}

START_TEST(the_caret_stands_under_what_is_meant)
{
    check_print("a: 1\nb: two\n", (struct diag_mark){2, 4, 3}, "no",
                "x.yaml:2:4: error: no\n    2 | b: two\n      |    ^~~\n");
    /* At the end of the file, and past the end of a line. */
    check_print("a", (struct diag_mark){1, 2, 1}, "no", "x.yaml:1:2: error: no\n    1 | a\n      |  ^\n");
    check_print("", (struct diag_mark){1, 1, 1}, "no", "x.yaml:1:1: error: no\n    1 | \n      | ^\n");
    check_print("a\n", (struct diag_mark){7, 1, 1}, "no", "x.yaml:7:1: error: no\n");
    check_print("a: 1\r\nb\r\n", (struct diag_mark){1, 4, 1}, "no",
                "x.yaml:1:4: error: no\n    1 | a: 1\n      |    ^\n");
    /* Characters, not bytes; a tab takes one place; what does not print is escaped and the caret follows. */
    check_print("\xc3\xa4\xc3\xa4: x\n", (struct diag_mark){1, 5, 1}, "no",
                "x.yaml:1:5: error: no\n    1 | \xc3\xa4\xc3\xa4: x\n      |     ^\n");
    check_print("\ta\n", (struct diag_mark){1, 2, 1}, "no",
                "x.yaml:1:2: error: no\n    1 |  a\n      |  ^\n");
    check_print("\x1b[31m x\n", (struct diag_mark){1, 7, 1}, "no",
                "x.yaml:1:7: error: no\n    1 | \\x1B[31m x\n      |          ^\n");
    check_print("a\xff"
                "b\n",
                (struct diag_mark){1, 2, 1}, "no", "x.yaml:1:2: error: no\n    1 | a\\xFFb\n      |  ^~~~\n");
}
END_TEST

START_TEST(what_does_not_print_is_escaped)
{
    char out[100];
    ck_assert_str_eq(diag_escape(out, sizeof out, "a\x1b[0m\n\x7f", 7), "a\\x1B[0m\\x0A\\x7F");
    ck_assert_str_eq(diag_escape(out, sizeof out, "\xc2\x9b \xe2\x80\xae \xff", 8),
                     "\\xC2\\x9B \\xE2\\x80\\xAE \\xFF");
    ck_assert_str_eq(diag_escape(out, sizeof out, "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 12),
                     "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    ck_assert_str_eq(diag_escape(out, 6, "abcdefgh", 8), "abcde");
    ck_assert_str_eq(diag_escape(out, 6, "abc\x01", 4), "abc");
    struct diag d;
    diag_init(&d);
    diag_add(&d, (struct diag_mark){0}, "a `%s`", "\x1b]0;x\x07");
    char *got = printed(&d, false);
    ck_assert_str_eq(got, "vlab: error: a `\\x1B]0;x\\x07`\n");
    free(got);
    diag_done(&d);
}
END_TEST

START_TEST(they_come_in_the_order_of_the_file)
{
    struct diag d;
    diag_init(&d);
    for (unsigned i = 0; i < 30; i++)
        diag_add(&d, (struct diag_mark){30 - i, 1, 1}, "number %u", i);
    diag_hint(&d, "of one that was not kept");
    char *got = printed(&d, false);
    ck_assert_ptr_nonnull(strstr(got, "vlab: and 10 more\n"));
    ck_assert_ptr_null(strstr(got, "not kept"));
    ck_assert_int_eq(strncmp(got, "vlab:11:1: error: number 19\n", 28), 0);
    free(got);
    got = printed(&d, true);
    ck_assert_ptr_nonnull(strchr(got, '\033'));
    free(got);
    diag_done(&d);
}
END_TEST

START_TEST(the_nearest_word_is_near)
{
    static const char *const words[] = {"weight", "limit", "pin", "slice", "scheduler", NULL};
    ck_assert_str_eq(diag_nearest("wieght", words), "weight");
    ck_assert_str_eq(diag_nearest("limits", words), "limit");
    ck_assert_str_eq(diag_nearest("sched", words) ? diag_nearest("sched", words) : "", "");
    ck_assert_str_eq(diag_nearest("pni", words), "pin");
    ck_assert_ptr_null(diag_nearest("x", words));
    ck_assert_ptr_null(diag_nearest("", words));
    ck_assert_ptr_null(diag_nearest("memory", words));
    char longword[5000];
    memset(longword, 'a', sizeof longword - 1);
    longword[sizeof longword - 1] = '\0';
    ck_assert_ptr_null(diag_nearest(longword, words));
}
END_TEST

static char *slurp(const char *path, size_t *len)
{
    struct buf b;
    buf_init(&b);
    FILE *f = fopen(path, "rb");
    if (!f) return buf_done(&b), NULL;
    ck_assert_int_eq(buf_read(&b, f, 1 << 20), 0);
    fclose(f);
    return buf_take(&b, len);
}

static char *said(const char *path)
{
    struct diag d;
    size_t len;
    char *text = slurp(path, &len);
    ck_assert_ptr_nonnull(text);
    diag_init(&d);
    struct scenario_file *f = scenario_parse(strrchr(path, '/') + 1, text, len, &d);
    for (size_t p = 0; f && p < scenario_points(f) && !diag_any(&d); p++)
        scenario_free(scenario_at(f, p, &d));
    char *got = printed(&d, false);
    scenario_close(f);
    diag_done(&d);
    free(text);
    return got;
}

START_TEST(golden)
{
    glob_t g;
    ck_assert_int_eq(glob("tests/golden/diag/*.yaml", 0, NULL, &g), 0);
    ck_assert_uint_ge(g.gl_pathc, 6);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        char want_path[400];
        size_t len;
        snprintf(want_path, sizeof want_path, "%.*s.txt", (int)strlen(g.gl_pathv[i]) - 5, g.gl_pathv[i]);
        char *got = said(g.gl_pathv[i]);
        if (getenv("VLAB_UPDATE_GOLDEN")) {
            FILE *f = fopen(want_path, "wb");
            ck_assert_ptr_nonnull(f);
            fputs(got, f);
            fclose(f);
        }
        char *want = slurp(want_path, &len);
        ck_assert_msg(want != NULL, "%s is missing", want_path);
        ck_assert_msg(got[0] != '\0', "%s is accepted", g.gl_pathv[i]);
        ck_assert_msg(!strcmp(got, want), "%s: said\n%s\nwanted\n%s", g.gl_pathv[i], got, want);
        free(got);
        free(want);
    }
    globfree(&g);
}
END_TEST

Suite *diag_suite(void)
{
    Suite *s = suite_create("diag");
    TCase *t = tcase_create("diag");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, the_caret_stands_under_what_is_meant);
    tcase_add_test(t, what_does_not_print_is_escaped);
    tcase_add_test(t, they_come_in_the_order_of_the_file);
    tcase_add_test(t, the_nearest_word_is_near);
    tcase_add_test(t, golden);
    suite_add_tcase(s, t);
    return s;
}
