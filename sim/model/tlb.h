// SPDX-License-Identifier: GPL-3.0-or-later
/* tlb.h - a translation cache: whether a reference finds its page's translation, or the tables are walked.
 *
 * Set-associative with LRU in each set, page p in set p mod sets; four ways, and where the entries do not
 * divide by four the first sets have one way more. So pages 0 .. W-1 never miss twice while W <= entries, and
 * of uniform references 1 - entries / W miss. One a task, as if tagged with an address space of unlimited
 * number: what tasks take from each other's entries is left out, and large and small pages share no TLB here.
 */
#ifndef VLAB_MODEL_TLB_H
#define VLAB_MODEL_TLB_H

#include <stdbool.h>
#include <stdint.h>

struct tlb {
    uint64_t inverse;    /* 2^64 / sets, rounded up */
    uint32_t sets, more; /* the first `more` sets have one way more than the others */
    uint32_t ways;
    uint32_t tags[]; /* pages + 1, a set's last used first; 0: none */
};

struct tlb *tlb_new(uint32_t entries); /* >= 1; free() it */
/* The page is referred to. True: it had to be walked for, and is cached now. */
bool tlb_miss(struct tlb *t, uint32_t page);

#endif
