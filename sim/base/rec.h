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
    REC_IO,    /* a disk request is done; value: its latency; vm UINT32_MAX: the host's own. Of a device */
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
    REC_EV_REFUSED,    /* a send has no way to its receiver; value: frames; why */
    REC_EV_NAT_FULL,   /* a new connection found no free port; value: ports there are */
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
