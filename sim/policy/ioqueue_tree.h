// SPDX-License-Identifier: GPL-3.0-or-later
/* ioqueue_tree.h - the least of n numbered members, of which some are in: a winner tree (Knuth 1998, 5.4.1).
 *
 * A knock-out tournament: member i stands on leaf n + i, node j knows who is least of what is below it, 2j
 * and 2j + 1. Whatever changes for a member is played again on its way to the top, log2(n) matches, always;
 * the winner of each is chosen without a branch, for a wrong guess would cost more than all the rest.
 *
 * Ordered by (key, turn). The turn counts what was ever put in a tree of the queue: of equals the one that
 * has stood there longer comes first, and nobody's number decides. Keys have 128 bits: virtual time never
 * runs over. */
#ifndef VLAB_POLICY_IOQUEUE_TREE_H
#define VLAB_POLICY_IOQUEUE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IOQUEUE_OUT (~(unsigned __int128)0) /* the key of who is not in */

struct ioqueue_slot {
    unsigned __int128 key;
    uint64_t turn;
};

struct ioqueue_tree {
    struct ioqueue_slot *slot; /* [n] */
    uint32_t *won;             /* [2n]: by node, the member that won; 1 is the top */
    uint32_t n;
};

static inline void ioqueue_tree_put(struct ioqueue_tree *t, uint32_t i, unsigned __int128 key, uint64_t turn)
{
    const struct ioqueue_slot *slot = t->slot;
    uint32_t *won = t->won, least = i;
    t->slot[i].key = key;
    t->slot[i].turn = turn;
    for (uint32_t j = i + t->n; j > 1; j /= 2) {
        uint32_t other = won[j ^ 1], before = won[j / 2];
        const struct ioqueue_slot *o = &slot[other], *l = &slot[least];
        /* (o->key, o->turn) < (l->key, l->turn); a turn is 0 where the key is the largest there is: no
         * overflow. */
        uint32_t loses = -(uint32_t)(o->key < l->key + (o->turn < l->turn));
        least ^= (least ^ other) & loses;
        won[j / 2] = least;
        if (least == before && least != i) return; /* and so it is above */
    }
}

static inline void ioqueue_tree_out(struct ioqueue_tree *t, uint32_t i)
{
    ioqueue_tree_put(t, i, IOQUEUE_OUT, 0);
}

static inline bool ioqueue_tree_in(const struct ioqueue_tree *t, uint32_t i)
{
    return t->slot[i].key != IOQUEUE_OUT;
}

static inline uint32_t ioqueue_tree_first(const struct ioqueue_tree *t)
{
    return t->won[1];
}

static inline bool ioqueue_tree_empty(const struct ioqueue_tree *t)
{
    return t->slot[t->won[1]].key == IOQUEUE_OUT;
}

/* n members, nobody in; n may be 0, and then nothing but this may be asked. */
static inline void ioqueue_tree_init(struct ioqueue_tree *t, struct ioqueue_slot *slot, uint32_t *won,
                                     uint32_t n)
{
    *t = (struct ioqueue_tree){slot, won, n};
    for (uint32_t i = 0; i < n; i++) {
        slot[i] = (struct ioqueue_slot){IOQUEUE_OUT, 0};
        won[n + i] = i;
    }
    if (n < 2) {
        if (n) won[1] = 0;
        return;
    }
    for (uint32_t j = n - 1; j; j--)
        won[j] = won[2 * j];
}

#endif
