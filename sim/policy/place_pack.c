// SPDX-License-Identifier: GPL-3.0-or-later
/* Pack: best fit, and the manager switches off what stays empty. Consolidation for the sake of power. */
#include "policy/place_class.h"

static int64_t score(const struct place_host *h, uint32_t i, uint32_t n, const struct place_ask *ask,
                     uint32_t turn)
{
    (void)i, (void)n, (void)turn;
    return place_dominant(h, ask->want);
}

const struct place_class place_pack_class = {
    .name = "pack-and-power-off",
    .about = "Best fit on hosts that are on; those left empty are switched off.",
    .score = score,
    .powers_off = true,
};
