// SPDX-License-Identifier: GPL-3.0-or-later
/* Frames: who has them, and whose page goes when there is none; as sim/model/mem_page.c and mem_reclaim.c. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "kvm/runner/pagepool_int.h"

static void *zeros(size_t n, size_t each)
{
    void *p = calloc(n ? n : 1, each);
    ASSERT(p);
    return p;
}

static bool takes(const struct pagepool *p)
{
    for (uint32_t i = 0; i < p->sc->n_reclaim; i++)
        if (p->sc->reclaim[i] == SC_SWAP) return p->sc->swap != SC_NONE;
    return false;
}

void pagepool_frames_make(struct pagepool *p)
{
    const char *host = p->run->pc->name;
    int64_t pages = 0;
    for (uint32_t i = 0; i < p->n_touch; i++)
        pages += p->vms[i].n_pages;
    p->frames = p->sc->bytes / p->page_bytes;
    p->cap = (uint32_t)(p->frames < pages ? p->frames : pages);
    p->free = zeros(p->cap, sizeof *p->free);
    p->owner_vm = zeros(p->cap, sizeof *p->owner_vm);
    p->owner_page = zeros(p->cap, sizeof *p->owner_page);
    p->stands = zeros(p->cap, 1);
    p->claims = zeros(p->n_touch, sizeof *p->claims);
    uint32_t sets = p->sc->per_vm || (p->sc->n_reclaim > 0 && p->n_touch > 1) ? p->n_touch : 1;
    for (uint32_t i = 0; i < p->n_touch; i++)
        p->vms[i].set = sets == p->n_touch ? i : 0;
    const struct reclaim_class *cls = reclaim_find(p->sc->replacement);
    ASSERT(cls);
    p->policy = reclaim_init(zeros(1, reclaim_size(cls, p->cap, sets)), cls, p->cap, sets);
    /* The stream that the simulator gives this host's policy. */
    p->rng = rng_at(rng_key(p->run->seed, rng_hash_name(host, strlen(host)), RNG_TIE), 1, 0);
    p->marks = memstate_marks(p->sc->free_target_bytes / p->page_bytes);
    if (takes(p)) p->reserve = p->marks.pages[MEMSTATE_LOW];
    if (p->reserve > p->frames) p->reserve = p->frames;
}

void pagepool_frames_done(struct pagepool *p)
{
    free(p->free);
    free(p->owner_vm);
    free(p->owner_page);
    free(p->stands);
    free(p->claims);
    free(p->policy);
}

/* --- taking a page --- */

/* The policy has cleared bits: those pages are parked, so that their next references are seen. */
static void park_cleared(struct pagepool *p)
{
    const uint8_t *bits = p->policy->referenced;
    for (uint32_t f = 0; bits && f < p->fresh; f++) {
        uint64_t s, b;
        if (p->fresh - f >= 8 && f % 8 == 0) { /* eight at a time: most have nothing to park */
            memcpy(&s, p->stands + f, 8);
            memcpy(&b, bits + f, 8);
            if (!(s & ~b)) {
                f += 7;
                continue;
            }
        }
        if (!p->stands[f] || bits[f]) continue;
        struct pagepool_vm *v = &p->vms[p->owner_vm[f]];
        uint8_t *st = &v->state[p->owner_page[f]];
        p->stands[f] = 0;
        *st = (uint8_t)((*st & ~PAGEPOOL_WHERE) | PAGEPOOL_PARKED);
        pagepool_command(v, PAGES_PARK, p->owner_page[f], 0);
    }
}

/* The page of a frame that is in no set goes to the store. */
static void swap_out(struct pagepool *p, uint32_t f)
{
    struct pagepool_vm *v = &p->vms[p->owner_vm[f]];
    uint32_t page = p->owner_page[f];
    uint8_t st = v->state[page];
    bool clean = (st & (PAGEPOOL_DIRTY | PAGEPOOL_COPY)) == PAGEPOOL_COPY;
    uint32_t parked = (st & PAGEPOOL_WHERE) == PAGEPOOL_PARKED ? PAGES_PARKED : 0;
    p->stands[f] = 0;
    v->state[page] = PAGEPOOL_OUT | PAGEPOOL_COPY;
    v->resident--;
    v->swapped++;
    pagepool_lost(v, page);
    int64_t from = host_now(), due = clean ? from : pagepool_disk_due(p, from);
    pagepool_command(v, clean ? PAGES_DROP : PAGES_SAVE, page, parked);
    if (!clean) pagepool_disk_io(p, from, due);
}

