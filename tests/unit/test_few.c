// SPDX-License-Identifier: GPL-3.0-or-later
/* An interval of availability that rests on fewer than 30 failures is none: not in what is expected, nor in
 * what is written. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/expect_eval.h"
#include "metrics/runset.h"
#include "scenario/scenario.h"

Suite *few_suite(void);

enum { REPS = 4 };

struct few {
    struct results *runs[REPS];
    struct run_output out[REPS];
    struct runset *rs;
};

/* a fails so often in each replication and is up 90 %, give or take; c fails as often and is up
 * the same in each; b-0 and b-1 are as a, and fail half as often. */
static struct few *fill(uint64_t failures)
{
    struct few *f = calloc(1, sizeof *f);
    ck_assert_ptr_nonnull(f);
    f->rs = runset_new(1, REPS);
    for (size_t i = 0; i < REPS; i++) {
        struct results *r = f->runs[i] = results_new();
        double noise = ((double)i - 1.5) * .001;
        static const char *const names[] = {"vm.a", "vm.c", "vm.b-0", "vm.b-1"};
        for (size_t k = 0; k < 4; k++) {
            results_add(r, names[k], "availability", "share", "", k == 1 ? .9 : .9 + noise);
            results_add(r, names[k], "cpu.down", "share", "", .1 - noise);
            results_add_exact(r, names[k], "events.failed", "total", "", k < 2 ? failures : failures / 2);
        }
        f->out[i] = (struct run_output){.results = r};
        runset_put(f->rs, 0, i, i + 1, &f->out[i]);
    }
    return f;
}

static void done(struct few *f)
{
    for (size_t i = 0; i < REPS; i++)
        results_free(f->runs[i]);
    runset_free(f->rs);
    free(f);
}

static const struct results *get(void *ctx, size_t point, uint32_t rep)
{
    const struct few *f = ctx;
    return point == 0 ? f->runs[rep] : NULL;
}

/* The verdict, and in `why` what is said. */
static enum expect_verdict ask(struct few *f, const char *line, uint32_t reps, char **why)
{
    char text[600];
    struct diag d;
    snprintf(text, sizeof text,
             "hosts: [{name: h}]\nvms:\n- {name: a, workload: {steps: [{cpu: 1ms}]}}\n"
             "- {name: b, count: 2, workload: {steps: [{cpu: 1ms}]}}\n"
             "- {name: c, workload: {steps: [{cpu: 1ms}]}}\nexpect:\n- \"%s\"\n",
             line);
    diag_init(&d);
    struct scenario_file *file = scenario_parse("e.yaml", text, strlen(text), &d);
    struct scenario *sc = file ? scenario_at(file, 0, &d) : NULL;
    if (!sc) diag_print(&d, stderr, false);
    ck_assert_msg(sc && sc->n_expects == 1, "%s", line);
    struct expect_result r = expect_eval(sc->expects[0], &(struct expect_runs){get, f, reps});
    free(*why);
    *why = expect_explain(sc->expects[0], &r, NULL);
    ck_assert(!r.few || r.events < RESULTS_EVENTS);
    scenario_free(sc);
    scenario_close(file);
    diag_done(&d);
    return r.verdict;
}

START_TEST(an_expectation_takes_thirty_failures)
{
    static const struct {
        uint64_t failures; /* of a in each of the four */
        const char *line;
        enum expect_verdict verdict;
        const char *said;
    } asked[] = {
        {8, "vm.a.availability == 90% within 1pp", EXPECT_HOLDS, "(95 %, n = 4)"},
        {8, "vm.a.availability > 95%", EXPECT_FAILS, "(95 %, n = 4)"},
        {7, "vm.a.availability == 90% within 1pp", EXPECT_UNDECIDED, "too few events: 28 failures in 4 runs"},
        {7, "vm.a.availability > 95%", EXPECT_UNDECIDED, "an interval takes 30"},
        {7, "vm.a.availability - vm.a.cpu.down > 10%", EXPECT_UNDECIDED, "too few events: 28"},
        {0, "vm.a.availability > 80%", EXPECT_UNDECIDED, "too few events: 0"},
        /* On a metric that rests on no failures nothing changes. */
        {0, "vm.a.cpu.down < 20%", EXPECT_HOLDS, ""},
        /* Of a set all failures together count; of two figures the one with fewer. */
        {8, "mean(vm.b-*.availability) == 90% within 1pp", EXPECT_HOLDS, ""},
        {6, "mean(vm.b-*.availability) == 90% within 1pp", EXPECT_UNDECIDED, "too few events: 24"},
        {8, "min(vm.a.availability, vm.b-*.availability) > 80%", EXPECT_HOLDS, ""},
        {8, "vm.a.availability >= vm.b-0.availability within 1pp", EXPECT_UNDECIDED, "too few events: 16"},
        /* All came out the same, failures and all: there is no interval to doubt. */
        {1, "vm.c.availability == 90%", EXPECT_HOLDS, ""},
        {1, "vm.c.availability > 95%", EXPECT_FAILS, ""},
        {0, "vm.c.availability == 90%", EXPECT_UNDECIDED, "too few events: 0"},
    };
    char *why = NULL;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct few *f = fill(asked[i].failures);
        enum expect_verdict v = ask(f, asked[i].line, REPS, &why);
        ck_assert_msg(v == asked[i].verdict && strstr(why, asked[i].said), "%s with %d each: %s (%s)",
                      asked[i].line, (int)asked[i].failures, expect_verdict_name(v), why);
        done(f);
    }
    /* One run gives a number and no interval. */
    struct few *f = fill(1);
    ck_assert_int_eq(ask(f, "vm.a.availability == 90% within 1pp", 1, &why), EXPECT_HOLDS);
    done(f);
    free(why);
}
END_TEST

START_TEST(an_estimate_without_its_interval)
{
    struct few *f = fill(7);
    struct estimate e = runset_estimate(f->rs, 0, "vm.a", "availability", "share");
    ck_assert(e.few && isnan(e.lo) && isnan(e.hi));
    ck_assert_double_eq_tol(e.mean, .9, 1e-12);
    e = runset_estimate(f->rs, 0, "vm.a", "cpu.down", "share");
    ck_assert(!e.few && e.lo < .1 && e.hi > .1);
    done(f);
    f = fill(8);
    e = runset_estimate(f->rs, 0, "vm.a", "availability", "share");
    ck_assert(!e.few && e.lo < .9 && e.hi > .9);
    e = runset_estimate(f->rs, 0, "vm.b-0", "availability", "share");
    ck_assert(e.few && isnan(e.lo));
    done(f);
}
END_TEST

Suite *few_suite(void)
{
    Suite *s = suite_create("few");
    TCase *t = tcase_create("few");
    tcase_add_test(t, an_expectation_takes_thirty_failures);
    tcase_add_test(t, an_estimate_without_its_interval);
    suite_add_tcase(s, t);
    return s;
}
