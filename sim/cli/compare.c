// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab compare: runs side by side, figure by figure, and whether what is between them is more than luck. */
#include <fnmatch.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/cli.h"
#include "cli/compare_run.h"
#include "metrics/contrast.h"
#include "out/num.h"
#include "out/term.h"

#define LEVEL (1 - CONTRAST_CONFIDENCE)

static const char usage[] =
    "usage: vlab compare RUN RUN... [OPTION...]\n"
    "  RUN                 a run directory, or RUN@KEY=VALUE for some points of its sweep\n"
    "  -m, --metric NAME   only figures of this name, * and ? as in a shell, more than one if given more "
    "often\n"
    "  -a, --all           all figures, also those that are the same or cannot be told apart\n"
    "      --csv           a table for programs\n"
    "  -h, --help          this text\n"
    "\n"
    "Each run is laid beside the first: means over replications, the difference with its 95 % interval, and "
    "the\n"
    "verdict. Replications with the same seeds are compared in pairs, which tells small differences from "
    "luck;\n"
    "others by Welch's test. The verdicts of a table are right together with 95 % (Holm's correction): of "
    "hundreds\n"
    "of figures some always look different.\n"
    "\n"
    "examples:\n"
    "  vlab compare runs/before-1 runs/after-1\n"
    "  vlab compare out@hosts.h1.cpu.scheduler=rr out@hosts.h1.cpu.scheduler=credit -m 'vm.*.latency.*'\n"
    "\n"
    "Exit: 0 compared, 2 usage.\n";

struct job {
    const char **patterns;
    size_t n_patterns;
    bool all, csv;
};

static int bad(const char *fmt, const char *what)
{
    fputs("vlab compare: ", stderr);
    fprintf(stderr, fmt, what);
    fputs(" (vlab compare --help)\n", stderr);
    return CLI_USAGE;
}

/* --- one figure --- */

struct figure {
    const struct result *like;
    struct contrast c;
    double p; /* corrected */
    bool has; /* both sides have it */
};

static double *values(const struct runset *runs, size_t point, const struct result *like, uint64_t *seeds,
                      size_t *n)
{
    double *v = calloc(runset_reps(runs) + 1, sizeof *v);
    ASSERT(v);
    *n = 0;
    for (size_t rep = 0; rep < runset_reps(runs); rep++) {
        const struct run_output *o = runset_get(runs, point, rep);
        const struct result *x = o ? results_find(o->results, like->entity, like->metric, like->stat) : NULL;
        if (!x || isnan(x->value)) continue;
        seeds[*n] = runset_seed(runs, point, rep);
        v[(*n)++] = x->value;
    }
    return v;
}

static struct figure figure_of(const struct compare_run *a, size_t pa, const struct compare_run *b, size_t pb,
                               const struct result *like)
{
    struct figure f = {.like = like};
    uint64_t *sa = calloc(runset_reps(a->runs), sizeof *sa), *sb = calloc(runset_reps(b->runs), sizeof *sb);
    ASSERT(sa && sb);
    size_t na, nb;
    double *va = values(a->runs, pa, like, sa, &na), *vb = values(b->runs, pb, like, sb, &nb);
    f.has = na > 0 && nb > 0;
    if (f.has)
        f.c = na == nb && memcmp(sa, sb, na * sizeof *sa) == 0 ? contrast_paired(va, vb, na)
                                                               : contrast_welch(va, na, vb, nb);
    f.p = f.c.p;
    free(va);
    free(vb);
    free(sa);
    free(sb);
    return f;
}

enum verdict { SAME, LOWER, HIGHER, LUCK, ONE_RUN };

static enum verdict verdict_of(const struct figure *f)
{
    if (f->c.same) return SAME;
    if (isnan(f->p)) return ONE_RUN;
    if (f->p >= LEVEL) return LUCK;
    return f->c.difference < 0 ? LOWER : HIGHER;
}

static const char *const verdicts[] = {"same", "lower", "higher", "may be luck", "one run"};

