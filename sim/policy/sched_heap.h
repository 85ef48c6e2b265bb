// SPDX-License-Identifier: GPL-3.0-or-later
/* sched_heap.h - the least of a set of nodes: a pairing heap (Fredman, Sedgewick, Sleator and Tarjan 1986).
 *
 * Ordered by (key, id), which is total: who comes out next does not depend on who came in when. Half the
 * cost of sched_tree.h where only the least is asked for. Adding takes O(1), taking out O(log n) amortized.
 */
#ifndef VLAB_POLICY_SCHED_HEAP_H
#define VLAB_POLICY_SCHED_HEAP_H

#include <stddef.h>

#include "base/assert.h"
#include "policy/sched_tree.h"

/* In a heap a node's left is its first child, right its next sibling, best its previous one or its parent. */
static inline struct sched_node *sched_heap_link(struct sched_node *a, struct sched_node *b)
{
    ASSUME(a && b);
    if (b->key < a->key || (b->key == a->key && b->id < a->id)) {
        struct sched_node *t = a;
        a = b;
        b = t;
    }
    b->right = a->left;
    if (b->right) b->right->best = b;
    b->best = a;
    a->left = b;
    return a;
}

/* Children in pairs, then the pairs from the last to the first. */
static inline struct sched_node *sched_heap_pair(struct sched_node *n)
{
    struct sched_node *pairs = NULL, *root;
    while (n) {
        struct sched_node *a = n, *b = n->right;
        n = b ? b->right : NULL;
        if (b) a = sched_heap_link(a, b);
        a->right = pairs;
        pairs = a;
    }
    if (!(root = pairs)) return NULL;
    pairs = pairs->right;
    while (pairs) {
        struct sched_node *next = pairs->right;
        root = sched_heap_link(root, pairs);
        pairs = next;
    }
    root->right = root->best = NULL;
    return root;
}

static inline void sched_heap_add(struct sched_node **root, struct sched_node *n)
{
    n->left = n->right = n->best = NULL;
    *root = *root ? sched_heap_link(*root, n) : n;
}

static inline void sched_heap_del(struct sched_node **root, struct sched_node *n)
{
    struct sched_node *under = sched_heap_pair(n->left);
    if (n == *root) {
        *root = under;
        return;
    }
    if (n->best->left == n)
        n->best->left = n->right;
    else
        n->best->right = n->right;
    if (n->right) n->right->best = n->best;
    if (under) *root = sched_heap_link(*root, under);
}

#endif
