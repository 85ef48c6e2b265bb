// SPDX-License-Identifier: GPL-3.0-or-later
/* secret.c, called step by step: what is told of an access, what an administrator finds, which slots of a
 * covert channel count and what is sent in them. Then whole runs: who learns what under which defence. */
#include "model/secret.h"

#include "tests/lifelab.h"
#include "tests/often.h"

Suite *secret_suite(void);

#define US INT64_C(1000)

/* Everybody sleeps: what happens is the test's doing. The second step of spy, twin, other and ear is covert.
 */
#define SENDS "[{sleep: 1000s}, {covert: {send: random, bits: 1000000, rate: 1000/s}}]"
#define WORLD                                                                                                \
    "vlab: 1\nname: t\nrun: {duration: 100s}\nhosts: [{name: g}, {name: h, cpu: {cores: 8}}]\nvms:\n"        \
    "- {name: big, host: h, memory: 64MiB, workload: {steps: [{sleep: 1000s}]}}\n"                           \
    "- {name: unstated, host: h, workload: {steps: [{sleep: 1000s}]}}\n"                                     \
    "- {name: spy, host: h, workload: {steps: " SENDS "}}\n"                                                 \
    "- {name: twin, host: h, draws: spy, workload: {steps: " SENDS "}}\n"                                    \
    "- {name: other, host: h, workload: {steps: " SENDS "}}\n"                                               \
    "- {name: ear, host: h, workload: {steps: [{sleep: 1000s}, {covert: {receive: spy, bits: 1000000, "      \
    "rate: 1000/s}}]}}\n"

struct world {
    struct life l;
    int n;
    struct rec events[32];
};

static void note(void *ctx, const struct rec *recs, size_t n)
{
    struct world *w = ctx;
    for (size_t i = 0; i < n; i++) {
        if (recs[i].kind != REC_EVENT || recs[i].cause == REC_EV_STARTED) continue;
        ck_assert_int_lt(w->n, 32);
        w->events[w->n++] = recs[i];
    }
}

static struct world *begin(uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    w->l.lab = lab_open(WORLD);
    life_begin(&w->l, seed);
    rec_block_add_reader(&w->l.out, (struct rec_reader){note, w, 1u << REC_EVENT});
    life_to(&w->l, 0);
    return w;
}

static void end(struct world *w)
{
    model_free(w->l.m);
    lab_close(w->l.lab);
    free(w);
}

static void ck_event(struct world *w, int i, const char *vm, enum rec_event what, int64_t value)
{
    rec_block_flush(&w->l.out);
    ck_assert_int_lt(i, w->n);
    const struct rec *r = &w->events[i];
    ck_assert_int_eq(r->cause, what);
    ck_assert_uint_eq(r->vm, life_vm(&w->l, vm)->index);
    ck_assert_uint_eq(r->host, life_vm(&w->l, vm)->host->index);
    ck_assert_int_eq(r->t_ns, sim_now(w->l.m->sim));
    ck_assert_int_eq(r->value, value);
}

/* --- access --- */

static const struct {
    const char *vm;
    enum prog_access how;
    int64_t address;
} accesses[] = {
    {"big", PROG_NULL, 0},        {"big", PROG_OUTSIDE, 64 << 20}, {"big", PROG_NX, 4096},
    {"big", PROG_READONLY, 4096}, {"unstated", PROG_OUTSIDE, 0},   {"unstated", PROG_NX, 4096},
};

static void reach(struct world *w, const char *vm, enum prog_access how)
{
    struct step s = {.kind = STEP_ACCESS, .how = how};
    secret_access(w->l.m, life_vm(&w->l, vm), &(struct prog_act){.kind = STEP_ACCESS, .step = &s});
}

