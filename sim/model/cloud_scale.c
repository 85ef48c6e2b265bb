// SPDX-License-Identifier: GPL-3.0-or-later
/* Autoscaling: looks at a group's metric, and starts or stops VMs of it (policy/scale.h decides). */
#include "base/alloc.h"
#include "model/cloud_inner.h"
#include "model/cpu.h"
#include "model/host.h"
#include "model/power.h"

void cloud_scale_init(struct model *m)
{
    struct cloud *c = m->cloud;
    c->scales = alloc_array(c->sc->n_scales, sizeof *c->scales);
    for (uint32_t i = 0; i < c->sc->n_scales; i++) {
        const struct sc_autoscale *s = &c->sc->scales[i];
        c->scales[i].state.changed_ns = -1;
        if (s->every_ns)
            cloud_at(m, s->every_ns, EVQ_NORMAL, CLOUD_SCALE, i);
        else
            for (uint32_t k = 0; k < s->n_vms; k++)
                m->vms[s->first_vm + k].scale = i;
    }
}

void cloud_look(struct model *m, uint32_t i)
{
    if (m->cloud->scales[i].asked) return;
    m->cloud->scales[i].asked = true;
    cloud_at(m, sim_now(m->sim), EVQ_LATE, CLOUD_SCALE, i);
}

/* Requests that have come and are not answered. */
static int64_t backlog(const struct model *m, const struct sc_autoscale *s)
{
    int64_t n = 0;
    for (uint32_t k = 0; k < s->n_vms; k++)
        n += m->vms[s->first_vm + k].inside;
    return n;
}

/* How long the one that has waited longest has waited: what latency will be at least. */
static int64_t oldest_ns(const struct model *m, const struct sc_autoscale *s)
{
    int64_t first = sim_now(m->sim);
    for (uint32_t k = 0; k < s->n_vms; k++) {
        const struct vm *vm = &m->vms[s->first_vm + k];
        if (vm->ring_n == 0) continue;
        int64_t came = vm->ring[vm->ring_head & (vm->ring_cap - 1)].came_ns;
        if (came < first) first = came;
    }
    return sim_now(m->sim) - first;
}

static int64_t metric_u(struct model *m, const struct sc_autoscale *s, uint32_t n_up)
{
    int64_t load = 0, vcpus = 0;
    switch ((enum sc_metric)s->metric) {
    case SC_M_BACKLOG: return backlog(m, s) * 1000000 / (n_up ? n_up : 1);
    case SC_M_LATENCY: return oldest_ns(m, s) / 1000;
    case SC_M_CPU: break;
    }
    cloud_place_loads(m);
    for (uint32_t k = 0; k < s->n_vms; k++) {
        const struct vm *vm = &m->vms[s->first_vm + k];
        if (vm->power != POWER_UP || m->cloud->vm[vm->index].load_ppm < 0) continue;
        load += m->cloud->vm[vm->index].load_ppm;
        vcpus += vm->n_vcpus;
    }
    return vcpus ? load / vcpus : 0;
}

static bool there(const struct vm *vm)
{
    return vm->wanted && vm->power != POWER_LEAVING && vm->power != POWER_FLUSHING;
}

static int64_t grow(struct model *m, const struct sc_autoscale *s, int64_t by)
{
    int64_t done = 0;
    for (uint32_t k = 0; k < s->n_vms && done < by; k++) {
        struct vm *vm = &m->vms[s->first_vm + k];
        if (there(vm)) continue;
        bool ok = vm->power == POWER_NONE  ? cloud_make(m, vm, NULL)
                  : vm->power == POWER_OFF ? cloud_start(m, vm)
                                           : false;
        if (vm->power == POWER_NONE && !ok) break; /* turned away: so would be the next */
        done += ok;
    }
    return done;
}

static int64_t shrink(struct model *m, const struct sc_autoscale *s, int64_t by)
{
    int64_t done = 0;
    for (uint32_t k = s->n_vms; k-- > 0 && done < by;) {
        struct vm *vm = &m->vms[s->first_vm + k];
        if (!there(vm)) continue;
        power_stop(m, vm);
        done++;
    }
    return done;
}

void cloud_scale_on(struct model *m, uint32_t i)
{
    const struct sc_autoscale *s = &m->cloud->sc->scales[i];
    struct cloud_scale *state = &m->cloud->scales[i];
    struct scale_cfg cfg = {.above_u = s->above_u,
                            .below_u = s->below_u,
                            .target_u = s->target_u,
                            .add = s->add,
                            .remove = s->remove,
                            .least = s->n_start,
                            .most = s->n_vms,
                            .cooldown_ns = s->cooldown_ns};
    uint32_t n = 0, up = 0;
    state->asked = false;
    if (s->every_ns && s->every_ns <= INT64_MAX - sim_now(m->sim))
        cloud_at(m, sim_now(m->sim) + s->every_ns, EVQ_NORMAL, CLOUD_SCALE, i);
    for (uint32_t k = 0; k < s->n_vms; k++) {
        n += there(&m->vms[s->first_vm + k]);
        up += m->vms[s->first_vm + k].power == POWER_UP;
    }
    if (n == 0) return; /* not there at all yet */
    int64_t by = scale_decide(&state->state, &cfg, n, metric_u(m, s, up), sim_now(m->sim));
    if (by == 0) return;
    int64_t done = by > 0 ? grow(m, s, by) : shrink(m, s, -by);
    if (done)
        inner_tell(m, &m->vms[s->first_vm], REC_EVENT, done, by > 0 ? REC_EV_SCALED_OUT : REC_EV_SCALED_IN);
    for (uint32_t k = 0; k < s->n_vms; k++)
        if (m->vms[s->first_vm + k].host->sched) cpu_settle(m, m->vms[s->first_vm + k].host);
}
