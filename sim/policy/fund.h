// SPDX-License-Identifier: GPL-3.0-or-later
/* fund.h - min-funding revocation: from which VM a page is taken, where several hold some.
 *
 * Memory is taken from whoever pays least for a page. A VM of S shares that holds P pages, of which the
 * fraction f is in use, pays for each
 *
 *     rho = S / (P * (f + k * (1 - f))),    k = 1 / (1 - tax)
 *
 * so with a tax of 75 % an idle page costs as much as four in use, and with 0 % only shares count
 * (Waldspurger, OSDI 2002). Two rho are compared by their cross products in 128 bits: exact. Ties go to the
 * one that stands first. Pure: the caller owns the claims.
 *
 * Pages and pages in use may be in any unit that is one for all claims (a sampled estimate has millionths).
 */
#ifndef VLAB_POLICY_FUND_H
#define VLAB_POLICY_FUND_H

#include <stdint.h>

#define FUND_NONE UINT32_MAX

struct fund_claim {
    uint32_t shares; /* at least 1 */
    int64_t pages;   /* held; 0: nothing to take from it. At most 2^57 */
    int64_t active;  /* of them, in use; more than it holds counts as all */
};

/* Who pays least; FUND_NONE: nobody holds any. tax_ppm at most 999999. O(n). */
uint32_t fund_least(const struct fund_claim *claims, uint32_t n, uint32_t tax_ppm);
/* The sign of rho(a) - rho(b), both holding pages. */
int fund_compare(const struct fund_claim *a, const struct fund_claim *b, uint32_t tax_ppm);

#endif
