// SPDX-License-Identifier: GPL-3.0-or-later
/* prog.h - a workload's steps, compiled flat, and the interpreter that walks them.
 *
 * The program is one relocatable block of plain data: a head, the steps, then a pool of numbers that
 * distributions refer to by index. The simulator keeps it in an arena, the KVM runner copies the very
 * same bytes into a guest's boot page. The interpreter knows neither clock nor I/O: it says what the
 * task does next and how much of it; its caller makes that happen, in simulated or real time.
 *
 * Freestanding: the same source is compiled into the guest. */
#ifndef VLAB_PROGRAM_PROG_H
#define VLAB_PROGRAM_PROG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/draw.h"

enum step_kind {
    STEP_CPU,    /* amount ns of work on a core of speed 1.0 */
    STEP_BUSY,   /* runnable for amount ns of wall time, whatever it gets */
    STEP_SLEEP,  /* the task is idle for amount ns */
    STEP_TOUCH,  /* amount references to the first `span` pages of the VM's memory, see prog_touch.h */
    STEP_DISK,   /* one request of amount bytes to the VM's disk `target` */
    STEP_NET,    /* PROG_SEND: amount bytes to endpoint `target`; PROG_RECEIVE: waits for amount frames */
    STEP_OPS,    /* amount events of one kind, priced by the virtualization mode */
    STEP_LOCK,   /* takes the VM's lock, holds it for amount ns of work, gives it back */
    STEP_ACCESS, /* refers to an address that it may not: this is the VM's end */
    STEP_SECRET, /* amount bytes of a secret are in the VM's memory from now on */
    STEP_COVERT, /* a covert channel: `span` bits, each amount ns long; PROG_HEAR: sent by VM `target` */
    STEP_NKINDS,
    STEP_END = 255 /* what prog_next says when the iteration is over; never in a program */
};

enum prog_pattern { PROG_UNIFORM, PROG_CYCLIC, PROG_ZIPF, PROG_NPATTERNS }; /* touch */
enum prog_disk { PROG_READ, PROG_WRITE, PROG_TRIM, PROG_NDISK };            /* disk */
enum prog_net { PROG_SEND, PROG_RECEIVE, PROG_NNET };                       /* net */
enum prog_lock { PROG_SPIN, PROG_YIELD, PROG_NLOCK };                       /* lock: how it is waited for */
enum prog_access { PROG_NULL, PROG_OUTSIDE, PROG_NX, PROG_READONLY, PROG_NACCESS };
enum prog_covert { PROG_TELL, PROG_HEAR, PROG_NCOVERT };
enum prog_op { /* ops */
               OP_SYSCALL,
               OP_PAGE_FAULT,
               OP_IO_PORT,
               OP_CR8,
               OP_CALL_RET,
               OP_DIVIDE,
               OP_PTE_MODIFY,
               OP_DOORBELL,
               OP_MMIO,
               OP_HLT,
               OP_CONTEXT_SWITCH,
               OP_FORK,
               OP_EXEC,
               PROG_NOPS
};

#define PROG_GLUED      1u /* flags: happens exactly when the step before it did; its probability is not drawn */
#define PROG_SEQUENTIAL 2u /* disk: the next bytes after the last sequential request; else anywhere */
#define PROG_FLUSH      4u /* disk: done only when it is on the medium, past every cache */

struct step {
    uint32_t kind;        /* enum step_kind */
    uint32_t probability; /* of 2^32: the step happens when a draw is below it; UINT32_MAX: always, no draw */
    struct dist amount;
    uint32_t
        how; /* enum prog_pattern, prog_disk, prog_net, prog_op, prog_lock, ..., as the kind says; else 0 */
    uint32_t flags;    /* PROG_GLUED, PROG_SEQUENTIAL, PROG_FLUSH */
    uint32_t target;   /* disk: index into the VM's disks; net: a VM's index, or n_vms + a peer's; covert: the
                          sending VM's */
    uint32_t write;    /* touch: of 2^32, the share of references that write; UINT32_MAX: all */
    int64_t span;      /* touch: pages of the working set, 1 .. PROG_MAX_PAGES; covert: bits */
    double skew;       /* touch: the exponent of PROG_ZIPF, > 0 */
    double u, v;       /* touch: constants of the pattern, derived by prog_touch_make */
    uint64_t spare[2]; /* 0 */
};

