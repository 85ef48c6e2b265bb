// SPDX-License-Identifier: GPL-3.0-or-later
/* rng.h - streams of random numbers: PCG32 (O'Neill 2014, XSH-RR 64/32), one stream for each use.
 *
 * A stream's key is made of the run's seed, the hash of an entity's NAME and the use it is put to;
 * neither the order of a file nor the presence of another VM changes anyone's numbers. A request or
 * an iteration begins a stream of its own (rng_at), so its draws do not depend on who served it or
 * when: the same in the simulator, in a guest, and with the VM alone on its host.
 *
 * Freestanding: the same source is compiled into the guest. */
#ifndef VLAB_BASE_RNG_H
#define VLAB_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
    uint64_t inc; /* odd: selects the sequence */
};

enum rng_use { RNG_STEPS = 1, RNG_ARRIVAL, RNG_THINK, RNG_TIE, RNG_FAILURE, RNG_REQUESTS, RNG_SECRET };

uint64_t rng_hash_name(const char *name, size_t len);                  /* FNV-1a, then mixed */
uint64_t rng_key(uint64_t seed, uint64_t name_hash, enum rng_use use); /* one entity's one use */
struct rng rng_at(uint64_t key, uint64_t a, uint64_t b);               /* its stream number (a, b) */

/* The splitmix64 finalizer: a bijection in which each input bit moves every output bit. */
static inline uint64_t rng_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint32_t rng_u32(struct rng *r)
{
    uint64_t old = r->state;
    r->state = old * 6364136223846793005u + r->inc;
    uint32_t x = (uint32_t)(((old >> 18) ^ old) >> 27);
    uint32_t rot = (uint32_t)(old >> 59);
    return (x >> rot) | (x << ((32 - rot) & 31));
}

#endif
