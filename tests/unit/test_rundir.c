// SPDX-License-Identifier: GPL-3.0-or-later
/* The run directory: what may be replaced and what not, and that nobody ever finds half of one. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "out/manifest.h"
#include "out/rundir.h"
#include "out/writer.h"

#include "tests/unit/made_up.h"
#include "tests/unit/own_dir.h"

Suite *rundir_suite(void);

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static char *get(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "r");
    if (!f) return NULL;
    ssize_t n = getdelim(&text, &size, '\0', f);
    fclose(f);
    if (n < 0) {
        free(text);
        return alloc_copy("");
    }
    return text;
}

static size_t entries(const char *dir)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

/* Writes a small run into dir; the result, and where. */
static int write_to(const char *dir, uint64_t seed, char **where)
{
    char *why = NULL;
    struct made *m = made_small(1);
    m->rp.seed = seed;
    *where = NULL;
    int r = writer_write(&m->rp, dir, where, &why);
    ck_assert((r < 0) == (why != NULL) && (r == 0) == (*where != NULL));
    if (why) ck_assert_ptr_nonnull(strstr(why, dir ? dir : "runs"));
    free(why);
    made_done(m);
    return r;
}

START_TEST(a_new_directory_has_every_file)
{
    static const char *const files[] = {"manifest.json",  "scenario.yaml",   "summary.csv",
                                        "series.csv",     "events.csv",      "metrics.prom",
                                        "plots/style.gp", "plots/shares.gp", "plots/shares.tsv"};
    char *where;
    ck_assert_int_eq(write_to("a/b/out/", 42, &where), 0);
    ck_assert_str_eq(where, "a/b/out");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[64];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", where, files[i]);
        ck_assert_msg(stat(path, &st) == 0 && st.st_size > 0, "%s", path);
    }
    ck_assert_int_ne(access("a/b/out/trace.json", F_OK), 0); /* nobody asked */
    ck_assert_uint_eq(entries("a/b"), 1);
    ck_assert(manifest_is_ours("a/b/out"));
    free(where);
}
END_TEST

START_TEST(the_manifest_says_what_and_when)
{
    char *where;
    ck_assert_int_eq(write_to("out", UINT64_MAX, &where), 0);
    json_t *m = json_load_file("out/manifest.json", 0, NULL);
    ck_assert_ptr_nonnull(m);
    ck_assert_str_eq(json_string_value(json_object_get(m, "seed")), "18446744073709551615");
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(m, "command"), 1)), "run");
    ck_assert_str_eq(json_string_value(json_object_get(m, "started")), "1970-01-01T00:00:00Z");
    ck_assert_int_eq(
        json_integer_value(json_object_get(json_array_get(json_object_get(m, "runs"), 0), "seed")), 42);
    json_decref(m);
    free(where);
}
END_TEST

START_TEST(an_earlier_run_is_replaced_whole)
{
    char *where;
    ck_assert_int_eq(write_to("out", 1, &where), 0);
    free(where);
    put("out/plots/old.svg", "old");
    ck_assert_int_eq(write_to("out", 2, &where), 0);
    ck_assert_int_ne(access("out/plots/old.svg", F_OK), 0);
    ck_assert_uint_eq(entries("."), 1);
    free(where);
}
END_TEST

START_TEST(through_a_link_the_directory_is_replaced)
{
    char *where;
    ck_assert_int_eq(write_to("real", 1, &where), 0);
    free(where);
    ck_assert_int_eq(symlink("real", "link"), 0);
    put("real/old", "");
    ck_assert_int_eq(write_to("link", 2, &where), 0);
    free(where);
    struct stat st;
    ck_assert(lstat("link", &st) == 0 && S_ISLNK(st.st_mode));
    ck_assert_int_ne(access("real/old", F_OK), 0);
}
END_TEST

START_TEST(what_is_not_ours_is_refused)
{
    static const char *const manifests[] = {NULL,
                                            "",
                                            "{}",
                                            "[1]",
                                            "{\"name\": \"x\", \"manifest_version\": 3}",
                                            "{\"vlab_run_directory\": \"1\", \"command\": []}"};
    char *where, *why = NULL;
    for (size_t i = 0; i < sizeof manifests / sizeof *manifests; i++) {
        mkdir("mine", 0777);
        put("mine/thesis.tex", "years of work");
        if (manifests[i]) put("mine/manifest.json", manifests[i]);
        ck_assert_int_eq(write_to("mine", 42, &where), -EEXIST);
        ck_assert_int_eq(rundir_check("mine", &why), -EEXIST);
        free(why);
        char *text = get("mine/thesis.tex");
        ck_assert_str_eq(text, "years of work");
        free(text);
        ck_assert_uint_eq(entries("."), 1);
    }
}
END_TEST

START_TEST(empty_or_absent_is_taken_and_a_file_is_not)
{
    char *where, *why = NULL;
    mkdir("empty", 0777);
    ck_assert_int_eq(rundir_check("empty", &why), 0);
    ck_assert_int_eq(rundir_check("absent", &why), 0);
    ck_assert_int_eq(write_to("empty", 42, &where), 0);
    free(where);
    put("file", "");
    ck_assert_int_eq(write_to("file", 42, &where), -ENOTDIR);
    ck_assert_int_eq(write_to("file/below", 42, &where), -ENOTDIR);
    ck_assert_int_eq(rundir_check("", &why), -EINVAL);
    free(why);
}
END_TEST

