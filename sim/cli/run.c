// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab run: a scenario, all its points and replications, on one clock. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/cli.h"
#include "cli/experiment.h"
#include "out/jsonw.h"
#include "out/rundir.h"
#include "out/summary.h"
#include "out/writer.h"

static const char usage[] =
    "usage: vlab run SCENARIO [OPTION...]\n"
    "Runs every point of the sweep and every replication, prints a summary, checks the expectations and "
    "leaves\n"
    "tables and figures in a directory (vlab plot draws them).\n\n"
    "  SCENARIO             a YAML file, or - for standard input\n"
    "  -s, --seed SEED      use this seed (the scenario's is run.seed)\n"
    "  -o, --output DIR     leave the results here (default: runs/NAME-SEED[-n])\n"
    "      --set KEY=VALUE  set any key, as often as you like: --set vms.db.cpu.weight=500; a key that the\n"
    "                       scenario sweeps is no longer swept\n"
    "      --backend WHICH  sim (default): simulated; kvm: real guests on this machine; proc: the same\n"
    "                       work in native processes, the baseline of what guests cost\n"
    "      --fidelity HOW   exact: every slice and request is an event\n"
    "      --json           print one JSON object with every result instead of the summary\n"
    "      --trace          keep who ran where and when, in trace.json (ui.perfetto.dev shows it)\n"
    "      --per-entity     every VM, vCPU, host and pCPU in entities.csv, also of groups above 100\n"
    "  -h, --help           this text\n"
    "\n"
    "examples:\n"
    "  vlab run scenarios/02-noisy-neighbour.yaml\n"
    "  vlab run scenarios/02-noisy-neighbour.yaml --set vms.batch.count=3 --set run.replications=1 --trace\n"
    "  vlab run scenarios/01-two-vms.yaml --backend=kvm --json | jq '.results[] | "
    "select(.metric==\"cpu.run\")'\n"
    "\n"
    "Exit: 0 all expectations hold, 1 one does not, 2 usage, 3 the scenario is invalid, 4 the run failed,\n"
    "77 this machine cannot run it.\n";

struct job {
    struct experiment_opts x;
    const char **sets;
    char *seed_set;
    const char *output;
    bool json;
};

static int bad(const char *fmt, const char *what)
{
    fputs("vlab run: ", stderr);
    fprintf(stderr, fmt, what);
    fputs(" (vlab run --help)\n", stderr);
    return CLI_USAGE;
}

static int set_backend(struct job *j, const char *name)
{
    if (!strcmp(name, "sim"))
        j->x.kvm = j->x.native = false;
    else if (!strcmp(name, "kvm"))
        j->x.kvm = true, j->x.native = false;
    else if (!strcmp(name, "proc"))
        j->x.kvm = j->x.native = true;
    else
        return bad("there is no backend `%s`; there are sim, kvm and proc", name);
    return 0;
}

static int set_seed(struct job *j, const char *text)
{
    char *end;
    errno = 0;
    strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-')
        return bad("`%s` is no seed: a whole number from 0", text);
    free(j->seed_set);
    if (asprintf(&j->seed_set, "run.seed=%s", text) < 0) j->seed_set = NULL;
    ASSERT(j->seed_set);
    return 0;
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct job *j)
{
    enum { SET = 256, BACKEND, FIDELITY, JSON, TRACE, REPLAY, PER_ENTITY };
    static const struct option longs[] = {
        {"seed", required_argument, NULL, 's'},
        {"output", required_argument, NULL, 'o'},
        {"set", required_argument, NULL, SET},
        {"backend", required_argument, NULL, BACKEND},
        {"fidelity", required_argument, NULL, FIDELITY},
        {"json", no_argument, NULL, JSON},
        {"trace", no_argument, NULL, TRACE},
        {"replay", required_argument, NULL, REPLAY},
        {"per-entity", no_argument, NULL, PER_ENTITY},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int code = 0;
    optind = 1;
    opterr = 0;
    for (int c; !code && (c = getopt_long(argc, argv, "s:o:h", longs, NULL)) != -1;) {
        switch (c) {
        case 's': code = set_seed(j, optarg); break;
        case 'o': j->output = optarg; break;
        case SET: j->sets[j->x.n_sets++] = optarg; break;
        case BACKEND: code = set_backend(j, optarg); break;
        case FIDELITY:
            if (!strcmp(optarg, "fluid") || !strcmp(optarg, "auto"))
                code = bad("--fidelity=%s: not built yet", optarg);
            else if (strcmp(optarg, "exact") != 0)
                code = bad("there is no fidelity `%s`; there is exact", optarg);
            break;
        case JSON: j->json = true; break;
        case TRACE: j->x.trace = true; break;
        case REPLAY: code = bad("%s: not built yet", "--replay"); break;
        case PER_ENTITY: j->x.per_entity = true; break;
        case 'h': fputs(usage, stdout); return CLI_OK;
        default: code = bad("what is `%s`?", argv[optind - 1]); break;
        }
    }
    if (code) return code;
    if (optind == argc) return bad("%s", "which scenario? Name a YAML file");
    if (optind + 1 < argc) return bad("one scenario at a time; `%s` is one too many", argv[optind + 1]);
    j->x.path = argv[optind];
    if (j->seed_set) j->sets[j->x.n_sets++] = j->seed_set; /* last, so that -s wins over --set run.seed */
    return -1;
}

static int show(struct experiment *x, const struct job *j)
{
    char *where = NULL, *why = NULL, *cut = x->trace ? trace_cut_text(x->trace) : NULL;
    int r = writer_write(&x->report, j->output, &where, &why);
    if (r) {
        fprintf(stderr, "vlab: %s\n", why ? why : strerror(-r));
        free(why);
        free(cut);
        return r == -EEXIST ? CLI_USAGE : CLI_BROKEN;
    }
    if (j->json)
        jsonw_report(stdout, &x->report);
    else
        summary_print(stdout, &x->report, where, term_style_of(STDOUT_FILENO));
    if (cut && j->x.trace) fprintf(stderr, "vlab: %s\n", cut);
    free(cut);
    free(where);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "vlab: standard output: %s\n", strerror(errno));
        return CLI_BROKEN;
    }
    return experiment_verdict(x);
}

static int run_job(struct job *j, int argc, char **argv)
{
    char *why = NULL;
    if (j->output && rundir_check(j->output, &why) != 0) {
        fprintf(stderr, "vlab: %s\n", why);
        free(why);
        return CLI_USAGE;
    }
    struct experiment x;
    int code = experiment_open(&x, &j->x);
    if (!code) {
        x.report.argc = argc;
        x.report.argv = argv;
        code = experiment_run(&x);
        if (!code) code = show(&x, j);
    }
    experiment_close(&x);
    return code;
}

int cli_run(int argc, char **argv)
{
    struct job j = {0};
    j.sets = calloc((size_t)argc + 1, sizeof *j.sets);
    ASSERT(j.sets);
    j.x.sets = j.sets;
    int code = parse(argc, argv, &j);
    if (code < 0) code = run_job(&j, argc, argv);
    free(j.seed_set);
    free(j.sets);
    return code;
}
