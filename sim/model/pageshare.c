// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/pageshare.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/cpu.h"
#include "model/mem_reclaim.h"
#include "model/thread.h"

#define ZERO "zero"

/* One content that several pages may have. */
struct content {
    uint32_t refs;  /* pages mapped to the frame; 0: none, or else at least 2 */
    uint32_t frame; /* refs > 0 */
    uint32_t pages; /* refs > 0: all their numbers, by exclusive or; else one that was seen, or UINT32_MAX */
    uint32_t owner; /* the VM on whose account the frame is */
};

struct share_range { /* of a VM's pages */
    uint32_t first, n;
    uint32_t content; /* of its first page */
    bool zero;
};

struct share {
    struct content *contents;
    uint32_t n_contents;
    uint32_t vm, page; /* where the scanner is */
    uint32_t step;     /* pages */
    int64_t step_ns, began_ns;
};

/* --- contents --- */

static const struct share_range *range_of(const struct vmem *v, uint32_t page)
{
    const struct vreclaim *r = v->reclaim;
    for (uint32_t i = 0; i < r->n_ranges; i++)
        if (page - r->ranges[i].first < r->ranges[i].n) return &r->ranges[i];
    return NULL;
}

static uint32_t content_of(const struct share_range *g, uint32_t page)
{
    return g->zero ? g->content : g->content + page - g->first;
}

static bool is_own(const struct vmem *v, uint32_t page, uint32_t w)
{
    return w & PAGE_DIRTY || v->own[page / 64] >> page % 64 & 1;
}

/* The number of a page among all of the host's. */
static uint32_t number_of(const struct vmem *v, uint32_t page)
{
    return v->ids[page / MEM_BLOCK] * MEM_BLOCK + page % MEM_BLOCK;
}

/* The VM has a page mapped to this content's frame. */
static bool is_mapped(const struct vmem *v, const struct share *s, const struct content *c)
{
    uint32_t id = (uint32_t)(c - s->contents);
    for (uint32_t i = 0; v->blocks && i < v->reclaim->n_ranges; i++) {
        const struct share_range *g = &v->reclaim->ranges[i];
        if (g->zero ? g->content != id : id - g->content >= g->n) continue;
        if (g->zero) return v->reclaim->zeros > 0;
        const uint32_t *w = mem_word(v, g->first + id - g->content);
        return w && page_where(*w) == PAGE_SHARED;
    }
    return false;
}

/* --- mapping, and what becomes of the rest --- */

static void map(struct model *m, struct vmem *v, uint32_t page, uint32_t *word, struct content *c)
{
    if (v->touchers) mem_cut(m, v, page, true);
    reclaim_remove(v->mem->policy, v->pool, *word & PAGE_NUMBER);
    *word = page_at(PAGE_SHARED, c->frame) | (*word & PAGE_ACTIVE);
    c->pages ^= number_of(v, page);
    c->refs++;
    v->reclaim->zeros += range_of(v, page)->zero;
}

/* The only page left on a frame is an ordinary one again. */
static void last_one(struct mem *mem, struct content *c)
{
    const struct mem_block *b = &mem->blocks[c->pages / MEM_BLOCK];
    uint32_t at = c->pages % MEM_BLOCK, page = b->first + at;
    b->vm->reclaim->zeros -= range_of(b->vm, page)->zero;
    mem_settle_page(b->vm, page, &b->words[at], c->frame);
    c->refs = 0;
}

/* A page leaves its frame; its word is the caller's to change first. */
static void leave(struct model *m, struct vmem *v, uint32_t page)
{
    struct mem *mem = v->mem;
    struct share *s = mem->reclaim->share;
    const struct share_range *g = range_of(v, page);
    struct content *c = &s->contents[content_of(g, page)];
    c->refs--;
    c->pages ^= number_of(v, page);
    v->reclaim->zeros -= g->zero;
    struct vmem *pays = v;
    if (c->owner == v->index && !is_mapped(v, s, c)) {
        for (uint32_t i = 0; pays == v; i++)
            if (is_mapped(mem->vms[i], s, c)) pays = mem->vms[i];
        c->owner = pays->index;
    }
    mem_shift(m, pays, REC_L_MEM_SHARED, &pays->shared, -1);
    if (c->refs == 1) last_one(mem, c);
}

