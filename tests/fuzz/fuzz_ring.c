// SPDX-License-Identifier: GPL-3.0-or-later
/* The VMM's end of a ring against a guest that writes whatever the bytes say, wherever in the shared memory,
 * between any two calls. Whatever it does: no more is open than a ring holds, each request is answered once,
 * what was checked is what is used, and a guest that keeps the rules is never told that it broke them. */
#include <string.h>

#include "base/assert.h"
#include "kvm/vmm/ring.h"

/* The code itself, so that what it does is watched. */
#include "kvm/vmm/ring.c" // NOLINT

#define WINDOW (UINT64_C(1) << 21)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct abi_ring shared;
    struct ring r;
    uint32_t open[ABI_RING_LEN], n_open; /* tags taken and not answered */
    uint32_t put, got;                   /* what an honest guest has done */
    bool honest;
};

static void take(struct world *w)
{
    struct abi_sub sub;
    const char *why = NULL;
    uint32_t before = w->r.taken;
    switch (ring_take(&w->r, &sub, &why)) {
    case RING_ENTRY:
        ASSERT(w->r.taken == before + 1 && w->n_open < ABI_RING_LEN);
        if (ring_check(&sub, 0, WINDOW, &why))
            ASSERT((uint64_t)sub.offset + sub.length <= WINDOW);
        else
            ASSERT(why);
        w->open[w->n_open++] = sub.tag;
        break;
    case RING_EMPTY: ASSERT(w->r.taken == before); break;
    case RING_BAD:
        ASSERT(why && w->r.taken == before);
        ASSERT(!w->honest);
        break;
    }
    ASSERT(w->r.taken - w->r.given == w->n_open);
    ASSERT(w->r.given - w->r.consumed <= ABI_RING_LEN);
}

static void give(struct world *w, uint8_t which)
{
    if (w->n_open == 0) return;
    uint32_t i = which % w->n_open;
    ring_give(&w->r, (struct abi_comp){.tag = w->open[i]});
    w->open[i] = w->open[--w->n_open];
}

/* A guest that keeps the rules. */
static void honest_step(struct world *w, uint8_t x)
{
    struct abi_ring *s = &w->shared;
    if (x & 1) {
        if (w->put - w->got == ABI_RING_LEN) return;
        s->sub[w->put % ABI_RING_LEN] = (struct abi_sub){.op = ABI_OP_READ, .tag = w->put, .offset = x};
        s->sub_head = ++w->put;
    } else if (s->comp_head != w->got) {
        s->comp_tail = ++w->got;
    }
}

static void wild_write(struct world *w, const uint8_t *at)
{
    uint32_t place, value;
    memcpy(&place, at, sizeof place);
    memcpy(&value, at + 4, sizeof value);
    /* Half of them where it hurts most. */
    place = place & 1 ? (place >> 1) % 3 * 4 : place % (uint32_t)(sizeof w->shared - sizeof value);
    memcpy((unsigned char *)&w->shared + place, &value, sizeof value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w; /* of one input: made anew */
    memset(&w, 0, sizeof w);
    ring_init(&w.r, &w.shared);
    w.honest = size > 0 && (data[0] & 1);
    for (size_t i = 1; i < size; i++)
        switch (data[i] % 6) {
        case 0:
        case 1: take(&w); break;
        case 2: give(&w, data[i] / 6); break;
        case 3: ring_attend(&w.r); break;
        case 4: (void)ring_leave(&w.r); break;
        default:
            if (w.honest) {
                honest_step(&w, data[i] / 6);
            } else if (i + 8 < size) {
                wild_write(&w, data + i + 1);
                i += 8;
            }
        }
    return 0;
}
