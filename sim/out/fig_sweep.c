// SPDX-License-Identifier: GPL-3.0-or-later
/* What a swept key does to the figures the expectations compare: curves where it is a number, groups of bars
 * where it is a word. One plot for each metric and unit; a curve for each figure and, where more than one key
 * is swept, for each combination of the others. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "out/axis.h"
#include "out/figure.h"
#include "out/interest.h"
#include "out/num.h"
#include "out/phrase.h"

enum { PLOTS_MAX = 4, DECADES = 50 };

struct curve {
    const struct interest *what;
    size_t like; /* a point whose other keys' values are this curve's */
    char *name;
};

struct plot {
    struct figure fig;
    const struct report *rp;
    struct axis axis;
    const struct interest *asked[INTEREST_MAX]; /* the figures in it */
    size_t n_asked;
    struct curve curve[FIGURE_LINES];
    size_t n, left_out;
    double bottom, top; /* of the data */
    double least;       /* of what is above 0 */
};

static bool same_others(const struct report *rp, const struct axis *x, size_t a, size_t b)
{
    for (size_t k = 0; k < rp->points[a].n; k++)
        if (x->other[k] && strcmp(rp->points[a].values[k], rp->points[b].values[k]) != 0) return false;
    return true;
}

/* "db p99, scheduler rr": the last part of a key is enough where only one other is swept. */
static char *curve_name(const struct report *rp, const struct axis *x, const struct interest *w, size_t like)
{
    char *text = NULL, what[120];
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    ASSERT(f != NULL);
    fputs(phrase_curve(w, what, sizeof what), f);
    for (size_t k = 0; k < rp->points[like].n; k++) {
        if (!x->other[k]) continue;
        const char *last = strrchr(rp->points[like].keys[k], '.');
        fprintf(f, ", %s %s", last ? last + 1 : rp->points[like].keys[k], rp->points[like].values[k]);
    }
    fclose(f);
    return text;
}

/* A curve for each combination of the other keys at which the figure has a value: a quotient may have none.
 */
static void add_curves(struct plot *p, const struct interest *w)
{
    for (size_t i = 0; i < runset_points(p->rp->runs); i++) {
        bool first = true, some = false;
        for (size_t k = 0; k < runset_points(p->rp->runs); k++) {
            if (!same_others(p->rp, &p->axis, k, i)) continue;
            first = first && k >= i;
            some = some || interest_at(p->rp, w, k).n > 0;
        }
        if (!first || !some) continue;
        if (p->n == FIGURE_LINES)
            p->left_out++;
        else
            p->curve[p->n++] = (struct curve){w, i, curve_name(p->rp, &p->axis, w, i)};
    }
}

static void include(struct plot *p, double x)
{
    if (!isfinite(x)) return;
    p->top = fmax(p->top, x);
    p->bottom = fmin(p->bottom, x);
    if (x > 0) p->least = fmin(p->least, x);
}

/* The block of one curve, in the order of the axis. */
static void write_curve(struct plot *p, const struct curve *c, bool first)
{
    FILE *f = p->fig.data;
    char num[NUM_LEN];
    if (!first) fputs("\n\n", f);
    for (size_t at = 0; at < p->axis.n; at++) {
        for (size_t i = 0; i < runset_points(p->rp->runs); i++) {
            if (p->axis.place[i] != at || !same_others(p->rp, &p->axis, c->like, i)) continue;
            struct estimate e = interest_at(p->rp, c->what, i);
            if (p->axis.numeric) {
                fputs(num_text(num, p->axis.x[at]), f);
            } else {
                fprintf(f, "%zu\t", at);
                figure_cell(f, p->axis.word[at]);
            }
            bool some = e.n > 0;
            figure_value(f, some ? e.mean : (double)NAN);
            figure_value(f, some ? e.lo : (double)NAN);
            figure_value(f, some ? e.hi : (double)NAN);
            putc('\n', f);
            include(p, some ? e.lo : (double)NAN);
            include(p, some ? e.hi : (double)NAN);
            break;
        }
    }
}

static void write_axis(struct plot *p)
{
    FILE *gp = p->fig.gp;
    const struct axis *a = &p->axis;
    if (!a->numeric) {
        size_t lines = 1;
        for (const char *c = a->word[0]; *c; c++)
            lines += *c == '\n';
        fprintf(gp, "GROUPS = %zu\nLINES = %zu\n", a->n, lines);
        return;
    }
    double low = a->x[0], high = a->x[a->n - 1], air = 0.04 * (high - low);
    fprintf(gp, "LOGX = %d\n", a->logarithmic);
    const double near = 0.04 * (a->logarithmic ? log(high / low) : high - low); /* numbers would overlap */
    figure_number(&p->fig, "FROM", a->logarithmic ? low / 1.2 : low - air);
    figure_number(&p->fig, "TO", a->logarithmic ? high * 1.2 : high + air);
    fputs("XTICS = ", gp);
    if (a->n > 12) {
        fputs("''\n", gp);
        return;
    }
    putc('"', gp);
    fputs("set xtics (", gp);
    char num[NUM_LEN];
    for (size_t i = 0, last = 0; i < a->n; i++) {
        double gap = a->logarithmic ? log(a->x[i] / a->x[last]) : a->x[i] - a->x[last];
        fprintf(gp, "%s%s%s", i ? ", " : "", i && gap < near ? "'' " : "", num_text(num, a->x[i]));
        if (gap >= near) last = i;
    }
    fputs(")\"\n", gp);
}

