// SPDX-License-Identifier: GPL-3.0-or-later
/* sched_tree.h - an ordered set of nodes that lie inside other things: a treap.
 *
 * Ordered by (key, id); its shape depends on the keys and ids alone, never on the order of calls, so it
 * keeps determinism. Each subtree also knows its node of least (second, id): that answers "the earliest
 * deadline among those with key up to x" in one descent. All operations take O(log n) expected. */
#ifndef VLAB_POLICY_SCHED_TREE_H
#define VLAB_POLICY_SCHED_TREE_H

#include <stdbool.h>
#include <stdint.h>

struct sched_node {
    struct sched_node *left, *right;
    struct sched_node *best; /* of least second in this subtree */
    int64_t key;
    int64_t second;
    uint32_t id;     /* unique in a tree */
    uint32_t chance; /* heap order of the treap, sched_tree_chance(id) */
};

uint32_t sched_tree_chance(uint32_t id);
void sched_tree_add(struct sched_node **root, struct sched_node *n);
void sched_tree_del(struct sched_node **root, struct sched_node *n); /* its key as it was when added */
struct sched_node *sched_tree_first(const struct sched_node *root);  /* NULL: empty */

/* The node of least second among those that fits() accepts; fits must accept each key below one it accepts.
 */
typedef bool sched_tree_fits(const void *ctx, int64_t key);
struct sched_node *sched_tree_best(const struct sched_node *root, sched_tree_fits *fits, const void *ctx);

#endif
