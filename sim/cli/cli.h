// SPDX-License-Identifier: GPL-3.0-or-later
/* cli.h - the commands: one file each, one table in main.c. Exit codes are those of the manual. */
#ifndef VLAB_CLI_CLI_H
#define VLAB_CLI_CLI_H

#define CLI_VERSION "0.1.0"

enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_INVALID = 3, CLI_BROKEN = 4, CLI_CANNOT = 77 };

/* argv[0] is the command's own name. */
int cli_run(int argc, char **argv);
int cli_batch(int argc, char **argv);
int cli_compare(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_schema(int argc, char **argv);
int cli_plot(int argc, char **argv);
int cli_validate(int argc, char **argv);
int cli_kvm(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_completion(int argc, char **argv);

#endif
