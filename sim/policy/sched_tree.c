// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/sched_tree.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/rng.h"

uint32_t sched_tree_chance(uint32_t id)
{
    return (uint32_t)(rng_mix((uint64_t)id + 1) >> 32);
}

static inline bool before(const struct sched_node *a, const struct sched_node *b)
{
    return a->key != b->key ? a->key < b->key : a->id < b->id;
}

static inline bool above(const struct sched_node *a, const struct sched_node *b)
{
    return a->chance != b->chance ? a->chance > b->chance : a->id < b->id;
}

static inline struct sched_node *better(struct sched_node *a, struct sched_node *b)
{
    if (!b) return a;
    if (a->second != b->second) return a->second < b->second ? a : b;
    return a->id < b->id ? a : b;
}

static inline void update(struct sched_node *n)
{
    n->best = better(n, n->left ? n->left->best : NULL);
    n->best = better(n->best, n->right ? n->right->best : NULL);
}

/* Divides the subtree t into what comes before n and what comes after it. */
static void split(struct sched_node *t, const struct sched_node *n, struct sched_node **l,
                  struct sched_node **r)
{
    if (!t) {
        *l = *r = NULL;
    } else if (before(t, n)) {
        split(t->right, n, &t->right, r);
        update(t);
        *l = t;
    } else {
        split(t->left, n, l, &t->left);
        update(t);
        *r = t;
    }
}

/* All of l comes before all of r. */
static struct sched_node *merge(struct sched_node *l, struct sched_node *r)
{
    if (!l) return r;
    if (!r) return l;
    struct sched_node *top = above(l, r) ? l : r;
    if (top == l)
        l->right = merge(l->right, r);
    else
        r->left = merge(l, r->left);
    update(top);
    return top;
}

void sched_tree_add(struct sched_node **root, struct sched_node *n)
{
    struct sched_node *t;
    while ((t = *root) && above(t, n)) {
        t->best = better(t->best, n);
        root = before(n, t) ? &t->left : &t->right;
    }
    split(t, n, &n->left, &n->right);
    update(n);
    *root = n;
}

static struct sched_node *del(struct sched_node *t, const struct sched_node *n)
{
    ASSERT(t);
    if (t == n) return merge(t->left, t->right);
    if (before(n, t))
        t->left = del(t->left, n);
    else
        t->right = del(t->right, n);
    if (t->best == n) update(t);
    return t;
}

void sched_tree_del(struct sched_node **root, struct sched_node *n)
{
    *root = del(*root, n);
}

struct sched_node *sched_tree_first(const struct sched_node *root)
{
    struct sched_node *n = (struct sched_node *)root;
    while (n && n->left)
        n = n->left;
    return n;
}

struct sched_node *sched_tree_best(const struct sched_node *root, sched_tree_fits *fits, const void *ctx)
{
    struct sched_node *found = NULL;
    for (struct sched_node *t = (struct sched_node *)root; t;) {
        if (!fits(ctx, t->key)) {
            t = t->left;
            continue;
        }
        found = better(t, found);
        if (t->left) found = better(found, t->left->best);
        t = t->right;
    }
    return found;
}