bool pageshare_break(struct model *m, struct vmem *v, struct touch *t, uint32_t *word)
{
    uint32_t page = t->refs[t->i] & ~PROG_TOUCH_WRITE;
    mem_count_fault(t, REC_N_MEM_SOFTFAULTS);
    uint32_t frame = mem_take_frame(m, v->mem, v);
    if (frame == RECLAIM_NONE) return false;
    mem_settle_page(v, page, word, frame);
    leave(m, v, page);
    mem_reclaim_host_frames(m, v->mem, 1);
    v->mem->reclaim->owed_ns += v->mem->host->sc->memory.break_ns;
    mem_serve(t, word);
    return true;
}

void pageshare_drop(struct model *m, struct vmem *v, uint32_t page, uint32_t *word)
{
    *word = 0;
    leave(m, v, page);
    v->resident--; /* the host has as many frames as before */
    book_shift(m, v->vm->book, REC_L_MEM_RESIDENT, -v->mem->page_bytes);
}

void pageshare_forget(struct vmem *v)
{
    struct share *s = v->mem->reclaim->share;
    for (uint32_t i = 0; s && v->blocks && i < v->reclaim->n_ranges; i++) {
        const struct share_range *g = &v->reclaim->ranges[i];
        for (uint32_t p = g->first; p < g->first + g->n && p < v->n_blocks * MEM_BLOCK; p++) {
            struct content *c = &s->contents[content_of(g, p)];
            if (v->blocks[p / MEM_BLOCK] && c->refs == 0 && c->pages == number_of(v, p))
                c->pages = UINT32_MAX;
        }
    }
}

/* --- the scanner --- */

static void look_at(struct model *m, struct mem *mem, struct vmem *v, uint32_t page, uint32_t *word)
{
    const struct share_range *g = range_of(v, page);
    if (!g || page_where(*word) != PAGE_RESIDENT || is_own(v, page, *word)) return;
    struct content *c = &mem->reclaim->share->contents[content_of(g, page)];
    uint32_t number = number_of(v, page), seen = c->pages;
    if (c->refs == 0) {
        const struct mem_block *b =
            seen == UINT32_MAX || seen == number ? NULL : &mem->blocks[seen / MEM_BLOCK];
        uint32_t at = seen % MEM_BLOCK;
        if (!b || page_where(b->words[at]) != PAGE_RESIDENT || is_own(b->vm, b->first + at, b->words[at])) {
            c->pages = number;
            return;
        }
        c->pages = 0;
        c->owner = b->vm->index;
        c->frame = b->words[at] & PAGE_NUMBER;
        map(m, b->vm, b->first + at, &b->words[at], c);
    }
    uint32_t frame = *word & PAGE_NUMBER;
    map(m, v, page, word, c);
    mem_free_frame(mem, frame);
    mem_reclaim_host_frames(m, mem, -1);
    mem_shift(m, v, REC_L_MEM_SHARED, &v->shared, 1);
}

/* The next page that is in memory, from where the scanner is; NULL: there is none. */
static uint32_t *next_page(struct mem *mem, struct vmem **vm, uint32_t *page)
{
    struct share *s = mem->reclaim->share;
    for (uint32_t round = 0; round <= mem->n_vms; round++) {
        struct vmem *v = mem->vms[s->vm];
        for (uint32_t p = s->page; v->blocks && p < v->n_blocks * MEM_BLOCK; p++) {
            if (!v->blocks[p / MEM_BLOCK]) {
                p |= MEM_BLOCK - 1;
                continue;
            }
            enum page_where where = page_where(mem_look(v, p));
            if (where != PAGE_RESIDENT && where != PAGE_SHARED) continue;
            s->page = p + 1;
            *vm = v;
            *page = p;
            return mem_word(v, p);
        }
        s->page = 0;
        s->vm = s->vm + 1 == mem->n_vms ? 0 : s->vm + 1;
    }
    return NULL;
}

void pageshare_on_scan(void *model, uint32_t host)
{
    struct model *m = model;
    struct mem *mem = m->hosts[host].mem;
    struct share *s = mem->reclaim->share;
    int64_t pages = 0;
    s->began_ns = sim_now(m->sim);
    for (uint32_t i = 0; i < mem->n_vms && pages < s->step; i++)
        pages += mem->vms[i]->resident;
    if (pages > s->step) pages = s->step;
    thread_give(m, mem->host, THREAD_SCAN, JOB_SCAN, pages * mem->host->sc->memory.share_cost_ns, host);
    cpu_settle(m, mem->host);
    book_settle(m);
}

void pageshare_scan(struct model *m, struct mem *mem)
{
    struct share *s = mem->reclaim->share;
    for (uint32_t i = 0; i < s->step; i++) {
        struct vmem *v;
        uint32_t page, *word = next_page(mem, &v, &page);
        if (!word) break;
        look_at(m, mem, v, page, word);
    }
    int64_t next = s->began_ns + s->step_ns, now = sim_now(m->sim);
    sim_at(m->sim, next > now ? next : now + 1, EVQ_NORMAL, mem->reclaim->ev_scan, mem->host->index);
}

