// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/rng.h"

/* Odd constants without structure: fractional parts of the golden ratio and of square roots. */
#define MIX_A UINT64_C(0x9e3779b97f4a7c15) /* golden ratio */
#define MIX_B UINT64_C(0xbb67ae8584caa73b) /* sqrt 3 */
#define MIX_C UINT64_C(0x3c6ef372fe94f82a) /* sqrt 5, even on purpose: see rng_at */
#define MIX_D UINT64_C(0xa54ff53a5f1d36f1) /* sqrt 7 */

uint64_t rng_hash_name(const char *name, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    return rng_mix(h);
}

uint64_t rng_key(uint64_t seed, uint64_t name_hash, enum rng_use use)
{
    uint64_t k = rng_mix(seed + MIX_A);
    k = rng_mix(k ^ name_hash);
    return rng_mix(k + (uint64_t)use * MIX_A);
}

/* State and sequence are mixed from two sums that do not depend on each other, so the processor works
 * on both at once. (a, b) -> (sums) is a linear map whose determinant A*D - B*C is odd: no two pairs of
 * one key share both sums. */
struct rng rng_at(uint64_t key, uint64_t a, uint64_t b)
{
    uint64_t turned = key << 32 | key >> 32;
    struct rng r;
    r.state = rng_mix(key + a * MIX_A + b * MIX_B);
    r.inc = rng_mix(turned + a * MIX_C + b * MIX_D) | 1;
    return r;
}
