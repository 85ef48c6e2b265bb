// SPDX-License-Identifier: GPL-3.0-or-later
/* disk_inner.h - the disks' own state, shared by the disk_*.c files and by nobody else.
 *
 * A request's way, each stage in a file of its own:
 *
 *     disk.c         the task's step: which bytes of which disk
 *     disk_cache.c   the guest's page cache: what it holds needs no disk at all
 *     disk_io.c      the host's I/O thread (type 2), the books, the end of a request and who waited for it
 *     disk_space.c   the volume: grains taken, shared ones copied, or a wait for the pool
 *     disk_cache.c   the device's cache
 *     disk_device.c  the queue, the server (bucket, arm, or the dies of disk_ssd.c), then the latency stage
 *
 * A request is a `struct io`. It may wait for others (copies, write-backs, somebody else's fetch of the same
 * block): `pending` counts them, `waiters` lists who waits for it. */
#ifndef VLAB_MODEL_DISK_INNER_H
#define VLAB_MODEL_DISK_INNER_H

#include "base/rng.h"
#include "model/disk.h"
#include "model/pagecache.h"
#include "model/volume.h"
#include "policy/bucket.h"
#include "policy/hdd.h"
#include "policy/ioqueue.h"

struct io;
struct disk_dev;

enum io_kind {
    IO_TASK,  /* a task's step waits for it */
    IO_PAGE,  /* the host's memory does */
    IO_BOOT,  /* the VM's boot does */
    IO_FLUSH, /* the VM's shutdown does */
    IO_PART   /* other requests do, or nobody: a copy, a write-back, what a failed VM had asked for */
};
enum io_stage {
    IO_GATHERS, /* before the device, or it never goes there: over when all that it waits for is */
    IO_STACK,   /* likewise, in the I/O stack of a type 2 host */
    IO_STARVES, /* likewise, in the line for the pool */
    IO_COPIES,  /* goes to the device when all that it waits for is over */
    IO_MOVES    /* on its way through the device */
};

struct io_link { /* `who` waits for the request in whose list this is */
    struct io *who;
    struct io_link *next;
};

struct io {
    struct ioqueue_req req; /* first: the queue hands back this address */
    struct disk_dev *dev;
    struct io *next; /* in the list it is in: free, the latency stage, starved, ripe */
    struct io_link *waiters;
    struct io *back_next, **back_at; /* in vd->backs; NULL: it writes nothing back */
    struct vdisk *vd;                /* NULL: swap */
    struct vm *vm;                   /* whose; NULL: the host's own */
    struct rng rng;                  /* its own stream: where it goes, what the device takes */
    int64_t at, len;                 /* of the volume */
    int64_t issued_ns;               /* -1: it never was, as of those that only gather */
    int64_t ripe_ns;                 /* in the latency stage: when it is over */
    uint64_t arg;                    /* IO_TASK: the task; IO_PAGE: what mem_io_done gets */
    int64_t bytes;                   /* as its VM counts them; req.bytes: what the device moves */
    uint32_t id, gen;                /* its ticket: gen is another for each request that uses this place */
    uint32_t pending;                /* what it waits for, itself on the device among them */
    uint32_t dies;                   /* at work on it */
    uint32_t life; /* vd->life when it was issued: is it another by now, the disk is no more */
    uint8_t kind, stage;
};

/* A VM's disk. */
struct vdisk {
    struct disk_dev *dev;
    struct vm *vm;
    const struct sc_vdisk *sc;
    struct volume vol;
    bool attached;
    uint32_t flow;            /* of the device's queue */
    int64_t next[PROG_NDISK]; /* where the next sequential request of that kind begins */
    uint64_t key;
    struct pagecache cache; /* the guest's; no blocks: none */
    struct pagecache held;  /* blocks of write-backs that wait for the pool; fetch: of how many */
    uint64_t told_full;     /* the pool's filling that this VM was told of */
    /* Blocks of that cache ever written to; of these already dirty, or trimmed while they were; written back.
     */
    int64_t blocks_dirtied, blocks_again, blocks_back;
    struct io
        *backs; /* write-backs under way: their blocks are clean in the cache and not yet on the medium */
    struct volume *snaps; /* its snapshots, in order; one that was destroyed has no grains */
    uint32_t n_snaps;
    uint32_t life; /* counts how often it was destroyed */
};

