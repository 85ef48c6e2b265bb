// SPDX-License-Identifier: GPL-3.0-or-later
/* pages.h - what a runner and one of its VMMs say to each other about the guest's memory.
 *
 * Over a SEQPACKET pair, one struct pages_msg a packet, both ways. The runner decides
 * (kvm/runner/pagepool.h), the VMM's pager thread does (kvm/vmm/pager.h). The VMM tells faults as the kernel
 * tells it of them, of its own accord; all else is a command and its answer, which has the command's `what`
 * and `seq`, and in `value` what came of it: 0 or -errno, of PAGES_COUNT how many. There is one command at a
 * time, and an answer to each; faults may come in between.
 *
 * A page, of page_bytes, is numbered from ABI_MEMORY on. It is nowhere (not there at all, or in the store),
 * in (the guest refers to it as it likes), guarded (the same, but its first write is a fault), or parked (in
 * the VMM's memory still, out of the guest's reach: the next reference is a fault). The store is a file in
 * which page p lies at p * page_bytes. Both sides check what they are told; the runner keeps the books, so a
 * VMM that lies harms its own guest. */
#ifndef VLAB_KVM_PAGES_H
#define VLAB_KVM_PAGES_H

#include <stdint.h>

enum pages_what {
    PAGES_READY,  /* VMM, once, before its guest's first reference; value: the pager thread's id */
    PAGES_FAULT,  /* VMM: the guest refers to a page that is not in, or writes to one that is guarded */
    PAGES_ZERO,   /* nowhere to in: full of zeros */
    PAGES_LOAD,   /* nowhere to in, or with PAGES_GUARD to guarded: from the store */
    PAGES_PARK,   /* in or guarded to parked */
    PAGES_UNPARK, /* parked to in, or with PAGES_GUARD to guarded */
    PAGES_SAVE,   /* in, guarded, or with PAGES_PARKED parked, to nowhere: what it was is in the store */
    PAGES_DROP,   /* the same, but nothing is written */
    PAGES_OPEN,   /* guarded to in */
    PAGES_WAKE,   /* nothing, but whoever waits for the page looks again (as after each of those above) */
    PAGES_COUNT,  /* how many pages the guest has referred to; of a VM whose memory is not paged */
    PAGES_READ,   /* the secret's piece number `page`: value bytes follow the answer in its packet */
    PAGES_NWHATS
};

#define PAGES_PIECE 32768u

#define PAGES_WRITE  1u /* of a fault: the reference writes */
#define PAGES_GUARD  2u
#define PAGES_PARKED 4u

struct pages_msg {
    uint32_t what; /* enum pages_what */
    uint32_t seq;
    uint32_t page;
    uint32_t flags;
    uint32_t vcpu; /* of a fault: whose; UINT32_MAX: not known */
    uint32_t pad;
    int64_t value;
    int64_t at_ns; /* of a fault: when the VMM heard of it, CLOCK_MONOTONIC; of PAGES_COUNT: what it took */
};

struct pages_data {
    struct pages_msg m;
    unsigned char bytes[PAGES_PIECE];
};

#endif