/* It is told at once and ended at the same instant, but not within the step. Nobody else is. */
START_TEST(an_access)
{
    struct world *w = begin(1);
    struct vm *vm = life_vm(&w->l, accesses[_i].vm);
    life_to(&w->l, 7 * LIFE_MS);
    reach(w, accesses[_i].vm, accesses[_i].how);
    ck_event(w, 0, accesses[_i].vm, REC_EV_FAULT, accesses[_i].address);
    ck_assert(!vm->off && vm->power == POWER_UP);
    life_to(&w->l, 7 * LIFE_MS);
    ck_assert(vm->off && vm->power == POWER_FAILED);
    ck_event(w, 1, accesses[_i].vm, REC_EV_KILLED, 0);
    ck_event(w, 2, accesses[_i].vm, REC_EV_FAILED, 0);
    ck_assert_int_eq(w->n, 3);
    for (uint32_t i = 0; i < w->l.m->sc->n_vms; i++)
        ck_assert_int_eq(w->l.m->vms[i].off, &w->l.m->vms[i] == vm);
    end(w);
}
END_TEST

/* Two tasks of one VM at one instant: two faults, one end. */
START_TEST(it_ends_once)
{
    struct world *w = begin(1);
    reach(w, "big", PROG_NX);
    reach(w, "big", PROG_NULL);
    life_to(&w->l, LIFE_MS);
    rec_block_flush(&w->l.out);
    ck_assert_int_eq(w->n, 4);
    ck_assert_int_eq(w->events[0].value, 4096);
    ck_assert_int_eq(w->events[1].cause, REC_EV_FAULT);
    ck_assert_int_eq(w->events[1].value, 0);
    ck_assert_int_eq(w->events[2].cause, REC_EV_KILLED);
    ck_assert_int_eq(w->events[3].cause, REC_EV_FAILED);
    end(w);
}
END_TEST

/* --- secret --- */

START_TEST(secrets_add_up)
{
    struct world *w = begin(1);
    struct vm *big = life_vm(&w->l, "big");
    secret_inspect(w->l.m, big);
    ck_event(w, 0, "big", REC_EV_INSPECTED, 0);
    secret_keep(big, 1);
    secret_keep(big, 31);
    secret_inspect(w->l.m, big);
    ck_event(w, 1, "big", REC_EV_INSPECTED, 32);
    secret_inspect(w->l.m, big); /* what was read is still there */
    ck_event(w, 2, "big", REC_EV_INSPECTED, 32);
    secret_inspect(w->l.m, life_vm(&w->l, "spy")); /* and only there */
    ck_event(w, 3, "spy", REC_EV_INSPECTED, 0);
    ck_assert_int_eq(w->n, 4);
    end(w);
}
END_TEST

/* No more than the memory holds; where that is not stated, than a number does. */
START_TEST(memory_is_their_bound)
{
    struct world *w = begin(1);
    struct vm *big = life_vm(&w->l, "big"), *vm = life_vm(&w->l, "unstated");
    int64_t all = 64 << 20;
    secret_keep(big, all - 1);
    ck_assert_int_eq(big->secret_bytes, all - 1);
    secret_keep(big, 1);
    ck_assert_int_eq(big->secret_bytes, all);
    secret_keep(big, 1);
    ck_assert_int_eq(big->secret_bytes, all);
    big->secret_bytes = 10;
    secret_keep(big, INT64_C(1) << 62);
    ck_assert_int_eq(big->secret_bytes, all);
    secret_keep(vm, INT64_C(1) << 62);
    ck_assert_int_eq(vm->secret_bytes, INT64_C(1) << 62);
    secret_keep(vm, INT64_C(1) << 62);
    ck_assert_int_eq(vm->secret_bytes, INT64_MAX);
    secret_inspect(w->l.m, vm);
    ck_event(w, 0, "unstated", REC_EV_INSPECTED, INT64_MAX);
    end(w);
}
END_TEST

/* What inspection n of the VM found; -1: there was none. */
static double found(const struct lab *l, const char *entity, int nth)
{
    const struct run_output *o = lab_output(l);
    for (size_t i = 0; i < o->n_happenings; i++)
        if (strcmp(o->happenings[i].entity, entity) == 0 && strcmp(o->happenings[i].kind, "inspected") == 0 &&
            nth-- == 0)
            return o->happenings[i].value;
    return -1;
}