/* Shares in per cent, times and bytes in what suits them, a network's rate in bits, all else as it is. */
static struct figure_unit axis_unit(const struct interest *w, double top)
{
    if (w->percent) return (struct figure_unit){"%", 100};
    if (strcmp(w->unit, "s") == 0) return figure_time_unit(top);
    return figure_size_unit(w->metric, w->unit, top);
}

static void finish(struct plot *p)
{
    char *names[FIGURE_LINES];
    for (size_t k = 0; k < p->n; k++) {
        names[k] = p->curve[k].name;
        write_curve(p, &p->curve[k], k == 0);
    }
    double top = p->top > p->bottom ? p->top + 0.08 * (p->top - p->bottom) : p->bottom + 1;
    double bottom = p->bottom < 0 ? p->bottom * 1.08 : 0;
    bool share = p->curve[0].what->percent;
    if (share && p->top <= 1) top = fmin(top, 1.05);
    struct figure_unit unit = axis_unit(p->curve[0].what, top);
    /* Times over decades: of those on a linear axis only the longest would be seen. */
    bool decades =
        p->axis.numeric && strcmp(p->curve[0].what->unit, "s") == 0 && p->top >= DECADES * p->least;
    if (decades) bottom = p->least / 1.5;
    if (decades) top = p->top * 1.5;
    if (decades) unit = axis_unit(p->curve[0].what, sqrt(bottom * top));
    fprintf(p->fig.gp, "LOGY = %d\n", decades);
    figure_number(&p->fig, "BOTTOM", bottom * unit.scale);
    figure_number(&p->fig, "TOP", top * unit.scale);
    figure_number(&p->fig, "SCALE", unit.scale);
    char label[300];
    const char *per = p->curve[0].what->per;
    snprintf(label, sizeof label, "%.100s%s%.100s%s%.40s%s", p->curve[0].what->metric, per ? " / " : "",
             per ? per : "", *unit.name ? ", " : "", unit.name, decades ? " (logarithmic)" : "");
    figure_text(&p->fig, "YLABEL", label);
    fprintf(p->fig.gp, "CURVES = %zu\nBANDS = %zu\n", p->n, runset_reps(p->rp->runs) > 1 ? p->n : 0);
    figure_array(&p->fig, "NAMES", names, p->n);
    write_axis(p);
    figure_end(&p->fig, p->axis.numeric ? "curve" : "groups");
    for (size_t k = 0; k < p->n; k++)
        free(names[k]);
}

/* The swept key in words; "the virtualization mode of forks" is of all VMs where the zip has them side by
 * side. */
static char *key_words(const struct report *rp, size_t key, char *out, size_t size)
{
    const char *path = rp->points[0].keys[key], *name = strchr(path, '.');
    phrase_key(path, out, size);
    if (!name || !report_of_several(rp, key)) return out;
    char tail[140];
    snprintf(tail, sizeof tail, " of %.*s", (int)strcspn(name + 1, "."), name + 1);
    size_t n = strlen(out), m = strlen(tail);
    if (n > m && strcmp(out + n - m, tail) == 0) out[n - m] = '\0';
    return out;
}

static void begin(struct plot *p, struct rundir *rd, const struct report *rp, size_t number)
{
    char name[32], question[300], label[200], more[80] = "", cause[160], key[160], effect[120];
    key_words(rp, p->axis.key, cause, sizeof cause);
    figure_axis_name(rp, p->axis.key, key, sizeof key);
    snprintf(name, sizeof name, "sweep-%zu", number);
    snprintf(question, sizeof question, "What does %s do to %s?", cause,
             phrase_figures(p->asked, p->n_asked, effect, sizeof effect));
    if (p->left_out) snprintf(more, sizeof more, "%zu more curves not shown; ", p->left_out);
    size_t reps = runset_reps(rp->runs);
    char note[300];
    if (reps > 1)
        snprintf(note, sizeof note, "%smean of n = %zu runs a point, %s: %g %% confidence (Student t)", more,
                 reps, p->axis.numeric ? "band" : "whiskers", RUNSET_CONFIDENCE * 100);
    else
        snprintf(note, sizeof note, "%sn = 1 run a point", more);
    figure_begin(&p->fig, rd, rp, name, question, note, 0);
    snprintf(label, sizeof label, "%.120s%s%.20s", key, *p->axis.unit ? ", " : "", p->axis.unit);
    figure_text(&p->fig, "XLABEL", label);
}

static bool same_plot(const struct interest *a, const struct interest *b)
{
    if (!a->per != !b->per || (a->per && strcmp(a->per, b->per) != 0)) return false;
    return strcmp(a->metric, b->metric) == 0 && strcmp(a->unit, b->unit) == 0 && a->percent == b->percent;
}

void fig_sweep(struct rundir *rd, const struct report *rp)
{
    struct interest want[INTEREST_MAX];
    bool done[INTEREST_MAX] = {false};
    struct plot p = {.rp = rp};
    if (runset_points(rp->runs) < 2 || !axis_make(&p.axis, rp)) return;
    size_t n = interest_of(rp, want), number = 0;
    for (size_t i = 0; i < n && number < PLOTS_MAX; i++) {
        if (done[i]) continue;
        p.n = p.left_out = 0;
        p.top = p.bottom = 0;
        p.least = (double)INFINITY;
        p.n_asked = 0;
        for (size_t k = i; k < n; k++) {
            if (!same_plot(&want[i], &want[k])) continue;
            done[k] = true;
            p.asked[p.n_asked++] = &want[k];
            add_curves(&p, &want[k]);
        }
        begin(&p, rd, rp, ++number);
        finish(&p);
    }
    axis_done(&p.axis);
}
