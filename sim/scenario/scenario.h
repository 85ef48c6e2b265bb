// SPDX-License-Identifier: GPL-3.0-or-later
/* scenario.h - what a YAML file asks for, read, checked and unchangeable.
 *
 * A `scenario_file` is the tree of one document with its marks. A `scenario` is one point of its sweep:
 * keys resolved, defaults filled in, `count:` expanded, every number in its base unit (ns, bytes,
 * millionths). All it points to lives in its own arena; models keep their own copies of what changes. */
#ifndef VLAB_SCENARIO_SCENARIO_H
#define VLAB_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/draw.h"
#include "program/prog.h"
#include "scenario/sc_cloud.h"

struct expect; /* scenario/expect.h */

/* A host's measured side, from the calibrated file its `profile:` names; all 0 where it is not known. */
struct sc_measured {
    double iters_per_ns;      /* of the guest's counted loop */
    int64_t exit_ns;          /* one exit to user space and back */
    int64_t kick_ns;          /* from asking a running vCPU to stop until it has stopped */
    int64_t switch_ns;        /* from one vCPU thread stopping to the next one running */
    int64_t slice_ns;         /* of the host kernel's own scheduler, median */
    int64_t tick_ns;          /* of the host kernel: 1/HZ */
    int64_t ref_ps;           /* of a page reference that hits */
    int64_t op_ps[PROG_NOPS]; /* of an event under hardware virtualization */
};

#define SC_NONE UINT32_MAX /* no such entity */

/* --- the price of mediation --- */

enum sc_mode { SC_BARE, SC_CONTAINER, SC_EMULATION, SC_TRANSLATION, SC_HARDWARE, SC_PARAVIRTUAL, SC_NMODES };

/* What one event of `ops` costs in a mode. In ps: a call costs a few ns. */
struct sc_price {
    int64_t ps;
    bool exits; /* the hypervisor handles it: counted in exits.REASON */
};

struct sc_modes {
    struct sc_price price[SC_NMODES]
                         [PROG_NOPS]; /* of the profile, with mode_costs over it; SC_BARE is native */
    uint32_t emulation_milli; /* host instructions a guest instruction under SC_EMULATION, in thousandths;
                                 1000: 1 */
    int64_t host_io_ps;       /* type 2: the host's own stack, for each disk request and each frame */
};

/* --- memory --- */

enum sc_reclaim { SC_SHARE, SC_BALLOON, SC_COMPRESS, SC_SWAP, SC_NRECLAIMS };

/* A host's. Frames are bytes / page_bytes; what is in reclaim takes them back when there are too few. */
struct sc_memory {
    int64_t bytes;                 /* 0: not stated, never short */
    int64_t page_bytes;            /* of the host and of its guests: 4096 or 2 MiB */
    uint8_t reclaim[SC_NRECLAIMS]; /* enum sc_reclaim, in the order they are tried */
    uint32_t n_reclaim;            /* 0: nothing is ever taken back, and what VMs state must fit */
    const char *replacement;       /* lru clock fifo random second-chance */
    bool per_vm;                   /* replacement_scope: vm */
    uint32_t swap;                 /* index into scenario.disks; SC_NONE: no swap disk */
    int64_t free_target_bytes;     /* what is to be free: below it, the states soft, hard and low */
    uint32_t tax_ppm;              /* on idle memory: an idle page counts as 1/(1 - tax) active ones */
    bool sampled;                  /* estimate: sampled; else what is active is known exactly */
    int64_t share_bps;             /* scan rate, bits a second */
    int64_t share_cost_ns;         /* CPU time to scan one page, on the host's own thread */
    int64_t break_ns;              /* CPU time of a write to a shared page, which copies it */
    int64_t balloon_bps;           /* how fast a balloon grows, bits a second; 0: at once */
    uint32_t balloon_max_ppm;      /* of a VM's memory */
    uint32_t compress_milli;       /* ratio in thousandths: 3000 is 3:1 */
    int64_t compress_ns;           /* to compress one page, and to bring it back */
    int64_t ref_ps;                /* of one reference that hits; in ps, 0: none */
    uint32_t tlb_entries;          /* 0: not modelled */
    int64_t tlb_walk_ns;           /* of a native walk, 4 references with 4 KiB pages */
    uint32_t tlb_nested_milli; /* a nested walk costs so many native ones, in thousandths: walk caches hide
                                  the rest */
};

struct sc_content {   /* pages [first, first + n) of every VM with this class hold the same, page for page */
    const char *name; /* "linux"; "zero": all equal, also within a VM */
    uint32_t ppm;     /* of the VM's memory */
};

/* --- disks and stores --- */

