// SPDX-License-Identifier: GPL-3.0-or-later
/* With fixed slots, what one VM does hangs on nothing that another does. A VM of random habits runs among
 * others whose habits change from run to run: asleep all the time, busy all the time, random, with times that
 * meet the slots' ends or do not, in another order of what happens at one time. The trace of its runs (which
 * vCPU, where, from when to when) is the same in all. */
#include "tests/often.h"
#include "tests/properties/sched_world.h"

Suite *sched_slots_alone_suite(void);

#define MS INT64_C(1000000)

enum { RUNS = 40000, OTHERS = 5, HABITS = 6 };

struct run {
    uint32_t v, p;
    int64_t from, to;
};
struct trace {
    uint32_t vm, n;
    struct run run[RUNS];
};

static void note(struct world *w, uint32_t v, uint32_t p, int64_t from)
{
    struct trace *t = w->ran_ctx;
    if (w->v[v].vm != t->vm) return;
    for (uint32_t i = t->n; i-- > 0 && i + 8 > t->n;)
        if (t->run[i].v == v && t->run[i].p == p && t->run[i].to == from) {
            t->run[i].to = w->now; /* it was only picked again */
            return;
        }
    MUST(t->n < RUNS);
    t->run[t->n++] = (struct run){v, p, from, w->now};
}

static int by_time(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return x->p < y->p ? -1 : x->p > y->p;
}

/* The scenario, without what the others do: that is `habits`. */
struct setup {
    const char *cls;
    uint32_t n_pcpus, at, n_vcpus[OTHERS + 1];
    uint64_t pins[OTHERS + 1]; /* 0: none */
    int64_t slice, work, sleep, grain, quota, period, come, go;
    uint64_t seed;
};

static struct setup random_setup(const char *cls, uint64_t seed)
{
    struct rng r = {rng_mix(seed), 2 * seed + 1};
    struct setup u = {.cls = cls, .seed = seed};
    rng_u32(&r);
    u.n_pcpus = 1 + rng_u32(&r) % 4;
    u.at = rng_u32(&r) % (OTHERS + 1);
    for (uint32_t i = 0; i <= OTHERS; i++) {
        u.n_vcpus[i] = 1 + rng_u32(&r) % 4;
        if (rng_u32(&r) % 3 == 0) u.pins[i] = 1 + rng_u32(&r) % ((1u << u.n_pcpus) - 1);
    }
    if (seed % 2) memset(u.pins, 0, sizeof u.pins);
    u.slice = (1 + rng_u32(&r) % 10) * MS;
    u.work = 1 + rng_u32(&r) % (8 * MS);
    u.sleep = 1 + rng_u32(&r) % (16 * MS);
    if (rng_u32(&r) % 2) u.grain = u.slice / (1 + rng_u32(&r) % 4);
    if (seed % 3 == 0) {
        u.period = (5 + rng_u32(&r) % 50) * MS;
        u.quota = 1 + u.period * (1 + rng_u32(&r) % 150) / 100;
    }
    u.come = u.slice + rng_u32(&r) % (200 * MS); /* another comes, and goes */
    u.go = u.come + rng_u32(&r) % (200 * MS);
    return u;
}

static struct world_vm other(const struct setup *u, uint32_t i, uint32_t habits, struct rng *r)
{
    struct world_vm vm = {.weight = 1 + rng_u32(r) % 10000, .n_vcpus = u->n_vcpus[i]};
    uint32_t how = habits < 2 ? habits : rng_u32(r) % 4;
    if (u->pins[i]) vm.pins = &u->pins[i];
    vm.asleep = how == 0;
    if (how < 2) return vm;
    vm.work = 1 + rng_u32(r) % (6 * MS);
    vm.sleep = 1 + rng_u32(r) % (6 * MS);
    if (how == 3) vm.grain = u->slice / (1 + rng_u32(r) % 4);
    if (rng_u32(r) % 3 == 0) {
        vm.period = (1 + rng_u32(r) % 30) * MS;
        vm.quota = 1 + vm.period * (rng_u32(r) % 100) / 100;
    }
    return vm;
}

