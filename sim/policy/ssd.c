// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/draw.h"
#include "policy/ssd.h"

uint32_t ssd_die(int64_t position, uint32_t n_dies)
{
    return (uint32_t)(position / SSD_PAGE_BYTES % n_dies);
}

int64_t ssd_pages(int64_t position, int64_t bytes)
{
    if (bytes <= 0) return 0;
    return (position % SSD_PAGE_BYTES + bytes - 1) / SSD_PAGE_BYTES + 1;
}

/* (u - 1) / ln u rises from 0 to 1 with u: halve the interval. draw_log is the same everywhere. */
int64_t ssd_amplification_ppm(int64_t spare_ppm)
{
    if (spare_ppm <= 0) return 1000000;
    const double rho = (double)(1000000 - spare_ppm) / 1e6;
    if (rho <= 0) return 1000000;
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        double u = (low + high) / 2;
        if ((u - 1) / draw_log(u) < rho)
            low = u;
        else
            high = u;
    }
    return (int64_t)(1e6 / (1 - low) + .5);
}
