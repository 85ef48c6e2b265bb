// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab plot RUN [FIGURE] [--ascii]: draws what a run left in RUN/plots. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "out/gnuplot.h"
#include "out/manifest.h"

static const char usage[] =
    "usage: vlab plot RUN [FIGURE] [--ascii]\n"
    "  RUN      a run directory, as `vlab run` leaves it\n"
    "  FIGURE   one of its figures (default: all); written as SVG and PNG into RUN/plots\n"
    "  --ascii  draw on this terminal instead\n"
    "examples:\n"
    "  vlab plot runs/two-vms-1                  every figure\n"
    "  vlab plot runs/two-vms-1 gantt --ascii    who ran when, here\n";

struct job {
    const char *run, *figure;
    bool ascii, help;
};

static bool parse(int argc, char **argv, struct job *j)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (strcmp(a, "--ascii") == 0) {
            j->ascii = true;
        } else if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
            j->help = true;
        } else if (a[0] == '-') {
            fprintf(stderr, "vlab plot: unknown option %s\n", a);
            return false;
        } else if (!j->run) {
            j->run = a;
        } else if (!j->figure) {
            j->figure = a;
        } else {
            fprintf(stderr, "vlab plot: one figure at a time, or all; %s is one too many\n", a);
            return false;
        }
    }
    if (!j->run && !j->help)
        fprintf(stderr, "vlab plot: which run? Name its directory, such as runs/NAME-SEED\n");
    return j->run || j->help;
}

/* The dumb terminal fills its lines with blanks, and begins with empty ones. */
static void print_trimmed(const char *text)
{
    bool begun = false;
    while (*text) {
        size_t len = strcspn(text, "\n"), seen = len;
        while (seen > 0 && strchr(" \f\r", text[seen - 1]))
            seen--;
        if (seen > 0 || begun) printf("%.*s\n", (int)seen, text);
        begun = begun || seen > 0;
        text += len + (text[len] == '\n');
    }
}

/* One figure, as files or on the terminal. */
static bool draw(const struct job *j, const char *name)
{
    static const char *const files[] = {"svg", "png"};
    char *why = NULL, *text = NULL;
    if (j->ascii) {
        if (gnuplot_render(j->run, name, "dumb", &text, &why) == 0) {
            print_trimmed(text);
            free(text);
            return true;
        }
        fprintf(stderr, "vlab plot: %s\n", why ? why : name);
        free(why);
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        if (gnuplot_render(j->run, name, files[i], NULL, &why) != 0) {
            fprintf(stderr, "vlab plot: %s\n", why ? why : name);
            free(why);
            return false;
        }
        printf("%s/plots/%s.%s\n", j->run, name, files[i]);
    }
    return true;
}

static int draw_all(const struct job *j, char **names, size_t n)
{
    bool known = false, good = true;
    for (size_t i = 0; i < n; i++) {
        if (j->figure && strcmp(j->figure, names[i]) != 0) continue;
        known = true;
        good = draw(j, names[i]) && good;
    }
    if (j->figure && !known) {
        fprintf(stderr, "vlab plot: %s has no figure %s; it has", j->run, j->figure);
        for (size_t i = 0; i < n; i++)
            fprintf(stderr, "%s %s", i ? "," : "", names[i]);
        fputs(n ? "\n" : " none\n", stderr);
        return CLI_USAGE;
    }
    return good ? CLI_OK : CLI_BROKEN;
}

static int plot_run(const struct job *j)
{
    if (!manifest_is_ours(j->run)) {
        fprintf(stderr, "vlab plot: %s is not a vlab run directory (no manifest.json of ours in it)\n",
                j->run);
        return CLI_USAGE;
    }
    char **names, *why = NULL;
    int n = gnuplot_list(j->run, &names, &why);
    if (n < 0) {
        fprintf(stderr, "vlab plot: %s\n", why ? why : j->run);
        free(why);
        return CLI_USAGE;
    }
    if (!gnuplot_found()) {
        fprintf(stderr, "vlab plot: there is no gnuplot on this machine; to have it: %s\n", GNUPLOT_REMEDY);
        gnuplot_free_list(names, (size_t)n);
        return CLI_CANNOT;
    }
    int code = draw_all(j, names, (size_t)n);
    gnuplot_free_list(names, (size_t)n);
    return code;
}

int cli_plot(int argc, char **argv)
{
    struct job j = {0};
    if (!parse(argc, argv, &j)) {
        fputs(usage, stderr);
        return CLI_USAGE;
    }
    if (j.help) {
        fputs(usage, stdout);
        return CLI_OK;
    }
    size_t len = strlen(j.run);
    while (len > 1 && j.run[len - 1] == '/')
        len--;
    char run[4096];
    if (len >= sizeof run) {
        fprintf(stderr, "vlab plot: the name of the run directory is too long\n");
        return CLI_USAGE;
    }
    memcpy(run, j.run, len);
    run[len] = '\0';
    j.run = run;
    return plot_run(&j);
}
