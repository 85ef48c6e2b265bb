// SPDX-License-Identifier: GPL-3.0-or-later
/* The guest's end of its rings (kvm/abi_dev.h): requests in, answers out, the doorbell, and when to wait. */
#include "kvm/guest/dev.h"

static uint32_t n_devs(const struct guest *g)
{
    return g->boot->n_devs < ABI_MAX_DEVS ? g->boot->n_devs : ABI_MAX_DEVS;
}

void dev_begin(struct guest *g)
{
    for (uint32_t i = 0; i < n_devs(g); i++)
        g->dev[i] = (struct dev){.ring = (struct abi_ring *)(uintptr_t)abi_ring_at(g->vcpu, i)};
}

bool dev_room(const struct guest *g, uint32_t dev)
{
    return g->dev[dev].put - g->dev[dev].consumed < ABI_RING_LEN;
}

void dev_put(struct guest *g, uint32_t dev, const struct abi_sub *sub)
{
    struct dev *d = &g->dev[dev];
    struct abi_sub *to = &d->ring->sub[d->put % ABI_RING_LEN];
    *to = *sub;
    to->window = dev;
    if (!g->unkicked) g->unkicked_ns = g->now_ns;
    g->unkicked = true;
    d->put++;
    __atomic_store_n(&d->ring->sub_head, d->put, __ATOMIC_RELEASE);
}

void dev_hurry(struct guest *g)
{
    if (g->unkicked && g->now_ns - g->unkicked_ns >= DEV_HURRY_NS) dev_kick(g);
}

void dev_kick(struct guest *g)
{
    g->unkicked = false;
    for (uint32_t i = 0; i < n_devs(g); i++) {
        struct dev *d = &g->dev[i];
        if (d->kicked == d->put) continue;
        d->kicked = d->put;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (__atomic_load_n(&d->ring->need_kick, __ATOMIC_RELAXED)) io_kick(i);
    }
}

bool dev_take(struct guest *g, uint32_t dev, struct abi_comp *comp)
{
    struct dev *d = &g->dev[dev];
    if (__atomic_load_n(&d->ring->comp_head, __ATOMIC_ACQUIRE) == d->consumed) return false;
    *comp = d->ring->comp[d->consumed % ABI_RING_LEN];
    d->consumed++;
    __atomic_store_n(&d->ring->comp_tail, d->consumed, __ATOMIC_RELEASE);
    return true;
}

static void set_waiting(struct guest *g, uint32_t waiting)
{
    for (uint32_t i = 0; i < n_devs(g); i++)
        if (g->dev[i].put != g->dev[i].consumed)
            __atomic_store_n(&g->dev[i].ring->waiting, waiting, __ATOMIC_RELAXED);
}

static bool any_answer(const struct guest *g)
{
    for (uint32_t i = 0; i < n_devs(g); i++)
        if (g->dev[i].put != g->dev[i].consumed &&
            __atomic_load_n(&g->dev[i].ring->comp_head, __ATOMIC_ACQUIRE) != g->dev[i].consumed)
            return true;
    return false;
}

void dev_wait(struct guest *g, int64_t until_ns, enum abi_port how)
{
    dev_kick(g);
    set_waiting(g, 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!any_answer(g)) io_pause(g, until_ns, how);
    set_waiting(g, 0);
}
