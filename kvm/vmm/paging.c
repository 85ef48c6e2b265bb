// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/vmm/paging.h"

#include "base/assert.h"
#include "kvm/abi.h"

#define P_PRESENT 0x1u
#define P_WRITE   0x2u
#define P_USER    0x4u
#define P_USED    0x60u /* accessed and dirty, so that the processor need not write here */
#define P_NX      (UINT64_C(1) << 63)
#define P_ADDRESS UINT64_C(0x000ffffffffff000)

static uint64_t *table_new(struct gmem *m, struct gpa *at)
{
    *at = m->tables_next;
    if (at->at + ABI_PAGE > ABI_GDT) return NULL;
    m->tables_next.at += ABI_PAGE;
    return gmem_at(m, *at, ABI_PAGE);
}

int paging_init(struct gmem *m)
{
    struct gpa root;
    m->tables_next = (struct gpa){ABI_TABLES};
    return table_new(m, &root) ? 0 : -1;
}

/* The table that entry i of `table` points to, made if there is none yet. */
static uint64_t *table_below(struct gmem *m, uint64_t *table, uint64_t i)
{
    struct gpa at = {table[i] & P_ADDRESS};
    if (table[i] != 0) return gmem_at(m, at, ABI_PAGE);
    uint64_t *below = table_new(m, &at);
    if (below) table[i] = at.at | P_PRESENT | P_WRITE | P_USER | P_USED;
    return below;
}

static int map_page(struct gmem *m, uint64_t va, uint64_t entry)
{
    uint64_t *t = gmem_at(m, (struct gpa){ABI_TABLES}, ABI_PAGE);
    for (unsigned shift = 39; t && shift > 12; shift -= 9)
        t = table_below(m, t, va >> shift & 511);
    if (!t) return -1;
    t[va >> 12 & 511] = entry;
    return 0;
}

int paging_map(struct gmem *m, struct gpa a, uint64_t bytes, unsigned rights)
{
    uint64_t end;
    ASSERT((rights & (PAGE_WRITE | PAGE_EXEC)) != (PAGE_WRITE | PAGE_EXEC));
    if (!gmem_add(a.at, bytes, &end) || end > UINT64_C(1) << 39) return -1;
    uint64_t bits = P_PRESENT | P_USED;
    if (rights & PAGE_WRITE) bits |= P_WRITE;
    if (!(rights & PAGE_EXEC)) bits |= P_NX;
    if (!(rights & PAGE_SUPERVISOR)) bits |= P_USER;
    for (uint64_t va = a.at; va < end; va += ABI_PAGE)
        if (map_page(m, va, va | bits) != 0) return -1;
    return 0;
}
