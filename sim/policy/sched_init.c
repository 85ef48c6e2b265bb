// SPDX-License-Identifier: GPL-3.0-or-later
/* The state's layout in its one block, and its beginning. */
#include <string.h>

#include "base/rng.h"
#include "policy/sched_frame.h"

/* Hands out parts of the block; with block NULL only counts. */
struct carve {
    char *block;
    size_t used;
};

static void *carve(struct carve *c, size_t n, size_t size)
{
    size_t at = (c->used + 63) / 64 * 64;
    c->used = at + n * size;
    return c->block ? c->block + at : NULL;
}

static uint32_t most_pinsets(const struct sched_cfg *cfg)
{
    uint32_t n = 1;
    for (uint32_t i = 0; i < cfg->n_vms; i++)
        n += cfg->vms[i].pins != NULL;
    return n;
}

static uint32_t table_size(uint32_t n)
{
    uint32_t size = 2;
    while (size < 2 * n)
        size *= 2;
    return size;
}

static uint32_t allowed(uint32_t n_pcpus, const struct sched_vm_cfg *vm)
{
    uint32_t n = 0;
    for (uint32_t p = 0; p < n_pcpus; p++)
        n += !vm->pins || vm->pins[WORD(p)] & BIT(p);
    return n;
}

/* As far as it is possible. */
static enum sched_cosched cosched_of(uint32_t n_pcpus, const struct sched_vm_cfg *vm)
{
    if (!vm->cosched || vm->n_vcpus < 2 || vm->n_vcpus > allowed(n_pcpus, vm)) return SCHED_COSCHED_NONE;
    return vm->cosched;
}

static bool any_cosched(const struct sched_cfg *cfg, enum sched_cosched how)
{
    if (cfg->fixed_slots) return false;
    for (uint32_t i = 0; i < cfg->n_vms; i++)
        if (cfg->vms[i].cosched == how && cosched_of(cfg->n_pcpus, &cfg->vms[i]) == how) return true;
    return cfg->n_pcpus > 1 && cfg->room_cosched >> how & 1;
}

static void lay_out(struct carve *c, struct sched *s, const struct sched_cfg *cfg)
{
    uint32_t sets = most_pinsets(cfg), words = WORD(sets + 63), pcpu_words = WORD(cfg->n_pcpus + 63);
    s->cls = cfg->cls;
    s->n_pcpus = cfg->n_pcpus;
    s->n_vcpus = cfg->n_vcpus;
    s->n_vms = cfg->n_vms;
    s->room_vcpus = cfg->room_vcpus > cfg->n_vcpus ? cfg->room_vcpus : cfg->n_vcpus;
    s->room_vms = cfg->room_vms > cfg->n_vms ? cfg->room_vms : cfg->n_vms;
    s->pinset_words = words;
    s->pinset_mask = table_size(sets) - 1;
    s->queue_stride = (sizeof(struct sched_queue) + cfg->cls->queue_bytes + 63) / 64 * 64;
    s->vcpu_stride = (sizeof(struct sched_vcpu) + cfg->cls->vcpu_bytes + 63) / 64 * 64;
    s->resched = carve(c, pcpu_words, 8);
    s->idle = carve(c, pcpu_words, 8);
    s->queues = carve(c, cfg->n_pcpus, s->queue_stride);
    s->vcpus = carve(c, s->room_vcpus, s->vcpu_stride);
    s->vms = carve(c, s->room_vms, sizeof *s->vms);
    s->pinsets = carve(c, sets, sizeof *s->pinsets);
    s->pinset_waiting = carve(c, words, 8);
    s->allows = carve(c, (size_t)words * cfg->n_pcpus, 8);
    s->pinset_table = carve(c, table_size(sets), sizeof *s->pinset_table);
    s->slots.on = cfg->fixed_slots;
    if (s->slots.on) {
        s->slots.n_lists = sets > 1 ? cfg->n_pcpus : 1;
        s->slots.order = carve(c, (size_t)s->slots.n_lists * s->room_vms, sizeof *s->slots.order);
        s->slots.n_order = carve(c, s->slots.n_lists, sizeof *s->slots.n_order);
        s->slots.pcpus = carve(c, cfg->n_pcpus, sizeof *s->slots.pcpus);
        s->slots.vms = carve(c, s->room_vms, sizeof *s->slots.vms);
        s->slots.at = carve(c, s->room_vcpus, sizeof *s->slots.at);
    }
    s->has_skews = any_cosched(cfg, SCHED_COSCHED_RELAXED);
    if (s->has_skews) s->progress_ns = carve(c, s->room_vcpus, sizeof *s->progress_ns);
    s->gang.on = any_cosched(cfg, SCHED_COSCHED_STRICT);
    if (!s->gang.on) return;
    s->gang.pool_stride = s->queue_stride;
    s->gang.pools = carve(c, sets, s->queue_stride);
    s->gang.units = carve(c, s->room_vcpus, sizeof *s->gang.units);
    s->gang.seats = carve(c, cfg->n_pcpus, sizeof *s->gang.seats);
    s->gang.lines = carve(c, sets, sizeof *s->gang.lines);
}

