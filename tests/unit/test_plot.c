// SPDX-License-Identifier: GPL-3.0-or-later
/* Every figure, drawn by gnuplot without a word from it: as SVG, as PNG and in letters; and vlab plot's
 * manners. */
#include <check.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "out/axis.h"
#include "out/figure.h"
#include "out/gnuplot.h"
#include "out/writer.h"

#include "tests/unit/made_up.h"
#include "tests/unit/own_dir.h"

Suite *plot_suite(void);

static const char *const counts[] = {"vms.batch.count"};
static const char *const four[] = {"0", "1", "2", "4"};
static const char *const words_key[] = {"hosts.h1.cpu.scheduler"};
static const char *const words[] = {"rr", "credit", "it's", "a `date` $HOME \"b\""};
static const char *const two_keys[] = {"hosts.h1.cpu.slice", "hosts.h1.cpu.scheduler"};
static const char *const slices[] = {"100us", "rr", "10ms", "rr", "100us", "credit", "10ms", "credit"};

/* The runs to draw: one, many VMs, one replication, and each kind of sweep. */
static const struct {
    size_t vms, reps, points, n_keys;
    const char *const *keys, *const *values;
    const char *figures;
} runs[] = {
    {5, 4, 1, 0, NULL, NULL, "gantt latency shares steal wait"},
    {40, 1, 1, 0, NULL, NULL, "gantt latency shares steal wait"},
    {1, 1, 1, 0, NULL, NULL, "gantt latency shares steal wait"},
    {3, 3, 4, 1, counts, four, "gantt latency shares steal sweep-1 sweep-2 wait"},
    {3, 1, 4, 1, words_key, words, "gantt latency shares steal sweep-1 sweep-2 wait"},
    {3, 3, 4, 1, words_key, words, "gantt latency shares steal sweep-1 sweep-2 wait"},
    {3, 3, 4, 2, two_keys, slices, "gantt latency shares steal sweep-1 sweep-2 wait"},
};

static struct made *made_run(int i)
{
    return made_big(runs[i].vms, runs[i].reps, runs[i].points, runs[i].keys, runs[i].values, runs[i].n_keys);
}

static void write_run(struct made *m)
{
    char *where, *why = NULL;
    ck_assert_msg(writer_write(&m->rp, "run", &where, &why) == 0, "%s", why);
    free(where);
    made_done(m);
}

static void check_file(const char *name, const char *term, const char *magic, size_t least)
{
    char path[64], head[8] = "";
    snprintf(path, sizeof path, "run/plots/%s.%s", name, term);
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    ck_assert_uint_eq(fread(head, 1, sizeof head - 1, f), sizeof head - 1);
    ck_assert_ptr_nonnull(strstr(head, magic));
    fseek(f, 0, SEEK_END);
    ck_assert_int_gt(ftell(f), (long)least);
    fclose(f);
}

/* At most 80 columns by 24 lines. */
static void check_letters(const char *text)
{
    size_t lines = 0;
    for (const char *s = text; *s; s += strcspn(s, "\n"), s += *s == '\n', lines++)
        ck_assert_uint_le(strcspn(s, "\n"), 80);
    ck_assert_uint_le(lines, 24);
}

START_TEST(gnuplot_draws_every_figure_without_a_word)
{
    char **names, *why = NULL, list[200] = "";
    write_run(made_run(_i));
    int n = gnuplot_list("run", &names, &why);
    ck_assert_int_gt(n, 0);
    for (int k = 0; k < n; k++) {
        static const char *const terms[] = {"svg", "png"};
        char *text = NULL;
        for (size_t t = 0; t < 2; t++)
            ck_assert_msg(gnuplot_render("run", names[k], terms[t], NULL, &why) == 0, "%s", why);
        ck_assert_msg(gnuplot_render("run", names[k], "dumb", &text, &why) == 0, "%s", why);
        check_file(names[k], "svg", "<?xml", 2000);
        check_file(names[k], "png", "PNG", 2000);
        check_letters(text);
        free(text);
        sprintf(list + strlen(list), "%s%s", k ? " " : "", names[k]);
    }
    ck_assert_str_eq(list, runs[_i].figures);
    gnuplot_free_list(names, (size_t)n);
}
END_TEST

