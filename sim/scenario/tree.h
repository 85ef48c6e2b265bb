// SPDX-License-Identifier: GPL-3.0-or-later
/* tree.h - one YAML document as nodes that know where they stand.
 *
 * Read from libyaml's events, with what libyaml lets pass refused: duplicate keys, aliases that lead back
 * to themselves or unfold without end, trees too deep, second documents, explicit tags, bytes that are
 * not UTF-8. Scalars stay text: what `on` or `10ms` means is for the key table to say.
 * All of it lives in the arena that is passed in. An aliased node is one node in several places until
 * tree_clone has unfolded it. */
#ifndef VLAB_SCENARIO_TREE_H
#define VLAB_SCENARIO_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"

#define TREE_MAX_DEPTH 32
#define TREE_MAX_NODES 200000u /* aliases unfolded */
#define TREE_MAX_BYTES ((size_t)8 << 20)

enum node_kind { NODE_SCALAR, NODE_MAP, NODE_LIST };

struct node {
    enum node_kind kind;
    bool plain; /* a scalar without quotes */
    bool bad;   /* its mistake has been told */
    struct diag_mark mark;
    const char *origin; /* where it was given, if not in the file: "--set vms.db.vcpus=2" */
    const char *text;   /* scalar: NUL-terminated; a NUL inside cannot be (libyaml refuses it) */
    size_t len;
    struct node **items; /* map, list */
    struct node **keys;  /* map */
    uint32_t n, room;
    uint32_t weight, height; /* of what hangs here, aliases unfolded */
};

/* NULL: d says why. `empty` is what to call a document that is not a map: "a scenario". */
struct node *tree_read(struct arena *a, const char *text, size_t len, const char *what, struct diag *d);
/* One value, of any kind. */
struct node *tree_read_value(struct arena *a, const char *text, size_t len, struct diag *d);
struct node *tree_clone(struct arena *a, const struct node *n);
struct node *tree_get(const struct node *map, const char *key, size_t len); /* NULL: none */
struct node *tree_key(const struct node *map, const char *key);             /* the key's own node */
struct node *tree_scalar(struct arena *a, const char *text, struct diag_mark mark, const char *origin);
/* Puts or replaces. */
void tree_put(struct arena *a, struct node *map, const char *key, struct node *value);
void tree_drop(struct node *map, const char *key);
bool tree_is(const struct node *n, const char *word); /* a scalar that says so */
/* A mistake at a node, told once: a node already bad is passed over, and false returned. */
__attribute__((format(printf, 3, 4))) bool tree_error(struct diag *d, struct node *n, const char *fmt, ...);

#endif
