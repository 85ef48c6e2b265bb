// SPDX-License-Identifier: GPL-3.0-or-later
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "metrics/meter_inner.h"
#include "metrics/meter_read.h"

void meter_broken(struct meter *m, const char *fmt, ...)
{
    if (m->broken) return;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&m->broken, fmt, ap) < 0) m->broken = NULL;
    va_end(ap);
    ASSERT(m->broken);
}

const char *meter_name(struct meter *m, const char *fmt, ...)
{
    if (m->n_names == m->cap_names) {
        m->cap_names = m->cap_names ? 2 * m->cap_names : 64;
        m->names = realloc(m->names, m->cap_names * sizeof *m->names);
        ASSERT(m->names);
    }
    char *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    int len = vasprintf(&s, fmt, ap);
    va_end(ap);
    ASSERT(len >= 0 && s);
    m->names[m->n_names++] = s;
    return s;
}

/* Whether only_vm lets it in. */
static bool wants(const struct meter *m, uint32_t vm)
{
    return m->opts.only_vm == UINT32_MAX || m->opts.only_vm == vm;
}

/* --- boundaries: the end of the warm-up, and of each sample --- */

static void end_warmup(struct meter *m)
{
    meter_power_end_warmup(m);
    m->warm = true;
    for (uint32_t i = 0; i < m->n_vcpus; i++)
        for (int st = 0; st < VCPU_NSTATES; st++)
            m->marks[i].base[st] = meter_state_until(&m->vcpus[i], st, m->warmup_ns);
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        struct vm_meter *v = &m->vms[i];
        v->integral_base = v->integral + (__int128)v->inside * (m->warmup_ns - v->level_ns);
        v->inside_max = v->inside;
    }
    meter_thread_end_warmup(m);
    meter_count_end_warmup(m);
    meter_up_end_warmup(m);
}

/* Everything up to and at t_ns that is not a record. */
void meter_read_cross(struct meter *m, int64_t t_ns)
{
    meter_count_laws(m);
    while (m->next_boundary <= t_ns) {
        if (!m->warm && m->warmup_ns == m->next_boundary) end_warmup(m);
        if (m->next_sample == m->next_boundary) {
            meter_sample_take(m, m->next_sample);
            m->next_sample += m->sc->run.sample_ns;
        }
        m->next_boundary = !m->warm && m->warmup_ns < m->next_sample ? m->warmup_ns : m->next_sample;
    }
}

/* --- records --- */

/* On a real clock the host's own work takes what no record covers, up to t_ns. False: it cannot be that. */
static bool take_hostos(const struct meter *m, struct pcpu_meter *p, int64_t t_ns)
{
    if (!m->opts.real_clock || t_ns < p->last_ns) return false;
    int64_t from = p->last_ns > m->warmup_ns ? p->last_ns : m->warmup_ns;
    if (t_ns > from) p->hostos_ns += t_ns - from;
    p->last_ns = t_ns;
    return true;
}

/* Between this interval and the last is a gap, or they overlap. */
__attribute__((noinline, cold)) void meter_read_gap(struct meter *m, const struct rec *r,
                                                    struct pcpu_meter *p)
{
    if (take_hostos(m, p, r->t_ns - r->value)) return;
    meter_broken(m,
                 "host.%s.pcpu%u: an interval ends at %" PRId64 " ns after %" PRId64
                 " ns, but the last one ended at %" PRId64 " ns",
                 m->sc->hosts[r->host].name, r->pcpu, r->t_ns, r->value, p->last_ns);
}

__attribute__((noinline, cold)) void meter_read_broken(struct meter *m, const struct rec *r,
                                                       const struct vcpu_meter *v)
{
    if (v->last_ns == 0 && r->t_ns == r->value) return; /* the first: whichever state it began in */
    meter_broken(m,
                 "vm.%s.vcpu%u: left %s at %" PRId64 " ns after %" PRId64
                 " ns, but had been in %s since %" PRId64 " ns",
                 m->sc->vms[r->vm].name, r->vcpu, rec_state_name(r->from), r->t_ns, r->value,
                 rec_state_name((enum vcpu_state)v->state), v->last_ns);
}

struct pcpu_meter *meter_pcpu_interval(struct meter *m, const struct rec *r)
{
    return pcpu_interval(m, r);
}

/* It was inside until now, and is lost as those are that found the queue full. */
static void read_abort(struct meter *m, const struct rec *r)
{
    struct vm_meter *v = &m->vms[r->vm];
    set_inside(m, v, r, -1);
    v->aborted_all++;
    v->ages += r->value;
    v->lost += m->warm;
}

