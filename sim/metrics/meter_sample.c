// SPDX-License-Identifier: GPL-3.0-or-later
/* The time series: what each unit had of each sample. A host's cpu.util counts a switch when it ends.
 * The last columns are those of memory, disks and networks (meter_column.c). */
#include "metrics/meter_inner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define MAX_COLS 4096 /* beyond, the VMs are left out and the hosts kept */

static const enum vcpu_state sampled_states[] = {VCPU_RUN, VCPU_READY, VCPU_THROTTLED};
static const char *const sampled_names[] = {"cpu.run", "cpu.ready", "cpu.throttled"};
#define N_STATES (sizeof sampled_states / sizeof *sampled_states)

static void add_col(struct meter *m, const char *entity, const char *metric, const char *unit)
{
    m->col_entity[m->n_cols] = entity;
    m->col_metric[m->n_cols] = metric;
    m->col_unit[m->n_cols++] = unit;
}

static bool requests(const struct meter *m, const struct meter_unit *u)
{
    return m->sc->vms[u->first_vm].work.requests;
}

static bool with_units(const struct meter *m)
{
    return (size_t)m->n_units * (N_STATES + 3) <= MAX_COLS;
}

void meter_sample_init(struct meter *m)
{
    size_t cap = m->sc->n_hosts + (size_t)m->n_units * (N_STATES + 3) + meter_column_most(m, MAX_COLS) + 1;
    m->col_entity = calloc(cap, sizeof *m->col_entity);
    m->col_metric = calloc(cap, sizeof *m->col_metric);
    m->col_unit = calloc(cap, sizeof *m->col_unit);
    ASSERT(m->col_entity && m->col_metric && m->col_unit);
    if (m->opts.no_series) return;
    for (uint32_t h = 0; h < m->sc->n_hosts; h++)
        add_col(m, meter_name(m, "host.%s", m->sc->hosts[h].name), "cpu.util", "");
    for (uint32_t u = 0; with_units(m) && u < m->n_units; u++) {
        const char *name = m->units[u].name;
        for (size_t i = 0; i < N_STATES; i++)
            add_col(m, name, sampled_names[i], "");
        if (!requests(m, &m->units[u])) continue;
        add_col(m, name, "backlog", "");
        add_col(m, name, "throughput", "1/s");
        add_col(m, name, "latency", "s");
    }
    meter_column_init(m, MAX_COLS);
}

void meter_sample_done(struct meter *m)
{
    free(m->col_entity);
    free(m->col_metric);
    free(m->col_unit);
    free(m->resource_cols);
    free(m->sample_t);
    free(m->sample_v);
}

static double *new_row(struct meter *m, int64_t t_ns)
{
    size_t n = m->series.n_rows;
    if (n == m->sample_cap) {
        m->sample_cap = n ? 2 * n : 64;
        m->sample_t = realloc(m->sample_t, m->sample_cap * sizeof *m->sample_t);
        m->sample_v = realloc(m->sample_v, m->sample_cap * (m->n_cols + 1) * sizeof *m->sample_v);
        ASSERT(m->sample_t && m->sample_v);
    }
    m->sample_t[n] = t_ns;
    m->series.n_rows++;
    m->series.n_cols = m->n_cols;
    m->series.entities = m->col_entity;
    m->series.metrics = m->col_metric;
    m->series.units = m->col_unit;
    m->series.t_ns = m->sample_t;
    m->series.v = m->sample_v;
    return m->sample_v + n * m->n_cols;
}

