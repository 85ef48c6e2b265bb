// SPDX-License-Identifier: GPL-3.0-or-later
/* The trace: tracks without gap or overlap whose sums are those of the records, and an honest account of
 * cuts. */
#include <check.h>
#include <jansson.h>

#include "out/trace.h"

#include "tests/unit/made_up.h"

Suite *trace_suite(void);

enum { VMS = 5, TRACKS = 64 };
#define END_NS INT64_C(3000000000)

struct books { /* what the records say, to be found again in the file */
    struct trace *trace;
    int64_t run[TRACKS], sw[2], idle[2], ready[TRACKS]; /* by vm * 8 + vcpu; by pCPU */
};

static void keep_books(void *ctx, const struct rec *r, size_t n)
{
    struct books *b = ctx;
    struct rec_reader t = trace_reader(b->trace);
    t.read(t.ctx, r, n);
    for (size_t i = 0; i < n; i++) {
        size_t who = r[i].vm * 8 + r[i].vcpu;
        if (r[i].kind == REC_SWITCH) b->sw[r[i].pcpu] += r[i].value;
        if (r[i].kind == REC_IDLE) b->idle[r[i].pcpu] += r[i].value;
        if (r[i].kind == REC_STATE) *(r[i].from == VCPU_RUN ? &b->run[who] : &b->ready[who]) += r[i].value;
    }
}

static struct made *traced(struct books *b, const struct trace_opts *o)
{
    struct made *m = made_new(1, 1);
    made_scenario(m, VMS);
    *b = (struct books){.trace = trace_new(&m->sc, o)};
    m->trace = b->trace;
    made_records(m, (struct rec_reader){keep_books, b, 0}, END_NS);
    return m;
}

static json_t *parsed(const struct trace *t)
{
    char *text = NULL;
    size_t len;
    json_error_t e;
    FILE *f = open_memstream(&text, &len);
    trace_json(f, t);
    fclose(f);
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &e);
    ck_assert_msg(j != NULL, "%s at line %d", e.text, e.line);
    free(text);
    return j;
}

static int64_t ns(const json_t *slice, const char *key)
{
    return llround(json_number_value(json_object_get(slice, key)) * 1000);
}

static bool is(const json_t *slice, const char *key, const char *value)
{
    const char *s = json_string_value(json_object_get(slice, key));
    return s && strcmp(s, value) == 0;
}

START_TEST(tracks_are_seamless_and_add_up)
{
    struct books b;
    struct made *m = traced(&b, &(struct trace_opts){.slices = true});
    json_t *j = parsed(m->trace), *slice;
    size_t i, slices = 0;
    int64_t at[TRACKS] = {0}, run[TRACKS] = {0}, ran[TRACKS] = {0}, ready[TRACKS] = {0}, sw[2] = {0},
            idle[2] = {0};
    json_array_foreach(json_object_get(j, "traceEvents"), i, slice)
    {
        if (!is(slice, "ph", "X")) continue;
        slices++;
        int64_t pid = json_integer_value(json_object_get(slice, "pid")),
                tid = json_integer_value(json_object_get(slice, "tid"));
        size_t track = (size_t)(pid * 8 + tid), p = (size_t)(tid - 1), vm, vcpu;
        ck_assert_int_eq(ns(slice, "ts"), at[track]); /* the host is process 1, its VMs follow */
        at[track] += ns(slice, "dur");
        char name[64];
        snprintf(name, sizeof name, "%s", json_string_value(json_object_get(slice, "name")));
        if (pid > 1) {
            vm = (size_t)(pid - 2), vcpu = p;
            *(strcmp(name, "run") == 0 ? &ran[vm * 8 + vcpu] : &ready[vm * 8 + vcpu]) += ns(slice, "dur");
        } else if (strcmp(name, "switch") == 0) {
            sw[p] += ns(slice, "dur");
        } else if (strcmp(name, "idle") == 0) {
            idle[p] += ns(slice, "dur");
        } else {
            char *dot = strstr(name, ".vcpu");
            ck_assert_ptr_nonnull(dot);
            *dot = '\0';
            for (vm = 0; strcmp(m->vms[vm].name, name) != 0; vm++)
                ck_assert_uint_lt(vm, VMS);
            run[vm * 8 + (size_t)atoi(dot + 5)] += ns(slice, "dur");
        }
    }
    ck_assert_mem_eq(run, b.run, sizeof run);
    ck_assert_mem_eq(ran, b.run, sizeof ran);
    ck_assert_mem_eq(ready, b.ready, sizeof ready);
    ck_assert_mem_eq(sw, b.sw, sizeof sw);
    ck_assert_mem_eq(idle, b.idle, sizeof idle);
    for (size_t t = 0; t < TRACKS; t++)
        ck_assert(at[t] == 0 || at[t] == END_NS);
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(j, "otherData"), "slices")),
                     (json_int_t)slices);
    ck_assert_ptr_null(trace_cut_text(m->trace));
    json_decref(j);
    made_done(m);
}
END_TEST

