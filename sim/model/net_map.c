// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/net_map.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/rng.h"

static uint32_t home(const struct net_map *m, uint64_t key)
{
    return (uint32_t)rng_mix(key) & (m->cap - 1);
}

/* The key's place, or the free one where it would go. */
static uint32_t place(const struct net_map *m, uint64_t key)
{
    uint32_t i = home(m, key);
    while (m->values[i] != NET_MAP_NONE && m->keys[i] != key)
        i = (i + 1) & (m->cap - 1);
    return i;
}

uint32_t net_map_find(const struct net_map *m, uint64_t key)
{
    return m->cap ? m->values[place(m, key)] : NET_MAP_NONE;
}

static void grow(struct net_map *m)
{
    struct net_map old = *m;
    m->cap = old.cap ? 2 * old.cap : 16;
    m->keys = malloc(m->cap * sizeof *m->keys);
    m->values = malloc(m->cap * sizeof *m->values);
    ASSERT(m->keys && m->values);
    for (uint32_t i = 0; i < m->cap; i++)
        m->values[i] = NET_MAP_NONE;
    for (uint32_t i = 0; i < old.cap; i++) {
        if (old.values[i] == NET_MAP_NONE) continue;
        uint32_t to = place(m, old.keys[i]);
        m->keys[to] = old.keys[i];
        m->values[to] = old.values[i];
    }
    net_map_done(&old);
}

void net_map_put(struct net_map *m, uint64_t key, uint32_t value)
{
    ASSERT(value != NET_MAP_NONE);
    if (2 * (m->n + 1) > m->cap) grow(m);
    uint32_t i = place(m, key);
    ASSERT(m->values[i] == NET_MAP_NONE);
    m->keys[i] = key;
    m->values[i] = value;
    m->n++;
}

void net_map_drop(struct net_map *m, uint64_t key)
{
    uint32_t hole = place(m, key);
    ASSERT(m->values[hole] != NET_MAP_NONE);
    m->n--;
    /* Whoever stands behind the hole and could stand in it moves there, so that no probe ends too early. */
    for (uint32_t i = hole;;) {
        m->values[hole] = NET_MAP_NONE;
        for (;;) {
            i = (i + 1) & (m->cap - 1);
            if (m->values[i] == NET_MAP_NONE) return;
            uint32_t from = home(m, m->keys[i]);
            if (((i - from) & (m->cap - 1)) >= ((i - hole) & (m->cap - 1))) break;
        }
        m->keys[hole] = m->keys[i];
        m->values[hole] = m->values[i];
        hole = i;
    }
}

void net_map_done(struct net_map *m)
{
    free(m->keys);
    free(m->values);
    *m = (struct net_map){0};
}
