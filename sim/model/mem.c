// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory is built from the scenario, and torn down; a VM ends. */
#include "model/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/guest.h"
#include "model/mem_inner.h"
#include "model/mem_reclaim.h"
#include "model/migrate.h"

/* Pages of the VM's largest working set; 0: it does not touch. */
static int64_t pages_of(const struct vm *vm)
{
    const struct step *s = prog_steps(vm->prog);
    int64_t pages = 0;
    for (uint32_t i = 0; i < vm->prog->n_steps; i++)
        if (s[i].kind == STEP_TOUCH && s[i].span > pages) pages = s[i].span;
    return pages;
}

/* Levels of page tables: 4 KiB pages 4, each level less for 9 bits more. */
static uint32_t levels(int64_t page_bytes)
{
    return page_bytes >= (INT64_C(1) << 30) ? 2 : page_bytes >= (INT64_C(1) << 21) ? 3 : 4;
}

static void build_vm(struct mem *mem, struct vm *vm, int64_t pages)
{
    const struct sc_memory *sc = &mem->host->sc->memory;
    struct vmem *v = alloc_array(1, sizeof *v);
    uint32_t g = levels(sc->page_bytes);
    *v = (struct vmem){
        .vm = vm,
        .mem = mem,
        .index = mem->n_vms,
        .n_blocks = (uint32_t)((pages + MEM_BLOCK - 1) / MEM_BLOCK),
        .nested = vm->sc->mode == SC_HARDWARE && mem->host->sc->nested_paging,
        .walk_refs = g,
        .walk_ps = sc->tlb_walk_ns * 1000 / 4 * g,
    };
    if (v->nested) {
        v->walk_refs = (g + 1) * (g + 1) - 1;
        int64_t all = (int64_t)((__int128)v->walk_ps * sc->tlb_nested_milli / 1000);
        if (all < v->walk_ps) v->walk_ps = all;
        v->more_ps = all - v->walk_ps;
    }
    if (vm->host == mem->host) vm->mem = v;
    mem->vms[mem->n_vms++] = v;
}

static void build_host(struct model *m, struct mhost *h)
{
    const struct sc_memory *sc = &h->sc->memory;
    struct mem *mem = NULL;
    int64_t pages = 0;
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        struct vm *vm = &m->vms[i];
        bool here = vm->host == h || m->sc->moves; /* or it may be */
        int64_t n = vm->sc && here ? pages_of(vm) : 0;
        if (n == 0) continue;
        if (!mem) {
            mem = alloc_array(1, sizeof *mem);
            mem->host = h;
            mem->vms = alloc_array(m->sc->n_vms, sizeof(struct vmem *));
        }
        pages += n;
        build_vm(mem, vm, n);
    }
    if (!mem) return;
    h->mem = mem;
    mem->page_bytes = sc->page_bytes;
    mem->frames = sc->bytes ? sc->bytes / sc->page_bytes : pages;
    int64_t cap = mem->frames < pages ? mem->frames : pages;
    ASSERT(cap <= MEM_MAX_FRAMES);
    mem->cap = cap > 0 ? (uint32_t)cap : 1;
    mem->reverse = alloc_array(mem->cap, sizeof *mem->reverse);
    mem->free_head = mem->free_xfer = RECLAIM_NONE;
    mem->free_block = UINT32_MAX;
    mem->live = alloc_array(h->n_pcpus + 1, sizeof *mem->live);
    mem->ref_ps = sc->ref_ps;
    mem->tlb = sc->tlb_entries > 0;
    mem->pager = disk_page;
    mem->asker = migrate_fetch;
    const struct reclaim_class *cls = reclaim_find(sc->replacement);
    ASSERT(cls); /* the reader has checked the name */
    uint32_t n_pools = mem_reclaim_pools(mem);
    mem->per_vm = n_pools >= mem->n_vms;
    for (uint32_t i = 0; i < mem->n_vms; i++)
        mem->vms[i]->pool = mem->per_vm ? i : 0;
    size_t size = reclaim_size(cls, mem->cap, n_pools);
    mem->policy = reclaim_init(alloc_array(1, size), cls, mem->cap, n_pools);
    mem->rng = rng_at(rng_key(m->seed, rng_hash_name(h->sc->name, strlen(h->sc->name)), RNG_TIE), 1, 0);
    for (uint32_t p = 0; p < h->n_pcpus; p++)
        m->pcpus[h->first_pcpu + p].prio = EVQ_LATE;
    if (h->book) return;
    h->book = alloc_array(1, sizeof *h->book);
    mem->owns_book = true;
    book_open(m, h->book, h->index, UINT32_MAX, false);
}