static bool is_wanted(const struct job *j, const struct result *r)
{
    char name[300];
    snprintf(name, sizeof name, "%s.%s.%s", r->entity, r->metric, r->stat);
    if (j->n_patterns == 0) return true;
    for (size_t i = 0; i < j->n_patterns; i++) {
        char prefix[300];
        snprintf(prefix, sizeof prefix, "%s.*", j->patterns[i]);
        if (fnmatch(j->patterns[i], name, 0) == 0 || fnmatch(prefix, name, 0) == 0) return true;
    }
    return false;
}

/* --- a table --- */

static const char *human(char *buf, double x, const struct result *r)
{
    if (r->unit[0] == '\0' && (!strcmp(r->stat, "share") || !strcmp(r->stat, "mean")) && fabs(x) <= 1.5)
        return num_percent(buf, x);
    return num_metric(buf, x, r->metric, r->unit);
}

static void print_figure(const struct figure *f, struct term_style st)
{
    char name[300], a[NUM_LEN], b[NUM_LEN], d[NUM_LEN], low[NUM_LEN], high[NUM_LEN], span[3 * NUM_LEN] = "";
    const struct contrast *c = &f->c;
    static const enum term_ink inks[] = {TERM_DIM, TERM_BOLD, TERM_BOLD, TERM_DIM, TERM_WARN};
    snprintf(name, sizeof name, "%s.%s.%s", f->like->entity, f->like->metric, f->like->stat);
    if (!isnan(c->low))
        snprintf(span, sizeof span, "[%s, %s]", human(low, c->low, f->like), human(high, c->high, f->like));
    printf("  %-34s %12s %12s %12s %-24s", name, human(a, c->a, f->like), human(b, c->b, f->like),
           human(d, c->difference, f->like), span);
    if (c->a != 0 && isfinite(c->difference / c->a))
        printf(" %+8.1f %%", 100 * c->difference / c->a);
    else
        printf(" %10s", "");
    enum verdict v = verdict_of(f);
    printf("  %s%s%s\n", term_ink(st, inks[v]), verdicts[v], term_ink(st, TERM_PLAIN));
}

static void print_csv(const struct compare_run *a, size_t pa, const struct compare_run *b, size_t pb,
                      const struct figure *f)
{
    char n[NUM_LEN];
    const double v[] = {f->c.a, f->c.b, f->c.difference, f->c.low, f->c.high, f->p};
    printf("%s,%s,\"%s\",\"%s\",%s,%s,%s,%s", a->name, b->name, a->points[pa], b->points[pb], f->like->entity,
           f->like->metric, f->like->stat, f->like->unit);
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        printf(",%s", num_text(n, v[i]));
    printf(",%s\n", verdicts[verdict_of(f)]);
}

/* The run, and the point where its name does not say. */
static void print_side(const struct compare_run *r, size_t point)
{
    bool said = strchr(r->name, '@') && r->n_points == 1;
    printf("%s%s%s", r->name, !said && r->points[point][0] ? ": " : "", said ? "" : r->points[point]);
}

static void print_table(const struct job *j, const struct compare_run *a, size_t pa,
                        const struct compare_run *b, size_t pb, struct figure *f, size_t n)
{
    size_t count[5] = {0};
    struct term_style st = term_style_of(STDOUT_FILENO);
    for (size_t i = 0; i < n; i++)
        count[verdict_of(&f[i])]++;
    if (!j->csv) {
        print_side(a, pa);
        printf("  against  ");
        print_side(b, pb);
        putchar('\n');
        printf("  %-34s %12s %12s %12s %s\n", "", "first", "other", "difference", "95 % interval");
    }
    for (size_t i = 0; i < n; i++) {
        enum verdict v = verdict_of(&f[i]);
        if (!j->all && (v == SAME || v == LUCK)) continue;
        if (j->csv)
            print_csv(a, pa, b, pb, &f[i]);
        else
            print_figure(&f[i], st);
    }
    if (j->csv) return;
    printf("  of %zu figures %zu differ, %zu are the same, %zu may differ by luck", n,
           count[LOWER] + count[HIGHER], count[SAME], count[LUCK]);
    if (count[ONE_RUN]) printf(", %zu of a single run each, which says nothing of luck", count[ONE_RUN]);
    printf("%s\n", n > 0 && f[0].c.paired ? "; compared in pairs of the same seed" : "");
}