START_TEST(a_flat_run_draws_too)
{
    /* Nobody waits, everything is equal: ranges that would be empty. */
    static const double zeros[200] = {0}, x[] = {0.002}, one[] = {1};
    static const struct ecdf flat = {"vm.db", "latency", "s", 1, x, one, 9};
    struct made *m = made_run(0);
    for (size_t i = 0; i < m->n_out; i++) {
        m->series[i].v = zeros;
        m->series[i].n_rows = 40;
        m->out[i].ecdfs = &flat;
        m->out[i].n_ecdfs = 1;
    }
    write_run(m);
    char *why = NULL, *text = NULL;
    static const char *const names[] = {"steal", "latency"};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_msg(gnuplot_render("run", names[i], "svg", NULL, &why) == 0, "%s", why);
        ck_assert_msg(gnuplot_render("run", names[i], "dumb", &text, &why) == 0, "%s", why);
        free(text);
    }
    ck_assert_int_ne(access("run/plots/wait.gp", F_OK), 0);
}
END_TEST

START_TEST(a_warning_is_a_failure)
{
    char *why = NULL;
    write_run(made_run(2));
    FILE *f = fopen("run/plots/steal.gp", "a");
    fputs("print 'a word on stderr'\n", f);
    fclose(f);
    ck_assert_int_eq(gnuplot_render("run", "steal", "svg", NULL, &why), -1);
    ck_assert_ptr_nonnull(strstr(why, "a word on stderr"));
    free(why);
}
END_TEST

/* vlab plot with these words, in a child: its exit code, its two outputs in files. */
static int plot(const char *a, const char *b, const char *c)
{
    const char *words_of[] = {"plot", a, b, c, NULL};
    int argc = 0;
    while (words_of[argc])
        argc++;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("out.txt", "w", stdout) || !freopen("err.txt", "w", stderr)) _exit(99);
        int code = cli_plot(argc, (char **)(uintptr_t)words_of);
        fflush(NULL);
        _exit(code);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool holds(const char *file, const char *text)
{
    char buf[8192] = "";
    FILE *f = fopen(file, "r");
    ck_assert_ptr_nonnull(f);
    buf[fread(buf, 1, sizeof buf - 1, f)] = '\0';
    fclose(f);
    return strstr(buf, text) != NULL;
}

START_TEST(vlab_plot_has_manners)
{
    write_run(made_run(2));
    ck_assert_int_eq(plot("run", NULL, NULL), CLI_OK);
    ck_assert(holds("out.txt", "run/plots/gantt.svg\nrun/plots/gantt.png\nrun/plots/latency.svg\n"));
    ck_assert_int_eq(plot("run", "steal", "--ascii"), CLI_OK);
    ck_assert(holds("out.txt", "When did VMs wait") && !holds("out.txt", "Who ran when"));
    ck_assert_int_eq(plot("run", "pie", NULL), CLI_USAGE);
    ck_assert(holds("err.txt", "gantt, latency, shares, steal, wait"));
    ck_assert_int_eq(plot(NULL, NULL, NULL), CLI_USAGE);
    ck_assert_int_eq(plot("run", "--colour", NULL), CLI_USAGE);
    ck_assert_int_eq(plot("nowhere", NULL, NULL), CLI_USAGE);
    ck_assert_int_eq(plot("--help", NULL, NULL), CLI_OK);
    setenv("PATH", "/nowhere", 1);
    ck_assert_int_eq(plot("run", NULL, NULL), CLI_CANNOT);
    ck_assert(holds("err.txt", "apt-get install gnuplot-nox"));
}
END_TEST

START_TEST(the_axis_is_the_key_with_most_numbers)
{
    struct axis a;
    struct made *m = made_run(6);
    ck_assert(axis_make(&a, &m->rp));
    ck_assert(a.key == 0 && a.numeric && a.logarithmic && a.n == 2);
    ck_assert_str_eq(a.unit, "ms");
    ck_assert(a.x[0] == 0.1 && a.x[1] == 10);
    ck_assert(a.place[0] == 0 && a.place[1] == 1 && a.place[2] == 0);
    axis_done(&a);
    made_done(m);
    m = made_run(4);
    ck_assert(axis_make(&a, &m->rp) && !a.numeric && a.n == 4);
    axis_done(&a);
    made_done(m);
    m = made_run(0);
    ck_assert(!axis_make(&a, &m->rp));
    axis_done(&a);
    made_done(m);
}
END_TEST

