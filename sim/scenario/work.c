// SPDX-License-Identifier: GPL-3.0-or-later
/* A VM's workload: kind, threads, and where requests come from; steps.c compiles its steps. */
#include <string.h>

#include "scenario/vms.h"

#define W "vms.workload."

static bool read_steps(struct vms *v, struct vms_group *g, struct node *map)
{
    struct node *list = reader_sub(map, "steps", NODE_LIST);
    if (!list) {
        if (!tree_get(map, "steps", 5)) tree_error(v->r->d, map, "a workload needs `steps`");
        return false;
    }
    g->prog = steps_read(v, g, list);
    g->like.work.prog = g->prog;
    g->steps = g->prog ? list : NULL;
    return g->prog != NULL;
}

static struct sc_stretch *stretch(struct reader *r, struct node *map, const char *poisson,
                                  const char *periodic, struct sc_stretch *out)
{
    struct got rate = reader_get(r, map, poisson), gap = reader_get(r, map, periodic);
    out->for_ns = INT64_MAX;
    if (rate.node) {
        /* Millionths of 1/s to the mean gap in ns, rounded. */
        out->kind = SC_POISSON;
        out->gap_ns = (INT64_C(1000000000000000) + rate.n / 2) / rate.n;
        if (!out->gap_ns) return tree_error(r->d, rate.node, "more than one a nanosecond"), NULL;
    } else if (gap.node) {
        out->kind = SC_PERIODIC;
        out->gap_ns = gap.n;
    }
    return rate.node || gap.node ? out : NULL;
}

static bool read_sequence(struct reader *r, struct node *list, struct sc_workload *out)
{
    struct sc_stretch *s = arena_array(r->a, list->n ? list->n : 1, sizeof *s);
    if (!list->n) return tree_error(r->d, list, "`sequence` is empty"), false;
    for (uint32_t i = 0; i < list->n; i++) {
        struct node *m = list->items[i];
        if (m->kind != NODE_MAP || m->bad) return false;
        int kinds = (tree_get(m, "poisson", 7) != NULL) + (tree_get(m, "periodic", 8) != NULL);
        if (kinds != 1) return tree_error(r->d, m, "one of `poisson` and `periodic` is wanted"), false;
        if (!stretch(r, m, W "arrivals.sequence.poisson", W "arrivals.sequence.periodic", &s[i]))
            return false;
        struct got len = reader_get(r, m, W "arrivals.sequence.for");
        if (len.node)
            s[i].for_ns = len.n;
        else if (!len.stated && i + 1 < list->n)
            return tree_error(r->d, m, "without `for` the next one never comes"), false;
    }
    out->stretches = s;
    out->n_stretches = list->n;
    return true;
}

static bool read_arrivals(struct reader *r, struct node *map, struct sc_workload *out)
{
    if (map->n != 1) {
        tree_error(r->d, map, "`arrivals` has exactly one of poisson, periodic, trace and sequence");
        return false;
    }
    struct node *v = map->items[0];
    if (v->bad || map->keys[0]->bad) return false;
    if (tree_is(map->keys[0], "trace")) {
        struct pool times = {0};
        out->arrivals = SC_TRACE;
        if (!trace_read(r, v, true, &times)) return false;
        out->trace_ns = times.v;
        out->n_trace = times.n;
        return true;
    }
    if (tree_is(map->keys[0], "sequence")) {
        out->arrivals = SC_SEQUENCE;
        return v->kind == NODE_LIST && read_sequence(r, v, out);
    }
    struct sc_stretch *s = arena_alloc(r->a, sizeof *s);
    if (!stretch(r, map, W "arrivals.poisson", W "arrivals.periodic", s)) return false;
    out->arrivals = s->kind;
    out->stretches = s;
    out->n_stretches = 1;
    return true;
}

static bool refuse(struct reader *r, struct node *map, const char *key, const char *why)
{
    struct node *n = tree_key(map, key);
    if (n && tree_error(r->d, n, "`%s` %s", key, why)) diag_hint(r->d, "write `kind: requests`");
    return n == NULL;
}

