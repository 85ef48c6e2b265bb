// SPDX-License-Identifier: GPL-3.0-or-later
/* Distributions, whole: the replications of a point pooled into one curve an entity. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "out/figure.h"
#include "out/num.h"

struct step {
    double x, count;
};

struct pool { /* of one entity */
    const char *entity;
    struct step *step;
    size_t n, cap;
    double count;
};

static int by_x(const void *a, const void *b)
{
    const struct step *p = a, *q = b;
    return (p->x > q->x) - (p->x < q->x);
}

static bool is_vm(const char *entity)
{
    return strncmp(entity, "vm.", 3) == 0 && !strchr(entity + 3, '.');
}

static void add(struct pool *p, const struct ecdf *e)
{
    double before = 0;
    for (size_t i = 0; i < e->n; i++) {
        p->step = alloc_grow(p->step, p->n, &p->cap, sizeof *p->step);
        p->step[p->n++] = (struct step){e->x[i], (e->share[i] - before) * (double)e->count};
        before = e->share[i];
    }
    p->count += (double)e->count;
}

/* At most FIGURE_LINES entities, as they come in replication 0, with all replications in them. */
static size_t gather(const struct report *rp, size_t point, const char *metric, struct pool *pool,
                     size_t *left_out)
{
    size_t n = 0;
    *left_out = 0;
    for (size_t rep = 0; rep < runset_reps(rp->runs); rep++) {
        const struct run_output *out = runset_get(rp->runs, point, rep);
        for (size_t i = 0; out && i < out->n_ecdfs; i++) {
            const struct ecdf *e = &out->ecdfs[i];
            if (strcmp(e->metric, metric) != 0 || !is_vm(e->entity) || e->count == 0 || e->n == 0) continue;
            size_t k = 0;
            while (k < n && strcmp(pool[k].entity, e->entity) != 0)
                k++;
            if (k == n && n == FIGURE_LINES) {
                *left_out += rep == 0;
                continue;
            }
            if (k == n) pool[n++] = (struct pool){.entity = e->entity};
            add(&pool[k], e);
        }
    }
    for (size_t k = 0; k < n; k++)
        qsort(pool[k].step, pool[k].n, sizeof *pool[k].step, by_x);
    return n;
}

/* The value that the share q of the pool does not exceed. */
static double quantile(const struct pool *p, double q)
{
    double seen = 0;
    for (size_t i = 0; i < p->n; i++) {
        seen += p->step[i].count;
        if (seen >= q * p->count) return p->step[i].x;
    }
    return p->step[p->n - 1].x;
}

/* Where the bulk is: a few very short ones would stretch the axis over decades with nothing in them. What
 * lies below stands at the left end, as does what is not positive. */
enum { LEFT_OUT = 200 }; /* one in so many */

struct span {
    double low, high, middle;
    bool logarithmic;
};

static struct span span_of(const struct pool *pool, size_t n)
{
    struct span s = {.low = (double)INFINITY};
    double most = 0;
    for (size_t k = 0; k < n; k++) {
        double low = quantile(&pool[k], 1.0 / LEFT_OUT);
        if (low > 0 && low < s.low) s.low = low;
        s.high = fmax(s.high, pool[k].step[pool[k].n - 1].x);
        if (pool[k].count > most) s.middle = quantile(&pool[k], 0.5);
        most = fmax(most, pool[k].count);
    }
    if (isinf(s.low)) s.low = s.high > 0 ? s.high : 1e-9;
    s.high = fmax(s.high, s.low);
    s.logarithmic = s.high / s.low > 5;
    return s;
}

static void write_curve(FILE *f, const struct pool *p, double from, double to, bool first)
{
    char num[NUM_LEN];
    double seen = 0;
    /* A heading starts a block of its own for gnuplot's `index`; two blank lines end it. */
    if (!first) fputs("\n\n", f);
    fprintf(f, "%s\t0\n", num_text(num, from));
    for (size_t i = 0; i < p->n; i++) {
        seen += p->step[i].count;
        if (i + 1 < p->n && p->step[i + 1].x == p->step[i].x) continue;
        fputs(num_text(num, fmax(p->step[i].x, from)), f);
        figure_value(f, fmin(100 * seen / p->count, 100));
        putc('\n', f);
    }
    fprintf(f, "%s\t100\n", num_text(num, to));
}

void fig_ecdf(struct rundir *rd, const struct report *rp, const char *metric, const char *question,
              const char *axis)
{
    struct pool pool[FIGURE_LINES] = {{0}};
    size_t point = runset_points(rp->runs) - 1, left_out;
    size_t n = gather(rp, point, metric, pool, &left_out);
    if (n == 0) return;
    struct span span = span_of(pool, n);
    double count = 0;
    for (size_t k = 0; k < n; k++)
        count += pool[k].count;
    /* Whole decades to the left and right are rarely filled; a fifth of one is enough air. */
    double from = span.logarithmic ? span.low / 1.6 : 0, to = span.high * (span.logarithmic ? 1.6 : 1.25);
    char head[300], text[NUM_LEN];
    char *at = runset_points(rp->runs) > 1 ? report_point_words(rp, point) : alloc_copy("");
    snprintf(head, sizeof head, "%.150s%s%s %s of n = %zu run%s%s", at, *at ? "; " : "",
             count < 1e4 ? num_whole(text, (uint64_t)llround(count)) : num_human(text, count, ""), axis,
             runset_reps(rp->runs), runset_reps(rp->runs) > 1 ? "s, pooled" : "",
             left_out ? "; the first eight VMs" : "");
    free(at);
    struct figure fig;
    figure_begin(&fig, rd, rp, metric, question, head, 0);
    const char *names[FIGURE_LINES];
    for (size_t k = 0; k < n; k++) {
        names[k] = pool[k].entity + 3;
        write_curve(fig.data, &pool[k], from, to, k == 0);
        free(pool[k].step);
    }
    figure_words(&fig, "VMS", names, n);
    fprintf(fig.gp, "VMS_N = %zu\n", n);
    figure_number(&fig, "FROM", from);
    figure_number(&fig, "TO", to);
    struct figure_unit unit = figure_time_unit(span.middle);
    figure_number(&fig, "SCALE", unit.scale);
    fprintf(fig.gp, "LOGX = %d\n", span.logarithmic);
    snprintf(head, sizeof head, "%s, %s%s", metric, unit.name, span.logarithmic ? " (logarithmic)" : "");
    figure_text(&fig, "XLABEL", head);
    snprintf(head, sizeof head, "%s that took no longer, %%", axis);
    figure_text(&fig, "YLABEL", head);
    figure_end(&fig, "ecdf");
}
