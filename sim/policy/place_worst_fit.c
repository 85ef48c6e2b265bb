// SPDX-License-Identifier: GPL-3.0-or-later
/* Worst fit: where the scarcest resource has most room before the VM comes, whatever the VM wants: it
 * spreads. (What is left after it came is dominant-share's question.) */
#include "policy/place_class.h"

static int64_t score(const struct place_host *h, uint32_t i, uint32_t n, const struct place_ask *ask,
                     uint32_t turn)
{
    (void)i, (void)n, (void)ask, (void)turn;
    return -place_dominant(h, NULL);
}

const struct place_class place_worst_fit_class = {
    .name = "worst-fit",
    .about = "The host that has the most room before it comes.",
    .score = score,
};
