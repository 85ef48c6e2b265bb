// SPDX-License-Identifier: GPL-3.0-or-later
/* What happens to disks when VMs boot, stop, fail and move, and when devices fail.
 *
 * A boot reads its image in requests of 1 MiB, one after the other, past the guest's cache, which is not
 * there yet. What a linked clone shares with its image (the device and the image name it) is read once: who
 * comes first reads, the others wait for it, later ones find it read. If that first one fails meanwhile, the
 * next in line begins again. */
#include "model/disk_inner.h"

#include <stdlib.h>

#include "model/guest.h"
#include "model/host.h"
#include "model/power.h"

#define BOOT_BYTES (INT64_C(1) << 20)

/* What a VM as a whole has under way. */
struct disk_life {
    uint32_t flushing; /* disks that are being written back */
    int64_t at, left;  /* a boot's: where it goes on, how much is to be read */
    uint32_t share;    /* that it reads for all, or waits for; NONE */
    uint32_t next;     /* who waits behind it */
};

/* What linked clones of one image on one device have in common. */
struct disk_share {
    bool done;
    uint32_t reader;      /* a VM; NONE */
    uint32_t first, last; /* who waits */
};

void disk_life_init(struct model *m)
{
    struct disks *d = m->disks;
    uint32_t n = m->sc->n_disks * m->sc->n_images;
    d->life = calloc(m->sc->n_vms + 1u, sizeof *d->life);
    d->shares = calloc(n + 1u, sizeof *d->shares);
    ASSERT(d->life && d->shares);
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        d->life[i].share = d->life[i].next = NONE;
    for (uint32_t i = 0; i < n; i++)
        d->shares[i].reader = d->shares[i].first = d->shares[i].last = NONE;
}

void disk_life_done(struct disks *d)
{
    free(d->life);
    free(d->shares);
}

static struct vdisk *vdisk_of(const struct model *m, const struct vm *vm, uint32_t k)
{
    return &m->disks->vds[m->disks->first_vd[vm->index] + k];
}

/* --- booting --- */

/* The next request of the boot. */
static void read_on(struct model *m, struct vm *vm)
{
    struct disk_life *l = &m->disks->life[vm->index];
    struct vdisk *vd = vdisk_of(m, vm, 0);
    struct io *io = disk_io_new(m->disks, vd->dev, IO_BOOT);
    int64_t size = vd->vol.size, len = l->left < BOOT_BYTES ? l->left : BOOT_BYTES;
    if (len > size) len = size;
    if (l->at + len > size) l->at = 0;
    io->vd = vd;
    io->vm = vm;
    io->at = l->at;
    io->len = io->bytes = len;
    io->req = (struct ioqueue_req){.flow = vd->flow, .bytes = len};
    io->rng = rng_at(vd->key, UINT64_MAX - 1, (uint64_t)l->left);
    l->at += len;
    l->left -= len;
    disk_io_issue(m, io);
}

bool disk_boot(struct model *m, struct vm *vm, int64_t bytes, bool shared)
{
    struct disk_life *l = &m->disks->life[vm->index];
    struct vdisk *vd = vdisk_of(m, vm, 0);
    l->left = bytes;
    l->at = shared ? 0 : l->at;
    l->share = l->next = NONE;
    if (bytes == 0) return true;
    if (shared && vd->sc->linked) {
        uint32_t i = vd->dev->index * m->sc->n_images + vm->sc->image;
        struct disk_share *s = &m->disks->shares[i];
        if (s->done) return true;
        l->share = i;
        if (s->reader != NONE) {
            *(s->last == NONE ? &s->first : &m->disks->life[s->last].next) = vm->index;
            s->last = vm->index;
            return false;
        }
        s->reader = vm->index;
    }
    read_on(m, vm);
    return false;
}

/* The image has been read for all. */
static void tell_share(struct model *m, struct disk_share *s)
{
    s->done = true;
    s->reader = NONE;
    while (s->first != NONE) {
        struct vm *vm = &m->vms[s->first];
        struct disk_life *l = &m->disks->life[vm->index];
        s->first = l->next;
        l->left = 0;
        l->share = l->next = NONE;
        power_boot_read(m, vm);
        disk_io_woke(m->disks, vm->host->index);
    }
    s->last = NONE;
}

static void booted(struct model *m, struct vm *vm)
{
    struct disk_life *l = &m->disks->life[vm->index];
    if (l->left > 0) {
        read_on(m, vm);
        return;
    }
    uint32_t share = l->share;
    l->share = NONE;
    power_boot_read(m, vm);
    if (share != NONE) tell_share(m, &m->disks->shares[share]);
}

/* It boots no longer: whoever waited behind it reads. */
static void stop_boot(struct model *m, struct vm *vm)
{
    struct disks *d = m->disks;
    struct disk_life *l = &d->life[vm->index];
    uint32_t share = l->share;
    l->share = NONE;
    if (share == NONE) return;
    struct disk_share *s = &d->shares[share];
    if (s->reader != vm->index) { /* it stood in line */
        uint32_t *at = &s->first, before = NONE;
        while (*at != vm->index)
            before = *at, at = &d->life[*at].next;
        *at = l->next;
        if (s->last == vm->index) s->last = before;
        l->next = NONE;
        return;
    }
    s->reader = s->first;
    if (s->reader == NONE) return;
    s->first = d->life[s->reader].next;
    if (s->first == NONE) s->last = NONE;
    d->life[s->reader].next = NONE;
    read_on(m, &m->vms[s->reader]);
}

/* --- stopping and failing --- */

