// SPDX-License-Identifier: GPL-3.0-or-later
/* guest.h - the payload: the workload program served on one vCPU, with nothing beneath it but ports.
 *
 * Each vCPU has a `struct guest` of its own. There is one pool for the first vCPU's tasks, waiting
 * requests and timers; the other vCPUs, which serve one loop task each, have a place for just that. */
#ifndef VLAB_KVM_GUEST_H
#define VLAB_KVM_GUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "kvm/abi_dev.h"
#include "program/prog_touch.h"

/* Timers: the sleep of a task or the thinking of a client, earliest first, equals in the order set. */
struct timer {
    int64_t at_ns;
    uint64_t seq;
    uint32_t what; /* index of a task, or TIMER_CLIENT + index of a client */
    uint32_t pad;
};
#define TIMER_CLIENT 0x80000000u

struct timers {
    struct timer *heap;
    uint32_t n;
    uint64_t seq;
};

/* Where requests come from. */
struct arrivals {
    int64_t next_ns; /* INT64_MAX: none is known to come by itself (closed, or the stream is over) */
    uint64_t number; /* of the next request */
    struct rng rng;
    int64_t stretch_ns; /* where the stretch began */
    uint32_t stretch;   /* index; also the place in a trace */
};

struct request {
    uint64_t task, iter; /* its stream: (0, number) or (client, cycle) */
    uint64_t number;
};

/* Where a task is in its step. */
enum task_does {
    TASK_NEXT,  /* the next step is to be drawn */
    TASK_WORKS, /* for `iters` more */
    TASK_BUSY,  /* until busy_until_ns */
    TASK_LINE,  /* for the lock, spinning; then it works for `iters` */
    TASK_TOUCHES,
    TASK_WORDS, /* moves its disk request's data by port I/O */
    TASK_KEEPS,
    TASK_OPS
};

struct task {
    struct prog_task prog;
    struct request request;
    int64_t began_ns; /* of the iteration */
    uint64_t iters;   /* of STEP_CPU still to do */
    int64_t busy_until_ns;
    struct prog_touch touch;
    uint32_t next;                   /* in the free list, or in line for a ring */
    uint64_t secret_at, secret_left; /* bytes to be written, and from where */
    uint64_t ops;                    /* events still to come */
    uint32_t op;                     /* of this kind: enum prog_op */
    uint32_t ticket;
    uint32_t io_dev, io_op, io_flags; /* its disk request */
    uint32_t io_page, io_pages;       /* its buffer; by port I/O: its slot */
    int64_t io_words;                 /* by port I/O: still to be moved */
    bool io_answered;
    int64_t io_at, io_len;
    enum task_does does;
    bool holds; /* has the lock, while it works */
};

#define DISK_PAGES (uint32_t)(ABI_DMA_STEP / ABI_PAGE)

/* A ring, as this vCPU has it. */
struct dev {
    struct abi_ring *ring;
    uint32_t put;      /* requests */
    uint32_t consumed; /* answers */
    uint32_t kicked;   /* requests that the doorbell has rung for, if it had to */
};

struct guest {
    const struct abi_boot *boot;
    const struct prog *prog;
    struct abi_log *log;
    uint32_t vcpu;
    bool over;      /* the run has ended */
    int64_t now_ns; /* of the last look at the clock */
    uint64_t chunk; /* iterations between two looks */
    struct timers timers;
    struct arrivals arrivals;
    struct task *tasks;
    uint32_t *ready; /* ring of ABI_MAX_TASKS: those that can run, in order */
    uint32_t ready_head, n_ready;
    uint32_t free_task;      /* list of tasks without a request; UINT32_MAX: none */
    struct request *waiting; /* ring of ABI_MAX_WAITING */
    uint32_t waiting_head, n_waiting;
    uint32_t *cycles; /* of each client */
    uint64_t walk_at; /* ABI_MEASURE_WALK: the line */
    struct dev dev[ABI_MAX_DEVS];
    bool unkicked; /* a request was put in since the last doorbell, the first at: */
    int64_t unkicked_ns;
    uint32_t n_disk, n_pio;       /* disk requests under way; of them by port I/O */
    uint32_t slots[ABI_MAX_DEVS]; /* of port I/O: a bit each, 1: in use */
    uint32_t task_of[ABI_MAX_DEVS][ABI_PIO_SLOTS];
    uint32_t line_head, line_tail;                 /* tasks that wait for room for theirs; UINT32_MAX: none */
    uint64_t pages[ABI_MAX_DEVS][DISK_PAGES / 64]; /* of this vCPU's part of each window: 1: in use */
};

