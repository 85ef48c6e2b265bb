// SPDX-License-Identifier: GPL-3.0-or-later
/* ioqueue_heap.h - the least of a set of nodes: a pairing heap (Fredman, Sedgewick, Sleator and Tarjan 1986).
 *
 * Like sched_heap.h, with keys of 128 bits: virtual time never runs over. Ordered by (key, turn); the turn
 * counts what was ever put in a heap of the queue, so that of equals the one that has stood there longer
 * comes first, and no number of a flow decides. Adding takes O(1), taking out O(log n) amortized. */
#ifndef VLAB_POLICY_IOQUEUE_HEAP_H
#define VLAB_POLICY_IOQUEUE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

struct ioqueue_node {
    unsigned __int128 key;
    uint64_t turn;
    struct ioqueue_node *child, *next, *prev; /* prev: the previous sibling, or the parent */
};

/* Which of two is less cannot be guessed: chosen without a branch, a wrong guess costs more than all the rest. */
static inline struct ioqueue_node *ioqueue_heap_link(struct ioqueue_node *a, struct ioqueue_node *b)
{
    ASSUME(a && b);
    uintptr_t swap = -(uintptr_t)((b->key < a->key) | ((b->key == a->key) & (b->turn < a->turn)));
    uintptr_t both = ((uintptr_t)a ^ (uintptr_t)b) & swap;
    a = (struct ioqueue_node *)((uintptr_t)a ^ both);
    b = (struct ioqueue_node *)((uintptr_t)b ^ both);
    b->next = a->child;
    if (b->next) b->next->prev = b;
    b->prev = a;
    a->child = b;
    return a;
}

/* Children in pairs, then the pairs from the last to the first. */
static inline struct ioqueue_node *ioqueue_heap_pair(struct ioqueue_node *n)
{
    struct ioqueue_node *pairs = NULL, *root;
    while (n) {
        struct ioqueue_node *a = n, *b = n->next;
        n = b ? b->next : NULL;
        if (b) a = ioqueue_heap_link(a, b);
        a->next = pairs;
        pairs = a;
    }
    if (!(root = pairs)) return NULL;
    pairs = pairs->next;
    while (pairs) {
        struct ioqueue_node *next = pairs->next;
        root = ioqueue_heap_link(root, pairs);
        pairs = next;
    }
    root->next = root->prev = NULL;
    return root;
}

static inline void ioqueue_heap_add(struct ioqueue_node **root, struct ioqueue_node *n)
{
    n->child = n->next = n->prev = NULL;
    *root = *root ? ioqueue_heap_link(*root, n) : n;
}

static inline void ioqueue_heap_del(struct ioqueue_node **root, struct ioqueue_node *n)
{
    struct ioqueue_node *under = ioqueue_heap_pair(n->child);
    if (n == *root) {
        *root = under;
        return;
    }
    if (n->prev->child == n)
        n->prev->child = n->next;
    else
        n->prev->next = n->next;
    if (n->next) n->next->prev = n->prev;
    if (under) *root = ioqueue_heap_link(*root, under);
}

#endif
