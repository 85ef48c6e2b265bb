// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/power.h"

#include "model/cloud.h"
#include "model/cpu.h"
#include "model/disk.h"
#include "model/guest.h"
#include "model/host.h"
#include "model/mem.h"
#include "model/migrate.h"

/* --- what is told --- */

static void tell_power(struct model *m, const struct vm *vm, enum rec_power what, int64_t value)
{
    inner_tell(m, vm, REC_POWER, value, (enum rec_event)what);
}

/* Up is who could serve: powered, booted, not held. */
static void tell_up(struct model *m, struct vm *vm)
{
    bool up = (vm->power == POWER_UP || vm->power == POWER_LEAVING) && !vm->held;
    if (up == vm->counted_up) return;
    vm->counted_up = up;
    tell_power(m, vm, REC_P_UP, up);
}

static void want(struct model *m, struct vm *vm, bool wanted)
{
    if (vm->wanted == wanted) return;
    vm->wanted = wanted;
    tell_power(m, vm, REC_P_THERE, wanted);
}

void power_want(struct model *m, struct vm *vm)
{
    want(m, vm, true);
}

static void event(struct model *m, const struct vm *vm, enum rec_event what, int64_t value, enum rec_why why)
{
    inner_tell_why(m, vm, value, what, why);
}

/* --- holding --- */

void power_hold(struct model *m, struct vm *vm, enum hold why)
{
    bool first = vm->held == 0;
    vm->held |= (uint8_t)why;
    for (uint32_t i = 0; first && i < vm->n_vcpus; i++)
        cpu_take_off(m, &m->vcpus[vm->first_vcpu + i]);
    tell_up(m, vm);
}

void power_release(struct model *m, struct vm *vm, enum hold why)
{
    if (!(vm->held & why)) return;
    vm->held &= (uint8_t)~why;
    if (vm->held) return;
    for (uint32_t i = vm->first_vcpu; i < vm->first_vcpu + vm->n_vcpus; i++) {
        struct vcpu *v = &m->vcpus[i];
        cpu_look(v);
        if (v->task == NONE) continue;
        if (v->burst_ns > 0 || guest_proceed(m, v)) cpu_wake(m, v);
    }
    tell_up(m, vm);
}

/* --- coming --- */

void power_define(struct model *m, struct vm *vm, struct mhost *h)
{
    ASSERT(vm->power == POWER_NONE);
    host_bring(m, vm, h);
    vm->power = POWER_OFF;
    /* Of those that the scenario puts somewhere from the start it says nothing new. */
    if (vm->sc->placed || vm->sc->there != SC_AT_START) event(m, vm, REC_EV_DEFINED, h->index, REC_WHY_NONE);
}

static void up(struct model *m, struct vm *vm)
{
    vm->power = POWER_UP;
    if (vm->sc->image != SC_NONE) {
        int64_t took = sim_now(m->sim) - vm->on_ns;
        event(m, vm, REC_EV_BOOTED, took, REC_WHY_NONE);
        book_add(vm->book, REC_N_BOOTS, 1);
        book_add(vm->book, REC_N_BOOT_NS, took);
    }
    tell_up(m, vm);
    guest_up(m, vm);
    cloud_vm_up(m, vm);
}

/* The next part of the boot that takes time; else it is up. */
static void boot(struct model *m, struct vm *vm)
{
    const struct sc_image *img = vm->sc->image == SC_NONE ? NULL : &m->sc->images[vm->sc->image];
    for (;;) {
        vm->power++;
        switch ((enum vm_power)(img ? vm->power : POWER_UP)) {
        case POWER_SHARED:
        case POWER_OWN: {
            bool shared = vm->power == POWER_SHARED;
            int64_t bytes = shared ? img->shared_bytes : img->own_bytes;
            if (bytes && vm->sc->n_disks && !disk_boot(m, vm, bytes, shared)) return;
            break;
        }
        case POWER_CPU:
            if (img->cpu_ns == 0) break;
            guest_boot_cpu(m, vm, img->cpu_ns);
            return;
        case POWER_TIME:
            if (img->time_ns == 0) break;
            timers_set(&vm->timers, sim_now(m->sim) + img->time_ns, TIMER_BOOT, 0);
            guest_arm(m, vm);
            return;
        case POWER_NONE:
        case POWER_OFF:
        case POWER_LEAVING:
        case POWER_FLUSHING:
        case POWER_FAILED:
        case POWER_UP: up(m, vm); return;
        }
    }
}

void power_on(struct model *m, struct vm *vm)
{
    ASSERT(vm->resident && (vm->power == POWER_OFF || vm->power == POWER_FAILED));
    vm->held = 0;
    vm->leaving = false;
    vm->on_ns = sim_now(m->sim);
    vm->seen = vm->host->sc->features;
    vm->power = POWER_OFF;
    want(m, vm, true);
    event(m, vm, REC_EV_STARTED, 0, REC_WHY_NONE);
    if (vm->sc->n_disks) disk_attach(m, vm);
    if (vm->mem && vm->begun) mem_restart(m, vm);
    for (uint32_t i = 0; i < vm->n_vcpus; i++)
        cpu_look(&m->vcpus[vm->first_vcpu + i]);
    boot(m, vm);
}

