// SPDX-License-Identifier: GPL-3.0-or-later
/* place_class.h - how to write a placement policy: one file, one question.
 *
 * The frame (place.c) goes over the hosts in the order of their numbers, leaves out those that the VM may not
 * go to (place_may) and asks the policy of each of the others how good it is; the greatest answer wins, of
 * equal ones the first. Hosts that are off are compared only where no host that is on will do. Pure: no state
 * but *turn, the number of the host that was last chosen (PLACE_NONE: none yet).
 *
 * A new policy is a file place_NAME.c that defines place_NAME_class, and a line in place.c. Answers are
 * exact: shares are compared as ppm rounded down, so that ties are ties. */
#ifndef VLAB_POLICY_PLACE_CLASS_H
#define VLAB_POLICY_PLACE_CLASS_H

#include "policy/place.h"

struct place_class {
    const char *name, *about;
    bool powers_off;
    /* How good host number i is for what is asked, with n hosts in all. */
    int64_t (*score)(const struct place_host *h, uint32_t i, uint32_t n, const struct place_ask *ask,
                     uint32_t turn);
};

extern const struct place_class place_first_fit_class, place_best_fit_class, place_worst_fit_class,
    place_round_robin_class, place_least_loaded_class, place_pack_class, place_dominant_class;

/* What is promised of a resource with the VM there, in ppm of what the host has; 0 where it states none. */
static inline int64_t place_share(const struct place_host *h, int r, int64_t want)
{
    if (h->have[r] <= 0) return 0;
    return (int64_t)(((__int128)h->promised[r] + want) * 1000000 / h->have[r]);
}

/* The most used resource's share then. */
static inline int64_t place_dominant(const struct place_host *h, const int64_t *want)
{
    int64_t most = INT64_MIN;
    for (int r = 0; r < PLACE_NRES; r++) {
        int64_t share = place_share(h, r, want ? want[r] : 0);
        if (share > most) most = share;
    }
    return most;
}

#endif
