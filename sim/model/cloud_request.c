// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs on request: they are asked for at random, live for a time drawn when they are asked for, and are
 * destroyed. A flavour's VMs are made in turn of those that are not there, whatever they were before. */
#include <stdlib.h>

#include "base/alloc.h"
#include "model/cloud_inner.h"
#include "model/power.h"

static void schedule(struct model *m)
{
    struct cloud *c = m->cloud;
    const struct sc_requests *r = &c->sc->requests;
    struct dist gap = {.kind = r->poisson ? DIST_EXPONENTIAL : DIST_CONST, .a = r->gap_ns};
    int made = draw_make(&gap);
    ASSERT(made == 0);
    int64_t in = draw_amount(&gap, &c->rng, NULL, 0), now = sim_now(m->sim);
    if (in <= INT64_MAX - now) cloud_at(m, now + in, EVQ_NORMAL, CLOUD_REQUEST, 0);
}

static void add(struct cloud *c, uint32_t flavour, uint32_t vm)
{
    struct cloud_flavour *f = &c->flavours[flavour];
    if (!c->vm[vm].listed) f->free[f->n_free++] = vm;
    c->vm[vm].listed = true;
}

void cloud_request_init(struct model *m)
{
    struct cloud *c = m->cloud;
    const struct sc_requests *r = &c->sc->requests;
    if (!r->stated) return;
    c->rng = rng_at(rng_key(m->seed, rng_hash_name("cloud", 5), RNG_REQUESTS), 0, 0);
    c->flavours = alloc_array(r->n_flavours, sizeof *c->flavours);
    for (uint32_t i = 0; i < r->n_flavours; i++) {
        const struct sc_flavour *f = &r->flavours[i];
        c->flavours[i].free = alloc_array(f->n_vms, sizeof *c->flavours[i].free);
        for (uint32_t k = f->n_vms; k-- > 0;)
            add(c, i, f->first_vm + k);
    }
    schedule(m);
}

static uint32_t draw_flavour(struct cloud *c)
{
    const struct sc_requests *r = &c->sc->requests;
    uint64_t all = 0, i = 0;
    for (uint32_t k = 0; k < r->n_flavours; k++)
        all += r->flavours[k].chance;
    uint64_t at = (uint64_t)rng_u32(&c->rng) * all >> 32;
    while (at >= r->flavours[i].chance)
        at -= r->flavours[i++].chance;
    return (uint32_t)i;
}

void cloud_request_on(struct model *m)
{
    struct cloud *c = m->cloud;
    const struct sc_requests *r = &c->sc->requests;
    uint32_t f = draw_flavour(c);
    int64_t life = draw_amount(&r->lifetime, &c->rng, r->pool, c->n_requests++);
    struct cloud_flavour *of = &c->flavours[f];
    while (of->n_free &&
           m->vms[of->free[of->n_free - 1]].power != POWER_NONE) /* somebody started it by hand */
        c->vm[of->free[--of->n_free]].listed = false;
    if (of->n_free == 0) {
        cloud_rejected(m, &m->vms[r->flavours[f].first_vm], REC_WHY_SLOTS);
    } else {
        uint32_t i = of->free[of->n_free - 1];
        c->vm[i].life_ns = life;
        if (cloud_make(m, &m->vms[i], NULL))
            c->vm[of->free[--of->n_free]].listed = false;
        else
            c->vm[i].life_ns = INT64_MAX;
    }
    schedule(m);
}

void cloud_request_gone(struct model *m, const struct vm *vm)
{
    struct cloud *c = m->cloud;
    if (vm->sc->there != SC_BY_REQUEST) return;
    c->vm[vm->index].life_ns = INT64_MAX; /* nobody asked for the next one yet, it may be started by hand */
    for (uint32_t i = 0; i < c->sc->requests.n_flavours; i++) {
        const struct sc_flavour *f = &c->sc->requests.flavours[i];
        if (vm->index >= f->first_vm && vm->index - f->first_vm < f->n_vms) add(c, i, vm->index);
    }
}