START_TEST(what_is_cut_is_said)
{
    static const struct {
        enum trace_keep keep;
        const char *name;
    } keeps[] = {{TRACE_FIRST, "first"}, {TRACE_LAST, "last"}};
    struct books b;
    struct made *whole = traced(&b, &(struct trace_opts){.slices = true});
    json_t *all = parsed(whole->trace);
    json_int_t total = json_integer_value(json_object_get(json_object_get(all, "otherData"), "slices"));
    for (size_t k = 0; k < 2; k++) {
        for (size_t max = 1; max < 400; max += 57) {
            struct made *m =
                traced(&b, &(struct trace_opts){.slices = true, .keep = keeps[k].keep, .max = max});
            json_t *j = parsed(m->trace), *other = json_object_get(j, "otherData"), *slice;
            size_t i, slices = 0;
            int64_t first = INT64_MAX, last = 0;
            json_array_foreach(json_object_get(j, "traceEvents"), i, slice)
            {
                if (!is(slice, "ph", "X")) continue;
                slices++;
                first = ns(slice, "ts") < first ? ns(slice, "ts") : first;
                last = ns(slice, "ts") + ns(slice, "dur") > last ? ns(slice, "ts") + ns(slice, "dur") : last;
            }
            ck_assert_uint_le(slices, max);
            ck_assert_uint_ge(slices + 1, max); /* a run has two slices or none */
            ck_assert_int_eq(json_integer_value(json_object_get(other, "slices")), (json_int_t)slices);
            ck_assert_int_eq(json_integer_value(json_object_get(other, "cut")), total - (json_int_t)slices);
            ck_assert_str_eq(json_string_value(json_object_get(other, "kept")), keeps[k].name);
            ck_assert(slices == 0 || (keeps[k].keep == TRACE_FIRST ? first == 0 : last == END_NS));
            char *text = trace_cut_text(m->trace), want[40];
            snprintf(want, sizeof want, "%zu slices (%s)", slices, keeps[k].name);
            ck_assert_ptr_nonnull(strstr(text, want));
            free(text);
            json_decref(j);
            made_done(m);
        }
    }
    json_decref(all);
    made_done(whole);
}
END_TEST

START_TEST(a_window_has_what_touches_it)
{
    struct books b;
    int64_t from = 1000000000, to = 1200000000;
    struct trace_opts o = {.slices = true, .keep = TRACE_WINDOW, .from_ns = from, .to_ns = to};
    struct made *m = traced(&b, &o);
    json_t *j = parsed(m->trace), *slice;
    size_t i;
    int64_t covered[TRACKS] = {0};
    json_array_foreach(json_object_get(j, "traceEvents"), i, slice)
    {
        if (!is(slice, "ph", "X")) continue;
        int64_t start = ns(slice, "ts"), end = start + ns(slice, "dur");
        ck_assert(end > from && start < to);
        size_t track = (size_t)(json_integer_value(json_object_get(slice, "pid")) * 8 +
                                json_integer_value(json_object_get(slice, "tid")));
        covered[track] += (end < to ? end : to) - (start > from ? start : from);
    }
    ck_assert_int_eq(covered[8 + 1], to - from);
    ck_assert_int_eq(covered[8 + 2], to - from);
    ck_assert_uint_gt(trace_cut(m->trace), 0);
    json_decref(j);
    made_done(m);
}
END_TEST

START_TEST(events_are_instants)
{
    struct made *m = made_new(1, 1);
    made_scenario(m, 2);
    m->trace = trace_new(&m->sc, &(struct trace_opts){.slices = true});
    struct rec_reader t = trace_reader(m->trace);
    struct rec r = {.t_ns = 1500,
                    .value = 7,
                    .vm = 1,
                    .vcpu = REC_NONE,
                    .pcpu = REC_NONE,
                    .kind = REC_EVENT,
                    .cause = REC_EV_FAULT};
    t.read(t.ctx, &r, 1);
    json_t *j = parsed(m->trace), *events = json_object_get(j, "traceEvents");
    json_t *e = json_array_get(events, json_array_size(events) - 1);
    ck_assert(is(e, "ph", "i") && is(e, "name", "fault") && ns(e, "ts") == 1500);
    ck_assert_int_eq(json_integer_value(json_object_get(e, "pid")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(e, "args"), "value")), 7);
    json_decref(j);
    made_done(m);
}
END_TEST

static char *gantt_text(const struct gantt *g, const struct gantt_window *w)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    gantt_write(f, g, w);
    fclose(f);
    return text;
}

