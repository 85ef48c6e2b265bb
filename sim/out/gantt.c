// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/gantt.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/alloc.h"
#include "out/num.h"

/* ROOM_CHARS: as many small letters fit the width of the chart. */
enum { KEEP_A_PCPU = 400, KEEP_IN_ALL = 40000, ROOM_CHARS = 110 };

struct slice {
    int64_t from_ns, to_ns; /* INT64_MAX: still open when the buffer was full */
    uint32_t host, vm;      /* vm: GANTT_SWITCH, GANTT_HOST, or a VM */
    uint16_t pcpu, vcpu;
};

struct gantt {
    const struct scenario *sc;
    size_t *base;       /* [n_hosts + 1]: pCPU p of host h is number base[h] + p */
    struct slice *open; /* [base[n_hosts]]; vm UINT32_MAX: none */
    struct slice *kept;
    size_t n, cap, limit;
    bool full;
};

struct gantt *gantt_new(const struct scenario *sc)
{
    struct gantt *g = alloc_array(1, sizeof *g);
    g->sc = sc;
    g->base = alloc_array(sc->n_hosts + 1, sizeof *g->base);
    for (uint32_t h = 0; h < sc->n_hosts; h++)
        g->base[h + 1] = g->base[h] + sc->hosts[h].cores;
    size_t n = g->base[sc->n_hosts];
    g->open = alloc_array(n, sizeof *g->open);
    for (size_t i = 0; i < n; i++)
        g->open[i].vm = UINT32_MAX;
    g->limit = n * KEEP_A_PCPU < KEEP_IN_ALL ? n * KEEP_A_PCPU : KEEP_IN_ALL;
    return g;
}

void gantt_free(struct gantt *g)
{
    if (!g) return;
    free(g->base);
    free(g->open);
    free(g->kept);
    free(g);
}

static void keep(struct gantt *g, struct slice s)
{
    if (s.to_ns <= g->sc->run.warmup_ns || s.from_ns == s.to_ns) return;
    g->kept = alloc_grow(g->kept, g->n, &g->cap, sizeof *g->kept);
    g->kept[g->n++] = s;
}

static void fill(struct gantt *g)
{
    g->full = true;
    for (size_t i = 0; i < g->base[g->sc->n_hosts]; i++) {
        if (g->open[i].vm == UINT32_MAX) continue;
        g->open[i].to_ns = INT64_MAX;
        keep(g, g->open[i]);
    }
}

bool gantt_see(struct gantt *g, const struct rec *r)
{
    if (g->full) return false;
    if (r->pcpu == REC_NONE || (r->kind != REC_STATE && r->kind != REC_SWITCH && r->kind != REC_THREAD))
        return true;
    ASSERT(r->host < g->sc->n_hosts && r->pcpu < g->sc->hosts[r->host].cores);
    struct slice *open = &g->open[g->base[r->host] + r->pcpu];
    struct slice s = {
        r->t_ns - r->value, r->t_ns, r->host, r->kind == REC_THREAD ? GANTT_HOST : r->vm, r->pcpu, r->vcpu};
    if (r->kind == REC_SWITCH) {
        s.vm = GANTT_SWITCH;
        keep(g, s);
    } else if (r->from == VCPU_RUN) {
        /* The place of another that is on this pCPU by now is not touched. */
        if (open->vm == s.vm && open->vcpu == s.vcpu) open->vm = UINT32_MAX;
        keep(g, s);
    }
    if (r->kind != REC_SWITCH && r->to == VCPU_RUN) {
        s.from_ns = r->t_ns;
        *open = s;
    }
    if (g->n >= g->limit) fill(g);
    return !g->full;
}

/* When pCPU `pcpu` of `host` first goes from one vCPU to another: the start of the one before. INT64_MAX:
 * never. */
