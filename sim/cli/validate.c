// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab validate: both clocks in turn, one table. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/cli.h"
#include "cli/compare_rows.h"
#include "cli/experiment.h"
#include "cli/once.h"
#include "out/num.h"
#include "out/progress.h"
#include "out/term.h"

#define PAIRS     11
#define DISTURBED 0.01 /* a pair whose host lost more than this to others is dropped */

static const char usage[] =
    "usage: vlab validate SCENARIO [OPTION...]\n"
    "  -r, --replications N  pairs of one simulated and one real run (default 11)\n"
    "  -p, --profile FILE    the calibrated host that the simulator assumes (vlab kvm calibrate -o FILE)\n"
    "      --set KEY=VALUE   as in vlab run\n"
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
    "\n"
    "Exit: 0 all rows agree, 1 one differs, 3 not possible on KVM, 4 the host was too noisy to judge,\n"
    "77 no KVM.\n";

struct job {
    struct experiment_opts x;
    const char **sets;
    const char *profile;
    size_t pairs;
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
                                          {"all", no_argument, NULL, ALL},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    optind = 1;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "r:p:h", longs, NULL)) != -1;) {
        switch (c) {
        case 'r': {
            char *end;
            unsigned long n = strtoul(optarg, &end, 10);
            if (*end || n < 1 || n > 1000) return bad("-r wants a number of pairs from 1 to 1000");
            j->pairs = n;
            break;
        }
        case 'p': j->profile = optarg; break;
        case SET: j->sets[j->x.n_sets++] = optarg; break;
        case ALL: return bad("--all: not built yet");
        case 'h': fputs(usage, stdout); return CLI_OK;
        default: return bad("there is no such option");
        }
    }
    if (optind + 1 != argc) return bad("name one scenario");
    j->x.path = argv[optind];
    return -1;
}

/* Every host that assumes nothing is given the calibrated profile. */
static int set_profile(struct scenario_file *f, const char *profile)
{
    char *path = realpath(profile, NULL);
    if (!path) {
        perror(profile);
        return CLI_USAGE;
    }
    struct diag d;
    diag_init(&d);
    struct scenario *sc = scenario_at(f, 0, &d);
    for (uint32_t i = 0; sc && i < sc->n_hosts; i++) {
        char key[160];
        snprintf(key, sizeof key, "hosts.%s.profile", sc->hosts[i].group);
        if (strcmp(sc->hosts[i].profile, "ideal") == 0 && !scenario_set(f, key, path, &d)) break;
    }
    scenario_free(sc);
    free(path);
    int code = diag_any(&d) ? CLI_INVALID : 0;
    if (code) diag_print(&d, stderr, false);
    diag_done(&d);
    return code;
}

struct tally {
    size_t pairs, dropped, rows, undecided, differ; /* rows: judged */
};

static int one_pair(const struct scenario *sc, uint64_t seed, struct compare *c, struct tally *t)
{
    char *why = NULL;
    struct once o = {.sc = sc, .seed = seed, .no_series = true};
    struct meter *sim = once_sim(&o, &why);
    int code = CLI_BROKEN;
    double disturbed = 0;
    struct meter *real = sim ? once_kvm(&o, &disturbed, &code, &why) : NULL;
    if (real) {
        code = 0;
        t->pairs++;
        if (disturbed > DISTURBED)
            t->dropped++;
        else
            compare_add(c, meter_output(sim), meter_output(real));
    } else {
        fprintf(stderr, "vlab: %s: %s\n", sc->name, why ? why : "stopped");
    }
    free(why);
    meter_free(sim);
    meter_free(real);
    return code;
}

static void print_value(double v, const char *unit, bool sign)
{
    char text[2 * NUM_LEN] = "", n[NUM_LEN];
    if (unit[0] == '\0')
        snprintf(text, sizeof text, sign ? "%+.2f pp" : "%.2f %%", 100 * v);
    else
        snprintf(text, sizeof text, "%s%s", sign && v > 0 ? "+" : "", num_human(n, v, unit));
    printf(" %12s", text);
}