START_TEST(without_a_name_runs_are_numbered)
{
    static const char *const names[] = {"runs/noisy-neighbour-42", "runs/noisy-neighbour-42-2",
                                        "runs/noisy-neighbour-42-3"};
    char *where;
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(write_to(NULL, 42, &where), 0);
        ck_assert_str_eq(where, names[i]);
        free(where);
    }
    ck_assert_uint_eq(entries("runs"), 3);
}
END_TEST

/* A writer that is killed half-way: the old directory is as it was, and the next writer sweeps up. */
START_TEST(interrupted_writing_leaves_the_old_directory)
{
    char *where;
    ck_assert_int_eq(write_to("out", 1, &where), 0);
    free(where);
    char *before = get("out/manifest.json");
    pid_t pid = fork();
    if (pid == 0) {
        struct rundir *rd;
        char *why;
        if (rundir_open(&rd, "out", "x", 2, &why) != 0) _exit(1);
        FILE *f = rundir_file(rd, "summary.csv");
        fputs("half of", f);
        fflush(f);
        raise(SIGKILL);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    char *after = get("out/manifest.json");
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    ck_assert_uint_eq(entries("."), 2);
    ck_assert_int_eq(write_to("out", 3, &where), 0);
    ck_assert_uint_eq(entries("."), 1);
    free(where);
}
END_TEST

START_TEST(a_failed_file_fails_the_commit_and_changes_nothing)
{
    struct rundir *rd;
    char *where, *why = NULL, *path = NULL;
    ck_assert_int_eq(write_to("out", 1, &where), 0);
    free(where);
    char *before = get("out/manifest.json");
    ck_assert_int_eq(rundir_open(&rd, "out", "x", 2, &why), 0);
    FILE *f = rundir_file(rd, "no/such/folder.csv");
    fputs("lost", f);
    rundir_close_file(rd, f);
    ck_assert_int_eq(rundir_commit(rd, &path, &why), -ENOENT);
    ck_assert_ptr_nonnull(strstr(why, "no/such/folder.csv"));
    ck_assert_ptr_nonnull(strstr(why, "No such file"));
    free(why);
    char *after = get("out/manifest.json");
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    ck_assert_uint_eq(entries("."), 1);
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
    struct rundir *rd;
    char *why = NULL, *path = NULL, link[64];
    ck_assert_int_eq(rundir_open(&rd, "out", "x", 2, &why), 0);
    snprintf(link, sizeof link, ".out.vlab-%ld/summary.csv", (long)getpid());
    ck_assert_int_eq(symlink("/dev/full", link), 0);
    FILE *f = rundir_file(rd, "summary.csv");
    fputs("lost", f);
    rundir_close_file(rd, f);
    ck_assert_int_eq(rundir_commit(rd, &path, &why), -ENOSPC);
    ck_assert_ptr_nonnull(strstr(why, "out"));
    free(why);
    ck_assert_uint_eq(entries("."), 0);
}
END_TEST

static int compared;

static int same_in_two(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)at;
    char other[256];
    if (type != FTW_F || strstr(path, "manifest.json")) return 0;
    snprintf(other, sizeof other, "two%s", path + strlen("one"));
    char *a = get(path), *b = get(other);
    ck_assert_msg(a && b && strcmp(a, b) == 0, "%s and %s differ", path, other);
    free(a);
    free(b);
    compared++;
    return 0;
}

START_TEST(two_runs_of_a_seed_differ_in_the_manifest_alone)
{
    static const char *const dirs[] = {"one", "two"};
    for (size_t i = 0; i < 2; i++) {
        char *where, *why;
        struct made *m = made_big(5, 3, 1, NULL, NULL, 0);
        m->rp.started.tv_sec = (time_t)(1000000 * i);
        ck_assert_int_eq(writer_write(&m->rp, dirs[i], &where, &why), 0);
        free(where);
        made_done(m);
    }
    ck_assert_int_eq(nftw("one", same_in_two, 8, FTW_PHYS), 0);
    ck_assert_int_ge(compared, 15);
    char *a = get("one/manifest.json"), *b = get("two/manifest.json");
    ck_assert_str_ne(a, b);
    free(a);
    free(b);
}
END_TEST

Suite *rundir_suite(void)
{
    Suite *s = suite_create("rundir");
    TCase *t = tcase_create("rundir");
    tcase_add_checked_fixture(t, own_dir_enter, own_dir_leave);
    tcase_add_test(t, a_new_directory_has_every_file);
    tcase_add_test(t, the_manifest_says_what_and_when);
    tcase_add_test(t, an_earlier_run_is_replaced_whole);
    tcase_add_test(t, through_a_link_the_directory_is_replaced);
    tcase_add_test(t, what_is_not_ours_is_refused);
    tcase_add_test(t, empty_or_absent_is_taken_and_a_file_is_not);
    tcase_add_test(t, without_a_name_runs_are_numbered);
    tcase_add_test(t, interrupted_writing_leaves_the_old_directory);
    tcase_add_test(t, a_failed_file_fails_the_commit_and_changes_nothing);
    tcase_add_test(t, a_full_disk_is_an_error);
    tcase_add_test(t, two_runs_of_a_seed_differ_in_the_manifest_alone);
    suite_add_tcase(s, t);
    return s;
}
