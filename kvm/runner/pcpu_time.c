// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/pcpu_time.h"

#include <stdlib.h>

#include "base/assert.h"

#define SWITCH_MAX_NS 200000

struct span {
    int64_t from, to;
    uint32_t vcpu;
};

static int by_from(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

/* The spans in which the pCPU's vCPUs were in that state, sorted. */
static struct span *spans(const struct run *r, const uint32_t *pcpu, uint32_t p, enum vcpu_state st,
                          size_t *n)
{
    size_t most = 0, k = 0;
    for (uint32_t i = 0; i < r->n_vcpus; i++)
        most += pcpu[i] == p ? r->vcpus[i].recs.n : 0;
    struct span *s = malloc((most + 1) * sizeof *s);
    ASSERT(s);
    for (uint32_t i = 0; i < r->n_vcpus; i++)
        for (size_t j = 0; pcpu[i] == p && j < r->vcpus[i].recs.n; j++) {
            const struct rec *x = &r->vcpus[i].recs.v[j];
            if (x->kind == REC_STATE && x->from == st && x->value > 0)
                s[k++] = (struct span){x->t_ns - x->value, x->t_ns, i};
        }
    qsort(s, k, sizeof *s, by_from);
    *n = k;
    return s;
}

static void add(struct run *r, uint32_t p, enum rec_kind kind, int64_t from, int64_t to, uint32_t vcpu)
{
    if (to <= from) return;
    struct rec x = {.t_ns = to,
                    .value = to - from,
                    .host = 0,
                    .vm = vcpu == UINT32_MAX ? UINT32_MAX : r->vcpus[vcpu].vm,
                    .vcpu = vcpu == UINT32_MAX ? REC_NONE : (uint16_t)r->vcpus[vcpu].index,
                    .pcpu = (uint16_t)p,
                    .kind = (uint8_t)kind};
    recs_add(&r->recs, x);
}

/* The stretch [from, to) in which no vCPU ran, before `next` did (UINT32_MAX: the end of the run): idle where
 * nobody was ready. The ready spans are walked along with the stretches. */
static void add_stretch(struct run *r, uint32_t p, int64_t from, int64_t to, uint32_t next,
                        const struct span *ready, size_t n, size_t *at)
{
    int64_t t = from;
    while (*at < n && ready[*at].to <= from)
        (*at)++;
    for (size_t i = *at; i < n && ready[i].from < to; i++) {
        add(r, p, REC_IDLE, t, ready[i].from, UINT32_MAX);
        if (next != UINT32_MAX && ready[i].vcpu == next && ready[i].to == to) {
            int64_t begin = ready[i].from > from ? ready[i].from : from;
            if (to - begin <= SWITCH_MAX_NS) add(r, p, REC_SWITCH, begin, to, next);
        }
        if (ready[i].to > t) t = ready[i].to;
    }
    add(r, p, REC_IDLE, t, to, UINT32_MAX);
}

void pcpu_time_add(struct run *r, const uint32_t *pcpu)
{
    for (uint32_t p = 0; p < r->pc->cores; p++) {
        size_t n_run, n_ready, at = 0;
        struct span *run = spans(r, pcpu, p, VCPU_RUN, &n_run),
                    *ready = spans(r, pcpu, p, VCPU_READY, &n_ready);
        int64_t t = 0;
        for (size_t i = 0; i < n_run; i++) {
            if (run[i].from > t) add_stretch(r, p, t, run[i].from, run[i].vcpu, ready, n_ready, &at);
            if (run[i].to > t) t = run[i].to;
        }
        add_stretch(r, p, t, r->end_ns, UINT32_MAX, ready, n_ready, &at);
        free(run);
        free(ready);
    }
}
