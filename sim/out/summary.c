// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/summary.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "out/interest.h"
#include "out/num.h"
#include "out/summary_inner.h"

enum {
    BAR = 20,
    GROUP_ROWS = 3,
    MAX_ROWS = 16,
    MAX_POINTS = 16,
    MAX_FIGURES = 4,
    NAME_MIN = 8,
    NAME_MAX = SUMMARY_NAME_MAX,
    KEYS_MAX = 44
};

struct row { /* of one VM, or the mean over some */
    double run, ready, throttled, waits, p50, p99, rate;
};

double summary_pick(const struct summary_ctx *c, const char *entity, const char *metric, const char *stat)
{
    struct estimate e = report_pick(c->rp, 0, entity, metric, stat);
    return e.n ? e.mean : (double)NAN;
}

/* The share, or of a group the mean over its members. */
static double share(const struct summary_ctx *c, const char *entity, const char *metric)
{
    double x = summary_pick(c, entity, metric, "share");
    return isnan(x) ? summary_pick(c, entity, metric, "mean") : x;
}

/* Of waits for a page, a disk, the network and siblings; a scenario without any says nothing of them. */
static double waits_of(const struct summary_ctx *c, const char *vm)
{
    static const char *const waits[] = {"cpu.swapwait", "cpu.diskwait", "cpu.netwait", "cpu.costop"};
    double sum = 0;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        double x = share(c, vm, waits[i]);
        sum += isnan(x) ? 0 : x;
    }
    return sum;
}

static struct row row_of(const struct summary_ctx *c, const char *vm)
{
    return (struct row){.run = share(c, vm, "cpu.run"),
                        .ready = share(c, vm, "cpu.ready"),
                        .throttled = share(c, vm, "cpu.throttled"),
                        .waits = waits_of(c, vm),
                        .p50 = summary_pick(c, vm, "latency", "p50"),
                        .p99 = summary_pick(c, vm, "latency", "p99"),
                        .rate = summary_pick(c, vm, "throughput", NULL)};
}

static const char *ink(const struct summary_ctx *c, enum term_ink i)
{
    return term_ink(c->style, i);
}

static void head(const struct summary_ctx *c)
{
    const struct report *rp = c->rp;
    char span[NUM_LEN], warm[NUM_LEN], label[16];
    size_t n = strlen(rp->backend) < sizeof label - 1 ? strlen(rp->backend) : sizeof label - 1;
    for (size_t i = 0; i < n; i++)
        label[i] = (char)toupper((unsigned char)rp->backend[i]);
    label[n] = '\0';
    fprintf(c->f, "%s%s%s  %s  seed %" PRIu64 "  %s s", ink(c, TERM_BOLD), rp->scenario, ink(c, TERM_PLAIN),
            label, rp->seed, num_seconds(span, rp->duration_ns));
    if (rp->warmup_ns) fprintf(c->f, ", the first %s s not counted", num_seconds(warm, rp->warmup_ns));
    if (runset_points(rp->runs) > 1) fprintf(c->f, "  %zu points", runset_points(rp->runs));
    size_t done = runset_done(rp->runs), all = runset_points(rp->runs) * runset_reps(rp->runs);
    if (done < all)
        fprintf(c->f, "  %zu of %zu runs", done, all);
    else if (runset_reps(rp->runs) > 1)
        fprintf(c->f, "  mean of %zu runs", runset_reps(rp->runs));
    putc('\n', c->f);
    if (rp->about && *rp->about) fprintf(c->f, "%s\n", rp->about);
    if (strcmp(rp->backend, "proc") == 0)
        fputs("As native processes of this machine: nothing here is virtualized.\n", c->f);
    putc('\n', c->f);
}

void summary_cell(const struct summary_ctx *c, const char *text, int width)
{
    int seen = 0;
    for (const char *s = text; *s; s++)
        seen += ((unsigned char)*s & 0xc0) != 0x80;
    fprintf(c->f, "%*s%s", width > seen ? width - seen : 0, "", text);
}