static bool in_range(const struct sched_cfg *cfg)
{
    if (!cfg->cls || cfg->n_pcpus == 0 || cfg->n_pcpus > SCHED_MAX_PCPUS) return false;
    if (cfg->slice_ns < 0 || cfg->tick_ns < 0 || cfg->balance_every_ns < 0) return false;
    uint64_t n = 0;
    for (uint32_t i = 0; i < cfg->n_vms; i++) {
        const struct sched_vm_cfg *vm = &cfg->vms[i];
        if (vm->weight < 1 || vm->weight > 10000 || vm->n_vcpus > cfg->n_vcpus ||
            vm->first_vcpu > cfg->n_vcpus - vm->n_vcpus)
            return false;
        if (vm->quota_ns < 0 || (vm->quota_ns && vm->period_ns <= 0)) return false;
        n += vm->n_vcpus;
        if (!allowed(cfg->n_pcpus, vm)) return false;
    }
    return n == cfg->n_vcpus && n < SCHED_NONE;
}

size_t sched_size(const struct sched_cfg *cfg)
{
    struct sched s;
    struct carve c = {NULL, sizeof s};
    if (!in_range(cfg)) return 0;
    lay_out(&c, &s, cfg);
    return c.used + 64;
}

/* The number of the set of pins, a new one where it is the first of its like. */
static uint32_t pinset_of(struct sched *s, const uint64_t *pins)
{
    uint32_t words = WORD(s->n_pcpus + 63);
    uint64_t h = 0;
    if (!pins) return 0;
    for (uint32_t w = 0; w < words; w++)
        h = rng_mix(h ^ pins[w]) + w;
    for (uint64_t i = h & s->pinset_mask;; i = (i + 1) & s->pinset_mask) {
        uint32_t known = s->pinset_table[i];
        if (known && memcmp(s->pinsets[known].pins, pins, words * sizeof *pins) == 0) return known;
        if (known) continue;
        ASSERT(!queue_at(s, 0)->rules); /* who comes later has pins that sched_init saw */
        s->pinset_table[i] = s->n_pinsets;
        s->pinsets[s->n_pinsets].pins = pins;
        return s->n_pinsets++;
    }
}

void sched_init_vcpu(struct sched *s, uint32_t v)
{
    struct sched_vcpu *x = vcpu_at(s, v);
    x->id = x->node.id = x->due.id = v;
    x->node.chance = x->due.chance = sched_tree_chance(v);
    x->vm = SCHED_NONE;
}

void sched_init_vm(struct sched *s, uint32_t i, const struct sched_vm_cfg *cfg, int64_t now)
{
    struct sched_vm *vm = &s->vms[i];
    vm->weight = cfg->weight;
    vm->first_vcpu = cfg->first_vcpu;
    vm->n_vcpus = cfg->n_vcpus;
    vm->pinset = pinset_of(s, cfg->pins);
    vm->cosched = s->slots.on ? SCHED_COSCHED_NONE : (uint8_t)cosched_of(s->n_pcpus, cfg);
    vm->timer.id = i;
    vm->timer.chance = sched_tree_chance(i);
    sched_place_share(vm);
    for (uint32_t k = 0; k < cfg->n_vcpus; k++) {
        struct sched_vcpu *v = vcpu_at(s, cfg->first_vcpu + k);
        ASSERT(v->vm == SCHED_NONE);
        v->vm = i;
        v->weight = vm->share;
        v->many = cfg->n_vcpus > 1;
        v->pinset = vm->pinset;
        v->pcpu = v->home = SCHED_NONE;
        v->where = SCHED_BLOCKED;
    }
    if (cfg->quota_ns) sched_limit_set(s, vm, cfg->quota_ns, cfg->period_ns, now);
    if (cfg->reservation_ppm) sched_reserve_set(s, vm, cfg->reservation_ppm, now);
}