/* Two keys side by side are one question: the finer is the axis, the other neither splits nor names curves.
 */
START_TEST(keys_under_zip_are_one)
{
    static const char *const keys[] = {"hosts.h1.disks.d.queue", "vms.db.disk.reservation", "vms.b.count"};
    static const char *const values[] = {"fifo", "0/s", "1", "fair", "0/s", "1", "mclock", "400/s", "1",
                                         "fifo", "0/s", "4", "fair", "0/s", "4", "mclock", "400/s", "4",
                                         "fifo", "0/s", "9", "fair", "0/s", "9", "mclock", "400/s", "9"};
    struct axis a;
    struct made *m = made_big(1, 1, 9, keys, values, 3);
    ck_assert(axis_follows(&m->rp, 1, 0) && !axis_follows(&m->rp, 0, 1) && !axis_follows(&m->rp, 2, 0));
    ck_assert(axis_make(&a, &m->rp) && a.key == 2 && a.n == 3);
    ck_assert(a.other[0] && !a.other[1] && !a.other[2]);
    axis_done(&a);
    made_done(m);
    m = made_big(1, 1, 6, keys, values, 3); /* two numbers make no curve where there are three words */
    ck_assert(axis_make(&a, &m->rp) && a.key == 0 && !a.numeric && a.n == 3);
    ck_assert(!a.other[0] && !a.other[1] && a.other[2]);
    axis_done(&a);
    made_done(m);
}
END_TEST

static void on_axes(struct made *m, const uint32_t *axes)
{
    for (size_t p = 0; p < runset_points(m->rs); p++)
        m->points[p].axes = axes;
}

/* A zip whose first key does not tell its points apart: all that does is named. One whose keys say the same
 * is one key. */
START_TEST(places_of_a_zip_have_names)
{
    static const char *const keys[] = {"vms.db.mode", "hosts.h1.hypervisor.nested_paging", "vms.b.mode"};
    static const char *const values[] = {"bare",     "true",     "bare",  "hardware", "true",
                                         "hardware", "hardware", "false", "hardware"};
    static const uint32_t axes[] = {0, 0, 0};
    struct axis a;
    char text[80];
    struct made *m = made_big(2, 1, 3, keys, values, 3);
    on_axes(m, axes);
    ck_assert(axis_make(&a, &m->rp) && a.key == 0 && a.n == 3);
    ck_assert_str_eq(a.word[0], "bare\ntrue");
    ck_assert_str_eq(a.word[2], "hardware\nfalse");
    ck_assert(!a.other[0] && !a.other[1] && !a.other[2]);
    ck_assert(report_repeats(&m->rp, 2) && !report_repeats(&m->rp, 1) && report_of_several(&m->rp, 0));
    ck_assert_str_eq(figure_axis_name(&m->rp, 0, text, sizeof text), "vms.*.mode, nested_paging");
    char *at = report_point_words(&m->rp, 2), *all = report_point_text(&m->rp, 2);
    ck_assert_str_eq(at, "vms.db.mode=hardware;hosts.h1.hypervisor.nested_paging=false");
    ck_assert_ptr_nonnull(strstr(all, ";vms.b.mode=hardware"));
    free(at);
    free(all);
    axis_done(&a);
    made_done(m);
}
END_TEST

/* Useful time and overhead by mode, and a host's memory: written where there is any. */
START_TEST(overhead_and_memory_draw)
{
    enum { ROWS = 30 };
    static const char *const keys[] = {"vms.db.mode"}, *const values[] = {"bare", "hardware", "emulation"};
    static const char *const of[] = {"host.h1", "host.h1", "vm.db"};
    static const char *const metrics[] = {"mem.resident", "mem.swapped", "mem.resident"};
    static const char *const units[] = {"B", "B", "B"};
    static double v[3 * ROWS];
    static int64_t t[ROWS];
    for (int r = 0; r < ROWS; r++) {
        t[r] = (int64_t)(r + 1) * 1000000000;
        v[3 * r] = 48e6;
        v[3 * r + 1] = 1e6 * r;
        v[3 * r + 2] = 5e6;
    }
    struct made *m = made_big(2, 1, 3, keys, values, 1);
    for (size_t i = 0; i < m->n_out; i++) {
        m->series[i] = (struct series){3, ROWS, of, metrics, units, t, v};
        struct results *r = (struct results *)(uintptr_t)m->out[i].results;
        results_add(r, "vm.db", "cpu.guest", "share", "", .8 - .3 * (double)i);
        results_add(r, "vm.db", "cpu.overhead", "share", "", .3 * (double)i);
    }
    write_run(m);
    char *why = NULL, *text = NULL;
    static const char *const names[] = {"overhead", "memory"};
    static const char *const says[] = {"how much did virtualization take?", "Where was the memory of h1"};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_msg(gnuplot_render("run", names[i], "svg", NULL, &why) == 0, "%s", why);
        ck_assert_msg(gnuplot_render("run", names[i], "dumb", &text, &why) == 0, "%s", why);
        ck_assert_ptr_nonnull(strstr(text, says[i]));
        free(text);
    }
}
END_TEST