static int64_t first_change(const struct gantt *g, uint32_t host, uint32_t pcpu)
{
    const struct slice *last = NULL;
    for (size_t i = 0; i < g->n; i++) {
        const struct slice *s = &g->kept[i];
        if (s->host != host || s->pcpu != pcpu || s->vm == GANTT_SWITCH) continue;
        if (last && (last->vm != s->vm || last->vcpu != s->vcpu)) return last->from_ns;
        last = s;
    }
    return INT64_MAX;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The end: where a pCPU has had its GANTT_SLICES-th slice, or the last that is known of. */
static int64_t window_end(const struct gantt *g, const struct gantt_window *w)
{
    uint32_t had[GANTT_ROWS] = {0};
    int64_t last = w->from_ns;
    for (size_t i = 0; i < g->n; i++) {
        const struct slice *s = &g->kept[i];
        if (s->host != w->host || s->pcpu >= w->rows || s->to_ns == INT64_MAX || s->to_ns <= w->from_ns)
            continue;
        last = later(last, s->to_ns);
        if (s->vm != GANTT_SWITCH && ++had[s->pcpu] == GANTT_SLICES) return s->to_ns;
    }
    return last;
}

bool gantt_choose(const struct gantt *g, struct gantt_window *w)
{
    int64_t best = INT64_MAX, warmup = g->sc->run.warmup_ns;
    if (g->n == 0) return false;
    uint32_t host = g->kept[0].host;
    for (uint32_t h = 0; h < g->sc->n_hosts; h++) {
        uint32_t rows = g->sc->hosts[h].cores < GANTT_ROWS ? g->sc->hosts[h].cores : GANTT_ROWS;
        for (uint32_t p = 0; p < rows; p++) {
            int64_t at = first_change(g, h, p);
            if (at < best) {
                best = at;
                host = h;
            }
        }
    }
    w->host = host;
    w->rows = g->sc->hosts[host].cores < GANTT_ROWS ? g->sc->hosts[host].cores : GANTT_ROWS;
    w->from_ns = best == INT64_MAX ? warmup : later(best, warmup);
    w->shared = best != INT64_MAX;
    w->to_ns = window_end(g, w);
    return w->to_ns > w->from_ns;
}

/* The part of a slice that lies in the window; false: none does. */
static bool clip(const struct slice *s, const struct gantt_window *w, int64_t *start, int64_t *end)
{
    if (s->host != w->host || s->pcpu >= w->rows || s->to_ns <= w->from_ns || s->from_ns >= w->to_ns)
        return false;
    *start = later(s->from_ns, w->from_ns);
    *end = s->to_ns < w->to_ns ? s->to_ns : w->to_ns;
    return true;
}

double gantt_time(const struct gantt *g, const struct gantt_window *w, uint32_t vm)
{
    int64_t sum = 0, start, end;
    for (size_t i = 0; i < g->n; i++)
        if (g->kept[i].vm == vm && clip(&g->kept[i], w, &start, &end)) sum += end - start;
    return (double)sum / 1e9;
}

size_t gantt_count(const struct gantt *g, const struct gantt_window *w)
{
    size_t n = 0;
    int64_t start, end;
    for (size_t i = 0; i < g->n; i++)
        n += g->kept[i].vm != GANTT_SWITCH && clip(&g->kept[i], w, &start, &end);
    return n;
}

size_t gantt_write(FILE *f, const struct gantt *g, const struct gantt_window *w)
{
    char from[NUM_LEN], to[NUM_LEN], label[80];
    size_t labels = 0;
    int64_t start, end;
    fputs("pcpu\tstart\tend\tvm\tvcpu\tlabel\n", f);
    for (size_t i = 0; i < g->n; i++) {
        const struct slice *s = &g->kept[i];
        if (!clip(s, w, &start, &end)) continue;
        const struct sc_vm *vm = s->vm < g->sc->n_vms ? &g->sc->vms[s->vm] : NULL;
        const char *other = s->vm == GANTT_HOST ? "host OS" : "switch";
        int len = s->vm == GANTT_HOST ? snprintf(label, sizeof label, "host")
                  : !vm               ? 0
                  : vm->vcpus > 1     ? snprintf(label, sizeof label, "%s.%u", vm->name, s->vcpu)
                                      : snprintf(label, sizeof label, "%s", vm->name);
        bool room =
            len > 0 && (double)(end - start) * ROOM_CHARS >= (double)(w->to_ns - w->from_ns) * (len + 1);
        labels += room;
        fprintf(f, "%u\t%s\t%s\t%s\t%u\t%s\n", s->pcpu, num_seconds(from, start), num_seconds(to, end),
                vm ? vm->name : other, s->vcpu, room ? label : "");
    }
    return labels;
}
