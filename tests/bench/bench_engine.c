// SPDX-License-Identifier: GPL-3.0-or-later
/* Engine and draws on the smallest model there is, an M/M/1 queue with arrivals at .8 of its capacity: two
 * handlers, two streams, exponential draws in whole ns, the number inside and its integral. Held against a
 * loop without an engine. Also what bare time slicing costs, for the benchmarks of the models. */
#include "bare_mm1.h"
#include "bare_slice.h"
#include "base/draw.h"
#include "engine/sim.h"

#define SERVICE_NS 1000000

struct mm1 {
    struct sim *s;
    uint32_t on_arrive, on_depart;
    struct dist between, service;
    struct rng arrivals, services;
    uint64_t inside, left; /* left: customers still to leave before the run stops */
    int64_t since_ns;
    unsigned __int128 area; /* customers times ns */
};

static inline void level(struct mm1 *m, int64_t now)
{
    m->area += m->inside * (uint64_t)(now - m->since_ns);
    m->since_ns = now;
}

static void serve(struct mm1 *m, int64_t now)
{
    int64_t d = draw_amount(&m->service, &m->services, NULL, 0);
    sim_at(m->s, now + d, EVQ_NORMAL, m->on_depart, 0);
}

static void arrive(void *ctx, uint32_t arg)
{
    struct mm1 *m = ctx;
    int64_t now = sim_now(m->s);
    level(m, now);
    if (m->inside++ == 0) serve(m, now);
    int64_t d = draw_amount(&m->between, &m->arrivals, NULL, 0);
    sim_at(m->s, now + d, EVQ_NORMAL, m->on_arrive, arg);
}

static void depart(void *ctx, uint32_t arg)
{
    (void)arg;
    struct mm1 *m = ctx;
    int64_t now = sim_now(m->s);
    level(m, now);
    if (--m->inside) serve(m, now);
    if (--m->left == 0) sim_stop(m->s);
}

static void *mm1_new(uint64_t size)
{
    struct mm1 *m = calloc(1, sizeof *m);
    if (!m) abort();
    m->s = sim_new();
    m->between = (struct dist){.kind = DIST_EXPONENTIAL, .a = SERVICE_NS * 5 / 4};
    m->service = (struct dist){.kind = DIST_EXPONENTIAL, .a = SERVICE_NS};
    if (!m->s || draw_make(&m->between) || draw_make(&m->service)) abort();
    uint64_t name = rng_hash_name("queue", 5);
    m->arrivals = rng_at(rng_key(size, name, RNG_ARRIVAL), 0, 0);
    m->services = rng_at(rng_key(size, name, RNG_STEPS), 0, 0);
    m->on_arrive = sim_on(m->s, "arrive", arrive, m);
    m->on_depart = sim_on(m->s, "depart", depart, m);
    sim_at(m->s, 0, EVQ_NORMAL, m->on_arrive, 0);
    return m;
}

static void mm1_free(void *st)
{
    sim_free(((struct mm1 *)st)->s);
    free(st);
}

static void mm1_run(void *st, uint64_t n)
{
    struct mm1 *m = st;
    m->left = n;
    if (sim_run(m->s, INT64_MAX - 1) != SIM_STOPPED) abort();
}

static void mm1_note(const void *own, const void *bare, double own_ns, double bare_ns)
{
    const struct mm1 *m = own;
    printf(
        "  engine and draws %5.1f million customers a second, mean number in system %.3f (expected 4.000)\n",
        1e3 / own_ns, (double)m->area / (double)sim_now(m->s));
    printf(
        "  bare loop        %5.1f million customers a second, mean number in system %.3f (expected 4.000)\n",
        1e3 / bare_ns, bare_mm1_mean(bare));
}

int main(int argc, char **argv)
{
    /* 10 million customers a second where the bare loop has 42. */
    static const struct bench_figure figs[] = {
        {"mm1-engine", mm1_new, mm1_run, mm1_free, bare_mm1_new, bare_mm1_run, bare_mm1_free, 1, 500000, 4.2,
         24, mm1_note},
        {"slice-bare", NULL, NULL, NULL, bare_slice_new, bare_slice_run, bare_slice_free, 0, 1000000, 0, 13,
         NULL},
        {"block-bare", NULL, NULL, NULL, bare_block_new, bare_block_run, bare_slice_free, 0, 500000, 0, 40,
         NULL},
    };
    return bench_main(argc, argv, figs, sizeof figs / sizeof figs[0]);
}
