// SPDX-License-Identifier: GPL-3.0-or-later
/* sched.h - one host's CPU scheduler: which vCPU runs where, and for how long.
 *
 * Pure: no clock, no engine, no I/O, no malloc. `now` comes in, a decision goes out; the state lives
 * in one block that the caller owns. The simulator calls it on simulated time, the KVM dispatcher on
 * real time, with the same object code. All times are int64 ns, `now` never goes back.
 *
 * Two layers. This file is the host's frame, the same for every policy: who is runnable, pins, one
 * queue a pCPU, limits (quota and period), reservations, balancing, co-scheduling. Under it a policy (struct
 * sched_class, one sched_NAME.c each) orders one queue: who is next, for how long, who preempts whom.
 *
 * The caller's part, whenever the vCPU on a pCPU stops or its time is up:
 *     sched_charge(s, v, ran, now);            what it really ran since the last charge
 *     if (it has nothing to do) sched_block(s, v, now);
 *     pick = sched_pick(s, pcpu, now);         the one that ran goes back to its queue by itself
 * and after EVERY call, until both say SCHED_NONE:
 *     sched_take_resched  a pCPU that should be picked for again (its vCPU is to be charged first)
 *     sched_take_changed  a vCPU that became throttled or co-stopped, or ready again: sched_where tells
 * A policy never assumes that a vCPU got the time it was promised: on the real clock it ends late. */
#ifndef VLAB_POLICY_SCHED_H
#define VLAB_POLICY_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHED_NONE           UINT32_MAX
#define SCHED_FOREVER        INT64_MAX
#define SCHED_MAX_PCPUS      1024u
#define SCHED_WEIGHT_DEFAULT 1000u

struct sched_class;

/* Whether a VM's vCPUs run together. A VM of one vCPU, or with fewer pCPUs to run on than vCPUs, is treated
 * as SCHED_COSCHED_NONE. */
enum sched_cosched {
    SCHED_COSCHED_NONE,
    SCHED_COSCHED_STRICT,  /* those that can run run at once, or none of them does: sched_gang.c */
    SCHED_COSCHED_RELAXED, /* one that is ahead of the rest is stopped until they catch up: sched_skew.c */
    SCHED_COSCHED_BALANCE  /* never two of them in one pCPU's queue: sched_place.c */
};

struct sched_vm_cfg {
    uint32_t weight;     /* 1..10000, of the VM; divided among its runnable vCPUs */
    uint32_t first_vcpu; /* its vCPUs are first_vcpu .. first_vcpu + n_vcpus - 1 */
    uint32_t n_vcpus;
    uint32_t reservation_ppm; /* of one pCPU, for the VM; 0: none */
    int64_t quota_ns;         /* run time the VM may have in each period; 0: no limit */
    int64_t period_ns;        /* periods begin at whole multiples of it */
    const uint64_t
        *pins; /* bit p: may run on pCPU p; NULL: on any. (n_pcpus + 63) / 64 words, kept by the caller */
    enum sched_cosched cosched;
};

struct sched_cfg {
    const struct sched_class *cls;
    uint32_t n_pcpus;
    uint32_t n_vcpus; /* sum over the VMs */
    uint32_t n_vms;
    const struct sched_vm_cfg *vms; /* copied */
    /* For sched_attach: how many vCPUs and VMs there may be at once, and how they may be co-scheduled (bits
     * of enum sched_cosched); 0: none come. Room that is never used is never touched. */
    uint32_t room_vcpus, room_vms, room_cosched;
    bool fixed_slots; /* each VM's slices come in turn at fixed times, and stay unused where it has no use of
                         them: sched_slots.c. Limits hold; weights, reservations, co-scheduling, balancing,
                         directed yields and the policy's own order do not count */
    int64_t slice_ns; /* 0: the class's own default */
    int64_t tick_ns;  /* 0: none. The caller rounds ends of slices up to it */
    int64_t balance_every_ns; /* 0: never; moves from the longest queue to the shortest */
    bool balance_idle;        /* an idle pCPU takes waiting work from another's queue */
    bool credit_debit_tick;   /* credit: debit whoever runs at a tick, as Xen does, instead of the time run */
    uint32_t
        threads_per_core; /* pCPUs c t .. c t + t - 1 share core c: an idle core comes first; 0, 1: none */
};

struct sched_pick {
    uint32_t vcpu;  /* SCHED_NONE: idle */
    int64_t run_ns; /* the most it may run, counted from when the switch to it is over; > 0 */
};

