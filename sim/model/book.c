// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/book.h"

#include <stdlib.h>

#include "model/inner.h"
#include "model/mem.h"

/* Before anything else of its instant: what is counted then belongs to what comes after. */
#define FIRST 7

static int64_t next_boundary(const struct model *m, int64_t now)
{
    int64_t step = m->sc->run.sample_ns, warm = m->sc->run.warmup_ns;
    int64_t sample = now > INT64_MAX - step ? INT64_MAX : (now / step + 1) * step;
    return warm > now && warm < sample ? warm : sample;
}

static void tell(struct model *m, const struct book *b, enum rec_kind kind, int cause, int64_t t_ns,
                 int64_t value)
{
    *rec_next(m->out) = (struct rec){
        .t_ns = t_ns,
        .value = value,
        .host = b->host,
        .vm = b->vm,
        .vcpu = REC_NONE,
        .pcpu = b->dev ? REC_DEV : REC_NONE,
        .kind = (uint8_t)kind,
        .cause = (uint8_t)cause,
    };
}

static void tell_counts(struct model *m, int64_t t_ns)
{
    mem_sync_all(m);
    for (size_t i = 0; i < m->books.n; i++) {
        struct book *b = m->books.all[i];
        for (int c = 0; c < REC_NCOUNTS; c++) {
            if (b->count[c] == b->told[c]) continue;
            tell(m, b, REC_COUNT, c, t_ns, b->count[c] - b->told[c]);
            b->told[c] = b->count[c];
        }
    }
}

static void on_boundary(void *model, uint32_t arg)
{
    struct model *m = model;
    (void)arg;
    tell_counts(m, sim_now(m->sim) - 1);
    int64_t next = next_boundary(m, sim_now(m->sim));
    if (next < m->sc->run.duration_ns) sim_at(m->sim, next, FIRST, m->books.ev_boundary, 0);
}

void book_init(struct model *m)
{
    m->books.ev_boundary = sim_on(m->sim, "boundary", on_boundary, m);
}

void book_done(struct model *m)
{
    free(m->books.all);
    free(m->books.unsettled);
}

void book_open(struct model *m, struct book *b, uint32_t host, uint32_t vm, bool dev)
{
    struct books *s = &m->books;
    if (s->n == 0) {
        int64_t first = next_boundary(m, 0);
        if (first < m->sc->run.duration_ns) sim_at(m->sim, first, FIRST, s->ev_boundary, 0);
    }
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 16;
        s->all = realloc(s->all, s->cap * sizeof *s->all);
        s->unsettled = realloc(s->unsettled, s->cap * sizeof *s->unsettled);
        ASSERT(s->all && s->unsettled);
    }
    *b = (struct book){.host = host, .vm = vm, .dev = dev};
    s->all[s->n++] = b;
}

void book_unsettle(struct model *m, struct book *b)
{
    m->books.unsettled[m->books.n_unsettled++] = b;
}

void book_settle(struct model *m)
{
    struct books *s = &m->books;
    for (size_t i = 0; i < s->n_unsettled; i++) {
        struct book *b = s->unsettled[i];
        for (; b->changed; b->changed &= b->changed - 1) {
            int l = __builtin_ctz(b->changed);
            if (b->level[l] == b->said[l]) continue;
            tell(m, b, REC_LEVEL, l, sim_now(m->sim), b->level[l]);
            b->said[l] = b->level[l];
        }
    }
    s->n_unsettled = 0;
}

void book_close(struct model *m)
{
    book_settle(m);
    if (sim_now(m->sim) > 0) tell_counts(m, sim_now(m->sim) - 1);
}