START_TEST(the_chart_shows_the_first_sharing)
{
    struct made *m = made_new(1, 1);
    made_scenario(m, 3);
    struct gantt *g = gantt_new(&m->sc);
    int64_t w0 = m->sc.run.warmup_ns, ms = 1000000;
    /* Before the warm-up's end nothing counts; batch-0 runs across it, then batch-1, on pCPU 0; db stays on
     * pCPU 1. */
    const struct rec recs[] = {
        {.t_ns = w0 - 90 * ms,
         .value = 0,
         .kind = REC_STATE,
         .from = VCPU_READY,
         .to = VCPU_RUN,
         .vm = 0,
         .pcpu = 1},
        {.t_ns = w0 - 50 * ms,
         .value = 20 * ms,
         .kind = REC_STATE,
         .from = VCPU_RUN,
         .to = VCPU_READY,
         .vm = 2},
        {.t_ns = w0 - 50 * ms, .value = 0, .kind = REC_STATE, .from = VCPU_READY, .to = VCPU_RUN, .vm = 1},
        {.t_ns = w0 + 5 * ms,
         .value = 55 * ms,
         .kind = REC_STATE,
         .from = VCPU_RUN,
         .to = VCPU_READY,
         .vm = 1},
        {.t_ns = w0 + 6 * ms, .value = ms, .kind = REC_SWITCH, .vm = 2},
        {.t_ns = w0 + 6 * ms,
         .value = 56 * ms,
         .kind = REC_STATE,
         .from = VCPU_READY,
         .to = VCPU_RUN,
         .vm = 2},
        {.t_ns = w0 + 9 * ms, .value = 3 * ms, .kind = REC_STATE, .from = VCPU_RUN, .to = VCPU_IDLE, .vm = 2},
        {.t_ns = w0 + 9 * ms,
         .value = 99 * ms,
         .kind = REC_STATE,
         .from = VCPU_RUN,
         .to = VCPU_READY,
         .vm = 0,
         .pcpu = 1},
    };
    for (size_t i = 0; i < sizeof recs / sizeof *recs; i++)
        ck_assert(gantt_see(g, &recs[i]));
    struct gantt_window w;
    ck_assert(gantt_choose(g, &w));
    ck_assert(w.host == 0 && w.rows == 2 && w.from_ns == w0 && w.to_ns == w0 + 9 * ms);
    char *text = gantt_text(g, &w);
    ck_assert_str_eq(text, "pcpu\tstart\tend\tvm\tvcpu\tlabel\n"
                           "0\t5\t5.005\tbatch-0\t0\tbatch-0\n"
                           "0\t5.005\t5.006\tswitch\t0\t\n"
                           "0\t5.006\t5.009\tbatch-1\t0\tbatch-1\n"
                           "1\t5\t5.009\tdb\t0\tdb.0\n");
    ck_assert_double_eq_tol(gantt_time(g, &w, 2), 0.003, 1e-12);
    ck_assert_double_eq_tol(gantt_time(g, &w, UINT32_MAX), 0.001, 1e-12);
    free(text);
    gantt_free(g);
    made_done(m);
}
END_TEST

START_TEST(who_never_lets_go_is_drawn_to_the_end)
{
    struct made *m = made_new(1, 1);
    made_scenario(m, 4);
    struct gantt *g = gantt_new(&m->sc);
    int64_t t = 0;
    struct rec start = {.t_ns = 0, .kind = REC_STATE, .from = VCPU_READY, .to = VCPU_RUN, .vm = 3, .pcpu = 1};
    bool more = gantt_see(g, &start);
    for (uint32_t i = 0; more; i++) {
        t += 10000000;
        struct rec r = {
            .t_ns = t, .value = 10000000, .kind = REC_STATE, .from = VCPU_RUN, .to = VCPU_READY, .vm = i % 3};
        more = gantt_see(g, &r);
        ck_assert_uint_lt(i, 100000);
    }
    struct gantt_window w;
    ck_assert(gantt_choose(g, &w));
    ck_assert_int_eq(w.to_ns - w.from_ns, GANTT_SLICES * INT64_C(10000000));
    ck_assert_double_eq_tol(gantt_time(g, &w, 3), (double)(w.to_ns - w.from_ns) / 1e9, 1e-12);
    gantt_free(g);
    made_done(m);
}
END_TEST

Suite *trace_suite(void)
{
    Suite *s = suite_create("trace");
    TCase *t = tcase_create("trace");
    tcase_add_test(t, tracks_are_seamless_and_add_up);
    tcase_add_test(t, what_is_cut_is_said);
    tcase_add_test(t, a_window_has_what_touches_it);
    tcase_add_test(t, events_are_instants);
    tcase_add_test(t, the_chart_shows_the_first_sharing);
    tcase_add_test(t, who_never_lets_go_is_drawn_to_the_end);
    suite_add_tcase(s, t);
    return s;
}
