// SPDX-License-Identifier: GPL-3.0-or-later
/* The trace of a real run against its accounting: on every track slices follow one another without gap or
 * overlap, and their lengths by name add up to the metrics to the nanosecond. */
#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/once.h"
#include "out/trace.h"
#include "tests/lab.h"

Suite *trace_sums_suite(void);

struct track {
    long long pid, tid, end_ns; /* up to where it is filled */
    long long sum_ns[64];
    char name[64][40];
    size_t n;
};

static void add(struct track *t, const char *name, long long ns)
{
    size_t i = 0;
    while (i < t->n && strcmp(t->name[i], name))
        i++;
    ck_assert_uint_lt(i, 64);
    if (i == t->n) snprintf(t->name[t->n++], sizeof t->name[0], "%s", name);
    t->sum_ns[i] += ns;
}

static long long sum_of(const struct track *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (!strcmp(t->name[i], name)) return t->sum_ns[i];
    return 0;
}

static long long ns_of(json_t *e, const char *key)
{
    return llround(json_number_value(json_object_get(e, key)) * 1000);
}

/* All slices into tracks, each checked for gaps. */
static size_t read_tracks(json_t *root, struct track *tracks, size_t cap)
{
    size_t n = 0, i;
    json_t *e, *events = json_object_get(root, "traceEvents");
    ck_assert(json_is_array(events));
    json_array_foreach(events, i, e)
    {
        if (strcmp(json_string_value(json_object_get(e, "ph")), "X")) continue;
        long long pid = json_integer_value(json_object_get(e, "pid")),
                  tid = json_integer_value(json_object_get(e, "tid"));
        struct track *t = tracks;
        while (t < tracks + n && (t->pid != pid || t->tid != tid))
            t++;
        if (t == tracks + n) {
            ck_assert_uint_lt(n, cap);
            *t = (struct track){.pid = pid, .tid = tid};
            n++;
        }
        ck_assert_msg(ns_of(e, "ts") == t->end_ns,
                      "track %lld/%lld: a slice begins at %lld ns, the last ended at %lld", pid, tid,
                      ns_of(e, "ts"), t->end_ns);
        t->end_ns += ns_of(e, "dur");
        add(t, json_string_value(json_object_get(e, "name")), ns_of(e, "dur"));
    }
    return n;
}

START_TEST(slices_nest_and_add_up)
{
    static const char *const schedulers[] = {"rr", "credit", "eevdf"};
    struct lab *l =
        lab_open("vlab: 1\nname: trace\nrun: {duration: 3s}\n"
                 "hosts: [{name: h, cpu: {cores: 2, scheduler: %s, switch_cost: 7us, cache: {share: 512KiB, "
                 "line: 3ns}}}]\n"
                 "vms: [{name: db, host: h, vcpus: 2, workload: {kind: requests, arrivals: {poisson: 200/s}, "
                 "steps: [{cpu: {exponential: 2ms}}]}},\n"
                 "      {name: lim, host: h, cpu: {limit: 30%%, working_set: 256KiB}, workload: {kind: loop, "
                 "steps: [{cpu: 1ms}]}},\n"
                 "      {name: hog, count: 2, host: h, workload: {kind: loop, steps: [{cpu: 5ms}]}}]\n",
                 schedulers[_i]);
    struct trace *trace = trace_new(lab_scenario(l), &(struct trace_opts){.slices = true});
    struct rec_reader reader = trace_reader(trace);
    char *why = NULL, *text = NULL;
    size_t len = 0;
    struct meter *m =
        once_sim(&(struct once){.sc = lab_scenario(l), .seed = 5, .also = &reader, .n_also = 1}, &why);
    ck_assert_msg(m != NULL, "%s", why);
    ck_assert_uint_eq(trace_cut(trace), 0);
    FILE *f = open_memstream(&text, &len);
    trace_json(f, trace);
    fclose(f);
    json_error_t err;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &err);
    ck_assert_msg(root != NULL, "%s", err.text);
    static struct track tracks[16];
    memset(tracks, 0, sizeof tracks);
    size_t n = read_tracks(root, tracks, 16);
    ck_assert_uint_eq(n, 2 + 5); /* two pCPUs, five vCPUs */
    const struct results *r = meter_output(m)->results;
    long long db = 0, sw = 0, idle = 0, throttled = 0;
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(tracks[i].end_ns, 3000000000LL);
        db += sum_of(&tracks[i], "db.vcpu0") + sum_of(&tracks[i], "db.vcpu1");
        sw += sum_of(&tracks[i], "switch");
        if (tracks[i].pid == 1) idle += sum_of(&tracks[i], "idle");
        throttled += sum_of(&tracks[i], "throttled");
    }
    ck_near((double)db / 1e9, results_find(r, "vm.db", "cpu.run", "total")->value, 1e-12);
    ck_near((double)sw / 1e9, results_find(r, "host.h", "cpu.switch", "total")->value, 1e-12);
    ck_near((double)idle / 1e9, results_find(r, "host.h", "cpu.idle", "total")->value, 1e-12);
    ck_near((double)throttled / 1e9, results_find(r, "vm.lim", "cpu.throttled", "total")->value, 1e-12);
    ck_assert(db > 0 && sw > 0 && throttled > 0);
    json_decref(root);
    free(text);
    meter_free(m);
    trace_free(trace);
    lab_close(l);
}
END_TEST

Suite *trace_sums_suite(void)
{
    Suite *s = suite_create("trace_sums");
    TCase *t = tcase_create("trace_sums");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, slices_nest_and_add_up, 0, 3);
    suite_add_tcase(s, t);
    return s;
}
