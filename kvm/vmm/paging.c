// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/vmm/paging.h"

#include "base/assert.h"
#include "kvm/abi.h"

#define P_PRESENT 0x1u
#define P_WRITE   0x2u
#define P_USER    0x4u
#define P_USED    0x60u /* accessed and dirty, so that the processor need not write here */
#define P_BIG     0x80u
#define P_NX      (UINT64_C(1) << 63)
#define P_ADDRESS UINT64_C(0x000ffffffffff000)

static uint64_t *table_at(const struct paging *p, struct gpa at)
{
    uint64_t *t = gmem_at(p->ram, at, ABI_PAGE);
    return t || !p->more ? t : gmem_at(p->more, at, ABI_PAGE);
}

static uint64_t *table_new(struct paging *p, struct gpa *at)
{
    *at = p->next;
    if (at->at + ABI_PAGE > p->end.at) return NULL;
    p->next.at += ABI_PAGE;
    return table_at(p, *at);
}

int paging_init(struct paging *p, const struct gmem *ram)
{
    struct gpa root;
    *p = (struct paging){.ram = ram, .next = {ABI_TABLES}, .end = {ABI_GDT}};
    return table_new(p, &root) ? 0 : -1;
}

void paging_more(struct paging *p, const struct gmem *more)
{
    p->more = more;
    p->next = more->base;
    p->end = (struct gpa){more->base.at + more->bytes};
}

uint64_t paging_bytes(uint64_t bytes, unsigned rights)
{
    /* One at each level more than is full: an area need not begin where a table does. */
    uint64_t tables = 0, span = rights & PAGE_BIG ? PAGING_BIG : ABI_PAGE;
    for (int level = rights & PAGE_BIG ? 2 : 1; level < 4; level++) {
        span *= 512;
        tables += bytes / span + 2;
    }
    return tables * ABI_PAGE;
}

/* The table that entry i of `table` points to, made if there is none yet. */
static uint64_t *table_below(struct paging *p, uint64_t *table, uint64_t i)
{
    struct gpa at = {table[i] & P_ADDRESS};
    if (table[i] != 0) return table_at(p, at);
    uint64_t *below = table_new(p, &at);
    if (below) table[i] = at.at | P_PRESENT | P_WRITE | P_USER | P_USED;
    return below;
}

static int map_page(struct paging *p, uint64_t va, uint64_t entry, unsigned leaf)
{
    uint64_t *t = table_at(p, (struct gpa){ABI_TABLES});
    for (unsigned shift = 39; t && shift > leaf; shift -= 9)
        t = table_below(p, t, va >> shift & 511);
    if (!t) return -1;
    t[va >> leaf & 511] = entry;
    return 0;
}

int paging_map(struct paging *p, struct gpa a, uint64_t bytes, unsigned rights)
{
    uint64_t end, step = rights & PAGE_BIG ? PAGING_BIG : ABI_PAGE;
    ASSERT((rights & (PAGE_WRITE | PAGE_EXEC)) != (PAGE_WRITE | PAGE_EXEC));
    ASSERT(a.at % step == 0 && bytes % step == 0);
    if (!gmem_add(a.at, bytes, &end) || end > UINT64_C(1) << 39) return -1;
    uint64_t bits = P_PRESENT | P_USED;
    if (rights & PAGE_WRITE) bits |= P_WRITE;
    if (rights & PAGE_BIG) bits |= P_BIG;
    if (!(rights & PAGE_EXEC)) bits |= P_NX;
    if (!(rights & PAGE_SUPERVISOR)) bits |= P_USER;
    for (uint64_t va = a.at; va < end; va += step)
        if (map_page(p, va, va | bits, rights & PAGE_BIG ? 21 : 12) != 0) return -1;
    return 0;
}
