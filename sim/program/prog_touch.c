// SPDX-License-Identifier: GPL-3.0-or-later
#include "program/prog_touch.h"

bool prog_touch_make(struct step *s)
{
    return s->kind == STEP_TOUCH && s->how < PROG_ZIPF && s->span >= 1 && s->span <= PROG_MAX_PAGES;
}

bool prog_touch_valid(const struct step *s)
{
    struct step made = *s;
    return prog_touch_make(&made);
}

void prog_touch_begin(struct prog_touch *w, const struct prog_task *t, const struct prog_act *act)
{
    uint64_t stream = t->iter * PROG_MAX_STEPS + act->pc;
    *w = (struct prog_touch){.rng = rng_at(t->key ^ UINT64_C(0x746f756368), t->task, stream),
                             .step = act->step,
                             .left = act->amount};
    uint64_t span = (uint64_t)act->step->span; /* below 2^32: the product fits */
    w->next = (uint32_t)(t->iter % span * ((uint64_t)act->amount % span) % span);
}

uint32_t prog_touch_fill(struct prog_touch *w, uint32_t *out, uint32_t n)
{
    const struct step *s = w->step;
    if ((int64_t)n > w->left) n = (uint32_t)w->left;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t page = w->next;
        if (s->how == PROG_CYCLIC)
            w->next = (int64_t)page + 1 == s->span ? 0 : page + 1;
        else
            page = (uint32_t)(((uint64_t)rng_u32(&w->rng) * (uint64_t)s->span) >> 32);
        bool writes = s->write == UINT32_MAX || (s->write && rng_u32(&w->rng) < s->write);
        out[i] = page | (writes ? PROG_TOUCH_WRITE : 0);
    }
    w->left -= n;
    return n;
}
