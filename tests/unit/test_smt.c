// SPDX-License-Identifier: GPL-3.0-or-later
/* Hardware threads: how much work a stretch is, when a burst is over, and what changes when a sibling comes
 * or goes. */
#include "model/smt.h"

#include "base/rng.h"
#include "tests/lifelab.h"
#include "tests/often.h"

Suite *smt_suite(void);

enum { THREADS = 8 };

/* A pCPU of a core on which n threads are busy. */
static struct pcpu thread_of(uint32_t n)
{
    return (struct pcpu){
        .smt = true, .rate_num = 10 + 3 * (n - 1), .rate_den = 10 * n, .slice_end = INT64_MAX};
}

/* However a stretch is cut, the work of it is the same. */
START_TEST(work_in_pieces)
{
    struct rng r = rng_at(rng_key(31, (uint64_t)_i, RNG_TIE), 0, 0);
    struct pcpu c = thread_of((uint32_t)_i);
    int64_t time = 0, work = 0;
    for (int k = 0; k < 10000; k++) {
        int64_t piece = rng_u32(&r) >> (rng_u32(&r) % 32);
        time += piece;
        work += smt_work_ns(&c, piece);
        ck_often(work == (int64_t)((__int128)time * c.rate_num / c.rate_den));
        ck_often(c.work_rest < c.rate_den);
    }
    ck_assert_int_gt(time, 1000000);
    struct pcpu most = thread_of((uint32_t)_i);
    ck_assert_int_eq(smt_work_ns(&most, INT64_MAX), (int64_t)((__int128)INT64_MAX * c.rate_num / c.rate_den));
}
END_TEST

/* At its end a burst is done, and one ns before it is not. */
START_TEST(the_end_of_a_burst)
{
    struct rng r = rng_at(rng_key(32, (uint64_t)_i, RNG_TIE), 0, 0);
    struct vcpu v = {0};
    struct pcpu c = thread_of((uint32_t)_i);
    c.on = &v;
    for (int k = 0; k < 10000; k++) {
        int64_t now = rng_u32(&r);
        v.burst_ns = 1 + (rng_u32(&r) >> (rng_u32(&r) % 32));
        c.work_rest = rng_u32(&r) % c.rate_den;
        int64_t takes = smt_end_ns(&c, now) - now;
        struct pcpu at = c, before = c;
        ck_often(takes > 0);
        ck_often(smt_work_ns(&at, takes) >= v.burst_ns);
        ck_often(smt_work_ns(&before, takes - 1) < v.burst_ns);
    }
    v.burst_ns = 0;
    ck_assert_int_eq(smt_end_ns(&c, 5), 5);
    c.slice_end = 1000; /* or the end of its slice, if that is before */
    c.work_rest = 0;
    v.burst_ns = 400;
    ck_assert_int_eq(smt_end_ns(&c, 995), 1000);
    v.burst_ns = INT64_MAX;
    ck_assert_int_eq(smt_end_ns(&c, 0), 1000);
    c.slice_end = INT64_MAX;
    ck_assert_int_eq(smt_end_ns(&c, INT64_MAX - 1), INT64_MAX);
}
END_TEST

/* So many busy threads on the second of two cores, one on the first: each core has a rate of its own. */
START_TEST(each_core_by_itself)
{
    int busy = _i;
    char pins[120] = "8";
    for (int k = 1; k < busy; k++)
        snprintf(pins + strlen(pins), sizeof pins - strlen(pins), ", %d", 8 + k);
    struct life l = {.lab =
                         lab_open("vlab: 1\nname: t\nrun: {duration: 1s}\n"
                                  "hosts: [{name: h, cpu: {cores: 2, threads_per_core: 8}}]\nvms:\n"
                                  "- {name: one, cpu: {pin: [3]}, workload: {steps: [{cpu: 1ms}]}}\n"
                                  "- {name: v, vcpus: %d, cpu: {pin: [%s]}, workload: {threads: %d, steps: "
                                  "[{cpu: 1ms}]}}\n",
                                  busy, pins, busy)};
    life_begin(&l, 1);
    life_to(&l, 100 * LIFE_MS);
    ck_assert_uint_eq(l.m->n_pcpus, 16);
    for (uint32_t p = 0; p < 16; p++) {
        const struct pcpu *c = &l.m->pcpus[p];
        double want = p < 8 ? 1 : (1 + .3 * (busy - 1)) / busy;
        ck_near((double)c->rate_num / c->rate_den, want, 1e-12);
    }
    life_end(&l);
    lab_run(l.lab, 1);
    ck_near(lab_value(l.lab, "vm.v", "work.done", "total"), 1000 * (1 + .3 * (busy - 1)), busy + 1);
    ck_near(lab_value(l.lab, "vm.v", "cpu.run", "total"), busy, 1e-9); /* of time it has all */
    lab_close(l.lab);
}
END_TEST

/* a: 50 ms alone; then both at .65, b's 13 ms take 20; then a's other 37: what was done before a change is at
 * the old rate, what comes after at the new. */
