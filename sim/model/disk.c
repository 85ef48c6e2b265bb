// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/disk_inner.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "program/prog_disk.h"

#define SWAP_BYTES (INT64_C(1) << 30) /* swap lies in the device's first GiB */

void disk_init(struct model *m)
{
    const struct scenario *sc = m->sc;
    if (sc->n_disks == 0) return;
    struct disks *d = m->disks = alloc_array(1, sizeof *d);
    d->devs = alloc_array(sc->n_disks, sizeof *d->devs);
    d->first_vd = alloc_array(sc->n_vms + 1, sizeof *d->first_vd);
    d->io_ps = alloc_array(sc->n_hosts, sizeof *d->io_ps);
    d->woken_hosts = alloc_array(sc->n_hosts, sizeof *d->woken_hosts);
    d->host_woken = alloc_array(sc->n_hosts, sizeof *d->host_woken);
    d->ev_dev = sim_on(m->sim, "disk", disk_device_on_event, m);
    d->ev_ripe = sim_on(m->sim, "disk request over", disk_io_on_ripe, m);
    for (uint32_t i = 0; i < sc->n_vms; i++)
        d->first_vd[i + 1] = d->first_vd[i] + sc->vms[i].n_disks;
    d->vds = alloc_array(d->first_vd[sc->n_vms], sizeof *d->vds);
    for (uint32_t i = 0; i < sc->n_disks; i++) {
        d->devs[i].sc = &sc->disks[i];
        d->devs[i].index = i;
        d->devs[i].book = &m->dev_books[i];
    }
    for (uint32_t i = 0; i < sc->n_vms; i++)
        for (uint32_t k = 0; k < sc->vms[i].n_disks; k++)
            d->vds[d->first_vd[i] + k] = (struct vdisk){
                .dev = &d->devs[sc->vms[i].disks[k].disk],
                .vm = &m->vms[i],
                .sc = &sc->vms[i].disks[k],
            };
    for (uint32_t i = 0; i < sc->n_disks; i++)
        disk_device_init(m, &d->devs[i]);
    disk_life_init(m);
}

void disk_done(struct model *m)
{
    struct disks *d = m->disks;
    if (!d) return;
    for (uint32_t i = 0; i < d->first_vd[m->sc->n_vms]; i++) {
        struct vdisk *vd = &d->vds[i];
        for (uint32_t k = 0; k < vd->n_snaps; k++)
            volume_done(&vd->snaps[k]);
        free(vd->snaps);
        if (vd->attached) volume_done(&vd->vol);
        pagecache_done(&vd->cache);
        pagecache_done(&vd->held);
    }
    for (uint32_t i = 0; i < m->sc->n_disks; i++)
        disk_device_done(&d->devs[i]);
    disk_io_done(d);
    disk_life_done(d);
    free(d->devs);
    free(d->vds);
    free(d->first_vd);
    free(d->io_ps);
    free(d->woken_hosts);
    free(d->host_woken);
    free(d);
    m->disks = NULL;
}

/* --- volumes come and go --- */

/* The volume is made: empty, in use up to `used`, or of another VM's disk, which is made before it. */
static void make(struct model *m, struct vdisk *vd, uint32_t nth)
{
    struct disks *d = m->disks;
    const struct sc_vdisk *sc = vd->sc;
    struct vdisk *src = NULL;
    vd->attached = true;
    if (sc->from_vm != SC_NONE && nth < m->sc->vms[sc->from_vm].n_disks) {
        src = &d->vds[d->first_vd[sc->from_vm] + nth];
        if (!src->attached) make(m, src, nth);
    }
    bool linked = src && sc->linked && src->dev == vd->dev;
    int64_t vague = vd->dev->sc->model == SC_DISK_HDD ? vd->dev->hdd.bytes : PROG_DISK_VAGUE;
    if (sc->size_bytes == 0 && !linked)
        volume_init_vague(&vd->vol, &vd->dev->pool, vague);
    else
        volume_init(&vd->vol, &vd->dev->pool, sc->size_bytes ? sc->size_bytes : vague, !sc->thin && !linked);
    disk_space_account(vd, vd->vol.account);
    if (src) volume_clone(&vd->vol, &src->vol, linked);
    if (!linked) volume_fill(&vd->vol, sc->used_bytes);
    vd->next[PROG_WRITE] = src && sc->used_bytes == 0 ? src->sc->used_bytes : sc->used_bytes;
    pagecache_init(&vd->cache, sc->cache_bytes);
    pagecache_init(&vd->held, INT64_MAX);
}

