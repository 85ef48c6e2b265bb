// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/store/serve.h"

#include <stdlib.h>

int serve_init(struct serve *s, const struct serve_cfg *cfg, int64_t now)
{
    struct ioqueue_cfg q = {
        .cls = ioqueue_class_find(cfg->queue), .n_flows = cfg->n_flows, .n_groups = 1, .flows = cfg->flows};
    size_t size = q.cls ? ioqueue_size(&q) : 0;
    void *block = size > 0 ? aligned_alloc(16, (size + 15) & ~(size_t)15) : NULL;
    if (!block) return -1;
    *s = (struct serve){.queue = ioqueue_init(block, &q),
                        .latency_ns = cfg->latency_ns,
                        .began_ns = now,
                        .free_ns = now,
                        .null_ns = -1};
    bucket_init(&s->bucket, cfg->iops_u, cfg->bandwidth_bps, cfg->burst_bytes, cfg->peak_bps, now);
    if (s->queue) return 0;
    free(block);
    return -1;
}

void serve_done(struct serve *s)
{
    free(s->queue);
    s->queue = NULL;
}

void serve_add(struct serve *s, struct ioqueue_req *r, int64_t now)
{
    r->cost_ns = bucket_cost_ns(&s->bucket, r->bytes);
    ioqueue_add(s->queue, r, now);
}

void serve_drop(struct serve *s, struct ioqueue_req *r, int64_t now)
{
    ioqueue_drop(s->queue, r, now);
}

/* When the request that goes now could have begun at the earliest. */
static int64_t begin_ns(const struct serve *s, const struct ioqueue_req *r, int64_t now)
{
    int64_t t = s->free_ns > r->came_ns ? s->free_ns : r->came_ns;
    /* Nobody could go at null_ns: until again_ns, or until another came. */
    if (s->null_ns >= 0) {
        int64_t could = r->came_ns > s->null_ns || s->again_ns > now ? r->came_ns : s->again_ns;
        if (could > t) t = could;
        if (s->null_ns > t) t = s->null_ns;
    }
    if (t < now - SERVE_LATE_NS) t = now - SERVE_LATE_NS;
    return t < now ? t : now;
}

struct ioqueue_req *serve_next(struct serve *s, int64_t now, int64_t *ripe_ns, int64_t *again_ns)
{
    *again_ns = s->free_ns;
    if (s->free_ns > now) return NULL;
    struct ioqueue_req *r = ioqueue_next(s->queue, now, again_ns);
    if (!r) {
        if (s->null_ns < 0) s->null_ns = now;
        s->again_ns = *again_ns;
        return NULL;
    }
    int64_t begin = begin_ns(s, r, now);
    s->null_ns = -1;
    s->began_ns = begin;
    s->free_ns = bucket_bounds(&s->bucket) ? bucket_take(&s->bucket, r->bytes, begin) : begin;
    *ripe_ns = s->free_ns + s->latency_ns;
    return r;
}