#define PROG_MAX_PAGES (INT64_C(1) << 31)

#define PROG_MAGIC     0x32505256u /* "VRP2" */
#define PROG_MAX_STEPS 256u
#define PROG_MAX_BYTES (4u << 20)

struct prog {
    uint32_t magic;
    uint32_t bytes; /* of the whole block, head included */
    uint32_t n_steps;
    uint32_t n_pool;
    /* struct step steps[n_steps]; int64_t pool[n_pool]; */
};

static inline const struct step *prog_steps(const struct prog *p)
{
    return (const struct step *)(p + 1);
}
static inline const int64_t *prog_pool(const struct prog *p)
{
    return (const int64_t *)(const void *)(prog_steps(p) + p->n_steps);
}

/* Bytes of a program; 0 where it would pass PROG_MAX_STEPS or PROG_MAX_BYTES. */
uint32_t prog_size(uint32_t n_steps, uint32_t n_pool);
/* Lays out a program in mem (8-aligned, prog_size bytes). The distributions must be made (draw_make)
 * and their pool ranges inside n_pool. No steps at all is a program too: every iteration is over at
 * once, and whoever runs it must not loop on it. */
struct prog *prog_build(void *mem, const struct step *steps, uint32_t n_steps, const int64_t *pool,
                        uint32_t n_pool);
/* Whether `bytes` bytes at p hold a well-formed program: for whoever received it from elsewhere. All
 * that prog_next relies on is looked at, derived constants to the bit; after a yes no draw can read
 * outside the block, divide by zero or last longer than DRAW_MAX_STAGES. */
bool prog_valid(const struct prog *p, uint64_t bytes);

/* What one step adds to an iteration's checksum, the same in every backend:
 *
 *     place = mix(task * 0x9e3779b97f4a7c15 + iter * 0xbb67ae8584caa73b + pc)
 *     sum  += mix(place + amount) >> 12          all modulo 2^64, the sum modulo 2^52
 *
 * with mix = rng_mix, pc the step's index from 0 and amount what was drawn. A step that its
 * probability skipped adds nothing. References of a touch are not part of it, their number is. work.checksum
 * is the sum over iterations, modulo 2^52. */
static inline uint64_t prog_hash(uint64_t task, uint64_t iter, uint32_t pc, int64_t amount)
{
    uint64_t place = rng_mix(task * UINT64_C(0x9e3779b97f4a7c15) + iter * UINT64_C(0xbb67ae8584caa73b) + pc);
    return rng_mix(place + (uint64_t)amount) >> 12;
}

/* One task's place in the program. A loop's task t runs iterations 0, 1, 2, ... with task = t. A
 * request is one iteration: task 0 and iter = its number for an open arrival stream, task = client and
 * iter = its cycle for a closed one; so its draws depend on nothing else. */
struct prog_task {
    uint64_t key; /* rng_key(seed, name, RNG_STEPS) */
    uint64_t task;
    uint64_t iter;
    uint64_t checksum; /* sum of the steps of this iteration so far, mod 2^52 */
    struct rng rng;
    uint32_t pc;
    uint32_t skipped; /* the last step was: glued ones are too */
};

struct prog_act {
    uint32_t kind;           /* enum step_kind */
    uint32_t pc;             /* which step */
    int64_t amount;          /* >= 0; 0 amounts are real and take no time */
    const struct step *step; /* NULL at STEP_END */
};

#define PROG_CHECKSUM_MASK ((UINT64_C(1) << 52) - 1)

/* Begins iteration `iter`: restarts the stream, the program counter and the checksum. */
void prog_begin(struct prog_task *t, uint64_t key, uint64_t task, uint64_t iter);
/* No step is left: prog_next would say STEP_END, as it may say otherwise too. */
static inline bool prog_over(const struct prog_task *t, const struct prog *p)
{
    return t->pc >= p->n_steps;
}
/* The next step that happens, drawn; STEP_END after the last. */
struct prog_act prog_next(struct prog_task *t, const struct prog *p);

#endif
