// SPDX-License-Identifier: GPL-3.0-or-later
/* summary_inner.h - what the files of the summary share. */
#ifndef VLAB_OUT_SUMMARY_INNER_H
#define VLAB_OUT_SUMMARY_INNER_H

#include "out/summary.h"

enum { SUMMARY_NAME_MAX = 24 };

struct summary_ctx {
    FILE *f;
    bool throttled, waits, latency, rate; /* columns that have anything in them */
    const struct report *rp;
    struct term_style style;
};

/* A figure of point 0; NaN: none. */
double summary_pick(const struct summary_ctx *c, const char *entity, const char *metric, const char *stat);
/* Text, right-aligned by what is seen: a UTF-8 sequence is one column here. */
void summary_cell(const struct summary_ctx *c, const char *text, int width);

/* summary_res.c: memory, disks and networks, where there are any; what stands out, in a sentence. */
void summary_resources(const struct summary_ctx *c);

#endif
