// SPDX-License-Identifier: GPL-3.0-or-later
/* Levels over time, from the samples: of disks and stores a curve a device and point of the sweep, and in
 * grey the bound that the level cannot pass, where it has one; of the cluster a curve a point. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "out/axis.h"
#include "out/figure.h"
#include "out/num.h"
#include "out/trace.h"

enum { BINS = 200, CURVES_OF_POINTS = 4 }; /* values a curve; beyond so many curves only the last point */

struct level {
    size_t point, col;
    const char *entity;
};

struct levels {
    const struct report *rp;
    const char *metric;
    struct level v[FIGURE_LINES];
    size_t n, left_out;
    bool many_devices, last_point;
    struct axis axis; /* what is swept */
    double top;
};

static const struct series *series_of(const struct report *rp, size_t point, size_t rep)
{
    const struct run_output *out = runset_get(rp->runs, point, rep);
    return out ? out->series : NULL;
}

static bool of_disks(const char *metric)
{
    return strncmp(metric, "disk.", 5) == 0;
}

/* Whose level it is. */
static bool has_curve(const char *metric, const char *entity)
{
    if (!of_disks(metric)) return strcmp(entity, "cluster") == 0;
    return strstr(entity, ".disk.") || strncmp(entity, "storage.", 8) == 0;
}

static void gather(struct levels *l, size_t from)
{
    l->n = l->left_out = 0;
    for (size_t p = from; p < runset_points(l->rp->runs); p++) {
        const struct series *s = series_of(l->rp, p, 0);
        for (size_t c = 0; s && s->n_rows > 1 && c < s->n_cols; c++) {
            if (strcmp(s->metrics[c], l->metric) != 0 || !has_curve(l->metric, s->entities[c])) continue;
            if (l->n == FIGURE_LINES) {
                l->left_out++;
                continue;
            }
            l->v[l->n++] = (struct level){p, c, s->entities[c]};
            l->many_devices = l->many_devices || strcmp(l->v[0].entity, s->entities[c]) != 0;
        }
    }
}

/* The mean of the samples from `row` on. */
static double mean_of(const struct series *s, size_t col, size_t row, size_t rows)
{
    double sum = 0;
    for (size_t r = row; r < row + rows; r++)
        sum += s->v[r * s->n_cols + col];
    return sum / (double)rows;
}

/* Whether any of them goes up or down: a queue that is about as long at all times shows nothing. */
static bool moves(const struct levels *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct series *s = series_of(l->rp, l->v[i].point, 0);
        size_t bin = (s->n_rows + BINS - 1) / BINS;
        double low = (double)INFINITY, high = 0;
        for (size_t r = 0; r + bin <= s->n_rows; r += bin) {
            double x = mean_of(s, l->v[i].col, r, bin);
            low = fmin(low, x);
            high = fmax(high, x);
        }
        double least = strcmp(l->metric, "disk.queue") == 0 ? 2 : 1.01;
        if (high >= (of_disks(l->metric) ? 2 : 1e-3) && high >= least * low) return true;
    }
    return false;
}

/* A row a bin, at its middle: time, mean, and the interval of it. The last bin may be shorter. */
static void write_level(struct levels *l, FILE *f, const struct level *v, bool first)
{
    const struct series *s = series_of(l->rp, v->point, 0);
    size_t reps = runset_reps(l->rp->runs), bin = (s->n_rows + BINS - 1) / BINS;
    double *x = alloc_array(reps, sizeof *x);
    char num[NUM_LEN];
    if (!first) fputs("\n\n", f);
    for (size_t r = 0; r < s->n_rows; r += bin) {
        size_t rows = r + bin <= s->n_rows ? bin : s->n_rows - r;
        int64_t from = r ? s->t_ns[r - 1] : 2 * s->t_ns[0] - s->t_ns[1];
        fputs(num_seconds(num, from + (s->t_ns[r + rows - 1] - from) / 2), f);
        for (size_t rep = 0; rep < reps; rep++) {
            const struct series *t = series_of(l->rp, v->point, rep);
            x[rep] = t && r + rows <= t->n_rows ? mean_of(t, v->col, r, rows) : (double)NAN;
        }
        struct estimate e = runset_estimate_of(x, reps);
        double low = fmax(e.lo, 0);
        figure_value(f, e.n ? e.mean : (double)NAN);
        figure_value(f, e.n ? low : (double)NAN);
        figure_value(f, e.n ? e.hi : (double)NAN);
        putc('\n', f);
        if (e.n) l->top = fmax(l->top, fmax(e.mean, isfinite(e.hi) ? e.hi : 0));
    }
    free(x);
}

