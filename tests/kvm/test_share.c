// SPDX-License-Identifier: GPL-3.0-or-later
/* Who gets how much of a real pCPU, and for how long at a time. Shares are of the time that guests ran, so
 * that what else the machine does falls out; each is the median of three runs. */
#include <math.h>

#include "lab.h"
#include "tests/often.h"
#include "metrics/meter.h"

Suite *share_suite(void);

#ifdef SANITIZED
#define REPEATS 1 /* tests/tsan.sh looks for races */
#else
#define REPEATS 3
#endif

/* Median shares of n VMs with those weights on one pCPU. */
static void shares_of(const char *scheduler, uint32_t n, const uint32_t *weights, int64_t run_ns, double *out)
{
    double seen[LAB_VMS][REPEATS];
    for (int k = 0; k < REPEATS; k++) {
        struct lab *l = lab_new(scheduler, 1, n, run_ns);
        for (uint32_t i = 0; i < n; i++)
            l->vms[i].weight = weights ? weights[i] : 1000;
        lab_run_well(l);
        for (uint32_t i = 0; i < n; i++)
            seen[i][k] = lab_share(l, i);
        lab_free(l);
    }
    for (uint32_t i = 0; i < n; i++)
        out[i] = lab_median(seen[i], REPEATS);
}

static void expect_near(double got, double want, double within, const char *what)
{
    ck_assert_msg(fabs(got - want) <= within, "%s: %.2f, not within %.2f of %.2f", what, got, within, want);
}

START_TEST(equals_get_equal_shares)
{
    uint32_t n = (uint32_t)_i;
    double got[LAB_VMS];
    shares_of("eevdf", n, NULL, 1000000000, got);
    for (uint32_t i = 0; i < n; i++)
        expect_near(got[i], 100.0 / n, 1, "share");
}
END_TEST

START_TEST(weights_1_2_4)
{
    static const char *const by[] = {"eevdf", "stride", "bvt", "cfs", "credit"};
    static const uint32_t weights[] = {1000, 2000, 4000};
    double got[LAB_VMS];
    shares_of(by[_i], 3, weights, 1400000000, got);
    /* 140 slices of 10 ms: a policy with those is within one of them, .7 points; credit's are of 30 ms */
    for (uint32_t i = 0; i < 3; i++)
        expect_near(got[i], 100.0 * weights[i] / 7000, _i == 4 ? 2.5 : _i == 3 ? 2 : 1, by[_i]);
}
END_TEST

START_TEST(limits_of_25_and_50_percent)
{
    struct lab *l = lab_new(_i == 0 ? "eevdf" : "credit", 2, 2, _i == 0 ? 10000000000 : 2000000000);
    uint64_t pins[2] = {1, 2};
    for (uint32_t i = 0; i < 2; i++) {
        l->vms[i].pins = &pins[i];
        l->vms[i].limit_ppm = i == 0 ? 250000 : 500000;
    }
    lab_run_well(l);
    for (uint32_t i = 0; i < 2; i++) {
        const struct lab_vm *v = &l->seen[i];
        double wall = (double)l->sc.run.duration_ns;
        expect_near(100 * (double)v->state_ns[VCPU_RUN] / wall, i == 0 ? 25 : 50, 1.5, "run");
        /* What it did not get its limit kept from it, and where Linux decides the host's own work too. */
        double kept = i == 0 ? 75 : 50, throttled = 100 * (double)v->state_ns[VCPU_THROTTLED] / wall;
        ck_assert_msg(throttled > kept * (_i == 0 ? 0.6 : 0.95) && throttled < kept + 2, "throttled: %.2f",
                      throttled);
        ck_assert_uint_ge(v->n_events[REC_EV_THROTTLE], (uint64_t)(wall / 100e6) * 8 / 10);
    }
    lab_free(l);
}
END_TEST

START_TEST(round_robin_by_the_dispatcher)
{
    static const int64_t slices[] = {10000000, 20000000};
    double share[2][REPEATS], slice[REPEATS], wait[REPEATS];
    for (int k = 0; k < REPEATS; k++) {
        struct lab *l = lab_new("rr", 1, 2, 1000000000);
        l->host.slice_ns = slices[_i];
        lab_run_well(l);
        ck_assert(!l->pcpu_gaps); /* every ns of the pCPU is accounted for */
        for (uint32_t i = 0; i < 2; i++)
            share[i][k] = lab_share(l, i);
        slice[k] = lab_median_ms(l->seen[0].runs_ns, l->seen[0].n_runs);
        wait[k] = lab_median_ms(l->seen[1].waits_ns, l->seen[1].n_waits);
        lab_free(l);
    }
    double ms = (double)slices[_i] / 1e6;
    for (uint32_t i = 0; i < 2; i++)
        expect_near(lab_median(share[i], REPEATS), 50, 1, "share");
    expect_near(lab_median(slice, REPEATS), ms, ms / 20, "slice");
    expect_near(lab_median(wait, REPEATS), ms, ms / 20, "wait");
}
END_TEST

