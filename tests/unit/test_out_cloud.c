// SPDX-License-Identifier: GPL-3.0-or-later
/* What is above the hosts in what people get to see: the summary's blocks and the figures over time. */
#include <check.h>
#include <math.h>
#include <unistd.h>

#include "out/gnuplot.h"
#include "out/interest.h"
#include "out/summary.h"
#include "out/writer.h"

#include "tests/unit/made_up.h"
#include "tests/unit/own_dir.h"

Suite *out_cloud_suite(void);

static void a_vm(struct results *r, const char *vm, double available, uint64_t failures)
{
    results_add(r, vm, "cpu.run", "share", "", .5);
    results_add(r, vm, "cpu.ready", "share", "", .1);
    results_add(r, vm, "cpu.throttled", "share", "", 0);
    results_add(r, vm, "availability", "share", "", available);
    results_add_exact(r, vm, "events.failed", "total", "", failures);
}

static void a_cloud(struct results *r)
{
    a_vm(r, "vm.db", .9996001, 40);
    results_add(r, "vm.db", "boot.time", "total", "s", 12);
    results_add_exact(r, "vm.db", "events.restarted", "total", "", 39);
    a_vm(r, "vm.web", .5, 3);
    results_add_exact(r, "vm.web", "events.migrated", "total", "", 2);
    results_add(r, "vm.web", "migration.time", "total", "s", 10.239);
    results_add(r, "vm.web", "migration.downtime", "total", "s", .00262);
    results_add_exact(r, "vm.web", "migration.bytes", "total", "B", 2559840000);
    a_vm(r, "vm.calm", 1, 0);
    results_add(r, "host.h1", "cpu.util", "share", "", .2);
    results_add(r, "host.h1", "cpu.guest", "share", "", .2);
    results_add(r, "host.h1", "power", "mean", "W", 120);
    results_add(r, "host.h1", "power", "max", "W", 185);
    results_add(r, "host.h1", "energy", "total", "J", 7200);
    results_add(r, "host.h1", "cost", "total", "", .0125);
    results_add(r, "cluster", "power", "mean", "W", 120);
    results_add(r, "cluster", "energy", "total", "J", 7200);
    results_add(r, "cluster", "cost", "total", "", .0125);
    results_add_exact(r, "cluster", "events.rejected", "total", "", 7);
    results_add(r, "service.s", "availability", "share", "", 1);
    results_add_exact(r, "service.s", "events.failed", "total", "", 0);
}

static void quiet(struct results *r)
{
    a_vm(r, "vm.late", .5, 0); /* it began later, and that is all */
    results_add_exact(r, "vm.late", "migration.bytes", "total", "B", 0);
    results_add_exact(r, "cluster", "events.rejected", "total", "", 0);
}

__attribute__((noinline)) static char *summary_of(void (*fill)(struct results *), size_t reps)
{
    struct made *m = made_new(1, reps);
    for (size_t i = 0; i < reps; i++) {
        struct results *r = results_new();
        fill(r);
        m->out[i] = (struct run_output){.results = r};
        m->n_out++;
        runset_put(m->rs, 0, i, 42, &m->out[i]);
    }
    m->rp.warmup_ns = 0;
    m->rp.about = NULL;
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    summary_print(f, &m->rp, NULL, (struct term_style){false, false});
    fclose(f);
    made_done(m);
    return text;
}

START_TEST(the_bytes_of_a_summary_of_a_cloud)
{
    char *text = summary_of(a_cloud, 1);
    const char *want =
        "\n  VM          available  failures  restarts     boot   moves     took  downtime    copied\n"
        "  db         99.960010%        40        39   12.0 s       -        -         -         -\n"
        "  web            50.00%         3         -        -       2   10.2 s   2.62 ms   2.56 GB\n"
        "\n"
        "  service     available\n"
        "  s             100.00%\n"
        "\n"
        "  host         power     most    energy      cost  rejected\n"
        "  h1           120 W    185 W   7.20 kJ    0.0125         -\n"
        "  cluster      120 W        -   7.20 kJ    0.0125         7\n";
    char *at = strstr(text, "\n  VM          available");
    ck_assert_ptr_nonnull(at);
    ck_assert_msg(strcmp(at, want) == 0, "%s", at);
    ck_assert_ptr_null(strstr(text, "too few")); /* of one run there is no interval anyway */
    free(text);
}
END_TEST

START_TEST(too_few_events_are_said)
{
    char *text = summary_of(a_cloud, 2); /* db failed 80 times, web 6, the service never */
    ck_assert_ptr_nonnull(strstr(text,
                                 "  too few events for an interval of availability: vm.web (fewer than 30 "
                                 "failures)\n"));
    ck_assert_ptr_nonnull(strstr(text, "availability: service.s (fewer"));
    free(text);
}
END_TEST

