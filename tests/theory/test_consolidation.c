// SPDX-License-Identifier: GPL-3.0-or-later
/* Few full hosts or many empty ones: what is saved by the line between idle and busy, what it costs by
 * Erlang's delay formula. Both from what the scenarios state. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/often.h"
#include "tests/treelab.h"

Suite *consolidation_suite(void);

/* The mean time in M/M/c: the wait by Erlang C, from Erlang B by its recursion, and the service. */
static double mmc_s(double lambda, double mu, uint32_t c)
{
    double a = lambda / mu, b = 1;
    for (uint32_t k = 1; k <= c; k++)
        b = a * b / (k + a * b);
    double waits = b / (1 - a / c * (1 - b));
    return waits / (c * mu - lambda) + 1 / mu;
}

START_TEST(the_formulas_themselves)
{
    ck_near(mmc_s(.8, 1, 1), 5, 1e-12);
    ck_near(mmc_s(3.2, 1, 4), 1.745541, 5e-7);
    ck_near(mmc_s(.6, 1, 1) / mmc_s(.2, 1, 1), 2, 1e-12);
    ck_near(mmc_s(2.4, 1, 4) / mmc_s(.8, 1, 4), 1.176, 5e-4);
}
END_TEST

/* What a point should come out at: k VMs on each of `on` hosts, the rest off. */
struct truth {
    uint32_t on;
    double load, watts, latency_s;
};

static struct truth reckon(const struct scenario *sc)
{
    const struct sc_host *h = sc->hosts;
    const struct sc_vm *v = sc->vms;
    double lambda = 1e9 / (double)v->work.stretches[0].gap_ns,
           service = (double)prog_steps(v->work.prog)[0].amount.a / 1e9;
    bool packed = strcmp(sc->cloud.place, "worst-fit") != 0;
    uint32_t k =
        packed ? h->limit_ppm * h->cores / v->reservation_ppm : (sc->n_vms + sc->n_hosts - 1) / sc->n_hosts;
    struct truth t = {.on = (sc->n_vms + k - 1) / k};
    t.load = k * lambda * service / h->cores;
    t.watts = (t.on * ((double)h->power.idle_mw + t.load * (double)(h->power.busy_mw - h->power.idle_mw)) +
               (sc->n_hosts - t.on) * (double)h->power.off_mw) /
              1000;
    t.latency_s = mmc_s(k * lambda, 1 / service, h->cores);
    return t;
}

/* Over the replications: each VM counts alike, as in the scenario's own mean. */
static void measure(const char *path, size_t point, struct truth *want, struct truth *got)
{
    struct tree t;
    tree_open(&t, path, point);
    const struct scenario *sc = t.sc;
    double reps = sc->run.replications;
    *want = reckon(sc);
    *got = (struct truth){0};
    for (uint32_t r = 1; r <= sc->run.replications; r++) {
        tree_run(&t, r);
        double seconds = (double)(sc->run.duration_ns - sc->run.warmup_ns) / 1e9, sum_w = 0;
        uint32_t on = 0;
        for (uint32_t i = 0; i < sc->n_hosts; i++) {
            char name[80];
            snprintf(name, sizeof name, "host.%s", sc->hosts[i].name);
            double w = tree_value(&t, name, "power", "mean"), u = tree_value(&t, name, "cpu.util", "share");
            sum_w += w;
            on += w > 0;
            /* Off is off; on is the line, to the watt. */
            if (w > 0)
                ck_near(w,
                        ((double)sc->hosts[i].power.idle_mw +
                         u * (double)(sc->hosts[i].power.busy_mw - sc->hosts[i].power.idle_mw)) /
                            1000,
                        1e-6 * w);
            else
                ck_near(u, 0, 0);
            got->load += u / want->on / reps;
        }
        ck_assert_uint_eq(on, want->on);
        ck_near(tree_value(&t, "cluster", "hosts.on", "mean"), want->on, 1e-9);
        ck_near(tree_value(&t, "cluster", "power", "mean"), sum_w, 1e-9 * sum_w);
        ck_near(tree_value(&t, "cluster", "energy", "total"), sum_w * seconds, 1e-9 * sum_w * seconds);
        got->watts += sum_w / reps;
        for (uint32_t i = 0; i < sc->n_vms; i++) {
            char name[80];
            snprintf(name, sizeof name, "vm.%s", sc->vms[i].name);
            got->latency_s += tree_value(&t, name, "latency", "mean") / sc->n_vms / reps;
        }
    }
    tree_close(&t);
}

/* 1440 W and 640 W; x2.000 on hosts of one core, x1.176 on hosts of four. */
START_TEST(twelve_hosts_packed_on_four)
{
    static const struct {
        const char *path;
        double dearer;
    } two[] = {{"scenarios/16-consolidation.yaml", 2.000}, {"scenarios/16-consolidation-4.yaml", 1.176}};
    struct truth want[2], got[2];
    for (size_t p = 0; p < 2; p++) {
        measure(two[_i].path, p, &want[p], &got[p]);
        ck_near(got[p].watts, want[p].watts, .02 * want[p].watts);
        ck_near(got[p].load, want[p].load, .02 * want[p].load);
        ck_near(got[p].latency_s, want[p].latency_s, .02 * want[p].latency_s);
    }
    ck_near(want[0].watts, 1440, 1e-9);
    ck_near(want[1].watts, 640, 1e-9);
    double x = want[1].latency_s / want[0].latency_s;
    ck_near(x, two[_i].dearer, 5e-4);
    ck_near(got[1].latency_s / got[0].latency_s, x, .02 * x);
}
END_TEST

Suite *consolidation_suite(void)
{
    Suite *s = suite_create("consolidation");
    TCase *tc = tcase_create("consolidation");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_formulas_themselves);
    tcase_add_loop_test(tc, twelve_hosts_packed_on_four, 0, 2);
    suite_add_tcase(s, tc);
    return s;
}
