// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/experiment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/cli.h"
#include "cli/once.h"
#include "cli/stop.h"
#include "metrics/expect_eval.h"
#include "out/progress.h"

static int refused(struct diag *d)
{
    diag_print(d, stderr, isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
    int code = d->usage ? CLI_USAGE : CLI_INVALID;
    diag_done(d);
    return code;
}

static bool apply_set(struct scenario_file *f, const char *text, struct diag *d)
{
    const char *eq = strchr(text, '=');
    if (!eq || eq == text) {
        diag_add(d, (struct diag_mark){0}, "--set wants KEY=VALUE, not `%s`", text);
        diag_hint(d, "for example --set run.duration=10s");
        d->usage = true;
        return false;
    }
    char *key = strndup(text, (size_t)(eq - text));
    ASSERT(key);
    bool ok = scenario_set(f, key, eq + 1, d);
    free(key);
    return ok;
}

struct scenario_file *experiment_read(const struct experiment_opts *o, int *code)
{
    struct diag d;
    diag_init(&d);
    struct scenario_file *f = scenario_open(o->path, &d);
    for (size_t i = 0; f && i < o->n_sets; i++) {
        if (apply_set(f, o->sets[i], &d)) continue;
        scenario_close(f);
        f = NULL;
    }
    if (f) {
        diag_done(&d);
        return f;
    }
    *code = refused(&d);
    return NULL;
}

static int read_points(struct experiment *x)
{
    x->n_points = scenario_points(x->file);
    x->at = calloc(x->n_points, sizeof *x->at);
    x->points = calloc(x->n_points, sizeof *x->points);
    ASSERT(x->at && x->points);
    for (size_t p = 0; p < x->n_points; p++) {
        struct diag d;
        diag_init(&d);
        x->at[p] = scenario_at(x->file, p, &d);
        if (!x->at[p]) return refused(&d);
        diag_done(&d);
        x->points[p] =
            (struct report_point){x->at[p]->n_keys, x->at[p]->keys, x->at[p]->values, x->at[p]->axes};
        if (x->at[p]->run.replications > x->n_reps) x->n_reps = x->at[p]->run.replications;
    }
    return 0;
}

int experiment_open(struct experiment *x, const struct experiment_opts *o)
{
    *x = (struct experiment){.opts = *o};
    int code = 0;
    x->file = experiment_read(o, &code);
    if (x->file) code = read_points(x);
    if (code) return code;
    const struct scenario *sc = x->at[0];
    x->meters = calloc(x->n_points * x->n_reps, sizeof *x->meters);
    x->expects = calloc(sc->n_expects * x->n_points + 1, sizeof *x->expects);
    ASSERT(x->meters && x->expects);
    x->runs = runset_new(x->n_points, x->n_reps);
    size_t len = 0;
    x->resolved = scenario_dump(x->file, &len);
    x->report = (struct report){
        .version = CLI_VERSION,
        .scenario = sc->name,
        .about = sc->about,
        .backend = o->native ? "proc"
                   : o->kvm  ? "kvm"
                             : "sim",
        .fidelity = "exact",
        .seed = sc->run.seed,
        .duration_ns = sc->run.duration_ns,
        .warmup_ns = sc->run.warmup_ns,
        .runs = x->runs,
        .points = sc->n_keys ? x->points : NULL,
        .expects = x->expects,
        .resolved = x->resolved,
        .resolved_len = len,
        .trace_json = o->trace,
        .per_entity = o->per_entity,
        .trace_point = x->n_points - 1,
    };
    clock_gettime(CLOCK_REALTIME, &x->report.started);
    return 0;
}

void experiment_close(struct experiment *x)
{
    for (size_t i = 0; x->meters && i < x->n_points * x->n_reps; i++)
        meter_free(x->meters[i]);
    for (size_t i = 0; i < x->report.n_expects; i++)
        free((void *)(uintptr_t)x->expects[i].detail);
    if (x->runs) runset_free(x->runs);
    trace_free(x->trace);
    for (size_t p = 0; x->at && p < x->n_points; p++)
        scenario_free(x->at[p]);
    if (x->file) scenario_close(x->file);
    free(x->at);
    free(x->points);
    free(x->meters);
    free(x->expects);
    free(x->resolved);
}

/* --- one run --- */

struct watch {
    struct progress p;
    size_t run;
};

static bool keep_going(void *ctx, int64_t now_ns, int64_t end_ns)
{
    struct watch *w = ctx;
    (void)end_ns;
    progress_at(&w->p, w->run, now_ns);
    return !stop_is_asked();
}

void experiment_put(struct experiment *x, size_t point, size_t rep, const struct run_output *out)
{
    runset_put(x->runs, point, rep, x->at[point]->run.seed + rep, out);
    x->n_done++;
}

static struct rec_reader record_trace(struct experiment *x)
{
    x->trace = trace_new(x->at[x->report.trace_point], &(struct trace_opts){.slices = x->opts.trace});
    x->report.trace = x->trace;
    return trace_reader(x->trace);
}

static int run_one(struct experiment *x, size_t point, size_t rep, struct watch *w)
{
    const struct scenario *sc = x->at[point];
    struct rec_reader also = {0};
    bool traced = point == x->report.trace_point && rep == 0;
    if (traced) also = record_trace(x);
    char *why = NULL;
    int code = CLI_BROKEN;
    struct once o = {.sc = sc,
                     .seed = sc->run.seed + rep,
                     .per_entity = x->opts.per_entity,
                     .native = x->opts.native,
                     .also = &also,
                     .n_also = traced,
                     .progress = keep_going,
                     .progress_ctx = w};
    struct meter *m = x->opts.kvm ? once_kvm(&o, &x->disturbed, &code, &why) : once_sim(&o, &why);
    if (m) {
        x->meters[point * x->n_reps + rep] = m;
        experiment_put(x, point, rep, meter_output(m));
        return 0;
    }
    progress_end(&w->p);
    if (why) fprintf(stderr, "vlab: %s: %s\n", sc->name, why);
    bool asked = !why;
    free(why);
    return asked || stop_is_asked() ? 0 : code;
}

struct meter *experiment_one(const struct experiment *x, size_t point, size_t rep,
                             bool (*progress)(void *ctx, int64_t now_ns, int64_t end_ns), void *ctx,
                             char **why)
{
    const struct scenario *sc = x->at[point];
    struct once o = {.sc = sc, .seed = sc->run.seed + rep, .progress = progress, .progress_ctx = ctx};
    return once_sim(&o, why);
}

static bool not_stopped(void *ctx, int64_t now_ns, int64_t end_ns)
{
    (void)ctx, (void)now_ns, (void)end_ns;
    return !stop_is_asked();
}

int experiment_trace(struct experiment *x, char **why)
{
    const struct scenario *sc = x->at[x->report.trace_point];
    struct rec_reader also = record_trace(x);
    struct once o = {.sc = sc,
                     .seed = sc->run.seed,
                     .no_series = true,
                     .also = &also,
                     .n_also = 1,
                     .progress = not_stopped};
    struct meter *m = once_sim(&o, why);
    meter_free(m);
    return m ? 0 : CLI_BROKEN;
}

int experiment_run(struct experiment *x)
{
    struct stop stop;
    stop_catch(&stop);
    struct watch w = {0};
    progress_begin(&w.p, x->opts.silent ? -1 : STDERR_FILENO, x->at[0]->name, x->n_points * x->n_reps,
                   x->at[0]->run.duration_ns);
    int code = 0;
    for (size_t p = 0; !code && p < x->n_points; p++)
        for (size_t r = 0; !code && !stop_is_asked() && r < x->at[p]->run.replications; r++, w.run++)
            code = run_one(x, p, r, &w);
    progress_end(&w.p);
    stop_release(&stop);
    x->interrupted = stop_is_asked();
    if (code) return code;
    if (x->interrupted) {
        fprintf(stderr, "vlab: interrupted: %zu of %zu runs are finished\n", x->n_done,
                x->n_points * x->n_reps);
        if (!x->meters[0]) return CLI_BROKEN; /* nothing worth keeping */
    }
    experiment_judge(x);
    return 0;
}

/* --- expectations --- */

static const struct results *results_of(void *ctx, size_t point, uint32_t rep)
{
    struct experiment *x = ctx;
    const struct run_output *o = runset_get(x->runs, point, rep);
    return o ? o->results : NULL;
}

static char *place_of(const struct experiment *x, size_t point)
{
    return x->report.points ? report_point_text(&x->report, point) : strdup("");
}

/* A line is judged at every point; shown is the worst of them. */
static void judge_line(struct experiment *x, uint32_t line)
{
    struct report_expect *out = &x->expects[x->report.n_expects++];
    struct expect_result worst = {.verdict = EXPECT_HOLDS};
    size_t where = 0;
    bool any = false;
    for (size_t p = 0; p < x->n_points; p++) {
        const struct expect *e = x->at[p]->expects[line];
        struct expect_runs runs = {.at = results_of, .ctx = x, .n_reps = x->at[p]->run.replications};
        struct expect_result r = expect_eval(e, &runs);
        if (!any || r.verdict > worst.verdict) {
            worst = r;
            where = p;
        }
        any = true;
        if (e->fixed) break;
    }
    const struct expect *e = x->at[where]->expects[line];
    static const enum report_verdict as[] = {
        [EXPECT_HOLDS] = REPORT_HOLDS, [EXPECT_UNDECIDED] = REPORT_UNDECIDED, [EXPECT_FAILS] = REPORT_FAILS};
    char *place = e->fixed ? NULL : place_of(x, where);
    *out = (struct report_expect){.text = e->text, .verdict = as[worst.verdict], .parsed = e};
    if (worst.verdict != EXPECT_HOLDS) out->detail = expect_explain(e, &worst, place);
    free(place);
}

void experiment_judge(struct experiment *x)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const struct timespec *began = &x->report.started;
    x->report.took_s = (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
    for (uint32_t i = 0; i < x->at[0]->n_expects; i++)
        judge_line(x, i);
}

int experiment_verdict(const struct experiment *x)
{
    if (x->interrupted) return CLI_BROKEN;
    for (size_t i = 0; i < x->report.n_expects; i++)
        if (x->expects[i].verdict != REPORT_HOLDS) return CLI_FAILED;
    return CLI_OK;
}
