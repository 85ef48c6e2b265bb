// SPDX-License-Identifier: GPL-3.0-or-later
/* Disk requests, and the laws of a disk's queue.
 *
 * A request is inside from its issue to its end; REC_IO tells the end and how long it was inside, disk.queue
 * how many are inside, at its last value of each instant. With n(t) that number, and n(0) = 0:
 *
 *     integral of n over [0, t] = sum of (t_done - t_issued) over those done by t + ages at t of those inside
 *
 * which is Little's law, in whole ns. The ages are known where nothing is inside: they are 0. So at each
 * instant at which the queue is empty the integral equals the sum of latencies, exactly; at any other the
 * difference is at least 0, and at most as if all inside had come when it was last empty. Flow balance: the
 * queue grows by what is issued and shrinks by what is done, so within an instant it shrinks by no more than
 * the requests done then; and what the disk counts as disk.ops is what was told done. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/alloc.h"
#include "metrics/meter_inner.h"

/* The distribution of a VM's requests: its own, or the one of its folded group. */
static struct hist *vm_io(struct meter *m, uint32_t vm)
{
    struct tally *t = meter_count_new(m, &m->vms[vm].tally);
    if (t->io) return t->io;
    uint32_t lo = 0, hi = m->n_units; /* the last unit that begins no later */
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (m->units[mid].first_vm <= vm)
            lo = mid;
        else
            hi = mid;
    }
    const struct meter_unit *u = &m->units[lo];
    if (!meter_has_own(m, u) && vm != u->first_vm) return t->io = vm_io(m, u->first_vm);
    t->owns_io = true;
    return t->io = alloc_array(1, sizeof *t->io);
}

void meter_dev_io(struct meter *m, const struct rec *r)
{
    ASSERT(r->pcpu == REC_DEV && r->host < m->sc->n_disks);
    struct dev_meter *d = &m->devs[r->host];
    struct tally *t = meter_count_new(m, &d->tally);
    meter_dev_settle(m, r->host, r->t_ns);
    d->done_then++;
    d->spent += r->value;
    if (r->to) return; /* forgotten: it left the queue, and that is all */
    t->n_io++;
    if (r->vm != UINT32_MAX) meter_count_new(m, &m->vms[r->vm].tally)->n_io++;
    if (r->value < 0) {
        meter_broken(m, "%s: a request was done at %" PRId64 " ns after %" PRId64 " ns",
                     scenario_dev_entity(m->sc, r->host), r->t_ns, r->value);
        return;
    }
    if (!m->warm) return;
    if (!t->io) {
        t->io = alloc_array(1, sizeof *t->io);
        t->owns_io = true;
    }
    hist_add(t->io, r->value);
    if (r->vm != UINT32_MAX) hist_add(vm_io(m, r->vm), r->value);
}

void meter_dev_settle(struct meter *m, uint32_t dev, int64_t t_ns)
{
    struct dev_meter *d = &m->devs[dev];
    if (t_ns == d->at_ns || !d->tally) return;
    int64_t now = d->tally->level[REC_L_DISK_QUEUE].now, issued = now - d->before + (int64_t)d->done_then;
    const char *name = scenario_dev_entity(m->sc, dev);
    if (issued < 0)
        meter_broken(m,
                     "flow balance: %s: %" PRIu64 " requests were done at %" PRId64
                     " ns, and its queue went from "
                     "%" PRId64 " to %" PRId64,
                     name, d->done_then, d->at_ns, d->before, now);
    __int128 ages = meter_count_integral(d->tally, REC_L_DISK_QUEUE, t_ns) - d->spent;
    if (now == 0) d->busy_since = t_ns;
    if (ages < 0 || ages > (__int128)now * (t_ns - d->busy_since))
        meter_broken(m,
                     "Little's law: %s: up to %" PRId64
                     " ns %.9g request-seconds inside, %.9g s spent inside by "
                     "those done, %" PRId64 " still there",
                     name, t_ns, (double)(ages + d->spent) / 1e9, (double)d->spent / 1e9, now);
    d->before = now;
    d->done_then = 0;
    d->at_ns = t_ns;
}

void meter_dev_laws(struct meter *m)
{
    for (uint32_t i = 0; i < m->sc->n_disks; i++) {
        const struct tally *t = m->devs[i].tally;
        if (!t) continue;
        m->devs[i].at_ns = -1; /* whatever happened last, it is looked at */
        meter_dev_settle(m, i, m->end_ns);
        if ((uint64_t)t->count[REC_N_DISK_OPS] != t->n_io)
            meter_broken(m, "conservation: %s counted %" PRId64 " requests, but %" PRIu64 " were told",
                         scenario_dev_entity(m->sc, i), t->count[REC_N_DISK_OPS], t->n_io);
    }
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        const struct tally *t = m->vms[i].tally;
        if (t && (uint64_t)t->count[REC_N_DISK_OPS] < t->n_io)
            meter_broken(m,
                         "conservation: vm.%s counted %" PRId64 " disk requests, but %" PRIu64 " were told",
                         m->sc->vms[i].name, t->count[REC_N_DISK_OPS], t->n_io);
    }
}
