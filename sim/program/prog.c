// SPDX-License-Identifier: GPL-3.0-or-later
#include "program/prog.h"

#include "program/prog_touch.h"

#ifndef VLAB_GUEST
#include "base/assert.h"
#else
#define ASSERT(cond) ((void)0)
#endif

_Static_assert(sizeof(struct prog) == 16 && sizeof(struct step) == 128, "a guest reads the same bytes");

static uint64_t size_of(uint64_t n_steps, uint64_t n_pool)
{
    return sizeof(struct prog) + n_steps * sizeof(struct step) + n_pool * sizeof(int64_t);
}

uint32_t prog_size(uint32_t n_steps, uint32_t n_pool)
{
    uint64_t bytes = size_of(n_steps, n_pool);
    return n_steps <= PROG_MAX_STEPS && bytes <= PROG_MAX_BYTES ? (uint32_t)bytes : 0;
}

struct prog *prog_build(void *mem, const struct step *steps, uint32_t n_steps, const int64_t *pool,
                        uint32_t n_pool)
{
    uint32_t bytes = prog_size(n_steps, n_pool);
    ASSERT(bytes > 0 && (uintptr_t)mem % 8 == 0);
    struct prog *p = mem;
    *p = (struct prog){.magic = PROG_MAGIC, .bytes = bytes, .n_steps = n_steps, .n_pool = n_pool};
    struct step *to = (struct step *)(p + 1);
    for (uint32_t i = 0; i < n_steps; i++)
        to[i] = steps[i];
    int64_t *numbers = (int64_t *)(void *)(to + n_steps);
    for (uint32_t i = 0; i < n_pool; i++)
        numbers[i] = pool[i];
    ASSERT(prog_valid(p, bytes));
    return p;
}

static bool same_bits(double a, double b)
{
    union {
        double d;
        uint64_t u;
    } x = {.d = a}, y = {.d = b};
    return x.u == y.u;
}

static bool dist_valid(const struct dist *d, uint32_t n_pool)
{
    struct dist made = *d;
    if (draw_make(&made) != 0 || !same_bits(made.u, d->u) || !same_bits(made.v, d->v)) return false;
    bool pooled = d->kind == DIST_EMPIRICAL || d->kind == DIST_SEQUENCE;
    return !pooled || (uint64_t)d->at + d->n <= n_pool;
}

/* What a step of this kind may say beyond its amount. */
static bool step_valid(const struct step *s, uint32_t n_pool)
{
    static const uint32_t hows[STEP_NKINDS] = {[STEP_CPU] = 1,
                                               [STEP_BUSY] = 1,
                                               [STEP_SLEEP] = 1,
                                               [STEP_TOUCH] = PROG_NPATTERNS,
                                               [STEP_DISK] = PROG_NDISK,
                                               [STEP_NET] = PROG_NNET,
                                               [STEP_OPS] = PROG_NOPS,
                                               [STEP_LOCK] = PROG_NLOCK,
                                               [STEP_ACCESS] = PROG_NACCESS,
                                               [STEP_SECRET] = 1,
                                               [STEP_COVERT] = PROG_NCOVERT};
    if (s->kind >= STEP_NKINDS || s->how >= hows[s->kind]) return false;
    if (s->flags & ~(PROG_GLUED | (s->kind == STEP_DISK ? PROG_SEQUENTIAL | PROG_FLUSH : 0))) return false;
    if (s->kind == STEP_TOUCH && !prog_touch_valid(s)) return false;
    return dist_valid(&s->amount, n_pool);
}

bool prog_valid(const struct prog *p, uint64_t bytes)
{
    if ((uintptr_t)p % 8 != 0 || bytes < sizeof *p) return false;
    if (p->magic != PROG_MAGIC || p->n_steps > PROG_MAX_STEPS || p->bytes > PROG_MAX_BYTES) return false;
    if (p->bytes > bytes || p->bytes != size_of(p->n_steps, p->n_pool)) return false;
    const struct step *s = prog_steps(p);
    for (uint32_t i = 0; i < p->n_steps; i++)
        if (!step_valid(&s[i], p->n_pool) || (i == 0 && (s[i].flags & PROG_GLUED))) return false;
    return true;
}

void prog_begin(struct prog_task *t, uint64_t key, uint64_t task, uint64_t iter)
{
    *t = (struct prog_task){.key = key, .task = task, .iter = iter, .rng = rng_at(key, task, iter)};
}

struct prog_act prog_next(struct prog_task *t, const struct prog *p)
{
    const struct step *s = prog_steps(p);
    while (t->pc < p->n_steps) {
        uint32_t pc = t->pc++;
        if (!(s[pc].flags & PROG_GLUED))
            t->skipped = s[pc].probability != UINT32_MAX && rng_u32(&t->rng) >= s[pc].probability;
        if (t->skipped) continue;
        int64_t amount = draw_amount(&s[pc].amount, &t->rng, prog_pool(p), t->iter);
        t->checksum = (t->checksum + prog_hash(t->task, t->iter, pc, amount)) & PROG_CHECKSUM_MASK;
        return (struct prog_act){.kind = s[pc].kind, .pc = pc, .amount = amount, .step = &s[pc]};
    }
    return (struct prog_act){.kind = STEP_END};
}
