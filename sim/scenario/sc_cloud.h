// SPDX-License-Identifier: GPL-3.0-or-later
/* sc_cloud.h - the part of a scenario that is above the hosts: what VMs boot from, what breaks, what is done
 * to them while it runs, and who decides. Part of scenario.h, which includes it.
 *
 * Every VM that can ever be is in scenario.vms from the start, with its host's index set: those that come
 * later (by an event, by autoscaling, on request) wait with `there` saying for what. */
#ifndef VLAB_SCENARIO_SC_CLOUD_H
#define VLAB_SCENARIO_SC_CLOUD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/draw.h"

struct sc_vm;

/* --- images --- */

/* A boot reads `shared` (of the image: what a linked clone has in common with its siblings, and reads once a
 * store) and `own` bytes (the VM's alone) from the VM's first disk, one after the other, then computes, then
 * takes `time`. */
struct sc_image {
    const char *name;
    int64_t shared_bytes, own_bytes;
    int64_t cpu_ns;  /* of work on a core of speed 1.0; on vCPU 0 */
    int64_t time_ns; /* after that; devices' time-outs and the like */
};

/* --- power and price --- */

struct sc_speed { /* DVFS: a step */
    uint32_t speed_ppm;
    int64_t idle_mw, busy_mw;
};

struct sc_power {
    bool stated;
    int64_t idle_mw, busy_mw, off_mw; /* milliwatts */
    const int64_t *curve_mw;          /* at loads 0, 1/(n-1), ... 1; NULL: a straight line, idle to busy */
    uint32_t n_curve;                 /* 0, or 2 and more */
    const struct sc_speed *steps;     /* slowest first, the last is the host's own speed; NULL: none */
    uint32_t n_steps;
};

/* --- failures --- */

/* Up for ttf, then down for repair, and so on from the start; or as a trace tells. Streams are keyed by the
 * host's name. */
struct sc_failures {
    bool stated;
    struct dist ttf, repair; /* ns */
    const int64_t *pool;     /* of their numbers */
    const int64_t *trace_ns; /* it fails, is repaired, fails ...: increasing; NULL: drawn */
    uint32_t n_trace;
};

/* --- migration --- */

enum sc_migration { SC_PRE_COPY, SC_POST_COPY, SC_STOP_AND_COPY };
enum sc_diverge { SC_DIVERGE_CANCEL, SC_DIVERGE_THROTTLE, SC_DIVERGE_STOP };

struct sc_migrate {
    bool stated;
    uint8_t method;  /* enum sc_migration */
    uint8_t diverge; /* enum sc_diverge: when a round is no smaller than the one before it */
    bool skip_zero;  /* zero_pages: skip */
    int64_t rate_bps, step_bps, rate_max_bps; /* bits of memory a second; step 0: all at rate, no maximum */
    int64_t stop_below_bytes;
    uint32_t max_rounds; /* before the stop-and-copy, which is not counted */
    int64_t downtime_ns; /* fixed part, beside the copying */
    bool dirty_stated;   /* else its touches tell what is dirty, and without those nothing is */
    bool dirty_uniform;  /* hot pages are written at random, H (1 - exp(-r t / H)); else in order, min(r t, H)
                          */
    int64_t dirty_bps;   /* r, in bits a second */
    int64_t dirty_of_bytes; /* H; 0: the whole memory */
    int64_t dirty_cold_bps; /* more that is written, never the same twice */
};

/* --- what is done --- */

