// SPDX-License-Identifier: GPL-3.0-or-later
/* net_map.h - from a 64-bit key to a small number: open addressing, linear probes, O(1).
 *
 * What the network looks up: the route between two endpoints, a sender at a link, a connection behind nat.
 * What is looked up by key alone has no order, so nothing that a run shows depends on it. Begins all 0. */
#ifndef VLAB_MODEL_NET_MAP_H
#define VLAB_MODEL_NET_MAP_H

#include <stdint.h>

#define NET_MAP_NONE UINT32_MAX

struct net_map {
    uint64_t *keys;
    uint32_t *values; /* NET_MAP_NONE: a free place */
    uint32_t n, cap;  /* cap: a power of two, at least twice n */
};

/* NET_MAP_NONE: not there. */
uint32_t net_map_find(const struct net_map *m, uint64_t key);
/* The key is not there yet; value is not NET_MAP_NONE. Allocates only to grow. */
void net_map_put(struct net_map *m, uint64_t key, uint32_t value);
/* The key is there. */
void net_map_drop(struct net_map *m, uint64_t key);
void net_map_done(struct net_map *m);

#endif