void mem_init(struct model *m)
{
    for (uint32_t i = 0; i < m->sc->n_hosts; i++)
        build_host(m, &m->hosts[i]);
    mem_reclaim_init(m);
}

void mem_free_blocks(struct vmem *v)
{
    for (uint32_t b = 0; v->blocks && b < v->n_blocks; b++)
        if (v->blocks[b]) {
            v->mem->blocks[v->ids[b]] = (struct mem_block){.first = v->mem->free_block};
            v->mem->free_block = v->ids[b];
            free(v->blocks[b]);
        }
    free(v->blocks);
    free(v->ids);
    v->blocks = NULL;
    v->ids = NULL;
}

/* Frees what a task had in its touch step. */
static void forget(struct task *k)
{
    if (!k->touch) return;
    free(k->touch->tlb);
    free(k->touch);
    k->touch = NULL;
}

void mem_done(struct model *m)
{
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        for (uint32_t t = 0; t < m->vms[i].n_tasks; t++)
            forget(&m->vms[i].tasks[t]);
    for (uint32_t i = 0; i < m->sc->n_hosts; i++) {
        struct mem *mem = m->hosts[i].mem;
        if (!mem) continue;
        mem_reclaim_done(mem);
        for (uint32_t v = 0; v < mem->n_vms; v++) {
            mem_free_blocks(mem->vms[v]);
            mem->vms[v]->vm->mem = NULL;
            free(mem->vms[v]->gone);
            free(mem->vms[v]);
        }
        if (mem->owns_book) free(m->hosts[i].book);
        free(mem->policy);
        free(mem->reverse);
        free(mem->blocks);
        free(mem->vms);
        free(mem->xfers);
        free(mem->live);
        free(mem);
        m->hosts[i].mem = NULL;
    }
}

/* --- a VM ends --- */

/* What it did up to now counts; then its tasks are nowhere. */
static void drop_tasks(struct model *m, struct vmem *v)
{
    for (struct touch *t; (t = v->touchers) != NULL;) {
        int64_t ran = guest_ran_ns(m, v->vm, t->task);
        uint32_t upto = t->i;
        while (upto < t->end && t->at_ps[upto] / 1000 < ran)
            upto++;
        mem_book(t, upto);
        mem_unlist(t);
    }
    struct mem *mem = v->mem;
    struct touch *t = mem->starved_first;
    mem->starved_first = mem->starved_last = NULL;
    while (t) {
        struct touch *next = t->next_waiter;
        if (t->vm != v->vm) mem_starve(mem, t);
        t = next;
    }
    for (uint32_t i = 0; i < mem->n_xfers; i++)
        if (mem->xfers[i].vm == v) mem_drop_xfer(mem, i);
    for (uint32_t i = 0; i < v->vm->n_tasks; i++)
        forget(&v->vm->tasks[i]);
}

void mem_release(struct model *m, struct vm *vm)
{
    struct vmem *v = vm->mem;
    struct mem *mem = v->mem;
    mem_sync(m, vm->host);
    drop_tasks(m, v);
    if (mem->reclaim) mem_reclaim_release(m, v);
    for (uint32_t b = 0; v->blocks && b < v->n_blocks; b++) {
        const uint32_t *words = v->blocks[b];
        for (uint32_t i = 0; words && i < MEM_BLOCK; i++) {
            if (page_where(words[i]) != PAGE_RESIDENT) continue;
            uint32_t frame = words[i] & PAGE_NUMBER;
            reclaim_remove(mem->policy, v->pool, frame);
            mem_free_frame(mem, frame);
        }
    }
    mem_free_blocks(v);
    mem_shift(m, v, REC_L_MEM_RESIDENT, &v->resident, -v->resident);
    mem_shift(m, v, REC_L_MEM_SWAPPED, &v->swapped, -v->swapped);
    v->active = v->behind = 0;
    mem->oom = false;
    if (mem->reclaim) mem_reclaim_look(m, mem);
    mem_feed(m, mem);
}
