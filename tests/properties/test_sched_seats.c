// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs come and go: random arrivals and departures with every kind of limit, reservation, pins and
 * co-scheduling, in every class. After every call sched_world.h checks what must hold; here: a seat that is
 * given back is as new and nobody looks at it again, those that stay and those that come have their fair
 * shares, and room that is not used is not touched. */
#include <sys/mman.h>
#include <unistd.h>

#include "policy/sched_frame.h"
#include "tests/often.h"
#include "tests/properties/sched_world.h"

Suite *sched_seats_suite(void);

#define MS INT64_C(1000000)
#define S  (1000 * MS)

static const char *const names[] = {"rr", "credit", "cfs", "eevdf", "stride", "bvt"};
static const uint64_t pinsets[] = {1, 2, 3, 5, 0xff};
static struct world world;

enum {
    ROOM_VMS = 24,
    ROOM_VCPUS = 48,
    N_PINSETS = sizeof pinsets / sizeof pinsets[0],
    SPOILT = 0xa5,
    LATE_NS = 2000000
};

/* --- what a free seat is --- */

static bool all_are(const void *bytes, size_t n, uint8_t what)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < n; i++)
        if (b[i] != what) return false;
    return true;
}

static void check_free(const struct sched *s, uint32_t v)
{
    char *copy = malloc(s->vcpu_stride);
    memcpy(copy, vcpu_at(s, v), s->vcpu_stride);
    struct sched_vcpu *x = (struct sched_vcpu *)copy;
    ck_often(x->id == v && x->node.id == v && x->due.id == v && x->vm == SCHED_NONE);
    ck_often(x->node.chance == sched_tree_chance(v) && x->due.chance == sched_tree_chance(v));
    x->id = x->vm = 0;
    x->node.id = x->node.chance = x->due.id = x->due.chance = 0;
    ck_often(all_are(copy, s->vcpu_stride, 0));
    free(copy);
    if (s->has_skews) ck_often(s->progress_ns[v] == 0);
    if (s->gang.on) ck_often(all_are(&s->gang.units[v], sizeof *s->gang.units, 0));
    if (s->slots.on) ck_often(s->slots.at[v] == 0);
}

/* Free seats are kept aside and spoilt, so that whoever follows a pointer to one is lost; before VMs come the
 * seats come back, untouched meanwhile. */
struct aside {
    char vcpu[ROOM_VCPUS][2048];
    bool spoilt[ROOM_VCPUS];
};
static struct aside aside;

static void spoil(struct sched *s)
{
    ck_often(s->vcpu_stride <= sizeof aside.vcpu[0]);
    for (uint32_t v = 0; v < s->n_vcpus; v++) {
        struct sched_vcpu *x = vcpu_at(s, v);
        if (aside.spoilt[v] || x->vm != SCHED_NONE) continue;
        check_free(s, v);
        memcpy(aside.vcpu[v], x, s->vcpu_stride);
        memset(x, SPOILT, s->vcpu_stride);
        aside.spoilt[v] = true;
    }
}

static void unspoil(struct sched *s)
{
    for (uint32_t v = 0; v < s->n_vcpus; v++) {
        if (!aside.spoilt[v]) continue;
        ck_often(all_are(vcpu_at(s, v), s->vcpu_stride, SPOILT));
        memcpy(vcpu_at(s, v), aside.vcpu[v], s->vcpu_stride);
        aside.spoilt[v] = false;
    }
}

/* --- random lives --- */

