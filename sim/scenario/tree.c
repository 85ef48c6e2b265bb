// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct node *tree_clone(struct arena *a, const struct node *n)
{
    struct node *c = arena_alloc(a, sizeof *c);
    *c = *n;
    c->bad = false;
    c->room = n->n;
    if (n->n) c->items = arena_array(a, n->n, sizeof c->items[0]);
    if (n->n && n->keys) c->keys = arena_array(a, n->n, sizeof c->keys[0]);
    for (uint32_t i = 0; i < n->n; i++) {
        c->items[i] = tree_clone(a, n->items[i]);
        if (n->keys) c->keys[i] = tree_clone(a, n->keys[i]);
    }
    return c;
}

static uint32_t find(const struct node *map, const char *key, size_t len)
{
    if (map->kind != NODE_MAP) return UINT32_MAX;
    for (uint32_t i = 0; i < map->n; i++)
        if (map->keys[i]->len == len && !memcmp(map->keys[i]->text, key, len)) return i;
    return UINT32_MAX;
}

struct node *tree_get(const struct node *map, const char *key, size_t len)
{
    uint32_t i = find(map, key, len);
    return i == UINT32_MAX ? NULL : map->items[i];
}

struct node *tree_key(const struct node *map, const char *key)
{
    uint32_t i = find(map, key, strlen(key));
    return i == UINT32_MAX ? NULL : map->keys[i];
}

struct node *tree_scalar(struct arena *a, const char *text, struct diag_mark mark, const char *origin)
{
    struct node *n = arena_alloc(a, sizeof *n);
    n->kind = NODE_SCALAR;
    n->plain = true;
    n->len = strlen(text);
    n->text = arena_dup(a, text, n->len);
    n->mark = mark;
    n->origin = origin;
    n->weight = 1;
    return n;
}

void tree_put(struct arena *a, struct node *map, const char *key, struct node *value)
{
    uint32_t i = find(map, key, strlen(key));
    if (i != UINT32_MAX) {
        map->items[i] = value;
        return;
    }
    if (map->n >= map->room) {
        uint32_t room = map->room ? 2 * map->room : 4;
        struct node **items = arena_array(a, room, sizeof *items),
                    **keys = arena_array(a, room, sizeof *keys);
        if (map->n) memcpy(items, map->items, map->n * sizeof *items);
        if (map->n) memcpy(keys, map->keys, map->n * sizeof *keys);
        map->items = items;
        map->keys = keys;
        map->room = room;
    }
    map->keys[map->n] = tree_scalar(a, key, value->mark, value->origin);
    map->items[map->n++] = value;
}

void tree_drop(struct node *map, const char *key)
{
    uint32_t i = find(map, key, strlen(key));
    if (i == UINT32_MAX) return;
    map->n--;
    for (; i < map->n; i++) {
        map->items[i] = map->items[i + 1];
        map->keys[i] = map->keys[i + 1];
    }
}

bool tree_is(const struct node *n, const char *word)
{
    return n && n->kind == NODE_SCALAR && n->len == strlen(word) && !memcmp(n->text, word, n->len);
}

bool tree_error(struct diag *d, struct node *n, const char *fmt, ...)
{
    if (n->bad) return false;
    n->bad = true;
    char text[800];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n->origin)
        diag_add(d, (struct diag_mark){0}, "in `%.200s`: %s", n->origin, text);
    else
        diag_add(d, n->mark, "%s", text);
    return true;
}
