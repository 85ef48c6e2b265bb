// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab batch: every point and replication of a scenario, on all cores, to be taken up again after a kill. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/batch_state.h"
#include "cli/cli.h"
#include "cli/experiment.h"
#include "cli/stop.h"
#include "cli/workers.h"
#include "metrics/runfile.h"
#include "out/gnuplot.h"
#include "out/jsonw.h"
#include "out/progress.h"
#include "out/rundir.h"
#include "out/summary.h"
#include "out/writer.h"

static const char usage[] =
    "usage: vlab batch SCENARIO [OPTION...]\n"
    "Runs every point of the sweep and every replication, simulated, on all cores; leaves what `vlab run` "
    "leaves,\n"
    "byte for byte, and draws the figures.\n\n"
    "  -j, --jobs N          so many at a time (default: the CPUs there are)\n"
    "  -r, --replications N  of each point (the scenario's is run.replications)\n"
    "  -s, --seed SEED       of the first replication; the next ones count on from it\n"
    "  -o, --output DIR      leave the results here (default: runs/NAME-SEED[-n])\n"
    "      --set KEY=VALUE   as in vlab run\n"
    "      --resume          take up what an earlier batch of the same runs left unfinished\n"
    "      --list            print a command for each run instead, for GNU parallel and the like;\n"
    "                        `--resume` collects what they leave\n"
    "      --one=POINT/REP   do that run only, and keep it for `--resume`\n"
    "      --json            print one JSON object with every result instead of the summary\n"
    "      --no-plots        draw nothing; vlab plot does it later\n"
    "  -h, --help            this text\n"
    "\n"
    "Unfinished runs are kept in DIR.partial (runs/NAME-SEED.partial) until all are there: Ctrl-C and even a "
    "kill\n"
    "lose only those under way. Replication r has the same seed at every point, so points differ by what is "
    "swept\n"
    "and not by luck.\n"
    "\n"
    "examples:\n"
    "  vlab batch scenarios/02-noisy-neighbour.yaml -r 10\n"
    "  vlab batch scenarios/02-noisy-neighbour.yaml -r 10 -o out --resume\n"
    "  vlab batch scenarios/02-noisy-neighbour.yaml -o out --list | parallel && \\\n"
    "  vlab batch scenarios/02-noisy-neighbour.yaml -o out --resume\n"
    "\n"
    "Exit: 0 all expectations hold, 1 one does not, 2 usage, 3 the scenario is invalid, 4 a run failed or "
    "the\n"
    "batch was interrupted.\n";

struct job {
    struct experiment_opts x;
    const char **sets;
    char *seed_set, *reps_set;
    const char *output, *one;
    unsigned long workers;
    bool resume, list, json, no_plots;
};

static int bad(const char *fmt, const char *what)
{
    fputs("vlab batch: ", stderr);
    fprintf(stderr, fmt, what);
    fputs(" (vlab batch --help)\n", stderr);
    return CLI_USAGE;
}

/* A whole number from `least`, as KEY=NUMBER; false: it is none. */
static bool number_set(char **set, const char *key, const char *text, unsigned long long least)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || n < least) return false;
    free(*set);
    if (asprintf(set, "%s=%llu", key, n) < 0) *set = NULL;
    ASSERT(*set);
    return true;
}

static int set_engine(const char *name)
{
    if (!strcmp(name, "local")) return 0;
    if (!strcmp(name, "slurm")) return bad("--engine=%s: not built yet", name);
    return bad("there is no engine `%s`; there is local", name);
}

