// SPDX-License-Identifier: GPL-3.0-or-later
#include <stddef.h>

#include "base/assert.h"
#include "policy/hdd.h"

static const struct hdd_preset presets[] = {
    /* Ruemmler and Wilkes 1994, table 1 and figure 4. */
    {.name = "hp97560",
     .cylinders = 1962,
     .tracks = 19,
     .sectors = 72,
     .rpm = 4002,
     .ctl_ns = 2200000,
     .short_max = 383,
     .short_ns = 3240000,
     .short_root_ns = 400000,
     .long_ns = 8000000,
     .long_cylinder_ps = 8000000},
    /* No one disk: 1 TB at 130 MB/s, track to track 1 ms, full stroke 17 ms, random seeks 8.5 ms in the mean,
     * as data sheets of such disks say (check); root and line meet at short_max with the same slope. */
    {.name = "sata7200",
     .cylinders = 230000,
     .tracks = 4,
     .sectors = 2116,
     .rpm = 7200,
     .ctl_ns = 200000,
     .short_max = 72000,
     .short_ns = 1000000,
     .short_root_ns = 28433,
     .long_ns = 4814700,
     .long_cylinder_ps = 52982},
};

const struct hdd_preset *hdd_preset_at(uint32_t i)
{
    return i < sizeof presets / sizeof presets[0] ? &presets[i] : NULL;
}

void hdd_init(struct hdd *h, const struct hdd_preset *p)
{
    *h = (struct hdd){.preset = p, .end = -1};
    h->rotation_ns = (INT64_C(60000000000) + p->rpm / 2) / p->rpm;
    h->track_bytes = (int64_t)p->sectors * HDD_SECTOR_BYTES;
    h->cylinder_bytes = h->track_bytes * p->tracks;
    h->bytes = h->cylinder_bytes * p->cylinders;
}

/* The largest integer whose square is not above x. */
static uint64_t root(uint64_t x)
{
    uint64_t r = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((r + bit) * (r + bit) <= x) r += bit;
    return r;
}

int64_t hdd_seek_ns(const struct hdd_preset *p, uint32_t cylinders)
{
    if (!cylinders) return 0;
    if (cylinders > p->short_max) return p->long_ns + p->long_cylinder_ps * cylinders / 1000;
    uint64_t b = (uint64_t)p->short_root_ns;
    return p->short_ns + (int64_t)root(b * b * cylinders);
}

int64_t hdd_transfer_ns(const struct hdd *h, int64_t bytes)
{
    __int128 t = (__int128)bytes * INT64_C(60000000000);
    return (int64_t)(t / ((int64_t)h->preset->rpm * h->track_bytes));
}

/* 0 .. n-1, each as likely, by whole products: Lemire's without rejecting, off by n / 2^64. */
static int64_t below(struct rng *r, int64_t n)
{
    uint64_t u = (uint64_t)rng_u32(r) << 32;
    u |= rng_u32(r);
    return (int64_t)((unsigned __int128)u * (uint64_t)n >> 64);
}

int64_t hdd_serve_ns(struct hdd *h, int64_t position, int64_t bytes, struct rng *r)
{
    ASSERT(position >= 0 && bytes >= 0);
    position %= h->bytes;
    int64_t t = h->preset->ctl_ns + hdd_transfer_ns(h, bytes);
    if (position != h->end) {
        uint32_t c = (uint32_t)(position / h->cylinder_bytes);
        t += hdd_seek_ns(h->preset, c > h->cylinder ? c - h->cylinder : h->cylinder - c);
        t += below(r, h->rotation_ns);
    }
    h->end = (position + bytes) % h->bytes;
    /* The head is where the last byte was. */
    h->cylinder = (uint32_t)((bytes ? position + bytes - 1 : position) % h->bytes / h->cylinder_bytes);
    return t;
}

int64_t hdd_mean_random_ns(const struct hdd *h, int64_t bytes)
{
    const int64_t n = h->preset->cylinders;
    __int128 sum = 0; /* a distance d > 0 has 2(n - d) of n^2 pairs */
    for (int64_t d = 1; d < n; d++)
        sum += (__int128)(2 * (n - d)) * hdd_seek_ns(h->preset, (uint32_t)d);
    __int128 pairs = (__int128)n * n;
    return (int64_t)((sum + pairs / 2) / pairs) + h->preset->ctl_ns + (h->rotation_ns - 1) / 2 +
           hdd_transfer_ns(h, bytes);
}