static struct world_vm random_vm(struct world *w)
{
    struct rng *r = &w->rng;
    struct world_vm vm = {.weight = 1 + rng_u32(r) % 10000, .n_vcpus = 1 + rng_u32(r) % 4, .asleep = true};
    uint32_t pins = rng_u32(r) % (2 * N_PINSETS), how = rng_u32(r) % 4;
    if (pins < N_PINSETS && w->cfg.n_pcpus > 1) vm.pins = &pinsets[pins];
    if (w->cfg.room_cosched >> how & 1) vm.cosched = (enum sched_cosched)how;
    if (rng_u32(r) % 3 == 0) {
        vm.period = (1 + rng_u32(r) % 100) * MS;
        vm.quota = 1 + vm.period * (rng_u32(r) % 200) / 100;
    }
    if (rng_u32(r) % 3 == 0) vm.reservation = 1 + rng_u32(r) % 500000;
    if (rng_u32(r) % 2) {
        vm.work = 1 + rng_u32(r) % (8 * MS);
        vm.sleep = 1 + rng_u32(r) % (8 * MS);
    }
    return vm;
}

/* Where a VM of n vCPUs is to sit, by a plain search; false: nowhere. */
static bool place_of(const struct world *w, uint32_t n, uint32_t *vm, uint32_t *first)
{
    bool taken[ROOM_VCPUS] = {0};
    for (*vm = 0; *vm < w->cfg.n_vms && w->vm[*vm].n_vcpus;)
        ++*vm;
    for (uint32_t i = 0; i < w->cfg.n_vms; i++)
        for (uint32_t k = 0; k < w->vm[i].n_vcpus; k++)
            taken[w->vm[i].first + k] = true;
    for (*first = 0; *first + n <= ROOM_VCPUS; ++*first) {
        uint32_t k = 0;
        while (k < n && !taken[*first + k])
            k++;
        if (k == n) return *vm < ROOM_VMS;
    }
    return false;
}

static bool come(struct world *w)
{
    struct world_vm vm = random_vm(w);
    uint32_t want_vm, want_first;
    bool room = place_of(w, vm.n_vcpus, &want_vm, &want_first);
    unspoil(w->s);
    uint32_t i = world_attach(w, vm);
    spoil(w->s);
    ck_often(room ? i == want_vm && w->vm[i].first == want_first : i == SCHED_NONE);
    bool all = rng_u32(&w->rng) % 4;
    for (uint32_t v = w->vm[want_vm].first; room && v < w->vm[want_vm].first + vm.n_vcpus; v++)
        if (all || rng_u32(&w->rng) % 2) world_wake(w, v);
    return room;
}

static void go(struct world *w, uint32_t i)
{
    world_detach(w, i);
    ck_often(all_are(&w->s->vms[i], sizeof w->s->vms[i], 0));
    spoil(w->s);
}

/* The first VMs stay, asleep: sched_init is to see all sets of pins. */
static uint32_t begin(struct world *w, const char *cls, uint64_t seed)
{
    struct rng r = {rng_mix(seed), 2 * seed + 1};
    rng_u32(&r);
    world_begin(w, cls, rng_u32(&r) % 4 ? 3 + rng_u32(&r) % 4 : 1);
    for (uint32_t i = 0; w->cfg.n_pcpus > 1 && i < N_PINSETS; i++)
        world_vm(w, (struct world_vm){.weight = 1000, .n_vcpus = 1, .pins = &pinsets[i], .asleep = true});
    w->cfg.room_vms = ROOM_VMS;
    w->cfg.room_vcpus = ROOM_VCPUS;
    w->cfg.room_cosched = rng_u32(&r) % 3 ? rng_u32(&r) % 16 & ~1u : 0;
    w->cfg.balance_idle = rng_u32(&r) % 4 != 0;
    w->cfg.balance_every_ns = rng_u32(&r) % 3 ? 4 * MS : 0;
    w->cfg.credit_debit_tick = rng_u32(&r) % 4 == 0;
    w->cfg.threads_per_core = 1 + rng_u32(&r) % 2;
    w->cfg.fixed_slots = seed % 5 == 0;
    if (rng_u32(&r) % 4 == 0) w->cfg.slice_ns = 1 + rng_u32(&r) % (20 * MS);
    w->late = rng_u32(&r) % 4 != 0;
    memset(&aside, 0, sizeof aside);
    world_start(w, seed);
    return w->cfg.n_vms;
}