static void compare_points(const struct job *j, const struct compare_run *a, size_t pa,
                           const struct compare_run *b, size_t pb)
{
    struct runset_row *rows;
    size_t n_rows = runset_rows(a->runs, pa, &rows), n = 0;
    struct figure *f = calloc(n_rows + 1, sizeof *f);
    double *p = calloc(n_rows + 1, sizeof *p);
    ASSERT(f && p);
    for (size_t i = 0; i < n_rows; i++) {
        if (!is_wanted(j, rows[i].like)) continue;
        f[n] = figure_of(a, pa, b, pb, rows[i].like);
        n += f[n].has;
    }
    for (size_t i = 0; i < n; i++)
        p[i] = f[i].c.same ? (double)NAN : f[i].c.p; /* of what is the same nobody asks */
    contrast_holm(p, n);
    for (size_t i = 0; i < n; i++)
        f[i].p = p[i];
    print_table(j, a, pa, b, pb, f, n);
    free(f);
    free(p);
    free(rows);
}

/* Point by point where both have the same points; one against one whatever they are. */
static int compare_runs(const struct job *j, const struct compare_run *a, const struct compare_run *b)
{
    size_t found = 0;
    if (a->n_points == 1 && b->n_points == 1) {
        compare_points(j, a, 0, b, 0);
        return CLI_OK;
    }
    for (size_t p = 0; p < a->n_points; p++)
        for (size_t q = 0; q < b->n_points; q++) {
            if (strcmp(a->points[p], b->points[q]) != 0) continue;
            if (found++ && !j->csv) putchar('\n');
            compare_points(j, a, p, b, q);
        }
    if (found) return CLI_OK;
    fprintf(stderr, "vlab compare: %s and %s have several points and none in common; choose: %s@%s\n",
            a->name, b->name, a->name, a->points[0]);
    return CLI_USAGE;
}

/* -1: go on, argv[optind...] are the runs; else the exit code. */
static int parse(int argc, char **argv, struct job *j)
{
    enum { CSV = 256 };
    static const struct option longs[] = {{"metric", required_argument, NULL, 'm'},
                                          {"all", no_argument, NULL, 'a'},
                                          {"csv", no_argument, NULL, CSV},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    optind = 1;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "m:ah", longs, NULL)) != -1;) {
        switch (c) {
        case 'm': j->patterns[j->n_patterns++] = optarg; break;
        case 'a': j->all = true; break;
        case CSV: j->csv = true; break;
        case 'h': fputs(usage, stdout); return CLI_OK;
        default: return bad("what is `%s`?", argv[optind - 1]);
        }
    }
    if (argc - optind < 2) return bad("%s", "name two runs or more");
    return -1;
}

static int compare(const struct job *j, int n, char **names)
{
    struct compare_run *runs = calloc((size_t)n, sizeof *runs);
    char *why = NULL;
    int code = 0;
    ASSERT(runs);
    for (int i = 0; !code && i < n; i++)
        if (compare_run_open(&runs[i], names[i], &why) != 0) code = CLI_USAGE;
    if (!code && j->csv)
        puts("first,other,first_point,other_point,entity,metric,stat,unit,a,b,difference,low,high,p,verdict");
    for (int i = 1; !code && i < n; i++) {
        if (i > 1 && !j->csv) putchar('\n');
        code = compare_runs(j, &runs[0], &runs[i]);
    }
    if (why) fprintf(stderr, "vlab compare: %s\n", why);
    free(why);
    for (int i = 0; i < n; i++)
        compare_run_close(&runs[i]);
    free(runs);
    return code;
}

int cli_compare(int argc, char **argv)
{
    struct job j = {.patterns = calloc((size_t)argc + 1, sizeof *j.patterns)};
    ASSERT(j.patterns);
    int code = parse(argc, argv, &j);
    if (code < 0) code = compare(&j, argc - optind, argv + optind);
    free(j.patterns);
    return code;
}
