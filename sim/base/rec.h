// SPDX-License-Identifier: GPL-3.0-or-later
/* rec.h - what happened, as data: the one seam between whatever makes time pass and whoever looks on.
 *
 * A run, simulated or on hardware, is a sequence of `struct rec` in order of time (equal times in
 * the order they happened). Metrics, traces and the dashboard read records and nothing else; they
 * neither know nor care which clock made them.
 *
 * The interval rule. A record that closes an interval is written when the interval ends and carries
 * its whole length: the interval is [t_ns - value, t_ns). Per vCPU the intervals of REC_STATE are
 * seamless from 0 to the end of the run, the first in whichever state the vCPU began; per pCPU those of
 * REC_STATE with from == VCPU_RUN, REC_SWITCH and REC_IDLE are. Every reader may assert it, and the meters
 * do, on every run.
 *
 * Records are appended to a block and handed on as arrays. A kind nobody asked for is not even
 * built: test `rec_wants` first. Page references, ticks and cache hits are counters, never records. */
#ifndef VLAB_BASE_REC_H
#define VLAB_BASE_REC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A vCPU is at every instant in exactly one of these; their times sum to wall time to the ns. */
enum vcpu_state {
    VCPU_DOWN,      /* not powered on, or booting, or failed */
    VCPU_IDLE,      /* nothing to run */
    VCPU_READY,     /* could run, has no pCPU: contention; the switch that ends it belongs to it */
    VCPU_RUN,       /* on a pCPU */
    VCPU_THROTTLED, /* could run, its limit forbids it */
    VCPU_COSTOP,    /* stopped so that its siblings may catch up */
    VCPU_SWAPWAIT,  /* waits for the host to bring a page back */
    VCPU_DISKWAIT,  /* all its tasks wait, the one to return first for a disk */
    VCPU_NETWAIT,   /* the same for the network */
    VCPU_NSTATES
};

enum rec_kind {
    REC_STATE, /* vCPU went from -> to at t_ns; value: how long it was in `from`; pcpu where it ran or will */
    REC_SWITCH, /* pCPU spent value ns switching to this vCPU */
    REC_IDLE,   /* pCPU was idle for value ns */
    REC_ARRIVE, /* a request came to the VM; value: its number, from 0 */
    REC_DONE,   /* a request is answered; value: its latency in ns */
    REC_LOST,   /* a request found the queue full; value: its number */
    REC_OPEN,   /* at the end of a run: a request still inside; value: its age in ns */
    REC_WORK,   /* a loop's iteration ended; value: how long it took in ns */
    REC_UNTIL,  /* the workload has done its `until` count; value: ns since the VM's start */
    REC_EVENT,  /* something happened: `cause` is an enum rec_event; value as the event says, `to` why */
    /* An interval: of the run time of this vCPU, on this pCPU, value ns were overhead, not useful work. It
     * lies within one REC_STATE of VCPU_RUN, which is written later. */
    REC_OVERHEAD,
    /* As REC_STATE, of a thread of the host itself (vm UINT32_MAX, vcpu its number within the host): from
     * VCPU_RUN, the pCPU's time is the host's own. */
    REC_THREAD,
    REC_COUNT, /* `cause` is an enum rec_count; value: how many more there were, up to now */
    REC_LEVEL, /* `cause` is an enum rec_level; value: what it is from now on */
    REC_IO,    /* a disk request is done; value: its latency; vm UINT32_MAX: the host's own. Of a device. With
                * `to`    1 it is not done but forgotten: its VM failed, and it was not on its way yet */
    REC_ABORT, /* a request inside was lost with its VM and is never answered; value: its age in ns */
    REC_POWER, /* `cause` is an enum rec_power; value: what it is from now on; of a VM, or of a host (vm none)
                */
    REC_NKINDS
};

/* Counters, told by their growth at the boundaries of warm-up and samples and at the end, not one by one. A
 * count is of what happened before the boundary, so the record carries the last ns before it. */
enum rec_count {
    REC_N_MEM_REFS,
    REC_N_MEM_FAULTS, /* hard: the page had to be fetched */
    REC_N_MEM_SOFTFAULTS,
    REC_N_MEM_SWAPIN, /* bytes */
    REC_N_MEM_TLBMISSES,
    REC_N_MEM_WALKREFS,
    REC_N_DISK_OPS,
    REC_N_DISK_BYTES,
    REC_N_NET_FRAMES,
    REC_N_NET_BYTES, /* payload */
    REC_N_NET_WIRE,  /* bytes with all framing */
    REC_N_NET_DROPS,
    REC_N_BOOTS,    /* boots that came to their end */
    REC_N_BOOT_NS,  /* and how long they took */
    REC_N_MIG_DONE, /* migrations that came to their end, and what they took */
    REC_N_MIG_NS,   /* start to end */
    REC_N_MIG_DOWN_NS,
    REC_N_MIG_ROUNDS, /* before the stop-and-copy; also of those that were cancelled, as bytes are */
    REC_N_MIG_BYTES,
    REC_N_BITS, /* of a covert channel, received */
    REC_N_BITS_WRONG,
    REC_N_EXIT, /* the first of one a kind of `ops`: REC_N_EXIT + enum prog_op */
    REC_NCOUNTS = REC_N_EXIT + 13
};

