// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests: where they are kept, who waits for whom, what is counted, and the host's own I/O stack before the
 * device. What is over while somebody is in the middle of asking is told later in the same instant, by an
 * event of its own, so that nobody is woken inside another's step; only the one who asks hears at once. */
#include "model/disk_inner.h"

#include <stdlib.h>

#include "model/cpu.h"
#include "model/guest.h"
#include "model/mem.h"
#include "model/thread.h"

/* --- requests and links: from slabs, so that their addresses stay --- */

static void *more(void *slabs, uint32_t *n, size_t size, void **slab)
{
    void **v = realloc(slabs, (*n + 1) * sizeof *v);
    ASSERT(v);
    *slab = v[(*n)++] = calloc(DISK_SLAB, size);
    ASSERT(*slab);
    return v;
}

struct io *disk_io_new(struct disks *d, struct disk_dev *dev, enum io_kind kind)
{
    if (!d->free_ios) {
        void *slab;
        d->slabs = more(d->slabs, &d->n_slabs, sizeof(struct io), &slab);
        for (uint32_t i = DISK_SLAB; i-- > 0;) {
            struct io *io = (struct io *)slab + i;
            io->id = d->n_ios + i;
            io->next = d->free_ios;
            d->free_ios = io;
        }
        d->n_ios += DISK_SLAB;
    }
    struct io *io = d->free_ios;
    d->free_ios = io->next;
    *io = (struct io){.dev = dev, .id = io->id, .gen = io->gen + 1, .kind = (uint8_t)kind, .issued_ns = -1};
    return io;
}

void disk_io_free(struct disks *d, struct io *io)
{
    io->gen++; /* its ticket is worth nothing any more */
    if (io->back_at) {
        *io->back_at = io->back_next;
        if (io->back_next) io->back_next->back_at = io->back_at;
    }
    io->next = d->free_ios;
    d->free_ios = io;
}

struct io *disk_io_find(const struct disks *d, uint64_t ticket)
{
    if (ticket == 0) return NULL;
    uint32_t id = (uint32_t)ticket;
    struct io *io = &d->slabs[id / DISK_SLAB][id % DISK_SLAB];
    return io->gen == (uint32_t)(ticket >> 32) ? io : NULL;
}

void disk_io_wait(struct disks *d, struct io *who, struct io *what)
{
    if (!d->free_links) {
        void *slab;
        d->link_slabs = more(d->link_slabs, &d->n_link_slabs, sizeof(struct io_link), &slab);
        for (uint32_t i = DISK_SLAB; i-- > 0;) {
            struct io_link *l = (struct io_link *)slab + i;
            l->next = d->free_links;
            d->free_links = l;
        }
    }
    struct io_link *l = d->free_links;
    d->free_links = l->next;
    *l = (struct io_link){.who = who, .next = what->waiters};
    what->waiters = l;
    who->pending++;
}

void disk_io_done(struct disks *d)
{
    for (uint32_t i = 0; i < d->n_slabs; i++)
        free(d->slabs[i]);
    for (uint32_t i = 0; i < d->n_link_slabs; i++)
        free(d->link_slabs[i]);
    free(d->slabs);
    free(d->link_slabs);
}

/* --- the end of a request --- */

void disk_io_woke(struct disks *d, uint32_t host)
{
    if (d->host_woken[host]) return;
    d->host_woken[host] = true;
    d->woken_hosts[d->n_woken++] = host;
}

static void tell_io(struct model *m, const struct io *io, uint32_t vm, bool forgotten)
{
    if (!rec_wants(m->out, REC_IO)) return;
    int64_t now = sim_now(m->sim);
    *rec_next(m->out) = (struct rec){
        .t_ns = now,
        .value = now - io->issued_ns,
        .host = io->dev->index,
        .vm = vm,
        .vcpu = REC_NONE,
        .pcpu = REC_DEV,
        .kind = REC_IO,
        .to = forgotten,
    };
}

/* Its books, if it ever went out. */
static void count(struct model *m, const struct io *io)
{
    struct book *vm_book = io->vm && io->kind != IO_PAGE ? io->vm->book : NULL;
    struct disk_dev *dev = io->dev;
    if (io->issued_ns < 0) return;
    dev->done++;
    book_add(dev->book, REC_N_DISK_OPS, 1);
    book_add(dev->book, REC_N_DISK_BYTES, io->req.bytes);
    book_shift(m, dev->book, REC_L_DISK_QUEUE, -1);
    if (vm_book) {
        book_add(vm_book, REC_N_DISK_OPS, 1);
        book_add(vm_book, REC_N_DISK_BYTES, io->bytes);
        book_shift(m, vm_book, REC_L_DISK_QUEUE, -1);
    }
    tell_io(m, io, vm_book ? (uint32_t)(io->vm - m->vms) : UINT32_MAX, false);
}

static void met(struct model *m, struct io *io);

/* Nothing of it is left to be waited for: those who wait for it go on. */
static void finish(struct model *m, struct io *io)
{
    struct disks *d = m->disks;
    struct io_link *l = io->waiters, *next;
    struct vm *vm = io->vm;
    uint64_t arg = io->arg;
    uint8_t kind = io->kind;
    bool submitting = io == d->submitting;
    count(m, io);
    disk_io_free(d, io);
    for (; l; l = next) {
        struct io *who = l->who;
        next = l->next;
        l->next = d->free_links;
        d->free_links = l;
        met(m, who);
    }
    if (submitting) d->over_at_once = true;
    if (submitting || kind == IO_PART) return;
    if (kind == IO_PAGE)
        mem_io_done(m, arg);
    else if (kind == IO_TASK)
        guest_wake_task(m, vm, (uint32_t)arg);
    else
        disk_life_over(m, vm, (enum io_kind)kind);
    disk_io_woke(d, vm->host->index);
}

