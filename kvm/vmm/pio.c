// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/vmm/pio.h"

#include <stdlib.h>
#include <string.h>

#include "kvm/vmm/dev.h"

struct slot {
    uint32_t pos;   /* of the next word, in bytes */
    bool under_way; /* it is the device's */
};

struct pio {
    uint64_t at;
    uint32_t bytes;
    uint32_t dev, slot; /* selected */
    uint32_t put[ABI_MAX_DEVS], consumed[ABI_MAX_DEVS];
    struct slot slots[ABI_MAX_DEVS][ABI_PIO_SLOTS];
};

static bool is_pio(const struct dev *d)
{
    return d->cls && (d->ctl->flags & ABI_DEV_PIO);
}

void pio_make_all(struct vmm *v)
{
    bool any = false;
    for (uint32_t i = 0; v->devs && i < ABI_MAX_DEVS; i++)
        any |= is_pio(&v->devs[i]);
    for (uint32_t i = 0; any && i < v->ctl->n_vcpus; i++) {
        v->vcpus[i].pio = calloc(1, sizeof(struct pio));
        if (!v->vcpus[i].pio || v->ctl->n_vcpus > ABI_PIO_VCPUS) vmm_fail(v->ctl, "no room for port I/O");
        for (uint32_t k = 0; k < ABI_MAX_DEVS; k++)
            if (is_pio(&v->devs[k])) v->devs[k].ring[i].shared->waiting = 1; /* whenever it waits */
    }
}

bool pio_has(const struct vcpu *c, uint32_t port)
{
    return c->pio && port >= ABI_PORT_PIO_SELECT && port <= ABI_PORT_PIO_DATA;
}

static uint32_t buffer(const struct vcpu *c, uint32_t slot)
{
    return (c->index * ABI_PIO_SLOTS + slot) * ABI_PIECE;
}

static bool select_slot(struct vcpu *c, uint32_t value, const char **why)
{
    struct pio *p = c->pio;
    uint32_t dev = value >> 8, slot = value & 0xff;
    *why = "port I/O of a disk that is not there";
    if (dev >= ABI_MAX_DEVS || slot >= ABI_PIO_SLOTS || !is_pio(&c->vmm->devs[dev])) return false;
    p->dev = dev;
    p->slot = slot;
    return true;
}

/* The selected disk, once there is one. */
static struct dev *selected(const struct vcpu *c)
{
    struct dev *d = &c->vmm->devs[c->pio->dev];
    return is_pio(d) ? d : NULL;
}

static bool go(struct vcpu *c, uint32_t value, const char **why)
{
    struct pio *p = c->pio;
    struct dev *d = selected(c);
    *why = "port I/O of a disk at work";
    if (!d || p->slots[p->dev][p->slot].under_way) return false;
    struct abi_ring *r = d->ring[c->index].shared;
    r->sub[p->put[p->dev] % ABI_RING_LEN] = (struct abi_sub){.op = value & 0xff,
                                                             .flags = value >> 8,
                                                             .tag = p->slot,
                                                             .window = p->dev,
                                                             .offset = buffer(c, p->slot),
                                                             .length = ABI_PIECE,
                                                             .at = p->at,
                                                             .bytes = p->bytes};
    p->slots[p->dev][p->slot] = (struct slot){.under_way = true};
    __atomic_store_n(&r->sub_head, ++p->put[p->dev], __ATOMIC_RELEASE);
    return true; /* the guest rings */
}

/* A disk's next answer: its slot, number and status; 0: none. */
static uint32_t done(struct vcpu *c)
{
    struct pio *p = c->pio;
    for (uint32_t i = 0; i < ABI_MAX_DEVS; i++) {
        struct dev *d = &c->vmm->devs[i];
        if (!is_pio(d)) continue;
        struct abi_ring *r = d->ring[c->index].shared;
        if (__atomic_load_n(&r->comp_head, __ATOMIC_ACQUIRE) == p->consumed[i]) continue;
        struct abi_comp a = r->comp[p->consumed[i] % ABI_RING_LEN];
        __atomic_store_n(&r->comp_tail, ++p->consumed[i], __ATOMIC_RELEASE);
        p->slots[i][a.tag % ABI_PIO_SLOTS] = (struct slot){0};
        return 1u << 31 | (a.status & 0xff) << 16 | i << 8 | (a.tag & 0xff);
    }
    return 0;
}

static bool move_word(struct vcpu *c, bool in, void *data, const char **why)
{
    struct pio *p = c->pio;
    struct dev *d = selected(c);
    struct slot *s = &p->slots[p->dev][p->slot];
    *why = "port I/O of a disk at work";
    if (!d || s->under_way) return false;
    unsigned char *word = d->window + buffer(c, p->slot) + s->pos;
    s->pos = (s->pos + 2) % ABI_PIECE;
    if (in)
        memcpy(data, word, 2);
    else
        memcpy(word, data, 2);
    return true;
}

bool pio_access(struct vcpu *c, uint32_t port, bool in, uint32_t size, void *data, const char **why)
{
    struct pio *p = c->pio;
    uint32_t value = 0;
    *why = "port I/O of another width or direction";
    if (port == ABI_PORT_PIO_DATA) return size == 2 && move_word(c, in, data, why);
    if (size != 4 || in != (port == ABI_PORT_PIO_DONE)) return false;
    if (!in) memcpy(&value, data, sizeof value);
    switch (port) {
    case ABI_PORT_PIO_SELECT: return select_slot(c, value, why);
    case ABI_PORT_PIO_AT_LOW: p->at = (p->at & ~(uint64_t)UINT32_MAX) | value; return true;
    case ABI_PORT_PIO_AT_HIGH: p->at = (p->at & UINT32_MAX) | (uint64_t)value << 32; return true;
    case ABI_PORT_PIO_BYTES: p->bytes = value; return true;
    case ABI_PORT_PIO_GO: return go(c, value, why);
    case ABI_PORT_PIO_DONE:
        value = done(c);
        memcpy(data, &value, sizeof value);
        return true;
    default: return false;
    }
}