enum rec_level {
    REC_L_MEM_RESIDENT, /* bytes, as all of mem. */
    REC_L_MEM_ACTIVE,
    REC_L_MEM_BALLOONED,
    REC_L_MEM_SHARED,
    REC_L_MEM_SWAPPED,
    REC_L_DISK_QUEUE,     /* requests issued and not done */
    REC_L_DISK_ALLOCATED, /* bytes */
    REC_L_DISK_BUSY,      /* servers at work: 1 or 0, of an SSD its dies */
    REC_NLEVELS
};

/* Of a VM or host: told when it changes; each begins at 0. */
enum rec_power {
    REC_P_THERE, /* VM: 1: it is defined and has not been stopped or destroyed: if it is not up, it is down */
    REC_P_UP,    /* VM: 1: powered, booted, not paused and not failed. Host: 1: powered on and not failed */
    REC_P_SPEED, /* host: the step of `power.steps` it runs at */
    REC_NPOWERS
};

/* Why something happened, where the event alone does not say. */
enum rec_why {
    REC_WHY_NONE,
    REC_WHY_NO_SWAP,    /* oom: nothing else to take, and no swap disk */
    REC_WHY_SWAP_FULL,  /* oom: the swap disk's pool has no room */
    REC_WHY_RESERVED,   /* oom: all that is left is reserved */
    REC_WHY_NO_ROUTE,   /* refused: the networks do not meet */
    REC_WHY_NO_FORWARD, /* refused: behind nat, and no forward rule leads there */
    REC_WHY_NO_NIC,     /* refused: the sender or the receiver has no NIC */
    REC_WHY_PORTS,      /* nat-full: every port is taken */
    REC_WHY_POOL,       /* pool-full: a write needs a block and there is none */
    REC_WHY_LINK,       /* refused: a NIC or network on the way is down */
    REC_WHY_QUOTA,      /* rejected: it would be over the quota */
    REC_WHY_CPU,        /* rejected, or a migration refused: no host has that much CPU left */
    REC_WHY_MEMORY,     /* the same of memory */
    REC_WHY_FEATURES,   /* a CPU feature it needs is missing, or masked */
    REC_WHY_STORAGE,    /* its disks cannot be reached from there */
    REC_WHY_NETWORK,    /* its network is not there */
    REC_WHY_APART,      /* a VM is there that it must not share a host with */
    REC_WHY_TOGETHER,   /* the VMs that it must share a host with are elsewhere */
    REC_WHY_SPARES,     /* a host's failure would then leave no room for all */
    REC_WHY_PINNED,     /* it is pinned to pCPUs of its host */
    REC_WHY_HOST_OFF,   /* the host is off, failed or being drained */
    REC_WHY_BUSY,       /* it is in no state for it: migrating, off, not there */
    REC_WHY_SLOTS,      /* no VM of that flavour is free */
    REC_WHY_DIVERGED,   /* a round was no smaller than the one before it */
    REC_WHY_GUEST,      /* failed: the guest itself */
    REC_WHY_VMM,        /* its hypervisor process */
    REC_WHY_KERNEL,     /* the kernel it shares */
    REC_WHY_HOST,       /* its host */
    REC_WHY_RACK,       /* the rack of its host */
    REC_WHY_DISK,       /* a disk, store or pool */
    REC_WHY_POWER,      /* it was switched off */
    REC_NWHYS
};