static struct lab *two(int cores, int start_ms)
{
    return lab_open(
        "vlab: 1\nname: t\nrun: {duration: 1s}\n"
        "hosts: [{name: h, cpu: {cores: %d, threads_per_core: 2, scheduler: rr, slice: 1s}}]\nvms:\n"
        "- {name: a, cpu: {pin: [0]}, workload: {until: {count: 1}, steps: [{cpu: 10ms}, {cpu: 90ms}]}}\n"
        "- {name: b, cpu: {pin: [%d]}, start: {at: %dms}, workload: {until: {count: 1}, steps: [{cpu: "
        "13ms}]}}\n",
        cores, cores == 1 ? 1 : 2, start_ms);
}

/* Or they begin together, and a's end comes nearer as b goes. On two cores neither notices. */
START_TEST(a_sibling_comes_and_goes)
{
    int cores = 1 + _i / 2, start_ms = _i % 2 * 50;
    struct lab *l = two(cores, start_ms);
    life_run(l, 1);
    ck_assert_int_eq(life_when(l, "vm.a", "finished", 0), (cores == 1 ? 107 : 100) * LIFE_MS);
    ck_assert_int_eq(life_when(l, "vm.b", "finished", 0), (start_ms + (cores == 1 ? 20 : 13)) * LIFE_MS);
    lab_close(l);
}
END_TEST

/* What it has done since it was booked last is asked without booking it. */
START_TEST(a_look)
{
    struct life l = {.lab = two(1, 50)};
    life_begin(&l, 1);
    life_to(&l, 40 * LIFE_MS);
    const struct vcpu *v = l.m->pcpus[0].on;
    ck_assert_int_eq(cpu_uncharged_ns(l.m, v), 30 * LIFE_MS); /* since its first step */
    life_to(&l, 60 * LIFE_MS + 1);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(cpu_uncharged_ns(l.m, v), 6500000); /* of .65 more */
    ck_assert_uint_eq(l.m->pcpus[0].work_rest, 0);
    ck_assert_int_eq(v->burst_ns, 50 * LIFE_MS);
    life_end(&l);
    lab_close(l.lab);
}
END_TEST

/* Slices are time, not work: they end when they do on a core of one's own. */
START_TEST(slices_are_time)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 2s}\n"
        "hosts: [{name: h, cpu: {cores: 1, threads_per_core: 2, scheduler: rr, slice: 10ms}}]\nvms:\n"
        "- {name: a, count: 2, cpu: {pin: [0]}, workload: {steps: [{cpu: 1s}]}}\n"
        "- {name: b, cpu: {pin: [1]}, workload: {steps: [{cpu: 1s}]}}\n");
    life_run(l, 1);
    ck_near(lab_value(l, "vm.a-0", "slice", "p50"), .010, 1e-4);
    ck_near(lab_value(l, "vm.a-0", "slice", "max"), .010, 1e-4);
    ck_near(lab_value(l, "vm.a-1", "cpu.run", "share"), .5, 1e-9);
    lab_close(l);
}
END_TEST

/* The remainder is of a rate: another begins without one. */
START_TEST(a_rest_is_of_its_rate)
{
    struct life l = {
        .lab =
            lab_open("vlab: 1\nname: t\nrun: {duration: 1s}\nhosts: [{name: h, cpu: {cores: 1, "
                     "threads_per_core: 2}}]\nvms:\n"
                     "- {name: a, cpu: {pin: [0]}, workload: {steps: [{cpu: 100ms}]}}\n"
                     "- {name: b, cpu: {pin: [1]}, workload: {until: {count: 1}, steps: [{cpu: 7ns}]}}\n")};
    life_begin(&l, 1);
    life_to(&l, 10);
    struct pcpu *c = &l.m->pcpus[0];
    ck_assert_uint_eq(c->rate_num, 13);
    life_to(&l, 11); /* 7 / .65 = 10.77 */
    ck_assert_uint_eq(c->rate_num, 10);
    ck_assert_uint_eq(c->work_rest, 0);
    ck_assert_int_eq(c->on->burst_ns, 100 * LIFE_MS - 7); /* of 7.15 */
    life_end(&l);
    lab_close(l.lab);
}
END_TEST

Suite *smt_suite(void)
{
    Suite *s = suite_create("smt");
    TCase *tc = tcase_create("smt");
    tcase_add_loop_test(tc, work_in_pieces, 1, THREADS + 1);
    tcase_add_loop_test(tc, the_end_of_a_burst, 1, THREADS + 1);
    tcase_add_loop_test(tc, each_core_by_itself, 1, THREADS + 1);
    tcase_add_loop_test(tc, a_sibling_comes_and_goes, 0, 4);
    tcase_add_test(tc, a_look);
    tcase_add_test(tc, slices_are_time);
    tcase_add_test(tc, a_rest_is_of_its_rate);
    suite_add_tcase(s, tc);
    return s;
}