static void check_quotas(struct world *w)
{
    for (uint32_t i = 0; i < w->cfg.n_vms; i++) {
        struct world_vm *vm = &w->vm[i];
        if (!vm->n_vcpus) continue;
        world_period(vm, w->now);
        uint32_t at_once = vm->n_vcpus < w->cfg.n_pcpus ? vm->n_vcpus : w->cfg.n_pcpus;
        MUST(vm->max_debt <= (w->late ? at_once * (int64_t)LATE_NS : 0));
    }
}

struct lives {
    uint64_t came, refused, lent;
};

static uint64_t live(const char *cls, uint64_t seed, struct lives *n)
{
    struct world *w = &world;
    uint32_t stay = begin(w, cls, seed), there = 0;
    for (int64_t t = 0; t < 1200 * MS;) {
        t += world_below(w, 20 * MS);
        world_run(w, t);
        check_quotas(w);
        uint32_t i = stay + rng_u32(&w->rng) % (ROOM_VMS - stay);
        if (rng_u32(&w->rng) % ROOM_VMS >= there / 2) {
            come(w) ? n->came++ : n->refused++;
        } else if (i < w->cfg.n_vms && w->vm[i].n_vcpus) {
            go(w, i);
        }
        there = 0;
        for (uint32_t k = stay; k < w->cfg.n_vms; k++)
            there += w->vm[k].n_vcpus > 0;
        uint32_t a = w->p[0].vcpu, b = rng_u32(&w->rng) % w->cfg.n_vcpus;
        if (a == SCHED_NONE || a == b || world_free(w, b)) continue;
        n->lent += sched_yield_to(w->s, a, b, w->now);
        world_settle(w);
    }
    for (uint32_t i = stay; i < w->cfg.n_vms; i++)
        if (w->vm[i].n_vcpus) go(w, i);
    world_run(w, 2 * S);
    for (uint32_t p = 0; p < w->cfg.n_pcpus; p++)
        ck_often(sched_current(w->s, p) == SCHED_NONE && sched_poll(w->s) == SCHED_FOREVER);
    unspoil(w->s);
    uint64_t hash = w->hash;
    world_end(w);
    return hash;
}

START_TEST(who_leaves_leaves_nothing)
{
    struct lives n = {0};
    for (uint64_t seed = 1; seed <= (uint64_t)FEWER(100); seed++)
        live(names[_i], seed, &n);
    ck_assert_uint_gt(n.came, (uint64_t)FEWER(2000));
    ck_assert_uint_gt(n.refused, 0);
    ck_assert_uint_gt(n.lent, 0);
}
END_TEST

START_TEST(the_same_lives_are_the_same)
{
    struct lives n = {0};
    for (uint64_t seed = 1; seed <= 6; seed++) {
        uint64_t first = live(names[_i], seed, &n);
        void *elsewhere = malloc(12345);
        ck_assert_uint_eq(live(names[_i], seed, &n), first);
        free(elsewhere);
    }
}
END_TEST