void disk_set_flow(struct model *m, struct vdisk *vd)
{
    const struct sc_vdisk *sc = vd->sc;
    struct ioqueue_flow_cfg cfg = {
        .weight = sc->weight,
        .reservation_u = sc->reservation_u,
        .limit_u = sc->limit_u,
        .limit_bps = sc->limit_bps,
        .limit_burst_bytes = sc->limit_burst_bytes,
    };
    ioqueue_set(vd->dev->queue, vd->flow, &cfg, sim_now(m->sim));
}

void disk_attach(struct model *m, struct vm *vm)
{
    struct disks *d = m->disks;
    uint32_t first = d->first_vd[vm - m->vms];
    for (uint32_t k = 0; k < vm->sc->n_disks; k++) {
        struct vdisk *vd = &d->vds[first + k];
        if (!vd->attached) make(m, vd, k);
        disk_device_sit(m, vd, vm->host->index);
        vd->key = vm->key_steps ^ PROG_DISK_KEY;
        disk_set_flow(m, vd);
        disk_space_look(m, vd->dev);
    }
}

void disk_grow(struct model *m, uint32_t disk, int64_t bytes)
{
    struct disk_dev *dev = &m->disks->devs[disk];
    pool_grow(&dev->pool, bytes);
    disk_space_look(m, dev);
}

uint32_t disk_snapshot(struct model *m, struct vm *vm)
{
    struct disks *d = m->disks;
    uint32_t first = d->first_vd[vm - m->vms], n = d->vds[first].n_snaps;
    for (uint32_t k = 0; k < vm->sc->n_disks; k++) {
        struct vdisk *vd = &d->vds[first + k];
        if (!vd->attached) make(m, vd, k); /* it was never powered on */
        vd->snaps = realloc(vd->snaps, (n + 1) * sizeof *vd->snaps);
        ASSERT(vd->snaps);
        volume_init(&vd->snaps[n], &vd->dev->pool, vd->vol.size, false);
        disk_space_account(vd, vd->snaps[n].account);
        volume_snapshot(&vd->snaps[n], &vd->vol);
        vd->n_snaps = n + 1;
    }
    return n;
}

void disk_forget(struct model *m, struct vm *vm, uint32_t snapshot)
{
    struct disks *d = m->disks;
    uint32_t first = d->first_vd[vm - m->vms];
    for (uint32_t k = 0; k < vm->sc->n_disks; k++) {
        volume_done(&d->vds[first + k].snaps[snapshot]);
        disk_space_look(m, d->vds[first + k].dev);
    }
}

void disk_destroy(struct model *m, struct vm *vm)
{
    struct disks *d = m->disks;
    uint32_t first = d->first_vd[vm - m->vms];
    for (uint32_t k = 0; k < vm->sc->n_disks; k++) {
        struct vdisk *vd = &d->vds[first + k];
        if (!vd->attached) continue;
        uint32_t account = vd->vol.account;
        disk_io_die(m, vd, false);
        disk_device_stand(m, vd);
        volume_done(&vd->vol);
        vd->blocks_again += vd->cache.n_dirty;
        pagecache_done(&vd->cache);
        pagecache_done(&vd->held);
        vd->attached = false;
        vd->life++;
        disk_space_look(m, vd->dev);
        pool_close(&vd->dev->pool, account);
    }
}

/* --- requests --- */

