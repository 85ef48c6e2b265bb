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

/* A block: a row an entity. A column is there where a row has something in it. */
struct summary_column {
    const char *head, *metric, *stat, *unit;
    int width;
    bool percent, dash; /* dash: 0 is shown as - */
};
struct summary_table {
    const char *title;
    const struct summary_column *columns;
    size_t n_columns;
    const char **rows; /* entities; freed by whoever made the table */
    size_t n, cap;
    size_t most;
    const char *more; /* "VMs": what the rows beyond are called */
};
void summary_add_row(struct summary_table *t, const char *entity);
void summary_put_table(const struct summary_ctx *c, const struct summary_table *t);

/* summary_cloud.c: what was down, started, moved; power and cost. */
void summary_cloud(const struct summary_ctx *c);
/* summary_res.c: memory, disks and networks, where there are any; what stands out, in a sentence. */
void summary_resources(const struct summary_ctx *c);

#endif
