// SPDX-License-Identifier: GPL-3.0-or-later
/* inner.h - the model's own state, shared by the files of this folder and by nobody else.
 *
 * Entities live in arrays and know each other by index. A host's vCPUs stand side by side, so that the
 * scheduler's numbers are `index - host.first_vcpu`. What has a pending event has no more than one: a pCPU
 * (the vCPU on it stops), a VM (its earliest timer), a host (its scheduler's tick; its own programs' load), a
 * device and each stage of a network (disk_inner.h, net_inner.h).
 *
 * Who handles an event settles: cpu_settle for each host whose run queues it may have changed, then
 * book_settle. Whoever is called from within a step does not: it wakes nobody there, but asks for an event of
 * its own at the same instant. */
#ifndef VLAB_MODEL_INNER_H
#define VLAB_MODEL_INNER_H

#include "base/assert.h"
#include "model/book.h"
#include "model/model.h"
#include "model/timers.h"
#include "policy/covert.h"
#include "policy/sched.h"

#define NONE UINT32_MAX

/* Parts with a state of their own; each file's header says what it models. */
struct mem;   /* mem.h: a host's memory */
struct vmem;  /* mem.h: a VM's pages */
struct touch; /* mem.h: a task in a touch step */
struct disks; /* disk.h: every disk, store and volume */
struct net;   /* net.h: every NIC, network and peer */
struct locks; /* lock.h: a VM's lock */

struct mhost {
    struct sched *sched;
    const struct sc_host *sc;
    uint32_t index; /* in model.hosts */
    uint32_t first_pcpu, n_pcpus;
    uint32_t first_vcpu, n_vcpus;
    uint32_t speed_ppm;
    bool limits; /* or co-scheduling: who leaves a pCPU may be throttled, or stopped */
    bool smt;
    int64_t tick_ns, switch_ns;
    int64_t kick_ns; /* from the end of a slice until who has had it has stopped; measured, else 0 */
    int64_t cache_lines, line_ns; /* 0 lines: the cache is not modelled */
    struct vcpu **woken;          /* vCPUs woken since the last settling, see cpu_settle */
    uint32_t n_woken;
    evq_handle tick_event;
    int64_t tick_at;
    uint32_t first_thread, n_threads; /* its own threads: model.threads; in its scheduler after its vCPUs */
    struct mem *mem;                  /* NULL: no VM here touches memory */
    struct book *book;                /* likewise */
    uint64_t *pins;                   /* of its threads */
    /* host.h */
    struct vcpu **seats; /* where VMs move (scenario.moves): who sits on each of the scheduler's; NULL: the
                            vCPUs from first_vcpu on, and always will */
    uint32_t n_seats, cap_woken; /* of them in use, or in a row free; room in woken */
    uint32_t n_failures; /* that it suffers from now: it is up when there is none, and it is not off */
    bool off, draining, drained;
    uint32_t expects;              /* VMs on their way here */
    struct vm *first_vm, *last_vm; /* those that are on it, running or not */
    uint32_t n_vms;
    int64_t promised[2]; /* to them: ppm of pCPUs, bytes */
};

enum pcpu_mode { PCPU_IDLE, PCPU_SWITCH, PCPU_RUN };

struct pcpu {
    struct mhost *host;
    struct vcpu *on;   /* on it, or switched to; NULL: idle */
    int64_t run_from;  /* up to when what the running vCPU had is booked */
    int64_t untold_ns; /* of that, what the scheduler has not been told */
    int64_t slice_end;
    evq_handle event;
    int64_t event_at;
    int8_t prio;       /* of it: EVQ_NORMAL; EVQ_LATE where memory is modelled */
    uint32_t index;    /* in model.pcpus */
    uint16_t num;      /* within its host */
    uint8_t mode;      /* enum pcpu_mode */
    int64_t since_ns;  /* when this idling or switching began */
    int64_t idle_ns;   /* all its idling before that */
    int64_t slice_run; /* what the policy granted, while switching */
    bool smt;          /* hardware threads share its core: work is slower than time while siblings are busy */
    uint32_t rate_num, rate_den; /* of SMT: work per time, now */
    uint32_t work_rest;          /* of work, in 1/rate_den ns */
    struct vcpu *last;           /* whose turn was last: coming back to it is no switch */
    int64_t loaded;              /* cache lines ever brought in, see warmth.c */
};

