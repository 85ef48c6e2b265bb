// SPDX-License-Identifier: GPL-3.0-or-later
/* disklab.h - for tests that ask a disk themselves, in a guest's place: which bytes, and when. A request's
 * ticket says whether it is under way; what is under way can be counted. */
#ifndef VLAB_TESTS_DISKLAB_H
#define VLAB_TESTS_DISKLAB_H

#include "model/disk_inner.h"
#include "tests/lifelab.h"

static inline void disklab_settle(struct model *m)
{
    disk_io_settle(m);
    for (uint32_t h = 0; h < m->sc->n_hosts; h++)
        if (m->hosts[h].sched) cpu_settle(m, &m->hosts[h]);
    book_settle(m);
}

/* A request of the VM's disk for which no task waits. Its ticket; 0: it is over, the cache answered. */
static inline uint64_t disklab_ask(struct model *m, struct vdisk *vd, int64_t at, int64_t len, bool write,
                                   bool flush)
{
    struct disks *d = m->disks;
    struct io *io = disk_io_new(d, vd->dev, IO_PART);
    uint64_t ticket = disk_io_ticket(io);
    io->vd = vd;
    io->vm = vd->vm;
    io->at = at;
    io->len = io->bytes = len;
    io->rng = rng_at(ticket, 0, 0);
    io->req = (struct ioqueue_req){.flow = vd->flow, .write = write, .bytes = len};
    if (disk_cache_guest(m, io, flush)) {
        disk_io_issue(m, io);
    } else if (io->pending == 0) {
        disk_io_free(d, io);
        ticket = 0;
    }
    disklab_settle(m);
    return ticket;
}

static inline bool disklab_over(const struct model *m, uint64_t ticket)
{
    return disk_io_find(m->disks, ticket) == NULL;
}

/* Requests issued to that device (NULL: any) and not over. */
static inline int64_t disklab_under_way(const struct model *m, const struct disk_dev *dev)
{
    const struct disks *d = m->disks;
    int64_t n = 0;
    for (uint32_t i = 0; i < d->n_ios; i++) {
        const struct io *io = &d->slabs[i / DISK_SLAB][i % DISK_SLAB];
        n += io->gen % 2 == 1 && io->issued_ns >= 0 && (!dev || io->dev == dev);
    }
    return n;
}

/* Requests that are kept at all, those that only gather among them. */
static inline uint32_t disklab_kept(const struct model *m)
{
    const struct disks *d = m->disks;
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->n_ios; i++)
        n += d->slabs[i / DISK_SLAB][i % DISK_SLAB].gen % 2;
    return n;
}

static inline struct vdisk *disklab_disk(const struct model *m, uint32_t vm)
{
    return &m->disks->vds[m->disks->first_vd[vm]];
}

#endif