enum sc_verb {
    SC_FAIL,
    SC_REPAIR,
    SC_SET,
    SC_MIGRATE,
    SC_CLONE,
    SC_GROW,
    SC_DRAIN,
    SC_ADD,
    SC_INSPECT,
    SC_PAUSE,
    SC_START,
    SC_STOP,
    SC_RESUME,
    SC_DESTROY,
    SC_SNAPSHOT,
    SC_UNPLUG,
    SC_NVERBS
};
enum sc_target {
    SC_T_VM,      /* VMs [target, target + n): one, or all of a `count:` */
    SC_T_HOST,    /* hosts, likewise */
    SC_T_DISK,    /* a disk or store of scenario.disks */
    SC_T_POOL,    /* the thin pool on it */
    SC_T_NIC,     /* of scenario.nics */
    SC_T_NETWORK, /* of scenario.networks */
    SC_T_VMM,     /* hypervisor process `part` of host `target` */
    SC_T_KERNEL,  /* of scenario.kernels */
    SC_T_RACK     /* of scenario.racks */
};
enum sc_setting {
    SC_SET_VM_WEIGHT,
    SC_SET_VM_LIMIT,
    SC_SET_VM_RESERVATION,
    SC_SET_VM_DIRTY,
    SC_SET_HOST_SPEED
};

struct sc_event {
    int64_t at_ns, every_ns; /* every 0: once */
    uint8_t verb;            /* enum sc_verb */
    uint8_t kind;            /* enum sc_target */
    uint8_t setting;         /* SC_SET: enum sc_setting */
    bool linked;             /* SC_CLONE: kind: linked */
    uint32_t target, n, part;
    int64_t for_ns; /* SC_FAIL: repaired after so long; 0: not by itself */
    uint32_t to;    /* SC_MIGRATE: a host, SC_NONE: the policy says; SC_CLONE: the VM that comes of it */
    int64_t value;  /* SC_SET: in the key's base unit; SC_GROW: bytes */
};

/* --- the manager --- */

enum sc_metric { SC_M_BACKLOG, SC_M_CPU, SC_M_LATENCY };

/* A `count:` group grows and shrinks. Every `every` (0: whenever a request comes or goes, which needs
 * `metric: backlog`) the mean of the metric over the group's VMs that are up is looked at, but not within
 * `cooldown` of the last change: above `above`, `add` VMs are started; below `below`, `remove` are stopped;
 * with `target`, as many as make n * metric / target. */
struct sc_autoscale {
    uint32_t first_vm, n_vms; /* all there can be: the first n_start are there at the start */
    uint32_t n_start;
    uint8_t metric; /* enum sc_metric */
    int64_t above_u, below_u,
        target_u; /* millionths: of requests, of one vCPU, of a second; -1: not stated */
    uint32_t add, remove;
    int64_t every_ns, cooldown_ns;
};

/* VMs that are asked for, live for a while and leave. Each flavour is a range of VMs, as many as may be there
 * at once; a request takes the first that is not in use. */
struct sc_flavour {
    uint32_t first_vm, n_vms;
    uint32_t chance; /* against the others */
};

struct sc_requests {
    bool stated;
    bool poisson; /* else periodic */
    int64_t gap_ns;
    struct dist lifetime; /* ns, from when it is up */
    const int64_t *pool;
    const struct sc_flavour *flavours;
    uint32_t n_flavours;
};

struct sc_cloud {
    bool stated;
    const char *place;               /* a policy's name (policy/place.h) */
    uint32_t overcommit_cpu_m;       /* thousandths of vCPUs a pCPU; 0: unlimited */
    uint32_t overcommit_mem_m;       /* thousandths of memory promised to what there is; 0: unlimited */
    uint32_t quota_vcpus, quota_vms; /* 0: none. Of all VMs that are defined and not stopped */
    int64_t quota_bytes;
    bool ha;
    int64_t detect_ns, dispatch_ns;
    uint32_t spares;            /* so many hosts' failure must leave room for all; 0: no admission control */
    int64_t balance_every_ns;   /* 0: no balancing */
    uint32_t balance_above_ppm; /* least difference of load that is worth a migration */
    bool power_off;             /* place: pack-and-power-off: hosts without VMs are off */
    const struct sc_autoscale *scales;
    uint32_t n_scales;
    struct sc_requests requests;
};

/* There while at least `need` of its VMs are up. */
struct sc_service {
    const char *name, *entity; /* "s", "service.s" */
    const uint32_t *vms;
    uint32_t n_vms, need;
};

#endif
