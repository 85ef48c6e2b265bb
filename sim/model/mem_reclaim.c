// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/mem_reclaim.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/balloon.h"
#include "model/compress.h"
#include "model/cpu.h"
#include "model/guest.h"
#include "model/pageshare.h"

/* --- from whom --- */

/* What a VM holds and uses, in pages or (sampled) millionths of pages. */
static struct fund_claim claim_of(const struct vmem *v, bool sampled)
{
    const struct vreclaim *r = v->reclaim;
    struct fund_claim c = {.shares = v->vm->sc->memory_weight, .pages = v->resident - v->shared};
    if (!mem_reclaim_may(v)) return (struct fund_claim){.shares = c.shares};
    c.active = v->active > r->was_active ? v->active : r->was_active;
    if (!sampled) return c;
    c.active = c.pages * r->used_ppm;
    c.pages *= 1000000;
    return c;
}

bool mem_reclaim_less(const struct vmem *a, const struct vmem *b)
{
    const struct sc_memory *sc = &a->mem->host->sc->memory;
    struct fund_claim of_a = claim_of(a, sc->sampled), of_b = claim_of(b, sc->sampled);
    return of_a.pages > 0 && fund_compare(&of_a, &of_b, sc->tax_ppm) < 0;
}

static uint32_t from(struct model *m, struct mem *mem, struct vmem *v, mem_giver *give)
{
    const struct sc_memory *sc = &mem->host->sc->memory;
    struct fund_claim *claims = mem->reclaim->claims;
    if (mem->n_vms == 1) return mem_reclaim_may(mem->vms[0]) ? give(m, mem, mem->vms[0]) : RECLAIM_NONE;
    if (v && sc->per_vm && mem_reclaim_may(v)) {
        uint32_t frame = give(m, mem, v);
        if (frame != RECLAIM_NONE) return frame;
    }
    for (uint32_t i = 0; i < mem->n_vms; i++)
        claims[i] = claim_of(mem->vms[i], sc->sampled);
    for (;;) {
        uint32_t least = fund_least(claims, mem->n_vms, sc->tax_ppm);
        if (least == FUND_NONE) return RECLAIM_NONE;
        uint32_t frame = give(m, mem, mem->vms[least]);
        if (frame != RECLAIM_NONE) return frame;
        claims[least].pages = 0;
    }
}

uint32_t mem_reclaim_from(struct model *m, struct mem *mem, struct vmem *v, mem_giver *give)
{
    if (v) v->reclaim->asks = 1;
    uint32_t frame = from(m, mem, v, give);
    if (v) v->reclaim->asks = 0;
    return frame;
}

static uint32_t swap_give(struct model *m, struct mem *mem, struct vmem *v)
{
    uint32_t frame = reclaim_victim(mem->policy, v->pool, &mem->rng);
    if (frame != RECLAIM_NONE) mem_swap_out(m, mem, frame);
    return frame;
}

static uint32_t swap_take(struct model *m, struct mem *mem, struct vmem *v)
{
    return mem_reclaim_from(m, mem, v, swap_give);
}

/* --- when --- */

static void new_state(struct model *m, struct mem *mem)
{
    struct mem_reclaim *r = mem->reclaim;
    enum memstate st = memstate_next(&r->marks, r->state, mem->frames - mem->used);
    if (st == r->state) return;
    r->state = st;
    if (rec_wants(m->out, REC_EVENT))
        *rec_next(m->out) = (struct rec){
            .t_ns = sim_now(m->sim),
            .value = (int64_t)st,
            .host = mem->host->index,
            .vm = UINT32_MAX,
            .vcpu = REC_NONE,
            .pcpu = REC_NONE,
            .kind = REC_EVENT,
            .cause = REC_EV_MEM_STATE,
        };
}

/* Compresses or swaps a page for the host itself. */
static bool evict(struct model *m, struct mem *mem)
{
    for (uint32_t i = 0; i < mem->n_takers; i++) {
        uint32_t frame = mem->takers[i] == balloon_take ? RECLAIM_NONE : mem->takers[i](m, mem, NULL);
        if (frame == RECLAIM_NONE) continue;
        mem_free_frame(mem, frame);
        return true;
    }
    return false;
}

void mem_reclaim_look(struct model *m, struct mem *mem)
{
    struct mem_reclaim *r = mem->reclaim;
    new_state(m, mem);
    for (;;) {
        bool forced =
            r->state >= MEMSTATE_HARD || (r->state == MEMSTATE_SOFT && !(r->balloons && balloon_can(mem)));
        if (!forced || !evict(m, mem)) break;
        new_state(m, mem);
    }
    if (!r->balloons) return;
    balloon_look(m, mem);
    new_state(m, mem);
}

