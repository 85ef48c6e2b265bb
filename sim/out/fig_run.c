// SPDX-License-Identifier: GPL-3.0-or-later
/* Figures of one point of a run: who ran when, shares, steal over time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "out/figure.h"
#include "out/num.h"
#include "out/trace.h"

/* --- who ran when --- */

enum { GANTT_COLOURS = FIGURE_LINES - 1 }; /* black is for switches */

struct gantt_vm {
    const char *name;
    double time; /* in the window, for who gets a colour */
    size_t order;
};

static int by_time(const void *a, const void *b)
{
    const struct gantt_vm *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? 1 : -1;
    return (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b)
{
    const struct gantt_vm *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

/* The VMs in the window that get a colour of their own, in the scenario's order. */
static size_t coloured(const struct trace *t, const struct gantt_window *w, const char **names,
                       size_t *others, bool *switches)
{
    const struct scenario *sc = trace_scenario(t);
    struct gantt_vm *vm = alloc_array(sc->n_vms, sizeof *vm);
    for (uint32_t i = 0; i < sc->n_vms; i++)
        vm[i] = (struct gantt_vm){sc->vms[i].name, gantt_time(trace_gantt(t), w, i), i};
    qsort(vm, sc->n_vms, sizeof *vm, by_time);
    size_t n = 0;
    while (n < sc->n_vms && vm[n].time > 0)
        n++;
    *others = n > GANTT_COLOURS ? n - (GANTT_COLOURS - 1) : 0;
    n -= *others;
    qsort(vm, n, sizeof *vm, by_order);
    for (size_t i = 0; i < n; i++)
        names[i] = vm[i].name;
    free(vm);
    *switches = gantt_time(trace_gantt(t), w, GANTT_SWITCH) > 0;
    return n;
}

void fig_gantt(struct rundir *rd, const struct report *rp)
{
    struct gantt_window w;
    if (!rp->trace || !gantt_choose(trace_gantt(rp->trace), &w)) return;
    const char *names[GANTT_COLOURS];
    char question[200], axis[100], from[NUM_LEN];
    size_t others, labels;
    bool switches;
    size_t n = coloured(rp->trace, &w, names, &others, &switches);
    struct figure_unit unit = figure_time_unit((double)(w.to_ns - w.from_ns) / 1e9);
    snprintf(question, sizeof question, "Who ran when on the pCPUs of %.64s?",
             trace_scenario(rp->trace)->hosts[w.host].name);
    snprintf(axis, sizeof axis, "time since %s s, %s", num_seconds(from, w.from_ns), unit.name);
    char *at = runset_points(rp->runs) > 1 ? report_point_words(rp, rp->trace_point) : alloc_copy("");
    char note[300];
    snprintf(note, sizeof note, "%.200s%s%s; n = 1 run", at, *at ? "; " : "",
             w.shared ? "the first stretch in which a pCPU is shared" : "no pCPU changes hands");
    free(at);
    struct figure fig;
    int height = 242 + 64 * (int)w.rows;
    figure_begin(&fig, rd, rp, "gantt", question, note, height < 800 ? height : 800);
    labels = gantt_write(fig.data, trace_gantt(rp->trace), &w);
    fprintf(fig.gp, "FROM = %s\nTO = %s\n", from, num_seconds((char[NUM_LEN]){0}, w.to_ns));
    /* A terminal has some 56 columns: four a slice, or they would lie over one another. */
    double slices = (double)gantt_count(trace_gantt(rp->trace), &w) / w.rows;
    int64_t ascii =
        slices > 14 ? (int64_t)((double)(w.to_ns - w.from_ns) * 14 / slices) : w.to_ns - w.from_ns;
    fprintf(fig.gp, "ASCII_TO = %s\n", num_seconds((char[NUM_LEN]){0}, w.from_ns + ascii));
    figure_number(&fig, "SCALE", unit.scale);
    fprintf(fig.gp, "ROWS = %u\nCOLOURS = %zu\nOTHERS = %d\nSWITCHES = %d\nHOSTS = %d\nLABELS = %d\n", w.rows,
            n, others > 0, switches, gantt_time(trace_gantt(rp->trace), &w, GANTT_HOST) > 0, labels > 0);
    figure_words(&fig, "VMS", names, n);
    figure_text(&fig, "XLABEL", axis);
    fputs("YTICS = \"set ytics (", fig.gp);
    for (uint32_t p = 0; p < w.rows; p++)
        fprintf(fig.gp, "%s'pCPU %u' %u", p ? ", " : "", p, p);
    fputs(")\"\n", fig.gp);
    figure_end(&fig, "gantt");
}

/* --- shares --- */

enum { BARS_MAX = 24, STATES = 10 };
static const char *const bar_states[STATES] = {"run",      "overhead", "ready",   "throttled", "costop",
                                               "swapwait", "diskwait", "netwait", "idle",      "down"};

struct bar {
    char name[96];
    double part[STATES]; /* % */
    double lo, hi;       /* of run, overhead included */
};

static double percent(const struct report *rp, size_t point, const char *vm, const char *state)
{
    char metric[32];
    snprintf(metric, sizeof metric, "cpu.%s", state);
    struct estimate e = report_pick(rp, point, vm, metric, "share");
    if (!e.n) e = report_pick(rp, point, vm, metric, "mean");
    return e.n ? e.mean * 100 : 0.0;
}

static struct bar bar_of(const struct report *rp, size_t point, const char *vm)
{
    struct bar b = {.name = ""};
    snprintf(b.name, sizeof b.name, "%s", vm + 3);
    for (size_t k = 0; k < STATES; k++)
        b.part[k] = percent(rp, point, vm, bar_states[k]);
    b.part[0] -= b.part[1]; /* overhead is a part of run */
    struct estimate e = report_pick(rp, point, vm, "cpu.run", "share");
    b.lo = e.n > 1 ? fmax(e.lo * 100, 0) : b.part[0] + b.part[1];
    b.hi = e.n > 1 ? fmin(e.hi * 100, 100) : b.part[0] + b.part[1];
    return b;
}

/* All that have no bar of their own, as their mean. */
static struct bar rest_of(const struct report *rp, size_t point, const char *const *vms, size_t n)
{
    struct bar sum = {.name = ""};
    for (size_t i = 0; i < n; i++) {
        struct bar b = bar_of(rp, point, vms[i]);
        for (size_t k = 0; k < STATES; k++)
            sum.part[k] += b.part[k] / (double)n;
    }
    snprintf(sum.name, sizeof sum.name, "mean of %zu more", n);
    sum.lo = sum.hi = sum.part[0] + sum.part[1];
    return sum;
}

/* Nobody waits for a pCPU, somebody for something else. */
static bool only_others(const struct report *rp, size_t point, const char *const *vms, size_t n, bool *waits)
{
    bool ready = false;
    *waits = false;
    for (size_t i = 0; i < n; i++) {
        struct bar b = bar_of(rp, point, vms[i]);
        ready = ready || b.part[2] > 0;
        for (size_t k = 4; k < 8; k++)
            *waits = *waits || b.part[k] > 0;
    }
    return *waits && !ready;
}

void fig_shares(struct rundir *rd, const struct report *rp)
{
    const char **vms;
    size_t point = runset_points(rp->runs) - 1, n = report_vms(rp, point, &vms);
    size_t own = n <= BARS_MAX ? n : BARS_MAX - 1, rows = own + (n > own);
    const char *used[STATES] = {"-", "-", "-", "-", "-", "-", "-", "-", "-", "-"};
    if (n > 0) {
        struct figure fig;
        bool waits, others = only_others(rp, point, vms, n, &waits);
        char *note = figure_note(rp, point,
                                 others  ? ""
                                 : waits ? "ready: could run, had no pCPU; costop: stopped for its siblings; "
                                         : "ready: could run, had no pCPU; ");
        int height = 242 + 40 * (int)rows;
        figure_begin(&fig, rd, rp, "shares",
                     others ? "What did the VMs wait for?" : "Who got the CPU, and who waited for it?", note,
                     height < 900 ? height : 900);
        free(note);
        fputs("row\tvm\t", fig.data);
        for (size_t k = 0; k < STATES; k++)
            fprintf(fig.data, "%s\t", bar_states[k]);
        fputs("run_low\trun_high\n", fig.data);
        for (size_t i = 0; i < rows; i++) {
            struct bar b = i < own ? bar_of(rp, point, vms[i]) : rest_of(rp, point, vms + own, n - own);
            fprintf(fig.data, "%zu\t", i);
            figure_cell(fig.data, b.name);
            for (size_t k = 0; k < STATES; k++) {
                figure_value(fig.data, b.part[k]);
                if (b.part[k] > 0) used[k] = bar_states[k];
            }
            figure_value(fig.data, b.lo);
            figure_value(fig.data, b.hi);
            putc('\n', fig.data);
        }
        if (used[1][0] != '-') used[0] = "useful"; /* what is left of run */
        figure_words(&fig, "STATES", used, STATES);
        fprintf(fig.gp, "ROWS = %zu\nINTERVALS = %d\nCONFIDENCE = '%g %%'\n", rows, runset_reps(rp->runs) > 1,
                RUNSET_CONFIDENCE * 100);
        figure_end(&fig, "shares");
    }
    free(vms);
}

/* --- steal over time --- */

struct steal_vm {
    size_t col;
    double mean;
};

static int by_mean(const void *a, const void *b)
{
    const struct steal_vm *x = a, *y = b;
    if (x->mean != y->mean) return x->mean < y->mean ? 1 : -1;
    return (x->col > y->col) - (x->col < y->col);
}

static int by_col(const void *a, const void *b)
{
    const struct steal_vm *x = a, *y = b;
    return (x->col > y->col) - (x->col < y->col);
}

static double ready_at(const struct report *rp, size_t point, size_t rep, size_t row, size_t col)
{
    const struct run_output *out = runset_get(rp->runs, point, rep);
    const struct series *s = out ? out->series : NULL;
    return s && row < s->n_rows && col < s->n_cols ? 100 * s->v[row * s->n_cols + col] : (double)NAN;
}

enum { STEAL_BINS = 100, STEAL_BINS_MIN = 10, STEAL_TURNS = 5 };

static double turn_of(const struct report *rp, size_t point, const char *vm)
{
    struct estimate slice = report_pick(rp, point, vm, "slice", "mean");
    struct estimate wait = report_pick(rp, point, vm, "wait", "mean");
    return slice.n && wait.n ? slice.mean + wait.mean : 0;
}

/* How many samples go into one: a sample shorter than a turn is all or nothing and shows the turns, which
 * is what the Gantt chart is for. Five turns, then, but no more than leaves ten values; and at most a
 * hundred values, more would only be noise. */
static size_t samples_a_bin(const struct report *rp, size_t point, const struct series *s,
                            const struct steal_vm *vm, size_t n)
{
    double turn = 0, sample = (double)(s->t_ns[1] - s->t_ns[0]) / 1e9;
    for (size_t i = 0; i < n; i++)
        turn = fmax(turn, turn_of(rp, point, s->entities[vm[i].col]));
    size_t most = s->n_rows / STEAL_BINS_MIN, bin = (s->n_rows + STEAL_BINS - 1) / STEAL_BINS;
    double turns = ceil(STEAL_TURNS * turn / sample);
    if (turns > (double)bin) bin = turns < (double)most ? (size_t)turns : most;
    return bin ? bin : 1;
}

/* The mean of the samples of a bin that have a value. */
static double ready_in(const struct report *rp, size_t point, size_t rep, size_t row, size_t rows, size_t col)
{
    double sum = 0, n = 0;
    for (size_t r = row; r < row + rows; r++) {
        double x = ready_at(rp, point, rep, r, col);
        if (isnan(x)) continue;
        sum += x;
        n++;
    }
    return n > 0 ? sum / n : (double)NAN;
}

/* The columns of VMs that waited most in replication 0, in the order of the columns. */
static size_t most_ready(const struct report *rp, size_t point, const struct series *s, struct steal_vm *list)
{
    struct steal_vm *all = alloc_array(s->n_cols, sizeof *all);
    size_t n = 0;
    for (size_t c = 0; c < s->n_cols; c++) {
        bool vm = strncmp(s->entities[c], "vm.", 3) == 0 && !strchr(s->entities[c] + 3, '.');
        if (!vm || strcmp(s->metrics[c], "cpu.ready") != 0) continue;
        double sum = 0;
        for (size_t r = 0; r < s->n_rows; r++) {
            double x = ready_at(rp, point, 0, r, c);
            sum += isnan(x) ? 0 : x;
        }
        all[n++] = (struct steal_vm){c, sum};
    }
    qsort(all, n, sizeof *all, by_mean);
    if (n > FIGURE_LINES) n = FIGURE_LINES;
    qsort(all, n, sizeof *all, by_col);
    memcpy(list, all, n * sizeof *all);
    free(all);
    return n;
}

/* The data, a row a bin, at its middle; returns the highest value. Replications are sampled at the same
 * times. A last bin that is not full is left out. */
static double steal_rows(struct figure *fig, size_t point, const struct series *s, const struct steal_vm *vm,
                         size_t n, size_t bin)
{
    size_t reps = runset_reps(fig->rp->runs);
    double top = 0, *v = alloc_array(reps, sizeof *v);
    char num[NUM_LEN];
    for (size_t r = 0; r + bin <= s->n_rows; r += bin) {
        int64_t from = r ? s->t_ns[r - 1] : 2 * s->t_ns[0] - s->t_ns[1];
        fputs(num_seconds(num, from + (s->t_ns[r + bin - 1] - from) / 2), fig->data);
        for (size_t i = 0; i < n; i++) {
            for (size_t rep = 0; rep < reps; rep++)
                v[rep] = ready_in(fig->rp, point, rep, r, bin, vm[i].col);
            struct estimate e = runset_estimate_of(v, reps);
            figure_value(fig->data, e.mean);
            figure_value(fig->data, fmax(e.lo, 0));
            figure_value(fig->data, fmin(e.hi, 100));
            if (e.n && e.mean > top) top = e.mean;
            if (e.n && fmin(e.hi, 100) > top) top = fmin(e.hi, 100);
        }
        putc('\n', fig->data);
    }
    free(v);
    return top;
}

void fig_steal(struct rundir *rd, const struct report *rp)
{
    size_t point = runset_points(rp->runs) - 1;
    const struct run_output *out = runset_get(rp->runs, point, 0);
    const struct series *s = out ? out->series : NULL;
    struct steal_vm vm[FIGURE_LINES];
    size_t n = s && s->n_rows > 1 ? most_ready(rp, point, s, vm) : 0;
    const char **vms;
    size_t n_vms = report_vms(rp, point, &vms);
    bool waits, others = only_others(rp, point, vms, n_vms, &waits);
    free(vms);
    if (n == 0 || others) return;
    size_t bin = samples_a_bin(rp, point, s, vm, n);
    struct figure fig;
    char head[200], num[NUM_LEN];
    snprintf(head, sizeof head, "averages over %s; %s",
             num_time(num, (double)bin * (double)(s->t_ns[1] - s->t_ns[0]) / 1e9),
             n == FIGURE_LINES ? "at most the eight that waited longest; " : "");
    char *note = figure_note(rp, point, head);
    figure_begin(&fig, rd, rp, "steal", "When did VMs wait for a pCPU?", note, 0);
    free(note);
    const char *names[FIGURE_LINES];
    putc('t', fig.data);
    for (size_t i = 0; i < n; i++) {
        names[i] = s->entities[vm[i].col] + 3;
        fprintf(fig.data, "\t%s\t%s low\t%s high", names[i], names[i], names[i]);
    }
    putc('\n', fig.data);
    double top = steal_rows(&fig, point, s, vm, n, bin);
    figure_words(&fig, "VMS", names, n);
    figure_number(&fig, "FROM", 0);
    figure_number(&fig, "TO", (double)rp->duration_ns / 1e9);
    figure_number(&fig, "TOP", fmin(fmax(ceil(top * 1.1), 1), 100));
    fprintf(fig.gp, "VMS_N = %zu\nBANDS = %zu\n", n, runset_reps(rp->runs) > 1 ? n : 0);
    figure_end(&fig, "steal");
}
