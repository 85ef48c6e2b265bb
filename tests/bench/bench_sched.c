// SPDX-License-Identifier: GPL-3.0-or-later
/* bench_sched - what a scheduler's decision costs: charge, pick and the questions the contract asks after
 * them, for vCPUs that never sleep, beside four rings of integers turned in step, the
 * least that round robin can be.
 *
 *   sched-CLASS        16 vCPUs on 4 pCPUs, balanced when idle and every 4 ms
 *   sched-CLASS-lim    the same, each with a weight of its own (where they count) and a limit
 *   sched-CLASS-10k    10,000 vCPUs on one pCPU */
#include "bench.h"

#include "policy/sched.h"

enum { LIMITS = 16, MANY = 32 }; /* beside the class's number, in bench_figure.size */

struct decisions {
    struct sched *s;
    uint32_t n_pcpus;
    int64_t now, tick;
    struct sched_pick picked[4];
};

static void *decisions_new(uint64_t size)
{
    uint32_t n_vcpus = size & MANY ? 10000 : 16;
    const struct sched_class *cls = sched_class_at(size % LIMITS);
    struct decisions *d = calloc(1, sizeof *d);
    struct sched_vm_cfg *vms = calloc(n_vcpus, sizeof *vms);
    if (!d || !vms) abort();
    for (uint32_t i = 0; i < n_vcpus; i++) {
        vms[i] = (struct sched_vm_cfg){.weight = 1000, .first_vcpu = i, .n_vcpus = 1};
        if (!(size & LIMITS)) continue;
        vms[i].quota_ns = vms[i].period_ns = 100000000;
        if (sched_class_weighted(cls)) vms[i].weight = 500 + 37 * i;
    }
    d->n_pcpus = size & MANY ? 1 : 4;
    struct sched_cfg cfg = {.cls = cls,
                            .n_pcpus = d->n_pcpus,
                            .n_vcpus = n_vcpus,
                            .n_vms = n_vcpus,
                            .vms = vms,
                            .balance_idle = true,
                            .balance_every_ns = 4000000};
    void *block = calloc(1, sched_size(&cfg));
    if (!block) abort();
    d->s = sched_init(block, &cfg);
    for (uint32_t v = 0; v < n_vcpus; v++)
        sched_wake(d->s, v, 0);
    while (sched_take_resched(d->s) != SCHED_NONE) {
    }
    for (uint32_t p = 0; p < d->n_pcpus; p++)
        d->picked[p] = sched_pick(d->s, p, 0);
    d->tick = sched_next_tick(d->s);
    free(vms);
    return d;
}

static void decisions_free(void *st)
{
    struct decisions *d = st;
    free(d->s); /* the block begins with it */
    free(d);
}

static inline void decide(struct decisions *d, uint32_t p, int64_t ran)
{
    if (d->picked[p].vcpu != SCHED_NONE) sched_charge(d->s, d->picked[p].vcpu, ran, d->now);
    d->picked[p] = sched_pick(d->s, p, d->now);
    while (sched_take_changed(d->s) != SCHED_NONE) {
    }
}

/* Slices in step on all pCPUs, as long as the first one's. */
BENCH_NOINLINE static void decisions_run(void *st, uint64_t n)
{
    struct decisions *d = st;
    while (n) {
        int64_t run = d->picked[0].vcpu == SCHED_NONE ? 1000000 : d->picked[0].run_ns;
        d->now += run;
        for (uint32_t p = 0; p < d->n_pcpus && n; p++, n--)
            decide(d, p, run);
        while (d->now >= d->tick)
            d->tick = sched_tick(d->s, d->now);
        for (uint32_t p; (p = sched_take_resched(d->s)) != SCHED_NONE;)
            decide(d, p, 0);
        d->tick = sched_next_tick(d->s);
    }
}

struct rings {
    uint32_t head[4];
    int64_t ran[16];
};

static void *rings_new(uint64_t size)
{
    (void)size;
    return calloc(1, sizeof(struct rings));
}

BENCH_NOINLINE static void rings_run(void *st, uint64_t n)
{
    volatile struct rings *r = st;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t p = i % 4, v = r->head[p];
        r->ran[4 * p + v] = r->ran[4 * p + v] + 10000000;
        r->head[p] = (v + 1) % 4;
    }
}

int main(int argc, char **argv)
{
    static char names[32][32];
    static const uint64_t sizes[] = {0, LIMITS, MANY};
    static const char *const suffixes[] = {"", "-lim", "-10k"};
    struct bench_figure figs[32];
    size_t n = 0;
    for (size_t k = 0; k < 3; k++)
        for (size_t c = 0; sched_class_at(c); c++, n++) {
            snprintf(names[n], sizeof names[n], "sched-%s%s", sched_class_name(sched_class_at(c)),
                     suffixes[k]);
            figs[n] = (struct bench_figure){.name = names[n],
                                            .own_new = decisions_new,
                                            .own_run = decisions_run,
                                            .own_free = decisions_free,
                                            .bare_new = rings_new,
                                            .bare_run = rings_run,
                                            .bare_free = free,
                                            .size = sizes[k] + c,
                                            .n = 100000};
        }
    return bench_main(argc, argv, figs, n);
}
