// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy/fund.h"

/* P * (f + k * (1 - f)) times 1 - tax, in millionths. */
static unsigned __int128 cost(const struct fund_claim *c, uint32_t tax_ppm)
{
    int64_t active = c->active < c->pages ? c->active : c->pages;
    return (unsigned __int128)active * (1000000 - tax_ppm) + (unsigned __int128)(c->pages - active) * 1000000;
}

int fund_compare(const struct fund_claim *a, const struct fund_claim *b, uint32_t tax_ppm)
{
    unsigned __int128 left = a->shares * cost(b, tax_ppm), right = b->shares * cost(a, tax_ppm);
    return left < right ? -1 : left > right;
}

uint32_t fund_least(const struct fund_claim *claims, uint32_t n, uint32_t tax_ppm)
{
    uint32_t least = FUND_NONE;
    for (uint32_t i = 0; i < n; i++)
        if (claims[i].pages > 0 &&
            (least == FUND_NONE || fund_compare(&claims[i], &claims[least], tax_ppm) < 0))
            least = i;
    return least;
}