static int option(struct job *j, int c)
{
    char *end;
    switch (c) {
    case 'j':
        errno = 0;
        j->workers = strtoul(optarg, &end, 10);
        return errno || *end || j->workers < 1 || j->workers > 4096
                   ? bad("%s", "-j wants a number from 1 to 4096")
                   : 0;
    case 'r':
        return number_set(&j->reps_set, "run.replications", optarg, 1)
                   ? 0
                   : bad("`%s` is no number of replications", optarg);
    case 's':
        return number_set(&j->seed_set, "run.seed", optarg, 0)
                   ? 0
                   : bad("`%s` is no seed: a whole number from 0", optarg);
    default: return bad("what is `%s`?", "?");
    }
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct job *j)
{
    enum { SET = 256, RESUME, LIST, ONE, JSON, NO_PLOTS, ENGINE };
    static const struct option longs[] = {{"jobs", required_argument, NULL, 'j'},
                                          {"replications", required_argument, NULL, 'r'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"set", required_argument, NULL, SET},
                                          {"resume", no_argument, NULL, RESUME},
                                          {"list", no_argument, NULL, LIST},
                                          {"one", required_argument, NULL, ONE},
                                          {"json", no_argument, NULL, JSON},
                                          {"no-plots", no_argument, NULL, NO_PLOTS},
                                          {"engine", required_argument, NULL, ENGINE},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int code = 0;
    optind = 1;
    opterr = 0;
    for (int c; !code && (c = getopt_long(argc, argv, "j:r:s:o:h", longs, NULL)) != -1;) {
        switch (c) {
        case 'o': j->output = optarg; break;
        case SET: j->sets[j->x.n_sets++] = optarg; break;
        case RESUME: j->resume = true; break;
        case LIST: j->list = true; break;
        case ONE: j->one = optarg; break;
        case JSON: j->json = true; break;
        case NO_PLOTS: j->no_plots = true; break;
        case ENGINE: code = set_engine(optarg); break;
        case 'h': fputs(usage, stdout); return CLI_OK;
        case '?': code = bad("what is `%s`?", argv[optind - 1]); break;
        default: code = option(j, c);
        }
    }
    if (code) return code;
    if (optind == argc) return bad("%s", "which scenario? Name a YAML file");
    if (optind + 1 < argc) return bad("one scenario at a time; `%s` is one too many", argv[optind + 1]);
    if (j->list + (j->one != NULL) + j->resume > 1) return bad("%s", "one of --list, --one and --resume");
    j->x.path = argv[optind];
    if (j->reps_set) j->sets[j->x.n_sets++] = j->reps_set;
    if (j->seed_set) j->sets[j->x.n_sets++] = j->seed_set; /* last, so that they win over --set */
    return -1;
}

/* --- runs on all cores --- */

struct batch {
    struct experiment x;
    struct batch_state st;
    size_t *missing, n_missing; /* runs that are not there yet */
    size_t n_done;              /* of those */
    struct progress p;
    int code;
};

struct asking {
    bool (*stopped)(void *arg);
    void *arg;
};

static bool go_on(void *ctx, int64_t now_ns, int64_t end_ns)
{
    const struct asking *a = ctx;
    (void)now_ns, (void)end_ns;
    return !a->stopped(a->arg);
}

/* One run, into its file. The exit code; CLI_CANNOT: it was asked to stop. */
static int run_into_file(const struct experiment *x, const struct batch_state *st, size_t run,
                         struct asking *a)
{
    size_t point = run / x->n_reps, rep = run % x->n_reps;
    char *why = NULL, *path = batch_state_file(st, run);
    struct meter *m = experiment_one(x, point, rep, a ? go_on : NULL, a, &why);
    int code = m ? CLI_OK : why ? CLI_BROKEN : CLI_CANNOT;
    if (m) {
        int e = runfile_save(path, meter_output(m));
        if (e) fprintf(stderr, "vlab: %s: %s\n", path, strerror(-e));
        if (e) code = CLI_BROKEN;
    } else if (why) {
        fprintf(stderr, "vlab: %s, point %zu, replication %zu: %s\n", x->at[point]->name, point, rep, why);
    }
    meter_free(m);
    free(why);
    free(path);
    return code;
}

static int work(void *ctx, size_t i, bool (*stopped)(void *arg), void *arg)
{
    struct batch *b = ctx;
    struct asking a = {stopped, arg};
    return run_into_file(&b->x, &b->st, b->missing[i], &a);
}

static bool ended(void *ctx, size_t i, int code, int sig)
{
    struct batch *b = ctx;
    if (code < 0) {
        fprintf(stderr, "vlab: the worker of point %zu, replication %zu ended by signal %d\n",
                b->missing[i] / b->x.n_reps, b->missing[i] % b->x.n_reps, sig);
        code = CLI_BROKEN;
    }
    b->n_done += code == CLI_OK;
    if (code == CLI_BROKEN) b->code = CLI_BROKEN;
    return b->code == 0;
}

static bool look(void *ctx)
{
    struct batch *b = ctx;
    progress_at(&b->p, b->n_done, 0);
    return !stop_is_asked() && b->code == 0;
}

static void run_all(struct batch *b, size_t workers)
{
    struct stop stop;
    stop_catch(&stop);
    progress_begin(&b->p, STDERR_FILENO, b->x.at[0]->name, b->n_missing, b->x.at[0]->run.duration_ns);
    const struct workers_job job = {.run = work, .done = ended, .wait = look, .ctx = b};
    int e = workers_run(b->n_missing, workers, &job);
    progress_end(&b->p);
    stop_release(&stop);
    if (e) {
        fprintf(stderr, "vlab: no worker could be started: %s\n", strerror(-e));
        b->code = CLI_BROKEN;
    }
}

/* --- what is there and what comes of it --- */

/* Runs whose files are whole are put in their places; the others are missing. */
static void find_missing(struct batch *b, struct runfile **files)
{
    b->n_missing = 0;
    for (size_t run = 0; run < b->x.n_points * b->x.n_reps; run++) {
        if (run % b->x.n_reps >= b->x.at[run / b->x.n_reps]->run.replications || files[run]) continue;
        char *path = batch_state_file(&b->st, run);
        files[run] = runfile_load(path);
        free(path);
        if (files[run])
            experiment_put(&b->x, run / b->x.n_reps, run % b->x.n_reps, runfile_output(files[run]));
        else
            b->missing[b->n_missing++] = run;
    }
}

static void draw(const char *where)
{
    char **names, *why = NULL;
    int n = gnuplot_list(where, &names, &why);
    for (int i = 0; i < n; i++) {
        static const char *const files[] = {"svg", "png"};
        for (size_t k = 0; k < 2 && !why; k++)
            gnuplot_render(where, names[i], files[k], NULL, &why);
    }
    if (why) fprintf(stderr, "vlab: not drawn: %s\n", why);
    free(why);
    if (n >= 0) gnuplot_free_list(names, (size_t)n);
}

static int show(struct batch *b, const struct job *j)
{
    char *where = NULL, *why = NULL;
    int r = writer_write(&b->x.report, j->output, &where, &why);
    if (r) {
        fprintf(stderr, "vlab: %s\n", why ? why : strerror(-r));
        free(why);
        return r == -EEXIST ? CLI_USAGE : CLI_BROKEN;
    }
    if (!j->no_plots && gnuplot_found()) draw(where);
    if (j->json)
        jsonw_report(stdout, &b->x.report);
    else
        summary_print(stdout, &b->x.report, where, term_style_of(STDOUT_FILENO));
    free(where);
    batch_state_remove(&b->st);
    return fflush(stdout) == 0 ? experiment_verdict(&b->x) : CLI_BROKEN;
}

static int collect(struct batch *b, const struct job *j, struct runfile **files)
{
    char *why = NULL;
    find_missing(b, files);
    if (b->n_missing > 0) {
        fprintf(stderr, "vlab: %zu of %zu runs are there; --resume goes on\n", b->x.n_done,
                b->x.n_done + b->n_missing);
        return CLI_BROKEN;
    }
    int code = experiment_trace(&b->x, &why);
    if (code) {
        fprintf(stderr, "vlab: %s\n", why ? why : "stopped; --resume goes on");
        free(why);
        return code;
    }
    experiment_judge(&b->x);
    return show(b, j);
}

static int run_batch(struct batch *b, const struct job *j)
{
    size_t n = b->x.n_points * b->x.n_reps, workers = j->workers;
    cpu_set_t cpus;
    if (workers == 0 && sched_getaffinity(0, sizeof cpus, &cpus) == 0) workers = (size_t)CPU_COUNT(&cpus);
    struct runfile **files = calloc(n, sizeof *files);
    b->missing = calloc(n, sizeof *b->missing);
    ASSERT(files && b->missing);
    find_missing(b, files);
    run_all(b, workers ? workers : 1);
    int code = b->code ? b->code : collect(b, j, files);
    for (size_t i = 0; i < n; i++)
        runfile_free(files[i]);
    free(files);
    free(b->missing);
    return code;
}

static int one_run(const struct batch *b, const char *which)
{
    char *end;
    unsigned long point = strtoul(which, &end, 10),
                  rep = *end == '/' ? strtoul(end + 1, &end, 10) : ULONG_MAX;
    if (*end || point >= b->x.n_points || rep >= b->x.at[point]->run.replications)
        return bad("--one=%s: there is no such run; it is POINT/REPLICATION, both from 0", which);
    return run_into_file(&b->x, &b->st, point * b->x.n_reps + rep, NULL);
}

/* With quotes where a shell would see more than a word. */
static void print_word(const char *word)
{
    bool plain =
        *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:%+@") ==
                     strlen(word);
    if (!plain) putchar('\'');
    for (; *word; word++) {
        if (!plain && *word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    }
    if (!plain) putchar('\'');
}

static int list(const struct batch *b, const struct job *j)
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    self[len > 0 ? len : 0] = '\0';
    for (size_t p = 0; p < b->x.n_points; p++)
        for (size_t r = 0; r < b->x.at[p]->run.replications; r++) {
            print_word(len > 0 ? self : "vlab");
            printf(" batch ");
            print_word(j->x.path);
            for (size_t i = 0; i < j->x.n_sets; i++) {
                printf(" --set ");
                print_word(j->sets[i]);
            }
            if (j->output) {
                printf(" -o ");
                print_word(j->output);
            }
            printf(" --one=%zu/%zu\n", p, r);
        }
    return fflush(stdout) == 0 ? CLI_OK : CLI_BROKEN;
}

static int run_job(struct job *j, int argc, char **argv)
{
    struct batch b = {0};
    char *why = NULL;
    if (j->output && rundir_check(j->output, &why) != 0) {
        fprintf(stderr, "vlab: %s\n", why);
        free(why);
        return CLI_USAGE;
    }
    int code = experiment_open(&b.x, &j->x);
    if (!code) {
        b.x.report.argc = argc;
        b.x.report.argv = argv;
        enum batch_open how = j->resume || j->one ? BATCH_GO_ON : BATCH_ANEW;
        if (j->list)
            code = list(&b, j);
        else if (batch_state_open(&b.st, &b.x.report, j->output, how, &why) != 0)
            code = CLI_USAGE;
        else
            code = j->one ? one_run(&b, j->one) : run_batch(&b, j);
    }
    if (why) fprintf(stderr, "vlab: %s\n", why);
    free(why);
    batch_state_close(&b.st);
    experiment_close(&b.x);
    return code;
}

int cli_batch(int argc, char **argv)
{
    struct job j = {0};
    j.sets = calloc((size_t)argc + 2, sizeof *j.sets);
    ASSERT(j.sets);
    j.x.sets = j.sets;
    int code = parse(argc, argv, &j);
    if (code < 0) code = run_job(&j, argc, argv);
    free(j.seed_set);
    free(j.reps_set);
    free(j.sets);
    return code;
}