void power_first(struct model *m, struct vm *vm)
{
    if (vm->power == POWER_NONE) cloud_make(m, vm, NULL); /* else an event was faster */
}

void power_boot_read(struct model *m, struct vm *vm)
{
    if (power_booting(vm)) boot(m, vm);
}

/* Called from within a vCPU's own handling, where it cannot begin to run something else: what follows comes
 * as a timer of the same instant. */
void power_booted_cpu(struct model *m, struct vm *vm)
{
    timers_set(&vm->timers, sim_now(m->sim), TIMER_BOOT, 0);
    guest_arm(m, vm);
}

void power_booted(struct model *m, struct vm *vm)
{
    if (power_booting(vm)) boot(m, vm);
}

/* --- pausing --- */

void power_pause(struct model *m, struct vm *vm)
{
    if ((vm->power != POWER_UP && vm->power != POWER_LEAVING) || vm->held & HOLD_PAUSE) return;
    power_hold(m, vm, HOLD_PAUSE);
    event(m, vm, REC_EV_PAUSED, 0, REC_WHY_NONE);
}

void power_resume(struct model *m, struct vm *vm)
{
    if (!(vm->held & HOLD_PAUSE)) return;
    power_release(m, vm, HOLD_PAUSE);
    event(m, vm, REC_EV_RESUMED, 0, REC_WHY_NONE);
}

/* --- going --- */

/* It is up no more, nor will it be by itself. */
static void down(struct model *m, struct vm *vm, enum vm_power to)
{
    if (vm->migration) migrate_lost(m, vm);
    int64_t lost = guest_down(m, vm);
    int64_t dirty = vm->sc->n_disks ? disk_crash(m, vm) : 0;
    vm->held = 0;
    vm->leaving = false;
    vm->secret_bytes = 0;
    vm->power = (uint8_t)to;
    if (lost) event(m, vm, REC_EV_ABORTED, lost, REC_WHY_NONE);
    if (dirty) event(m, vm, REC_EV_DIRTY_LOST, dirty, REC_WHY_NONE);
    tell_up(m, vm);
}

static bool running(const struct vm *vm)
{
    return vm->power != POWER_NONE && vm->power != POWER_OFF && vm->power != POWER_FAILED;
}

void power_fail(struct model *m, struct vm *vm, enum rec_why why)
{
    if (!running(vm)) return;
    event(m, vm, REC_EV_FAILED, 0, why);
    down(m, vm, POWER_FAILED);
    cloud_vm_failed(m, vm);
}

void power_cut(struct model *m, struct vm *vm)
{
    if (!running(vm) && vm->power != POWER_FAILED) return;
    if (running(vm)) down(m, vm, POWER_OFF);
    vm->power = POWER_OFF;
    want(m, vm, false);
    event(m, vm, REC_EV_STOPPED, 0, REC_WHY_POWER);
    cloud_vm_off(m, vm);
}

static void stopped(struct model *m, struct vm *vm)
{
    down(m, vm, POWER_OFF);
    want(m, vm, false);
    event(m, vm, REC_EV_STOPPED, 0, REC_WHY_NONE);
    cloud_vm_off(m, vm);
}

static void flush(struct model *m, struct vm *vm)
{
    vm->power = POWER_FLUSHING;
    power_hold(m, vm, HOLD_STOP);
    if (vm->sc->n_disks == 0 || disk_flush(m, vm)) stopped(m, vm);
}

void power_stop(struct model *m, struct vm *vm)
{
    if (power_booting(vm) || vm->power == POWER_FAILED || vm->held & HOLD_PAUSE) {
        power_cut(m, vm);
        return;
    }
    if (vm->power != POWER_UP) return;
    vm->power = POWER_LEAVING;
    vm->leaving = true;
    if (guest_idle(vm)) flush(m, vm);
}

void power_idle(struct model *m, struct vm *vm)
{
    if (vm->power != POWER_LEAVING || !guest_idle(vm)) return;
    /* From within a step: nothing is taken away here, but in an event of its own. */
    timers_set(&vm->timers, sim_now(m->sim), TIMER_LEAVE, 1);
}

void power_leave(struct model *m, struct vm *vm)
{
    if (vm->power == POWER_LEAVING && guest_idle(vm))
        flush(m, vm);
    else
        cloud_vm_leaves(m, vm);
}

void power_flushed(struct model *m, struct vm *vm)
{
    if (vm->power == POWER_FLUSHING) stopped(m, vm);
}

void power_destroy(struct model *m, struct vm *vm)
{
    if (vm->power == POWER_NONE) return;
    if (running(vm)) down(m, vm, POWER_OFF);
    want(m, vm, false);
    if (vm->sc->n_disks) disk_destroy(m, vm);
    timers_done(&vm->timers);
    guest_arm(m, vm);
    vm->open = vm->begun = false;
    vm->done = 0;
    vm->power = POWER_NONE;
    event(m, vm, REC_EV_DESTROYED, 0, REC_WHY_NONE);
    host_part(m, vm);
    cloud_vm_off(m, vm);
}
