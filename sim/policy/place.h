// SPDX-License-Identifier: GPL-3.0-or-later
/* place.h - which host a VM goes to, and which VM had better move.
 *
 * Pure: no clock, no engine, no malloc, no globals. The caller describes hosts and what is asked for; a
 * decision comes back. Nothing is changed: who acts on a decision updates what it promised.
 *
 * Each resource of a host has what is there (`have`), what may be promised of it (`most`: have times the
 * over-commit ratio, times the host's limit for CPU; PLACE_NO_BOUND: anything), and what is promised.
 * Policies, one file each, place_NAME.c:
 *     first-fit, best-fit (the least room left after), worst-fit (the most room before), round-robin (the
 * next one after the last), least-loaded (by measured CPU load, then by what is promised), pack-and-power-off
 * (best-fit, hosts that are on before those that are off; the manager switches empty ones off),
 * dominant-share (the host whose most used resource stays least used: dominant resource fairness turned to
 * hosts). "Room" of several resources is compared as shares of `have`, the scarcest one counting. Ties: the
 * lower number. A host that is off is taken last by every policy, and switched on by the manager. */
#ifndef VLAB_POLICY_PLACE_H
#define VLAB_POLICY_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rec.h"

#define PLACE_NONE     UINT32_MAX
#define PLACE_NO_BOUND INT64_MAX

enum place_res { PLACE_CPU, PLACE_MEM, PLACE_NRES }; /* in ppm of a pCPU of speed 1.0; in bytes */

struct place_host {
    int64_t have[PLACE_NRES], most[PLACE_NRES], promised[PLACE_NRES];
    int64_t load_ppm; /* measured: what its VMs used of a pCPU of speed 1.0 lately; -1: not known */
    uint64_t features;
    uint32_t n_vms;
    bool usable; /* not failed, not being drained */
    bool off;    /* switched off; can be switched on */
};

struct place_ask {
    int64_t want[PLACE_NRES];
    uint64_t features;
    /* What only the caller can know (storage, networks, pins, affinity): REC_WHY_NONE, or why not there.
     * NULL: nothing. */
    enum rec_why (*may)(const void *ctx, uint32_t host);
    const void *ctx;
};

struct place_class;
const struct place_class *place_find(const char *name); /* NULL: there is none of that name */
const struct place_class *place_at(size_t i);           /* 0, 1, ...; NULL after the last */
const char *place_name(const struct place_class *p);
const char *place_about(const struct place_class *p); /* a sentence */
bool place_powers_off(const struct place_class *p);

/* Whether the VM may go to that host: REC_WHY_NONE, or the first reason against it. */
enum rec_why place_may(const struct place_host *h, uint32_t host, const struct place_ask *ask);
/* The host to put it on; PLACE_NONE: none, *why says what was in the way on the host that came nearest (in
 * the order of place_may's questions). *turn is round-robin's memory; begin with PLACE_NONE. O(n). */
uint32_t place_pick(const struct place_class *p, const struct place_host *hosts, uint32_t n,
                    const struct place_ask *ask, uint32_t *turn, enum rec_why *why);

/* --- admission: room for all after any `spares` hosts have failed --- */

struct place_vm { /* a VM that is on a host, with a VM's number for `may` */
    int64_t want[PLACE_NRES];
    uint64_t features;
    uint32_t host, vm;
};
/* Rules that hold between VMs, and between a VM and a host, which only the caller can know; `host` holds
 * those of `there` (numbers into vms) besides. */
typedef bool place_rule(const void *ctx, const struct place_vm *vms, uint32_t vm, uint32_t host,
                        const uint32_t *there, uint32_t n_there);
#define PLACE_MOST_SPARES 3
/* Tries every single host's failure (spares 1), or every set of `spares` (at most 3) hosts': whether all
 * their VMs have a place on the others (those that are off are switched on), by first-fit decreasing of the
 * dominant share. PLACE_NONE: yes; else the host (the lowest of the set) whose failure leaves a VM without.
 * It may say no where a better packing than first-fit decreasing exists, and never yes where that fails.
 * Without a rule (NULL) a bound that suffices is tried first: O(n + vms); else O(vms (log vms + log n)) for
 * one spare. Pass NULL where no VM has a rule. Each VM's host is one of the n. `scratch`: as many bytes as
 * place_survives_bytes says, aligned to 8. */
size_t place_survives_bytes(uint32_t n, uint32_t n_vms);
uint32_t place_survives(const struct place_host *hosts, uint32_t n, const struct place_vm *vms,
                        uint32_t n_vms, uint32_t spares, place_rule *rule, const void *ctx, void *scratch);

/* --- balancing, consolidation, restarts --- */

struct place_mover {  /* a VM that could be moved */
    int64_t load_ppm; /* what it uses, measured */
    int64_t move_ns;  /* how long its migration would take */
    uint32_t host, vm;
};
struct place_move {
    uint32_t vm, to;
    int64_t gain_ppm; /* by how much the greatest and the least load come nearer */
};
/* The one migration that brings loads (as shares of `have`) nearest together, if the difference between the
 * most and the least loaded host is above `above_ppm` of a host and the gain outlasts the cost: gain *
 * horizon_ns > the VM's load * move_ns. After VMware's DRS. The one that takes it stays below the greatest
 * load and the one that gives it not below the least, so the difference never grows and, with loads that
 * stay, moves come to an end. False: leave things as they are. */
bool place_balance(const struct place_host *hosts, uint32_t n, const struct place_mover *vms, uint32_t n_vms,
                   uint32_t above_ppm, int64_t horizon_ns,
                   enum rec_why (*may)(const void *ctx, uint32_t vm, uint32_t host), const void *ctx,
                   struct place_move *out);
/* A host that could be emptied onto others that are on and not empty, within what may be promised: the one
 * with the least promised (the dominant share), with its moves in out[] (as many as it has VMs, the largest
 * first). PLACE_NONE: its VMs do not all fit elsewhere; what is in out[] means nothing then. `scratch` as
 * above. */
uint32_t place_empty(const struct place_host *hosts, uint32_t n, const struct place_vm *vms, uint32_t n_vms,
                     place_rule *rule, const void *ctx, struct place_move *out, void *scratch);
/* The packing that place_survives relied on, for who starts the VMs of hosts that have failed: out[] says
 * where each goes, on a host that may not be on. PLACE_NONE: they do not all fit, or more than
 * PLACE_MOST_SPARES hosts are down. Moves of some of them leave the others' as they are. */
uint32_t place_evacuate(const struct place_host *hosts, uint32_t n, const struct place_vm *vms,
                        uint32_t n_vms, const uint32_t *down, uint32_t n_down, place_rule *rule,
                        const void *ctx, struct place_move *out, void *scratch);

#endif
