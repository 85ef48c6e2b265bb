// SPDX-License-Identifier: GPL-3.0-or-later
/* gp.h - the files of plots/, carried in the program so that it plots wherever it is called. */
#ifndef VLAB_OUT_GP_H
#define VLAB_OUT_GP_H

#include <stdio.h>

/* Writes plots/NAME.gp as it is in the source tree; NAME is one of them. */
void gp_copy(FILE *f, const char *name);

#endif
