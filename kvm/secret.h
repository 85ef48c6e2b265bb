// SPDX-License-Identifier: GPL-3.0-or-later
/* secret.h - what a guest's secret is: bytes that only its key gives, so that who finds them in its memory
 * has read that memory. The guest writes them one after the other from ABI_SECRET on. */
#ifndef VLAB_KVM_SECRET_H
#define VLAB_KVM_SECRET_H

#include "base/rng.h"

static inline uint8_t secret_byte(uint64_t key, uint64_t i)
{
    return (uint8_t)(rng_mix(key + i / 8 * UINT64_C(0x9e3779b97f4a7c15)) >> i % 8 * 8);
}

#endif