/* SCHED_COSTOPPED: it could run but for its siblings. Of a strict gang that is next, as many as the pCPUs
 * that are held for it and stay idle until there are enough; of a relaxed one, who is ahead. */
enum sched_where { SCHED_BLOCKED, SCHED_QUEUED, SCHED_RUNNING, SCHED_THROTTLED, SCHED_COSTOPPED };

struct sched;

/* Bytes the state takes; 0 where cfg is out of range. The block must be 16-aligned, and zeroed (calloc: a
 * page of it that is never used costs nothing). */
size_t sched_size(const struct sched_cfg *cfg);
/* Every vCPU begins blocked. */
struct sched *sched_init(void *block, const struct sched_cfg *cfg);

void sched_wake(struct sched *s, uint32_t v, int64_t now);
void sched_block(struct sched *s, uint32_t v, int64_t now);
/* v ran ran_ns (>= 0) on its pCPU since its last charge or pick. */
void sched_charge(struct sched *s, uint32_t v, int64_t ran_ns, int64_t now);
struct sched_pick sched_pick(struct sched *s, uint32_t pcpu, int64_t now);
/* sched_charge of whoever runs there, then sched_pick: the end of a slice in one call. */
struct sched_pick sched_turn(struct sched *s, uint32_t pcpu, int64_t ran_ns, int64_t now);
/* Directed yield: `from`, which runs, gives what is left of its turn to `to`, which waits. `to` runs on
 * from's pCPU once that has been picked for again, and goes back to its own queue when the turn is over;
 * `from` waits as it would after its slice. False, and nothing happens: from does not run, to does not wait
 * for a pCPU or may not run there, nothing worth it is left of the turn, or either is of a gang. */
bool sched_yield_to(struct sched *s, uint32_t from, uint32_t to, int64_t now);
/* The switch is over, the picked vCPU begins to run: only sharpens what a wake-up compares with. */
void sched_started(struct sched *s, uint32_t pcpu, int64_t now);
/* Periodic work that is due (refills, accounting, balancing). Returns when to call next, > now;
 * SCHED_FOREVER: only after another call has changed something, see sched_next_tick. */
int64_t sched_tick(struct sched *s, int64_t now);
/* When sched_tick wants to be called as things stand; may get earlier after a wake, never later. */
int64_t sched_next_tick(const struct sched *s);
/* Changes a VM's weight, quota (0: none), period and reservation from now on. */
void sched_set(struct sched *s, uint32_t vm, uint32_t weight, int64_t quota_ns, int64_t period_ns,
               uint32_t reservation_ppm, int64_t now);

/* A VM comes, blocked, with what cfg says (first_vcpu does not count); its vCPUs are *first_vcpu and those
 * that follow, the first that are free. The VM's number, the lowest that is free; SCHED_NONE: there is no
 * room. Its pins, if any, must be among those that sched_init saw. */
uint32_t sched_attach(struct sched *s, const struct sched_vm_cfg *cfg, int64_t now, uint32_t *first_vcpu);
/* A VM leaves: all its vCPUs are blocked. Nothing of it stays but what its siblings were charged. */
void sched_detach(struct sched *s, uint32_t vm, int64_t now);

/* One question instead of three: what sched_next_tick says, or -1 while one of the next two has something. */
int64_t sched_poll(const struct sched *s);
uint32_t sched_take_resched(struct sched *s); /* a pCPU, or SCHED_NONE */
uint32_t sched_take_changed(struct sched *s); /* a vCPU, or SCHED_NONE */

enum sched_where sched_where(const struct sched *s, uint32_t v);
uint32_t sched_current(const struct sched *s, uint32_t pcpu); /* the vCPU last picked there, or SCHED_NONE */
/* Where it runs, waits or last ran; SCHED_NONE: nowhere yet (beside a strict gang nobody waits at a pCPU). */
uint32_t sched_pcpu(const struct sched *s, uint32_t v);

/* The policies there are, by their names in a scenario; NULL: no such name. */
const struct sched_class *sched_class_find(const char *name);
const struct sched_class *sched_class_at(size_t i); /* 0, 1, ...; NULL after the last */
const char *sched_class_name(const struct sched_class *c);
const char *sched_class_about(const struct sched_class *c);                  /* a sentence */
int64_t sched_class_slice_ns(const struct sched_class *c, uint32_t n_pcpus); /* its default slice */
bool sched_class_weighted(const struct sched_class *c);                      /* rr is not */

#endif