/* What is not told all the time. */
void meter_read_rare(struct meter *m, const struct rec *r)
{
    switch ((enum rec_kind)r->kind) {
    case REC_LOST: m->vms[r->vm].lost += m->warm; break;
    case REC_OPEN:
        m->vms[r->vm].open++;
        m->vms[r->vm].ages += r->value;
        break;
    case REC_UNTIL: m->vms[r->vm].until_ns = r->value; break;
    case REC_EVENT: meter_event_read(m, r); break;
    case REC_OVERHEAD: meter_thread_overhead(m, r); break;
    case REC_THREAD: meter_thread_read(m, r); break;
    case REC_COUNT:
    case REC_LEVEL: meter_count_read(m, r); break;
    case REC_IO: meter_dev_io(m, r); break;
    case REC_ABORT: read_abort(m, r); break;
    case REC_POWER: meter_up_read(m, r); break;
    case REC_STATE:
    case REC_SWITCH:
    case REC_IDLE:
    case REC_ARRIVE:
    case REC_DONE:
    case REC_WORK:
    case REC_NKINDS: break;
    }
}

/* The meter of a run in which nothing moves pays nothing for those in which something does. */
static void meter_read(void *ctx, const struct rec *r, size_t n)
{
    struct meter *m = ctx;
    for (size_t i = 0; i < n; i++) {
        if (r[i].t_ns >= m->next_boundary) meter_read_cross(m, r[i].t_ns);
        if (r[i].kind == REC_STATE)
            read_state(m, &r[i], false);
        else
            read_rec(m, &r[i]);
    }
}

struct rec_reader meter_reader(struct meter *m)
{
    return (struct rec_reader){
        .read = m->power ? meter_home_read : meter_read, .ctx = m, .mask = (1u << REC_NKINDS) - 1};
}

/* --- beginnings and ends --- */

/* VMs of one `count:` group stand side by side (names in order), so a unit is a range. */
static void make_units(struct meter *m)
{
    const struct scenario *sc = m->sc;
    m->units = calloc(sc->n_vms + 1, sizeof *m->units);
    ASSERT(m->units);
    for (uint32_t i = 0; i < sc->n_vms;) {
        uint32_t n = 1;
        while (i + n < sc->n_vms && strcmp(sc->vms[i + n].group, sc->vms[i].group) == 0)
            n++;
        bool fold = n > METER_FOLD && m->opts.only_vm == UINT32_MAX;
        for (uint32_t k = 0; k < (fold ? 1 : n); k++)
            if (wants(m, i + k))
                m->units[m->n_units++] = (struct meter_unit){
                    .name = meter_name(m, "vm.%s", fold ? sc->vms[i].group : sc->vms[i + k].name),
                    .first_vm = i + k,
                    .n_vms = fold ? n : 1,
                };
        i += n;
    }
}

/* Distributions are a vCPU's own, except in a folded group, which has one of each (unless every member is
 * to be told of). */
static void make_dists(struct meter *m)
{
    m->dists = calloc(m->n_vcpus + m->sc->n_vms + 1, sizeof *m->dists);
    ASSERT(m->dists);
    for (uint32_t u = 0; u < m->n_units; u++) {
        const struct meter_unit *unit = &m->units[u];
        bool own = meter_has_own(m, unit);
        struct dists *shared = NULL;
        for (uint32_t i = unit->first_vm; i < unit->first_vm + unit->n_vms; i++) {
            struct vm_meter *v = &m->vms[i];
            if (!shared || own) shared = &m->dists[m->n_dists++];
            v->latency = &shared->latency;
            for (uint32_t k = 0; k < v->n_vcpus; k++) {
                struct dists *d = !own || k == 0 ? shared : &m->dists[m->n_dists++];
                m->vcpus[v->first_vcpu + k].slice = &d->slice;
                m->vcpus[v->first_vcpu + k].wait = &d->wait;
            }
        }
    }
}

