// SPDX-License-Identifier: GPL-3.0-or-later
/* What people see: the summary in its ten lines, colour where it is wanted, progress where somebody looks. */
#include <check.h>
#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include "out/progress.h"
#include "out/summary.h"

#include "tests/unit/made_up.h"

Suite *summary_suite(void);

static char *printed(const struct report *rp, const char *where, struct term_style style)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    summary_print(f, rp, where, style);
    fclose(f);
    return text;
}

static size_t lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void same(const char *got, const char *want)
{
    long at = made_differ(got, want);
    ck_assert_msg(at < 0, "they differ at byte %ld: %.60s", at, at < 0 ? "" : got + at);
}

static const struct report_expect expects[] = {{"vm.db.latency.p99 < 50ms", REPORT_FAILS, "71.3 ms", NULL},
                                               {"vm.db.cpu.run > 50%", REPORT_HOLDS, NULL, NULL},
                                               {"vm.db.cpu.ready < 31%", REPORT_UNDECIDED, "", NULL}};

START_TEST(the_bytes_of_a_summary)
{
    struct made *m = made_small(1);
    m->rp.expects = expects;
    m->rp.n_expects = 3;
    char *text = printed(&m->rp, "runs/x-42", (struct term_style){false, false});
    same(text, "noisy-neighbour  SIM  seed 42  60 s, the first 5 s not counted\n"
               "A database shares two pCPUs with batch VMs. Who pays?\n"
               "\n"
               "  VM           ran  ready throttled  #ran +ready -thr.         p50      p99\n"
               "  db         61.2%  30.6%         -  ############++++++..  6.10 ms  71.3 ms\n"
               "  batch-0    46.0%  31.7%     20.0%  #########+++++++----        -        -\n"
               "  host h1: 100% busy, efficiency 99.8%\n"
               "  FAIL vm.db.latency.p99 < 50ms  (71.3 ms)\n"
               "  ok   vm.db.cpu.run > 50%\n"
               "  ?    vm.db.cpu.ready < 31%  undecided\n"
               "  results in runs/x-42 (vlab plot runs/x-42)\n");
    free(text);
    text = printed(&m->rp, NULL, (struct term_style){false, true});
    ck_assert_ptr_nonnull(strstr(text, "  db         61.2%  30.6%         -  ████████████▒▒▒▒▒▒··  6.10 ms"));
    ck_assert_ptr_nonnull(strstr(text, "  ✗ vm.db.latency.p99 < 50ms  (71.3 ms)\n  ✓ vm.db.cpu.run > 50%\n"));
    ck_assert_ptr_null(strstr(text, "results in"));
    ck_assert_ptr_null(strchr(text, '\x1b'));
    free(text);
    text = printed(&m->rp, NULL, (struct term_style){true, false});
    ck_assert_ptr_nonnull(strstr(text, "\x1b[31mFAIL"));
    free(text);
    made_done(m);
}
END_TEST

START_TEST(large_groups_are_folded)
{
    struct made *m = made_big(101, 1, 1, NULL, NULL, 0);
    m->rp.n_expects = 0;
    char *text = printed(&m->rp, "runs/x", (struct term_style){false, false});
    ck_assert_ptr_nonnull(strstr(text, "\n  batch-2 "));
    ck_assert_ptr_null(strstr(text, "batch-3 "));
    ck_assert_ptr_nonnull(strstr(text, "\n  .. and 97 more "));
    ck_assert_uint_eq(lines(text), 11);
    free(text);
    made_done(m);
    m = made_big(11, 1, 1, NULL, NULL, 0); /* ten in a group are shown */
    text = printed(&m->rp, NULL, (struct term_style){false, false});
    ck_assert_ptr_nonnull(strstr(text, "\n  batch-9 "));
    free(text);
    made_done(m);
}
END_TEST

START_TEST(a_sweep_is_a_table_of_points)
{
    static const char *const keys[] = {"vms.batch.count"}, *const values[] = {"0", "4"};
    struct made *m = made_big(3, 3, 2, keys, values, 1);
    char *text = printed(&m->rp, NULL, (struct term_style){false, false});
    ck_assert_ptr_nonnull(strstr(text, "  2 points  mean of 3 runs\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "  [1] vm.db.latency.p99\n  [2] vm.db.latency.p50\n  [3] vm.db.throughput.mean\n"
                     "  vms.batch.count         [1]         [2]         [3]\n"
                     "                0     "));
    free(text);
    made_done(m);
}
END_TEST

