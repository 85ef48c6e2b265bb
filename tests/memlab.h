// SPDX-License-Identifier: GPL-3.0-or-later
/* memlab.h - for tests of memory: a model whose pages go to a device of the test's own, one server with a
 * constant service time, so that what a test sees is memory's doing; and the counts inside, at any time of a
 * run. */
#ifndef VLAB_TESTS_MEMLAB_H
#define VLAB_TESTS_MEMLAB_H

#include <check.h>
#include <stdlib.h>

#include "model/cpu.h"
#include "model/mem_inner.h"
#include "tests/lab.h"

#define MEMLAB_QUEUE 4096u

struct memlab {
    struct model *m;
    struct rec_block out;
    int64_t service_ns, free_at;
    uint64_t args[MEMLAB_QUEUE];
    uint32_t head, tail, ev;
    uint64_t reads, writes;
};

static struct memlab *memlab_now; /* the pager has no context of its own */

static void memlab_done(void *ctx, uint32_t arg)
{
    struct memlab *l = ctx;
    (void)arg;
    mem_io_done(l->m, l->args[l->head++ % MEMLAB_QUEUE]);
    for (uint32_t h = 0; h < l->m->sc->n_hosts; h++)
        if (l->m->hosts[h].sched) cpu_settle(l->m, &l->m->hosts[h]);
    book_settle(l->m);
}

static void memlab_page(struct model *m, uint32_t disk, struct vm *vm, bool write, int64_t bytes,
                        uint64_t arg)
{
    struct memlab *l = memlab_now;
    (void)disk, (void)vm, (void)bytes;
    ck_assert(l->tail - l->head < MEMLAB_QUEUE);
    l->args[l->tail++ % MEMLAB_QUEUE] = arg;
    write ? l->writes++ : l->reads++;
    if (l->free_at < sim_now(m->sim)) l->free_at = sim_now(m->sim);
    l->free_at += l->service_ns;
    sim_at(m->sim, l->free_at, EVQ_EARLY, l->ev, 0);
}

/* Readers of the records are added to out after this and before the first run. */
static inline struct memlab *memlab_new(const struct lab *lab, uint64_t seed, int64_t service_ns)
{
    struct memlab *l = calloc(1, sizeof *l);
    rec_block_init(&l->out);
    l->m = model_new(lab_scenario(lab), seed, MODEL_ALL, &l->out);
    l->ev = sim_on(l->m->sim, "memlab", memlab_done, l);
    l->service_ns = service_ns;
    for (uint32_t h = 0; h < l->m->sc->n_hosts; h++)
        if (l->m->hosts[h].mem) l->m->hosts[h].mem->pager = memlab_page;
    return l;
}

static inline void memlab_to(struct memlab *l, int64_t t_ns)
{
    memlab_now = l;
    ck_assert_int_ne(sim_run(l->m->sim, t_ns), SIM_STALLED);
    mem_sync_all(l->m);
}

static inline int64_t memlab_count(const struct memlab *l, uint32_t vm, enum rec_count what)
{
    return l->m->vms[vm].book->count[what];
}

static inline void memlab_free(struct memlab *l)
{
    model_free(l->m);
    free(l);
}

#endif
