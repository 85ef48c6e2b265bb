// SPDX-License-Identifier: GPL-3.0-or-later
/* Round robin: the first that will do after the one that was chosen last, around the end. */
#include "policy/place_class.h"

static int64_t score(const struct place_host *h, uint32_t i, uint32_t n, const struct place_ask *ask,
                     uint32_t turn)
{
    (void)h, (void)ask;
    uint32_t after = turn == PLACE_NONE ? i : (i + n - turn - 1) % n;
    return -(int64_t)after;
}

const struct place_class place_round_robin_class = {
    .name = "round-robin",
    .about = "The next host in turn after the last.",
    .score = score,
};
