// SPDX-License-Identifier: GPL-3.0-or-later
/* scale.h - how many VMs a group should have: threshold and target-tracking autoscaling. Pure.
 *
 * Threshold: above `above`, `add` more; below `below`, `remove` fewer. Target tracking: as many as bring the
 * metric to `target` if it goes down in proportion, ceil(n metric / target). Never below the least or above
 * the most, never within `cooldown` of the last change. VMs that boot count as there, so a slow boot is not
 * answered twice. */
#ifndef VLAB_POLICY_SCALE_H
#define VLAB_POLICY_SCALE_H

#include <stdbool.h>
#include <stdint.h>

struct scale_cfg {
    int64_t above_u, below_u, target_u; /* millionths; -1: not stated */
    uint32_t add, remove, least, most;
    int64_t cooldown_ns;
};

struct scale {
    int64_t changed_ns; /* when it last changed; -1: never */
};

/* How many more (below 0: fewer) at `now`, with n there (booting ones too) and the metric's mean over them.
 */
int64_t scale_decide(struct scale *s, const struct scale_cfg *cfg, uint32_t n, int64_t metric_u, int64_t now);

#endif
