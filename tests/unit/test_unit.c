// SPDX-License-Identifier: GPL-3.0-or-later
/* Units: exact both ways, and nothing let through that is not. */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/unit.h"
#include "tests/often.h"

Suite *unit_suite(void);

static const struct {
    enum unit_kind kind;
    const char *text;
    int64_t value; /* -1: refused */
} cases[] = {
    {UNIT_DURATION, "1ns", 1},
    {UNIT_DURATION, "2.5ms", 2500000},
    {UNIT_DURATION, "1e3us", 1000000},
    {UNIT_DURATION, "1E-3s", 1000000},
    {UNIT_DURATION, "+1.5m", INT64_C(90000000000)},
    {UNIT_DURATION, "1h", INT64_C(3600000000000)},
    {UNIT_DURATION, "1.000000000000d", INT64_C(86400000000000)},
    {UNIT_DURATION, ".5us", 500},
    {UNIT_DURATION, "0s", 0},
    {UNIT_DURATION, "-0s", 0},
    {UNIT_DURATION, "0e99999d", 0},
    {UNIT_DURATION, "0.000000001s", 1},
    {UNIT_DURATION, "9223372036.854775807s", INT64_MAX},
    {UNIT_DURATION, "9223372036.854775808s", -1},
    {UNIT_DURATION, "0.0000000011s", -1},
    {UNIT_DURATION, "1e-10s", -1},
    {UNIT_DURATION, "1000000000000000000000000000000000000001ns", -1},
    {UNIT_DURATION, "0.10000000000000000000000000000000000001s", -1},
    {UNIT_DURATION, "1.0000000000000000000000000000000000000s", 1000000000},
    {UNIT_DURATION, "5", -1},
    {UNIT_DURATION, "s", -1},
    {UNIT_DURATION, "", -1},
    {UNIT_DURATION, ".", -1},
    {UNIT_DURATION, "1.2.3s", -1},
    {UNIT_DURATION, "1e", -1},
    {UNIT_DURATION, "0x10s", -1},
    {UNIT_DURATION, "infs", -1},
    {UNIT_SIZE, "4GiB", INT64_C(4) << 30},
    {UNIT_SIZE, "4GB", INT64_C(4000000000)},
    {UNIT_SIZE, "0.5KiB", 512},
    {UNIT_SIZE, "1TiB", INT64_C(1) << 40},
    {UNIT_SIZE, "8388607TiB", INT64_C(8388607) << 40},
    {UNIT_SIZE, "8388608TiB", -1},
    {UNIT_SIZE, "9223372036854775807B", INT64_MAX},
    {UNIT_SIZE, "1kB", 1000},
    {UNIT_SIZE, "1KB", -1},
    {UNIT_SIZE, "4G", -1},
    {UNIT_SIZE, "1b", -1},
    {UNIT_RATE, "400/s", 400000000},
    {UNIT_RATE, "0.000001/s", 1},
    {UNIT_RATE, "400", -1},
    {UNIT_RATE, "5/m", -1},
    {UNIT_SHARE, "80%", 800000},
    {UNIT_SHARE, "0.0001%", 1},
    {UNIT_SHARE, "0.00001%", -1},
    {UNIT_COUNT, "10", 10},
    {UNIT_COUNT, "1e3", 1000},
    {UNIT_COUNT, "1.5", -1},
    {UNIT_COUNT, "5s", -1},
    {UNIT_COUNT, "9223372036854775808", -1},
    {UNIT_BANDWIDTH, "1b/s", 1},
    {UNIT_BANDWIDTH, "0.5B/s", 4},
    {UNIT_BANDWIDTH, "500MB/s", INT64_C(4000000000)},
    {UNIT_BANDWIDTH, "10Gb/s", INT64_C(10000000000)},
    {UNIT_BANDWIDTH, "1.5KiB/s", 12288},
    {UNIT_BANDWIDTH, "1MiB/s", INT64_C(8) << 20},
    {UNIT_BANDWIDTH, "1GiB/s", INT64_C(8) << 30},
    {UNIT_BANDWIDTH, "2Tb/s", INT64_C(2000000000000)},
    {UNIT_BANDWIDTH, "0.1b/s", -1},
    {UNIT_BANDWIDTH, "2000000000GB/s", -1},
    {UNIT_BANDWIDTH, "500MB", -1},
    {UNIT_BANDWIDTH, "500", -1},
    {UNIT_BANDWIDTH, "5/s", -1},
    {UNIT_BANDWIDTH, "5mb/s", -1},
    {UNIT_SIZE, "500MB/s", -1},
    {UNIT_NUMBER, "1.0", 1000000000},
    {UNIT_NUMBER, "0.000000001", 1},
    {UNIT_NUMBER, "1e-10", -1},
    {UNIT_NUMBER, "nan", -1},
};

