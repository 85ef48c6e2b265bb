// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab kvm probe|calibrate|baseline: what this machine can do for real guests. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "kvm/kvm.h"

static const char usage[] =
    "usage: vlab kvm probe | calibrate [--quick] [-o FILE] | baseline [--quick]\n"
    "  probe      what this machine can do for guests on KVM, and what would make more possible\n"
    "  calibrate  measures the costs of this machine and writes them as a host profile, which gives the\n"
    "             simulator the same costs: hosts.profile in a scenario, -p in vlab validate\n"
    "  baseline   the same work in a guest and in a native process, in turn: what virtualization costs it\n"
    "examples:\n"
    "  vlab kvm probe\n"
    "  vlab kvm calibrate --quick -o here.yaml\n";

int cli_kvm(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "probe") == 0) return kvm_cmd_probe(argc - 1, argv + 1);
    if (strcmp(what, "calibrate") == 0) return kvm_cmd_calibrate(argc - 1, argv + 1);
    if (strcmp(what, "baseline") == 0) return kvm_cmd_baseline(argc - 1, argv + 1);
    if (strcmp(what, "-h") == 0 || strcmp(what, "--help") == 0) {
        fputs(usage, stdout);
        return CLI_OK;
    }
    if (*what) fprintf(stderr, "vlab kvm: there is no `%s`\n", what);
    fputs(usage, stderr);
    return CLI_USAGE;
}
