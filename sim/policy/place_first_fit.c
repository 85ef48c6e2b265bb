// SPDX-License-Identifier: GPL-3.0-or-later
/* First fit: no host is better than another, so the first that will do is taken. Cheap, and packs the low
 * numbers. */
#include "policy/place_class.h"

static int64_t score(const struct place_host *h, uint32_t i, uint32_t n, const struct place_ask *ask,
                     uint32_t turn)
{
    (void)h, (void)i, (void)n, (void)ask, (void)turn;
    return 0; /* the first of equals */
}

const struct place_class place_first_fit_class = {
    .name = "first-fit",
    .about = "The first host in order that has room.",
    .score = score,
};
