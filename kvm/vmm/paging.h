// SPDX-License-Identifier: GPL-3.0-or-later
/* paging.h - the guest's page tables: built once, before it runs, and out of its reach.
 *
 * Virtual and guest-physical addresses are equal. What is not mapped faults. */
#ifndef VLAB_KVM_VMM_PAGING_H
#define VLAB_KVM_VMM_PAGING_H

#include "kvm/vmm/gmem.h"

enum page_rights {
    PAGE_READ = 0,
    PAGE_WRITE = 1,
    PAGE_EXEC = 2,      /* never together with PAGE_WRITE */
    PAGE_SUPERVISOR = 4 /* not for ring 3 */
};

/* The root table, at ABI_TABLES. 0, or -1: no room. */
int paging_init(struct gmem *m);
/* Maps whole pages [a, a + bytes). 0, or -1: no room for tables, or an address over 512 GiB. */
int paging_map(struct gmem *m, struct gpa a, uint64_t bytes, unsigned rights);

#endif
