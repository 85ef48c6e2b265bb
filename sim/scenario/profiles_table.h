// SPDX-License-Identifier: GPL-3.0-or-later
/* profiles_table.h - the costs of the built-in profiles, with where they come from; profiles.c alone reads
 * it. */
#ifndef VLAB_SCENARIO_PROFILES_TABLE_H
#define VLAB_SCENARIO_PROFILES_TABLE_H

#include "scenario/scenario.h"

/* Defaults of keys on a host with the profile; NULL: the key's own. */
static const struct profile_row {
    const char *path, *era2003, *modern;
} profile_rows[] = {
    {"hosts.cpu.switch_cost", "2us", "1500ns"},
};

#endif
