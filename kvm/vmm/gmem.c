// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/vmm/gmem.h"

#include <errno.h>
#include <sys/mman.h>

#include "kvm/abi.h"

#define ALIGN                                                                                                \
    (UINT64_C(2) << 20) /* guest and host addresses agree below it: one huge page can serve both             \
                         */

bool gmem_add(uint64_t a, uint64_t b, uint64_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

int gmem_init(struct gmem *m, struct gpa base, uint64_t bytes)
{
    uint64_t all;
    if (!gmem_add(bytes, 2 * ABI_PAGE + ALIGN, &all)) return -EINVAL;
    /* Private: on shared anonymous memory MADV_DONTNEED would give nothing back. */
    unsigned char *p = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return -errno;
    void *whole = p;
    p += (base.at - (uintptr_t)(p + ABI_PAGE)) % ALIGN;
    if (mprotect(p + ABI_PAGE, bytes, PROT_READ | PROT_WRITE) != 0) return -errno;
    if (madvise(p + ABI_PAGE, bytes, MADV_DONTDUMP) != 0) return -errno;
    *m =
        (struct gmem){.host = p + ABI_PAGE, .base = base, .bytes = bytes, .whole = whole, .whole_bytes = all};
    return 0;
}

void gmem_free(struct gmem *m)
{
    munmap(m->whole, m->whole_bytes);
    *m = (struct gmem){0};
}

void *gmem_at(const struct gmem *m, struct gpa a, uint64_t len)
{
    uint64_t end, ram_end;
    if (a.at < m->base.at || !gmem_add(a.at, len, &end) || !gmem_add(m->base.at, m->bytes, &ram_end))
        return NULL;
    return end <= ram_end ? m->host + (a.at - m->base.at) : NULL;
}