struct disk_account { /* one of the pool's: whose, and how much of it its VM's book knows */
    struct vdisk *vd;
    int64_t told;
};

struct die_op { /* what one request wants of one die */
    struct io *io;
    int64_t pages;
    uint32_t next;
};

struct die {
    uint32_t head, tail; /* its ops, the first at work */
    int64_t until_ns;
};

struct ssd {
    struct die *dies;
    uint32_t n_dies;
    uint32_t *heap; /* dies at work, by (until, number) */
    uint32_t n_heap;
    struct die_op *ops;
    uint32_t n_ops, cap_ops, free_op;
    uint32_t inside;   /* ops in it */
    int64_t write_ppm; /* programs for each page written, in millionths */
    int64_t erase_ns;  /* of erasing, for each page written */
    int64_t read_mean_ns, write_mean_ns;
};

struct disk_dev {
    const struct sc_disk *sc;
    struct book *book;
    uint32_t index, n_groups;
    struct pool pool;
    struct ioqueue *queue;
    uint32_t seats; /* of each group, for disks that come and go; 0: each disk has its flow for good */
    struct vdisk **sitting; /* [groups * seats] */
    uint32_t first_swap;    /* flow of the swapping of the first host that reaches it; the others' follow */
    bool *swaps;            /* [n_hosts] whether that flow is in use */
    /* The server. */
    struct bucket bucket;
    struct hdd hdd;
    struct ssd ssd;
    int64_t hdd_random_ns;
    struct io *served;                /* bucket, hdd: NULL: free */
    int64_t free_ns;                  /* when it is done with it */
    int64_t again_ns;                 /* the queue is to be asked again; IOQUEUE_FOREVER: no */
    bool kicking;                     /* its own handler is at work and asks the queue at its end */
    struct io *late_head, *late_tail; /* the latency stage, first in first out */
    evq_handle event;
    int64_t event_ns;
    struct pagecache cache;
    /* Writers that wait for room in the pool, first come first served. */
    struct io *starved, *starved_tail;
    uint64_t filling; /* counts the pool's fillings; odd: it is full now */
    bool alarmed;
    struct disk_account *accounts; /* as the pool numbers them */
    uint32_t n_accounts;
    int64_t issued, done; /* requests, for disk_check */
    uint32_t failures, pool_failures;
    int64_t halted_ns; /* when it failed */
};

#define DISK_SLAB  256u
#define NO_SEAT    UINT32_MAX /* of vdisk.flow */
#define MANY_SEATS 65536u     /* of a device: up to here each group has one for every disk */

struct disks {
    struct disk_dev *devs;
    struct vdisk *vds;
    uint32_t *first_vd; /* [n_vms + 1] */
    struct io **slabs;
    uint32_t n_slabs, n_ios;
    struct io *free_ios;
    struct io_link *free_links;
    struct io_link **link_slabs;
    uint32_t n_link_slabs;
    struct io *submitting; /* whose task is just asking: it may be over at once */
    bool over_at_once;
    struct io *ripe_head, *ripe_tail; /* over, but not told yet: at this instant, from an event of its own */
    uint64_t page_seq;
    int64_t *io_ps;        /* [n_hosts] of the price of its I/O thread, what does not fill a ns yet */
    uint32_t *woken_hosts; /* to be settled when this handler is through */
    bool *host_woken;
    uint32_t n_woken;
    uint32_t ev_dev, ev_ripe;
    struct disk_life *life;    /* [n_vms] disk_life.c */
    struct disk_share *shares; /* [n_disks * n_images] */
};

/* Where a byte of a request's disk lies; below 0: nowhere, or the disk is no more. */
static inline int64_t disk_place(const struct io *io, int64_t at)
{
    return io->life == io->vd->life && io->vd->attached ? volume_place(&io->vd->vol, at) : -1;
}

/* Whether it is that disk's, as it is now; a copy is whose write waits for it. */
static inline bool disk_io_of(const struct io *io, const struct vdisk *vd)
{
    if (!io->vd && io->waiters) io = io->waiters->who;
    return io->vd == vd && io->life == vd->life;
}

/* disk.c: the disk's weight, limits and reservation count at its flow. */
void disk_set_flow(struct model *m, struct vdisk *vd);