bool mem_reclaim_hope(struct model *m, struct mem *mem)
{
    return mem->reclaim && mem->reclaim->balloons && balloon_will(m, mem);
}

void mem_reclaim_charge(struct mem *mem, struct touch *t)
{
    t->rest_more_ps += mem->reclaim->owed_ns * 1000;
    mem->reclaim->owed_ns = 0;
}

void mem_reclaim_own(struct vmem *v, uint32_t page)
{
    v->own[page / 64] |= UINT64_C(1) << page % 64;
}

void mem_reclaim_host_frames(struct model *m, struct mem *mem, int64_t by)
{
    book_shift(m, mem->host->book, REC_L_MEM_RESIDENT, by * mem->page_bytes);
}

static bool odd_fault(struct model *m, struct vmem *v, struct touch *t, uint32_t *word)
{
    if (page_where(*word) == PAGE_SHARED) return pageshare_break(m, v, t, word);
    if (page_away(*word) == AWAY_COMPRESSED) return compress_fault(m, v, t, word);
    ASSERT(page_away(*word) == AWAY_GUEST_SWAPPED);
    return balloon_fault(m, v, t, word);
}

/* --- what is in use --- */

/* Of 100 resident pages, how many were referred to in this period; in millionths. */
static void sample(struct vmem *v)
{
    struct vreclaim *r = v->reclaim;
    struct rng rng = rng_at(r->key, 3, r->periods);
    uint32_t pages = v->n_blocks * MEM_BLOCK, looked = 0, used = 0;
    uint32_t tries = v->blocks && v->resident > 0 ? 1000 * MEM_RECLAIM_SAMPLES : 0;
    while (tries-- > 0 && looked < MEM_RECLAIM_SAMPLES) {
        uint32_t w = mem_look(v, (uint32_t)((uint64_t)rng_u32(&rng) * pages >> 32));
        if (page_where(w) == PAGE_AWAY) continue;
        looked++;
        used += (w & PAGE_ACTIVE) != 0;
    }
    uint32_t now = looked ? (uint32_t)(UINT64_C(1000000) * used / looked) : 0;
    r->fast_ppm = r->periods ? (r->fast_ppm + now) / 2 : now;
    r->slow_ppm = r->periods ? (3 * r->slow_ppm + now) / 4 : now;
    r->used_ppm = now > r->fast_ppm ? now : r->fast_ppm;
    if (r->slow_ppm > r->used_ppm) r->used_ppm = r->slow_ppm;
    r->periods++;
}

static void tell_active(struct model *m, struct vmem *v, int64_t bytes)
{
    book_shift(m, v->mem->host->book, REC_L_MEM_ACTIVE, bytes - v->vm->book->level[REC_L_MEM_ACTIVE]);
    book_set(m, v->vm->book, REC_L_MEM_ACTIVE, bytes);
}

static void on_period(void *model, uint32_t host)
{
    struct model *m = model;
    struct mem *mem = m->hosts[host].mem;
    bool sampled = mem->host->sc->memory.sampled;
    mem_sync(m, mem->host);
    for (uint32_t i = 0; i < mem->n_vms; i++) {
        struct vmem *v = mem->vms[i];
        v->reclaim->was_active = v->active;
        if (sampled) sample(v);
        int64_t used =
            sampled ? (int64_t)((__int128)v->resident * v->reclaim->used_ppm / 1000000) : v->active;
        if (!v->vm->off && v->vm->mem == v) tell_active(m, v, used * mem->page_bytes);
        mem_active_begin(v);
    }
    sim_at(m->sim, sim_now(m->sim) + MEM_RECLAIM_PERIOD_NS, EVQ_NORMAL, mem->reclaim->ev_period, host);
    book_settle(m);
}

/* --- life --- */

static bool has_way(const struct sc_memory *sc, enum sc_reclaim way)
{
    for (uint32_t i = 0; i < sc->n_reclaim; i++)
        if (sc->reclaim[i] == way) return true;
    return false;
}

uint32_t mem_reclaim_pools(const struct mem *mem)
{
    const struct sc_memory *sc = &mem->host->sc->memory;
    if (sc->per_vm || (sc->n_reclaim > 0 && mem->n_vms > 1)) return mem->n_vms;
    /* With one pool clock goes by frames' bits alone, and a shared frame is in no pool. */
    return has_way(sc, SC_SHARE) ? 2 : 1;
}