struct vcpu {
    struct rec proto;   /* a REC_STATE of this vCPU, its state in `from`, its last pCPU in `pcpu` */
    int64_t since_ns;   /* of the state */
    int64_t burst_ns;   /* how long its task still runs until its step or quantum is over */
    int64_t granted_ns; /* what that was when guest_settle last looked */
    int64_t run_ns;     /* all it ever ran */
    struct mhost *host;
    struct vm *vm;
    struct pcpu *at;     /* the pCPU it is on, NULL: none */
    struct pcpu *last;   /* it was on, NULL: none yet */
    uint32_t task;       /* the guest's task on it, NONE: nothing to run */
    uint32_t index;      /* in model.vcpus */
    uint32_t in_sched;   /* its number in its host's scheduler */
    bool woken;          /* in its host's woken list */
    bool overhead;       /* what it runs now is overhead, not useful */
    uint8_t paying;      /* TOLL_NONE, or which of the two tolls its burst is */
    int64_t toll_ns[2];  /* of a switch to another task, before that goes on: useful, overhead */
    uint32_t last_task;  /* NONE: none yet */
    uint32_t thread;     /* vm NULL: index in model.threads */
    uint32_t waiting[3]; /* of the tasks last on it: for swap, disk, network */
    int64_t lost_ns;     /* run time that was no work, because a sibling thread had the core */
    int64_t ws_lines;    /* working set */
    int64_t warm_mark;   /* its pCPU's `loaded` when it left */
    int64_t warm_lines;  /* of its lines present then */
};

#define TOLL_NONE 2
#define TASK_BOOT (UINT32_MAX - 1) /* in vcpu.task: no task of the guest's, it is booting */

static inline enum vcpu_state state_of(const struct vcpu *v)
{
    return (enum vcpu_state)v->proto.from;
}

enum task_where { TASK_FREE, TASK_QUEUED, TASK_ON, TASK_ASLEEP, TASK_OVER, TASK_WAITS };

struct task {
    struct prog_task at;
    uint8_t where;       /* enum task_where */
    uint8_t kind;        /* enum step_kind of the step it is in */
    uint32_t vcpu;       /* index of the vCPU it is on, or was last */
    uint32_t prev, next; /* in the guest's queue, or the list of free threads */
    int64_t left_ns; /* of the step, in time on this host's cores; STEP_BUSY: INT64_MAX, its timer ends it */
    int64_t quantum_ns; /* until the guest lets another task on, likewise; INT64_MAX: never */
    int64_t began_ns;   /* this iteration, or the arrival of this request */
    uint64_t quota;     /* iterations this task has to do; UINT64_MAX: without end */
    uint32_t client;    /* whose request it serves, where there are clients */
    uint8_t stage;      /* how far it is in its step, see step.c */
    uint8_t waits;      /* enum vcpu_state that its vCPU is in while it waits */
    bool overhead;      /* the piece of run time it is in is overhead */
    int64_t piece_ns;   /* that piece's length, for steps whose part asks how far it got */
    int64_t owed_ns;    /* overhead still to run when the piece is over */
    int64_t bits;       /* of a covert step, so far; */
    bool whole;         /* the slot it is in was whole */
    struct prog_act act;
    struct touch *touch; /* NULL: has not touched yet */
};

struct request {
    int64_t came_ns;
    uint64_t iter; /* its number, or the client's cycle */
    uint32_t client;
};

