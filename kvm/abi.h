// SPDX-License-Identifier: GPL-3.0-or-later
/* abi.h - what a guest and its VMM agree on: addresses, ports, the boot page, the log.
 *
 * The guest is a freestanding payload in ring 3 of long mode; virtual and physical addresses are equal.
 * Page 0 is in no slot. Page tables, GDT and TSS are out of its reach (supervisor-only or not mapped),
 * the boot region is read-only, text is never writable, data never executable, and below every stack is a
 * page that is not mapped.
 *
 *     0x0010000  page tables (not mapped), GDT, TSS     supervisor
 *     0x0100000  boot region: struct abi_boot, then what its offsets name     read, host writes
 *     0x0d00000  stacks, one a vCPU, each over a guard page     read, write
 *     0x1000000  payload: text (read, execute), rodata (read), data (read, write)
 *    0x20000000  rings, one a vCPU and device: abi_dev.h     read, write; shared with the VMM alone
 *    0x30000000  windows, one a device: its data     read, write; shared with whoever serves the device
 *    0x40000000  logs, one a vCPU: struct abi_log, shared with the runner; nothing in it is trusted
 *    0x50000000  one page of a device: takes 32 bits at its beginning, does nothing     write; in no slot
 *    0x60000000  one page, mapped but in no slot: touching it shows that nothing is there
 *    0x80000000  page tables of what follows                 not mapped
 *   0x100000000  the VM's memory, of memory_bytes; its page n is the VM's page n     read, write, as far as
 *                steps refer to it; the first page after it is mapped and in no slot
 *
 * A port's number is the operation, so the VMM reads no guest memory to know what is asked. The TSS's I/O
 * bitmap lets exactly these ports through (IOPL is 0); any other traps in the guest and ends it.
 *
 * Times are ns since t = 0, the moment when the runner let all guests go: abi_now of the TSC.
 *
 * The guest's rules, which are the simulator's too:
 *  - Tasks that can run are served first come, first served. A task keeps its vCPU until it sleeps, its
 *    request ends and none waits, or it has had guest_quantum of it while another waits.
 *  - Loop: task t runs iterations 0, 1, 2 ... With several vCPUs task t stays on vCPU t.
 *  - Open arrivals: gaps drawn in order from stream (0, 0) of the arrival key, the first arrival one gap
 *    after the VM's start; a gap that passes the end of its stretch is dropped, the next stretch draws its
 *    own from its beginning. Client c thinks before each request, its k-th think drawn from stream (c, k)
 *    of the think key; all start by thinking.
 *  - `until` is a number of requests that come at all (lost ones too), or of iterations, divided among a
 *    loop's tasks: task t of n runs until / n of them, and one more where t < until mod n. What is then left
 *    is idleness.
 *  - The checksum of an iteration is added to the VM's when that iteration ends, modulo 2^52; what is
 *    unfinished at the end of the run does not count. So with a count as end, reached, it is the same number
 *    in every backend. */
#ifndef VLAB_KVM_ABI_H
#define VLAB_KVM_ABI_H

#include <stdint.h>

#include "base/draw.h"
#include "program/prog.h"

#define ABI_MAGIC   0x31424156u /* "VAB1" */
#define ABI_VERSION 3u

#define ABI_PAGE        4096u
#define ABI_MAX_VCPUS   16u
#define ABI_RAM_BASE    0x10000u
#define ABI_TABLES      0x10000u /* ABI_GDT - ABI_TABLES bytes */
#define ABI_GDT         0x80000u
#define ABI_TSS         0x81000u
#define ABI_BOOT        0x100000u
#define ABI_BOOT_MAX    0xc00000u
#define ABI_STACKS      0xd00000u
#define ABI_STACK_STEP  0x20000u /* of which the lowest page is the guard */
#define ABI_STACK_BYTES 0x10000u
#define ABI_PAYLOAD     0x1000000u
#define ABI_RAM_END     0x2000000u
#define ABI_LOG         0x40000000u
#define ABI_DEVICE      0x50000000u
#define ABI_HOLE        0x60000000u
#define ABI_MORE_TABLES UINT64_C(0x80000000)
#define ABI_MEMORY      UINT64_C(0x100000000)
#define ABI_MEMORY_MAX  (UINT64_C(64) << 30) /* its tables fit below it */

