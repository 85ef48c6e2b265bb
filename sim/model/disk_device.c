// SPDX-License-Identifier: GPL-3.0-or-later
/* A device: its queue, its server, its latency stage; one event is pending for it, for whatever comes first.
 *
 * - bucket: one server; a request holds it for the longer of 1/iops and its bytes at `bandwidth` (bursts and
 *   peak: policy/bucket.h). No rates: no server.
 * - ssd: disk_ssd.c.
 * - hdd: one arm; a request takes what policy/hdd.h says, from where the one before it left the arm.
 *
 * Then, of whatever model, each request takes `latency`, in which requests overlap. */
#include "model/disk_inner.h"

#include <stdlib.h>
#include <string.h>

static bool takes_more(const struct disk_dev *dev)
{
    return dev->sc->model == SC_DISK_SSD ? disk_ssd_room(&dev->ssd) : dev->served == NULL;
}

/* The server is done with it. */
static void served(struct model *m, struct disk_dev *dev, struct io *io, bool now)
{
    if (dev->sc->latency_ns == 0) {
        disk_io_over(m, io, now);
        return;
    }
    io->ripe_ns = sim_now(m->sim) + dev->sc->latency_ns;
    io->next = NULL;
    if (dev->late_head)
        dev->late_tail->next = io;
    else
        dev->late_head = io;
    dev->late_tail = io;
}

static void start(struct model *m, struct disk_dev *dev, struct io *io)
{
    int64_t now = sim_now(m->sim), free_ns = now;
    switch ((enum sc_disk_model)dev->sc->model) {
    case SC_DISK_BUCKET:
        if (bucket_bounds(&dev->bucket)) free_ns = bucket_take(&dev->bucket, io->req.bytes, now);
        break;
    case SC_DISK_HDD: {
        int64_t took = hdd_serve_ns(&dev->hdd, io->req.position, io->req.bytes, &io->rng);
        ioqueue_served(dev->queue, &io->req, took);
        free_ns = now + took;
        break;
    }
    case SC_DISK_SSD: disk_ssd_start(&dev->ssd, dev->sc, io, now); return;
    }
    if (free_ns <= now) {
        served(m, dev, io, false);
        return;
    }
    dev->served = io;
    dev->free_ns = free_ns;
}

static void arm(struct model *m, struct disk_dev *dev)
{
    int64_t at = dev->again_ns, ssd = disk_ssd_next_ns(&dev->ssd);
    if (dev->served && dev->free_ns < at) at = dev->free_ns;
    if (dev->late_head && dev->late_head->ripe_ns < at) at = dev->late_head->ripe_ns;
    if (ssd < at) at = ssd;
    if (dev->event && at == dev->event_ns) return;
    dev->event_ns = at;
    if (at == INT64_MAX) {
        if (dev->event) sim_cancel(m->sim, dev->event);
        dev->event = 0;
    } else if (!dev->event) {
        dev->event = sim_at(m->sim, at, EVQ_EARLY, m->disks->ev_dev, dev->index);
    } else {
        sim_move(m->sim, dev->event, at);
    }
}

/* Asks the queue for as much as the device can take. */
static void kick(struct model *m, struct disk_dev *dev)
{
    int64_t now = sim_now(m->sim);
    if (dev->failures) return;
    dev->kicking = true;
    dev->again_ns = IOQUEUE_FOREVER;
    while (takes_more(dev)) {
        int64_t again_ns;
        struct ioqueue_req *r = ioqueue_next(dev->queue, now, &again_ns);
        if (!r) {
            dev->again_ns = again_ns;
            break;
        }
        start(m, dev, (struct io *)r);
    }
    dev->kicking = false;
    arm(m, dev);
    book_set(m, dev->book, REC_L_DISK_BUSY,
             dev->sc->model == SC_DISK_SSD ? (int64_t)dev->ssd.n_heap : dev->served != NULL);
}

