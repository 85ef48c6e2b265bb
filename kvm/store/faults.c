// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/rng.h"
#include "kvm/store/inner.h"

enum abi_status faults_draw(const struct store_faults *f, uint32_t volume, uint64_t number, bool write,
                            int64_t *longer_ns)
{
    struct rng r = rng_at(f->seed, volume, number);
    /* All three are drawn for each, so that one more fault does not change where the others fall. */
    bool eio = rng_u32(&r) < f->eio, enospc = rng_u32(&r) < f->enospc, slow = rng_u32(&r) < f->slow;
    *longer_ns = slow ? f->slow_ns : 0;
    if (eio) return ABI_EIO;
    return write && enospc ? ABI_ENOSPC : ABI_DONE;
}

int64_t faults_stalled_until(const struct store_faults *f, int64_t now_ns)
{
    int64_t end;
    if (f->stall_for_ns <= 0 || now_ns < f->stall_from_ns) return -1;
    if (__builtin_add_overflow(f->stall_from_ns, f->stall_for_ns, &end)) end = INT64_MAX;
    return now_ns < end ? end : -1;
}
