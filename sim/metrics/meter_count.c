// SPDX-License-Identifier: GPL-3.0-or-later
/* Counts and levels of VMs, hosts and devices. A count's growth is told before each boundary, so what is told
 * by the end of the warm-up is not of the window. A level holds from its record on; its mean is its integral
 * over time, in whole numbers of 128 bits.
 *
 * Laws: nothing counts backwards and no level is below 0; a host holds no more than it has, and no less than
 * its VMs hold after what sharing saves (it also holds what no VM has: pages on their way out, compressed
 * ones). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/alloc.h"
#include "metrics/meter_inner.h"

static struct tally **place_of(struct meter *m, const struct rec *r)
{
    if (r->vm != UINT32_MAX) return &m->vms[r->vm].tally;
    if (r->pcpu == REC_DEV) return &m->devs[r->host].tally;
    return &m->host_tallies[r->host];
}

struct tally *meter_count_new(struct meter *m, struct tally **place)
{
    struct tally *t = *place;
    if (t) return t;
    t = *place = alloc_array(1, sizeof *t);
    m->tallies = alloc_grow(m->tallies, m->n_tallies, &m->cap_tallies, sizeof *m->tallies);
    m->tallies[m->n_tallies++] = t;
    return t;
}

static void what_of(const struct meter *m, const struct rec *r, char *out, size_t size)
{
    if (r->pcpu == REC_DEV)
        snprintf(out, size, "%s", scenario_dev_entity(m->sc, r->host));
    else if (r->vm != UINT32_MAX)
        snprintf(out, size, "vm.%s", m->sc->vms[r->vm].name);
    else
        snprintf(out, size, "host.%s", m->sc->hosts[r->host].name);
}

__attribute__((noinline, cold)) static void negative(struct meter *m, const struct rec *r)
{
    char who[METER_NAME_LEN];
    what_of(m, r, who, sizeof who);
    meter_broken(m, "%s: %s %u is %" PRId64 " at %" PRId64 " ns", who,
                 r->kind == REC_COUNT ? "the growth of count" : "level", r->cause, r->value, r->t_ns);
}

static void hold(struct meter *m, const struct rec *r, int64_t by)
{
    if (r->vm == UINT32_MAX || r->cause != REC_L_MEM_RESIDENT) return;
    m->held[meter_home_of(m, r->vm)] += by;
}

void meter_count_read(struct meter *m, const struct rec *r)
{
    ASSERT(r->cause < (r->kind == REC_COUNT ? (int)REC_NCOUNTS : (int)REC_NLEVELS));
    struct tally *t = meter_count_new(m, place_of(m, r));
    if (r->value < 0) negative(m, r);
    if (r->kind == REC_COUNT) {
        t->count[r->cause] += r->value;
        return;
    }
    struct level_meter *l = &t->level[r->cause];
    if (r->pcpu == REC_DEV && r->cause == REC_L_DISK_QUEUE) meter_dev_settle(m, r->host, r->t_ns);
    hold(m, r, r->value - l->now);
    l->integral += (__int128)l->now * (r->t_ns - l->since_ns);
    l->since_ns = r->t_ns;
    l->now = r->value;
    if (m->warm && l->now > l->max) l->max = l->now;
}

void meter_count_end_warmup(struct meter *m)
{
    for (size_t i = 0; i < m->n_tallies; i++) {
        struct tally *t = m->tallies[i];
        for (int k = 0; k < REC_NCOUNTS; k++)
            t->base[k] = t->count[k];
        for (int k = 0; k < REC_NLEVELS; k++) {
            t->level[k].base = meter_count_integral(t, k, m->warmup_ns);
            t->level[k].max = t->level[k].now;
        }
    }
}

static bool compresses(const struct sc_host *h)
{
    for (uint32_t i = 0; i < h->memory.n_reclaim; i++)
        if (h->memory.reclaim[i] == SC_COMPRESS) return true;
    return false;
}

void meter_count_laws(struct meter *m)
{
    for (uint32_t h = 0; m->n_tallies && h < m->sc->n_hosts; h++) {
        static const struct level_meter nothing[REC_NLEVELS];
        const struct tally *t = m->host_tallies[h];
        if (!t && !(m->homes && m->held[h])) continue; /* nobody tells of its memory */
        const struct level_meter *level = t ? t->level : nothing;
        int64_t resident = level[REC_L_MEM_RESIDENT].now, saved = level[REC_L_MEM_SHARED].now;
        const char *name = m->sc->hosts[h].name;
        int64_t has = m->sc->hosts[h].memory.bytes;
        if (has && resident > has)
            meter_broken(m, "conservation: host.%s holds %" PRId64 " B in %" PRId64 " B of memory", name,
                         resident, has);
        /* Beside its VMs' pages it holds the pool of compressed ones, if it has that. */
        if (compresses(&m->sc->hosts[h]) ? m->held[h] - saved > resident : m->held[h] - saved != resident)
            meter_broken(m,
                         "conservation: the VMs of host.%s hold %.0f B and sharing saves %" PRId64
                         " B, but the host holds %" PRId64 " B",
                         name, (double)m->held[h], saved, resident);
    }
}

int64_t meter_count_of(const struct tally *t, int what)
{
    return t ? t->count[what] - t->base[what] : 0;
}

__int128 meter_count_integral(const struct tally *t, int what, int64_t t_ns)
{
    if (!t) return 0;
    const struct level_meter *l = &t->level[what];
    return l->integral + (__int128)l->now * (t_ns - l->since_ns);
}

double meter_count_mean(const struct meter *m, const struct tally *t, int what)
{
    if (!t) return 0;
    __int128 in_window = meter_count_integral(t, what, m->end_ns) - t->level[what].base;
    return (double)in_window / (double)(m->end_ns - m->warmup_ns);
}

int64_t meter_count_max(const struct tally *t, int what)
{
    return t ? t->level[what].max : 0;
}

void meter_count_done(struct meter *m)
{
    for (size_t i = 0; i < m->n_tallies; i++) {
        if (m->tallies[i]->owns_io) hist_done(m->tallies[i]->io);
        if (m->tallies[i]->owns_io) free(m->tallies[i]->io);
        free(m->tallies[i]);
    }
    free(m->tallies);
    free(m->host_tallies);
    free(m->held);
}