static void init_queues(struct sched *s)
{
    for (uint32_t p = 0; p < s->n_pcpus; p++) {
        struct sched_queue *q = queue_at(s, p);
        q->pcpu = p;
        q->rules = &s->rules;
        s->idle[WORD(p)] |= BIT(p);
        if (s->cls->init) s->cls->init(q);
        for (uint32_t k = 0; k < s->n_pinsets; k++)
            if (!s->pinsets[k].pins || s->pinsets[k].pins[WORD(p)] & BIT(p))
                s->allows[(size_t)p * s->pinset_words + WORD(k)] |= BIT(k);
    }
    s->n_idle = s->n_pcpus;
}

/* The frame ticks each pCPU; the queues there are tick with the first. */
static void gang_tick(struct sched_queue *q, int64_t now)
{
    const struct sched *s = (const struct sched *)((const char *)q->rules - offsetof(struct sched, rules));
    for (uint32_t i = 0; q->pcpu == 0 && i < s->n_pinsets; i++)
        s->gang.cls->tick(pool_at(s, i), now);
}

static void init_gangs(struct sched *s)
{
    struct gangs *g = &s->gang;
    g->cls = s->cls;
    g->wrap = *s->cls;
    g->wrap.charge = NULL;
    g->wrap.weighted = false;
    if (g->cls->tick) g->wrap.tick = gang_tick;
    s->cls = &g->wrap;
    for (uint32_t i = 0; i < s->n_pinsets; i++) {
        struct sched_queue *pool = pool_at(s, i);
        pool->pcpu = i;
        pool->rules = &s->rules;
        pool->shared = true;
        if (g->cls->init) g->cls->init(pool);
        g->lines[i].held = SCHED_NONE;
    }
    for (uint32_t p = 0; p < s->n_pcpus; p++)
        g->seats[p].unit = SCHED_NONE;
}

struct sched *sched_init(void *block, const struct sched_cfg *cfg)
{
    size_t size = sched_size(cfg);
    ASSERT(size && (uintptr_t)block % 16 == 0);
    struct sched *s = block;
    ASSERT(!s->cls); /* the caller has zeroed it: what is never used is never touched */
    /* Cache lines, wherever the block begins. */
    size_t shift = (64 - (uintptr_t)block % 64) % 64;
    struct carve c = {(char *)block + shift, sizeof *s};
    lay_out(&c, s, cfg);
    s->rules = (struct sched_rules){
        .n_pcpus = cfg->n_pcpus,
        .slice_ns = cfg->slice_ns ? cfg->slice_ns : cfg->cls->slice_ns(cfg->n_pcpus),
        .slice_stated = cfg->slice_ns != 0,
        .tick_ns = cfg->tick_ns,
        .debit_tick = cfg->credit_debit_tick,
    };
    s->threads = cfg->threads_per_core > 1 ? cfg->threads_per_core : 1;
    s->has_apart = any_cosched(cfg, SCHED_COSCHED_BALANCE);
    s->special = s->smp = s->has_skews || s->gang.on;
    bool queues = cfg->n_pcpus > 1 && !s->gang.on; /* a queue a pCPU, and several */
    s->steal = cfg->balance_idle && queues;
    s->balance_every_ns = queues ? cfg->balance_every_ns : 0;
    s->balance = s->balance_every_ns > 0;
    s->track = s->steal || s->balance;
    s->balance_at_ns = s->balance ? 0 : SCHED_FOREVER;
    s->n_pinsets = 1;
    for (uint32_t v = 0; v < s->n_vcpus; v++)
        sched_init_vcpu(s, v);
    for (uint32_t i = 0; i < cfg->n_vms; i++)
        sched_init_vm(s, i, &cfg->vms[i], 0);
    init_queues(s);
    if (s->gang.on) init_gangs(s);
    if (cfg->fixed_slots) sched_slots_init(s);
    return s;
}
