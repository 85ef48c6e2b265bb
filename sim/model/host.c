// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/host.h"

#include <stdlib.h>

#include "model/cloud.h"
#include "model/cpu.h"
#include "model/disk.h"
#include "model/guest.h"
#include "model/mem.h"
#include "model/net.h"
#include "model/power.h"
#include "model/thread.h"

static void tell(struct model *m, const struct mhost *h, enum rec_kind kind, uint8_t what, int64_t value,
                 enum rec_why why)
{
    if (!rec_wants(m->out, kind)) return;
    *rec_next(m->out) = (struct rec){
        .t_ns = sim_now(m->sim),
        .value = value,
        .host = h->index,
        .vm = UINT32_MAX,
        .vcpu = REC_NONE,
        .pcpu = REC_NONE,
        .kind = (uint8_t)kind,
        .to = (uint8_t)why,
        .cause = what,
    };
}

void host_tell(struct model *m, const struct mhost *h, enum rec_event what, int64_t value, enum rec_why why)
{
    tell(m, h, REC_EVENT, (uint8_t)what, value, why);
}

static void tell_power(struct model *m, const struct mhost *h, enum rec_power what, int64_t value)
{
    tell(m, h, REC_POWER, (uint8_t)what, value, REC_WHY_NONE);
}

uint32_t host_nic(const struct model *m, const struct mhost *h)
{
    for (uint32_t i = 0; i < m->sc->n_nics; i++)
        if (m->sc->nics[i].host == h->index) return i;
    return NONE;
}

void host_begin(struct model *m)
{
    for (uint32_t i = 0; i < m->sc->n_hosts; i++) {
        tell_power(m, &m->hosts[i], REC_P_UP, 1);
        if (m->sc->hosts[i].power.n_steps)
            tell_power(m, &m->hosts[i], REC_P_SPEED, m->sc->hosts[i].power.n_steps - 1);
    }
}

void host_wants(const struct vm *vm, int64_t want[2])
{
    want[HOST_CPU] = vm->sc->reservation_ppm ? vm->sc->reservation_ppm : (int64_t)vm->sc->vcpus * 1000000;
    want[HOST_MEM] = vm->sc->memory_bytes;
}

struct sched_vm_cfg host_sched_cfg(const struct vm *vm)
{
    const struct sc_vm *sc = vm->sc;
    return (struct sched_vm_cfg){
        .weight = vm->set.weight,
        .n_vcpus = sc->vcpus,
        .reservation_ppm = vm->set.reservation_ppm,
        .quota_ns = vm->set.limit_ppm ? (int64_t)((__int128)sc->period_ns * vm->set.limit_ppm / 1000000) : 0,
        .period_ns = sc->period_ns,
        .pins = sc->pins,
        .cosched = (enum sched_cosched)sc->cosched,
    };
}

/* --- seats --- */

static void seat(struct model *m, struct vm *vm, struct mhost *h)
{
    if (!h->seats || vm->in_sched != NONE) return;
    struct sched_vm_cfg cfg = host_sched_cfg(vm);
    uint32_t first = 0;
    vm->in_sched = sched_attach(h->sched, &cfg, sim_now(m->sim), &first);
    ASSERT(vm->in_sched != SCHED_NONE); /* there are seats for all VMs of the scenario */
    for (uint32_t k = 0; k < vm->n_vcpus; k++) {
        m->vcpus[vm->first_vcpu + k].in_sched = first + k;
        h->seats[first + k] = &m->vcpus[vm->first_vcpu + k];
    }
    h->n_seats += vm->n_vcpus;
    h->limits = h->limits || cfg.quota_ns || cfg.cosched;
}

/* Before anything of the VM can wake there: all its vCPUs may at once. */
static void room_for_woken(struct mhost *h, const struct vm *vm)
{
    uint32_t n = h->n_seats + vm->n_vcpus + h->n_threads;
    if (n <= h->cap_woken) return;
    h->cap_woken = 2 * n;
    h->woken = realloc(h->woken, h->cap_woken * sizeof(struct vcpu *));
    ASSERT(h->woken);
}