void disk_device_add(struct model *m, struct io *io)
{
    struct disk_dev *dev = io->dev;
    if (io->vd) { /* where its bytes lie; a hole lies where it would, were the volume thick and the first */
        int64_t place = disk_place(io, io->at);
        io->req.position = place >= 0 ? place : io->at;
    }
    switch ((enum sc_disk_model)dev->sc->model) {
    case SC_DISK_BUCKET: io->req.cost_ns = bucket_cost_ns(&dev->bucket, io->req.bytes); break;
    case SC_DISK_SSD: io->req.cost_ns = disk_ssd_cost_ns(&dev->ssd, io); break;
    case SC_DISK_HDD: io->req.cost_ns = dev->hdd_random_ns + hdd_transfer_ns(&dev->hdd, io->req.bytes); break;
    }
    ioqueue_add(dev->queue, &io->req, sim_now(m->sim));
    if (!dev->kicking) kick(m, dev);
}

void disk_device_on_event(void *model, uint32_t index)
{
    struct model *m = model;
    struct disk_dev *dev = &m->disks->devs[index];
    int64_t now = sim_now(m->sim);
    struct io *io;
    dev->event = 0;
    dev->kicking = true; /* whoever is woken asks again first; then the queue is asked */
    while ((io = dev->late_head) && io->ripe_ns <= now) {
        dev->late_head = io->next;
        disk_io_over(m, io, true);
    }
    if (dev->served && dev->free_ns <= now) {
        io = dev->served;
        dev->served = NULL;
        served(m, dev, io, true);
    }
    while (dev->ssd.n_heap && (io = disk_ssd_finish(&dev->ssd, dev->sc, now)))
        served(m, dev, io, true);
    kick(m, dev);
    disk_io_settle(m);
}

/* It stands still: what it was at is as far as it is. */
void disk_device_halt(struct model *m, struct disk_dev *dev)
{
    dev->halted_ns = sim_now(m->sim);
    if (dev->event) sim_cancel(m->sim, dev->event);
    dev->event = 0;
    book_set(m, dev->book, REC_L_DISK_BUSY, 0);
}

/* It goes on where it was. */
void disk_device_go_on(struct model *m, struct disk_dev *dev)
{
    int64_t by = sim_now(m->sim) - dev->halted_ns;
    dev->free_ns += by;
    for (struct io *io = dev->late_head; io; io = io->next)
        io->ripe_ns += by;
    disk_ssd_delay(&dev->ssd, by);
    kick(m, dev);
}

static uint32_t group_of(const struct disk_dev *dev, uint32_t host)
{
    for (uint32_t i = 0; dev->n_groups > 1 && i < dev->sc->n_hosts; i++)
        if (dev->sc->hosts[i] == host) return i;
    return 0;
}

/* mclock is fair with reservations; where nobody reserves, both serve alike. */
static const char *queue_of(const struct model *m, const struct disk_dev *dev)
{
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        for (uint32_t k = 0; k < m->sc->vms[i].n_disks; k++)
            if (m->sc->vms[i].disks[k].disk == dev->index && m->sc->vms[i].disks[k].reservation_u > 0)
                return strcmp(dev->sc->queue, "fair") == 0 ? "mclock" : dev->sc->queue;
    return dev->sc->queue;
}

/* `seats` flows a group, then the swapping of each host. All begin out of use. */
static void open_queue(struct model *m, struct disk_dev *dev, struct ioqueue_flow_cfg *flows)
{
    uint32_t n_hosts = dev->sc->host == SC_NONE ? dev->sc->n_hosts : 1;
    for (uint32_t h = 0; h < n_hosts; h++)
        flows[dev->first_swap + h].group = dev->n_groups > 1 ? h : 0;
    struct ioqueue_cfg cfg = {.cls = ioqueue_class_find(queue_of(m, dev)),
                              .n_flows = dev->first_swap + n_hosts,
                              .n_groups = dev->n_groups,
                              .flows = flows};
    size_t size = ioqueue_size(&cfg);
    ASSERT(size > 0); /* the reader has checked all that cfg is made of */
    void *block = calloc(1, (size + 15) & ~(size_t)15);
    ASSERT(block);
    dev->queue = ioqueue_init(block, &cfg);
}

