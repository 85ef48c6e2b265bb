// SPDX-License-Identifier: GPL-3.0-or-later
/* The two caches on a request's way, of blocks of 4 KiB.
 *
 * The guest's page cache is write-back. A read of what it holds takes no time and no request leaves the
 * guest; of what is missing, the span from the first missing byte to the last is read in one request. A write
 * makes its blocks dirty and is over, but for this: whoever makes a dirty block leave waits until it is
 * written back, so that a guest can be no further ahead of its disk than its cache is large. A write with
 * `flush` is over when all that was dirty in its disk is on the medium.
 *
 * The device's cache is shared by all its volumes, by place: what linked clones share is held once. It is
 * write-through: nothing in it can be lost. A read of what it holds takes none of the device's time, latency
 * included. A block that is on its way already is not fetched again, but waited for.
 *
 * Left out: read-ahead beyond a request, the rest of a block that a small write begins, a grain given
 * back keeps its blocks until they age out, and a block whose write-back is at the device may be written back
 * once more meanwhile, which a guest would put off. */
#include "model/disk_inner.h"

#define BLOCK PAGECACHE_BLOCK

/* Dirty blocks that left one after another become one write-back, as long as they lie side by side. */
struct run {
    struct io *parent;
    int64_t first, n;
};

int64_t disk_cache_blocks(const struct io *io)
{
    return (io->len + BLOCK - 1) /
           BLOCK; /* a write-back begins with a block, and a volume's end may cut it */
}

static void write_back(struct model *m, struct run *r)
{
    struct vdisk *vd = r->parent->vd;
    if (r->n == 0) return;
    struct io *io = disk_io_new(m->disks, vd->dev, IO_PART);
    io->vd = vd;
    io->vm = vd->vm;
    io->at = r->first * BLOCK;
    io->len = r->n * BLOCK < vd->vol.size - io->at ? r->n * BLOCK : vd->vol.size - io->at;
    io->bytes = io->len;
    io->req = (struct ioqueue_req){.flow = vd->flow, .write = true, .bytes = io->len, .position = io->at};
    io->rng = rng_at(vd->key, ~(uint64_t)r->first, (uint64_t)vd->blocks_back);
    io->back_at = &vd->backs;
    io->back_next = vd->backs;
    if (vd->backs) vd->backs->back_at = &io->back_next;
    vd->backs = io;
    vd->blocks_back += r->n;
    r->n = 0;
    disk_io_wait(m->disks, r->parent, io);
    disk_io_issue(m, io);
}

static void leaves(struct model *m, struct run *r, uint64_t key)
{
    if (r->n && key != (uint64_t)(r->first + r->n)) write_back(m, r);
    if (r->n == 0) r->first = (int64_t)key;
    r->n++;
}

/* One block of a read. True: it is missing, and io brings it from now on; the block that left for it, if one
 * did and was dirty, is *out, else *out is UINT64_MAX. False: it is held, or io waits for whoever brings it
 * (*waits: the last of those). */
static bool misses(struct disks *d, struct pagecache *c, struct io *io, uint64_t key, struct io **waits,
                   uint64_t *out)
{
    uint32_t i = pagecache_find(c, key);
    if (i == PAGECACHE_NONE) {
        uint64_t left;
        *out = pagecache_put(c, key, &i, &left) ? left : UINT64_MAX;
        c->v[i].fetch = disk_io_ticket(io);
        return true;
    }
    struct io *by = disk_io_find(d, c->v[i].fetch);
    if (!by)
        c->v[i].fetch = 0;
    else if (by != io && by != *waits)
        disk_io_wait(d, io, *waits = by);
    return false;
}

/* Cuts the read down to what is missing. */
static void narrow(struct io *io, int64_t first, int64_t last)
{
    int64_t from = first * BLOCK, to = (last + 1) * BLOCK;
    if (from < io->at) from = io->at;
    if (to > io->at + io->len) to = io->at + io->len;
    if (to - from < io->len) io->bytes = to - from;
    io->at = from;
    io->len = to - from;
}

