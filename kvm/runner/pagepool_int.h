// SPDX-License-Identifier: GPL-3.0-or-later
/* pagepool_int.h - the parts of the pool: pagepool.c hears, pagepool_fault.c serves, pagepool_frames.c says
 * whose page goes, pagepool_disk.c how long the swap disk takes, pagepool_link.c speaks with a VM's pager,
 * pagepool_inspect.c reads what guests keep, pagepool_books.c writes down what came of it. All but what
 * pagepool.h says is the pool's thread's. */
#ifndef VLAB_KVM_RUNNER_PAGEPOOL_INT_H
#define VLAB_KVM_RUNNER_PAGEPOOL_INT_H

#include <pthread.h>
#include <semaphore.h>

#include "kvm/pages.h"
#include "kvm/runner/pagepool.h"
#include "kvm/runner/run.h"
#include "policy/bucket.h"
#include "policy/fund.h"
#include "policy/memstate.h"
#include "policy/reclaim.h"

#define PAGEPOOL_FAULTS 256u /* that a VM may have told before they are looked at */

/* Where a page is; with PAGEPOOL_DIRTY where it must be written out before it goes, and PAGEPOOL_COPY where
 * the store has had it. A page that is in and not dirty is guarded. */
enum pagepool_where { PAGEPOOL_UNTOUCHED, PAGEPOOL_IN, PAGEPOOL_PARKED, PAGEPOOL_COMING, PAGEPOOL_OUT };
#define PAGEPOOL_WHERE 0x07u
#define PAGEPOOL_DIRTY 0x40u
#define PAGEPOOL_COPY  0x80u

struct pagepool_fault {
    uint32_t page, vcpu;
    bool write, counted;
    int64_t at_ns; /* absolute */
};

struct pagepool_fetch { /* a page on its way from the store */
    struct pagepool_fault fault;
    uint32_t frame;
    bool let_go;              /* its vCPU waits outside the guest */
    int64_t asked_ns, due_ns; /* absolute */
};

struct pagepool_io { /* of the swap disk; since t = 0 */
    int64_t from_ns, to_ns;
};

struct pagepool_vm {
    struct pagepool *pool;
    uint32_t index; /* in run.vms */
    const struct sc_vm *sc;
    int fd, their_fd, store_fd;
    bool gone, released; /* its VMM is; what it had is free */
    uint32_t seq;
    uint32_t n_pages;
    uint32_t set; /* of frames, to the policy */
    uint8_t *state;
    uint32_t *frame; /* of a page that is in, parked or coming */
    struct pagepool_fault heard[PAGEPOOL_FAULTS];
    uint32_t heard_head, n_heard;
    struct pagepool_fetch fetches[ABI_MAX_VCPUS];
    uint32_t n_fetches;
    int64_t resident, swapped, reserved; /* pages */
    bool asks;
    int64_t count[REC_NCOUNTS], told[REC_NCOUNTS];
    int64_t said_resident, said_swapped, said_active;
    int64_t look_ns, look_took_ns; /* unpaged: when to count again; what a count takes of a CPU */
    uint64_t again;
    uint32_t *evicted;
    size_t n_evicted, evicted_cap;
    struct pagepool_wait *waits;
    size_t n_waits, waits_cap;
    struct ctl_end end; /* once given_up is set (release) */
    uint32_t given_up;
};

struct pagepool_look { /* of the administrator, at what a VM keeps */
    struct pagepool_vm *v;
    int64_t t_ns;
    uint64_t found;
};

struct pagepool_starved {
    struct pagepool_vm *v;
    struct pagepool_fault fault;
};

struct pagepool {
    struct run *run;
    const struct sc_memory *sc;
    bool paged;
    int64_t page_bytes;
    struct pagepool_vm
        *vms; /* [n_vms] those that touch, in the scenario's order; then others it speaks with */
    uint32_t n_vms, n_touch;
    struct pagepool_vm **of; /* [run.n_vms]; NULL: it does not touch */
    pthread_t thread;
    bool started;
    int wake_fd; /* an eventfd */
    uint32_t stop, over;
    sem_t counted; /* after over */
    bool told_over;
    int64_t zero_abs_ns; /* 0: not yet */
    /* frames */
    int64_t frames, reserve, used;
    uint32_t cap, fresh, n_free;
    uint32_t *free;     /* frames that were used and are free */
    uint32_t *owner_vm; /* [cap] in vms; and its page: */
    uint32_t *owner_page;
    uint8_t *stands; /* [cap] its page is in: while it is, its bit of the policy's is set */
    struct reclaim *policy;
    struct rng rng;
    struct fund_claim *claims;
    enum memstate state;
    struct memstate_marks marks;
    uint32_t in_flight;
    int64_t held_ns;
    bool came; /* a page, or a frame: who waits for one may try again */
    struct pagepool_starved *starved;
    size_t n_starved, starved_cap;
    /* the swap disk */
    struct bucket bucket;
    int64_t disk_free_ns, disk_latency_ns; /* absolute */
    struct pagepool_io *ios;
    size_t n_ios, ios_cap;
    int64_t said_resident, said_swapped, said_active;
    int64_t active_ns; /* when mem.active is told next */
    int64_t tell_ns;   /* absolute: when counts are told next */
    struct pages_data in;
    int64_t *next_event_ns; /* [n_events of the scenario] */
    struct pagepool_look *looks;
    size_t n_looks, looks_cap;
    struct recs recs;
};

