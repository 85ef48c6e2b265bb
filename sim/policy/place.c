// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "policy/place_class.h"

static const struct place_class *const classes[] = {
    &place_first_fit_class,    &place_best_fit_class, &place_worst_fit_class, &place_round_robin_class,
    &place_least_loaded_class, &place_pack_class,     &place_dominant_class,
};
#define N_CLASSES (sizeof classes / sizeof classes[0])

const struct place_class *place_at(size_t i)
{
    return i < N_CLASSES ? classes[i] : NULL;
}

const struct place_class *place_find(const char *name)
{
    for (size_t i = 0; i < N_CLASSES; i++)
        if (!strcmp(classes[i]->name, name)) return classes[i];
    return NULL;
}

const char *place_name(const struct place_class *p)
{
    return p->name;
}

const char *place_about(const struct place_class *p)
{
    return p->about;
}

bool place_powers_off(const struct place_class *p)
{
    return p->powers_off;
}

static bool room(const struct place_host *h, const int64_t *want, int r)
{
    return want[r] <= 0 || h->most[r] == PLACE_NO_BOUND || want[r] <= h->most[r] - h->promised[r];
}

enum rec_why place_may(const struct place_host *h, uint32_t host, const struct place_ask *ask)
{
    if (!h->usable) return REC_WHY_HOST_OFF;
    if (ask->features & ~h->features) return REC_WHY_FEATURES;
    enum rec_why why = ask->may ? ask->may(ask->ctx, host) : REC_WHY_NONE;
    if (why) return why;
    if (!room(h, ask->want, PLACE_CPU)) return REC_WHY_CPU;
    if (!room(h, ask->want, PLACE_MEM)) return REC_WHY_MEMORY;
    return REC_WHY_NONE;
}

/* How near a host came: place_may's questions in order, the later the nearer. */
static int nearness(enum rec_why why)
{
    switch (why) {
    case REC_WHY_HOST_OFF: return 1;
    case REC_WHY_FEATURES: return 2;
    case REC_WHY_CPU: return 4;
    case REC_WHY_MEMORY: return 5;
    default: return 3;
    }
}

uint32_t place_pick(const struct place_class *p, const struct place_host *hosts, uint32_t n,
                    const struct place_ask *ask, uint32_t *turn, enum rec_why *why)
{
    uint32_t best = PLACE_NONE;
    int64_t best_score = 0;
    int nearest = 0;
    *why = REC_WHY_HOST_OFF; /* there is no host at all */
    for (uint32_t i = 0; i < n; i++) {
        const struct place_host *h = &hosts[i];
        enum rec_why no = place_may(h, i, ask);
        if (no) {
            if (nearness(no) > nearest) *why = no, nearest = nearness(no);
            continue;
        }
        if (best != PLACE_NONE && h->off && !hosts[best].off) continue;
        int64_t score = p->score(h, i, n, ask, *turn);
        if (best == PLACE_NONE || (hosts[best].off && !h->off) || score > best_score) {
            best = i;
            best_score = score;
        }
    }
    if (best == PLACE_NONE) return PLACE_NONE;
    *turn = best;
    *why = REC_WHY_NONE;
    return best;
}