/* Cumulated shares are rounded, not the shares themselves: the bar is never too long or short by one. */
static void bar(const struct summary_ctx *c, const struct row *r)
{
    static const char *const blocks[] = {"█", "▒", "░", "~", "·"}, *const ascii[] = {"#", "+", "-", "~", "."};
    const double parts[] = {r->run, r->ready, r->throttled, r->waits};
    double sum = 0;
    int at = 0;
    for (int k = 0; k < 5; k++) {
        sum += k < 4 && parts[k] > 0 ? parts[k] : 0;
        int to = k == 4 ? BAR : (int)lround(fmin(sum, 1.0) * BAR);
        if (at < to && k == 1) fputs(ink(c, TERM_WARN), c->f);
        if (at < to && k == 4) fputs(ink(c, TERM_DIM), c->f);
        for (; at < to; at++)
            fputs((c->style.utf8 ? blocks : ascii)[k], c->f);
        if (k == 1 || k == 4) fputs(ink(c, TERM_PLAIN), c->f);
    }
}

static void print_row(const struct summary_ctx *c, const char *name, int width, const struct row *r)
{
    char num[NUM_LEN];
    bool zero = r->throttled == 0.0;
    fprintf(c->f, "  %-*.*s ", width, width, name);
    summary_cell(c, num_percent(num, r->run), 7);
    summary_cell(c, num_percent(num, r->ready), 7);
    if (c->throttled) summary_cell(c, zero ? "-" : num_percent(num, r->throttled), 10);
    if (c->waits) summary_cell(c, r->waits == 0.0 ? "-" : num_percent(num, r->waits), 7);
    fputs("  ", c->f);
    bar(c, r);
    if (c->latency) summary_cell(c, num_time(num, r->p50), 9);
    if (c->latency) summary_cell(c, num_time(num, r->p99), 9);
    if (c->rate) summary_cell(c, num_human(num, r->rate, "1/s"), 9);
    putc('\n', c->f);
}

/* How long the name is without "-N" behind it. */
static size_t stem(const char *name)
{
    size_t n = strlen(name), k = n;
    while (k > 0 && isdigit((unsigned char)name[k - 1]))
        k--;
    return k > 0 && k < n && name[k - 1] == '-' ? k - 1 : n;
}

static bool same_group(const char *a, const char *b)
{
    return stem(a) == stem(b) && strncmp(a, b, stem(a)) == 0;
}

/* What is not shown, in one row: the mean of what there is; quantiles have no mean worth showing. */
static void print_rest(const struct summary_ctx *c, const char *const *vms, size_t n, int width)
{
    double sum[5] = {0}, have[5] = {0}, mean[5];
    char name[64];
    for (size_t i = 0; i < n; i++) {
        struct row r = row_of(c, vms[i]);
        const double x[5] = {r.run, r.ready, r.throttled, r.rate, r.waits};
        for (size_t k = 0; k < 5; k++) {
            sum[k] += isnan(x[k]) ? 0 : x[k];
            have[k] += !isnan(x[k]);
        }
    }
    for (size_t k = 0; k < 5; k++)
        mean[k] = have[k] > 0 ? sum[k] / have[k] : (double)NAN;
    struct row rest = {.run = mean[0],
                       .ready = mean[1],
                       .throttled = mean[2],
                       .waits = mean[4],
                       .p50 = (double)NAN,
                       .p99 = (double)NAN,
                       .rate = mean[3]};
    snprintf(name, sizeof name, "%s and %zu more", c->style.utf8 ? "…" : "..", n);
    print_row(c, name, width + (c->style.utf8 ? 2 : 0), &rest);
}

static void vm_heading(const struct summary_ctx *c, int width)
{
    bool utf8 = c->style.utf8;
    fprintf(c->f, "%s  %-*s %7s%7s", ink(c, TERM_BOLD), width, "VM", "ran", "ready");
    if (c->throttled) fprintf(c->f, "%10s", "throttled");
    if (c->waits) fprintf(c->f, "%7s", "waits");
    static const char *const utf8_legends[] = {"█ran ▒ready", "█ran ▒ready ░thr.", "█ran ▒ready ~waits",
                                               "█ran ▒rdy ░thr ~wait"};
    static const char *const legends[] = {"#ran +ready", "#ran +ready -thr.", "#ran +ready ~waits",
                                          "#ran +rdy -thr ~wait"};
    int which = (c->throttled ? 1 : 0) + (c->waits ? 2 : 0);
    /* printf counts bytes: two more for each block. */
    fprintf(c->f, "  %-*s", BAR + (utf8 ? (c->throttled ? 6 : 4) : 0),
            (utf8 ? utf8_legends : legends)[which]);
    if (c->latency) fprintf(c->f, "%9s%9s", "p50", "p99");
    if (c->rate) fprintf(c->f, "%9s", "rate");
    fprintf(c->f, "%s\n", ink(c, TERM_PLAIN));
}

