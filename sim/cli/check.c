// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab check SCENARIO...: reads every point of every file and runs nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "scenario/scenario.h"

static bool colour(void)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return isatty(STDERR_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static void say(const char *path, size_t points, const struct scenario *sc)
{
    printf("%s: ok, %u host%s, %u VM%s, %u expectation%s", path, sc->n_hosts, sc->n_hosts == 1 ? "" : "s",
           sc->n_vms, sc->n_vms == 1 ? "" : "s", sc->n_expects, sc->n_expects == 1 ? "" : "s");
    if (points > 1) printf(", %zu points", points);
    printf("\n");
}

static int check_file(const char *path)
{
    struct diag d;
    diag_init(&d);
    struct scenario_file *f = scenario_open(path, &d);
    size_t points = f ? scenario_points(f) : 0;
    for (size_t p = 0; p < points && !diag_any(&d); p++) {
        struct scenario *sc = scenario_at(f, p, &d);
        if (sc && p + 1 == points) say(path, points, sc);
        scenario_free(sc);
    }
    if (diag_any(&d)) diag_print(&d, stderr, colour());
    int code = !diag_any(&d) ? CLI_OK : d.usage ? CLI_USAGE : CLI_INVALID;
    scenario_close(f);
    diag_done(&d);
    return code;
}

int cli_check(int argc, char **argv)
{
    static const char usage[] = "usage: vlab check SCENARIO...\n"
                                "Reads scenarios and says what is wrong with them. - is standard input.\n";
    int code = CLI_OK, first = 1;
    if (argc > 1 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
        fputs(usage, stdout);
        return CLI_OK;
    }
    if (argc > 1 && !strcmp(argv[1], "--"))
        first = 2;
    else if (argc > 1 && argv[1][0] == '-' && argv[1][1]) {
        fprintf(stderr, "vlab check: unknown option %s\n%s", argv[1], usage);
        return CLI_USAGE;
    }
    if (argc <= first) {
        fputs(usage, stderr);
        return CLI_USAGE;
    }
    for (int i = first; i < argc; i++) {
        int c = check_file(argv[i]);
        if (c > code) code = c;
    }
    return code;
}