enum rec_event {
    REC_EV_STARTED,    /* a VM was powered on */
    REC_EV_FINISHED,   /* a VM's workload has done its `until` count */
    REC_EV_FAULT,      /* a guest access was refused and ended it; value: the address */
    REC_EV_KILLED,     /* a VM was ended from outside; value: the signal or reason */
    REC_EV_THROTTLE,   /* a vCPU used up its limit for this period */
    REC_EV_LOST,       /* a request found the queue full */
    REC_EV_MIGRATE,    /* a vCPU moved to another pCPU; value: the pCPU it left */
    REC_EV_OOM,        /* the host had no memory left and ended a VM; value: its resident bytes; why */
    REC_EV_MEM_STATE,  /* free memory entered another state; value: 0 high, 1 soft, 2 hard, 3 low */
    REC_EV_POOL_ALARM, /* a thin pool passed 80 %; value: bytes given out */
    REC_EV_POOL_FULL,  /* a write found its pool full and waits; value: bytes it needs */
    REC_EV_POOL_ROOM,  /* a pool has room again: its writers go on; value: bytes free */
    REC_EV_REFUSED,  /* a send has no way to its receiver; value: frames; why. Or a migration; value: the host
                      */
    REC_EV_NAT_FULL, /* a new connection found no free port; value: ports there are */
    REC_EV_DEFINED,  /* a VM has come to be; value: its host */
    REC_EV_BOOTED,   /* it is up; value: ns it took */
    REC_EV_PAUSED,
    REC_EV_RESUMED,
    REC_EV_STOPPED,    /* in order: what was not written back has been */
    REC_EV_DESTROYED,  /* it is gone, with its disks */
    REC_EV_CLONED,     /* value: the VM that came of it */
    REC_EV_SNAPSHOT,   /* value: its number */
    REC_EV_FAILED,     /* a VM, host or device fails; why */
    REC_EV_REPAIRED,   /* a host or device is back */
    REC_EV_ABORTED,    /* with its VM, requests were lost; value: how many */
    REC_EV_DIRTY_LOST, /* with its VM, bytes written and not flushed were lost; value: bytes */
    REC_EV_DETECTED,   /* the manager knows that a host has failed */
    REC_EV_RESTARTED,  /* high availability starts a VM again; value: the host */
    REC_EV_STRANDED,   /* it has no host to start a VM again on, and goes on trying; why */
    REC_EV_REJECTED,   /* a VM that was asked for is not made; why */
    REC_EV_LEFT,       /* its lifetime is over */
    REC_EV_MIGRATING,  /* to host `value` */
    REC_EV_MIGRATED,   /* value: ns of downtime */
    REC_EV_DIVERGED,   /* its memory is written faster than it can be sent; value: round */
    REC_EV_CANCELLED,  /* a migration was given up; why */
    REC_EV_DRAINED,    /* a host has no VM left */
    REC_EV_ON,         /* a host is switched on */
    REC_EV_OFF,        /* a host is switched off */
    REC_EV_SET,        /* a setting was changed; value: to what */
    REC_EV_GROWN,      /* a pool; value: bytes more */
    REC_EV_SCALED_OUT, /* value: VMs started */
    REC_EV_SCALED_IN,  /* value: VMs stopped */
    REC_EV_INSPECTED,  /* a host administrator read a VM's memory; value: bytes of secrets found */
    REC_NEVENTS
};

#define REC_NONE UINT16_MAX
/* In `pcpu`: the record is of a device, and `host` is its number: the scenario's disks (stores among them),
 * then nics, then networks, then peers. */
#define REC_DEV (UINT16_MAX - 1)

struct rec {
    int64_t t_ns;
    int64_t value;
    uint32_t host; /* index into the scenario's hosts; of a device (REC_DEV): its number */
    uint32_t vm;   /* index into the scenario's vms; UINT32_MAX where the record is of no VM */
    uint16_t vcpu; /* within the VM; REC_NONE where it is of no vCPU */
    uint16_t pcpu; /* within the host; REC_NONE where it is of no pCPU */
    uint8_t kind;  /* enum rec_kind */
    uint8_t from;  /* enum vcpu_state, for REC_STATE */
    uint8_t to;    /* enum vcpu_state; of a REC_EVENT: enum rec_why */
    uint8_t cause; /* enum rec_event, rec_count or rec_level, as the kind says */
};
_Static_assert(sizeof(struct rec) == 32, "half a cache line");

/* Who reads: called with records in order, never twice with the same. `ctx` is the reader's own. */
struct rec_reader {
    void (*read)(void *ctx, const struct rec *recs, size_t n);
    void *ctx;
    uint32_t mask; /* bit k: wants kind k (it is also shown others that share its block) */
};

#define REC_BLOCK_LEN   128 /* 4 KiB: stays in the innermost cache */
#define REC_MAX_READERS 4

/* Where records are gathered. Owned by whoever starts the run; the producer only appends. */
struct rec_block {
    size_t n;
    uint32_t mask; /* union of the readers' masks */
    uint32_t n_readers;
    struct rec_reader readers[REC_MAX_READERS];
    struct rec recs[REC_BLOCK_LEN];
};

void rec_block_init(struct rec_block *b);
/* At most REC_MAX_READERS; the reader's ctx must outlive the block. */
void rec_block_add_reader(struct rec_block *b, struct rec_reader r);
/* Hands what is gathered to the readers. Call it once more when the run has ended. */
void rec_block_flush(struct rec_block *b);

static inline bool rec_wants(const struct rec_block *b, enum rec_kind kind)
{
    return (b->mask >> kind) & 1u;
}

/* The next free record, to be filled at once; flushes when the block is full. Never NULL. */
static inline struct rec *rec_next(struct rec_block *b)
{
    if (b->n == REC_BLOCK_LEN) rec_block_flush(b);
    return &b->recs[b->n++];
}

const char *rec_state_name(enum vcpu_state st); /* "ready": as in the metric cpu.ready */
const char *rec_event_name(enum rec_event ev);  /* "finished": as in the metric events.finished */
const char *rec_event_about(enum rec_event ev); /* a sentence */
const char *rec_why_text(enum rec_why why);     /* "no swap disk"; "" for none */

#endif
