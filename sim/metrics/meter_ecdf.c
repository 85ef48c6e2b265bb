// SPDX-License-Identifier: GPL-3.0-or-later
/* Whole distributions, for the figures: each unit's, all its vCPUs together. */
#include <stdlib.h>

#include "base/assert.h"
#include "metrics/meter_inner.h"

static void add_ecdf(struct meter *m, struct ecdf *e, const char *entity, const char *metric,
                     const struct hist *h)
{
    if (h->count == 0) return;
    double *x, *share;
    size_t n = hist_ecdf(h, 1e9, &x, &share);
    e[m->output.n_ecdfs++] = (struct ecdf){
        .entity = entity, .metric = metric, .unit = "s", .n = n, .x = x, .share = share, .count = h->count};
}

void meter_make_ecdfs(struct meter *m)
{
    struct ecdf *e = calloc((size_t)m->n_units * 3 + 1, sizeof *e);
    ASSERT(e);
    m->output.ecdfs = e;
    for (uint32_t u = 0; u < m->n_units; u++) {
        struct dists all = {0};
        meter_add_dists(m, &m->units[u], &all);
        add_ecdf(m, e, m->units[u].name, "latency", &all.latency);
        add_ecdf(m, e, m->units[u].name, "wait", &all.wait);
        add_ecdf(m, e, m->units[u].name, "slice", &all.slice);
        hist_done(&all.latency);
        hist_done(&all.wait);
        hist_done(&all.slice);
    }
}
