// SPDX-License-Identifier: GPL-3.0-or-later
/* Least loaded: the least measured CPU load as a share of the host, then the least promised of it. Right
 * after a start nothing is measured, and promises decide; and many VMs that come at once see the same loads,
 * without what is promised they would all go to one host. */
#include "policy/place_class.h"

static int64_t score(const struct place_host *h, uint32_t i, uint32_t n, const struct place_ask *ask,
                     uint32_t turn)
{
    (void)i, (void)n, (void)turn;
    int64_t load = h->load_ppm > 0 && h->have[PLACE_CPU] > 0
                       ? (int64_t)((__int128)h->load_ppm * 1000000 / h->have[PLACE_CPU])
                       : 0;
    int64_t share = place_share(h, PLACE_CPU, ask->want[PLACE_CPU]);
    if (load > 1000000) load = 1000000; /* no more than all of it can be measured */
    /* What is promised decides only between equal loads. */
    return -(load * 1000000000 + (share < 999999999 ? share : 999999999));
}

const struct place_class place_least_loaded_class = {
    .name = "least-loaded",
    .about = "The host whose CPUs are least busy, as measured.",
    .score = score,
};