/* A pause and a move keep it, an end does not; a loop that begins again has it once, not twice. */
START_TEST(as_long_as_memory_lives)
{
    static const struct {
        const char *verb, *again;
        double during, after;
    } lives[] = {
        {"pause: a", "resume: a", 32, 32},
        {"fail: a", "repair: a", 0, 32},
        {"fail: h", "repair: h", 0, 32},
        {"stop: a", "start: a", 0, 32},
        {"unplug: a", "start: a", 0, 32},
        {"destroy: a", "start: a", 0, 32},
        {"migrate: a, to: g", "migrate: a, to: h", 32, 32},
    };
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 100s}\nhosts: [{name: g}, {name: h}]\ncloud: {ha: off}\nvms:\n"
        "- {name: a, host: h, memory: 1MB, workload: {steps: [{cpu: 10ms}, {secret: 32B}, {sleep: 1000s}]}}\n"
        "events: [{at: 9ms, inspect: a}, {at: 11ms, inspect: a}, {at: 20s, %s}, {at: 30s, inspect: a}, "
        "{at: 40s, %s}, {at: 60s, inspect: a}]\n",
        lives[_i].verb, lives[_i].again);
    life_run(l, 1);
    ck_near(found(l, "vm.a", 0), 0, 0);
    ck_near(found(l, "vm.a", 1), 32, 0);
    ck_near(found(l, "vm.a", 2), lives[_i].during, 0);
    ck_near(found(l, "vm.a", 3), lives[_i].after, 0);
    lab_close(l);
}
END_TEST

/* --- covert --- */

struct slot {
    bool busy, over, whole;
    int64_t ends; /* its timer; -1: none */
};

/* At t, as if the task had come to its covert step. */
static struct slot slot_at(struct world *w, const char *name, int64_t t, int64_t len)
{
    struct vm *vm = life_vm(&w->l, name);
    struct task *k = &vm->tasks[0];
    size_t timers = vm->timers.n;
    ck_often(sim_run(w->l.m->sim, t) != SIM_STALLED);
    k->act.step = &prog_steps(vm->prog)[1];
    k->act.amount = len;
    struct slot s = {.ends = -1};
    s.busy = secret_slot(w->l.m, vm, 0, &s.over);
    s.whole = k->whole;
    if (vm->timers.n == timers) return s;
    struct timer rings = timers_take(&vm->timers);
    ck_often(rings.kind == TIMER_TASK && rings.id == 0);
    s.ends = rings.at_ns;
    return s;
}

static int64_t bits_of(struct world *w, const char *name)
{
    return life_vm(&w->l, name)->tasks[0].bits;
}

/* Slots are cut from time 0. One that had begun is waited out: it carries nothing. */
START_TEST(only_whole_slots_count)
{
    static const struct {
        int64_t at, ends;
        bool whole;
    } cases[] = {{0, 100, true},   {1, 100, false},   {99, 100, false},
                 {100, 200, true}, {101, 200, false}, {1000000, 1000100, true}};
    struct world *w = begin(1);
    int64_t counted = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slot ear = slot_at(w, "ear", cases[i].at, 100), spy = slot_at(w, "spy", cases[i].at, 100);
        counted += cases[i].whole;
        ck_assert(ear.busy && !ear.over && !spy.over); /* an ear computes through every slot */
        ck_assert(ear.whole == cases[i].whole && spy.whole == cases[i].whole);
        ck_assert(cases[i].whole || !spy.busy); /* a sender sleeps through what it cannot use */
        ck_assert_int_eq(ear.ends, cases[i].ends);
        ck_assert_int_eq(spy.ends, cases[i].ends);
        ck_assert_int_eq(bits_of(w, "ear"), counted);
        ck_assert_int_eq(bits_of(w, "spy"), counted);
    }
    end(w);
}
END_TEST

/* `bits` slots and no more: then no timer, and nothing is computed. */
START_TEST(the_last_bit)
{
    static const char *const who[] = {"spy", "ear"};
    struct world *w = begin(1);
    struct vm *vm = life_vm(&w->l, who[_i]);
    int64_t span = prog_steps(vm->prog)[1].span;
    ck_assert_int_eq(span, 1000000);
    vm->tasks[0].bits = span - 1;
    struct slot s = slot_at(w, who[_i], 300, 100);
    ck_assert(!s.over && s.whole);
    ck_assert_int_eq(s.ends, 400);
    s = slot_at(w, who[_i], 400, 100);
    ck_assert(s.over && !s.busy);
    ck_assert_int_eq(s.ends, -1);
    ck_assert_int_eq(bits_of(w, who[_i]), span);
    end(w);
}
END_TEST

