// SPDX-License-Identifier: GPL-3.0-or-later
/* What a decision costs: charge and pick of vCPUs that never sleep, for each class, with balancing on and
 * off, at 16 vCPUs on 4 pCPUs and at 10,000 on one. The bare loop beside it turns four rings of integers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/sched.h"

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct load {
    const struct sched_class *cls;
    uint32_t n_pcpus, n_vcpus;
    bool balance, limits;
};

static struct sched *begin(const struct load *l)
{
    struct sched_vm_cfg *vms = calloc(l->n_vcpus, sizeof *vms);
    for (uint32_t i = 0; i < l->n_vcpus; i++) {
        vms[i] = (struct sched_vm_cfg){.weight = 1000, .first_vcpu = i, .n_vcpus = 1};
        if (l->limits) vms[i].quota_ns = vms[i].period_ns = 100000000;
        if (l->limits && sched_class_weighted(l->cls)) vms[i].weight = 500 + 37 * (i % 50);
    }
    struct sched_cfg cfg = {.cls = l->cls,
                            .n_pcpus = l->n_pcpus,
                            .n_vcpus = l->n_vcpus,
                            .n_vms = l->n_vcpus,
                            .vms = vms,
                            .balance_idle = l->balance,
                            .balance_every_ns = l->balance ? 4000000 : 0};
    void *block = aligned_alloc(64, (sched_size(&cfg) + 63) / 64 * 64);
    struct sched *s = sched_init(block, &cfg);
    for (uint32_t v = 0; v < l->n_vcpus; v++)
        sched_wake(s, v, 0);
    while (sched_take_resched(s) != SCHED_NONE) {
    }
    free(vms);
    return s;
}

/* Slices in lockstep on all pCPUs: charge, pick, and the two questions the contract asks after. */
static double measure(const struct load *l, uint32_t rounds)
{
    struct sched *s = begin(l);
    struct sched_pick p[SCHED_MAX_PCPUS];
    int64_t now = 0, tick = sched_next_tick(s);
    for (uint32_t i = 0; i < l->n_pcpus; i++)
        p[i] = sched_pick(s, i, now);
    double from = now_ns();
    for (uint32_t r = 0; r < rounds; r++) {
        int64_t run = p[0].run_ns;
        now += run;
        for (uint32_t i = 0; i < l->n_pcpus; i++) {
            if (p[i].vcpu != SCHED_NONE) sched_charge(s, p[i].vcpu, run, now);
            p[i] = sched_pick(s, i, now);
            while (sched_take_changed(s) != SCHED_NONE) {
            }
        }
        while (now >= tick)
            tick = sched_tick(s, now);
        for (uint32_t i; (i = sched_take_resched(s)) != SCHED_NONE;) {
            if (p[i].vcpu != SCHED_NONE) sched_charge(s, p[i].vcpu, 0, now);
            p[i] = sched_pick(s, i, now);
        }
    }
    double took = now_ns() - from;
    free(s);
    return took / rounds / l->n_pcpus;
}

/* The least there is to do: four rings of four, a counter each, one of them turned after another. */
static double bare(uint32_t rounds)
{
    volatile uint32_t head[4] = {0};
    static volatile int64_t ran[16];
    double from = now_ns();
    for (uint32_t r = 0; r < rounds; r++)
        for (uint32_t i = 0; i < 4; i++) {
            uint32_t h = head[i];
            ran[i * 4 + h] = ran[i * 4 + h] + 10000000;
            head[i] = (h + 1) & 3;
        }
    return (now_ns() - from) / rounds / 4;
}

static double best(const struct load *l, uint32_t rounds)
{
    double least = 1e9;
    for (int i = 0; i < 5; i++) {
        double t = measure(l, rounds);
        least = t < least ? t : least;
    }
    return least;
}

int main(void)
{
    const struct sched_class *c;
    printf("bare rings              %6.1f ns\n", bare(5000000));
    printf("charge + pick, ns       16 on 4  +balance  +limits, weights  10,000 on 1\n");
    for (size_t i = 0; (c = sched_class_at(i)); i++)
        printf("%-20s %10.1f %9.1f %17.1f %12.1f\n", sched_class_name(c),
               best(&(struct load){c, 4, 16, false, false}, 500000),
               best(&(struct load){c, 4, 16, true, false}, 500000),
               best(&(struct load){c, 4, 16, true, true}, 200000),
               best(&(struct load){c, 1, 10000, false, false}, 200000));
    return 0;
}