/* Pinned VMs stay seated: they never go elsewhere. */
static void unseat(struct model *m, struct vm *vm)
{
    struct mhost *h = vm->host;
    if (!h->seats || vm->sc->pins || vm->in_sched == NONE) return;
    cpu_settle(m, h); /* none of its vCPUs is in the list of the woken after this */
    sched_detach(h->sched, vm->in_sched, sim_now(m->sim));
    vm->in_sched = NONE;
    h->n_seats -= vm->n_vcpus;
    for (uint32_t k = 0; k < vm->n_vcpus; k++) {
        struct vcpu *v = &m->vcpus[vm->first_vcpu + k];
        h->seats[v->in_sched] = NULL;
        v->in_sched = NONE;
        v->last = NULL;
        v->warm_lines = 0;
        v->proto.pcpu = REC_NONE;
        for (uint32_t p = h->first_pcpu; p < h->first_pcpu + h->n_pcpus; p++)
            if (m->pcpus[p].last == v) m->pcpus[p].last = NULL;
    }
}

/* --- VMs --- */

static void link_vm(struct mhost *h, struct vm *vm)
{
    vm->next_there = NULL;
    vm->prev_there = h->last_vm;
    *(h->last_vm ? &h->last_vm->next_there : &h->first_vm) = vm;
    h->last_vm = vm;
    h->n_vms++;
}

static void unlink_vm(struct mhost *h, struct vm *vm)
{
    *(vm->prev_there ? &vm->prev_there->next_there : &h->first_vm) = vm->next_there;
    *(vm->next_there ? &vm->next_there->prev_there : &h->last_vm) = vm->prev_there;
    h->n_vms--;
}

/* vm->host is `to` from here on, and so is everything that asks for it. */
static void rehost(struct model *m, struct vm *vm, struct mhost *to)
{
    struct mhost *from = vm->host;
    if (from == to) return;
    vm->host = to;
    for (uint32_t k = 0; k < vm->n_vcpus; k++) {
        struct vcpu *v = &m->vcpus[vm->first_vcpu + k];
        v->host = to;
        v->proto.host = to->index;
    }
    if (vm->mem) mem_move(m, vm, to); /* before its books are the other host's */
    if (vm->book) vm->book->host = to->index;
    if (vm->sc->n_disks) disk_move(m, vm, from->index);
    if (vm->sc->network != SC_NONE) net_move(m, vm);
    vm->emulated = vm->sc->mode == SC_EMULATION && to->sc->modes && to->sc->modes->emulation_milli != 1000;
    vm->switches = guest_switch_counts(vm);
    guest_rescale(m, vm, from->speed_ppm, to->speed_ppm);
}

void host_bring(struct model *m, struct vm *vm, struct mhost *h)
{
    int64_t want[2];
    ASSERT(!vm->resident);
    room_for_woken(h, vm);
    rehost(m, vm, h);
    seat(m, vm, h);
    if (vm->mem) mem_moved(m, vm);
    host_wants(vm, want);
    h->promised[HOST_CPU] += want[HOST_CPU];
    h->promised[HOST_MEM] += want[HOST_MEM];
    link_vm(h, vm);
    vm->resident = true;
}

void host_part(struct model *m, struct vm *vm)
{
    struct mhost *h = vm->host;
    int64_t want[2];
    ASSERT(vm->resident);
    unseat(m, vm);
    host_wants(vm, want);
    h->promised[HOST_CPU] -= want[HOST_CPU];
    h->promised[HOST_MEM] -= want[HOST_MEM];
    unlink_vm(h, vm);
    vm->resident = false;
}

void host_move(struct model *m, struct vm *vm, struct mhost *to)
{
    host_part(m, vm);
    host_bring(m, vm, to);
}

/* --- hosts --- */

