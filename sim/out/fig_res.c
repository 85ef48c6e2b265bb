// SPDX-License-Identifier: GPL-3.0-or-later
/* Figures of what is neither time slices nor a swept number: what virtualization took in each mode, and where
 * a host's memory is over time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "out/axis.h"
#include "out/figure.h"
#include "out/num.h"
#include "out/trace.h"

/* --- useful time and overhead --- */

static double share(const struct report *rp, size_t point, const char *vm, const char *metric)
{
    struct estimate e = report_pick(rp, point, vm, metric, "share");
    if (!e.n) e = report_pick(rp, point, vm, metric, "mean");
    return e.n ? 100 * e.mean : 0;
}

static bool any_overhead(const struct report *rp, const char *const *vms, size_t n)
{
    for (size_t p = 0; p < runset_points(rp->runs); p++)
        for (size_t i = 0; i < n; i++)
            if (share(rp, p, vms[i], "cpu.overhead") > 0) return true;
    return false;
}

/* The block of one VM: a row a point, in the order of the axis. */
static void write_vm(FILE *f, const struct report *rp, const struct axis *a, const char *vm, bool first)
{
    if (!first) fputs("\n\n", f);
    for (size_t at = 0; at < a->n; at++)
        for (size_t p = 0; p < runset_points(rp->runs); p++) {
            if (a->place[p] != at) continue;
            fprintf(f, "%zu\t", at);
            figure_cell(f, a->word[at]);
            figure_value(f, share(rp, p, vm, "cpu.guest"));
            figure_value(f, share(rp, p, vm, "cpu.overhead"));
            putc('\n', f);
        }
}

void fig_overhead(struct rundir *rd, const struct report *rp)
{
    struct axis a;
    const char **vms;
    size_t all = report_vms(rp, runset_points(rp->runs) - 1, &vms),
           n = all < FIGURE_LINES ? all : FIGURE_LINES;
    if (axis_make(&a, rp) && !a.numeric && a.n == runset_points(rp->runs) && any_overhead(rp, vms, n)) {
        struct figure fig;
        char note[200], label[300];
        char *names[FIGURE_LINES];
        size_t lines = 1;
        snprintf(note, sizeof note,
                 "useful: what the bare machine would take; overhead: what is more%s; n = %zu run%s a point",
                 n < all ? "; the first eight VMs" : "", runset_reps(rp->runs),
                 runset_reps(rp->runs) > 1 ? "s" : "");
        figure_begin(&fig, rd, rp, "overhead",
                     "How much of the time was useful, and how much did virtualization take?", note, 0);
        for (size_t i = 0; i < n; i++) {
            names[i] = alloc_copy(vms[i] + 3);
            write_vm(fig.data, rp, &a, vms[i], i == 0);
        }
        for (const char *c = a.word[0]; *c; c++)
            lines += *c == '\n';
        figure_text(&fig, "XLABEL", figure_axis_name(rp, a.key, label, sizeof label));
        fprintf(fig.gp, "GROUPS = %zu\nLINES = %zu\nCURVES = %zu\n", a.n, lines, n);
        figure_array(&fig, "NAMES", names, n);
        figure_end(&fig, "overhead");
        for (size_t i = 0; i < n; i++)
            free(names[i]);
    }
    axis_done(&a);
    free(vms);
}

/* --- a host's memory --- */

enum { LEVELS = 4 };
static const char *const levels[LEVELS] = {"resident", "shared", "ballooned", "swapped"};

static bool is_level(const struct series *s, size_t col, size_t level)
{
    return strncmp(s->metrics[col], "mem.", 4) == 0 && strcmp(s->metrics[col] + 4, levels[level]) == 0;
}

static double most_of(const struct series *s, size_t col)
{
    double most = 0;
    for (size_t row = 0; row < s->n_rows; row++)
        most = fmax(most, s->v[row * s->n_cols + col]); /* NaN is passed over */
    return most;
}

/* The columns of one host's levels, n_cols for those that are 0 all the time; of the host where most is not
 * where it was put: swapped, ballooned or shared, and in doubt where most is resident. NULL: no host has any.
 */
