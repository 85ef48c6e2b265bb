// SPDX-License-Identifier: GPL-3.0-or-later
/* The tables: their bytes, and that hostile names come back whole. */
#include <check.h>

#include "out/csv.h"

#include "tests/unit/made_up.h"

Suite *csv_suite(void);

static char *written(void (*write)(FILE *, const struct report *), const struct report *rp)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    write(f, rp);
    fclose(f);
    return text;
}

static void same(const char *got, const char *want)
{
    long at = made_differ(got, want);
    ck_assert_msg(at < 0, "they differ at byte %ld: %.60s", at, at < 0 ? "" : got + at);
}

START_TEST(the_bytes_of_every_table)
{
    struct made *m = made_small(2);
    char *text = written(csv_summary, &m->rp);
    same(text, "scenario,backend,point,rep,seed,entity,metric,stat,unit,value\n"
               "noisy-neighbour,sim,,0,42,vm.db,cpu.run,share,,0.612\n"
               "noisy-neighbour,sim,,0,42,vm.db,cpu.ready,share,,0.306\n"
               "noisy-neighbour,sim,,0,42,vm.db,latency,p50,s,0.0061\n"
               "noisy-neighbour,sim,,0,42,vm.db,latency,p99,s,0.0713\n"
               "noisy-neighbour,sim,,0,42,vm.db,work.checksum,total,,9007199254740993\n"
               "noisy-neighbour,sim,,0,42,vm.batch-0,cpu.run,share,,0.46\n"
               "noisy-neighbour,sim,,0,42,vm.batch-0,cpu.ready,share,,0.317\n"
               "noisy-neighbour,sim,,0,42,vm.batch-0,cpu.throttled,share,,0.2\n"
               "noisy-neighbour,sim,,0,42,host.h1,cpu.util,share,,1\n"
               "noisy-neighbour,sim,,0,42,host.h1,cpu.guest,share,,0.9975\n"
               "noisy-neighbour,sim,,1,43,vm.db,cpu.run,share,,0.612\n"
               "noisy-neighbour,sim,,1,43,vm.db,cpu.ready,share,,0.306\n"
               "noisy-neighbour,sim,,1,43,vm.db,latency,p50,s,0.0062\n"
               "noisy-neighbour,sim,,1,43,vm.db,latency,p99,s,0.0713\n"
               "noisy-neighbour,sim,,1,43,vm.db,work.checksum,total,,9007199254740993\n"
               "noisy-neighbour,sim,,1,43,vm.batch-0,cpu.run,share,,0.46\n"
               "noisy-neighbour,sim,,1,43,vm.batch-0,cpu.ready,share,,0.317\n"
               "noisy-neighbour,sim,,1,43,vm.batch-0,cpu.throttled,share,,0.2\n"
               "noisy-neighbour,sim,,1,43,host.h1,cpu.util,share,,1\n"
               "noisy-neighbour,sim,,1,43,host.h1,cpu.guest,share,,0.9975\n"
               "noisy-neighbour,sim,,1,43,vm.db,events.lost,total,,1\n");
    free(text);
    made_done(m);
    m = made_small(1);
    text = written(csv_series, &m->rp);
    same(text, "point,rep,t,entity,metric,unit,value\n"
               ",0,0.5,vm.db,cpu.ready,,0.25\n"
               ",0,0.5,vm.db,latency.mean,s,0.0314\n"
               ",0,0.5,vm.batch-0,cpu.ready,,0.5\n"
               ",0,1.000000001,vm.db,cpu.ready,,0.125\n"
               ",0,1.000000001,vm.batch-0,cpu.ready,,0.3333333333333333\n");
    free(text);
    text = written(csv_events, &m->rp);
    same(text, "point,rep,t,entity,kind,cause,value\n"
               ",0,0,vm.db,started,,0\n"
               ",0,0.7,vm.db,lost,\"queue full, \"\"at last\"\"\",17\n");
    free(text);
    made_done(m);
}
END_TEST

/* The next field of an RFC 4180 text into out; returns what follows it (at a comma or line end). */
static const char *parse_field(const char *s, char *out)
{
    if (*s != '"') {
        while (*s && *s != ',' && *s != '\n')
            *out++ = *s++;
        *out = '\0';
        return s;
    }
    for (s++; *s; s++) {
        if (*s == '"' && *++s != '"') break;
        *out++ = *s;
    }
    *out = '\0';
    return s;
}

START_TEST(hostile_names_come_back)
{
    static const char *const names[] = {"",      ",",      "\"",     "\"\"",     "a,b\"c\nd\r\ne",
                                        " lead", "trail ", "=1+1",   "\xff\xfe", "\"quoted\"",
                                        "\n",    "plain",  ",,\",,", "ü"};
    enum { N = sizeof names / sizeof *names };
    char *text = NULL, field[64];
    size_t len;
    FILE *f = open_memstream(&text, &len);
    for (size_t i = 0; i < N; i++) {
        csv_field(f, names[i]);
        putc(i + 1 < N ? ',' : '\n', f);
    }
    fclose(f);
    const char *s = text;
    for (size_t i = 0; i < N; i++) {
        s = parse_field(s, field);
        ck_assert_str_eq(field, names[i]);
        ck_assert_int_eq(*s, i + 1 < N ? ',' : '\n');
        s++;
    }
    ck_assert_int_eq(*s, '\0');
    free(text);
}
END_TEST

START_TEST(the_point_is_in_every_row)
{
    static const char *const keys[] = {"vms.batch.count", "hosts.h1.cpu.scheduler"};
    static const char *const values[] = {"0", "rr", "4", "[a, b]"};
    struct made *m = made_big(2, 1, 2, keys, values, 2);
    char *text = written(csv_summary, &m->rp);
    ck_assert_ptr_nonnull(
        strstr(text, "\nnoisy-neighbour,sim,vms.batch.count=0;hosts.h1.cpu.scheduler=rr,0,42,vm.db,"));
    ck_assert_ptr_nonnull(strstr(
        text, "\nnoisy-neighbour,sim,\"vms.batch.count=4;hosts.h1.cpu.scheduler=[a, b]\",0,42,vm.db,"));
    free(text);
    made_done(m);
}
END_TEST

Suite *csv_suite(void)
{
    Suite *s = suite_create("csv");
    TCase *t = tcase_create("csv");
    tcase_add_test(t, the_bytes_of_every_table);
    tcase_add_test(t, hostile_names_come_back);
    tcase_add_test(t, the_point_is_in_every_row);
    suite_add_tcase(s, t);
    return s;
}