bool disk_flush(struct model *m, struct vm *vm)
{
    struct disks *d = m->disks;
    struct disk_life *l = &d->life[vm->index];
    l->flushing = 0;
    for (uint32_t k = 0; k < vm->sc->n_disks; k++) {
        struct vdisk *vd = vdisk_of(m, vm, k);
        if (!vd->attached || (vd->cache.n_dirty == 0 && !vd->backs)) continue;
        struct io *io = disk_io_new(d, vd->dev, IO_FLUSH);
        io->vd = vd;
        io->vm = vm;
        disk_cache_flush(m, io);
        if (io->pending == 0) { /* written at once: nothing at the device takes time */
            disk_io_free(d, io);
            continue;
        }
        l->flushing++;
    }
    return l->flushing == 0;
}

void disk_life_over(struct model *m, struct vm *vm, enum io_kind kind)
{
    struct disk_life *l = &m->disks->life[vm->index];
    if (kind == IO_BOOT)
        booted(m, vm);
    else if (--l->flushing == 0)
        power_flushed(m, vm);
}

/* Blocks of a guest's cache whose last content goes with it: dirty ones, and those of write-backs that are
 * forgotten, unless a younger one goes on; each counts once. */
static int64_t blocks_lost(struct vdisk *vd, bool with_host)
{
    int64_t n = vd->cache.n_dirty, carried = 0;
    bool some = false;
    for (const struct io *io = vd->backs; io && io->life == vd->life; io = io->back_next) {
        some |= disk_io_dies(io, with_host);
        carried += disk_cache_blocks(io);
    }
    if (!some) return n;
    struct pagecache lost, met;
    uint64_t key;
    uint32_t i;
    pagecache_init(&lost, (n + carried) * PAGECACHE_BLOCK);
    pagecache_init(&met, (n + carried) * PAGECACHE_BLOCK);
    vd->blocks_again += n;
    while (pagecache_clean(&vd->cache, &key)) {
        pagecache_put(&lost, key, &i, &key);
        pagecache_put(&met, key, &i, &key);
    }
    for (const struct io *io = vd->backs; io && io->life == vd->life; io = io->back_next) /* youngest first */
        for (int64_t b = 0; b < disk_cache_blocks(io); b++) {
            uint64_t at = (uint64_t)(io->at / PAGECACHE_BLOCK + b);
            if (pagecache_has(&met, at)) continue;
            pagecache_put(&met, at, &i, &key);
            if (disk_io_dies(io, with_host)) pagecache_put(&lost, at, &i, &key);
        }
    n = lost.n;
    pagecache_done(&lost);
    pagecache_done(&met);
    return n;
}

int64_t disk_crash(struct model *m, struct vm *vm)
{
    struct disks *d = m->disks;
    int64_t lost = 0;
    bool with_host = !host_up(vm->host);
    for (uint32_t i = 0; i < d->n_ios; i++) {
        struct io *io = &d->slabs[i / DISK_SLAB][i % DISK_SLAB];
        if (io->gen % 2 == 1 && io->vm == vm && io->kind != IO_PAGE)
            io->kind = IO_PART; /* nobody asks for it */
    }
    for (uint32_t k = 0; k < vm->sc->n_disks; k++) {
        struct vdisk *vd = vdisk_of(m, vm, k);
        if (!vd->attached) continue;
        lost += blocks_lost(vd, with_host) * PAGECACHE_BLOCK;
        disk_io_die(m, vd, with_host);
    }
    for (uint32_t k = 0; k < vm->sc->n_disks; k++) {
        struct vdisk *vd = vdisk_of(m, vm, k);
        if (!vd->attached) continue;
        vd->blocks_again += vd->cache.n_dirty;
        pagecache_done(&vd->cache);
        pagecache_init(&vd->cache, vd->sc->cache_bytes);
        if (vd->dev->starved) disk_space_look(m, vd->dev); /* those that stood behind */
    }
    d->life[vm->index].flushing = 0;
    stop_boot(m, vm);
    return lost;
}

/* --- moving --- */

static bool reaches(const struct model *m, const struct sc_disk *sc, uint32_t host)
{
    if (sc->host == SC_NONE && sc->n_hosts == m->sc->n_hosts) return true; /* as most stores do */
    for (uint32_t i = 0; sc->host == SC_NONE && i < sc->n_hosts; i++)
        if (sc->hosts[i] == host) return true;
    return sc->host == host;
}

bool disk_reaches(const struct model *m, const struct vm *vm, uint32_t host)
{
    if (vm->sc->swap != SC_NONE && !reaches(m, &m->sc->disks[vm->sc->swap], host)) return false;
    for (uint32_t k = 0; k < vm->sc->n_disks; k++)
        if (!reaches(m, &m->sc->disks[vm->sc->disks[k].disk], host)) return false;
    return true;
}

void disk_move(struct model *m, struct vm *vm, uint32_t from)
{
    (void)from;
    for (uint32_t k = 0; k < vm->sc->n_disks; k++)
        disk_device_regroup(m, vdisk_of(m, vm, k), vm->host->index);
}

/* --- devices --- */

void disk_fail(struct model *m, uint32_t disk, bool pool)
{
    struct disk_dev *dev = &m->disks->devs[disk];
    uint32_t *failures = pool ? &dev->pool_failures : &dev->failures;
    if ((*failures)++ == 0 && !pool) disk_device_halt(m, dev);
}

void disk_repair(struct model *m, uint32_t disk, bool pool)
{
    struct disk_dev *dev = &m->disks->devs[disk];
    uint32_t *failures = pool ? &dev->pool_failures : &dev->failures;
    if (*failures == 0 || --*failures) return;
    if (pool)
        disk_space_look(m, dev);
    else
        disk_device_go_on(m, dev);
}