/* A pool that fills, and a queue that stays as it is, of which there is nothing to see. */
START_TEST(levels_over_time)
{
    enum { ROWS = 50 };
    static const char *const of[] = {"host.h1.disk.d", "storage.san", "host.h1.disk.d", "vm.db"};
    static const char *const metrics[] = {"disk.allocated", "disk.allocated", "disk.queue", "disk.queue"};
    static const char *const units[] = {"B", "B", "", ""};
    static double v[4 * ROWS];
    static int64_t t[ROWS];
    for (int r = 0; r < ROWS; r++) {
        t[r] = (int64_t)(r + 1) * 1000000000;
        v[4 * r] = 50e9 + 1e9 * r;
        v[4 * r + 1] = 7e9;
        v[4 * r + 2] = 16;
        v[4 * r + 3] = r;
    }
    struct made *m = made_run(0);
    for (size_t i = 0; i < m->n_out; i++)
        m->series[i] = (struct series){4, ROWS, of, metrics, units, t, v};
    write_run(m);
    char *why = NULL, *text = NULL;
    ck_assert_msg(gnuplot_render("run", "allocated", "svg", NULL, &why) == 0, "%s", why);
    ck_assert_msg(gnuplot_render("run", "allocated", "dumb", &text, &why) == 0, "%s", why);
    ck_assert_ptr_nonnull(strstr(text, "How full are the pools?"));
    ck_assert_ptr_nonnull(strstr(text, "san"));
    ck_assert(holds("run/plots/allocated.gp", "space given out, GB"));
    ck_assert(holds("run/plots/allocated.tsv", "0.5\t50000000000\t"));
    ck_assert_int_ne(access("run/plots/queue.gp", F_OK), 0);
    free(text);
}
END_TEST

START_TEST(numbers_have_units)
{
    static const struct {
        const char *text, *base;
        double x;
    } good[] = {{"4", "", 4},     {"10ms", "s", 0.01},  {"2GiB", "B", 0x1p31},
                {"50%", "%", 50}, {"400/s", "/s", 400}, {"1.5", "", 1.5}};
    static const char *const bad[] = {"", "rr", "inf", "nan", "0x10", "10 ms", "4G", "ms", "[1, 2]"};
    double x;
    const char *base = NULL;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert(axis_number(good[i].text, &x, &base));
        ck_assert_double_eq_tol(x, good[i].x, 1e-12 * x);
        ck_assert_str_eq(base, good[i].base);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!axis_number(bad[i], &x, &base), "%s", bad[i]);
}
END_TEST

Suite *plot_suite(void)
{
    Suite *s = suite_create("plot");
    TCase *t = tcase_create("plot");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, own_dir_enter, own_dir_leave);
    tcase_add_loop_test(t, gnuplot_draws_every_figure_without_a_word, 0, sizeof runs / sizeof *runs);
    tcase_add_test(t, a_flat_run_draws_too);
    tcase_add_test(t, a_warning_is_a_failure);
    tcase_add_test(t, vlab_plot_has_manners);
    tcase_add_test(t, the_axis_is_the_key_with_most_numbers);
    tcase_add_test(t, keys_under_zip_are_one);
    tcase_add_test(t, places_of_a_zip_have_names);
    tcase_add_test(t, overhead_and_memory_draw);
    tcase_add_test(t, levels_over_time);
    tcase_add_test(t, numbers_have_units);
    suite_add_tcase(s, t);
    return s;
}