static bool read_source(struct reader *r, struct node *map, struct sc_workload *out)
{
    struct node *arrivals = tree_get(map, "arrivals", 8);
    struct got clients = reader_get(r, map, W "clients");
    if (!arrivals == !clients.stated) {
        tree_error(r->d, arrivals ? tree_key(map, "clients") : map,
                   arrivals ? "requests come by `arrivals` or from `clients`, not both"
                            : "where do requests come from: `arrivals` or `clients` is missing");
        return false;
    }
    struct node *think = tree_get(map, "think", 5);
    if (arrivals) {
        if (think)
            return tree_error(r->d, tree_key(map, "think"),
                              "`think` is what `clients` do; arrivals do not wait"),
                   false;
        return arrivals->kind == NODE_MAP && !arrivals->bad && read_arrivals(r, arrivals, out);
    }
    struct pool pool = {0};
    out->arrivals = SC_CLOSED;
    out->clients = (uint32_t)clients.n;
    if (think && !dist_read(r, think, true, &out->think, &pool)) return false;
    if (!think) draw_make(&out->think);
    out->think_pool = pool.v;
    return clients.node != NULL;
}

static struct sc_workload idle(struct reader *r)
{
    /* No request ever comes: a VM that idles. The step is never taken. */
    struct step one = {.kind = STEP_SLEEP, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 1}};
    draw_make(&one.amount);
    void *mem = arena_alloc(r->a, prog_size(1, 0));
    return (struct sc_workload){.requests = true,
                                .threads = 1,
                                .queue_max = INT64_MAX,
                                .arrivals = SC_TRACE,
                                .until = UINT64_MAX,
                                .prog = prog_build(mem, &one, 1, NULL, 0)};
}

bool work_read(struct vms *v, struct vms_group *g)
{
    struct reader *r = v->r;
    struct node *map = reader_sub(g->map, "workload", NODE_MAP);
    struct sc_workload *out = &g->like.work;
    if (!map) {
        *out = idle(r);
        return !tree_get(g->map, "workload", 8);
    }
    *out = (struct sc_workload){.threads = g->like.vcpus, .queue_max = INT64_MAX, .until = UINT64_MAX};
    bool ok = true;
    struct got kind = reader_get(r, map, W "kind"), threads = reader_get(r, map, W "threads");
    if (kind.stated && !kind.node) return false;
    out->requests = kind.word[0] == 'r';
    if (threads.node && threads.word) {
        out->unlimited = true;
        out->threads = 0;
        if (!out->requests)
            ok = (tree_error(r->d, threads.node, "a loop has a number of tasks; `unlimited` is for requests"),
                  false);
    } else if (threads.node) {
        out->threads = (uint32_t)threads.n;
    }
    struct got queue = reader_get(r, map, W "queue");
    out->shared_queue = queue.node && queue.word;
    if (queue.node && !queue.word) out->queue_max = queue.n;
    if (out->shared_queue && !tree_get(map, "arrivals", 8) && out->requests)
        ok = (tree_error(r->d, queue.node,
                         "a shared queue has one stream of arrivals; clients each ask their own VM"),
              false);
    if (queue.node && !queue.word && out->unlimited)
        ok = (tree_error(r->d, queue.node, "with unlimited threads nothing ever waits in a queue"), false);
    struct node *until = reader_sub(map, "until", NODE_MAP);
    struct got count = reader_get(r, until, W "until.count");
    if (count.node) out->until = (uint64_t)count.n;
    static const char *const only_requests[] = {"arrivals", "clients", "think", "queue"};
    for (size_t i = 0; !out->requests && i < 4; i++)
        ok &= refuse(r, map, only_requests[i], "is for requests; this workload is a loop");
    if (out->requests) ok &= read_source(r, map, out);
    return read_steps(v, g, map) && ok;
}
