// SPDX-License-Identifier: GPL-3.0-or-later
/* Space: a write takes the grains it needs before it goes to the device, or waits until the pool has them
 * all. Writers are served first come first served: one that needs little does not overtake one that needs
 * much. What needs no grain does not wait, unless older content of a block that it writes back does. A shared
 * grain of which the write covers a part is read first, and the rest of it is written with the write. */
#include "model/disk_inner.h"

#include <stdlib.h>

/* Of the pool's size, in hundredths: where the alarm is given, and below what it may be given again. */
#define ALARM_PERCENT 80
#define CALM_PERCENT  75

static void tell(struct model *m, const struct disk_dev *dev, const struct vm *vm, enum rec_event ev,
                 int64_t value)
{
    if (!rec_wants(m->out, REC_EVENT)) return;
    *rec_next(m->out) = (struct rec){
        .t_ns = sim_now(m->sim),
        .value = value,
        .host = vm ? vm->host->index : dev->index,
        .vm = vm ? (uint32_t)(vm - m->vms) : UINT32_MAX,
        .vcpu = REC_NONE,
        .pcpu = vm ? REC_NONE : REC_DEV,
        .kind = REC_EVENT,
        .cause = (uint8_t)ev,
        .to = ev == REC_EV_POOL_FULL ? REC_WHY_POOL : REC_WHY_NONE,
    };
}

void disk_space_account(struct vdisk *vd, uint32_t account)
{
    struct disk_dev *dev = vd->dev;
    if (account < dev->n_accounts) { /* of a disk that is no more */
        dev->accounts[account] = (struct disk_account){.vd = vd};
        return;
    }
    ASSERT(account == dev->n_accounts);
    if ((dev->n_accounts & (dev->n_accounts - 1)) == 0) {
        uint32_t room = dev->n_accounts ? 2 * dev->n_accounts : 1;
        dev->accounts = realloc(dev->accounts, room * sizeof *dev->accounts);
        ASSERT(dev->accounts);
    }
    dev->accounts[dev->n_accounts++] = (struct disk_account){.vd = vd};
}

/* Grains were given out or came back: the books say so. */
static void book_it(struct model *m, struct disk_dev *dev)
{
    uint32_t i = pool_moved(&dev->pool);
    if (i == POOL_NOBODY) return;
    for (; i != POOL_NOBODY; i = pool_moved(&dev->pool)) {
        struct disk_account *a = &dev->accounts[i];
        int64_t owned = pool_owned(&dev->pool, i);
        if (a->vd->vm->book) book_shift(m, a->vd->vm->book, REC_L_DISK_ALLOCATED, owned - a->told);
        a->told = owned;
    }
    book_set(m, dev->book, REC_L_DISK_ALLOCATED, pool_allocated(&dev->pool));
    if (dev->sc->pool_bytes == 0) return;
    uint64_t given = (dev->pool.given + dev->pool.beside) * 100, cap = dev->pool.cap;
    if (!dev->alarmed && given >= cap * ALARM_PERCENT) {
        dev->alarmed = true;
        tell(m, dev, NULL, REC_EV_POOL_ALARM, pool_allocated(&dev->pool));
    } else if (given < cap * CALM_PERCENT) {
        dev->alarmed = false;
    }
}

void disk_space_hold(const struct io *io, bool waits)
{
    struct pagecache *c = &io->vd->held;
    for (int64_t b = 0; io->back_at && b < disk_cache_blocks(io); b++) {
        uint64_t key = (uint64_t)(io->at / PAGECACHE_BLOCK + b), out;
        uint32_t i = pagecache_find(c, key);
        if (i == PAGECACHE_NONE) pagecache_put(c, key, &i, &out);
        if (waits)
            c->v[i].fetch++;
        else if (--c->v[i].fetch == 0)
            pagecache_drop(c, key);
    }
}

static void starve(struct model *m, struct io *io, const struct volume_need *need)
{
    struct disk_dev *dev = io->dev;
    int64_t bytes = (int64_t)need->grains * dev->pool.grain_bytes;
    io->next = NULL;
    io->stage = IO_STARVES;
    disk_space_hold(io, true);
    if (dev->starved)
        dev->starved_tail->next = io;
    else
        dev->starved = io;
    dev->starved_tail = io;
    if (dev->filling % 2 == 0) {
        dev->filling++;
        tell(m, dev, NULL, REC_EV_POOL_FULL, bytes);
    }
    if (io->vd->told_full == dev->filling) return;
    io->vd->told_full = dev->filling;
    tell(m, dev, io->vd->vm, REC_EV_POOL_FULL, bytes);
}

/* There is room: the write goes on, after the copies it needs. */
static void take(struct model *m, struct io *io, const struct volume_need *need)
{
    struct disks *d = m->disks;
    volume_write(&io->vd->vol, io->at, io->len);
    io->req.bytes += need->extra_bytes;
    if (need->copies == 0) {
        disk_io_move(m, io);
        return;
    }
    struct io *copies[2];
    io->stage = IO_COPIES;
    for (uint32_t i = 0; i < need->copies; i++) {
        copies[i] = disk_io_new(d, io->dev, IO_PART);
        copies[i]->req = (struct ioqueue_req){
            .flow = io->req.flow, .bytes = need->copy_bytes, .position = need->copy_from[i]};
        copies[i]->rng = rng_at(io->rng.state, io->rng.inc, i);
        disk_io_wait(d, io, copies[i]);
    }
    for (uint32_t i = 0; i < need->copies; i++)
        disk_io_issue(m, copies[i]);
}

/* Whether it writes back what an older write-back that waits for the pool does, too: newer content does not
 * pass it. */
static bool behind(const struct io *io)
{
    for (int64_t b = 0; io->back_at && b < disk_cache_blocks(io); b++)
        if (pagecache_has(&io->vd->held, (uint64_t)(io->at / PAGECACHE_BLOCK + b))) return true;
    return false;
}

void disk_space_enter(struct model *m, struct io *io)
{
    struct disk_dev *dev = io->dev;
    if (io->vd && io->life != io->vd->life) {
        disk_io_forget(m, io);
        return;
    }
    if (!io->vd || !io->req.write) {
        disk_io_move(m, io);
        return;
    }
    struct volume *v = &io->vd->vol;
    struct volume_need need = volume_needs(v, io->at, io->len);
    bool short_of = need.grains && (dev->starved || dev->pool_failures || !pool_has(&dev->pool, need.grains));
    if (short_of || behind(io)) {
        starve(m, io, &need);
        return;
    }
    if (need.grains || v->trim_to) {
        take(m, io, &need);
        book_it(m, dev);
    } else {
        disk_io_move(m, io);
    }
}

void disk_space_look(struct model *m, struct disk_dev *dev)
{
    book_it(m, dev);
    if (dev->pool_failures) return;
    while (dev->starved) {
        struct io *io = dev->starved;
        struct volume_need need = volume_needs(&io->vd->vol, io->at, io->len);
        if (need.grains && !pool_has(&dev->pool, need.grains)) return;
        dev->starved = io->next;
        io->stage = IO_GATHERS;
        disk_space_hold(io, false);
        take(m, io, &need);
        book_it(m, dev);
    }
    if (dev->filling % 2 == 0) return;
    dev->filling++;
    tell(m, dev, NULL, REC_EV_POOL_ROOM,
         (int64_t)dev->pool.cap * dev->pool.grain_bytes - pool_allocated(&dev->pool));
}
