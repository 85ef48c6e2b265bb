// SPDX-License-Identifier: GPL-3.0-or-later
/* Conservation of pages and frames: what is counted against what the page tables say. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/mem_inner.h"
#include "model/mem_reclaim.h"
#include "model/pageshare.h"

struct counts {
    int64_t resident, shared, fetched, swapped, compressed, guest_swapped, active, behind;
};

static struct counts recount(const struct vmem *v, uint8_t *held, bool *twice)
{
    struct counts c = {0};
    for (uint32_t b = 0; v->blocks && b < v->n_blocks; b++) {
        for (uint32_t i = 0; v->blocks[b] && i < MEM_BLOCK; i++) {
            uint32_t w = v->blocks[b][i], n = w & PAGE_NUMBER;
            if (w == 0) continue;
            switch (page_where(w)) {
            case PAGE_RESIDENT:
                c.resident++;
                *twice |= held[n] != 0;
                held[n] = 1;
                break;
            case PAGE_SHARED:
                c.shared++;
                *twice |= held[n] == 1;
                held[n] = 2;
                break;
            case PAGE_FETCHED: c.fetched++; break;
            case PAGE_AWAY:
                c.swapped += page_away(w) == AWAY_SWAPPED;
                c.compressed += page_away(w) == AWAY_COMPRESSED;
                c.guest_swapped += page_away(w) == AWAY_GUEST_SWAPPED;
                c.behind += page_away(w) >= AWAY_STRANDED;
            }
            c.active += page_where(w) != PAGE_AWAY && (w & PAGE_ACTIVE);
        }
    }
    return c;
}

static bool agrees(const struct vmem *v, const struct counts *c)
{
    const struct vreclaim *r = v->reclaim;
    const int64_t *level = v->vm->book->level, page = v->mem->page_bytes;
    if (v->vm->mem != v) /* elsewhere */
        return v->resident == 0 && v->swapped == 0 && v->active == 0 && v->behind == 0 && v->shared == 0 &&
               v->ballooned == 0 && !(r && (r->compressed || r->guest_swapped)) && !v->blocks &&
               !v->touchers && !v->gone;
    return c->resident + c->shared + c->fetched == v->resident && c->swapped == v->swapped &&
           c->active == v->active && c->behind == v->behind &&
           v->resident * page == level[REC_L_MEM_RESIDENT] && v->swapped * page == level[REC_L_MEM_SWAPPED] &&
           v->shared * page == level[REC_L_MEM_SHARED] && v->ballooned * page == level[REC_L_MEM_BALLOONED] &&
           v->shared <= c->shared && c->compressed == (r ? r->compressed : 0) &&
           c->guest_swapped == (r ? r->guest_swapped : 0) &&
           (!r || v->ballooned == 0 ||
            v->resident + v->swapped + v->behind + r->compressed + v->ballooned <= r->size);
}

static int broken(char **why, const char *host, const char *what)
{
    size_t n = 160;
    *why = malloc(n);
    ASSERT(*why);
    snprintf(*why, n, "conservation: memory of host.%.60s: %s", host, what);
    return -1;
}

static int check_host(const struct mem *mem, char **why)
{
    const struct mem_reclaim *r = mem->reclaim;
    const char *host = mem->host->sc->name;
    uint8_t *held = calloc(mem->cap, 1);
    ASSERT(held);
    bool twice = false, agree = true;
    int64_t frames = mem->in_flight + (r ? r->pool_frames : 0), compressed = 0;
    int64_t resident = r ? r->pool_frames : 0;
    for (uint32_t i = 0; i < mem->n_vms; i++) {
        const struct vmem *v = mem->vms[i];
        struct counts c = recount(v, held, &twice);
        agree = agree && agrees(v, &c);
        compressed += c.compressed;
        resident += v->resident - v->shared;
    }
    for (uint32_t f = 0; f < mem->cap; f++)
        frames += held[f] != 0;
    free(held);
    if (twice) return broken(why, host, "two pages are in one frame");
    if (!agree) return broken(why, host, "counts of a VM are not what its page table says");
    if (frames != mem->used || mem->used > mem->frames)
        return broken(why, host, "frames in use are not those that hold something");
    if (resident * mem->page_bytes != mem->host->book->level[REC_L_MEM_RESIDENT])
        return broken(why, host, "what its VMs hold, less what sharing saves, is not what it holds");
    if (compressed != (r ? r->pool_pages : 0) || pageshare_check(mem) != 0)
        return broken(why, host, "compressed or shared pages are not those of its page tables");
    return 0;
}

int mem_check(const struct model *m, char **why)
{
    for (uint32_t i = 0; i < m->sc->n_hosts; i++)
        if (m->hosts[i].mem && check_host(m->hosts[i].mem, why) != 0) return -1;
    return 0;
}