struct vm {
    const struct sc_vm *sc;
    const struct prog *prog;
    struct mhost *host;
    uint32_t index; /* in model.vms, and in the scenario's */
    uint32_t first_vcpu, n_vcpus;
    struct task *tasks;
    uint32_t n_tasks, cap_tasks;
    uint32_t run_head, run_tail; /* runnable tasks without a vCPU, first in first out */
    uint32_t free_head;          /* threads without a request */
    uint64_t key_steps, key_think;
    uint64_t checksum, done; /* iterations or requests */
    int64_t quantum_ns;      /* guest_quantum in time on this host's cores; INT64_MAX: none */
    int64_t charged_ns;      /* run time its tasks account for: must equal its vCPUs' */
    struct timers timers;
    evq_handle timer_event;
    int64_t timer_at;
    /* requests only */
    struct request *ring;
    uint64_t ring_head, ring_n, ring_cap; /* cap is a power of two */
    int64_t inside;                       /* come and not answered */
    uint64_t *cycles;                     /* [clients] requests each has made */
    struct rng arrival_rng;
    struct dist gap;
    uint32_t stretch;
    int64_t stretch_end, arrived_ns;
    uint64_t arrivals;
    struct book *book; /* NULL: nothing here is counted */
    struct vmem *mem;  /* NULL: it does not touch */
    struct locks *locks;
    bool off;               /* not up: nothing of the guest's runs or is woken */
    bool doomed;            /* will be off when this event's handler is through */
    uint8_t held;           /* bits of enum hold: its vCPUs are kept from running */
    uint8_t power;          /* enum vm_power */
    bool resident;          /* on vm->host, seated in its scheduler, its promises made */
    bool wanted;            /* to be up: nobody has stopped or destroyed it */
    bool in_quota;          /* it counts */
    bool counted_up;        /* as the last REC_POWER said */
    bool begun;             /* it has been up */
    bool open;              /* its stream has begun */
    bool leaving;           /* it takes no more requests: when those inside are done, it stops */
    uint32_t in_sched;      /* its number in its host's scheduler */
    uint32_t front;         /* the VM whose stream and queue it serves; itself, but for `queue: shared` */
    uint32_t scale;         /* the autoscaling that looks at its queue; NONE */
    int64_t on_ns, born_ns; /* last powered on; first up */
    bool behind;            /* it moves without its memory: post-copy */
    struct migration *migration;        /* migrate.h; NULL: it stays where it is */
    struct vm *next_there, *prev_there; /* on its host */
    struct vm_set {                     /* as events may change them */
        uint32_t weight, limit_ppm, reservation_ppm;
        int64_t dirty_bps;
    } set;
    bool switches;                  /* a switch between its tasks has a price or is an exit */
    bool emulated;                  /* its work takes longer than on the core itself */
    int64_t useful_ps, overhead_ps; /* of prices, what does not fill a ns yet */
    uint64_t seen;                  /* CPU features of the host it booted on: its programs may use them */
    int64_t secret_bytes;           /* secret.h: in its memory now */
    uint64_t key_bits;
    struct covert covert; /* what it has heard so far */
};

struct model {
    const struct scenario *sc;
    struct sim *sim;
    struct rec_block *out;
    uint64_t seed;
    struct mhost *hosts;
    struct pcpu *pcpus;
    struct vcpu *vcpus;
    struct vm *vms;
    struct thread *threads; /* thread.h */
    struct disks *disks;
    struct net *net;
    struct book *dev_books; /* [scenario_n_devs] */
    struct books books;
    struct fails *fails;
    struct migrate_page *pages; /* migrate.c */
    uint32_t n_pages, cap_pages, n_migrations;
    struct cloud *cloud; /* cloud.h; NULL: nobody sees to anything */
    uint32_t n_pcpus, n_vcpus, n_threads;
    uint32_t only_vm;                                           /* MODEL_ALL, or the one that there is */
    uint32_t ev_pcpu, ev_vm, ev_tick, ev_kill, ev_load, ev_end; /* handlers */
    uint32_t ev_event, ev_heal, ev_fail, ev_cloud, ev_migrate;
};

/* An event of the VM, and why. */
static inline void inner_tell_why(struct model *m, const struct vm *vm, int64_t value, enum rec_event what,
                                  enum rec_why why)
{
    if (!rec_wants(m->out, REC_EVENT)) return;
    *rec_next(m->out) = (struct rec){
        .t_ns = sim_now(m->sim),
        .value = value,
        .host = vm->host->index,
        .vm = vm->index,
        .vcpu = REC_NONE,
        .pcpu = REC_NONE,
        .kind = REC_EVENT,
        .to = (uint8_t)why,
        .cause = (uint8_t)what,
    };
}

/* A record of the VM as a whole; cause: of a REC_EVENT, else 0. */
static inline void inner_tell(struct model *m, const struct vm *vm, enum rec_kind kind, int64_t value,
                              enum rec_event cause)
{
    if (!rec_wants(m->out, kind)) return;
    *rec_next(m->out) = (struct rec){
        .t_ns = sim_now(m->sim),
        .value = value,
        .host = vm->host->index,
        .vm = vm->index,
        .vcpu = REC_NONE,
        .pcpu = REC_NONE,
        .kind = (uint8_t)kind,
        .cause = (uint8_t)cause,
    };
}

#endif