#define ABI_SEL_CODE 0x33u
#define ABI_SEL_DATA 0x2bu
#define ABI_SEL_TSS  0x40u

/* Ports. All are written to (out), 32 bits wide, so each takes four numbers of the I/O bitmap. */
enum abi_port {
    ABI_PORT_EXIT = 0x200,  /* done; value: 0 */
    ABI_PORT_ABORT = 0x204, /* cannot go on; value: enum abi_abort */
    ABI_PORT_WAIT =
        0x208, /* nothing to run until the time whose low 32 bits are the value; 2^31 ns at most */
    ABI_PORT_SYNC = 0x20c, /* ready; value: low 32 bits of the TSC. Returns at the VM's start */
    ABI_PORT_NOP = 0x210,  /* an exit to user space and back */
    ABI_PORT_HALT = 0x214, /* the same, of a guest that halts and is woken at once */
    ABI_PORT_BELL = 0x218, /* a doorbell that nobody stands behind: KVM signals an eventfd and goes on */
    /* As ABI_PORT_WAIT, by a vCPU that waits for a disk or for the network: told apart in its accounts. */
    ABI_PORT_WAIT_DISK = 0x21c,
    ABI_PORT_WAIT_NET = 0x220,
    ABI_PORT_KICK = 0x224, /* the doorbell of device 0; of device i: 4 i further. KVM signals its eventfd */
    ABI_PORT_PIO_SELECT = 0x244, /* these: abi_dev.h. There alone a guest may also read, and 16 bits wide */
    ABI_PORT_PIO_AT_LOW = 0x248,
    ABI_PORT_PIO_AT_HIGH = 0x24c,
    ABI_PORT_PIO_BYTES = 0x250,
    ABI_PORT_PIO_GO = 0x254,
    ABI_PORT_PIO_DONE = 0x258,
    ABI_PORT_PIO_DATA = 0x25c
};
#define ABI_PORT_FIRST 0x200u
#define ABI_PORTS      24u
#define ABI_MAX_DEVS   8u

enum abi_abort {
    ABI_ABORT_BOOT = 1, /* the boot page is not one this payload knows */
    ABI_ABORT_PROGRAM,  /* the program is malformed */
    ABI_ABORT_TASKS,    /* more requests under way than ABI_MAX_TASKS */
    ABI_ABORT_WAITING,  /* more requests waiting than ABI_MAX_WAITING */
    ABI_ABORT_LIMITS,   /* more threads or clients than the payload holds */
    ABI_ABORT_STEP,     /* a step this payload does not know */
    ABI_ABORT_LOCK      /* two tasks hold the lock */
};

#define ABI_MAX_TASKS   4096u
#define ABI_MAX_CLIENTS 65536u
#define ABI_MAX_WAITING 65536u

enum abi_mode {
    ABI_RUN,         /* the workload */
    ABI_MEASURE,     /* iterations per ns: log ABI_LOG_MEASURE for each of `count` repeats of target_ns */
    ABI_MEASURE_EXIT /* the same for ABI_PORT_NOP: value is ns of 64 exits */
};

enum abi_arrivals { ABI_CLOSED, ABI_STRETCHES, ABI_TRACE };

/* A stretch of an open arrival stream: Poisson with mean gap_ns, or periodic. */
struct abi_stretch {
    uint32_t periodic, pad;
    int64_t gap_ns;
    int64_t for_ns; /* INT64_MAX: without end */
};

/* A device as its guest is told of it: abi_dev.h. */
struct abi_boot_dev {
    uint32_t kind; /* enum abi_dev_kind */
    uint32_t flags;
    uint64_t window_bytes;
    uint64_t bytes; /* disk: its size */
    uint64_t key;   /* of its draws */
    int64_t begin;  /* disk: where the first sequential write goes */
};

/* Who a VM can send to, by endpoint (VMs, then peers): where its frames go. */
struct abi_end {
    uint8_t mac[6];
    uint16_t why; /* enum rec_why: not 0: there is no way */
    uint32_t ip;  /* as a number */
};