START_TEST(style_follows_the_environment)
{
    int master, terminal, file = open("/dev/null", O_WRONLY);
    ck_assert_int_eq(openpty(&master, &terminal, NULL, NULL, NULL), 0);
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "en_US.UTF-8", 1);
    unsetenv("NO_COLOR");
    ck_assert(term_style_of(terminal).colour && term_style_of(terminal).utf8);
    ck_assert(!term_style_of(file).colour && term_style_of(file).utf8);
    setenv("NO_COLOR", "", 1);
    ck_assert(term_style_of(terminal).colour);
    setenv("NO_COLOR", "1", 1);
    ck_assert(!term_style_of(terminal).colour);
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    ck_assert(!term_style_of(terminal).colour);
    setenv("LC_ALL", "C", 1);
    setenv("LANG", "C.UTF-8", 1);
    ck_assert(!term_style_of(terminal).utf8);
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    ck_assert(term_style_of(terminal).utf8);
    close(master);
    close(terminal);
    close(file);
}
END_TEST

START_TEST(progress_tells_share_and_time_left)
{
    struct progress p = {.fd = -1, .what = "noisy", .runs = 1, .duration_ns = 100};
    char line[200];
    ck_assert_str_eq(progress_line(&p, line, sizeof line, 0.5, 7),
                     "noisy  [############............]  50%  7 s left");
    p.runs = 10;
    p.run = 2;
    ck_assert_str_eq(progress_line(&p, line, sizeof line, 0.25, 200),
                     "noisy  [######..................]  25%  run 3 of 10  10.0 min left");
    ck_assert_str_eq(progress_line(&p, line, sizeof line, 0, 0),
                     "noisy  [........................]   0%  run 3 of 10");
    ck_assert_str_eq(progress_line(&p, line, sizeof line, 1, 0.01),
                     "noisy  [########################] 100%  run 3 of 10");
}
END_TEST

START_TEST(progress_is_for_terminals)
{
    int master, terminal, pipes[2];
    char seen[512] = "";
    struct progress p;
    ck_assert_int_eq(pipe2(pipes, O_NONBLOCK), 0);
    ck_assert_int_eq(openpty(&master, &terminal, NULL, NULL, NULL), 0);
    setenv("TERM", "xterm", 1);
    progress_begin(&p, pipes[1], "noisy", 1, 100);
    p.drawn_ns = 0; /* long ago */
    progress_at(&p, 0, 50);
    progress_end(&p);
    ck_assert_int_eq(read(pipes[0], seen, sizeof seen - 1), -1);
    progress_begin(&p, terminal, "noisy", 1, 100);
    p.drawn_ns = 0;
    progress_at(&p, 0, 50);
    progress_at(&p, 0, 60); /* too soon to be drawn again */
    progress_end(&p);
    close(terminal);
    size_t n = 0; /* a terminal may hand over what was written in pieces; at its end is an error */
    for (ssize_t got; (got = read(master, seen + n, sizeof seen - 1 - n)) > 0;)
        n += (size_t)got;
    ck_assert_uint_gt(n, 4);
    ck_assert_ptr_nonnull(strstr(seen, "\rnoisy  [############............]  50%"));
    ck_assert_ptr_null(strstr(seen, "60%"));
    ck_assert_str_eq(seen + n - 4, "\r\x1b[K");
    for (int i = 0; i < 2; i++)
        close(pipes[i]);
    close(master);
}
END_TEST

Suite *summary_suite(void)
{
    Suite *s = suite_create("summary");
    TCase *t = tcase_create("summary");
    tcase_add_test(t, the_bytes_of_a_summary);
    tcase_add_test(t, large_groups_are_folded);
    tcase_add_test(t, a_sweep_is_a_table_of_points);
    tcase_add_test(t, style_follows_the_environment);
    tcase_add_test(t, progress_tells_share_and_time_left);
    tcase_add_test(t, progress_is_for_terminals);
    suite_add_tcase(s, t);
    return s;
}