START_TEST(reads_exactly)
{
    int64_t v = 0;
    struct unit_why why;
    bool ok = unit_parse(cases[_i].kind, cases[_i].text, strlen(cases[_i].text), &v, &why);
    if (cases[_i].value < 0)
        ck_assert_msg(!ok && why.text[0], "`%s` was taken as %" PRId64, cases[_i].text, v);
    else
        ck_assert_msg(ok && v == cases[_i].value, "`%s`: %s, %" PRId64, cases[_i].text, why.text, v);
}
END_TEST

START_TEST(what_is_written_reads_back)
{
    struct rng r = rng_at(1, 2, 3);
    char text[64];
    for (int i = 0; i < 30000; i++) {
        int64_t v = (int64_t)(((uint64_t)rng_u32(&r) << 32 | rng_u32(&r)) >> (1 + rng_u32(&r) % 63)),
                back = -1;
        struct unit_why why;
        enum unit_kind kind = (enum unit_kind)(i % 7);
        unit_format(kind, v, text, sizeof text);
        if (!unit_parse(kind, text, strlen(text), &back, &why) || back != v)
            ck_abort_msg("%" PRId64 " as `%s`: %s", v, text, why.text);
    }
}
END_TEST

/* What people write for a bandwidth, and what they are told to write. */
START_TEST(the_hint_is_right)
{
    static const struct {
        enum unit_kind kind;
        const char *text, *hint;
    } wrong[] = {
        {UNIT_BANDWIDTH, "500MB", "did you mean `500MB/s`?"},
        {UNIT_SIZE, "500MB/s", "did you mean `500MB`?"},
        {UNIT_SIZE, "500GiB/s", "did you mean `500GiB`?"},
        {UNIT_SIZE, "500Mb/s", "for example `4GiB`"},
        {UNIT_BANDWIDTH, "10Gb", "did you mean `10Gb/s`?"},
        {UNIT_BANDWIDTH, "10Gbps", "did you mean `10Gb/s`?"},
        {UNIT_BANDWIDTH, "10Gbit/s", "did you mean `10Gb/s`?"},
        {UNIT_BANDWIDTH, "9Kbps", "did you mean `9kb/s`?"},
        {UNIT_BANDWIDTH, "9bps", "did you mean `9b/s`?"},
        {UNIT_BANDWIDTH, "500M", "write `500MB/s` (bytes) or `500Mb/s` (bits)"},
        {UNIT_BANDWIDTH, "500", "write `500MB/s` (bytes) or `500Mb/s` (bits)"},
        {UNIT_BANDWIDTH, "500 MB/s", "did you mean `500MB/s`?"},
        {UNIT_BANDWIDTH, "500mb/S", "did you mean `500Mb/s`?"},
        {UNIT_BANDWIDTH, "400/s", "for example `500MB/s`"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct unit_why why;
        int64_t v;
        ck_assert(!unit_parse(wrong[i].kind, wrong[i].text, strlen(wrong[i].text), &v, &why));
        ck_assert_msg(!strcmp(why.hint, wrong[i].hint), "%s: %s: \"%s\", wanted \"%s\"", wrong[i].text,
                      why.text, why.hint, wrong[i].hint);
    }
}
END_TEST

START_TEST(people_get_four_digits)
{
    char t[64];
    ck_assert_str_eq(unit_show("s", 0.0713, t, sizeof t), "71.3 ms");
    ck_assert_str_eq(unit_show("s", 1.5e-6, t, sizeof t), "1.5 us");
    ck_assert_str_eq(unit_show("s", 0, t, sizeof t), "0 s");
    ck_assert_str_eq(unit_show("s", -2, t, sizeof t), "-2 s");
    ck_assert_str_eq(unit_show("B", 1536, t, sizeof t), "1.5 KiB");
    ck_assert_str_eq(unit_show("B", 0, t, sizeof t), "0 B");
    ck_assert_str_eq(unit_show("B/s", 133.333e6, t, sizeof t), "133.3 MB/s");
    ck_assert_str_eq(unit_show("B/s", 0, t, sizeof t), "0 B/s");
    ck_assert_str_eq(unit_show("%", 0.25, t, sizeof t), "25 %");
    ck_assert_str_eq(unit_show("1/s", 400.04, t, sizeof t), "400/s");
    ck_assert_str_eq(unit_show("", 123456, t, sizeof t), "123456");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *s = suite_create("unit");
    TCase *t = tcase_create("unit");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, reads_exactly, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(t, what_is_written_reads_back);
    tcase_add_test(t, the_hint_is_right);
    tcase_add_test(t, people_get_four_digits);
    suite_add_tcase(s, t);
    return s;
}