enum sc_disk_model { SC_DISK_BUCKET, SC_DISK_SSD, SC_DISK_HDD };
enum sc_hdd { SC_HP97560, SC_SATA7200 };

struct sc_disk {
    const char *name;      /* "ssd0", "san" */
    const char *entity;    /* "host.h1.disk.ssd0", "storage.san" */
    uint32_t host;         /* SC_NONE: a store */
    const uint32_t *hosts; /* a store: the hosts that reach it */
    uint32_t n_hosts;
    uint8_t model;         /* enum sc_disk_model; a store is SC_DISK_BUCKET */
    uint8_t preset;        /* enum sc_hdd */
    const char *queue;     /* fifo deadline fair mclock */
    bool flat;             /* a store divides among VMs at once, not among hosts first */
    int64_t iops_u;        /* millionths of a request a second; 0: no bound */
    int64_t bandwidth_bps; /* bits a second; 0: no bound */
    int64_t latency_ns;    /* of every request, beside what the rates make it wait; requests overlap in it */
    int64_t burst_bytes, peak_bps; /* what may be saved up, and how fast it is spent; 0: none, no bound */
    int64_t pool_bytes;            /* thin volumes allocate from it; 0: no pool */
    int64_t grain_bytes;           /* of allocation and copy-on-write */
    int64_t cache_bytes;           /* reads that hit it take no time of the medium; 0: none */
    uint32_t channels, dies;       /* SSD: dies in each channel */
    struct dist read, program;     /* SSD: of a die, ns; constants or exponential: no pool */
    int64_t erase_ns;
    int64_t spare_ppm; /* SSD: over-provisioned share, which decides the write amplification; 0: no garbage */
};

/* A VM's disk: a volume on a device. */
struct sc_vdisk {
    uint32_t disk;         /* index into scenario.disks; its host reaches it */
    int64_t size_bytes;    /* 0: not stated */
    int64_t used_bytes;    /* written before the run: a thin volume has taken blocks for it */
    bool thin;             /* blocks are taken from the pool as they are first written; else all at once */
    uint32_t weight;       /* against others on the device (queues fair and mclock) */
    int64_t reservation_u; /* millionths of a request a second; 0: none */
    int64_t limit_u;       /* likewise; 0: none */
    int64_t limit_bps, limit_burst_bytes; /* 0: none */
    int64_t cache_bytes;                  /* the guest's own page cache; 0: none */
    uint32_t from_vm;                     /* made of that VM's disk of the same index; SC_NONE: empty */
    bool linked;                          /* shares its blocks, copy-on-write; else a copy */
};

/* --- networks --- */

struct sc_nic {
    const char *name, *entity; /* "eth0", "host.h1.nic.eth0" */
    uint32_t host;
    int64_t bandwidth_bps; /* each way; 0: no bound */
    int64_t latency_ns;
    int64_t mtu;            /* bytes of the largest IP packet */
    int64_t packet_cost_ns; /* CPU time of one packet, each way */
    uint32_t rx_queue;      /* frames that may wait for that CPU time; more are dropped */
};

enum sc_net_kind { SC_NET_BRIDGE, SC_NET_NAT, SC_NET_HOST_ONLY };

struct sc_network {
    const char *name, *entity; /* "lan", "network.lan" */
    uint8_t kind;
    const uint32_t *nics; /* bridge, nat: the hosts' NICs it uses, at most one a host */
    uint32_t n_nics;
    const uint32_t *hosts; /* host-only: each host has its own; else the NICs' hosts */
    uint32_t n_hosts;
    const char *uplink; /* bridges with the same uplink are one network; NULL: its own alone */
    uint32_t up;        /* the network named like the uplink (two levels); SC_NONE: a plain switch */
    int64_t latency_ns;
    int64_t bandwidth_bps; /* of its port upwards, or of the memory copy inside a host; 0: no bound */
    uint32_t ports;        /* nat: connections that may be open at once, of each host */
    int64_t hold_ns;       /* nat: a port is free again so long after its connection's last packet */
    int64_t rewrite_ns;    /* nat: CPU time a packet */
};

struct sc_peer {
    const char *name, *entity; /* "pc", "peer.pc" */
    uint32_t network;          /* SC_NONE: outside */
};

struct sc_forward { /* of nat: who asks the host for `port` reaches the VM's port `to` */
    uint16_t port, to;
};

/* --- hosts --- */