static uint32_t n_vdisks(const struct model *m, const struct disk_dev *dev)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        for (uint32_t k = 0; k < m->sc->vms[i].n_disks; k++)
            n += m->sc->vms[i].disks[k].disk == dev->index;
    return n;
}

/* Flows: a VM's disk each, in the VMs' order. Where VMs move and the device divides among hosts, each host
 * has seats for disks, and a disk has one while it is attached: as many seats as disks, or where that would
 * be too many, enough for twice the mean, and more when they run out (grow). */
static void make_queue(struct model *m, struct disk_dev *dev)
{
    uint32_t n = n_vdisks(m, dev), n_hosts = dev->sc->host == SC_NONE ? dev->sc->n_hosts : 1;
    bool seated = m->sc->moves && dev->n_groups > 1;
    if (seated) dev->seats = (uint64_t)n * dev->n_groups <= MANY_SEATS ? n : 2 * (n / dev->n_groups) + 8;
    dev->first_swap = seated ? dev->seats * dev->n_groups : n;
    struct ioqueue_flow_cfg *flows = calloc(dev->first_swap + n_hosts, sizeof *flows);
    dev->swaps = calloc(n_hosts, sizeof *dev->swaps);
    dev->sitting = calloc(seated ? dev->first_swap + 1 : 1, sizeof(struct vdisk *));
    ASSERT(flows && dev->swaps && dev->sitting);
    for (uint32_t i = 0; i < dev->first_swap && seated; i++)
        flows[i].group = i / dev->seats;
    n = 0;
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        for (uint32_t k = 0; k < m->sc->vms[i].n_disks; k++) {
            struct vdisk *vd = &m->disks->vds[m->disks->first_vd[i] + k];
            if (vd->dev != dev) continue;
            vd->flow = seated ? NO_SEAT : n;
            if (!seated) flows[n++].group = group_of(dev, m->sc->vms[i].host);
        }
    open_queue(m, dev, flows);
    free(flows);
}

static int by_arrival(const void *a, const void *b)
{
    const struct io *x = *(struct io *const *)a, *y = *(struct io *const *)b;
    return (x->req.seq > y->req.seq) - (x->req.seq < y->req.seq);
}

/* Twice the seats for each host: the queue is made anew, and what waited waits on in the order in which it
 * came. */
static void grow(struct model *m, struct disk_dev *dev)
{
    struct disks *d = m->disks;
    uint32_t was = dev->seats, n = 0, n_hosts = dev->sc->n_hosts, old_swap = dev->first_swap;
    struct io **waiting = calloc(d->n_ios + 1, sizeof(struct io *));
    ASSERT(waiting);
    dev->seats *= 2;
    dev->first_swap = dev->seats * dev->n_groups;
    for (uint32_t i = 0; i < d->n_ios; i++) {
        struct io *io = &d->slabs[i / DISK_SLAB][i % DISK_SLAB];
        if (io->gen % 2 == 0 || io->dev != dev) continue;
        if (io->req.queued) {
            ioqueue_drop(dev->queue, &io->req, sim_now(m->sim));
            waiting[n++] = io;
        }
        uint32_t f = io->req.flow;
        io->req.flow = f >= old_swap ? f - old_swap + dev->first_swap : f / was * dev->seats + f % was;
    }
    struct ioqueue_flow_cfg *flows = calloc(dev->first_swap + n_hosts, sizeof *flows);
    struct vdisk **sitting = calloc(dev->first_swap + 1, sizeof(struct vdisk *));
    ASSERT(flows && sitting);
    for (uint32_t i = 0; i < dev->first_swap; i++)
        flows[i].group = i / dev->seats;
    free(dev->queue);
    open_queue(m, dev, flows);
    free(flows);
    for (uint32_t i = 0; i < old_swap; i++) {
        struct vdisk *vd = dev->sitting[i];
        if (!vd) continue;
        vd->flow = i / was * dev->seats + i % was;
        sitting[vd->flow] = vd;
        disk_set_flow(m, vd);
    }
    free(dev->sitting);
    dev->sitting = sitting;
    for (uint32_t h = 0; h < n_hosts; h++)
        if (dev->swaps[h])
            ioqueue_set(dev->queue, dev->first_swap + h,
                        &(struct ioqueue_flow_cfg){.weight = IOQUEUE_WEIGHT_DEFAULT}, sim_now(m->sim));
    if (n) qsort(waiting, n, sizeof *waiting, by_arrival);
    for (uint32_t i = 0; i < n; i++)
        ioqueue_add(dev->queue, &waiting[i]->req, sim_now(m->sim));
    free(waiting);
}

