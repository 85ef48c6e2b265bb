// SPDX-License-Identifier: GPL-3.0-or-later
/* manifest.h - manifest.json: what made this run directory, where and when.
 *
 * The one file of a run directory that may differ between two runs of a seed. It is also how vlab
 * knows a directory for its own before it replaces it. */
#ifndef VLAB_OUT_MANIFEST_H
#define VLAB_OUT_MANIFEST_H

#include <stdio.h>

#include "out/report.h"

/* 0, or -errno. */
int manifest_write(FILE *f, const struct report *rp);
/* Whether dir/manifest.json is there and vlab's. */
bool manifest_is_ours(const char *dir);

#endif
