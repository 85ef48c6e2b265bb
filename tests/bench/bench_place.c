// SPDX-License-Identifier: GPL-3.0-or-later
/* bench_place - what a placement costs at 1000 hosts with 10,000 VMs, 10 on each, four fifths full.
 *
 *   place-POLICY    place_pick, a host looked at; beside it a loop that takes the host with the least
 * promised of those with room survive-bound   place_survives with one spare, a VM; the bound suffices. Beside
 * it a loop that adds up what the VMs want survive-pack    the same where one large VM keeps the bound from
 * it: every host's VMs are packed survive-rule    the same with a rule, which allows all 100 ns a VM are 1 ms
 * for all of them. */
#include "bench.h"

#include "policy/place.h"

enum { HOSTS = 1000, EACH = 10, VMS = HOSTS * EACH };
enum { BOUND, PACK, RULE };

#define CPU INT64_C(1000000)
#define GB  INT64_C(1000000000)

struct cluster {
    struct place_host hosts[HOSTS];
    struct place_vm vms[VMS];
    const struct place_class *policy;
    place_rule *rule;
    uint32_t turn;
    int64_t sink;
    void *scratch;
};

static bool all_may(const void *ctx, const struct place_vm *vms, uint32_t v, uint32_t host,
                    const uint32_t *there, uint32_t n_there)
{
    (void)vms, (void)v, (void)there, (void)n_there;
    return ctx || host < HOSTS;
}

static void *cluster_new(uint64_t size)
{
    struct cluster *c = calloc(1, sizeof *c);
    void *scratch = malloc(place_survives_bytes(HOSTS, VMS));
    if (!c || !scratch) abort();
    uint64_t random = 1;
    c->scratch = scratch;
    c->turn = PLACE_NONE;
    for (uint32_t i = 0; i < HOSTS; i++)
        c->hosts[i] = (struct place_host){.have = {32 * CPU, 256 * GB},
                                          .most = {32 * CPU, 256 * GB},
                                          .load_ppm = (int64_t)(bench_random(&random) % 32000000),
                                          .n_vms = EACH,
                                          .usable = true};
    for (uint32_t v = 0; v < VMS; v++) {
        struct place_vm *x = &c->vms[v];
        uint64_t r = bench_random(&random);
        *x = (struct place_vm){.host = v / EACH, .vm = v};
        x->want[PLACE_CPU] = 2 * CPU + (int64_t)(r % 1000) * 1000;      /* 2 to 3 cores */
        x->want[PLACE_MEM] = 16 * GB + (int64_t)(r >> 32) % 8 * GB / 2; /* 16 to 20 GB */
        for (int k = 0; k < PLACE_NRES; k++)
            c->hosts[x->host].promised[k] += x->want[k];
    }
    if (size == PACK) { /* on a host of its own size */
        c->hosts[0].have[PLACE_MEM] = c->hosts[0].most[PLACE_MEM] = 1000 * GB;
        c->hosts[1].have[PLACE_MEM] = c->hosts[1].most[PLACE_MEM] = 1000 * GB;
        c->vms[0].want[PLACE_MEM] += 500 * GB;
        c->hosts[0].promised[PLACE_MEM] += 500 * GB;
    }
    c->rule = size == RULE ? all_may : NULL;
    c->policy = place_at(size);
    return c;
}

static void cluster_free(void *st)
{
    free(((struct cluster *)st)->scratch);
    free(st);
}

BENCH_NOINLINE static void pick_run(void *st, uint64_t n)
{
    struct cluster *c = st;
    struct place_ask ask = {.want = {CPU, GB}};
    enum rec_why why;
    for (uint64_t i = 0; i < n; i += HOSTS)
        c->sink += place_pick(c->policy, c->hosts, HOSTS, &ask, &c->turn, &why);
}

BENCH_NOINLINE static void bare_pick(void *st, uint64_t n)
{
    struct cluster *c = st;
    for (uint64_t i = 0; i < n; i += HOSTS) {
        const struct place_host *best = NULL;
        for (const struct place_host *h = c->hosts; h < c->hosts + HOSTS; h++)
            if (h->usable && h->promised[0] + CPU <= h->most[0] && h->promised[1] + GB <= h->most[1] &&
                (!best || h->promised[0] < best->promised[0]))
                best = h;
        c->sink += best ? best - c->hosts : 0;
        __asm__ volatile("" ::: "memory");
    }
}

BENCH_NOINLINE static void survive_run(void *st, uint64_t n)
{
    struct cluster *c = st;
    for (uint64_t i = 0; i < n; i += VMS) {
        uint32_t h = place_survives(c->hosts, HOSTS, c->vms, VMS, 1, c->rule, NULL, c->scratch);
        if (h != PLACE_NONE) abort(); /* there is room: all were looked at */
    }
}

BENCH_NOINLINE static void bare_sum(void *st, uint64_t n)
{
    struct cluster *c = st;
    for (uint64_t i = 0; i < n; i += VMS) {
        for (uint32_t v = 0; v < VMS; v++)
            c->sink += c->vms[v].want[0] + c->vms[v].want[1];
        __asm__ volatile("" ::: "memory");
    }
}

#define SURVIVE(what, how, limit)                                                                            \
    {                                                                                                        \
        .name = "survive-" what, .own_new = cluster_new, .own_run = survive_run, .own_free = cluster_free,   \
        .bare_new = cluster_new, .bare_run = bare_sum, .bare_free = cluster_free, .size = (how),             \
        .n = 20 * VMS, .bound = (limit)                                                                      \
    }

int main(int argc, char **argv)
{
    static char names[16][32];
    struct bench_figure figs[16] = {SURVIVE("bound", BOUND, 10), SURVIVE("pack", PACK, 400),
                                    SURVIVE("rule", RULE, 400)};
    size_t n = 3;
    for (size_t i = 0; place_at(i); i++, n++) {
        snprintf(names[n], sizeof names[n], "place-%s", place_name(place_at(i)));
        figs[n] = (struct bench_figure){.name = names[n],
                                        .own_new = cluster_new,
                                        .own_run = pick_run,
                                        .own_free = cluster_free,
                                        .bare_new = cluster_new,
                                        .bare_run = bare_pick,
                                        .bare_free = cluster_free,
                                        .size = i,
                                        .n = 200 * HOSTS,
                                        .bound = 12};
    }
    return bench_main(argc, argv, figs, n);
}