struct sc_host {
    const char *name;          /* with its -N where it was counted */
    const char *group;         /* the name in the file */
    const char *profile;       /* "ideal", "modern", "era2003", or the path of a calibrated host */
    uint32_t cores;            /* pCPUs: cores x threads of each */
    uint32_t threads_per_core; /* pCPUs c x t .. c x t + t - 1 share core c */
    uint32_t speed_ppm;        /* 1000000: speed 1.0 */
    const char *scheduler;     /* rr credit cfs eevdf stride bvt */
    int64_t slice_ns;          /* 0: the scheduler's own default */
    int64_t tick_ns;           /* slices end at the next whole multiple; 0: when they are due */
    int64_t switch_ns;         /* direct cost of a switch to another vCPU */
    int64_t balance_every_ns;  /* the longest queue gives to the shortest; 0: never */
    bool balance_idle;         /* an idle pCPU takes from another's queue */
    bool credit_debit_tick;    /* who runs at a tick pays for all of it, as Xen's credit has it */
    int64_t cache_bytes;       /* of the last-level cache, the share of one pCPU; 0: not modelled */
    int64_t cache_line_ns;     /* to refill one 64-byte line */
    struct sc_memory memory;
    uint8_t type; /* of its hypervisor: 1 or 2 */
    bool nested_paging;
    uint32_t load_ppm;            /* type 2: what the host's own programs want of each pCPU */
    const struct sc_modes *modes; /* its prices; NULL: all are 0 */
    struct sc_measured measured;
    bool fixed_slots;        /* cpu.defence: each VM's time comes when it comes, used or not */
    const char *const *vmms; /* names of its hypervisor processes */
    uint32_t n_vmms;         /* 0: one without a name, for all its VMs */
    struct sc_power power;
    int64_t price_u;   /* millionths of a unit of money for an hour powered on */
    uint64_t features; /* bits of scenario.features that guests see: without those in `mask` */
    uint32_t rack;     /* of scenario.racks; SC_NONE: none */
    struct sc_failures failures;
    uint32_t limit_ppm; /* placement fills its pCPUs so far; 1000000: all */
};

enum sc_arrivals { SC_CLOSED, SC_POISSON, SC_PERIODIC, SC_TRACE, SC_SEQUENCE };

/* A stretch of an arrival sequence; `poisson` and `periodic` alone are one stretch without end. */
struct sc_stretch {
    enum sc_arrivals kind; /* SC_POISSON or SC_PERIODIC */
    int64_t gap_ns;        /* mean, or exact, time between arrivals */
    int64_t for_ns;        /* INT64_MAX: without end */
};

struct sc_workload {
    bool requests;     /* false: loop */
    bool unlimited;    /* threads: unlimited (requests only): each has its own thread */
    uint32_t threads;  /* 0 only where unlimited */
    int64_t queue_max; /* waiting requests; INT64_MAX: no bound */
    enum sc_arrivals arrivals;
    const struct sc_stretch *stretches; /* SC_POISSON, SC_PERIODIC, SC_SEQUENCE */
    uint32_t n_stretches;
    const int64_t *trace_ns; /* SC_TRACE: absolute times, never decreasing */
    uint32_t n_trace;
    bool
        shared_queue; /* queue: shared: the VMs of its `count:` serve one stream and queue, the first one's */
    uint32_t clients; /* SC_CLOSED */
    struct dist think; /* SC_CLOSED; its numbers are in think_pool */
    const int64_t *think_pool;
    const struct prog *prog; /* the steps; 8-aligned, prog->bytes long */
    uint64_t until;          /* iterations (over all tasks) or requests; UINT64_MAX: the end of the run */
};

enum sc_cosched { SC_COSCHED_NONE, SC_COSCHED_STRICT, SC_COSCHED_RELAXED, SC_COSCHED_BALANCE };

struct sc_vm {
    const char *name;
    const char *group;
    uint32_t host; /* index */
    uint32_t vcpus;
    uint32_t weight;                  /* of the VM, divided among its runnable vCPUs; 1000 is the usual one */
    uint32_t limit_ppm;               /* of one pCPU; 0: none */
    int64_t period_ns;                /* in which the limit holds */
    uint32_t reservation_ppm;         /* of one pCPU, whenever it wants it */
    const uint64_t *pins;             /* NULL: any; else (cores of its host + 63) / 64 words */
    uint8_t cosched;                  /* enum sc_cosched */
    int64_t working_set_bytes;        /* of cache, that it wants warm */
    int64_t guest_quantum_ns;         /* of work, then another task's turn; 0: a task keeps its vCPU */
    uint8_t mode;                     /* enum sc_mode */
    bool modified;                    /* guest: modified */
    int64_t memory_bytes;             /* 0: not stated */
    uint32_t memory_weight;           /* its claim on the host's memory, in min-funding */
    int64_t memory_reservation_bytes; /* never taken from it */
    const struct sc_content *content;
    uint32_t n_content;
    uint32_t
        swap; /* the guest's own swap disk, into scenario.disks; SC_NONE: a balloon cannot make it swap */
    const struct sc_vdisk *disks;
    uint32_t n_disks;
    uint32_t network;    /* its NIC's; SC_NONE: none */
    uint32_t net_weight; /* against others on the same link */
    const struct sc_forward *forwards;
    uint32_t n_forwards;
    bool victim;       /* role: victim */
    const char *draws; /* whose random numbers: the hash of this name keys its streams */
    int64_t start_ns;  /* start.at + index in the count * start.every */
    struct sc_workload work;

