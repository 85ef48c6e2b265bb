// SPDX-License-Identifier: GPL-3.0-or-later
/* gmem.h - a guest's RAM as the VMM sees it: never executable here, between two guard pages, not dumped.
 *
 * A guest-physical address is a type of its own, and gmem_at the one way from it to a pointer: an address
 * and length from anywhere go through its checks. */
#ifndef VLAB_KVM_VMM_GMEM_H
#define VLAB_KVM_VMM_GMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gpa {
    uint64_t at;
};

struct gmem {
    unsigned char *host; /* of `base` */
    void *whole;         /* the mapping that it lies in, of whole_bytes */
    uint64_t whole_bytes;
    struct gpa base;
    uint64_t bytes;
};

/* 0, or -errno. Both sizes are whole pages. Unwritten pages cost nothing. */
int gmem_init(struct gmem *m, struct gpa base, uint64_t bytes);
/* Gives it back with its guard pages; a VMM keeps it to its end. */
void gmem_free(struct gmem *m);
/* The host's address of len bytes at a; NULL unless all of them lie in the RAM. */
void *gmem_at(const struct gmem *m, struct gpa a, uint64_t len);
/* a + b into *sum; false where it overflows. For every sum with a term that came from outside. */
bool gmem_add(uint64_t a, uint64_t b, uint64_t *sum);

#endif
