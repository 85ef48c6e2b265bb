// SPDX-License-Identifier: GPL-3.0-or-later
/* hdd.h - how long a hard disk takes for a request.
 *
 *     ctl + seek(d) + U(0, rotation) + bytes / rate
 * after Ruemmler and Wilkes, "An introduction to disk drive modeling" (1994): d cylinders away,
 * seek(d) = a + b sqrt(d) up to a distance, a' + b' d beyond, 0 for d = 0. A request that begins where the
 * last one ended streams: no seek, no rotation (the drive reads ahead and collects writes). Integer ns,
 * without libm: the same everywhere. Left out: zones, switches of head and cylinder inside a request, the
 * cache, where the platter stands. */
#ifndef VLAB_POLICY_HDD_H
#define VLAB_POLICY_HDD_H

#include <stdint.h>

#include "base/rng.h"

struct hdd_preset {
    const char *name;
    uint32_t cylinders, tracks, sectors; /* tracks a cylinder, sectors a track */
    uint32_t rpm;
    int64_t ctl_ns;
    uint32_t short_max;                /* cylinders */
    int64_t short_ns, short_root_ns;   /* seek: short_ns + short_root_ns * sqrt(d) */
    int64_t long_ns, long_cylinder_ps; /* long_ns + long_cylinder_ps / 1000 * d */
};

#define HDD_SECTOR_BYTES 512

struct hdd {
    const struct hdd_preset *preset;
    int64_t rotation_ns;
    int64_t track_bytes, cylinder_bytes, bytes; /* of the whole disk */
    uint32_t cylinder;                          /* where the head is */
    int64_t end;                                /* byte behind the last one served; -1: none */
};

/* 0: HP 97560, 1: a 7200 rpm SATA disk of 1 TB; as enum sc_hdd. NULL after the last. */
const struct hdd_preset *hdd_preset_at(uint32_t i);
void hdd_init(struct hdd *h, const struct hdd_preset *p);
int64_t hdd_seek_ns(const struct hdd_preset *p, uint32_t cylinders);
int64_t hdd_transfer_ns(const struct hdd *h, int64_t bytes);
/* Serves `bytes` (>= 0) from byte `position` (>= 0; beyond the disk's end it wraps round) on. */
int64_t hdd_serve_ns(struct hdd *h, int64_t position, int64_t bytes, struct rng *r);
/* What a request at a random place takes in the mean, exactly summed over all distances: to the nearest ns.
 */
int64_t hdd_mean_random_ns(const struct hdd *h, int64_t bytes);

#endif