static void vm_table(struct summary_ctx *c)
{
    const char **vms;
    size_t n = report_vms(c->rp, 0, &vms), shown = 0;
    size_t width = n > SUMMARY_GROUP ? 16 : NAME_MIN;
    for (size_t i = 0; i < n; i++)
        if (strlen(vms[i] + 3) > width) width = strlen(vms[i] + 3);
    int w = (int)(width < NAME_MAX ? width : NAME_MAX);
    for (size_t i = 0; i < n; i++) {
        struct row r = row_of(c, vms[i]);
        c->throttled = c->throttled || r.throttled > 0;
        c->waits = c->waits || r.waits > 0;
        c->latency = c->latency || !isnan(r.p50);
        c->rate = c->rate || !isnan(r.rate);
    }
    vm_heading(c, w);
    for (size_t i = 0; i < n;) {
        size_t members = 1;
        while (i + members < n && same_group(vms[i] + 3, vms[i + members] + 3))
            members++;
        size_t show = members > SUMMARY_GROUP ? GROUP_ROWS : members;
        if (shown + show > MAX_ROWS) {
            print_rest(c, vms + i, n - i, w);
            break;
        }
        for (size_t k = 0; k < show; k++, shown++) {
            struct row r = row_of(c, vms[i + k]);
            print_row(c, vms[i + k] + 3, w, &r);
        }
        if (show < members) print_rest(c, vms + i + show, members - show, w);
        i += members;
    }
    free(vms);
}

static void host_lines(const struct summary_ctx *c)
{
    const char **hosts;
    size_t n = report_hosts(c->rp, 0, &hosts);
    char a[NUM_LEN], b[NUM_LEN], d[NUM_LEN];
    for (size_t i = 0; i < n && i < 4; i++) {
        double lost = share(c, hosts[i], "cpu.switch"), over = share(c, hosts[i], "cpu.overhead"),
               own = share(c, hosts[i], "cpu.hostos");
        double busy = summary_pick(c, hosts[i], "cpu.util", NULL);
        fprintf(c->f, "  host %s: %s busy", hosts[i] + 5, num_percent(a, busy));
        /* Pure I/O takes no CPU: of nothing there is no efficiency. */
        if (busy != 0.0) fprintf(c->f, ", efficiency %s", num_percent(b, share(c, hosts[i], "cpu.guest")));
        if (lost > 0) fprintf(c->f, ", %s switching", num_percent(d, lost));
        if (over > 0) fprintf(c->f, ", %s overhead", num_percent(d, over));
        if (own > 0 && strcmp(c->rp->backend, "sim") == 0) fprintf(c->f, ", %s host OS", num_percent(d, own));
        double held = summary_pick(c, hosts[i], "mem.resident", "mean");
        if (held > 0) fprintf(c->f, ", %s of memory", num_metric(d, held, "mem.resident", "B"));
        putc('\n', c->f);
    }
    if (n > 4) fprintf(c->f, "  %s and %zu more hosts\n", c->style.utf8 ? "…" : "..", n - 4);
    free(hosts);
}

/* A key's heading: whole where all keys fit the line, else as much of its end as no other key ends with. */
static const char *key_name(const struct report *rp, size_t k)
{
    const struct report_point *p = &rp->points[0];
    size_t all = 0;
    for (size_t i = 0; i < p->n; i++)
        all += report_repeats(rp, i) ? 0 : strlen(p->keys[i]) + 2;
    if (all <= KEYS_MAX && !report_of_several(rp, k)) return p->keys[k];
    const char *end = p->keys[k] + strlen(p->keys[k]), *at = end;
    for (bool alone = false; !alone && at > p->keys[k];) {
        do
            at--;
        while (at > p->keys[k] && at[-1] != '.');
        size_t len = (size_t)(end - at);
        alone = true;
        for (size_t i = 0; i < p->n; i++) {
            size_t other = strlen(p->keys[i]);
            if (i == k || report_repeats(rp, i)) continue;
            alone = alone && (other < len || strcmp(p->keys[i] + other - len, at) != 0);
        }
    }
    return at;
}

