// SPDX-License-Identifier: GPL-3.0-or-later
/* bench_ioqueue - what the queue of a disk costs a request: ioqueue_add and ioqueue_next, beside a binary
 * heap of tags in one array, whose least is moved on by cost/weight: the least that a fair queue can be.
 *
 *   ioq-CLASS       1000 flows of one group, 4 requests out each, sizes and places at random, weights of
 * their own ioq-CLASS-lim   the same, each flow with a limit (none of them far from its share) ioq-CLASS-h
 * the same as the first, in 40 groups; with reservations where there are any */
#include "bench.h"

#include "policy/ioqueue.h"

enum { FLOWS = 1000, EACH = 4, LIMITS = 16, HOSTS = 32, COST_NS = 100000 };

struct disk {
    struct ioqueue *q;
    int64_t now;
    uint64_t random;
    struct ioqueue_req req[FLOWS * EACH];
};

static void fill(struct disk *d, struct ioqueue_req *r)
{
    uint64_t x = bench_random(&d->random);
    r->position = (int64_t)(x >> 24);
    r->bytes = (int64_t)(4096 << (x % 4));
    r->cost_ns = COST_NS / 2 + (int64_t)(x >> 8) % COST_NS;
    r->write = x >> 7 & 1;
    ioqueue_add(d->q, r, d->now);
}

static void *disk_new(uint64_t size)
{
    const struct ioqueue_class *cls = ioqueue_class_at(size % LIMITS);
    struct disk *d = calloc(1, sizeof *d);
    struct ioqueue_flow_cfg *flows = calloc(FLOWS, sizeof *flows);
    if (!d || !flows) abort();
    struct ioqueue_cfg cfg = {
        .cls = cls, .n_flows = FLOWS, .n_groups = size & HOSTS ? 40 : 1, .flows = flows};
    for (uint32_t i = 0; i < FLOWS; i++) {
        flows[i] = (struct ioqueue_flow_cfg){.weight = 500 + i, .group = i % cfg.n_groups};
        if (size & LIMITS) flows[i].limit_u = INT64_C(12000000);
        if (size & HOSTS) flows[i].reservation_u = INT64_C(7000000);
    }
    void *block = aligned_alloc(64, (ioqueue_size(&cfg) + 63) / 64 * 64);
    if (!block) abort();
    d->q = ioqueue_init(block, &cfg);
    for (uint32_t i = 0; i < FLOWS * EACH; i++) {
        d->req[i].flow = i % FLOWS;
        fill(d, &d->req[i]);
    }
    free(flows);
    return d;
}

static void disk_free(void *st)
{
    struct disk *d = st;
    free(d->q); /* the block begins with it */
    free(d);
}

BENCH_NOINLINE static void disk_run(void *st, uint64_t n)
{
    struct disk *d = st;
    while (n) {
        int64_t again;
        struct ioqueue_req *r = ioqueue_next(d->q, d->now, &again);
        if (!r) {
            d->now = again;
            continue;
        }
        d->now += r->cost_ns;
        fill(d, r);
        n--;
    }
}

struct tag {
    uint64_t at, weight;
};

struct tags {
    uint64_t random;
    struct tag tag[FLOWS];
};

static void *tags_new(uint64_t size)
{
    struct tags *t = calloc(1, sizeof *t);
    (void)size;
    if (!t) abort();
    for (uint64_t i = 0; i < FLOWS; i++)
        t->tag[i] = (struct tag){0, 500 + i};
    return t;
}

BENCH_NOINLINE static void tags_run(void *st, uint64_t n)
{
    struct tags *t = st;
    for (; n; n--) {
        struct tag x = t->tag[0];
        uint64_t cost = COST_NS / 2 + (bench_random(&t->random) >> 8) % COST_NS;
        x.at += (cost << 20) / x.weight;
        size_t i = 0;
        for (size_t c; (c = 2 * i + 1) < FLOWS; i = c) {
            if (c + 1 < FLOWS && t->tag[c + 1].at < t->tag[c].at) c++;
            if (t->tag[c].at >= x.at) break;
            t->tag[i] = t->tag[c];
        }
        t->tag[i] = x;
    }
}

int main(int argc, char **argv)
{
    static char names[32][32];
    static const uint64_t sizes[] = {0, LIMITS, HOSTS};
    static const char *const suffixes[] = {"", "-lim", "-h"};
    struct bench_figure figs[32];
    size_t n = 0;
    for (size_t k = 0; k < 3; k++)
        for (size_t c = 0; ioqueue_class_at(c); c++) {
            if (k == 2 && !ioqueue_class_weighted(ioqueue_class_at(c))) continue;
            snprintf(names[n], sizeof names[n], "ioq-%s%s", ioqueue_class_name(ioqueue_class_at(c)),
                     suffixes[k]);
            figs[n] = (struct bench_figure){.name = names[n],
                                            .own_new = disk_new,
                                            .own_run = disk_run,
                                            .own_free = disk_free,
                                            .bare_new = tags_new,
                                            .bare_run = tags_run,
                                            .bare_free = free,
                                            .size = sizes[k] + c,
                                            .n = 100000};
            n++;
        }
    return bench_main(argc, argv, figs, n);
}