void disk_device_sit(struct model *m, struct vdisk *vd, uint32_t host)
{
    struct disk_dev *dev = vd->dev;
    if (dev->seats == 0 || vd->flow != NO_SEAT) return;
    uint32_t group = group_of(dev, host), k = 0;
    while (k < dev->seats &&
           (dev->sitting[group * dev->seats + k] || ioqueue_flow_waiting(dev->queue, group * dev->seats + k)))
        k++; /* of a disk that is no more, something may still wait there */
    if (k == dev->seats) grow(m, dev);
    vd->flow = group * dev->seats + k;
    dev->sitting[vd->flow] = vd;
}

void disk_device_stand(struct model *m, struct vdisk *vd)
{
    struct disk_dev *dev = vd->dev;
    struct ioqueue_flow_cfg none = {0};
    if (vd->flow == NO_SEAT) return;
    ioqueue_set(dev->queue, vd->flow, &none, sim_now(m->sim));
    if (dev->seats == 0) return;
    dev->sitting[vd->flow] = NULL;
    vd->flow = NO_SEAT;
}

void disk_device_regroup(struct model *m, struct vdisk *vd, uint32_t host)
{
    struct disk_dev *dev = vd->dev;
    struct disks *d = m->disks;
    if (dev->seats == 0 || vd->flow == NO_SEAT || vd->flow / dev->seats == group_of(dev, host)) return;
    uint32_t was_group = vd->flow / dev->seats, was_seat = vd->flow % dev->seats;
    vd->flow = NO_SEAT;
    disk_device_sit(m, vd, host);
    disk_set_flow(m, vd);
    for (uint32_t i = 0; i < d->n_ios; i++) { /* what waits goes along */
        struct io *io = &d->slabs[i / DISK_SLAB][i % DISK_SLAB];
        if (io->gen % 2 == 0 || !disk_io_of(io, vd)) continue;
        bool queued = io->req.queued;
        if (queued) ioqueue_drop(dev->queue, &io->req, sim_now(m->sim));
        io->req.flow = vd->flow;
        if (queued) ioqueue_add(dev->queue, &io->req, sim_now(m->sim));
    }
    uint32_t was = was_group * dev->seats + was_seat; /* there may be more seats by now */
    struct ioqueue_flow_cfg none = {0};
    ioqueue_set(dev->queue, was, &none, sim_now(m->sim));
    dev->sitting[was] = NULL;
    kick(m, dev);
}

void disk_device_init(struct model *m, struct disk_dev *dev)
{
    const struct sc_disk *sc = dev->sc;
    dev->n_groups = sc->host == SC_NONE && !sc->flat ? sc->n_hosts : 1;
    dev->again_ns = IOQUEUE_FOREVER;
    pool_init(&dev->pool, sc->pool_bytes, sc->grain_bytes);
    pagecache_init(&dev->cache, sc->cache_bytes);
    bucket_init(&dev->bucket, sc->iops_u, sc->bandwidth_bps, sc->burst_bytes, sc->peak_bps, 0);
    if (sc->model == SC_DISK_SSD) disk_ssd_init(&dev->ssd, sc);
    if (sc->model == SC_DISK_HDD) {
        hdd_init(&dev->hdd, hdd_preset_at(sc->preset));
        dev->hdd_random_ns = hdd_mean_random_ns(&dev->hdd, 0);
    }
    make_queue(m, dev);
}

void disk_device_done(struct disk_dev *dev)
{
    if (dev->sc->model == SC_DISK_SSD) disk_ssd_done(&dev->ssd);
    pagecache_done(&dev->cache);
    pool_done(&dev->pool);
    free(dev->queue);
    free(dev->swaps);
    free(dev->sitting);
    free(dev->accounts);
}
