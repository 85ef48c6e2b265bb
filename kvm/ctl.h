// SPDX-License-Identifier: GPL-3.0-or-later
/* ctl.h - the page that a runner and one of its VMMs share: who may run, who runs, how it ended.
 *
 * The guest never sees it. Words named "futex" are waited on by their 32-bit value. A vCPU thread writes
 * the times of a state first and the state last (release); whoever reads the state (acquire) then sees
 * the times. Times are CLOCK_MONOTONIC ns unless named otherwise.
 *
 * The gate. Where `gated` is set, from `go` on, a vCPU thread is in the guest only while its gate is
 * CTL_INSIDE. The runner lets it in: state = CTL_RUNNING, then gate = CTL_OPEN; the thread turns CTL_OPEN
 * into CTL_INSIDE, having set entered_ns. The runner takes it back: it exchanges the gate for CTL_CLOSED;
 * it was CTL_OPEN: the thread never got in; CTL_INSIDE: CTL_KICK is sent, and the thread says CTL_PARKED;
 * CTL_CLOSED: the thread had closed it itself, having said CTL_WAITING, because its guest waits. Whenever a
 * thread says something it rings the bell of its pCPU (struct ctl_bells, one page for all VMs of a run).
 * `free_run` opens all gates for good and ends all waits.
 *
 * Waits and wake-ups. A guest waits until its deadline or until something it asked for is there, which the
 * VMM's I/O thread says: woken_ns, then `wake` = 1, then the futex and, where gated, the bell. A wake-up that
 * comes while the guest does not wait stays: the next wait is over at once. The vCPU takes it away when its
 * wait is over. So a wait is one from its beginning to the earlier of deadline and wake-up, and that is what
 * the ring of waits tells as its deadline: from then on the vCPU can run.
 *
 * A page that its guest waits for and that takes a while: the runner sets `fetching` and kicks it, so that it
 * comes out and closes its gate itself, CTL_WAITING with CTL_FETCH; when the page is there, the runner clears
 * `fetching` and lets it in again as after any wait. Where the kernel lets no kick through to a thread that
 * waits for a page (before Linux 6.2) it keeps its pCPU meanwhile. */
#ifndef VLAB_KVM_CTL_H
#define VLAB_KVM_CTL_H

#include <signal.h>
#include <stdint.h>

#include "base/rec.h"
#include "kvm/abi_dev.h"

#define CTL_MAGIC 0x324c5443u
#define CTL_KICK  SIGUSR1
#define CTL_TEXT  240
#define CTL_WAITS 16384u /* a power of two */
#define CTL_PCPUS 256u
#define CTL_FETCH INT64_MAX

/* Descriptors a VMM is started with. */
enum ctl_fd {
    CTL_FD_CTL = 3,
    CTL_FD_LOG,
    CTL_FD_BOOT,
    CTL_FD_BELLS,
    CTL_FD_KVM,
    CTL_FD_PAYLOAD,
    CTL_FD_BELL,
    CTL_FD_DEV,                                   /* device i: 2 i further its peer, and then its window */
    CTL_FD_PAGES = CTL_FD_DEV + 2 * ABI_MAX_DEVS, /* to the pool, see pages.h */
    CTL_FD_STORE,                                 /* its pages that are out */
    CTL_FD_UFFD,                                  /* the VMM puts its own there */
    CTL_FD_END
};

enum ctl_pool {
    CTL_NO_POOL,
    CTL_COUNTED, /* its pages are counted */
    CTL_PAGED    /* the pool says which are in */
};

enum ctl_gate { CTL_CLOSED, CTL_OPEN, CTL_INSIDE };

enum ctl_state {
    CTL_INIT,    /* being set up */
    CTL_READY,   /* reached ABI_PORT_SYNC, waits for `go` */
    CTL_RUNNING, /* in the guest, or on its way in or out */
    CTL_PARKED,  /* can run, stands at its closed gate */
    CTL_WAITING, /* its guest waits until deadline_ns */
    CTL_ENDED    /* `end` says how */
};

enum ctl_cause {
    CTL_NOT_ENDED,
    CTL_EXIT,    /* as it should */
    CTL_ABORT,   /* the payload gave up; code: enum abi_abort */
    CTL_FAULT,   /* an exception nobody handles; vector, rip, address (page faults) */
    CTL_OUTSIDE, /* an access outside all slots; address */
    CTL_ABI,     /* the guest broke the ABI; text says how */
    CTL_REFUSED, /* KVM could not go on; text says why */
    CTL_SIBLING, /* another vCPU of this VM ended it */
    CTL_KILLED,  /* the VMM is gone; code: the signal. Written by the runner */
    CTL_STORE,   /* its pages could not be kept; code: errno, text. Written by the runner, as all from here on
                  */
    CTL_OOM,     /* no memory left, and it had most; code: enum rec_why; address: the bytes it had */
    CTL_STRAY    /* still running after the end, stopped by the runner. Written by the runner */
};

struct ctl_end {
    uint32_t cause; /* enum ctl_cause */
    uint32_t vector;
    uint32_t code;
    uint32_t pad;
    uint64_t rip;
    uint64_t address;
    int64_t at_ns;
    char text[CTL_TEXT];
};

