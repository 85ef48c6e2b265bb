// SPDX-License-Identifier: GPL-3.0-or-later
/* Rows of one kind each, with every stat the kind has (names and meanings: scenario/names.h). */
#include <math.h>
#include <string.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

#include "metrics/meter_inner.h"
#include "scenario/names.h"

double meter_put_span(const struct meter *m)
{
    return meter_s(m->end_ns - m->warmup_ns);
}

void meter_put(struct meter *m, const char *e, const char *metric, const char *stat, const char *unit,
               double v)
{
    if (!isnan(v)) results_add(m->results, e, metric, stat, unit, v);
}

void meter_put_count(struct meter *m, const char *e, const char *metric, const char *unit, uint64_t n)
{
    results_add_exact(m->results, e, metric, "total", unit, n);
    meter_put(m, e, metric, "rate", *unit ? "B/s" : "1/s", (double)n / meter_put_span(m));
}

void meter_put_time(struct meter *m, const char *e, const char *metric, int64_t ns, double of_ns)
{
    meter_put(m, e, metric, "total", "s", meter_s(ns));
    meter_put(m, e, metric, "share", "", of_ns > 0 ? (double)ns / of_ns : 0);
    meter_put(m, e, metric, "rate", name_unit(name_find(metric), "rate"), meter_s(ns) / meter_put_span(m));
}

void meter_put_dist(struct meter *m, const char *e, const char *metric, const struct hist *h)
{
    results_add_exact(m->results, e, metric, "count", "", h->count);
    if (h->count == 0) return;
    meter_put(m, e, metric, "mean", "s", hist_mean(h) / 1e9);
    meter_put(m, e, metric, "p50", "s", hist_quantile(h, .50) / 1e9);
    meter_put(m, e, metric, "p95", "s", hist_quantile(h, .95) / 1e9);
    meter_put(m, e, metric, "p99", "s", hist_quantile(h, .99) / 1e9);
    meter_put(m, e, metric, "max", "s", (double)h->max / 1e9);
}

void meter_put_unserved(struct meter *m, const char *e, const struct meter_sums *s)
{
    int64_t wanted = s->state[VCPU_RUN] + s->state[VCPU_READY];
    meter_put(m, e, "unserved", "share", "", wanted ? (double)s->state[VCPU_READY] / (double)wanted : 0);
}

void meter_put_events(struct meter *m, const char *e, const struct event_meter *ev)
{
    static const struct event_meter none[REC_NEVENTS];
    if (!ev) ev = none;
    for (int k = 0; k < REC_NEVENTS; k++) {
        char metric[64] = "events.";
        strncat(metric, rec_event_name((enum rec_event)k), sizeof metric - 8);
        results_add_exact(m->results, e, metric, "total", "", ev[k].total);
        if (ev[k].total == 0) continue;
        meter_put(m, e, metric, "first", "s", meter_s(ev[k].first_ns));
        meter_put(m, e, metric, "last", "s", meter_s(ev[k].last_ns));
    }
}

void meter_put_add_vcpu(const struct meter *m, const struct vcpu_meter *v, struct meter_sums *s)
{
    int64_t t[VCPU_NSTATES];
    for (int st = 0; st < VCPU_NSTATES; st++) {
        t[st] = v->total[st] - m->marks[v - m->vcpus].base[st];
        s->state[st] += t[st];
    }
    if (m->overheads) s->overhead += m->overheads[v - m->vcpus].ns;
    s->vcpus++;
    if (t[VCPU_IDLE] || t[VCPU_DOWN]) return;
    const struct sc_vm *vm = &m->sc->vms[v->vm];
    double x = (double)t[VCPU_RUN] / ((double)vm->weight / vm->vcpus);
    s->x += x;
    s->xx += x * x;
    s->busy_vcpus++;
}

void meter_put_add_vms(const struct meter *m, uint32_t first, uint32_t n, struct meter_sums *s)
{
    for (uint32_t i = first; i < first + n; i++)
        for (uint32_t k = 0; meter_was_there(m, i) && k < m->vms[i].n_vcpus; k++)
            meter_put_add_vcpu(m, &m->vcpus[m->vms[i].first_vcpu + k], s);
}

void meter_put_fairness(struct meter *m, const char *e, const struct meter_sums *s)
{
    if (s->busy_vcpus && s->xx > 0)
        meter_put(m, e, "fairness", "share", "", s->x * s->x / ((double)s->busy_vcpus * s->xx));
}

void meter_put_spread(struct meter *m, const char *e, const char *metric, const char *unit, double *v,
                      size_t n)
{
    gsl_sort(v, 1, n);
    meter_put(m, e, metric, "mean", unit, gsl_stats_mean(v, 1, n));
    meter_put(m, e, metric, "sd", unit, gsl_stats_sd(v, 1, n));
    meter_put(m, e, metric, "min", unit, v[0]);
    meter_put(m, e, metric, "p50", unit, gsl_stats_quantile_from_sorted_data(v, 1, n, .50));
    meter_put(m, e, metric, "p95", unit, gsl_stats_quantile_from_sorted_data(v, 1, n, .95));
    meter_put(m, e, metric, "p99", unit, gsl_stats_quantile_from_sorted_data(v, 1, n, .99));
    meter_put(m, e, metric, "max", unit, v[n - 1]);
}
