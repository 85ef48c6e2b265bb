// SPDX-License-Identifier: GPL-3.0-or-later
/* The host's administrator reads a guest's memory, a piece at a time, and finds what it kept secret there.
 * The guest is not asked and notices nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "kvm/runner/pagepool_int.h"
#include "kvm/secret.h"

void pagepool_inspect_make(struct pagepool *p)
{
    const struct scenario *sc = p->run->sc;
    p->next_event_ns = malloc((sc->n_events + 1) * sizeof *p->next_event_ns);
    ASSERT(p->next_event_ns);
    for (uint32_t i = 0; i < sc->n_events; i++)
        p->next_event_ns[i] = sc->events[i].at_ns;
}

bool pagepool_inspect_wants(const struct scenario *sc, uint32_t vm)
{
    for (uint32_t i = 0; i < sc->n_events; i++)
        if (vm >= sc->events[i].target && vm - sc->events[i].target < sc->events[i].n) return true;
    return false;
}

int64_t pagepool_inspect_next(const struct pagepool *p)
{
    int64_t next = p->n_looks > 0 ? 0 : INT64_MAX, zero = __atomic_load_n(&p->zero_abs_ns, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; zero != 0 && i < p->run->sc->n_events; i++)
        if (p->next_event_ns[i] < p->run->end_ns && zero + p->next_event_ns[i] < next)
            next = zero + p->next_event_ns[i];
    return next;
}

static void begin(struct pagepool *p, uint32_t vm, int64_t t)
{
    pagepool_grow((void **)&p->looks, p->n_looks, &p->looks_cap, sizeof *p->looks);
    p->looks[p->n_looks++] = (struct pagepool_look){.v = p->of[vm], .t_ns = t};
}

/* The administrator of this host knows what to look for; that it is found means that it was read. */
static uint64_t found(const struct pagepool_vm *v, const unsigned char *bytes, uint64_t n, uint64_t at)
{
    const char *draws = v->sc->draws;
    uint64_t i = 0;
    uint64_t key = rng_key(v->pool->run->seed, rng_hash_name(draws, strlen(draws)), RNG_SECRET);
    while (i < n && bytes[i] == secret_byte(key, at + i))
        i++;
    return i;
}

/* One piece. True: there may be more. */
static bool look(struct pagepool *p, struct pagepool_look *l)
{
    const unsigned char *bytes;
    int64_t n = pagepool_read(l->v, (uint32_t)(l->found / PAGES_PIECE), &bytes);
    uint64_t got = n > 0 ? found(l->v, bytes, (uint64_t)n, l->found) : 0;
    l->found += got;
    if (got == PAGES_PIECE) return true;
    pagepool_tell_event(p, l->v, REC_EV_INSPECTED, l->t_ns, (int64_t)l->found);
    return false;
}

void pagepool_inspect(struct pagepool *p)
{
    const struct scenario *sc = p->run->sc;
    int64_t now = pagepool_time(p);
    for (uint32_t i = 0; pagepool_counts(p) && i < sc->n_events; i++) {
        const struct sc_event *e = &sc->events[i];
        int64_t t = p->next_event_ns[i];
        if (t > now) continue;
        for (uint32_t vm = e->target; vm < e->target + e->n; vm++)
            begin(p, vm, t);
        if (e->every_ns == 0 || __builtin_add_overflow(t, e->every_ns, &p->next_event_ns[i]))
            p->next_event_ns[i] = INT64_MAX;
    }
    if (p->n_looks == 0 || look(p, &p->looks[0])) return;
    memmove(p->looks, p->looks + 1, --p->n_looks * sizeof *p->looks);
}
