// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/vmm/ring.h"

#include <string.h>

void ring_init(struct ring *r, struct abi_ring *shared)
{
    *r = (struct ring){.shared = shared};
    __atomic_store_n(&shared->need_kick, 1, __ATOMIC_RELAXED);
}

enum ring_got ring_take(struct ring *r, struct abi_sub *sub, const char **why)
{
    struct abi_ring *s = r->shared;
    uint32_t head = __atomic_load_n(&s->sub_head, __ATOMIC_ACQUIRE);
    if (head == r->taken) return RING_EMPTY;
    *why = "a ring's count of requests went back, or past its room";
    if (head - r->taken > ABI_RING_LEN) return RING_BAD;
    uint32_t consumed = __atomic_load_n(&s->comp_tail, __ATOMIC_ACQUIRE);
    *why = "a ring's count of answers went back, or past what was answered";
    if (consumed - r->consumed > r->given - r->consumed) return RING_BAD;
    r->consumed = consumed;
    *why = "more requests are under way than a ring holds";
    if (r->taken - consumed >= ABI_RING_LEN) return RING_BAD;
    memcpy(sub, &s->sub[r->taken % ABI_RING_LEN], sizeof *sub);
    /* The copy is complete before the place is the guest's again; and nothing is read a second time from
     * there, whatever the compiler thinks of the memory behind it. */
    __asm__ volatile("" : : "r"(sub) : "memory");
    r->taken++;
    __atomic_store_n(&s->sub_tail, r->taken, __ATOMIC_RELEASE);
    return RING_ENTRY;
}

bool ring_check(const struct abi_sub *sub, uint32_t dev, uint64_t window_bytes, const char **why)
{
    uint64_t end;
    *why = "a request names another device's window";
    if (sub->window != dev) return false;
    *why = "a request's buffer lies outside its window";
    return !__builtin_add_overflow((uint64_t)sub->offset, (uint64_t)sub->length, &end) && end <= window_bytes;
}

bool ring_give(struct ring *r, struct abi_comp comp)
{
    struct abi_ring *s = r->shared;
    memcpy(&s->comp[r->given % ABI_RING_LEN], &comp, sizeof comp);
    r->given++;
    __atomic_store_n(&s->comp_head, r->given, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&s->waiting, __ATOMIC_RELAXED) != 0;
}

bool ring_leave(struct ring *r)
{
    __atomic_store_n(&r->shared->need_kick, 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&r->shared->sub_head, __ATOMIC_ACQUIRE) == r->taken;
}

void ring_attend(struct ring *r)
{
    __atomic_store_n(&r->shared->need_kick, 0, __ATOMIC_RELAXED);
}