/* One wait of a guest, closed: from when, when it could go on, when it did. */
struct ctl_wait {
    int64_t from_ns;
    int64_t deadline_ns; /* what it asked for, or when it was woken before that */
    int64_t to_ns;
    uint32_t as; /* enum vcpu_state */
};

struct ctl_vcpu {
    _Alignas(64) uint32_t gate;  /* futex; enum ctl_gate */
    uint32_t pcpu;               /* runner: whose bell to ring */
    _Alignas(64) uint32_t wake;  /* futex; 1: woken, and it has not seen it */
    int64_t woken_ns;            /* when */
    _Alignas(64) uint32_t state; /* enum ctl_state */
    uint32_t tid;
    int64_t changed_ns;        /* when it came to CTL_PARKED, CTL_WAITING or CTL_ENDED */
    int64_t entered_ns;        /* when it last came to CTL_RUNNING */
    int64_t deadline_ns;       /* of CTL_WAITING; CTL_FETCH: until a page has come */
    uint32_t waits_as;         /* likewise: VCPU_IDLE, VCPU_DISKWAIT, VCPU_NETWAIT */
    uint32_t fetching;         /* runner: a page that it waits for is on its way */
    uint64_t exits[ABI_PORTS]; /* by port; those of ABI_PORT_BELL are counted by its eventfd */
    uint64_t exits_device, exits_kick;
    uint64_t exits_pio; /* of all ports of disks, reads too */
    struct ctl_end end;
    uint64_t n_waits; /* waits written; the ring keeps the last CTL_WAITS */
    struct ctl_wait waits[CTL_WAITS];
};

/* What a process that serves devices tells the runner, in order of time: a ring with one writer. */
enum ctl_io_kind {
    CTL_IO_ASKED = 1, /* a request was taken; value: its number, from 0, of this device */
    CTL_IO_DONE,      /* it was answered; value: the same number */
    CTL_IO_BUSY,      /* datastore: the server is at work from now on (value 1), or not (0) */
    CTL_IO_TAKEN      /* datastore: value bytes of the file are allocated */
};

struct ctl_io {
    int64_t t_ns; /* CLOCK_MONOTONIC */
    int64_t value;
    uint64_t bytes; /* CTL_IO_DONE: moved */
    uint16_t kind;  /* enum ctl_io_kind */
    uint16_t dev;   /* the guest's device, or the datastore's volume */
    uint32_t status;
};

#define CTL_IOS 65536u /* a power of two */

struct ctl_ios {
    _Alignas(64) uint64_t n; /* written; the ring keeps the last CTL_IOS */
    struct ctl_io ring[CTL_IOS];
};

static inline void ctl_io_put(struct ctl_ios *l, struct ctl_io x)
{
    l->ring[l->n % CTL_IOS] = x;
    __atomic_store_n(&l->n, l->n + 1, __ATOMIC_RELEASE);
}

/* A device of the guest, whose peer and window are passed in as descriptors. */
struct ctl_dev {
    uint32_t kind;         /* enum abi_dev_kind */
    uint32_t flags;        /* ABI_DEV_PIO */
    uint64_t window_bytes; /* whole 2 MiB; up to ABI_DMA_STEP */
    /* The I/O thread's. */
    _Alignas(64) uint64_t kicks; /* how often the doorbell rang */
    uint64_t taken;              /* requests */
    uint64_t given[ABI_NSTATUS]; /* answers, by status */
    uint64_t bytes;              /* moved by those that were done */
};

struct ctl {
    uint32_t magic, n_vcpus;
    /* At ABI_MEMORY, in pages of page_bytes, of which mapped_bytes can be referred to; 0: none. */
    uint64_t memory_bytes, mapped_bytes, page_bytes;
    uint64_t secret_bytes; /* at ABI_SECRET; 0: it keeps none */
    uint32_t pool;         /* enum ctl_pool */
    uint32_t no_move;      /* for tests: as if the kernel could not move pages */
    int32_t runner;        /* its process id: a VMM without it ends */
    uint32_t gated;
    uint32_t free_run;
    uint32_t go;     /* futex: 0, then 1 */
    uint32_t failed; /* the VMM could not start: text says why */
    int64_t zero_ns; /* t = 0; set before go, as is: */
    uint64_t tsc_zero;
    int64_t start_ns; /* the VM's start, since t = 0 */
    char text[CTL_TEXT];
    struct ctl_dev dev[ABI_MAX_DEVS];
    struct ctl_ios ios;  /* of disks, but for trims */
    struct ctl_vcpu v[]; /* n_vcpus */
};

struct ctl_bells {
    struct {
        _Alignas(64) uint32_t rings; /* futex: counts */
    } pcpu[CTL_PCPUS];
};

static inline uint64_t ctl_bytes(uint32_t n_vcpus)
{
    return (sizeof(struct ctl) + n_vcpus * sizeof(struct ctl_vcpu) + ABI_PAGE - 1) / ABI_PAGE * ABI_PAGE;
}

#endif
