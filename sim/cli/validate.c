// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab validate: both clocks in turn, one table. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "cli/cli.h"
#include "cli/validate_all.h"
#include "cli/validate_one.h"

#define PAIRS 11

static const char usage[] =
    "usage: vlab validate SCENARIO [OPTION...]\n"
    "       vlab validate --all[=LIST] [OPTION...]\n"
    "  -r, --replications N  pairs of one simulated and one real run (default 11)\n"
    "  -p, --profile FILE    the calibrated host that the simulator assumes (vlab kvm calibrate -o FILE)\n"
    "      --set KEY=VALUE   as in vlab run\n"
    "      --all[=LIST]      every scenario of a list (scenarios/validate/all.txt), one summary, one plot;\n"
    "                        calibrates first where no profile is given\n"
    "  -o, --output DIR      with --all: where table and plot are left (default runs/validation-1)\n"
    "  -h, --help            this text\n"
    "\n"
    "Each pair has its own seed; both of it share one. A row says what the simulator and the hardware came\n"
    "out at (medians), how far apart they are, the spread of that difference, and the verdict: agrees where\n"
    "the difference is within the row's bound or twice the spread; undecided where the spread is too wide "
    "to\n"
    "tell; shown where it hangs on how fast a core is just now, which no profile can know. Pairs in which "
    "the\n"
    "host itself lost over 1 % of the CPU to others are dropped and counted.\n"
    "\n"
    "examples:\n"
    "  vlab validate scenarios/01-two-vms.yaml\n"
    "  vlab kvm calibrate --quick -o host.yaml && vlab validate scenarios/01-two-vms.yaml -p host.yaml\n"
    "  vlab validate --all -r 3 && vlab plot runs/validation-1 validated\n"
    "\n"
    "Exit: 0 all rows agree, 1 one differs, 3 not possible on KVM, 4 the host was too noisy to judge,\n"
    "77 no KVM.\n";

struct job {
    struct validate_cfg one;
    struct validate_all all;
    bool every; /* --all */
    const char **sets;
};

static int bad(const char *what)
{
    fprintf(stderr, "vlab validate: %s (vlab validate --help)\n", what);
    return CLI_USAGE;
}

static int parse(int argc, char **argv, struct job *j)
{
    enum { SET = 256, ALL };
    static const struct option longs[] = {{"replications", required_argument, NULL, 'r'},
                                          {"profile", required_argument, NULL, 'p'},
                                          {"set", required_argument, NULL, SET},
                                          {"all", optional_argument, NULL, ALL},
                                          {"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    optind = 1;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "r:p:o:h", longs, NULL)) != -1;) {
        switch (c) {
        case 'r': {
            char *end;
            unsigned long n = strtoul(optarg, &end, 10);
            if (*end || n < 1 || n > 1000) return bad("-r wants a number of pairs from 1 to 1000");
            j->one.pairs = n;
            break;
        }
        case 'p': j->one.profile = optarg; break;
        case SET: j->sets[j->one.x.n_sets++] = optarg; break;
        case ALL:
            j->every = true;
            j->all.list = optarg;
            break;
        case 'o': j->all.dir = optarg; break;
        case 'h': fputs(usage, stdout); return CLI_OK;
        default: return bad("there is no such option");
        }
    }
    if (j->every && optind != argc) return bad("one scenario, or --all");
    if (j->every) return -1;
    if (j->all.dir) return bad("-o goes with --all");
    if (optind + 1 != argc) return bad("name one scenario, or --all");
    j->one.x.path = argv[optind];
    return -1;
}

static int everything(struct job *j, int argc, char **argv)
{
    j->all.profile = j->one.profile;
    j->all.sets = j->sets;
    j->all.n_sets = j->one.x.n_sets;
    j->all.pairs = j->one.pairs;
    j->all.argc = argc;
    j->all.argv = argv;
    return validate_all(&j->all);
}

static int just_one(const struct job *j)
{
    struct validate_tally t = {0};
    int code = validate_one(&j->one, &t);
    return code ? code : validate_verdict(&t);
}

int cli_validate(int argc, char **argv)
{
    struct job j = {.one = {.pairs = PAIRS}};
    j.sets = calloc((size_t)argc + 1, sizeof *j.sets);
    ASSERT(j.sets);
    j.one.x.sets = j.sets;
    int code = parse(argc, argv, &j);
    if (code < 0) code = j.every ? everything(&j, argc, argv) : just_one(&j);
    free(j.sets);
    return code;
}