/* Run time of all vCPUs and own threads of a host since the last sample; also of those that run on. */
static void host_run(struct meter *m, int64_t t_ns, double *run_ns)
{
    for (uint32_t h = 0; h < m->sc->n_hosts; h++)
        run_ns[h] = 0;
    for (uint32_t i = 0; i < m->n_vcpus; i++) {
        const struct vcpu_meter *v = &m->vcpus[i];
        run_ns[m->sc->vms[v->vm].host] +=
            (double)(meter_state_until(v, VCPU_RUN, t_ns) - m->marks[i].sampled[VCPU_RUN]);
    }
    for (uint32_t h = 0; m->threads && h < m->sc->n_hosts; h++) {
        for (uint32_t i = 0; i < m->threads[h].n; i++) {
            struct thread_meter *t = &m->threads[h].t[i];
            int64_t ran = meter_thread_until(t, t_ns);
            run_ns[h] += (double)(ran - t->run_sampled);
            t->run_sampled = ran;
        }
    }
}

static double *sample_requests(struct meter *m, const struct meter_unit *u, int64_t t_ns, double *row)
{
    double sample = (double)m->sc->run.sample_ns, level = 0, latency = 0;
    uint64_t done = 0;
    for (uint32_t i = u->first_vm; i < u->first_vm + u->n_vms; i++) {
        struct vm_meter *v = &m->vms[i];
        __int128 integral = v->integral + (__int128)v->inside * (t_ns - v->level_ns);
        level += (double)(integral - v->integral_sampled) / sample;
        latency += (double)(v->latency_all - v->latency_sampled);
        done += v->done_all - v->done_sampled;
        v->integral_sampled = integral;
        v->latency_sampled = v->latency_all;
        v->done_sampled = v->done_all;
    }
    *row++ = level;
    *row++ = (double)done / (sample / 1e9);
    *row++ = done ? latency / (double)done / 1e9 : (double)NAN;
    return row;
}

static double *sample_unit(struct meter *m, const struct meter_unit *u, int64_t t_ns, double *row)
{
    double ns[N_STATES] = {0};
    uint32_t vcpus = 0;
    for (uint32_t i = u->first_vm; i < u->first_vm + u->n_vms; i++) {
        for (uint32_t k = 0; k < m->vms[i].n_vcpus; k++) {
            uint32_t at = m->vms[i].first_vcpu + k;
            for (size_t s = 0; s < N_STATES; s++)
                ns[s] += (double)(meter_state_until(&m->vcpus[at], (int)sampled_states[s], t_ns) -
                                  m->marks[at].sampled[sampled_states[s]]);
        }
        vcpus += m->vms[i].n_vcpus;
    }
    for (size_t s = 0; s < N_STATES; s++)
        *row++ = ns[s] / ((double)vcpus * (double)m->sc->run.sample_ns);
    return requests(m, u) ? sample_requests(m, u, t_ns, row) : row;
}

void meter_sample_take(struct meter *m, int64_t t_ns)
{
    meter_power_mark(m, t_ns);
    if (m->opts.no_series) return; /* only the power is of interest */
    double *row = new_row(m, t_ns);
    if (m->homes) {
        for (uint32_t h = 0; h < m->sc->n_hosts; h++)
            *row++ = meter_power_util(m, h, t_ns);
    } else {
        host_run(m, t_ns, row);
    }
    for (uint32_t h = 0; !m->homes && h < m->sc->n_hosts; h++, row++) {
        for (uint32_t p = m->first_pcpu[h]; p < m->first_pcpu[h] + m->sc->hosts[h].cores; p++) {
            *row += (double)(m->pcpus[p].switch_all_ns - m->pcpus[p].switch_sampled_ns);
            m->pcpus[p].switch_sampled_ns = m->pcpus[p].switch_all_ns;
        }
        *row /= (double)m->sc->run.sample_ns * m->sc->hosts[h].cores;
    }
    for (uint32_t u = 0; with_units(m) && u < m->n_units; u++)
        row = sample_unit(m, &m->units[u], t_ns, row);
    meter_column_take(m, t_ns, row);
    for (uint32_t i = 0; i < m->n_vcpus; i++) {
        for (int st = 0; st < VCPU_NSTATES; st++)
            m->marks[i].sampled[st] = meter_state_until(&m->vcpus[i], st, t_ns);
    }
}
