// SPDX-License-Identifier: GPL-3.0-or-later
/* What the pool tells as records: levels when they change, counts every few ms. */
#include <stdlib.h>

#include "base/assert.h"
#include "kvm/runner/pagepool_int.h"

#define ACTIVE_NS INT64_C(30000000000) /* the simulator looks so often what is in use */

void pagepool_grow(void **v, size_t n, size_t *cap, size_t each)
{
    if (n < *cap) return;
    *cap = *cap ? 2 * *cap : 64;
    *v = realloc(*v, *cap * each);
    ASSERT(*v);
}

int64_t pagepool_time(const struct pagepool *p)
{
    int64_t zero = __atomic_load_n(&p->zero_abs_ns, __ATOMIC_ACQUIRE), t = host_now() - zero;
    return zero == 0 || t < 0 ? 0 : t < p->run->end_ns ? t : p->run->end_ns;
}

bool pagepool_counts(const struct pagepool *p)
{
    return __atomic_load_n(&p->zero_abs_ns, __ATOMIC_ACQUIRE) != 0 && pagepool_time(p) < p->run->end_ns;
}

static struct rec of_vm(const struct pagepool *p, const struct pagepool_vm *v, int64_t t)
{
    return (struct rec){.t_ns = t,
                        .host = v ? v->sc->host : p->run->vms[p->vms[0].index].sc->host,
                        .vm = v ? v->index : UINT32_MAX,
                        .vcpu = REC_NONE,
                        .pcpu = REC_NONE};
}

static void level(struct pagepool *p, const struct pagepool_vm *v, enum rec_level what, int64_t t,
                  int64_t pages, int64_t *said)
{
    if (pages == *said) return;
    struct rec x = of_vm(p, v, t);
    *said = pages;
    x.kind = REC_LEVEL;
    x.cause = (uint8_t)what;
    x.value = pages * p->page_bytes;
    recs_add(&p->recs, x);
}

/* All at one instant: what the host holds is what its VMs hold. */
void pagepool_tell_levels(struct pagepool *p, bool last)
{
    int64_t resident = 0, swapped = 0, t = last ? p->run->end_ns - 1 : pagepool_time(p);
    if (!last && (!pagepool_counts(p) || t >= p->run->end_ns)) return;
    for (uint32_t i = 0; i < p->n_vms; i++) {
        struct pagepool_vm *v = &p->vms[i];
        resident += v->resident;
        swapped += v->swapped;
        level(p, v, REC_L_MEM_RESIDENT, t, v->resident, &v->said_resident);
        level(p, v, REC_L_MEM_SWAPPED, t, v->swapped, &v->said_swapped);
    }
    level(p, NULL, REC_L_MEM_RESIDENT, t, resident, &p->said_resident);
    level(p, NULL, REC_L_MEM_SWAPPED, t, swapped, &p->said_swapped);
}

void pagepool_tell_active(struct pagepool *p)
{
    int64_t sum = 0, t = p->active_ns + ACTIVE_NS;
    if (p->sc->n_reclaim == 0 || !pagepool_counts(p) || pagepool_time(p) < t) return;
    p->active_ns = t;
    for (uint32_t i = 0; i < p->n_touch; i++) {
        struct pagepool_vm *v = &p->vms[i];
        sum += v->resident;
        level(p, v, REC_L_MEM_ACTIVE, t, v->resident, &v->said_active);
    }
    level(p, NULL, REC_L_MEM_ACTIVE, t, sum, &p->said_active);
}

/* A count is of what was before it: it carries the last ns before. */
static void tell(struct pagepool *p, struct rec x, const int64_t *count, int64_t *told)
{
    x.kind = REC_COUNT;
    if (x.t_ns > 0) x.t_ns--;
    for (int k = 0; k < REC_NCOUNTS; k++) {
        if (count[k] == told[k]) continue;
        x.cause = (uint8_t)k;
        x.value = count[k] - told[k];
        told[k] = count[k];
        recs_add(&p->recs, x);
    }
}

void pagepool_tell_counts(struct pagepool *p)
{
    int64_t t = pagepool_time(p);
    for (uint32_t i = 0; i < p->n_vms; i++)
        tell(p, of_vm(p, &p->vms[i], t), p->vms[i].count, p->vms[i].told);
}

void pagepool_tell_event(struct pagepool *p, const struct pagepool_vm *v, enum rec_event ev, int64_t t,
                         int64_t value)
{
    if (__atomic_load_n(&p->zero_abs_ns, __ATOMIC_ACQUIRE) == 0 || t >= p->run->end_ns) return;
    struct rec x = of_vm(p, v, t);
    x.kind = REC_EVENT;
    x.cause = (uint8_t)ev;
    x.value = value;
    recs_add(&p->recs, x);
}

void pagepool_waited(struct pagepool_vm *v, const struct pagepool_fault *f, bool held)
{
    int64_t now = host_now(), from = f->at_ns;
    if (f->vcpu == UINT32_MAX || !pagepool_counts(v->pool)) return;
    /* We hear of an answer late; a vCPU that has gone on to its next fault did not wait for that. */
    for (size_t i = v->n_waits; i-- > 0;) {
        if (v->waits[i].vcpu != f->vcpu) continue;
        if (v->waits[i].to_ns > from) v->waits[i].to_ns = from;
        break;
    }
    pagepool_grow((void **)&v->waits, v->n_waits, &v->waits_cap, sizeof *v->waits);
    v->waits[v->n_waits++] = (struct pagepool_wait){.from_ns = from, .to_ns = now, .vcpu = f->vcpu};
    if (held) __atomic_fetch_add(&v->pool->held_ns, now - from, __ATOMIC_RELAXED);
}

const struct pagepool_wait *pagepool_waits(const struct pagepool *p, uint32_t vm, size_t *n)
{
    const struct pagepool_vm *v = p ? p->of[vm] : NULL;
    *n = v ? v->n_waits : 0;
    return v ? v->waits : NULL;
}

int64_t pagepool_held_ns(const struct pagepool *p)
{
    return __atomic_load_n(&p->held_ns, __ATOMIC_RELAXED);
}

void pagepool_lost(struct pagepool_vm *v, uint32_t page)
{
    if (!pagepool_counts(v->pool)) return;
    pagepool_grow((void **)&v->evicted, v->n_evicted, &v->evicted_cap, sizeof *v->evicted);
    v->evicted[v->n_evicted++] = page;
}

const struct recs *pagepool_recs(const struct pagepool *p)
{
    return &p->recs;
}

const uint32_t *pagepool_evicted(const struct pagepool *p, uint32_t vm, size_t *n)
{
    const struct pagepool_vm *v = p ? p->of[vm] : NULL;
    *n = v ? v->n_evicted : 0;
    return v ? v->evicted : NULL;
}

uint64_t pagepool_again(const struct pagepool *p, uint32_t vm)
{
    return p && p->of[vm] ? p->of[vm]->again : 0;
}
