// SPDX-License-Identifier: GPL-3.0-or-later
/* Best fit: where the scarcest resource is fullest afterwards, so that large gaps stay whole. */
#include "policy/place_class.h"

static int64_t score(const struct place_host *h, uint32_t i, uint32_t n, const struct place_ask *ask,
                     uint32_t turn)
{
    (void)i, (void)n, (void)turn;
    return place_dominant(h, ask->want);
}

const struct place_class place_best_fit_class = {
    .name = "best-fit",
    .about = "The host that it leaves the least room on.",
    .score = score,
};
