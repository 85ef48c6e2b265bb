// SPDX-License-Identifier: GPL-3.0-or-later
/* Run time that was not a guest's useful work: overhead within a vCPU's run, and a host's own threads.
 *
 * An interval of overhead lies within a run of its vCPU that is not over yet, and they do not overlap; so
 * overhead is never more than run, of a vCPU as of a pCPU. A thread's intervals are seamless from 0 to the
 * end, as a vCPU's are; from VCPU_RUN its pCPU's time is the host's own. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "metrics/meter_inner.h"

void meter_thread_overhead(struct meter *m, const struct rec *r)
{
    if (!m->overheads) {
        m->overheads = calloc((size_t)m->n_vcpus + 1, sizeof *m->overheads);
        ASSERT(m->overheads);
    }
    uint32_t at = m->first_vcpu[r->vm] + r->vcpu;
    const struct vcpu_meter *v = &m->vcpus[at];
    struct overhead_meter *o = &m->overheads[at];
    struct pcpu_meter *p = &m->pcpus[m->first_pcpu[r->host] + r->pcpu];
    int64_t from_ns = r->t_ns - r->value;
    bool runs = v->state == VCPU_RUN || v->last_ns == 0; /* before its first record nothing is known */
    if (r->value < 0 || !runs || from_ns < v->last_ns || from_ns < o->last_ns || from_ns < p->last_ns)
        meter_broken(m,
                     "vm.%s.vcpu%u: %" PRId64 " ns of overhead up to %" PRId64
                     " ns do not lie in a run of its own (%s since %" PRId64
                     " ns, other overhead up to %" PRId64 " ns)",
                     m->sc->vms[r->vm].name, r->vcpu, r->value, r->t_ns,
                     rec_state_name((enum vcpu_state)v->state), v->last_ns, o->last_ns);
    o->last_ns = r->t_ns;
    o->ns += meter_in_window(m, r);
    p->overhead_ns += meter_in_window(m, r);
}

static struct thread_meter *thread_of(struct meter *m, const struct rec *r)
{
    if (!m->threads) {
        m->threads = calloc((size_t)m->sc->n_hosts + 1, sizeof *m->threads);
        ASSERT(m->threads);
    }
    struct threads_meter *h = &m->threads[r->host];
    if (r->vcpu >= h->n) {
        uint32_t n = r->vcpu + 1u;
        h->t = reallocarray(h->t, n, sizeof *h->t);
        ASSERT(h->t);
        for (; h->n < n; h->n++)
            h->t[h->n] = (struct thread_meter){.state = VCPU_DOWN};
    }
    return &h->t[r->vcpu];
}

void meter_thread_read(struct meter *m, const struct rec *r)
{
    struct thread_meter *t = thread_of(m, r);
    bool first = t->last_ns == 0 && r->t_ns == r->value;
    if (!first && (r->t_ns - r->value != t->last_ns || r->from != t->state))
        meter_broken(m,
                     "host.%s: its thread %u left %s at %" PRId64 " ns after %" PRId64
                     " ns, but had been in %s since %" PRId64 " ns",
                     m->sc->hosts[r->host].name, r->vcpu, rec_state_name((enum vcpu_state)r->from), r->t_ns,
                     r->value, rec_state_name((enum vcpu_state)t->state), t->last_ns);
    if (m->power && r->from == VCPU_RUN && t->state == VCPU_RUN)
        meter_power_run(m, r->host, r->t_ns, -1);
    else if (m->power && r->from == VCPU_RUN)
        meter_power_busy(m, r->host, r->t_ns, r->value);
    if (m->power && r->to == VCPU_RUN) meter_power_run(m, r->host, r->t_ns, 1);
    t->last_ns = r->t_ns;
    t->state = r->to;
    if (r->from != VCPU_RUN) return;
    t->run_ns += r->value;
    meter_pcpu_interval(m, r)->hostos_ns += meter_in_window(m, r);
}

void meter_thread_end_warmup(struct meter *m)
{
    for (uint32_t h = 0; m->threads && h < m->sc->n_hosts; h++)
        for (uint32_t i = 0; i < m->threads[h].n; i++)
            m->threads[h].t[i].run_base = meter_thread_until(&m->threads[h].t[i], m->warmup_ns);
}

static void check_threads(struct meter *m, uint32_t host)
{
    int64_t ran = 0, gave = 0;
    const struct threads_meter *h = &m->threads[host];
    for (uint32_t i = 0; i < h->n; i++) {
        ran += h->t[i].run_ns - h->t[i].run_base;
        if (h->t[i].last_ns && h->t[i].last_ns != m->end_ns)
            meter_broken(
                m, "conservation: what host.%s's thread %u did is known up to %" PRId64 " of %" PRId64 " ns",
                m->sc->hosts[host].name, i, h->t[i].last_ns, m->end_ns);
    }
    for (uint32_t p = m->first_pcpu[host]; p < m->first_pcpu[host] + m->sc->hosts[host].cores; p++)
        gave += m->pcpus[p].hostos_ns;
    if (h->n && !m->opts.real_clock && ran != gave)
        meter_broken(
            m, "conservation: the threads of host.%s ran %" PRId64 " ns, its pCPUs gave them %" PRId64 " ns",
            m->sc->hosts[host].name, ran, gave);
}

void meter_thread_laws(struct meter *m)
{
    for (uint32_t h = 0; m->threads && h < m->sc->n_hosts; h++)
        check_threads(m, h);
    for (uint32_t i = 0; m->overheads && i < m->n_vcpus; i++) {
        int64_t run = m->vcpus[i].total[VCPU_RUN] - m->marks[i].base[VCPU_RUN];
        if (m->overheads[i].ns > run)
            meter_broken(m,
                         "conservation: vm.%s.vcpu%u had %" PRId64 " ns of overhead in %" PRId64 " ns of run",
                         m->sc->vms[m->vcpus[i].vm].name, i - m->vms[m->vcpus[i].vm].first_vcpu,
                         m->overheads[i].ns, run);
    }
    for (uint32_t h = 0; m->overheads && h < m->sc->n_hosts; h++) {
        for (uint32_t p = 0; p < m->sc->hosts[h].cores; p++) {
            const struct pcpu_meter *c = &m->pcpus[m->first_pcpu[h] + p];
            if (c->overhead_ns > c->run_ns)
                meter_broken(
                    m, "conservation: host.%s.pcpu%u had %" PRId64 " ns of overhead in %" PRId64 " ns of run",
                    m->sc->hosts[h].name, p, c->overhead_ns, c->run_ns);
        }
    }
}

void meter_thread_done(struct meter *m)
{
    for (uint32_t h = 0; m->threads && h < m->sc->n_hosts; h++)
        free(m->threads[h].t);
    free(m->threads);
    free(m->overheads);
}
