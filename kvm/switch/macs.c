// SPDX-License-Identifier: GPL-3.0-or-later
/* Open addressing with linear probes; a place that becomes free is filled from behind, so no probe ends too
 * early and none is longer than the stations there are. */
#include "kvm/switch/macs.h"

#include "base/rng.h"

#define PINNED INT64_MAX

static uint64_t key_of(const uint8_t *mac)
{
    uint64_t k = 0;
    for (unsigned i = 0; i < NET_MAC; i++)
        k = k << 8 | mac[i];
    return k + 1;
}

static uint32_t home(uint64_t key)
{
    return (uint32_t)rng_mix(key) & (MACS_PLACES - 1);
}

/* Its place, or the free one where it would go. */
static uint32_t place(const struct macs *m, uint64_t key)
{
    uint32_t i = home(key);
    while (m->places[i].mac != 0 && m->places[i].mac != key)
        i = (i + 1) & (MACS_PLACES - 1);
    return i;
}

static void forget(struct macs *m, uint32_t hole)
{
    m->n[m->places[hole].port]--;
    m->places[hole].mac = 0;
    for (uint32_t i = (hole + 1) & (MACS_PLACES - 1); m->places[i].mac != 0;
         i = (i + 1) & (MACS_PLACES - 1)) {
        uint32_t from = home(m->places[i].mac);
        if (((i - from) & (MACS_PLACES - 1)) < ((i - hole) & (MACS_PLACES - 1))) continue;
        m->places[hole] = m->places[i];
        m->places[i].mac = 0;
        hole = i;
    }
}

/* Room for one more station of the port, if need be by forgetting those that were silent for long. */
static bool has_room(struct macs *m, uint32_t port, int64_t now)
{
    for (uint32_t i = 0; m->n[port] >= MACS_A_PORT && i < MACS_PLACES; i++)
        if (m->places[i].mac != 0 && m->places[i].port == port && now - m->places[i].seen_ns >= MACS_AGE_NS)
            forget(m, i);
    return m->n[port] < MACS_A_PORT;
}

void macs_pin(struct macs *m, const uint8_t *mac, uint32_t port)
{
    uint32_t i = place(m, key_of(mac));
    if (m->places[i].mac != 0) m->n[m->places[i].port]--;
    m->places[i] = (struct macs_place){.mac = key_of(mac), .seen_ns = PINNED, .port = port};
    m->n[port]++;
}

uint32_t macs_pinned(const struct macs *m, const uint8_t *mac)
{
    const struct macs_place *p = &m->places[place(m, key_of(mac))];
    return p->mac != 0 && p->seen_ns == PINNED ? p->port : MACS_NONE;
}

bool macs_learn(struct macs *m, const uint8_t *mac, uint32_t port, int64_t now)
{
    uint64_t key = key_of(mac);
    uint32_t i = place(m, key);
    if (m->places[i].mac == key && m->places[i].seen_ns == PINNED) return false;
    if (m->places[i].mac == key && m->places[i].port == port) {
        m->places[i].seen_ns = now;
        return false;
    }
    if (!has_room(m, port, now)) return false;
    i = place(m, key); /* what was forgotten may have moved it */
    if (m->places[i].mac == key) m->n[m->places[i].port]--;
    m->places[i] = (struct macs_place){.mac = key, .seen_ns = now, .port = port};
    m->n[port]++;
    return true;
}

uint32_t macs_find(struct macs *m, const uint8_t *mac, int64_t now)
{
    uint32_t i = place(m, key_of(mac));
    if (m->places[i].mac == 0) return MACS_NONE;
    if (m->places[i].seen_ns == PINNED || now - m->places[i].seen_ns < MACS_AGE_NS) return m->places[i].port;
    forget(m, i);
    return MACS_NONE;
}
