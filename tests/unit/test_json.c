// SPDX-License-Identifier: GPL-3.0-or-later
/* --json and metrics.prom: their bytes, and that JSON readers take whatever names there are. */
#include <check.h>
#include <jansson.h>

#include "out/jsonw.h"
#include "out/prom.h"

#include "tests/unit/made_up.h"

Suite *json_suite(void);

static char *written(void (*write)(FILE *, const struct report *), const struct report *rp)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    write(f, rp);
    fclose(f);
    return text;
}

START_TEST(the_bytes_of_one_run)
{
    static const struct report_expect expects[] = {
        {"vm.db.latency.p99 < 50ms", REPORT_FAILS, "0.0713 s", NULL}};
    struct made *m = made_small(1);
    m->rp.expects = expects;
    m->rp.n_expects = 1;
    char *text = written(jsonw_report, &m->rp);
    const char *begins =
        "{\"vlab\":1,\"scenario\":\"noisy-neighbour\",\"backend\":\"sim\",\"fidelity\":\"exact\",\"seed\":42,"
        "\"replications\":1,\"duration_s\":60.0,\"results\":[\n"
        "{\"entity\":\"vm.db\",\"metric\":\"cpu.run\",\"stat\":\"share\",\"unit\":\"\",\"value\":0.612,"
        "\"ci95\":null},\n";
    ck_assert_int_eq(strncmp(text, begins, strlen(begins)), 0);
    ck_assert_ptr_nonnull(
        strstr(text, "{\"entity\":\"vm.db\",\"metric\":\"work.checksum\",\"stat\":\"total\",\"unit\":\"\","
                     "\"value\":9007199254740993,\"ci95\":null},\n"));
    const char *ends = "\"value\":0.9975,\"ci95\":null}],\n"
                       "\"expect\":[\n{\"text\":\"vm.db.latency.p99 < 50ms\",\"verdict\":\"fails\"}]}\n";
    ck_assert_str_eq(text + strlen(text) - strlen(ends), ends);
    free(text);
    made_done(m);
}
END_TEST

START_TEST(a_sweep_is_read_back)
{
    static const char *const keys[] = {"vms.batch.count", "hosts.h1.cpu.slice"};
    static const char *const values[] = {"0", "10ms", "4", "1.5"};
    struct made *m = made_big(3, 4, 2, keys, values, 2);
    char *text = written(jsonw_report, &m->rp);
    json_error_t e;
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &e);
    ck_assert_msg(j != NULL, "%s at line %d", e.text, e.line);
    json_t *rows = json_object_get(j, "results"), *row;
    size_t i, points[2] = {0};
    json_array_foreach(rows, i, row)
    {
        json_t *p = json_object_get(row, "point");
        bool last = json_integer_value(json_object_get(p, "vms.batch.count")) == 4;
        points[last]++;
        if (last)
            ck_assert(json_real_value(json_object_get(p, "hosts.h1.cpu.slice")) == 1.5);
        else
            ck_assert_str_eq(json_string_value(json_object_get(p, "hosts.h1.cpu.slice")), "10ms");
        struct estimate est = runset_estimate(m->rs, last, json_string_value(json_object_get(row, "entity")),
                                              json_string_value(json_object_get(row, "metric")),
                                              json_string_value(json_object_get(row, "stat")));
        json_t *ci = json_object_get(row, "ci95");
        ck_assert(json_real_value(json_object_get(row, "value")) == est.mean);
        ck_assert(json_real_value(json_array_get(ci, 0)) == est.lo &&
                  json_real_value(json_array_get(ci, 1)) == est.hi);
    }
    ck_assert_uint_eq(points[0], points[1]);
    ck_assert_uint_eq(points[0] + points[1], json_array_size(rows));
    ck_assert_uint_eq(json_array_size(json_object_get(j, "expect")), 3);
    json_decref(j);
    free(text);
    made_done(m);
}
END_TEST

START_TEST(any_text_is_a_json_string)
{
    static const struct {
        const char *in, *out;
    } t[] = {{"", ""},
             {"a\"b\\c/d", "a\"b\\c/d"},
             {"\x01\n\t\x7f", "\x01\n\t\x7f"},
             {"√ü\xf0\x9f\x98\x80", "√ü\xf0\x9f\x98\x80"},
             {"\xff", "\xef\xbf\xbd"},                                                  /* no lead byte */
             {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                                  /* overlong */
             {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                  /* surrogate */
             {"a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd"},                                /* cut off */
             {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}}; /* past U+10FFFF */
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char *text = NULL;
        size_t len;
        FILE *f = open_memstream(&text, &len);
        jsonw_string(f, t[i].in);
        fclose(f);
        json_t *j = json_loads(text, JSON_DECODE_ANY, NULL);
        ck_assert_msg(j != NULL, "%zu: %s", i, text);
        ck_assert_str_eq(json_string_value(j), t[i].out);
        json_decref(j);
        free(text);
    }
}
END_TEST

START_TEST(the_bytes_of_metrics_prom)
{
    struct made *m = made_small(2);
    char *text = written(prom_report, &m->rp);
    const char *ready = "# HELP vlab_cpu_ready_ratio The metric cpu.ready (vlab explain has its meaning).\n"
                        "# TYPE vlab_cpu_ready_ratio gauge\n"
                        "vlab_cpu_ready_ratio{scenario=\"noisy-neighbour\",backend=\"sim\",entity=\"vm.db\","
                        "stat=\"share\"} 0.306\n"
                        "vlab_cpu_ready_ratio{scenario=\"noisy-neighbour\",backend=\"sim\",entity=\"vm.batch-"
                        "0\",stat=\"share\"} 0.317\n"
                        "# HELP vlab_cpu_run_ratio ";
    ck_assert_ptr_nonnull(strstr(text, ready));
    ck_assert_ptr_nonnull(strstr(text, "# TYPE vlab_latency_seconds gauge\n"
                                       "vlab_latency_seconds{scenario=\"noisy-neighbour\",backend=\"sim\","
                                       "entity=\"vm.db\",stat=\"p50\"} 0.00615\n"));
    /* Each family once: as many HELP lines as different names in them. */
    size_t helps = 0;
    char last[100] = "";
    for (const char *s = text; (s = strstr(s, "# HELP ")); s++, helps++) {
        char name[100];
        ck_assert_int_eq(sscanf(s, "# HELP %99s", name), 1);
        ck_assert_int_lt(strcmp(last, name), 0);
        strcpy(last, name);
    }
    ck_assert_uint_eq(helps, 8);
    free(text);
    made_done(m);
}
END_TEST

Suite *json_suite(void)
{
    Suite *s = suite_create("json");
    TCase *t = tcase_create("json");
    tcase_add_test(t, the_bytes_of_one_run);
    tcase_add_test(t, a_sweep_is_read_back);
    tcase_add_test(t, any_text_is_a_json_string);
    tcase_add_test(t, the_bytes_of_metrics_prom);
    suite_add_tcase(s, t);
    return s;
}