/* Which bytes the task's step is about: *at, and how many of its amount lie in the disk. */
static int64_t aim(const struct vdisk *vd, const struct task *k, struct rng *rng, int64_t *at)
{
    return prog_disk_aim(vd->key, &k->at, &k->act, vd->vol.size, vd->next[k->act.step->how], rng, at);
}

static void trim(struct model *m, struct vdisk *vd, int64_t at, int64_t len)
{
    disk_cache_trim(vd, at, len);
    if (volume_trim(&vd->vol, at, len)) disk_space_look(m, vd->dev);
}

bool disk_inside(struct model *m, struct vm *vm, uint32_t t)
{
    const struct task *k = &vm->tasks[t];
    const struct vdisk *vd = &m->disks->vds[m->disks->first_vd[vm - m->vms] + k->act.step->target];
    struct rng rng;
    int64_t at;
    if (vd->cache.capacity == 0 || k->act.step->how == PROG_TRIM) return false;
    if (k->act.step->how == PROG_WRITE) return !(k->act.step->flags & PROG_FLUSH);
    int64_t len = aim(vd, k, &rng, &at);
    for (int64_t b = at / PAGECACHE_BLOCK; b <= (at + len - 1) / PAGECACHE_BLOCK; b++)
        if (!pagecache_has(&vd->cache, (uint64_t)b)) return false;
    return true;
}

bool disk_submit(struct model *m, struct vm *vm, uint32_t t)
{
    struct disks *d = m->disks;
    const struct task *k = &vm->tasks[t];
    const struct step *s = k->act.step;
    struct vdisk *vd = &d->vds[d->first_vd[vm - m->vms] + s->target];
    struct rng rng;
    int64_t at, len = aim(vd, k, &rng, &at);
    if (s->flags & PROG_SEQUENTIAL) vd->next[s->how] = at + len;
    if (s->how == PROG_TRIM) {
        trim(m, vd, at, len);
        return true;
    }
    struct io *io = disk_io_new(d, vd->dev, IO_TASK);
    io->vd = vd;
    io->vm = vm;
    io->rng = rng;
    io->at = at;
    io->len = len;
    io->bytes = k->act.amount;
    io->arg = t;
    io->req.flow = vd->flow;
    io->req.write = s->how == PROG_WRITE;
    io->req.bytes = io->bytes;
    d->submitting = io;
    d->over_at_once = false;
    if (disk_cache_guest(m, io, s->flags & PROG_FLUSH)) {
        disk_io_issue(m, io);
    } else if (io->pending == 0) {
        disk_io_free(d, io);
        d->over_at_once = true;
    }
    d->submitting = NULL;
    return d->over_at_once;
}

void disk_page(struct model *m, uint32_t disk, struct vm *vm, bool write, int64_t bytes, uint64_t arg)
{
    struct disks *d = m->disks;
    struct disk_dev *dev = &d->devs[disk];
    uint32_t host = 0;
    while (dev->sc->host == SC_NONE && host + 1 < dev->sc->n_hosts && dev->sc->hosts[host] != vm->host->index)
        host++;
    if (!dev->swaps[host]) {
        struct ioqueue_flow_cfg cfg = {.weight = IOQUEUE_WEIGHT_DEFAULT};
        dev->swaps[host] = true;
        ioqueue_set(dev->queue, dev->first_swap + host, &cfg, sim_now(m->sim));
    }
    struct io *io = disk_io_new(d, dev, IO_PAGE);
    io->vm = vm;
    io->arg = arg;
    io->bytes = bytes;
    io->rng = rng_at(vm->key_steps ^ PROG_DISK_KEY, UINT64_MAX, d->page_seq++);
    io->req = (struct ioqueue_req){
        .flow = dev->first_swap + host,
        .write = write,
        .bytes = bytes,
        .position = bytes < SWAP_BYTES ? prog_disk_anywhere(&io->rng, SWAP_BYTES, bytes) : 0};
    disk_io_issue(m, io);
}
