// SPDX-License-Identifier: GPL-3.0-or-later
/* Laws that hold exactly on every run; one that does not makes the run's numbers worthless, so it fails.
 *
 * Conservation: each vCPU's states, and each pCPU's run, switch and idle, fill the whole run without gap or
 * overlap (checked interval by interval as records come, and here for the end); what a host's vCPUs ran
 * is what its pCPUs gave. Flow balance: what came in and is not inside has left. Little's law: the time
 * integral of the number inside equals the time all requests spent inside, those still there included. Those
 * of overhead and a host's own threads, of memory and of disks stand in meter_thread.c, meter_count.c,
 * meter_dev.c. */
#include "metrics/meter_inner.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"

static void check_filled(struct meter *m)
{
    for (uint32_t i = 0; i < m->n_vcpus; i++) {
        const struct vcpu_meter *v = &m->vcpus[i];
        int64_t sum = 0;
        for (int st = 0; st < VCPU_NSTATES; st++)
            sum += v->total[st];
        if (sum != m->end_ns)
            meter_broken(m,
                         "conservation: the states of vm.%s.vcpu%u sum to %" PRId64 " ns in a run of %" PRId64
                         " ns",
                         m->sc->vms[v->vm].name, i - m->vms[v->vm].first_vcpu, sum, m->end_ns);
    }
    for (uint32_t h = 0; h < m->sc->n_hosts; h++) {
        for (uint32_t p = 0; p < m->sc->hosts[h].cores; p++) {
            const struct pcpu_meter *c = &m->pcpus[m->first_pcpu[h] + p];
            int64_t sum = c->run_ns + c->switch_ns + c->hostos_ns + c->idle_ns;
            if (c->last_ns != m->end_ns || sum != m->end_ns - m->warmup_ns)
                meter_broken(m, "conservation: host.%s.pcpu%u accounts for %" PRId64 " of %" PRId64 " ns",
                             m->sc->hosts[h].name, p, sum, m->end_ns - m->warmup_ns);
        }
    }
}

static void check_hosts(struct meter *m)
{
    if (m->homes) { /* records say where each interval was, so there is only the sum to look at */
        meter_home_laws(m);
        return;
    }
    int64_t *run = calloc(m->sc->n_hosts + 1, sizeof *run);
    ASSERT(run);
    for (uint32_t i = 0; i < m->n_vcpus; i++)
        run[m->sc->vms[m->vcpus[i].vm].host] += m->vcpus[i].total[VCPU_RUN] - m->marks[i].base[VCPU_RUN];
    for (uint32_t h = 0; h < m->sc->n_hosts; h++) {
        int64_t gave = 0;
        for (uint32_t p = m->first_pcpu[h]; p < m->first_pcpu[h] + m->sc->hosts[h].cores; p++)
            gave += m->pcpus[p].run_ns;
        if (gave != run[h])
            meter_broken(
                m, "conservation: the vCPUs of host.%s ran %" PRId64 " ns, its pCPUs gave %" PRId64 " ns",
                m->sc->hosts[h].name, run[h], gave);
    }
    free(run);
}

static void check_requests(struct meter *m)
{
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        struct vm_meter *v = &m->vms[i];
        if (!m->sc->vms[i].work.requests) continue;
        const char *name = m->sc->vms[i].name;
        if (v->arrived_all != v->done_all + v->open + v->aborted_all)
            meter_broken(m,
                         "flow balance: vm.%s: %" PRIu64 " requests came, %" PRIu64 " were answered, %" PRIu64
                         " are inside, %" PRIu64 " were lost there",
                         name, v->arrived_all, v->done_all, v->open, v->aborted_all);
        __int128 integral = v->integral + (__int128)v->inside * (m->end_ns - v->level_ns);
        if (integral != v->latency_all + v->ages)
            meter_broken(m, "Little's law: vm.%s: %.9g request-seconds inside, %.9g s spent inside", name,
                         (double)integral / 1e9, (double)(v->latency_all + v->ages) / 1e9);
    }
}

void meter_check_laws(struct meter *m)
{
    check_filled(m);
    check_hosts(m);
    check_requests(m);
    meter_thread_laws(m);
    meter_count_laws(m);
    meter_dev_laws(m);
}