START_TEST(linux_slices_end_on_ticks)
{
    double slice[REPEATS], tick = (double)host_tick_ns() / 1e6;
    for (int k = 0; k < REPEATS; k++) {
        struct lab *l = lab_new("eevdf", 1, 2, 1000000000);
        lab_run_well(l);
        slice[k] = lab_median_ms(l->seen[0].runs_ns, l->seen[0].n_runs);
        lab_free(l);
    }
    /* Whatever base slice and HZ are: a whole number of ticks, within 10 % of one. */
    double n = fmax(1, round(lab_median(slice, REPEATS) / tick));
    expect_near(lab_median(slice, REPEATS), n * tick, tick / 10, "slice");
}
END_TEST

START_TEST(three_vcpus_share_two_pcpus)
{
    double share[3][REPEATS];
    for (int k = 0; k < REPEATS; k++) {
        struct lab *l = lab_new("rr", 2, 3, 1500000000);
        l->host.balance_every_ns = 4000000;
        l->host.slice_ns = 10000000;
        lab_run_well(l);
        ck_assert(!l->pcpu_gaps);
        uint64_t moved = 0;
        for (uint32_t i = 0; i < 3; i++) {
            share[i][k] = lab_share(l, i);
            moved += l->seen[i].n_events[REC_EV_MIGRATE];
        }
        ck_assert_uint_gt(moved, 10); /* only by moving can three be equal on two */
        lab_free(l);
    }
    for (uint32_t i = 0; i < 3; i++)
        expect_near(lab_median(share[i], REPEATS), 100.0 / 3, 3, "share");
}
END_TEST

/* A slice that ends where the run does begins no other: none of no length stands before the last one. */
START_TEST(slices_that_end_with_the_run)
{
    for (uint32_t k = 0; k < 100; k++) {
        struct lab *l = lab_new("rr", 1 + k % 2, 3, 6000000);
        l->host.slice_ns = 300000;
        lab_run_well(l); /* lab_see_pcpu: a pCPU does never two things at once */
        lab_free(l);
    }
}
END_TEST

/* Conservation and Little's law hold on hardware too; what no record covers is the host's own time. */
START_TEST(the_meter_balances_on_a_real_clock)
{
    struct lab *l = lab_new(_i == 0 ? "eevdf" : "rr", 1, 2, 400000000);
    l->sc.run.sample_ns = 50000000;
    l->sc.run.warmup_ns = 37000000;
    struct meter *m = meter_new(&l->sc, &(struct meter_opts){.only_vm = UINT32_MAX, .real_clock = true});
    l->also = meter_reader(m);
    lab_run_well(l);
    char *why = NULL;
    ck_assert_msg(meter_finish(m, l->sc.run.duration_ns, &why) == 0, "%s", why);
    static const char *const parts[] = {"cpu.guest", "cpu.switch", "cpu.hostos", "cpu.idle"};
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        const struct result *r = results_find(meter_output(m)->results, "host.h1", parts[i], "share");
        ck_assert_ptr_nonnull(r);
        ck_assert(r->value >= 0);
        sum += r->value;
    }
    expect_near(sum, 1, 1e-9, "a pCPU's time");
    ck_assert(_i == 0 || !l->pcpu_gaps);
    meter_free(m);
    lab_free(l);
}
END_TEST

Suite *share_suite(void)
{
    Suite *s = suite_create("share");
    if (!lab_usable("share")) return s;
    TCase *t = tcase_create("share");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, equals_get_equal_shares, 2, 5);
    tcase_add_loop_test(t, weights_1_2_4, 0, 5);
    tcase_add_loop_test(t, limits_of_25_and_50_percent, 0, 2);
    tcase_add_loop_test(t, round_robin_by_the_dispatcher, 0, 2);
    tcase_add_test(t, linux_slices_end_on_ticks);
    tcase_add_test(t, three_vcpus_share_two_pcpus);
    tcase_add_test(t, slices_that_end_with_the_run);
    tcase_add_loop_test(t, the_meter_balances_on_a_real_clock, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