static bool guest_read(struct model *m, struct io *io)
{
    struct run run = {.parent = io};
    struct io *waits = NULL;
    int64_t first = -1, last = -1, end = (io->at + io->len - 1) / BLOCK;
    for (int64_t b = io->at / BLOCK; b <= end; b++) {
        uint64_t out;
        if (!misses(m->disks, &io->vd->cache, io, (uint64_t)b, &waits, &out)) continue;
        if (out != UINT64_MAX) leaves(m, &run, out);
        if (first < 0) first = b;
        last = b;
    }
    write_back(m, &run);
    if (first < 0) return false;
    narrow(io, first, last);
    io->req.bytes = io->bytes;
    return true;
}

static void guest_write(struct model *m, struct io *io, bool flush)
{
    struct vdisk *vd = io->vd;
    struct pagecache *c = &vd->cache;
    struct run run = {.parent = io};
    int64_t end = (io->at + io->len - 1) / BLOCK;
    uint64_t out;
    for (int64_t b = io->at / BLOCK; b <= end; b++) {
        uint32_t i = pagecache_find(c, (uint64_t)b);
        if (i == PAGECACHE_NONE && pagecache_put(c, (uint64_t)b, &i, &out)) leaves(m, &run, out);
        vd->blocks_again += c->v[i].dirty;
        vd->blocks_dirtied++;
        pagecache_dirty(c, i);
    }
    write_back(m, &run);
    if (flush) disk_cache_flush(m, io);
}

void disk_cache_flush(struct model *m, struct io *io)
{
    struct run run = {.parent = io};
    uint64_t out;
    for (struct io *b = io->vd->backs; b; b = b->back_next) /* what another began is not there either */
        disk_io_wait(m->disks, io, b);
    while (pagecache_clean(&io->vd->cache, &out))
        leaves(m, &run, out);
    write_back(m, &run);
}

bool disk_cache_guest(struct model *m, struct io *io, bool flush)
{
    if (io->vd->cache.capacity == 0) return true;
    if (!io->req.write) return guest_read(m, io);
    guest_write(m, io, flush);
    return false;
}

void disk_cache_trim(struct vdisk *vd, int64_t at, int64_t len)
{
    struct pagecache *c = &vd->cache;
    if (c->n == 0) return;
    uint32_t dirty = c->n_dirty;
    for (int64_t b = (at + BLOCK - 1) / BLOCK; b < (at + len) / BLOCK; b++)
        pagecache_drop(c, (uint64_t)b);
    vd->blocks_again += dirty - c->n_dirty;
}

/* What was written is held, too. */
static void device_write(struct pagecache *c, const struct io *io)
{
    for (int64_t b = io->at / BLOCK; b <= (io->at + io->len - 1) / BLOCK; b++) {
        int64_t place = disk_place(io, b * BLOCK);
        uint64_t out;
        uint32_t i;
        if (place < 0) continue; /* a grain smaller than a block, and not the block's first */
        if (pagecache_find(c, (uint64_t)place / BLOCK) == PAGECACHE_NONE)
            pagecache_put(c, (uint64_t)place / BLOCK, &i, &out);
    }
}

bool disk_cache_device(struct disks *d, struct io *io)
{
    struct pagecache *c = &io->dev->cache;
    if (c->capacity == 0 || !io->vd) return true;
    if (io->req.write) {
        device_write(c, io);
        return true;
    }
    struct io *waits = NULL;
    int64_t first = -1, last = -1, end = (io->at + io->len - 1) / BLOCK;
    for (int64_t b = io->at / BLOCK; b <= end; b++) {
        int64_t place = disk_place(io, b * BLOCK);
        uint64_t out;
        /* A hole is read like anything else, but is no block to be held. */
        if (place >= 0 && !misses(d, c, io, (uint64_t)place / BLOCK, &waits, &out)) continue;
        if (first < 0) first = b;
        last = b;
    }
    if (first < 0) {
        io->req.bytes = 0;
        return false;
    }
    int64_t bytes = io->bytes; /* its VM counts what it asked for */
    narrow(io, first, last);
    io->req.bytes = io->bytes;
    io->bytes = bytes;
    return true;
}