static const char *choose_host(const struct series *s, size_t col[LEVELS])
{
    const char *best = NULL;
    double best_moved = -1;
    for (size_t c = 0; c < s->n_cols; c++) {
        if (strncmp(s->entities[c], "host.", 5) != 0 || !is_level(s, c, 0)) continue;
        double held = most_of(s, c), moved = held * 1e-9;
        size_t own[LEVELS];
        for (size_t k = 0; k < LEVELS; k++) {
            own[k] = s->n_cols;
            for (size_t d = 0; d < s->n_cols; d++)
                if (is_level(s, d, k) && strcmp(s->entities[d], s->entities[c]) == 0 && most_of(s, d) > 0)
                    own[k] = d;
            moved += k && own[k] < s->n_cols ? most_of(s, own[k]) : 0;
        }
        if (held <= 0 || moved <= best_moved) continue;
        best = s->entities[c];
        best_moved = moved;
        memcpy(col, own, sizeof own);
    }
    return best;
}

/* What the host has; 0: not known. */
static double size_of(const struct report *rp, const char *host)
{
    const struct scenario *sc = rp->trace ? trace_scenario(rp->trace) : NULL;
    for (uint32_t i = 0; sc && i < sc->n_hosts; i++)
        if (strcmp(sc->hosts[i].name, host + 5) == 0) return (double)sc->hosts[i].memory.bytes;
    return 0;
}

void fig_memory(struct rundir *rd, const struct report *rp)
{
    static const struct {
        const char *name;
        double size;
    } units[] = {{"GiB", 0x1p30}, {"MiB", 0x1p20}, {"KiB", 0x1p10}};
    size_t point = runset_points(rp->runs) - 1, col[LEVELS], shown = 0, u = 0;
    const struct run_output *out = runset_get(rp->runs, point, 0);
    const struct series *s = out ? out->series : NULL;
    const char *host = s && s->n_rows > 1 ? choose_host(s, col) : NULL, *names[LEVELS];
    if (!host) return;
    struct figure fig;
    char question[200], label[60];
    double has = size_of(rp, host), top = has;
    for (size_t k = 0; k < LEVELS; k++)
        if (col[k] < s->n_cols) top = fmax(top, most_of(s, col[k]));
    while (u < 2 && top < 2 * units[u].size)
        u++;
    snprintf(question, sizeof question, "Where was the memory of %.64s, and when?", host + 5);
    char *at = runset_points(rp->runs) > 1 ? report_point_words(rp, point) : alloc_copy("");
    char note[400];
    snprintf(
        note, sizeof note,
        "%.200s%sresident: frames in use; shared: saved by sharing; swapped: on the disk only; n = 1 run", at,
        *at ? "; " : "");
    free(at);
    figure_begin(&fig, rd, rp, "memory", question, note, 0);
    for (size_t k = 0; k < LEVELS; k++)
        if (col[k] < s->n_cols) names[shown++] = levels[k];
    for (size_t row = 0; row < s->n_rows; row++) {
        char num[NUM_LEN];
        fputs(num_seconds(num, s->t_ns[row]), fig.data);
        for (size_t k = 0; k < LEVELS; k++)
            if (col[k] < s->n_cols) figure_value(fig.data, s->v[row * s->n_cols + col[k]] / units[u].size);
        putc('\n', fig.data);
    }
    figure_words(&fig, "LEVELS", names, shown);
    fprintf(fig.gp, "LEVELS_N = %zu\nSIZED = %d\n", shown, has > 0);
    figure_number(&fig, "SIZE", has / units[u].size);
    figure_number(&fig, "FROM", 0);
    figure_number(&fig, "TO", (double)rp->duration_ns / 1e9);
    figure_number(&fig, "TOP", 1.08 * top / units[u].size);
    snprintf(label, sizeof label, "memory, %s", units[u].name);
    figure_text(&fig, "YLABEL", label);
    figure_end(&fig, "memory");
}