enum { BITS = 20000 };

static void sent(uint64_t seed, const char *name, int64_t len, bool *bits)
{
    struct world *w = begin(seed);
    for (int i = 0; i < BITS; i++)
        bits[i] = slot_at(w, name, i * len, len).busy;
    end(w);
}

static double apart(const bool *a, const bool *b, int n)
{
    int differ = 0;
    for (int i = 0; i < n; i++)
        differ += a[i] != b[i];
    return (differ - n / 2.) / (sqrt(n) / 2); /* in deviations from half of them */
}

/* They hang on the run's seed, whose stream it is, and the number of the slot: on nothing else. As many ones
 * as zeros, and none tells the next. */
START_TEST(what_is_sent)
{
    static bool one[BITS], again[BITS];
    sent(1, "spy", 1000, one);
    sent(1, "spy", 1777, again); /* slots of another length */
    ck_assert_int_eq(memcmp(one, again, sizeof one), 0);
    sent(1, "twin", 1000, again); /* `draws` is a name */
    ck_assert_int_eq(memcmp(one, again, sizeof one), 0);
    sent(1, "other", 1000, again);
    ck_near(apart(one, again, BITS), 0, 4);
    sent(2, "spy", 1000, again);
    ck_near(apart(one, again, BITS), 0, 4);
    static const bool zeros[BITS];
    ck_near(apart(one, zeros, BITS), 0, 4);
    for (int lag = 1; lag <= 64; lag++)
        ck_near(apart(one, one + lag, BITS - lag), 0, 4.5);
    struct world *w = begin(1);
    const struct vm *spy = life_vm(&w->l, "spy"); /* a stream that nothing else is drawn from */
    ck_assert(spy->key_bits != spy->key_steps && spy->key_bits != spy->key_think);
    end(w);
}
END_TEST

/* What an ear makes of its time, against what was sent in the slot that is over: wrong exactly where covert.h
 * is that hears the same. A slot that was not whole teaches it nothing; a sender hears nothing. */
START_TEST(what_is_heard)
{
    static bool bits[BITS];
    int64_t len = 100 * US, wrong = 0, n = 1000;
    uint64_t noise = 1;
    sent(1, "spy", len, bits);
    struct world *w = begin(1);
    struct vm *ear = life_vm(&w->l, "ear"), *spy = life_vm(&w->l, "spy");
    struct covert same;
    covert_begin(&same);
    slot_at(w, "ear", len / 2, len);
    sim_run(w->l.m->sim, len);
    secret_heard(w->l.m, ear, 0, len / 4);
    ck_assert_uint_eq(ear->covert.heard, 0);
    ck_assert_int_eq(ear->book->count[REC_N_BITS], 0);
    for (int64_t i = 1; i <= n; i++) {
        noise = rng_mix(noise + 1);
        int64_t got = (bits[i] ? len / 2 : len) - (int64_t)(noise % 30000);
        ck_assert(slot_at(w, "ear", i * len, len).whole);
        slot_at(w, "spy", i * len, len);
        sim_run(w->l.m->sim, (i + 1) * len);
        secret_heard(w->l.m, ear, 0, got);
        secret_heard(w->l.m, spy, 0, got);
        wrong += covert_hear(&same, got) != bits[i];
    }
    ck_assert_int_eq(ear->book->count[REC_N_BITS], n);
    ck_assert_int_eq(ear->book->count[REC_N_BITS_WRONG], wrong);
    ck_assert_int_lt(wrong, 40); /* two clusters that do not touch: only the first are guesses */
    ck_assert_int_eq(spy->book->count[REC_N_BITS], 0);
    ck_assert_uint_eq(spy->covert.heard, 0);
    end(w);
}
END_TEST

