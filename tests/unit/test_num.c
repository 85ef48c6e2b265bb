// SPDX-License-Identifier: GPL-3.0-or-later
/* Numbers as text: what is written reads back to the same bits, and people can read theirs. */
#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "out/num.h"
#include "tests/often.h"

Suite *num_suite(void);

static char buf[NUM_LEN];

START_TEST(every_double_reads_back)
{
    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t bits = rng_mix(i + 1);
        double x;
        memcpy(&x, &bits, sizeof x);
        if (isnan(x)) continue;
        double back = strtod(num_text(buf, x), NULL);
        if (back != x) ck_abort_msg("%s is not %.17g", buf, x);
    }
}
END_TEST

START_TEST(texts_are_short)
{
    static const struct {
        double x;
        const char *text, *json;
    } t[] = {{0.1, "0.1", "0.1"},
             {0.0314, "0.0314", "0.0314"},
             {60, "60", "60.0"},
             {-0.0, "0", "0.0"},
             {1e-9, "1e-09", "1e-09"},
             {1e300, "1e+300", "1e+300"},
             {1.0 / 3, "0.3333333333333333", "0.3333333333333333"},
             {5e-324, "4.94065645841247e-324", "4.94065645841247e-324"},
             {(double)NAN, "nan", "null"},
             {-(double)INFINITY, "-inf", "null"}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        ck_assert_str_eq(num_text(buf, t[i].x), t[i].text);
        ck_assert_str_eq(num_json(buf, t[i].x), t[i].json);
    }
}
END_TEST

START_TEST(seconds_are_exact)
{
    ck_assert_str_eq(num_seconds(buf, 0), "0");
    ck_assert_str_eq(num_seconds(buf, 1), "0.000000001");
    ck_assert_str_eq(num_seconds(buf, 31200000000), "31.2");
    ck_assert_str_eq(num_seconds(buf, -1500000000), "-1.5");
    ck_assert_str_eq(num_seconds(buf, INT64_MAX), "9223372036.854775807");
    ck_assert_str_eq(num_seconds(buf, INT64_MIN), "-9223372036.854775808");
    ck_assert_str_eq(num_micros(buf, 31200000001), "31200000.001");
}
END_TEST

START_TEST(people_get_three_digits)
{
    static const struct {
        double s;
        const char *text;
    } t[] = {{0, "0 s"},           {30.2e-3, "30.2 ms"}, {999.7e-6, "1.00 ms"}, {1e-9, "1.00 ns"},
             {0.5e-9, "0.500 ns"}, {7, "7.00 s"},        {99.9, "99.9 s"},      {120, "2.00 min"},
             {7200, "2.00 h"},     {259200, "3.00 d"},   {71.3e-3, "71.3 ms"},  {-2e-3, "-2.00 ms"}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        ck_assert_str_eq(num_time(buf, t[i].s), t[i].text);
    ck_assert_str_eq(num_human(buf, 398.2, "1/s"), "398/s");
    ck_assert_str_eq(num_human(buf, 0, "1/s"), "0/s");
    ck_assert_str_eq(num_human(buf, 20.1e6, "1/s"), "20.1 M/s");
    ck_assert_str_eq(num_human(buf, 1711.2, "1/s"), "1711/s");
    ck_assert_str_eq(num_human(buf, 9999.6, ""), "10.0 k");
    ck_assert_str_eq(num_human(buf, 1711, "B"), "1.71 kB");
    ck_assert_str_eq(num_metric(buf, 58.84e6, "net.bytes", "B/s"), "471 Mb/s");
    ck_assert_str_eq(num_metric(buf, 58.84e6, "net.bytes", "B"), "58.8 MB");
    ck_assert_str_eq(num_metric(buf, 58.84e6, "disk.bytes", "B/s"), "58.8 MB/s");
    ck_assert_str_eq(num_metric(buf, 6, "events.nat-full", ""), "6");
    ck_assert_str_eq(num_metric(buf, 179 * 0x1p20, "mem.resident", "B"), "179 MiB");
    ck_assert_str_eq(num_metric(buf, 1000, "mem.shared", "B"), "1.00 kB");
    ck_assert_str_eq(num_metric(buf, 0, "mem.shared", "B"), "0 B");
    ck_assert_str_eq(num_metric(buf, 1.5, "events.nat-full", ""), "1.50");
    ck_assert_str_eq(num_human(buf, 1234567, ""), "1.23 M");
    ck_assert_str_eq(num_human(buf, 0.25, "s"), "250 ms");
    ck_assert_str_eq(num_human(buf, (double)NAN, ""), "-");
    ck_assert_str_eq(num_percent(buf, 0.6667), "66.7%");
    ck_assert_str_eq(num_percent(buf, 1), "100%");
    ck_assert_str_eq(num_percent(buf, 0.0004), "0.04%");
    ck_assert_str_eq(num_percent(buf, 0), "0%");
}
END_TEST

START_TEST(a_locale_with_commas_changes_nothing)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "cs_CZ.UTF-8", "C"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!setlocale(LC_NUMERIC, names[i])) continue; /* "C" is everywhere */
        ck_assert_str_eq(num_text(buf, 0.5), "0.5");
        ck_assert_str_eq(num_json(buf, 1e-7), "1e-07");
        ck_assert_str_eq(num_time(buf, 0.0125), "12.5 ms");
        ck_assert_str_eq(num_percent(buf, 0.125), "12.5%");
    }
    setlocale(LC_NUMERIC, "C");
}
END_TEST

Suite *num_suite(void)
{
    Suite *s = suite_create("num");
    TCase *t = tcase_create("num");
    tcase_add_test(t, every_double_reads_back);
    tcase_add_test(t, texts_are_short);
    tcase_add_test(t, seconds_are_exact);
    tcase_add_test(t, people_get_three_digits);
    tcase_add_test(t, a_locale_with_commas_changes_nothing);
    suite_add_tcase(s, t);
    return s;
}