/* A sweep of two points, each of two runs, in which web's availability is asked for. */
START_TEST(a_sweep_says_it_too)
{
    static const struct expect_node web = {
        .kind = EXPECT_TERM, .percent = true, .entity = "vm.web", .metric = "availability", .stat = "share"};
    static const struct expect_node db = {
        .kind = EXPECT_TERM, .percent = true, .entity = "vm.db", .metric = "availability", .stat = "share"};
    static const struct expect parsed = {.lhs = &db, .rhs = &web};
    static const struct report_expect asked = {"", REPORT_HOLDS, NULL, &parsed};
    static const char *const keys[] = {"vms.web.count"}, *const values[] = {"1", "2"};
    struct made *m = made_new(2, 2);
    for (size_t p = 0; p < 2; p++) {
        m->points[p] = (struct report_point){1, keys, values + p, NULL};
        for (size_t i = 0; i < 2; i++) {
            struct results *r = results_new();
            a_cloud(r);
            m->out[m->n_out] = (struct run_output){.results = r};
            runset_put(m->rs, p, i, 42, &m->out[m->n_out++]);
        }
    }
    m->rp.points = m->points;
    m->rp.expects = &asked;
    m->rp.n_expects = 1;
    struct interest list[INTEREST_MAX];
    ck_assert_uint_eq(interest_of(&m->rp, list), 2);
    struct estimate e = interest_at(&m->rp, &list[1], 0);
    ck_assert(e.few && isnan(e.lo) && isnan(e.hi) && e.mean == .5);
    e = interest_at(&m->rp, &list[0], 1);
    ck_assert(!e.few && e.lo == e.hi);
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    summary_print(f, &m->rp, NULL, (struct term_style){false, false});
    fclose(f);
    ck_assert_ptr_nonnull(strstr(
        text, "\n  [2] rests on too few events for an interval (fewer than 30 failures) at 2 of 2 points\n"));
    ck_assert_ptr_null(strstr(text, "[1] rests"));
    free(text);
    made_done(m);
}
END_TEST

START_TEST(of_nothing_nothing_is_said)
{
    char *text = summary_of(quiet, 1);
    ck_assert_ptr_null(strstr(text, "available"));
    ck_assert_ptr_null(strstr(text, "rejected"));
    free(text);
}
END_TEST

START_TEST(power_and_what_is_down_over_time)
{
    enum { ROWS = 50 };
    static const char *const of[] = {"host.h1", "cluster", "cluster", "cluster"};
    static const char *const metrics[] = {"power", "power", "vms.down", "hosts.on"};
    static const char *const units[] = {"W", "W", "", ""};
    static double v[4 * ROWS];
    static int64_t t[ROWS];
    for (int r = 0; r < ROWS; r++) {
        t[r] = (int64_t)(r + 1) * 1000000000;
        v[4 * r] = 100 + r;
        v[4 * r + 1] = 1440 - 10 * r;
        v[4 * r + 2] = r > 20 && r < 30;
        v[4 * r + 3] = 12;
    }
    struct made *m = made_big(2, 2, 1, NULL, NULL, 0);
    for (size_t i = 0; i < m->n_out; i++)
        m->series[i] = (struct series){4, ROWS, of, metrics, units, t, v};
    char *where, *why = NULL, *text = NULL;
    ck_assert_msg(writer_write(&m->rp, "run", &where, &why) == 0, "%s", why);
    free(where);
    made_done(m);
    static const char *const names[] = {"power", "down"}, *const says[] = {"How much power",
                                                                           "How many VMs were"};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_msg(gnuplot_render("run", names[i], "svg", NULL, &why) == 0, "%s", why);
        ck_assert_msg(gnuplot_render("run", names[i], "dumb", &text, &why) == 0, "%s", why);
        ck_assert_ptr_nonnull(strstr(text, says[i]));
        free(text);
    }
    char line[200] = "";
    FILE *f = fopen("run/plots/power.tsv", "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
    fclose(f);
    ck_assert_ptr_nonnull(strstr(line, "\t1440")); /* of the cluster, not of one host */
}
END_TEST

Suite *out_cloud_suite(void)
{
    Suite *s = suite_create("out_cloud");
    TCase *t = tcase_create("out_cloud");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, own_dir_enter, own_dir_leave);
    tcase_add_test(t, the_bytes_of_a_summary_of_a_cloud);
    tcase_add_test(t, too_few_events_are_said);
    tcase_add_test(t, a_sweep_says_it_too);
    tcase_add_test(t, of_nothing_nothing_is_said);
    tcase_add_test(t, power_and_what_is_down_over_time);
    suite_add_tcase(s, t);
    return s;
}