/* What the caller has not asked for yet is forgotten too: news of who leaves, and a turn given to it. */
START_TEST(who_leaves_is_not_spoken_of)
{
    static const struct sched_vm_cfg hog = {.weight = 1000, .n_vcpus = 1},
                                     poor = {.weight = 1000, .n_vcpus = 1, .quota_ns = MS, .period_ns = S};
    struct sched_cfg cfg = {.cls = sched_class_find(names[_i]),
                            .n_pcpus = 1,
                            .room_vcpus = 4,
                            .room_vms = 4,
                            .slice_ns = 10 * MS};
    struct sched *s = sched_init(calloc(1, sched_size(&cfg)), &cfg);
    uint32_t a, b, c;
    ck_assert_uint_eq(sched_attach(s, &poor, 0, &a), 0);
    sched_wake(s, a, 0);
    ck_assert_int_eq(sched_pick(s, 0, 0).run_ns, MS);
    sched_charge(s, a, MS, MS);
    ck_assert_uint_eq(sched_pick(s, 0, MS).vcpu, SCHED_NONE);
    ck_assert_uint_eq(sched_where(s, a), SCHED_THROTTLED);
    sched_block(s, a, MS);
    sched_detach(s, 0, MS);
    ck_assert_uint_eq(sched_take_changed(s), SCHED_NONE);
    ck_assert_int_eq(sched_next_tick(s), SCHED_FOREVER);

    sched_attach(s, &hog, MS, &a);
    sched_attach(s, &hog, MS, &b);
    sched_attach(s, &hog, MS, &c);
    sched_wake(s, a, MS);
    ck_assert_uint_eq(sched_pick(s, 0, MS).vcpu, a);
    sched_wake(s, c, MS);
    sched_wake(s, b, MS);
    sched_charge(s, a, 0, MS);
    ck_assert_uint_eq(sched_pick(s, 0, MS).vcpu, a);
    ck_assert(sched_yield_to(s, a, b, MS));
    sched_block(s, b, MS);
    sched_detach(s, 1, MS);
    ck_assert_uint_eq(sched_attach(s, &hog, MS, &b), 1);
    sched_wake(s, b, MS);
    sched_charge(s, a, 0, MS);
    ck_assert_uint_eq(sched_pick(s, 0, MS).vcpu, a); /* the turn is its own again */
    free(s);
}
END_TEST

/* --- shares --- */

static double share(const struct world *w, uint32_t v, int64_t before, int64_t ns)
{
    return (double)(w->v[v].ran - before) / (double)ns;
}

static void near(double got, double want, double tolerance)
{
    ck_assert_msg(got >= want - tolerance && got <= want + tolerance, "%g instead of %g", got, want);
}

/* Two that stay, of weights 1 to 3, among others that come and go on one pCPU: that do all kinds of
 * things, or only run. */
START_TEST(shares_of_those_that_stay_are_fair)
{
    const char *name = names[_i % 6];
    struct world *w = &world;
    double ratio = sched_class_weighted(sched_class_find(name)) ? 3 : 1, all = 1 + ratio;
    world_begin(w, name, 1);
    w->cfg.room_vms = ROOM_VMS;
    w->cfg.room_vcpus = ROOM_VCPUS;
    world_vm(w, (struct world_vm){.weight = 1000, .n_vcpus = 1});
    world_vm(w, (struct world_vm){.weight = 3000, .n_vcpus = 1});
    memset(&aside, 0, sizeof aside);
    world_start(w, 3);
    for (int64_t t = 0; t < 60 * S;) {
        t += world_below(w, 100 * MS);
        world_run(w, t);
        uint32_t i = 2 + rng_u32(&w->rng) % 6;
        if (i < w->cfg.n_vms && w->vm[i].n_vcpus) {
            go(w, i);
            continue;
        }
        struct world_vm vm = random_vm(w);
        vm.reservation = 0;
        if (_i >= 6) vm.quota = vm.work = vm.sleep = 0;
        vm.asleep = false;
        unspoil(w->s);
        ck_assert_uint_ne(world_attach(w, vm), SCHED_NONE);
        spoil(w->s);
    }
    /* What credit clips, savings and debts of several slices, nobody makes up for. */
    near((double)w->v[1].ran / (double)w->v[0].ran, ratio, (_i % 6 == 1 ? .08 : .03) * ratio);
    for (uint32_t i = 2; i < w->cfg.n_vms; i++)
        if (w->vm[i].n_vcpus) go(w, i);
    int64_t a = w->v[0].ran, b = w->v[1].ran, t = w->now;
    world_run(w, t + 20 * S);
    near(share(w, 0, a, 20 * S), 1 / all, .01);
    near(share(w, 1, b, 20 * S), ratio / all, .01);
    /* One that comes to a seat of another's is neither ahead nor behind. */
    unspoil(w->s);
    ck_assert_uint_eq(world_attach(w, (struct world_vm){.weight = 1000, .n_vcpus = 1}), 2);
    a = w->v[0].ran;
    t = w->now;
    world_run(w, t + S);
    near(share(w, 2, 0, S), 1 / (1 + all), .06);
    world_run(w, t + 20 * S);
    near(share(w, 2, 0, 20 * S), 1 / (1 + all), .01);
    near(share(w, 0, a, 20 * S), 1 / (1 + all), .01);
    world_end(w);
}
END_TEST

