// SPDX-License-Identifier: GPL-3.0-or-later
/* Any bytes as a payload: the loader may refuse it, never reach outside the guest's RAM; and whatever it
 * accepts, no page of it is both writable and executable, and no table is within the guest's reach. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "kvm/abi.h"
#include "kvm/vmm/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PRESENT UINT64_C(1)
#define WRITE   UINT64_C(2)
#define USER    UINT64_C(4)
#define NX      (UINT64_C(1) << 63)
#define ADDRESS UINT64_C(0x000ffffffffff000)

static void look(const struct gmem *ram, uint64_t table, int level, uint64_t va)
{
    ASSERT(table >= ABI_TABLES && table < ABI_GDT);
    const uint64_t *t = gmem_at(ram, (struct gpa){table}, ABI_PAGE);
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t e = t[i], at = va | i << (12 + 9 * level);
        if (!(e & PRESENT)) continue;
        if (level > 0) {
            look(ram, e & ADDRESS, level - 1, at);
            continue;
        }
        ASSERT((e & ADDRESS) == at);
        ASSERT(at >= ABI_PAYLOAD && at < ABI_RAM_END);
        ASSERT(!(e & WRITE) || (e & NX));
        ASSERT(e & USER);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gmem ram;
    struct paging p;
    uint64_t entry;
    const char *why = NULL;
    /* Between pages that nobody may touch, which gmem_init sees to; unwritten RAM costs nothing. */
    if (gmem_init(&ram, (struct gpa){ABI_RAM_BASE}, ABI_RAM_END - ABI_RAM_BASE) != 0) abort();
    ASSERT(paging_init(&p, &ram) == 0);
    unsigned char *copy = malloc(size ? size : 1); /* exact: what is read beyond it is found */
    ASSERT(copy);
    if (size > 0) memcpy(copy, data, size);
    if (payload_load(&p, copy, size, &entry, &why) != 0) ASSERT(why && *why);
    look(&ram, ABI_TABLES, 3, 0);
    free(copy);
    gmem_free(&ram);
    return 0;
}
