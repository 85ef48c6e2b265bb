// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/figures.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "out/axis.h"
#include "out/figure.h"
#include "out/gp.h"
#include "out/num.h"

/* In single quotes, in which gnuplot expands nothing. */
static void quote(FILE *f, const char *text)
{
    putc('\'', f);
    for (; *text; text++) {
        if (*text == '\'') putc('\'', f);
        putc((unsigned char)*text < 0x20 ? ' ' : *text, f);
    }
    putc('\'', f);
}

void figure_cell(FILE *f, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            fputs("\\n", f); /* gnuplot breaks the line there */
        else
            putc((unsigned char)*text < 0x20 ? ' ' : *text == '"' ? '\'' : *text, f);
    }
}

void figure_value(FILE *f, double x)
{
    char num[NUM_LEN];
    fprintf(f, "\t%s", num_text(num, x));
}

void figure_text(struct figure *fig, const char *name, const char *text)
{
    fprintf(fig->gp, "%s = ", name);
    quote(fig->gp, text);
    putc('\n', fig->gp);
}

void figure_number(struct figure *fig, const char *name, double x)
{
    char num[NUM_LEN];
    num_text(num, x);
    /* gnuplot divides whole numbers as whole numbers; a count stays one, a quantity does not. */
    fprintf(fig->gp, "%s = %s\n", name, num);
}

void figure_words(struct figure *fig, const char *name, const char *const *words, size_t n)
{
    fprintf(fig->gp, "%s = '", name);
    for (size_t i = 0; i < n; i++) {
        if (i) putc(' ', fig->gp);
        for (const char *c = words[i]; *c; c++)
            putc(isspace((unsigned char)*c) || *c == '\'' || *c == '"' ? '_' : *c, fig->gp);
    }
    fputs("'\n", fig->gp);
}

void figure_array(struct figure *fig, const char *name, char *const *texts, size_t n)
{
    fprintf(fig->gp, "array %s[%zu] = [", name, n);
    for (size_t i = 0; i < n; i++) {
        if (i) fputs(", ", fig->gp);
        quote(fig->gp, texts[i]);
    }
    fputs("]\n", fig->gp);
}

char *figure_note(const struct report *rp, size_t point, const char *what)
{
    char *at = runset_points(rp->runs) > 1 ? report_point_words(rp, point) : NULL, *s;
    size_t n = runset_reps(rp->runs);
    int len = n > 1 ? asprintf(&s, "%s%s%sn = %zu runs, %g %% confidence (Student t)", what, at ? at : "",
                               at ? "; " : "", n, RUNSET_CONFIDENCE * 100)
                    : asprintf(&s, "%s%s%sn = 1 run", what, at ? at : "", at ? "; " : "");
    ASSERT(len >= 0);
    free(at);
    return s;
}

char *figure_axis_name(const struct report *rp, size_t key, char *out, size_t size)
{
    const struct report_point *p = &rp->points[0];
    const char *path = p->keys[key], *dot = strchr(path, '.'), *end = dot ? strchr(dot + 1, '.') : NULL;
    if (end && report_of_several(rp, key))
        snprintf(out, size, "%.*s.*%s", (int)(dot - path), path, end);
    else
        snprintf(out, size, "%s", path);
    for (size_t k = 0; k < p->n; k++) {
        if (!report_same_axis(rp, k, key) || axis_follows(rp, k, key) || report_repeats(rp, k)) continue;
        const char *leaf = strrchr(p->keys[k], '.');
        size_t n = strlen(out);
        snprintf(out + n, size - n, ", %s", leaf ? leaf + 1 : p->keys[k]);
    }
    return out;
}

struct figure_unit figure_time_unit(double seconds)
{
    static const struct figure_unit units[] = {{"ns", 1e9}, {"us", 1e6}, {"ms", 1e3}, {"s", 1}};
    size_t u = 0;
    if (seconds >= 7200) return (struct figure_unit){"h", 1.0 / 3600};
    while (u < 3 && seconds * units[u].scale >= 2000)
        u++;
    return units[u];
}

