// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdlib.h>

#include "kvm/runner/run.h"

static int64_t quota_ns(const struct sc_vm *v)
{
    return (int64_t)((__int128)v->limit_ppm * v->period_ns / 1000000);
}

/* Whether Linux would treat all alike without groups. */
static bool all_alike(const struct run *r)
{
    for (uint32_t i = 0; i < r->n_vms; i++)
        if (r->vms[i].sc->weight != r->vms[0].sc->weight || r->vms[i].sc->limit_ppm != 0 ||
            r->vms[i].sc->vcpus > 1)
            return false;
    return true;
}

static uint32_t largest_weight(const struct run *r)
{
    uint32_t w = 1;
    for (uint32_t i = 0; i < r->n_vms; i++)
        if (r->vms[i].sc->weight > w) w = r->vms[i].sc->weight;
    return w;
}

enum kvm_status weights_make(struct run *r, bool native, char **why)
{
    if (!cgroup_find(&r->groups, why)) {
        if (native && !all_alike(r)) return KVM_NO_KVM;
        free(*why);
        *why = NULL;
        return KVM_OK;
    }
    /* All by one whole number, so that their ratios stay exact. */
    uint32_t factor = CGROUP_MAX_WEIGHT / largest_weight(r);
    for (uint32_t i = 0; i < r->n_vms; i++) {
        const struct sc_vm *v = r->vms[i].sc;
        uint32_t w = native ? v->weight * factor : CGROUP_MAX_WEIGHT;
        if (cgroup_make(&r->groups, i, w, native ? quota_ns(v) : 0, v->period_ns, why) != 0)
            return KVM_FAILED;
    }
    return KVM_OK;
}

enum kvm_status weights_join(struct run *r, char **why)
{
    for (uint32_t i = 0; r->groups.version != 0 && i < r->n_vms; i++)
        if (r->vms[i].proc.pid != 0 && cgroup_add(&r->groups, i, r->vms[i].proc.pid, why) != 0)
            return KVM_FAILED;
    return KVM_OK;
}
