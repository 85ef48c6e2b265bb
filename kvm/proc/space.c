// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/proc/space.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a guest has it, or not at all: nothing else may be there. */
static void *map_at(struct vmm *v, uint64_t at, uint64_t bytes, int rights, int flags, int fd,
                    const char *what)
{
    void *want = (void *)(uintptr_t)at, *p = mmap(want, bytes, rights, flags | MAP_FIXED_NOREPLACE, fd, 0);
    if (p != want) vmm_fail(v->ctl, "no room for %s at 0x%jx: %m", what, (uintmax_t)at);
    return p;
}

/* Twice: read-only where the workload looks, and somewhere else for the clock's zero. */
static void map_boot(struct vmm *v)
{
    struct stat st;
    if (fstat(CTL_FD_BOOT, &st) != 0) vmm_fail(v->ctl, "boot region: %m");
    uint64_t bytes = (uint64_t)st.st_size, whole = (bytes + ABI_PAGE - 1) / ABI_PAGE * ABI_PAGE;
    if (bytes < sizeof(struct abi_boot) || whole > ABI_BOOT_MAX)
        vmm_fail(v->ctl, "boot region: %ju bytes", (uintmax_t)bytes);
    char *ours = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ours == MAP_FAILED) vmm_fail(v->ctl, "boot region: %m");
    for (uint64_t got = 0; got < bytes;) {
        ssize_t n = pread(CTL_FD_BOOT, ours + got, bytes - got, (off_t)got);
        if (n <= 0) vmm_fail(v->ctl, "boot region: cannot be read");
        got += (uint64_t)n;
    }
    /* Of shared memory, an old size of 0 asks for a second mapping. The place is reserved first. */
    void *want = map_at(v, ABI_BOOT, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, "the boot region");
    if (mremap(ours, 0, whole, MREMAP_MAYMOVE | MREMAP_FIXED, want) != want ||
        mprotect(want, whole, PROT_READ) != 0)
        vmm_fail(v->ctl, "boot region: %m");
    v->ram = (struct gmem){.host = (unsigned char *)ours, .base = {ABI_BOOT}, .bytes = whole};
}

static void map_logs(struct vmm *v)
{
    uint64_t bytes = v->ctl->n_vcpus * ABI_LOG_STEP;
    struct stat st;
    if (fstat(CTL_FD_LOG, &st) != 0 || (uint64_t)st.st_size < bytes) vmm_fail(v->ctl, "the log is too small");
    map_at(v, ABI_LOG, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, CTL_FD_LOG, "the log");
}

/* Never executable, backed by what the scenario says where the host can, and nothing behind it. */
static void map_memory(struct vmm *v)
{
    uint64_t bytes = v->ctl->memory_bytes, page = v->ctl->page_bytes;
    if ((page != ABI_PAGE && page != PAGING_BIG) || bytes % page != 0 || bytes > ABI_MEMORY_MAX)
        vmm_fail(v->ctl, "%ju bytes of memory in pages of %ju", (uintmax_t)bytes, (uintmax_t)page);
    void *p = map_at(v, ABI_MEMORY, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, "its memory");
    map_at(v, ABI_MEMORY + bytes, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
           "the page after its memory");
    (void)madvise(p, bytes, page == ABI_PAGE ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    (void)madvise(p, bytes, MADV_DONTDUMP);
    v->memory = (struct gmem){.host = p, .base = {ABI_MEMORY}, .bytes = bytes};
}

void space_make(struct vmm *v)
{
    map_boot(v);
    map_logs(v);
    if (v->ctl->memory_bytes > 0) map_memory(v);
}