struct meter *meter_new(const struct scenario *sc, const struct meter_opts *o)
{
    struct meter *m = calloc(1, sizeof *m);
    ASSERT(m);
    m->sc = sc;
    m->opts = *o;
    m->warmup_ns = sc->run.warmup_ns;
    m->warm = m->warmup_ns == 0;
    meter_power_init(m);
    m->next_sample = o->no_series && !m->powered ? INT64_MAX : sc->run.sample_ns;
    m->first_pcpu = calloc(sc->n_hosts + 1, sizeof *m->first_pcpu);
    m->first_vcpu = calloc(sc->n_vms + 1, sizeof *m->first_vcpu);
    m->vms = calloc(sc->n_vms + 1, sizeof *m->vms);
    m->host_events = calloc((size_t)sc->n_hosts + 1, sizeof *m->host_events);
    ASSERT(m->first_pcpu && m->first_vcpu && m->vms && m->host_events);
    for (uint32_t i = 0; i < sc->n_hosts; i++) {
        m->first_pcpu[i] = m->n_pcpus;
        m->n_pcpus += sc->hosts[i].cores;
    }
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        m->vms[i] = (struct vm_meter){.first_vcpu = m->n_vcpus, .until_ns = -1, .alone_s = (double)NAN};
        if (wants(m, i)) m->vms[i].n_vcpus = sc->vms[i].vcpus;
        m->first_vcpu[i] = m->n_vcpus;
        m->n_vcpus += m->vms[i].n_vcpus;
    }
    m->vcpus = calloc(m->n_vcpus + 1, sizeof *m->vcpus);
    m->pcpus = calloc(m->n_pcpus + 1, sizeof *m->pcpus);
    m->vcpu_events = calloc(m->n_vcpus + 1, sizeof *m->vcpu_events);
    m->pcpu_events = calloc(m->n_pcpus + 1, sizeof *m->pcpu_events);
    m->marks = calloc(m->n_vcpus + 1, sizeof *m->marks);
    m->host_tallies = calloc((size_t)sc->n_hosts + 1, sizeof *m->host_tallies);
    m->held = calloc((size_t)sc->n_hosts + 1, sizeof *m->held);
    ASSERT(m->vcpus && m->marks && m->pcpus && m->vcpu_events && m->pcpu_events && m->host_tallies &&
           m->held);
    if (scenario_n_devs(sc)) {
        m->devs = calloc(scenario_n_devs(sc), sizeof *m->devs);
        ASSERT(m->devs);
    }
    for (uint32_t i = 0; i < sc->n_vms; i++)
        for (uint32_t k = 0; k < m->vms[i].n_vcpus; k++)
            m->vcpus[m->vms[i].first_vcpu + k] = (struct vcpu_meter){.vm = i, .state = VCPU_DOWN};
    make_units(m);
    meter_up_init(m);
    meter_home_init(m);
    meter_has_init(m);
    make_dists(m);
    meter_sample_init(m);
    m->next_boundary = !m->warm && m->warmup_ns < m->next_sample ? m->warmup_ns : m->next_sample;
    return m;
}

void meter_free(struct meter *m)
{
    if (!m) return;
    for (size_t i = 0; i < m->n_dists; i++) {
        hist_done(&m->dists[i].slice);
        hist_done(&m->dists[i].wait);
        hist_done(&m->dists[i].latency);
    }
    for (size_t i = 0; i < m->n_names; i++)
        free(m->names[i]);
    for (size_t i = 0; i < m->output.n_ecdfs; i++) {
        free((void *)(uintptr_t)m->output.ecdfs[i].x);
        free((void *)(uintptr_t)m->output.ecdfs[i].share);
    }
    free((void *)(uintptr_t)m->output.ecdfs);
    meter_sample_done(m);
    meter_event_done(m);
    results_free(m->results);
    free(m->names);
    free(m->dists);
    free(m->units);
    free(m->first_pcpu);
    free(m->first_vcpu);
    free(m->vms);
    free(m->vcpus);
    free(m->marks);
    free(m->pcpus);
    meter_count_done(m);
    meter_thread_done(m);
    meter_up_done(m);
    meter_home_done(m);
    free(m->devs);
    free(m->host_has);
    free(m->happenings);
    free(m->broken);
    free(m);
}

void meter_set_checksum(struct meter *m, uint32_t vm, uint64_t sum)
{
    m->vms[vm].checksum = sum;
}
void meter_set_alone(struct meter *m, uint32_t vm, double seconds)
{
    m->vms[vm].alone_s = seconds;
}

double meter_pace(const struct meter *m, uint32_t vm)
{
    const struct vm_meter *v = &m->vms[vm];
    if (!wants(m, vm)) return (double)NAN;
    if (m->sc->vms[vm].work.requests) {
        __int128 in_window_sum = (__int128)v->latency->sum;
        return v->latency->count ? (double)in_window_sum / (double)v->latency->count / 1e9 : (double)NAN;
    }
    return v->done ? meter_s(m->end_ns - m->warmup_ns) / (double)v->done : (double)NAN;
}

int meter_finish(struct meter *m, int64_t end_ns, char **why)
{
    ASSERT(!m->finished);
    m->finished = true;
    m->end_ns = end_ns;
    meter_read_cross(m, end_ns);
    for (uint32_t i = 0; i < m->n_pcpus; i++)
        take_hostos(m, &m->pcpus[i], end_ns);
    meter_up_end(m);
    meter_power_mark(m, end_ns);
    meter_check_laws(m);
    meter_write_rows(m);
    if (!m->broken) return 0;
    *why = strdup(m->broken);
    return -1;
}

const struct run_output *meter_output(const struct meter *m)
{
    return &m->output;
}