/* "h1/ssd0, queue fifo": the device where there are several, and what is swept. */
static char *name_of(const struct levels *l, const struct level *v)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    ASSERT(f != NULL);
    size_t keys = l->axis.n ? l->rp->points[v->point].n : 0;
    const char *last = strrchr(v->entity, '.');
    if (l->many_devices || l->last_point || keys == 0) fputs(last ? last + 1 : v->entity, f);
    for (size_t k = 0; k < keys; k++) {
        if (l->last_point || (k != l->axis.key && !l->axis.other[k])) continue;
        const char *dot = strrchr(l->rp->points[v->point].keys[k], '.');
        fprintf(f, "%s%s %s", ftell(f) > 0 ? ", " : "", dot ? dot + 1 : l->rp->points[v->point].keys[k],
                l->rp->points[v->point].values[k]);
    }
    fclose(f);
    return text;
}

/* The size of the pools, where all that are shown have the same; 0: there is none to show. */
static double bound_of(const struct levels *l)
{
    const struct scenario *sc = l->rp->trace ? trace_scenario(l->rp->trace) : NULL;
    int64_t bound = 0;
    if (!sc || strcmp(l->metric, "disk.allocated") != 0) return 0;
    for (size_t i = 0; i < l->n; i++)
        for (uint32_t d = 0; d < sc->n_disks; d++) {
            if (strcmp(sc->disks[d].entity, l->v[i].entity) != 0) continue;
            if (bound && bound != sc->disks[d].pool_bytes) return 0;
            bound = sc->disks[d].pool_bytes;
        }
    return (double)bound;
}

void fig_level(struct rundir *rd, const struct report *rp, const char *metric, const char *question,
               const char *axis)
{
    struct levels l = {.rp = rp, .metric = metric};
    struct figure fig;
    char name[32], more[80] = "", label[120], *names[FIGURE_LINES];
    gather(&l, 0);
    l.last_point = runset_points(rp->runs) > 1 && l.n + l.left_out > CURVES_OF_POINTS;
    if (l.last_point) gather(&l, runset_points(rp->runs) - 1);
    if (!moves(&l)) return;
    axis_make(&l.axis, rp);
    const char *dot = strrchr(metric, '.');
    snprintf(name, sizeof name, "%s", dot ? dot + 1 : metric);
    if (l.left_out) snprintf(more, sizeof more, "%zu more curves not shown; ", l.left_out);
    size_t reps = runset_reps(rp->runs);
    char *at = l.last_point ? report_point_words(rp, runset_points(rp->runs) - 1) : alloc_copy(""), note[400];
    snprintf(note, sizeof note, "%.250s%s%smean over a sample; n = %zu run%s", at, *at ? "; " : "", more,
             reps, reps > 1 ? "s, band: 95 % confidence (Student t)" : "");
    free(at);
    figure_begin(&fig, rd, rp, name, question, note, 0);
    for (size_t i = 0; i < l.n; i++) {
        write_level(&l, fig.data, &l.v[i], i == 0);
        names[i] = name_of(&l, &l.v[i]);
    }
    double bound = bound_of(&l);
    l.top = fmax(l.top, bound);
    const char *unit_name = series_of(rp, l.v[0].point, 0)->units[l.v[0].col];
    struct figure_unit unit = figure_size_unit(metric, unit_name, l.top);
    struct figure_unit time = figure_time_unit((double)rp->duration_ns / 1e9);
    snprintf(label, sizeof label, "%s%s%s", axis, *unit.name ? ", " : "", unit.name);
    figure_text(&fig, "YLABEL", label);
    snprintf(label, sizeof label, "time, %s", time.name);
    figure_text(&fig, "XLABEL", label);
    figure_number(&fig, "TO", (double)rp->duration_ns / 1e9 * time.scale);
    figure_number(&fig, "TOP", l.top > 0 ? l.top * unit.scale * 1.08 : 1);
    figure_number(&fig, "XSCALE", time.scale);
    figure_number(&fig, "SCALE", unit.scale);
    figure_number(&fig, "BOUND", bound * unit.scale);
    fprintf(fig.gp, "CURVES = %zu\nBANDS = %zu\n", l.n, reps > 1 ? l.n : 0);
    figure_array(&fig, "NAMES", names, l.n);
    figure_end(&fig, "level");
    for (size_t i = 0; i < l.n; i++)
        free(names[i]);
    axis_done(&l.axis);
}
