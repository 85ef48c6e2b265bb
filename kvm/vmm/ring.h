// SPDX-License-Identifier: GPL-3.0-or-later
/* ring.h - the VMM's end of a ring (kvm/abi_dev.h): what the guest wrote is taken once, checked, answered.
 *
 * Pure: no thread, no system call. One thread at a time. Whatever the guest does to the shared memory while
 * it is looked at, the counters stay sane and no entry is used that was not checked. */
#ifndef VLAB_KVM_VMM_RING_H
#define VLAB_KVM_VMM_RING_H

#include <stdbool.h>

#include "kvm/abi_dev.h"

struct ring {
    struct abi_ring *shared;
    uint32_t taken;    /* requests */
    uint32_t given;    /* answers */
    uint32_t consumed; /* of them, as the guest last said */
};

enum ring_got { RING_ENTRY, RING_EMPTY, RING_BAD };

/* The ring begins empty, and its first request rings the bell. */
void ring_init(struct ring *r, struct abi_ring *shared);
/* The next request, copied into *sub. RING_BAD: the guest broke the rules; *why is a sentence. */
enum ring_got ring_take(struct ring *r, struct abi_sub *sub, const char **why);
/* Whether a request's buffer lies in a window of that many bytes, which is the dev-th device's. False: *why.
 */
bool ring_check(const struct abi_sub *sub, uint32_t dev, uint64_t window_bytes, const char **why);
/* Answers a request that was taken: once each. True: the guest waits for it. */
bool ring_give(struct ring *r, struct abi_comp comp);
/* Nothing more is looked for until the bell rings. False: something has come: look again. */
bool ring_leave(struct ring *r);
/* Somebody looks: the guest need not ring. */
void ring_attend(struct ring *r);
/* Requests that are not answered. */
static inline uint32_t ring_open(const struct ring *r)
{
    return r->taken - r->given;
}

#endif
