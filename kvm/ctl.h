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
 * A page that its guest waits for and that takes a while: the runner sets `fetching` and kicks it, so that it
 * comes out and closes its gate itself, CTL_WAITING with CTL_FETCH; when the page is there, the runner clears
 * `fetching` and lets it in again as after any wait. Where the kernel lets no kick through to a thread that
 * waits for a page (before Linux 6.2) it keeps its pCPU meanwhile. */
#ifndef VLAB_KVM_CTL_H
#define VLAB_KVM_CTL_H

#include <signal.h>
#include <stdint.h>

#include "kvm/abi.h"

#define CTL_MAGIC 0x324c5443u
#define CTL_KICK  SIGUSR1
#define CTL_TEXT  240
#define CTL_WAITS 4096u /* a power of two */
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
    CTL_FD_PAGES, /* to the pool, see pages.h */
    CTL_FD_STORE, /* its pages that are out */
    CTL_FD_UFFD,  /* the VMM puts its own there */
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

/* One wait of a guest, closed: what it asked for and when it was over. */
struct ctl_wait {
    int64_t from_ns, deadline_ns, to_ns;
};

struct ctl_vcpu {
    _Alignas(64) uint32_t gate;  /* futex; enum ctl_gate */
    uint32_t pcpu;               /* runner: whose bell to ring */
    _Alignas(64) uint32_t state; /* enum ctl_state */
    uint32_t tid;
    int64_t changed_ns;        /* when it came to CTL_PARKED, CTL_WAITING or CTL_ENDED */
    int64_t entered_ns;        /* when it last came to CTL_RUNNING */
    int64_t deadline_ns;       /* of CTL_WAITING; CTL_FETCH: until a page has come */
    uint32_t fetching;         /* runner: a page that it waits for is on its way */
    uint64_t exits[ABI_PORTS]; /* by port; those of ABI_PORT_BELL are counted by its eventfd */
    uint64_t exits_device, exits_kick;
    struct ctl_end end;
    uint64_t n_waits; /* waits written; the ring keeps the last CTL_WAITS */
    struct ctl_wait waits[CTL_WAITS];
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
