// SPDX-License-Identifier: GPL-3.0-or-later
/* ssd.h - where an address of an SSD lies, and what its garbage costs.
 *
 * Flash pages are striped over all dies: page i lies on die i mod (channels * dies), channels first, so that
 * neighbours can be read at once. Writes turn up garbage: with a share `spare` of the flash kept back, rho =
 * 1 - spare of it is in use, a block to be erased is still full to u, and each page written costs WA page
 * writes:
 *
 *     WA = 1 / (1 - u),    rho = (u - 1) / ln u
 *
 * Uniform writes, blocks cleaned in the order they were filled (Menon 1995, Desnoyers 2012). */
#ifndef VLAB_POLICY_SSD_H
#define VLAB_POLICY_SSD_H

#include <stdint.h>

#define SSD_PAGE_BYTES      4096
#define SSD_PAGES_PER_BLOCK 256

/* The die (0 .. n_dies - 1) that the flash page at byte `position` (>= 0) lies on. */
uint32_t ssd_die(int64_t position, uint32_t n_dies);
/* The pages that `bytes` from `position` on touch: they lie on as many dies in turn. 0 for 0 bytes. */
int64_t ssd_pages(int64_t position, int64_t bytes);
/* WA in millionths, 1000000 or more; spare_ppm 0: no garbage is modelled, 1000000. */
int64_t ssd_amplification_ppm(int64_t spare_ppm);

#endif
