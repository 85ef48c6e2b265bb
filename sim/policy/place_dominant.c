// SPDX-License-Identifier: GPL-3.0-or-later
/* Dominant share: of CPU and memory the one that would be more used counts, and where that is least the VM
 * goes. Dominant resource fairness (Ghodsi et al., NSDI 2011) turned from users to hosts: a VM that wants
 * much memory goes where CPU is short, and the other way round. */
#include "policy/place_class.h"

static int64_t score(const struct place_host *h, uint32_t i, uint32_t n, const struct place_ask *ask,
                     uint32_t turn)
{
    (void)i, (void)n, (void)turn;
    return -place_dominant(h, ask->want);
}

const struct place_class place_dominant_class = {
    .name = "dominant-share",
    .about = "The host whose most used resource stays least used.",
    .score = score,
};