    uint8_t there;         /* enum sc_there */
    bool placed;           /* the policy chooses its host; `host` is then one that it could be on */
    const char *place;     /* that policy; NULL: the cloud's */
    uint32_t vmm;          /* of its host's vmms; 0 where there are none */
    uint32_t kernel;       /* of scenario.kernels, shared with others (containers); SC_NONE: its own */
    uint32_t image;        /* of scenario.images; SC_NONE: it is up as soon as it is powered on */
    uint32_t like;         /* SC_BY_CLONE: the VM it is a clone of; else SC_NONE */
    uint64_t features;     /* bits of scenario.features that it needs */
    const uint32_t *with;  /* affinity: VMs that are to be on its host */
    const uint32_t *apart; /* anti_affinity: VMs that must not be; in both lists of a pair */
    uint32_t n_with, n_apart;
    struct sc_migrate migrate;
};

/* How it comes to be. */
enum sc_there { SC_AT_START, SC_BY_CLONE, SC_BY_ADD, SC_BY_SCALE, SC_BY_REQUEST };

struct sc_run {
    int64_t duration_ns, warmup_ns, sample_ns;
    uint64_t seed;
    uint32_t replications;
};

struct scenario {
    const char *path, *name, *about;
    struct sc_run run;
    const struct sc_host *hosts;
    uint32_t n_hosts;
    const struct sc_vm *vms;
    uint32_t n_vms;
    /* Each sorted by its entity's name; hosts' disks and stores stand together. The devices of records are
     * numbered through: disks, nics, networks, peers. */
    const struct sc_disk *disks;
    uint32_t n_disks;
    const struct sc_nic *nics;
    uint32_t n_nics;
    const struct sc_network *networks;
    uint32_t n_networks;
    const struct sc_peer *peers;
    uint32_t n_peers;
    const struct sc_image *images;
    uint32_t n_images;
    const char *const *kernels, *const *racks, *const *features; /* names; 64 features at most */
    uint32_t n_kernels, n_racks, n_features;
    const struct sc_service *services; /* sorted by name, as all above */
    uint32_t n_services;
    struct sc_cloud cloud;
    const struct sc_event *events; /* in the order of the file */
    uint32_t n_events;
    bool moves; /* some VM may be on another host than the one it began on */
    const struct expect *const *expects;
    uint32_t n_expects;
    /* This point of the sweep: keys and values as written; n_keys 0 where nothing is swept. */
    const char *const *keys, *const *values;
    const uint32_t *axes; /* keys of one zip are on the same */
    uint32_t n_keys;
};

static inline uint32_t scenario_n_devs(const struct scenario *sc)
{
    return sc->n_disks + sc->n_nics + sc->n_networks + sc->n_peers;
}
/* "host.h1.disk.ssd0": the entity that a device is reported as. */
static inline const char *scenario_dev_entity(const struct scenario *sc, uint32_t dev)
{
    if (dev < sc->n_disks) return sc->disks[dev].entity;
    dev -= sc->n_disks;
    if (dev < sc->n_nics) return sc->nics[dev].entity;
    dev -= sc->n_nics;
    return dev < sc->n_networks ? sc->networks[dev].entity : sc->peers[dev - sc->n_networks].entity;
}

struct scenario_file;

/* Reads a document ("-": standard input). NULL: d says why. Free with scenario_close. */
struct scenario_file *scenario_open(const char *path, struct diag *d);
/* The same from memory, under a name for messages. */
struct scenario_file *scenario_parse(const char *name, const char *text, size_t len, struct diag *d);
void scenario_close(struct scenario_file *f);
/* `--set KEY=VALUE`: the value is YAML; takes a swept key out of the sweep. False: d says why. */
bool scenario_set(struct scenario_file *f, const char *key, const char *value, struct diag *d);
/* How many points the sweep has: 1 without one. */
size_t scenario_points(const struct scenario_file *f);
/* Resolves one point, checks everything. NULL: d says why (up to 20 diagnostics). Free with scenario_free. */
struct scenario *scenario_at(struct scenario_file *f, size_t point, struct diag *d);
void scenario_free(struct scenario *sc);
/* The resolved scenario as YAML (every key with its value; reads back to the same). malloc'ed. */
char *scenario_dump(const struct scenario_file *f, size_t *len);

#endif