/* One of those that it waits for is over. */
static void met(struct model *m, struct io *io)
{
    ASSERT(io->pending > 0);
    if (--io->pending > (io->stage == IO_COPIES)) return;
    if (io->stage != IO_COPIES)
        finish(m, io);
    else if (io->life != io->vd->life)
        disk_io_forget(m, io);
    else
        disk_io_move(m, io);
}

void disk_io_forget(struct model *m, struct io *io)
{
    io->dev->issued--;
    tell_io(m, io, UINT32_MAX, true);
    book_shift(m, io->dev->book, REC_L_DISK_QUEUE, -1);
    if (io->vm && io->vm->book && io->kind != IO_PAGE) book_shift(m, io->vm->book, REC_L_DISK_QUEUE, -1);
    io->issued_ns = -1;
    io->stage = IO_GATHERS;
    met(m, io); /* those for whom it waits may be under way */
}

void disk_io_die(struct model *m, struct vdisk *vd, bool with_host)
{
    struct disks *d = m->disks;
    struct disk_dev *dev = vd->dev;
    struct io *io = dev->starved, *next, *gone = NULL;
    dev->starved = dev->starved_tail = NULL;
    for (; io; io = next) {
        next = io->next;
        io->next = NULL;
        if (io->vd == vd) {
            disk_space_hold(io, false);
            io->kind = IO_PART;
            io->next = gone;
            gone = io;
            continue;
        }
        if (dev->starved)
            dev->starved_tail->next = io;
        else
            dev->starved = io;
        dev->starved_tail = io;
    }
    for (uint32_t i = 0; i < d->n_ios && with_host; i++) { /* their jobs will find nobody */
        io = &d->slabs[i / DISK_SLAB][i % DISK_SLAB];
        if (io->gen % 2 == 0 || io->vd != vd || io->stage != IO_STACK) continue;
        io->kind = IO_PART;
        io->next = gone;
        gone = io;
    }
    for (; gone; gone = next) {
        next = gone->next;
        if (gone->back_at) {
            vd->blocks_back -= disk_cache_blocks(gone);
            vd->blocks_again += disk_cache_blocks(gone);
        }
        disk_io_forget(m, gone);
    }
}

void disk_io_over(struct model *m, struct io *io, bool now)
{
    struct disks *d = m->disks;
    if (now || io == d->submitting || io->pending > 1) {
        met(m, io);
        return;
    }
    /* Whoever asked is in the middle of something: told at this instant, but by an event of its own. */
    io->next = NULL;
    if (d->ripe_head) {
        d->ripe_tail->next = io;
    } else {
        d->ripe_head = io;
        sim_at(m->sim, sim_now(m->sim), EVQ_EARLY, d->ev_ripe, 0);
    }
    d->ripe_tail = io;
}

void disk_io_on_ripe(void *model, uint32_t arg)
{
    struct model *m = model;
    struct disks *d = m->disks;
    struct io *io = d->ripe_head, *next;
    (void)arg;
    d->ripe_head = NULL;
    for (; io; io = next) {
        next = io->next;
        met(m, io);
    }
    disk_io_settle(m);
}

void disk_io_settle(struct model *m)
{
    struct disks *d = m->disks;
    while (d->n_woken) {
        uint32_t host = d->woken_hosts[--d->n_woken];
        d->host_woken[host] = false;
        cpu_settle(m, &m->hosts[host]);
    }
    book_settle(m);
}

/* --- its beginning --- */

void disk_io_issue(struct model *m, struct io *io)
{
    struct disks *d = m->disks;
    io->issued_ns = sim_now(m->sim);
    if (io->vd) io->life = io->vd->life;
    io->pending++; /* for itself */
    io->dev->issued++;
    book_shift(m, io->dev->book, REC_L_DISK_QUEUE, 1);
    if (!io->vm || io->kind == IO_PAGE) {
        disk_space_enter(m, io);
        return;
    }
    struct mhost *h = io->vm->host;
    if (io->vm->book) book_shift(m, io->vm->book, REC_L_DISK_QUEUE, 1);
    if (h->sc->type != 2 || !h->sc->modes || h->sc->modes->host_io_ps == 0) {
        disk_space_enter(m, io);
        return;
    }
    int64_t ps = d->io_ps[h->index] + h->sc->modes->host_io_ps;
    d->io_ps[h->index] = ps % 1000;
    io->stage = IO_STACK;
    thread_give(m, h, THREAD_IO, JOB_DISK, ps / 1000, disk_io_ticket(io));
}

void disk_job(struct model *m, uint64_t arg)
{
    struct io *io = disk_io_find(m->disks, arg);
    if (!io) return;
    io->stage = IO_GATHERS;
    disk_space_enter(m, io);
}

void disk_io_move(struct model *m, struct io *io)
{
    bool away = io->dev->failures && !io->req.write; /* its cache answers nobody: the medium will */
    io->stage = IO_MOVES;
    if (away || disk_cache_device(m->disks, io))
        disk_device_add(m, io);
    else
        disk_io_over(m, io, false);
}