/* --- life --- */

struct class
{
    const char *name;
    uint32_t n, first; /* pages of the VM that has most; its first content */
};

static uint32_t bound(const struct vmem *v, uint64_t ppm)
{
    return (uint32_t)((uint64_t)v->reclaim->size * ppm / 1000000);
}

static uint32_t class_of(struct class *all, uint32_t *n, const char *name)
{
    for (uint32_t i = 0; i < *n; i++)
        if (strcmp(all[i].name, name) == 0) return i;
    all[*n] = (struct class){.name = name};
    return (*n)++;
}

static void build_vm(struct vmem *v, struct class *all, uint32_t *n)
{
    const struct sc_vm *sc = v->vm->sc;
    struct vreclaim *r = v->reclaim;
    uint64_t ppm = 0;
    r->ranges = alloc_array(sc->n_content, sizeof *r->ranges);
    v->own = alloc_array((size_t)v->n_blocks * MEM_BLOCK / 64, sizeof *v->own);
    for (uint32_t i = 0; i < sc->n_content; i++) {
        struct share_range *g = &r->ranges[r->n_ranges++];
        uint32_t k = class_of(all, n, sc->content[i].name);
        g->zero = strcmp(sc->content[i].name, ZERO) == 0;
        g->first = bound(v, ppm);
        ppm += sc->content[i].ppm;
        g->n = bound(v, ppm) - g->first;
        g->content = k;
        if (all[k].n < (g->zero ? 1 : g->n)) all[k].n = g->zero ? 1 : g->n;
    }
}

struct share *pageshare_new(struct model *m, struct mem *mem)
{
    uint32_t most = 0, n = 0;
    for (uint32_t i = 0; i < mem->n_vms; i++)
        most += mem->vms[i]->vm->sc->n_content;
    if (most == 0) return NULL;
    struct share *s = alloc_array(1, sizeof *s);
    struct class *all = alloc_array(most, sizeof *all);
    for (uint32_t i = 0; i < mem->n_vms; i++)
        build_vm(mem->vms[i], all, &n);
    for (uint32_t k = 0; k < n; k++) {
        all[k].first = s->n_contents;
        s->n_contents += all[k].n;
    }
    s->contents = alloc_array(s->n_contents, sizeof *s->contents);
    for (uint32_t i = 0; i < s->n_contents; i++)
        s->contents[i].pages = UINT32_MAX;
    for (uint32_t i = 0; i < mem->n_vms; i++)
        for (uint32_t k = 0; k < mem->vms[i]->reclaim->n_ranges; k++) {
            struct share_range *g = &mem->vms[i]->reclaim->ranges[k];
            g->content = all[g->content].first;
        }
    free(all);
    int64_t page_ns = (int64_t)((__int128)mem->page_bytes * 8 * 1000000000 / mem->host->sc->memory.share_bps);
    if (page_ns == 0) page_ns = 1;
    s->step = mem_reclaim_step(page_ns);
    s->step_ns = s->step * page_ns;
    sim_at(m->sim, s->step_ns, EVQ_NORMAL, mem->reclaim->ev_scan, mem->host->index);
    return s;
}

void pageshare_free(struct mem *mem)
{
    if (!mem->reclaim->share) return;
    free(mem->reclaim->share->contents);
    free(mem->reclaim->share);
}

int pageshare_check(const struct mem *mem)
{
    const struct share *s = mem->reclaim ? mem->reclaim->share : NULL;
    int64_t saved = 0, shared = 0, mapped = 0;
    for (uint32_t i = 0; s && i < s->n_contents; i++) {
        const struct content *c = &s->contents[i];
        if (c->refs == 1) return -1;
        if (c->refs == 0) continue;
        saved += c->refs - 1;
        mapped += c->refs;
        if (!is_mapped(mem->vms[c->owner], s, c)) return -1;
    }
    for (uint32_t i = 0; i < mem->n_vms; i++) {
        const struct vmem *v = mem->vms[i];
        shared += v->shared;
        for (uint32_t b = 0; v->blocks && b < v->n_blocks; b++)
            for (uint32_t k = 0; v->blocks[b] && k < MEM_BLOCK; k++)
                mapped -= page_where(v->blocks[b][k]) == PAGE_SHARED;
    }
    return saved == shared && mapped == 0 ? 0 : -1;
}