/* disk_io.c */
struct io *disk_io_new(struct disks *d, struct disk_dev *dev, enum io_kind kind);
void disk_io_free(struct disks *d, struct io *io);
static inline uint64_t disk_io_ticket(const struct io *io)
{
    return (uint64_t)io->gen << 32 | io->id;
}
struct io *disk_io_find(const struct disks *d, uint64_t ticket);     /* NULL: it is over */
void disk_io_wait(struct disks *d, struct io *who, struct io *what); /* who waits for what */
void disk_io_issue(struct model *m, struct io *io); /* into the host's stack, then disk_space_enter */
void disk_io_move(struct model *m, struct io *io);  /* to the device's cache and queue */
/* The device is done with it, at this instant. now: from a handler of ours, so that it may be told. */
void disk_io_over(struct model *m, struct io *io, bool now);
/* It is not done and never will be; it is in no list. Those who wait for it go on, when what it waits for
 * is over, too. */
void disk_io_forget(struct model *m, struct io *io);
/* Whether a crash of its VM forgets it: it waits for the pool, or its host went too, with its stack. */
static inline bool disk_io_dies(const struct io *io, bool with_host)
{
    return io->stage == IO_STARVES || (io->stage == IO_STACK && with_host);
}
/* Forgets those of that disk; of write-backs the blocks count as never written back. */
void disk_io_die(struct model *m, struct vdisk *vd, bool with_host);
void disk_io_woke(struct disks *d, uint32_t host); /* to be settled when this handler is through */
void disk_io_on_ripe(void *model, uint32_t arg);
void disk_io_settle(struct model *m); /* the end of a handler of ours */
void disk_io_done(struct disks *d);

/* disk_space.c */
void disk_space_enter(struct model *m, struct io *io);
void disk_space_look(struct model *m, struct disk_dev *dev); /* grains came or went: books, alarm, writers */
void disk_space_hold(const struct io *io, bool waits); /* a write-back's blocks, in vd->held, or no longer */
void disk_space_account(struct vdisk *vd, uint32_t account); /* is this disk's */

/* disk_cache.c */
/* A task's request meets its guest's cache. True: it goes to the device, for what of it is missing; false: it
 * does not, and is over when io->pending is 0. */
bool disk_cache_guest(struct model *m, struct io *io, bool flush);
bool disk_cache_device(struct disks *d, struct io *io); /* likewise the device's */
/* Writes back all that is dirty: io waits for it. */
void disk_cache_flush(struct model *m, struct io *io);
int64_t disk_cache_blocks(const struct io *io); /* of a write-back */
void disk_cache_trim(struct vdisk *vd, int64_t at, int64_t len);

/* disk_device.c */
void disk_device_init(struct model *m, struct disk_dev *dev);
void disk_device_done(struct disk_dev *dev);
void disk_device_add(struct model *m, struct io *io);
void disk_device_halt(struct model *m, struct disk_dev *dev);
void disk_device_go_on(struct model *m, struct disk_dev *dev);
/* The disk's requests are of that host from now on, where the device divides by hosts. */
void disk_device_regroup(struct model *m, struct vdisk *vd, uint32_t host);
/* The disk has a flow among that host's; it has none. */
void disk_device_sit(struct model *m, struct vdisk *vd, uint32_t host);
void disk_device_stand(struct model *m, struct vdisk *vd);
void disk_device_on_event(void *model, uint32_t dev);

/* disk_ssd.c */
void disk_ssd_init(struct ssd *s, const struct sc_disk *sc);
void disk_ssd_done(struct ssd *s);
int64_t disk_ssd_cost_ns(const struct ssd *s, const struct io *io);
bool disk_ssd_room(const struct ssd *s);
void disk_ssd_start(struct ssd *s, const struct sc_disk *sc, struct io *io, int64_t now);
struct io *disk_ssd_finish(struct ssd *s, const struct sc_disk *sc,
                           int64_t now);           /* NULL: none is over by now */
void disk_ssd_delay(struct ssd *s, int64_t by_ns); /* all that is at work ends so much later */
int64_t disk_ssd_next_ns(const struct ssd *s);

/* disk_life.c */
void disk_life_init(struct model *m);
void disk_life_done(struct disks *d);
void disk_life_over(struct model *m, struct vm *vm, enum io_kind kind); /* IO_BOOT or IO_FLUSH */

#endif
