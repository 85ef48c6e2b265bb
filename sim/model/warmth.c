// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/warmth.h"

static int64_t footprint(const struct mhost *h, const struct vcpu *v)
{
    return v->ws_lines < h->cache_lines ? v->ws_lines : h->cache_lines;
}

/* Lines of v still in p's cache. */
static int64_t present(const struct mhost *h, const struct pcpu *p, const struct vcpu *v)
{
    int64_t room = h->cache_lines - (p->loaded - v->warm_mark);
    int64_t left = v->warm_lines < room ? v->warm_lines : room;
    return left > 0 ? left : 0;
}

void warmth_cold(const struct pcpu *p, struct vcpu *v)
{
    v->warm_lines = 0;
    v->warm_mark = p->loaded;
}

int64_t warmth_refill_ns(const struct pcpu *p, const struct vcpu *v)
{
    const struct mhost *h = p->host;
    int64_t missing = footprint(h, v) - present(h, p, v);
    return missing > 0 ? missing * h->line_ns : 0;
}

void warmth_refilled(struct pcpu *p, struct vcpu *v, int64_t spent_ns)
{
    const struct mhost *h = p->host;
    int64_t had = present(h, p, v), missing = footprint(h, v) - had;
    int64_t got = missing;
    if (h->line_ns > 0 && spent_ns / h->line_ns < missing) got = spent_ns / h->line_ns;
    if (got < 0) got = 0;
    p->loaded += got;
    v->warm_lines = had + got;
    v->warm_mark = p->loaded;
}

void warmth_leave(const struct pcpu *p, struct vcpu *v)
{
    v->warm_mark = p->loaded;
}
