// SPDX-License-Identifier: GPL-3.0-or-later
/* The table of commands. A command that a later version brings is named here too, and says so. */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "cli/cli.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* NULL: not built yet */
    const char *about;
} commands[] = {
    {"run", cli_run, "run a scenario, simulated or on KVM guests; print a summary, keep everything in runs/"},
    {"batch", cli_batch, "every point and replication of a scenario, on all cores; resumes after a kill"},
    {"compare", cli_compare, "lay runs side by side, and say what between them is more than luck"},
    {"validate", cli_validate, "run a scenario both ways in turn and lay the numbers side by side"},
    {"plot", cli_plot, "draw the figures of a run as SVG and PNG, or in the terminal (--ascii)"},
    {"check", cli_check, "read scenarios and say what is wrong and where, without running them"},
    {"explain", cli_explain, "what a key or a metric means, its unit, range, default and an example"},
    {"schema", cli_schema, "print the JSON Schema of scenarios, for editors"},
    {"kvm", cli_kvm, "probe: what this machine can do; calibrate: measure what it costs"},
    {"doctor", cli_doctor, "what this machine has, what is missing, and the remedy"},
    {"completion", cli_completion, "make the Tab key work: source <(vlab completion bash)"},
    {"top", NULL, "the live dashboard"},
    {"report", NULL, "one HTML page of a run"},
    {"hw", NULL, "homework: new, run, hint, grade, make-course"},
    {"tour", NULL, "five minutes at the terminal"},
};
#define N_COMMANDS (sizeof commands / sizeof *commands)

static void usage(FILE *f)
{
    fputs("usage: vlab COMMAND [ARGUMENT...]\n\n"
          "A laboratory of virtualization: one scenario, one workload, one policy; two clocks.\n\n",
          f);
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (commands[i].run) fprintf(f, "  %-11s %s\n", commands[i].name, commands[i].about);
    fputs("\nnot built yet:", f);
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!commands[i].run) fprintf(f, " %s", commands[i].name);
    fputs("\n\nexamples:\n"
          "  vlab run scenarios/01-two-vms.yaml                  simulated\n"
          "  vlab run scenarios/01-two-vms.yaml --backend=kvm    on real guests of this machine\n"
          "  vlab validate scenarios/01-two-vms.yaml             both, compared\n"
          "  vlab explain vms.cpu.weight                         any key, any metric\n"
          "\nvlab COMMAND --help tells more; scenarios/README.md lists the scenarios by their questions.\n"
          "Exit: 0 ok, 1 an expectation failed, 2 usage, 3 the scenario is invalid, 4 the run failed,\n"
          "77 this machine cannot do it.\n",
          f);
}

static const char *nearest(const char *word)
{
    const char *names[N_COMMANDS + 1] = {0};
    for (size_t i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i].name;
    return diag_nearest(word, names);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return CLI_USAGE;
    }
    const char *word = argv[1];
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help")) {
        usage(stdout);
        return CLI_OK;
    }
    if (!strcmp(word, "--version")) {
        puts("vlab " CLI_VERSION);
        return CLI_OK;
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(word, commands[i].name) != 0) continue;
        if (commands[i].run) return commands[i].run(argc - 1, argv + 1);
        fprintf(stderr, "vlab: %s: not built yet\n", word);
        return CLI_USAGE;
    }
    const char *near = nearest(word);
    fprintf(stderr, "vlab: there is no command `%s`%s%s%s (vlab --help lists them)\n", word,
            near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
    return CLI_USAGE;
}