static void devices_down(struct model *m, const struct mhost *h)
{
    for (uint32_t i = 0; i < m->sc->n_nics; i++)
        if (m->sc->nics[i].host == h->index) net_set_nic(m, i, false);
    for (uint32_t i = 0; i < m->sc->n_disks; i++)
        if (m->sc->disks[i].host == h->index) disk_fail(m, i, false);
}

static void devices_up(struct model *m, const struct mhost *h)
{
    for (uint32_t i = 0; i < m->sc->n_nics; i++)
        if (m->sc->nics[i].host == h->index) net_set_nic(m, i, true);
    for (uint32_t i = 0; i < m->sc->n_disks; i++)
        if (m->sc->disks[i].host == h->index) disk_repair(m, i, false);
}

static void settle(struct model *m, struct mhost *h)
{
    if (h->sched) cpu_settle(m, h);
}

/* Those that wait are taken away before those that run: nobody gets a pCPU for the last time. */
static void quiet(struct model *m, struct mhost *h)
{
    HOST_EACH(m, h, vm)
    for (uint32_t i = vm->first_vcpu; i < vm->first_vcpu + vm->n_vcpus; i++)
        if (!m->vcpus[i].at) cpu_take_off(m, &m->vcpus[i]);
}

void host_fail(struct model *m, struct mhost *h, enum rec_why why)
{
    bool was_up = host_up(h);
    h->n_failures++;
    if (h->n_failures > 1) return;
    host_tell(m, h, REC_EV_FAILED, 0, why);
    if (!was_up) return;
    tell_power(m, h, REC_P_UP, 0);
    quiet(m, h);
    HOST_EACH(m, h, vm)
    power_fail(m, vm, why);
    devices_down(m, h);
    thread_flush(m, h);
    settle(m, h);
    cloud_host_failed(m, h);
}

static void back(struct model *m, struct mhost *h)
{
    tell_power(m, h, REC_P_UP, 1);
    devices_up(m, h);
    HOST_EACH(m, h, vm)
    if (vm->wanted && vm->power == POWER_FAILED) power_on(m, vm);
    settle(m, h);
    cloud_host_back(m, h);
}

void host_repair(struct model *m, struct mhost *h)
{
    if (h->n_failures == 0 || --h->n_failures) return;
    host_tell(m, h, REC_EV_REPAIRED, 0, REC_WHY_NONE);
    if (h->off)
        cloud_host_back(m, h); /* it can be switched on again */
    else
        back(m, h);
}

void host_repair_all(struct model *m, struct mhost *h)
{
    if (h->n_failures == 0) {
        if (h->draining) cloud_host_back(m, h);
        return;
    }
    h->n_failures = 1;
    host_repair(m, h);
}

void host_switch(struct model *m, struct mhost *h, bool on)
{
    if (h->off == !on) return;
    host_tell(m, h, on ? REC_EV_ON : REC_EV_OFF, 0, REC_WHY_NONE);
    h->off = !on;
    if (h->n_failures) return;
    if (on) {
        back(m, h);
        return;
    }
    tell_power(m, h, REC_P_UP, 0);
    devices_down(m, h);
    thread_flush(m, h);
    settle(m, h);
}

void host_speed(struct model *m, struct mhost *h, uint32_t ppm)
{
    uint32_t was = h->speed_ppm;
    if (was == ppm) return;
    HOST_EACH(m, h, vm)
    for (uint32_t i = vm->first_vcpu; i < vm->first_vcpu + vm->n_vcpus; i++) {
        cpu_account(m, &m->vcpus[i]);
        guest_settle(&m->vcpus[i]);
    }
    h->speed_ppm = ppm;
    HOST_EACH(m, h, vm)
    {
        guest_rescale(m, vm, was, ppm);
        for (uint32_t i = vm->first_vcpu; i < vm->first_vcpu + vm->n_vcpus; i++)
            cpu_replan(m, &m->vcpus[i]);
    }
    for (uint32_t s = 0; s < h->sc->power.n_steps; s++)
        if (h->sc->power.steps[s].speed_ppm == ppm) tell_power(m, h, REC_P_SPEED, s);
    settle(m, h);
}
