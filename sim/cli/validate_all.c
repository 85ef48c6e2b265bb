// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/validate_all.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/cli.h"
#include "cli/validate_one.h"
#include "kvm/kvm.h"
#include "out/figures.h"
#include "out/manifest.h"

#define LIST      "scenarios/validate/all.txt"
#define MOST_SETS 32

struct run {
    const struct validate_all *all;
    const char *profile;
    struct validated rows;
    struct validate_tally tally;
    size_t scenarios;
};

/* This machine's profile, in a file that is gone when the run is over. NULL: *code. */
static char *calibrated(int *code)
{
    char *path = strdup("/tmp/vlab-host-XXXXXX");
    ASSERT(path);
    int fd = mkstemp(path);
    if (fd < 0) {
        perror(path);
        *code = CLI_USAGE;
        free(path);
        return NULL;
    }
    close(fd);
    char *argv[] = {(char *)(uintptr_t) "calibrate", (char *)(uintptr_t) "--quick", (char *)(uintptr_t) "-o",
                    path, NULL};
    *code = kvm_cmd_calibrate(4, argv);
    if (*code == 0) return path;
    unlink(path);
    free(path);
    return NULL;
}

/* Beside the list, unless it says otherwise. */
static char *beside(const char *list, const char *name)
{
    const char *slash = strrchr(list, '/');
    char *path = NULL;
    if (name[0] == '/' || !slash)
        path = strdup(name);
    else if (asprintf(&path, "%.*s/%s", (int)(slash - list), list, name) < 0)
        path = NULL;
    ASSERT(path);
    return path;
}

/* One line of the list: a path and what is set. */
static int one_line(struct run *r, const char *list, char *line)
{
    const char *sets[MOST_SETS];
    char *save = NULL, *name = strtok_r(line, " \t\r\n", &save);
    size_t n = 0;
    if (!name) return 0;
    for (const char *s; (s = strtok_r(NULL, " \t\r\n", &save)) && n < MOST_SETS;)
        sets[n++] = s;
    for (size_t i = 0; i < r->all->n_sets && n < MOST_SETS; i++)
        sets[n++] = r->all->sets[i];
    char *path = beside(list, name);
    struct validate_cfg cfg = {.x = {.path = path, .sets = sets, .n_sets = n},
                               .profile = r->profile,
                               .pairs = r->all->pairs,
                               .kept = &r->rows,
                               .goes_on = true};
    int code = validate_one(&cfg, &r->tally);
    putchar('\n');
    free(path);
    r->scenarios++;
    return code;
}

static int whole_list(struct run *r)
{
    const char *list = r->all->list ? r->all->list : LIST;
    FILE *f = fopen(list, "re");
    char *line = NULL;
    size_t room = 0;
    int code = 0;
    if (!f) {
        fprintf(stderr, "vlab validate: %s: %s%s\n", list, strerror(errno),
                r->all->list ? "" : "; call it where `scenarios` is, or name a list: --all=LIST");
        return CLI_USAGE;
    }
    while (!code && getline(&line, &room, f) > 0) {
        line[strcspn(line, "#")] = '\0';
        code = one_line(r, list, line);
    }
    free(line);
    fclose(f);
    return code;
}

static int leave(struct run *r, char **where, char **why)
{
    struct rundir *rd;
    struct runset *none = runset_new(1, 1);
    struct report rp = {.version = CLI_VERSION,
                        .scenario = "validation",
                        .about = "Does the simulator say what the hardware does?",
                        .backend = "sim and kvm",
                        .fidelity = "exact",
                        .seed = 1,
                        .runs = none,
                        .argc = r->all->argc,
                        .argv = r->all->argv};
    clock_gettime(CLOCK_REALTIME, &rp.started);
    int e = rundir_open(&rd, r->all->dir, rp.scenario, rp.seed, why);
    if (e == 0) {
        FILE *f = rundir_file(rd, "validation.csv");
        validated_csv(f, &r->rows);
        rundir_close_file(rd, f);
        figures_style(rd);
        fig_validated(rd, &rp, &r->rows);
        f = rundir_file(rd, "manifest.json");
        rundir_note(rd, "manifest.json", manifest_write(f, &rp));
        rundir_close_file(rd, f);
        e = rundir_commit(rd, where, why);
    }
    runset_free(none);
    return e;
}

static void print_summary(const struct run *r)
{
    struct validated_summary s = validated_sum(&r->rows);
    printf("%zu scenarios, %zu points, %zu of them not possible on KVM\n", r->scenarios, r->tally.points,
           r->tally.refused);
    if (s.errors)
        printf("error of %zu values: a factor of %.3f in the mean, %.3f at worst (%s %s%s%s.%s.%s)\n",
               s.errors, exp(s.mean), exp(s.worst), s.worst_row->scenario, s.worst_row->point,
               s.worst_row->point[0] ? " " : "", s.worst_row->entity, s.worst_row->metric, s.worst_row->stat);
    if (s.rankings)
        printf("rankings: %zu of %zu that the hardware tells apart are the simulator's too\n", s.agreeing,
               s.rankings);
}

int validate_all(const struct validate_all *all)
{
    struct run r = {.all = all, .profile = all->profile};
    char *why = NULL, *where = NULL, *made = NULL;
    int code = 0;
    if (all->dir && rundir_check(all->dir, &why) < 0) code = CLI_USAGE;
    if (!code && !all->profile) r.profile = made = calibrated(&code);
    if (!code) code = whole_list(&r);
    if (!code && leave(&r, &where, &why) < 0) code = CLI_BROKEN;
    if (made) unlink(made);
    free(made);
    if (!code) {
        print_summary(&r);
        code = validate_verdict(&r.tally);
        printf("kept in %s (vlab plot %s validated)\n", where, where);
    }
    if (why) fprintf(stderr, "vlab validate: %s\n", why);
    free(why);
    free(where);
    validated_done(&r.rows);
    return code;
}