/* pagepool_link.c */
/* 0 or more: the answer; -errno: the VM is given up, or gone. */
int64_t pagepool_command(struct pagepool_vm *v, enum pages_what what, uint32_t page, uint32_t flags);
/* A piece of what it keeps secret, good until the next thing is heard; how many bytes, or -errno. */
int64_t pagepool_read(struct pagepool_vm *v, uint32_t piece, const unsigned char **bytes);
/* Takes what the VM has to say, at most one packet. */
void pagepool_hear(struct pagepool_vm *v);
__attribute__((format(printf, 5, 6))) void pagepool_give_up(struct pagepool_vm *v, enum ctl_cause cause,
                                                            uint32_t code, uint64_t address, const char *fmt,
                                                            ...);
static inline bool pagepool_lives(const struct pagepool_vm *v)
{
    return !v->gone && !__atomic_load_n(&v->given_up, __ATOMIC_RELAXED);
}
static inline bool pagepool_stops(const struct pagepool *p)
{
    return __atomic_load_n(&p->stop, __ATOMIC_ACQUIRE) != 0;
}

/* pagepool_fault.c */
void pagepool_fault(struct pagepool_vm *v, struct pagepool_fault *f);
void pagepool_fetched(struct pagepool_vm *v, uint32_t i); /* its fetch i is due */
void pagepool_feed(struct pagepool *p);                   /* who waits for a frame tries again */

/* pagepool_frames.c */
void pagepool_frames_make(struct pagepool *p);
void pagepool_frames_done(struct pagepool *p);
/* A frame for v, in no set; RECLAIM_NONE: there is none to have now. */
uint32_t pagepool_take_frame(struct pagepool *p, struct pagepool_vm *v);
void pagepool_free_frame(struct pagepool *p, uint32_t frame);
/* The page is in this frame from now on, and has just been referred to. */
void pagepool_settle(struct pagepool_vm *v, uint32_t page, uint32_t frame, uint8_t flags);
/* Its VM is gone: what it had is free. */
void pagepool_release(struct pagepool_vm *v);
/* How much is free may have changed. */
void pagepool_look(struct pagepool *p);

/* pagepool_inspect.c */
void pagepool_inspect_make(struct pagepool *p);
bool pagepool_inspect_wants(const struct scenario *sc, uint32_t vm); /* an event is about it */
int64_t pagepool_inspect_next(const struct pagepool *p);             /* when to call the next, absolute */
void pagepool_inspect(struct pagepool *p);

/* pagepool_disk.c */
void pagepool_disk_make(struct pagepool *p);
/* When the disk is done with a page that is asked for now, by its rates and latency. */
int64_t pagepool_disk_due(struct pagepool *p, int64_t now_ns);
/* The file is done with it, now. */
void pagepool_disk_io(struct pagepool *p, int64_t asked_ns, int64_t due_ns);
/* Tells all of it, at the end of the run. */
void pagepool_disk_tell(struct pagepool *p);

/* pagepool_books.c */
int64_t pagepool_time(const struct pagepool *p);          /* ns since t = 0, at the end of the run at most */
bool pagepool_counts(const struct pagepool *p);           /* the run has begun and is not over */
void pagepool_tell_levels(struct pagepool *p, bool last); /* last: as they are at the end of the run */
void pagepool_tell_counts(struct pagepool *p);
void pagepool_tell_active(struct pagepool *p); /* if it is time */
void pagepool_tell_event(struct pagepool *p, const struct pagepool_vm *v, enum rec_event ev, int64_t t,
                         int64_t value);
/* The fault is served, or its vCPU was told to wait outside. */
void pagepool_waited(struct pagepool_vm *v, const struct pagepool_fault *f, bool held);
void pagepool_lost(struct pagepool_vm *v, uint32_t page); /* it was evicted */
/* Room for one more in an array that doubles. */
void pagepool_grow(void **v, size_t n, size_t *cap, size_t each);

#endif
