// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/smt.h"

#include "model/cpu.h"

int64_t smt_work_ns(struct pcpu *c, int64_t ran_ns)
{
    unsigned __int128 work = (unsigned __int128)ran_ns * c->rate_num + c->work_rest;
    c->work_rest = (uint32_t)(work % c->rate_den);
    return (int64_t)(work / c->rate_den);
}

int64_t smt_end_ns(const struct pcpu *c, int64_t now_ns)
{
    __int128 work = (__int128)c->on->burst_ns * c->rate_den - c->work_rest;
    __int128 time = (work + c->rate_num - 1) / c->rate_num, end = (__int128)now_ns + (time > 0 ? time : 0);
    return end > c->slice_end ? c->slice_end : (int64_t)end;
}

static void settle_core(struct model *m, struct pcpu *core, uint32_t threads)
{
    uint32_t busy = 0;
    for (uint32_t i = 0; i < threads; i++)
        busy += core[i].on != NULL;
    uint32_t num = busy ? 10 + 3 * (busy - 1) : 10, den = busy ? 10 * busy : 10;
    if (num == core->rate_num && den == core->rate_den) return;
    for (uint32_t i = 0; i < threads; i++) {
        struct pcpu *c = &core[i];
        if (c->on) cpu_account(m, c->on);
        c->rate_num = num;
        c->rate_den = den;
        c->work_rest = 0;
        if (c->on) cpu_replan(m, c->on);
    }
}

void smt_settle(struct model *m, struct mhost *h)
{
    uint32_t threads = h->sc->threads_per_core;
    struct pcpu *end = &m->pcpus[h->first_pcpu] + h->n_pcpus;
    for (struct pcpu *core = &m->pcpus[h->first_pcpu]; core < end; core += threads)
        settle_core(m, core, threads);
}
