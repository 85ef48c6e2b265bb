// SPDX-License-Identifier: GPL-3.0-or-later
/* power.h - a VM's life: defined on a host, powered on, booting, up, paused, shut down, failed, gone.
 *
 *     NONE --define--> OFF --on--> boots: SHARED, OWN, CPU, TIME --> UP --stop--> LEAVING --> FLUSHING -->
 * OFF ^                                             |
 *                       |____ on, restart, repair ____ FAILED <--fail-+  (from any of the others too)
 *
 * Boot is real work: it reads what its image says from the VM's first disk, in the queue with everybody else;
 * then it computes on vCPU 0 (run time, though it is not up yet); then it takes time. A VM without an image
 * is up at once.
 *
 * What it is when it is not up is `down` for all its vCPUs, except that a boot's computing is run time.
 *
 * What a failure costs, exactly:
 * - requests inside (being served or waiting) are lost; those that come while it is down are lost as they
 * come;
 * - a loop does again the iteration it was at: with the same draws, so its work.checksum is in the end what
 * it is without a failure;
 * - memory is gone (the host's frames are free), so is what the guest's page cache had not written back: the
 *   bytes of it are counted (dirty-lost). What was flushed, or had gone to the device, stays: disk.h;
 * - frames on their way to it are dropped; connections are gone.
 * A pause costs nothing but time: its timers ring when they are due, requests that come wait.
 * A stop in order serves the requests inside, takes no more, writes back what is dirty, and is off. */
#ifndef VLAB_MODEL_POWER_H
#define VLAB_MODEL_POWER_H

#include "model/inner.h"

enum vm_power {
    POWER_NONE, /* not there: not defined yet, or destroyed */
    POWER_OFF,
    POWER_SHARED, /* booting: reads its image */
    POWER_OWN,    /* booting: reads its own */
    POWER_CPU,    /* booting: computes */
    POWER_TIME,   /* booting: waits */
    POWER_UP,
    POWER_LEAVING,  /* up, but takes no more requests */
    POWER_FLUSHING, /* writes back */
    POWER_FAILED
};

/* Why vCPUs are kept from running. */
enum hold { HOLD_PAUSE = 1, HOLD_MIGRATE = 2, HOLD_STOP = 4 };

static inline bool power_booting(const struct vm *vm)
{
    return vm->power >= POWER_SHARED && vm->power <= POWER_TIME;
}
/* It has what a host must have room for. */
static inline bool power_there(const struct vm *vm)
{
    return vm->power != POWER_NONE;
}

/* TIMER_START: what the scenario has at the start comes to be, and is powered on. */
void power_first(struct model *m, struct vm *vm);
/* It is defined, on that host, and off. */
void power_define(struct model *m, struct vm *vm, struct mhost *h);
/* Off or failed: boots. Its host is up. */
void power_on(struct model *m, struct vm *vm);
/* It is to be up, though it cannot be yet. */
void power_want(struct model *m, struct vm *vm);
void power_pause(struct model *m, struct vm *vm);  /* up or leaving, and not paused; else nothing */
void power_resume(struct model *m, struct vm *vm); /* paused; else nothing */
void power_stop(struct model *m, struct vm *vm);   /* in order; while it boots or is paused: at once */
void power_cut(struct model *m, struct vm *vm);    /* as if somebody pulled its plug; it is off, not failed */
/* It fails, whatever it was at (nothing, if it was off already). Whoever calls settles its host. */
void power_fail(struct model *m, struct vm *vm, enum rec_why why);
/* Gone for good, with its disks: no more on its host, none of its requests come any more. */
void power_destroy(struct model *m, struct vm *vm);

/* Held vCPUs are blocked, their tasks stay on them; a wake-up waits. */
void power_hold(struct model *m, struct vm *vm, enum hold why);
void power_release(struct model *m, struct vm *vm, enum hold why);

/* From elsewhere in the model. */
void power_booted_cpu(struct model *m, struct vm *vm);
void power_booted(struct model *m, struct vm *vm); /* TIMER_BOOT */
void power_leave(struct model *m, struct vm *vm);  /* TIMER_LEAVE: its lifetime is over */
void power_idle(struct model *m, struct vm *vm);   /* a thread of a leaving VM has become free */
void power_flushed(struct model *m, struct vm *vm);
void power_boot_read(struct model *m, struct vm *vm);

#endif
