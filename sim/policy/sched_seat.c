// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs come and go while the host runs: seats in the scheduler's state are taken and given back.
 *
 * A number below s->n_vms or s->n_vcpus has been used: it is taken, or free again and as new. Those above
 * have never been touched. Both are taken from the lowest, so a host's state stays small and close together
 * however many have been there. */
#include <string.h>

#include "policy/sched_frame.h"

static uint32_t free_vm(const struct sched *s)
{
    for (uint32_t i = 0; i < s->n_vms; i++)
        if (s->vms[i].n_vcpus == 0) return i;
    return s->n_vms < s->room_vms ? s->n_vms : SCHED_NONE;
}

/* The first run of n seats that are free. */
static uint32_t free_seats(const struct sched *s, uint32_t n)
{
    uint32_t first = 0;
    for (uint32_t v = 0; v < s->n_vcpus; v++) {
        if (vcpu_at(s, v)->vm != SCHED_NONE) first = v + 1;
        if (v + 1 - first == n) return first;
    }
    return n <= s->room_vcpus - first ? first : SCHED_NONE;
}

uint32_t sched_attach(struct sched *s, const struct sched_vm_cfg *cfg, int64_t now, uint32_t *first_vcpu)
{
    uint32_t i = free_vm(s), first = cfg->n_vcpus ? free_seats(s, cfg->n_vcpus) : SCHED_NONE;
    if (i == SCHED_NONE || first == SCHED_NONE) return SCHED_NONE;
    struct sched_vm_cfg at = *cfg;
    at.first_vcpu = *first_vcpu = first;
    for (; s->n_vcpus < first + cfg->n_vcpus; s->n_vcpus++)
        sched_init_vcpu(s, s->n_vcpus);
    if (s->slots.on) sched_slots_change(s, i, now);
    if (i == s->n_vms) s->n_vms++;
    sched_init_vm(s, i, &at, now);
    return i;
}

void sched_detach(struct sched *s, uint32_t i, int64_t now)
{
    struct sched_vm *vm = &s->vms[i];
    ASSERT(i < s->n_vms && vm->n_vcpus > 0 && vm->n_runnable == 0 && !vm->has_timer);
    if (vm->reservation_ppm) sched_reserve_set(s, vm, 0, now);
    if (s->slots.on) sched_slots_change(s, i, now);
    for (uint32_t v = vm->first_vcpu; v < vm->first_vcpu + vm->n_vcpus; v++) {
        struct sched_vcpu *x = vcpu_at(s, v);
        ASSERT(x->where == SCHED_BLOCKED);
        if (s->cls->leave) s->cls->leave(x);
        untell_changed(s, x);
        for (uint32_t p = 0; s->has_lends && p < s->n_pcpus; p++)
            if (queue_at(s, p)->next == x) queue_at(s, p)->next = NULL;
        memset(x, 0, s->vcpu_stride);
        sched_init_vcpu(s, v);
        if (s->has_skews) s->progress_ns[v] = 0;
        if (s->gang.on) s->gang.units[v] = (struct gang_unit){0};
    }
    *vm = (struct sched_vm){0};
}