/* io.c: the clock, the ports, the log. */
int64_t io_clock(struct guest *g); /* also keeps it in now_ns */
_Noreturn void io_exit(void);
_Noreturn void io_abort(enum abi_abort why);
void io_wait(struct guest *g, int64_t until_ns);
/* Until then, or until woken, or for no reason; how: ABI_PORT_WAIT, _WAIT_DISK or _WAIT_NET. */
void io_pause(struct guest *g, int64_t until_ns, enum abi_port how);
void io_kick(uint32_t dev);
void io_out(enum abi_port port, uint32_t value);
uint32_t io_in(enum abi_port port);
void io_out_word(enum abi_port port, uint16_t value);
uint16_t io_in_word(enum abi_port port);
void io_sync(void);
void io_nop(void);
void io_halt(void);
void io_bell(void);
void io_log(struct guest *g, enum abi_log_kind kind, int64_t t_ns, int64_t value);
void io_count(struct guest *g, uint64_t checksum);

/* timers.c */
void timers_push(struct timers *t, int64_t at_ns, uint32_t what);
struct timer timers_pop(struct timers *t);

/* arrivals.c */
void arrivals_begin(struct guest *g);
void arrivals_next(struct guest *g);                      /* draws when the next comes */
int64_t arrivals_think(struct guest *g, uint32_t client); /* its next think */

/* touch.c: a touch step, a piece at a time; after the last it is at TASK_NEXT. */
void touch_begin(struct guest *g, struct task *t, const struct prog_act *act);
void touch_piece(struct guest *g, struct task *t);
/* One reference, a write. */
void touch_write(const struct guest *g, uint64_t page);
/* What `how` (enum prog_access) says and no guest may: does not come back. */
void touch_refused(const struct guest *g, uint32_t how);

/* secret.c: a secret step, likewise. */
void secret_begin(struct guest *g, struct task *t, int64_t bytes);
void secret_piece(const struct guest *g, struct task *t);

/* lock.c: stands in line; spins for a while, whether it holds the lock now; gives it back. */
void lock_begin(struct task *t);
bool lock_spin(const struct guest *g, struct task *t);
void lock_release(struct task *t);

/* net.c: the NIC, if the VM has one. */
void net_setup(struct guest *g);
/* The task's net step begins. True: it is over already; else the task waits. */
bool net_begin(struct guest *g, uint32_t task, const struct prog_act *act);
/* What has come and left is seen to, and room used. A task whose step is over; UINT32_MAX: none more. */
uint32_t net_take(struct guest *g);
/* Whether a task of this vCPU waits for the network. */
bool net_waits(const struct guest *g);

/* disk.c: the task's disk step asks for its request, now or when there is room. True: it has something to do
 * at once; false: it waits. */
bool disk_begin(struct guest *g, uint32_t task, const struct prog_act *act);
/* A task whose request is answered; UINT32_MAX: none is. */
uint32_t disk_take(struct guest *g);

/* pio.c: the same by port I/O. Takes a slot for the task's request; false: all are in use. */
bool pio_begin(struct guest *g, struct task *t);
/* Some words of TASK_WORDS. False: the request is out, and the task waits for the answer. */
bool pio_piece(struct guest *g, uint32_t task);
/* A task whose request is answered; it still has words to move, or none. UINT32_MAX: none is. */
uint32_t pio_take(struct guest *g);

/* ops.c: some of the events still to come; n of an enum prog_op. */
void ops_piece(struct task *t);
void ops_happen(uint32_t op, uint64_t n);

/* tasks.c: runs the workload until the end of the run or of the workload. */
void tasks_run(struct guest *g);
/* main.c: one more iteration is complete; how many now are, over all vCPUs. */
uint64_t guest_add_done(void);
/* So many bytes more of a secret, of `room` in all: how many there is room for, and where they begin. */
uint64_t guest_keep(uint64_t bytes, uint64_t room, uint64_t *at);

/* measure.c */
void measure_run(struct guest *g);

#endif