/* At ABI_BOOT. Offsets count from its first byte, are 8-aligned and lie inside `bytes`. */
struct abi_boot {
    uint32_t magic, version;
    uint32_t bytes; /* of the region */
    uint32_t mode;
    uint32_t n_vcpus;
    uint32_t log_step; /* bytes from one vCPU's log to the next */
    /* The clock; written once more when the guests are let go. */
    uint64_t tsc_zero;
    uint64_t ns_per_tsc_q32; /* ns a tick, 32.32 fixed point */
    uint64_t iters_per_ns_q32;
    int64_t start_ns, end_ns;
    /* The workload. */
    uint64_t key_steps, key_arrival, key_think;
    uint32_t requests; /* 0: loop */
    uint32_t arrivals; /* enum abi_arrivals */
    uint32_t threads;  /* 0: one for each request */
    uint32_t clients;
    int64_t queue_max;
    uint64_t until; /* UINT64_MAX: none */
    int64_t quantum_ns;
    uint64_t memory_bytes, mapped_bytes; /* at ABI_MEMORY; mapped: what steps touch of it */
    uint32_t page_bytes, pad2;
    struct dist think;
    uint32_t prog_at, prog_bytes;
    uint32_t stretch_at, n_stretches; /* struct abi_stretch */
    uint32_t trace_at, n_trace;       /* int64_t */
    uint32_t think_at, n_think;       /* int64_t */
    /* Measuring. */
    uint32_t count, pad;
    int64_t target_ns;
    /* Devices. */
    uint32_t n_devs, pad3;
    struct abi_boot_dev dev[ABI_MAX_DEVS];
    uint32_t end_at, n_ends; /* struct abi_end; n_ends 0: the VM has no NIC */
    uint32_t end_self, pad4; /* which of them it is */
};
_Static_assert(sizeof(struct abi_boot) <= ABI_PAGE, "the head is one page");

enum abi_log_kind {
    ABI_LOG_ARRIVE,  /* value: the request's number */
    ABI_LOG_DONE,    /* value: the request's number */
    ABI_LOG_LOST,    /* value: the request's number */
    ABI_LOG_WORK,    /* value: ns the iteration took */
    ABI_LOG_UNTIL,   /* value: ns since the VM's start */
    ABI_LOG_REFUSED, /* a send had no way; value: its frames x 256 + enum rec_why */
    ABI_LOG_MEASURE, /* value: iterations (or exits); t_ns: ns they took */
    ABI_LOG_KINDS
};

struct abi_entry {
    int64_t t_ns;
    int64_t value;
    uint32_t kind;
    uint32_t pad;
};

#define ABI_LOG_LEN 32768u /* entries, a power of two */

/* One vCPU's log: a ring with one writer (the guest) and one reader (the runner). Indices only grow. */
struct abi_log {
    _Alignas(64) uint64_t head; /* guest: entries written */
    uint64_t done;              /* guest: iterations or requests completed */
    uint64_t checksum;
    uint64_t overrun;           /* guest: entries that found the ring full */
    uint64_t note;              /* guest: for tests */
    uint64_t refs;              /* guest: references of touch steps */
    _Alignas(64) uint64_t tail; /* runner: entries read */
    _Alignas(4096) struct abi_entry ring[ABI_LOG_LEN];
};
#define ABI_LOG_STEP ((sizeof(struct abi_log) + ABI_PAGE - 1) / ABI_PAGE * ABI_PAGE)

static inline uint64_t abi_tsc(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return (uint64_t)hi << 32 | lo;
}

/* ticks x ns a tick; ticks below 2^63. */
static inline int64_t abi_ticks_to_ns(uint64_t ticks, uint64_t ns_per_tsc_q32)
{
    return (int64_t)((unsigned __int128)ticks * ns_per_tsc_q32 >> 32);
}

/* The counted loop: a chain of multiplications, so that its pace depends on the core and on nothing else. */
static inline void abi_spin(uint64_t iters)
{
    uint64_t x = 1;
    if (iters == 0) return;
    __asm__ volatile("1:\n\timul $0x2c9277b5, %1, %1\n\tdec %0\n\tjnz 1b" : "+r"(iters), "+r"(x) : : "cc");
}

#endif