static void build_vm(struct model *m, struct vmem *v)
{
    const struct sc_vm *sc = v->vm->sc;
    const struct sc_memory *host = &v->mem->host->sc->memory;
    struct vreclaim *r = alloc_array(1, sizeof *r);
    int64_t spans = (int64_t)v->n_blocks * MEM_BLOCK;
    r->size = sc->memory_bytes ? sc->memory_bytes / host->page_bytes : spans;
    r->reserved = (sc->memory_reservation_bytes + host->page_bytes - 1) / host->page_bytes;
    r->balloon_max = (int64_t)((__int128)r->size * host->balloon_max_ppm / 1000000);
    r->used_ppm = 1000000;
    r->key = rng_key(m->seed, rng_hash_name(sc->draws, strlen(sc->draws)), RNG_TIE);
    v->reclaim = r;
}

static void build(struct model *m, struct mem *mem, const uint32_t ev[3])
{
    const struct sc_memory *sc = &mem->host->sc->memory;
    struct mem_reclaim *r = alloc_array(1, sizeof *r);
    mem->reclaim = r;
    r->ev_period = ev[0];
    r->ev_scan = ev[1];
    r->ev_balloon = ev[2];
    r->claims = alloc_array(mem->n_vms, sizeof *r->claims);
    r->pool_head = RECLAIM_NONE;
    r->pool_max = mem->frames / 10;
    r->balloons = has_way(sc, SC_BALLOON);
    if (sc->balloon_bps)
        r->balloon_ns = (int64_t)((__int128)mem->page_bytes * 8 * 1000000000 / sc->balloon_bps);
    r->marks = memstate_marks(sc->free_target_bytes / mem->page_bytes);
    mem->watched = sc->free_target_bytes > 0;
    mem->odd_fault = odd_fault;
    for (uint32_t i = 0; i < mem->n_vms; i++)
        build_vm(m, mem->vms[i]);
    for (uint32_t i = 0; i < sc->n_reclaim; i++) {
        if (sc->reclaim[i] == SC_BALLOON && !(mem->watched && r->balloon_ns))
            mem->takers[mem->n_takers++] = balloon_take;
        if (sc->reclaim[i] == SC_COMPRESS) mem->takers[mem->n_takers++] = compress_take;
        if (sc->reclaim[i] == SC_SWAP && sc->swap != SC_NONE) mem->takers[mem->n_takers++] = swap_take;
    }
    if (mem->n_takers > 0 || r->balloons) mem->reserve = r->marks.pages[MEMSTATE_LOW];
    if (mem->reserve > mem->frames) mem->reserve = mem->frames;
    if (has_way(sc, SC_SHARE)) r->share = pageshare_new(m, mem);
    sim_at(m->sim, MEM_RECLAIM_PERIOD_NS, EVQ_NORMAL, r->ev_period, mem->host->index);
}

void mem_reclaim_init(struct model *m)
{
    uint32_t ev[3];
    bool registered = false;
    for (uint32_t i = 0; i < m->sc->n_hosts; i++) {
        struct mem *mem = m->hosts[i].mem;
        if (!mem || mem->host->sc->memory.n_reclaim == 0) continue;
        if (!registered) {
            ev[0] = sim_on(m->sim, "memory use", on_period, m);
            ev[1] = sim_on(m->sim, "page scan", pageshare_on_scan, m);
            ev[2] = sim_on(m->sim, "balloon", balloon_on_step, m);
        }
        registered = true;
        build(m, mem, ev);
    }
}

void mem_reclaim_done(struct mem *mem)
{
    for (uint32_t i = 0; i < mem->n_vms; i++) {
        if (mem->vms[i]->reclaim) free(mem->vms[i]->reclaim->ranges);
        free(mem->vms[i]->reclaim);
        free(mem->vms[i]->own);
    }
    if (!mem->reclaim) return;
    pageshare_free(mem);
    free(mem->reclaim->claims);
    free(mem->reclaim);
}

void mem_reclaim_release(struct model *m, struct vmem *v)
{
    for (uint32_t b = 0; v->blocks && b < v->n_blocks; b++)
        for (uint32_t i = 0; v->blocks[b] && i < MEM_BLOCK; i++) {
            uint32_t *word = &v->blocks[b][i];
            if (page_where(*word) == PAGE_SHARED)
                pageshare_drop(m, v, b * MEM_BLOCK + i, word);
            else if (page_where(*word) == PAGE_AWAY && page_away(*word) == AWAY_COMPRESSED)
                compress_drop(m, v);
        }
    pageshare_forget(v);
    v->reclaim->guest_swapped = v->reclaim->was_active = 0;
    mem_shift(m, v, REC_L_MEM_BALLOONED, &v->ballooned, -v->ballooned);
    tell_active(m, v, 0);
}

void mem_scan_job(struct model *m, uint64_t arg)
{
    struct mem *mem = m->hosts[arg].mem;
    mem_sync(m, mem->host);
    pageshare_scan(m, mem);
    mem_reclaim_look(m, mem);
    mem_feed(m, mem);
}