struct figure_unit figure_size_unit(const char *metric, const char *unit, double x)
{
    static const struct figure_unit units[4][5] = {
        {{"B", 1}, {"kB", 1e-3}, {"MB", 1e-6}, {"GB", 1e-9}, {"TB", 1e-12}},
        {{"B/s", 1}, {"kB/s", 1e-3}, {"MB/s", 1e-6}, {"GB/s", 1e-9}, {"TB/s", 1e-12}},
        {{"b/s", 8}, {"kb/s", 8e-3}, {"Mb/s", 8e-6}, {"Gb/s", 8e-9}, {"Tb/s", 8e-12}},
        {{"B", 1}, {"KiB", 0x1p-10}, {"MiB", 0x1p-20}, {"GiB", 0x1p-30}, {"TiB", 0x1p-40}}};
    int kind = num_is_memory(metric, unit) ? 3
               : num_in_bits(metric, unit) ? 2
               : strcmp(unit, "B/s") == 0  ? 1
               : strcmp(unit, "B") == 0    ? 0
                                           : -1;
    if (kind < 0) return (struct figure_unit){unit, 1};
    size_t u = 0;
    while (u < 4 && x * units[kind][u].scale >= 2000)
        u++;
    return units[kind][u];
}

/* What every figure says of the run it shows. */
static void caption(struct figure *fig)
{
    const struct report *rp = fig->rp;
    char span[NUM_LEN], warm[NUM_LEN], text[512], label[16];
    snprintf(label, sizeof label, "%s", rp->backend);
    for (char *c = label; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    snprintf(text, sizeof text, "%s, %s, seed %" PRIu64 ", %s s", rp->scenario, label, rp->seed,
             num_seconds(span, rp->duration_ns));
    if (rp->warmup_ns) {
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, ", the first %s s not counted",
                 num_seconds(warm, rp->warmup_ns));
    }
    figure_text(fig, "CAPTION1", text);
}

void figure_begin(struct figure *fig, struct rundir *rd, const struct report *rp, const char *name,
                  const char *question, const char *note, int height)
{
    char path[64];
    *fig = (struct figure){.rd = rd, .rp = rp};
    snprintf(fig->name, sizeof fig->name, "%s", name);
    snprintf(path, sizeof path, "plots/%s.gp", name);
    fig->gp = rundir_file(rd, path);
    snprintf(path, sizeof path, "plots/%s.tsv", name);
    fig->data = rundir_file(rd, path);
    fprintf(fig->gp, "# gnuplot %s.gp draws %s.svg; style.gp says how to have it elsewhere.\n", name, name);
    figure_text(fig, "FIGURE", name);
    figure_text(fig, "QUESTION", question);
    caption(fig);
    figure_text(fig, "CAPTION2", note);
    if (height) fprintf(fig->gp, "HEIGHT = %d\n", height);
}

void figure_end(struct figure *fig, const char *script)
{
    fputs("load 'style.gp'\n\n", fig->gp);
    gp_copy(fig->gp, script);
    rundir_close_file(fig->rd, fig->gp);
    rundir_close_file(fig->rd, fig->data);
}

void figures_style(struct rundir *rd)
{
    FILE *style = rundir_file(rd, "plots/style.gp");
    gp_copy(style, "style");
    rundir_close_file(rd, style);
}

void figures_write(struct rundir *rd, const struct report *rp)
{
    figures_style(rd);
    fig_gantt(rd, rp);
    fig_shares(rd, rp);
    fig_steal(rd, rp);
    fig_ecdf(rd, rp, "latency", "How long did requests take?", "requests");
    fig_ecdf(rd, rp, "wait", "How long did a vCPU wait for a pCPU?", "waits");
    fig_memory(rd, rp);
    fig_overhead(rd, rp);
    fig_level(rd, rp, "disk.allocated", "How full are the pools?", "space given out");
    fig_level(rd, rp, "disk.queue", "How many requests were at the disks?", "requests issued and not done");
    fig_level(rd, rp, "power", "How much power did the hosts take?", "power of all hosts");
    fig_level(rd, rp, "vms.down", "How many VMs were down, and when?", "VMs that are down");
    fig_sweep(rd, rp);
}
