// SPDX-License-Identifier: GPL-3.0-or-later
/* paging.h - the guest's page tables: built once, before it runs, and out of its reach.
 *
 * Virtual and guest-physical addresses are equal. What is not mapped faults. Tables lie at ABI_TABLES and,
 * where that area is full, in one that paging_more adds. */
#ifndef VLAB_KVM_VMM_PAGING_H
#define VLAB_KVM_VMM_PAGING_H

#include "kvm/vmm/gmem.h"

enum page_rights {
    PAGE_READ = 0,
    PAGE_WRITE = 1,
    PAGE_EXEC = 2,       /* never together with PAGE_WRITE */
    PAGE_SUPERVISOR = 4, /* not for ring 3 */
    PAGE_BIG = 8         /* by leaves of 2 MiB: address and bytes are multiples of that */
};

#define PAGING_BIG (UINT64_C(2) << 20)

struct paging {
    const struct gmem *ram, *more; /* more: NULL, or the added area, all of it */
    struct gpa next, end;          /* free for tables */
};

/* The root table, at ABI_TABLES of ram, which is kept. 0, or -1: no room. */
int paging_init(struct paging *p, const struct gmem *ram);
/* Tables from now on go to `more`, which is kept. */
void paging_more(struct paging *p, const struct gmem *more);
/* Bytes of tables that mapping so many bytes takes at most. */
uint64_t paging_bytes(uint64_t bytes, unsigned rights);
/* Maps whole pages [a, a + bytes). 0, or -1: no room for tables, or an address over 512 GiB. */
int paging_map(struct paging *p, struct gpa a, uint64_t bytes, unsigned rights);

#endif
