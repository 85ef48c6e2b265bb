// SPDX-License-Identifier: GPL-3.0-or-later
/* Names that maps of a list state under some key, each once, in order. */
#include <string.h>

#include "scenario/reader.h"

uint32_t reader_index(const char *const *names, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(names[i], name)) return i;
    return SC_NONE;
}

/* Puts a name where it belongs in order, if it is new. */
static void collect(const char **names, uint32_t *n, const char *name)
{
    if (reader_index(names, *n, name) != SC_NONE) return;
    uint32_t i = (*n)++;
    for (; i > 0 && strcmp(names[i - 1], name) > 0; i--)
        names[i] = names[i - 1];
    names[i] = name;
}

const char *const *reader_names(struct reader *r, const struct node *list, const char *key, uint32_t *n)
{
    uint32_t room = 1;
    for (uint32_t i = 0; list && i < list->n; i++) {
        const struct node *v =
            list->items[i]->kind == NODE_MAP ? tree_get(list->items[i], key, strlen(key)) : NULL;
        room += v ? v->n + 1 : 0;
    }
    const char **names = arena_array(r->a, room, sizeof *names);
    *n = 0;
    for (uint32_t i = 0; list && i < list->n; i++) {
        if (list->items[i]->kind != NODE_MAP) continue;
        const struct node *v = tree_get(list->items[i], key, strlen(key));
        if (v && v->kind == NODE_SCALAR && !v->bad) collect(names, n, v->text);
        for (uint32_t k = 0; v && v->kind == NODE_LIST && k < v->n; k++)
            if (v->items[k]->kind == NODE_SCALAR && !v->items[k]->bad) collect(names, n, v->items[k]->text);
    }
    return names;
}