static int key_width(const struct report *rp, size_t k)
{
    size_t width = strlen(key_name(rp, k));
    for (size_t i = 0; i < runset_points(rp->runs); i++)
        if (strlen(rp->points[i].values[k]) > width) width = strlen(rp->points[i].values[k]);
    return (int)width;
}

/* A row a point: its values, then the figures, which are numbered since their names make no heading. */
static void sweep_table(const struct summary_ctx *c)
{
    const struct report *rp = c->rp;
    struct interest want[INTEREST_MAX];
    size_t n = interest_of(rp, want), points = runset_points(rp->runs),
           keys = rp->points ? rp->points[0].n : 0;
    if (n > MAX_FIGURES) n = MAX_FIGURES;
    for (size_t k = 0; k < n; k++)
        fprintf(c->f, "  [%zu] %s\n", k + 1, want[k].name);
    fputs(ink(c, TERM_BOLD), c->f);
    for (size_t k = 0; k < keys; k++)
        if (!report_repeats(rp, k)) fprintf(c->f, "  %*s", key_width(rp, k), key_name(rp, k));
    for (size_t k = 0; k < n; k++)
        fprintf(c->f, "%9s[%zu]", "", k + 1);
    fprintf(c->f, "%s\n", ink(c, TERM_PLAIN));
    for (size_t i = 0; i < points && i < MAX_POINTS; i++) {
        for (size_t k = 0; k < keys; k++)
            if (!report_repeats(rp, k)) fprintf(c->f, "  %*s", key_width(rp, k), rp->points[i].values[k]);
        for (size_t k = 0; k < n; k++) {
            char num[NUM_LEN];
            struct estimate e = interest_at(rp, &want[k], i);
            double x = e.n ? e.mean : (double)NAN;
            summary_cell(
                c, want[k].percent ? num_percent(num, x) : num_metric(num, x, want[k].metric, want[k].unit),
                12);
        }
        putc('\n', c->f);
    }
    if (points > MAX_POINTS)
        fprintf(c->f, "  %s and %zu more points\n", c->style.utf8 ? "…" : "..", points - MAX_POINTS);
    for (size_t k = 0; k < n; k++) {
        size_t few = 0;
        for (size_t i = 0; i < points; i++)
            few += interest_at(rp, &want[k], i).few;
        if (few)
            fprintf(c->f,
                    "  [%zu] rests on too few events for an interval (fewer than %d failures) at %zu of %zu "
                    "points\n",
                    k + 1, RESULTS_EVENTS, few, points);
    }
}

static void verdicts(const struct summary_ctx *c)
{
    static const char *const marks[] = {"✓", "✗", "?"}, *const ascii[] = {"ok  ", "FAIL", "?   "};
    static const enum term_ink inks[] = {TERM_GOOD, TERM_BAD, TERM_WARN};
    for (size_t i = 0; i < c->rp->n_expects; i++) {
        const struct report_expect *e = &c->rp->expects[i];
        fprintf(c->f, "  %s%s%s %s", ink(c, inks[e->verdict]), (c->style.utf8 ? marks : ascii)[e->verdict],
                ink(c, TERM_PLAIN), e->text);
        if (e->verdict == REPORT_UNDECIDED) fputs("  undecided", c->f);
        if (e->detail && *e->detail)
            fprintf(c->f, "  %s(%s)%s", ink(c, TERM_DIM), e->detail, ink(c, TERM_PLAIN));
        putc('\n', c->f);
    }
}

void summary_print(FILE *f, const struct report *rp, const char *where, struct term_style style)
{
    struct summary_ctx c = {.f = f, .rp = rp, .style = style};
    head(&c);
    if (runset_points(rp->runs) > 1) {
        sweep_table(&c);
    } else {
        vm_table(&c);
        host_lines(&c);
        summary_resources(&c);
    }
    verdicts(&c);
    if (where)
        fprintf(f, "  results in %s%s%s (vlab plot %s)\n", ink(&c, TERM_BOLD), where, ink(&c, TERM_PLAIN),
                where);
}