static void print_rows(const struct compare *c, struct term_style st, struct tally *t)
{
    printf("%-26s %12s %12s %12s %12s   %s\n", "metric", "sim", "KVM", "difference", "spread", "verdict");
    for (size_t i = 0; i < c->n_rows; i++) {
        const struct compare_row *r = &c->rows[i];
        char name[160];
        snprintf(name, sizeof name, "%s.%s.%s", r->entity, r->metric, r->stat);
        printf("%-26s", name);
        print_value(r->sim_median, r->unit, false);
        print_value(r->real_median, r->unit, false);
        print_value(r->difference, r->unit, true);
        print_value(r->spread, r->unit, false);
        static const enum term_ink inks[] = {TERM_GOOD, TERM_BAD, TERM_WARN, TERM_DIM};
        printf("   %s%s%s\n", term_ink(st, inks[r->verdict]), compare_verdict_name(r->verdict),
               term_ink(st, TERM_PLAIN));
        t->rows += r->verdict != COMPARE_SHOWN;
        t->undecided += r->verdict == COMPARE_UNDECIDED;
        t->differ += r->verdict == COMPARE_DIFFERS;
    }
}

static int validate_point(const struct scenario *sc, size_t pairs, struct progress *p, struct tally *t)
{
    struct compare c;
    compare_init(&c, sc, pairs);
    int code = 0;
    for (size_t i = 0; !code && i < pairs; i++, p->run++) {
        progress_at(p, p->run, 0);
        code = one_pair(sc, sc->run.seed + i, &c, t);
    }
    progress_end(p);
    if (!code) {
        compare_judge(&c);
        for (uint32_t k = 0; k < sc->n_keys; k++)
            printf("%s%s=%s%s", k ? ", " : "at ", sc->keys[k], sc->values[k],
                   k + 1 == sc->n_keys ? "\n" : "");
        print_rows(&c, term_style_of(STDOUT_FILENO), t);
        fflush(stdout);
    }
    compare_done(&c);
    return code;
}

static int verdict(const struct tally *t)
{
    printf("%zu rows: %zu agree, %zu differ, %zu undecided; %zu of %zu pairs dropped because the host was "
           "disturbed\n",
           t->rows, t->rows - t->differ - t->undecided, t->differ, t->undecided, t->dropped, t->pairs);
    if (3 * t->dropped > t->pairs || 5 * t->undecided > t->rows) {
        fflush(stdout);
        fprintf(stderr, "vlab: host too noisy to judge\n");
        return CLI_BROKEN;
    }
    return t->differ ? CLI_FAILED : CLI_OK;
}

static int validate(struct job *j)
{
    int code = 0;
    struct scenario_file *f = experiment_read(&j->x, &code);
    if (f && j->profile) code = set_profile(f, j->profile);
    struct tally t = {0};
    for (size_t point = 0; f && !code && point < scenario_points(f); point++) {
        struct diag d;
        diag_init(&d);
        struct scenario *sc = scenario_at(f, point, &d);
        if (!sc) {
            diag_print(&d, stderr, isatty(STDERR_FILENO));
            code = CLI_INVALID;
        } else {
            if (point == 0) {
                printf("%s: SIM against KVM, %zu pairs of %s, seeds from %" PRIu64 "\n", sc->name, j->pairs,
                       num_time((char[NUM_LEN]){0}, (double)sc->run.duration_ns / 1e9), sc->run.seed);
                printf("%s\n\n", sc->about);
                fflush(stdout);
            }
            struct progress p;
            progress_begin(&p, STDERR_FILENO, sc->name, j->pairs, sc->run.duration_ns);
            code = validate_point(sc, j->pairs, &p, &t);
            scenario_free(sc);
        }
        diag_done(&d);
    }
    if (f) scenario_close(f);
    return code ? code : verdict(&t);
}

int cli_validate(int argc, char **argv)
{
    struct job j = {.pairs = PAIRS};
    j.sets = calloc((size_t)argc + 1, sizeof *j.sets);
    ASSERT(j.sets);
    j.x.sets = j.sets;
    int code = parse(argc, argv, &j);
    if (code < 0) code = validate(&j);
    free(j.sets);
    return code;
}