static void play(const struct setup *u, uint32_t habits, struct trace *t)
{
    static struct world w;
    struct rng mine = {rng_mix(u->seed + 77), 3}, theirs = {rng_mix(u->seed * 131 + habits), 5};
    world_begin(&w, u->cls, u->n_pcpus);
    w.cfg.fixed_slots = true;
    w.cfg.slice_ns = u->slice;
    w.cfg.room_vms = OTHERS + 2;
    w.cfg.room_vcpus = WORLD_VCPUS;
    /* What happens at one time may come in any order but for a limit's own ends, which are ticks too. */
    w.ticks_last = !u->quota && habits % 2;
    t->n = 0;
    t->vm = u->at;
    w.ran = note;
    w.ran_ctx = t;
    for (uint32_t i = 0; i <= OTHERS; i++) {
        struct world_vm vm = other(u, i, habits, &theirs);
        if (i == u->at)
            vm = (struct world_vm){.weight = 1000,
                                   .n_vcpus = u->n_vcpus[i],
                                   .work = u->work,
                                   .sleep = u->sleep,
                                   .grain = u->grain,
                                   .rng = &mine,
                                   .quota = u->quota,
                                   .period = u->period,
                                   .pins = u->pins[i] ? &u->pins[i] : NULL};
        world_vm(&w, vm);
    }
    world_start(&w, u->seed + habits);
    world_run(&w, u->come);
    struct world_vm guest = other(u, (u->at + 1) % (OTHERS + 1), habits, &theirs);
    uint32_t i = world_attach(&w, guest);
    ck_often(i == OTHERS + 1);
    world_run(&w, u->go);
    world_detach(&w, i);
    world_run(&w, 600 * MS);
    world_end(&w);
    qsort(t->run, t->n, sizeof *t->run, by_time);
}

START_TEST(what_a_vm_does_hangs_on_no_other)
{
    struct trace *first = malloc(sizeof *first), *t = malloc(sizeof *t);
    uint64_t runs = 0;
    for (uint64_t seed = 1; seed <= (uint64_t)FEWER(150); seed++) {
        struct setup u = random_setup(sched_class_name(sched_class_at((size_t)_i)), seed);
        for (uint32_t habits = 0; habits < HABITS; habits++) {
            play(&u, habits, habits ? t : first);
            if (!habits) continue;
            for (uint32_t i = 0; i < first->n && i < t->n; i++) {
                const struct run *a = &first->run[i], *b = &t->run[i];
                if (a->v != b->v || a->p != b->p || a->from != b->from || a->to != b->to)
                    ck_abort_msg(
                        "seed %u, habits %u, run %u: vCPU %u on %u %lld..%lld, was %u on %u %lld..%lld",
                        (unsigned)seed, habits, i, b->v, b->p, (long long)b->from, (long long)b->to, a->v,
                        a->p, (long long)a->from, (long long)a->to);
            }
            ck_often(first->n == t->n);
        }
        runs += first->n;
    }
    ck_assert_uint_gt(runs, (uint64_t)FEWER(5000)); /* there was something to compare */
    free(first);
    free(t);
}
END_TEST

/* The trace can tell: without the defence the others are seen in it. */
START_TEST(without_slots_it_does)
{
    static struct world w;
    struct trace *t = malloc(sizeof *t);
    int64_t ran[2];
    for (int busy = 0; busy < 2; busy++) {
        world_begin(&w, "rr", 1);
        t->n = t->vm = 0;
        w.ran = note;
        w.ran_ctx = t;
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
        world_vm(&w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .asleep = !busy});
        world_start(&w, 1);
        world_run(&w, 100 * MS);
        ran[busy] = 0;
        for (uint32_t i = 0; i < t->n; i++)
            ran[busy] += t->run[i].to - t->run[i].from;
        world_end(&w);
    }
    ck_assert_int_eq(ran[0], 100 * MS);
    ck_assert_int_eq(ran[1], 50 * MS);
    free(t);
}
END_TEST

Suite *sched_slots_alone_suite(void)
{
    Suite *s = suite_create("sched_slots_alone");
    TCase *t = tcase_create("sched_slots_alone");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, what_a_vm_does_hangs_on_no_other, 0, 6);
    tcase_add_test(t, without_slots_it_does);
    suite_add_tcase(s, t);
    return s;
}