static uint32_t give(struct pagepool *p, struct pagepool_vm *v)
{
    uint32_t f = reclaim_victim(p->policy, v->set, &p->rng);
    if (f == RECLAIM_NONE) return f;
    swap_out(p, f);
    park_cleared(p);
    return f;
}

/* It holds more than is reserved for it, with what it asks for. */
static bool may(const struct pagepool_vm *v)
{
    return v->resident + v->asks > v->reserved;
}

static uint32_t from_whom(struct pagepool *p, struct pagepool_vm *v)
{
    if (p->n_touch == 1) return may(&p->vms[0]) ? give(p, &p->vms[0]) : RECLAIM_NONE;
    if (v && p->sc->per_vm && may(v)) {
        uint32_t f = give(p, v);
        if (f != RECLAIM_NONE) return f;
    }
    for (uint32_t i = 0; i < p->n_touch; i++) {
        const struct pagepool_vm *w = &p->vms[i];
        int64_t pages = may(w) ? w->resident : 0;
        p->claims[i] = (struct fund_claim){.shares = w->sc->memory_weight, .pages = pages, .active = pages};
    }
    for (;;) {
        uint32_t least = fund_least(p->claims, p->n_touch, p->sc->tax_ppm);
        if (least == FUND_NONE) return RECLAIM_NONE;
        uint32_t f = give(p, &p->vms[least]);
        if (f != RECLAIM_NONE) return f;
        p->claims[least].pages = 0;
    }
}

static uint32_t take_from(struct pagepool *p, struct pagepool_vm *v)
{
    if (!takes(p)) return RECLAIM_NONE;
    if (v) v->asks = true;
    uint32_t f = from_whom(p, v);
    if (v) v->asks = false;
    return f;
}

/* --- frames --- */

static uint32_t unused(struct pagepool *p)
{
    uint32_t f = p->n_free > 0 ? p->free[--p->n_free] : p->fresh++;
    ASSERT(f < p->cap);
    p->used++;
    return f;
}

uint32_t pagepool_take_frame(struct pagepool *p, struct pagepool_vm *v)
{
    if (p->used < p->frames - p->reserve) {
        uint32_t f = unused(p);
        pagepool_look(p);
        return f;
    }
    uint32_t f = take_from(p, v);
    if (f != RECLAIM_NONE) return f;
    return p->used < p->frames ? unused(p) : RECLAIM_NONE; /* the reserve is the last to go */
}

void pagepool_free_frame(struct pagepool *p, uint32_t frame)
{
    p->stands[frame] = 0;
    p->free[p->n_free++] = frame;
    p->used--;
}

void pagepool_settle(struct pagepool_vm *v, uint32_t page, uint32_t frame, uint8_t flags)
{
    struct pagepool *p = v->pool;
    v->frame[page] = frame;
    v->state[page] = PAGEPOOL_IN | flags;
    p->owner_vm[frame] = (uint32_t)(v - p->vms);
    p->owner_page[frame] = page;
    p->stands[frame] = 1;
    reclaim_insert(p->policy, v->set, frame);
    reclaim_touch(p->policy, v->set, frame);
}

void pagepool_release(struct pagepool_vm *v)
{
    struct pagepool *p = v->pool;
    for (uint32_t i = 0; i < v->n_fetches; i++) {
        pagepool_free_frame(p, v->fetches[i].frame);
        p->in_flight--;
    }
    v->n_fetches = 0;
    for (uint32_t page = 0; v->state && page < v->n_pages; page++) {
        uint32_t where = v->state[page] & PAGEPOOL_WHERE;
        if (where == PAGEPOOL_IN || where == PAGEPOOL_PARKED) {
            reclaim_remove(p->policy, v->set, v->frame[page]);
            pagepool_free_frame(p, v->frame[page]);
        }
        v->state[page] = PAGEPOOL_UNTOUCHED;
    }
    v->resident = v->swapped = 0;
    pagepool_look(p);
}

/* --- states of the host --- */

static void new_state(struct pagepool *p)
{
    enum memstate st = memstate_next(&p->marks, p->state, p->frames - p->used);
    if (st == p->state) return;
    p->state = st;
    pagepool_tell_event(p, NULL, REC_EV_MEM_STATE, pagepool_time(p), (int64_t)st);
}

void pagepool_look(struct pagepool *p)
{
    if (p->sc->free_target_bytes == 0 || p->sc->n_reclaim == 0 || !p->policy) return;
    new_state(p);
    while (p->state >= MEMSTATE_SOFT) {
        uint32_t f = take_from(p, NULL);
        if (f == RECLAIM_NONE) break;
        pagepool_free_frame(p, f);
        new_state(p);
    }
}