/* --- room --- */

START_TEST(room_changes_no_decision)
{
    uint64_t hash[2];
    for (uint32_t room = 0; room < 2; room++) {
        struct world *w = &world;
        world_begin(w, names[_i], 4);
        w->cfg.balance_idle = true;
        w->cfg.balance_every_ns = 4 * MS;
        w->cfg.room_vms = 1000 * room;
        w->cfg.room_vcpus = 3000 * room;
        for (uint32_t i = 0; i < 8; i++)
            world_vm(w, (struct world_vm){.weight = 500 * (i + 1),
                                          .n_vcpus = 1 + i % 3,
                                          .quota = i % 2 * 9 * MS,
                                          .period = 20 * MS,
                                          .reservation = i % 4 * 100000,
                                          .work = 3 * MS,
                                          .sleep = i * MS});
        world_start(w, 11);
        world_run(w, 2 * S);
        hash[room] = w->hash;
        world_end(w);
    }
    ck_assert_uint_eq(hash[0], hash[1]);
}
END_TEST

/* Of room for 100,000 vCPUs a few pages are there: those that were used. */
START_TEST(room_that_is_not_used_is_not_touched)
{
    for (int slots = 0; slots < 2; slots++) {
        struct sched_cfg cfg = {.cls = sched_class_find(names[_i]),
                                .n_pcpus = 4,
                                .room_vcpus = 100000,
                                .room_vms = 100000,
                                .room_cosched = 1u << SCHED_COSCHED_STRICT | 1u << SCHED_COSCHED_RELAXED,
                                .fixed_slots = slots};
        size_t size = sched_size(&cfg), page = (size_t)sysconf(_SC_PAGESIZE), n = (size + page - 1) / page;
        void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        unsigned char *there = malloc(n);
        ck_assert(block != MAP_FAILED && there && n > 5000);
        struct sched *s = sched_init(block, &cfg);
        struct sched_vm_cfg vm = {.weight = 1000, .n_vcpus = 2, .quota_ns = MS, .period_ns = 10 * MS};
        for (int k = 0; k < 100; k++) {
            uint32_t first, a = sched_attach(s, &vm, k * MS, &first);
            ck_assert_uint_eq(first, 0);
            sched_wake(s, first, k * MS);
            sched_block(s, first, k * MS);
            sched_detach(s, a, k * MS);
        }
        ck_assert_int_eq(mincore(block, size, there), 0);
        size_t touched = 0;
        for (size_t i = 0; i < n; i++)
            touched += there[i] & 1;
        ck_assert_msg(touched < 32, "%zu of %zu pages", touched, n);
        free(there);
        munmap(block, size);
    }
}
END_TEST

Suite *sched_seats_suite(void)
{
    Suite *s = suite_create("sched_seats");
    TCase *t = tcase_create("sched_seats");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, who_leaves_leaves_nothing, 0, 6);
    tcase_add_loop_test(t, the_same_lives_are_the_same, 0, 6);
    tcase_add_loop_test(t, who_leaves_is_not_spoken_of, 0, 6);
    tcase_add_loop_test(t, shares_of_those_that_stay_are_fair, 0, 12);
    tcase_add_loop_test(t, room_changes_no_decision, 0, 6);
    tcase_add_loop_test(t, room_that_is_not_used_is_not_touched, 0, 6);
    suite_add_tcase(s, t);
    return s;
}