/* --- whole runs --- */

/* A secret of 32 bytes beside a sender and an ear, on that many pCPUs, for 500 bits. */
static struct lab *together(const char *defence, int cores, const char *events)
{
    return lab_open("vlab: 1\nname: t\nrun: {duration: 52s}\n"
                    "hosts: [{name: h, cpu: {cores: %d, scheduler: credit, slice: 1ms, defence: %s}}]\nvms:\n"
                    "- {name: spy, cpu: {pin: [0]}, workload: {until: {count: 1}, steps: [{secret: 32B}, "
                    "{covert: {send: random, bits: 500, "
                    "rate: 10/s}}]}}\n"
                    "- {name: ear, cpu: {pin: [%d]}, workload: {until: {count: 1}, steps: [{covert: "
                    "{receive: spy, bits: 500, rate: "
                    "10/s}}]}}\n%s",
                    cores, defence, cores - 1, events);
}

static const char look[] = "events: [{at: 20s, inspect: spy}, {at: 21s, inspect: ear}]\n";

/* The defence is against neighbours. The host's administrator is none: he finds the same under each. */
START_TEST(who_learns_what)
{
    static const struct {
        const char *defence;
        int cores;
        bool heard;
    } worlds[] = {
        {"none", 1, true}, {"fixed-slots", 1, false}, {"none", 2, false}, {"fixed-slots", 2, false}};
    struct lab *l = together(worlds[_i].defence, worlds[_i].cores, look);
    life_run(l, 1);
    double ber = lab_value(l, "vm.ear", "covert.ber", "share");
    if (worlds[_i].heard)
        ck_near(ber, 0, .02);
    else
        ck_near(ber, .5, .1);
    ck_near(found(l, "vm.spy", 0), 32, 0);
    ck_near(found(l, "vm.ear", 0), 0, 0);
    lab_close(l);
}
END_TEST

/* All rows of a run, but for those that say that it was looked at. */
static char *but_the_looks(char *text)
{
    char *to = text, *next;
    for (char *line = text; *line; line = next) {
        next = strchr(line, '\n') + 1;
        size_t len = (size_t)(next - line);
        if (strstr(line, "inspected") && strstr(line, "inspected") < next) continue;
        memmove(to, line, len);
        to += len;
    }
    *to = 0;
    return text;
}

/* The same seed, the same run, to the byte; another, another. And nobody notices that he was looked at. */
START_TEST(the_same_again)
{
    /* Events that do nothing, as a file with events has rows of its own. */
    static const char idle[] = "events: [{at: 20s, resume: spy}, {at: 21s, resume: ear}]\n";
    char *text[4];
    for (int i = 0; i < 4; i++) {
        struct lab *l = together("none", 1, i == 2 ? idle : look);
        lab_run(l, i == 3 ? 2 : 1);
        text[i] = but_the_looks(lab_text(l));
        lab_close(l);
    }
    ck_assert_uint_gt(strlen(text[0]), 1000);
    ck_assert_int_eq(strcmp(text[0], text[1]), 0);
    ck_assert_int_eq(strcmp(text[0], text[2]), 0);
    ck_assert_int_ne(strcmp(text[0], text[3]), 0);
    for (int i = 0; i < 4; i++)
        free(text[i]);
}
END_TEST

Suite *secret_suite(void)
{
    Suite *s = suite_create("secret");
    TCase *tc = tcase_create("secret");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, an_access, 0, sizeof accesses / sizeof accesses[0]);
    tcase_add_test(tc, it_ends_once);
    tcase_add_test(tc, secrets_add_up);
    tcase_add_test(tc, memory_is_their_bound);
    tcase_add_loop_test(tc, as_long_as_memory_lives, 0, 7);
    tcase_add_test(tc, only_whole_slots_count);
    tcase_add_loop_test(tc, the_last_bit, 0, 2);
    tcase_add_test(tc, what_is_sent);
    tcase_add_test(tc, what_is_heard);
    tcase_add_loop_test(tc, who_learns_what, 0, 4);
    tcase_add_test(tc, the_same_again);
    suite_add_tcase(s, tc);
    return s;
}
