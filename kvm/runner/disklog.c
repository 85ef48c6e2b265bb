// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/runner/disklog.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "kvm/runner/stores.h"

/* What happened, of a request or a device, in order of time once sorted. */
struct happening {
    int64_t t, value; /* CTL_IO_DONE: since when it was inside */
    uint64_t bytes;
    size_t seq; /* equal times stay in the order in which they were told */
    uint32_t disk, vm;
    uint16_t kind; /* enum ctl_io_kind, or: */
};
#define FORGOTTEN 100u
#define GONE      101u

struct source {
    uint64_t seen;
    int64_t last_ns;
    int64_t *asked[ABI_MAX_DEVS]; /* of each request, by number: since when it is inside; -1: no more */
    size_t n[ABI_MAX_DEVS], cap[ABI_MAX_DEVS];
};

struct disklog {
    struct run *run;
    struct source *vms, *stores; /* [n_vms], [n_disks] */
    int64_t **taken;             /* [n_disks][STORE_MAX_VOLUMES] */
    struct happening *v;
    size_t n, cap;
    bool lost;
};

struct disklog *disklog_new(struct run *r)
{
    struct disklog *l = calloc(1, sizeof *l);
    ASSERT(l);
    l->run = r;
    l->vms = calloc(r->n_vms + 1, sizeof *l->vms);
    l->stores = calloc(r->sc->n_disks + 1, sizeof *l->stores);
    l->taken = calloc(r->sc->n_disks + 1, sizeof *l->taken);
    ASSERT(l->vms && l->stores && l->taken);
    for (uint32_t i = 0; i < r->sc->n_disks; i++) {
        l->taken[i] = calloc(STORE_MAX_VOLUMES, sizeof **l->taken);
        ASSERT(l->taken[i]);
    }
    return l;
}

void disklog_free(struct disklog *l)
{
    if (!l) return;
    for (uint32_t i = 0; i < l->run->n_vms; i++)
        for (uint32_t k = 0; k < ABI_MAX_DEVS; k++)
            free(l->vms[i].asked[k]);
    for (uint32_t i = 0; i < l->run->sc->n_disks; i++)
        free(l->taken[i]);
    free(l->taken);
    free(l->vms);
    free(l->stores);
    free(l->v);
    free(l);
}

static void add(struct disklog *l, struct happening h)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 1024;
        l->v = realloc(l->v, l->cap * sizeof *l->v);
        ASSERT(l->v);
    }
    h.seq = l->n;
    l->v[l->n++] = h;
}

/* One entry of a request: the VM's clock does not go back, its numbers count. */
static void take_request(struct disklog *l, uint32_t vm, const struct ctl_io *x, int64_t t)
{
    struct source *s = &l->vms[vm];
    const struct sc_vm *sc = l->run->vms[vm].sc;
    uint32_t d = x->dev;
    if (d >= sc->n_disks || d >= ABI_MAX_DEVS) return;
    struct happening h = {.t = t, .disk = sc->disks[d].disk, .vm = vm, .kind = x->kind};
    if (x->kind == CTL_IO_ASKED && x->value == (int64_t)s->n[d]) {
        if (s->n[d] == s->cap[d]) {
            s->cap[d] = s->cap[d] ? 2 * s->cap[d] : 1024;
            s->asked[d] = realloc(s->asked[d], s->cap[d] * sizeof *s->asked[d]);
            ASSERT(s->asked[d]);
        }
        s->asked[d][s->n[d]++] = t;
        add(l, h);
    } else if (x->kind == CTL_IO_DONE && x->value >= 0 && x->value < (int64_t)s->n[d] &&
               s->asked[d][x->value] >= 0) {
        h.value = s->asked[d][x->value];
        h.bytes = x->bytes > INT64_MAX / 2 ? 0 : x->bytes;
        s->asked[d][x->value] = -1;
        add(l, h);
    }
}

static void take_store(struct disklog *l, const struct storeproc *p, const struct ctl_io *x, int64_t t)
{
    struct happening h = {.t = t, .value = x->value, .disk = p->disk, .kind = x->kind};
    if (x->value < 0 || x->dev >= p->ctl->n_volumes || x->dev >= STORE_MAX_VOLUMES) return;
    if (x->kind == CTL_IO_TAKEN) h.vm = p->vm[x->dev];
    h.bytes = x->dev;
    if (x->kind == CTL_IO_BUSY || x->kind == CTL_IO_TAKEN) add(l, h);
}

static void drain(struct disklog *l, struct source *s, const struct ctl_ios *ios, uint32_t vm,
                  const struct storeproc *p)
{
    uint64_t n = __atomic_load_n(&ios->n, __ATOMIC_ACQUIRE);
    if (n - s->seen > CTL_IOS - 64) {
        l->lost = true;
        s->seen = n;
    }
    for (; s->seen < n; s->seen++) {
        struct ctl_io x = ios->ring[s->seen % CTL_IOS];
        int64_t t = x.t_ns - l->run->zero_abs_ns;
        if (t < s->last_ns) t = s->last_ns; /* before t = 0 there is nothing */
        if (t >= l->run->end_ns) continue;
        s->last_ns = t;
        if (p)
            take_store(l, p, &x, t);
        else
            take_request(l, vm, &x, t);
    }
}

void disklog_vm(struct disklog *l, uint32_t vm)
{
    struct run_vm *v = &l->run->vms[vm];
    if (v->proc.ctl) drain(l, &l->vms[vm], &v->proc.ctl->ios, vm, NULL);
}

void disklog_store(struct disklog *l, const struct storeproc *p)
{
    drain(l, &l->stores[p->disk], &p->ctl->ios, 0, p);
}

void disklog_gone(struct disklog *l, uint32_t disk)
{
    int64_t t = host_now() - l->run->zero_abs_ns;
    if (t >= 0 && t < l->run->end_ns) add(l, (struct happening){.t = t, .disk = disk, .kind = GONE});
}

/* --- records --- */

/* Requests that were inside when their VM ended. */
static void forget(struct disklog *l, uint32_t vm)
{
    struct source *s = &l->vms[vm];
    const struct run_vm *v = &l->run->vms[vm];
    if (!run_is_down(v) || v->down_ns >= l->run->end_ns) return;
    int64_t t = v->down_ns > s->last_ns ? v->down_ns : s->last_ns;
    for (uint32_t d = 0; d < v->sc->n_disks && d < ABI_MAX_DEVS; d++)
        for (size_t i = 0; i < s->n[d]; i++)
            if (s->asked[d][i] >= 0)
                add(l, (struct happening){.t = t,
                                          .value = s->asked[d][i],
                                          .disk = v->sc->disks[d].disk,
                                          .vm = vm,
                                          .kind = FORGOTTEN});
}

static int by_time(const void *a, const void *b)
{
    const struct happening *x = a, *y = b;
    if (x->t != y->t) return x->t < y->t ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void tell(struct run *r, const struct happening *h, bool dev, enum rec_kind kind, int cause,
                 int64_t value)
{
    recs_add(&r->recs, (struct rec){.t_ns = h->t,
                                    .value = value,
                                    .host = dev ? h->disk : r->vms[h->vm].sc->host,
                                    .vm = dev ? UINT32_MAX : h->vm,
                                    .vcpu = REC_NONE,
                                    .pcpu = dev ? REC_DEV : REC_NONE,
                                    .kind = (uint8_t)kind,
                                    .cause = (uint8_t)cause});
}

struct levels {
    int64_t *vm, *disk; /* requests inside */
    int64_t *vm_taken, *disk_taken;
};

static void tell_queues(struct run *r, const struct happening *h, struct levels *at, int64_t by)
{
    at->vm[h->vm] += by;
    at->disk[h->disk] += by;
    tell(r, h, false, REC_LEVEL, REC_L_DISK_QUEUE, at->vm[h->vm]);
    tell(r, h, true, REC_LEVEL, REC_L_DISK_QUEUE, at->disk[h->disk]);
}

static void tell_end(struct run *r, const struct happening *h, struct levels *at)
{
    tell(r, h, true, REC_IO, 0, h->t - h->value);
    struct rec *io = &r->recs.v[r->recs.n - 1];
    io->to = h->kind == FORGOTTEN;
    if (h->kind == CTL_IO_DONE) io->vm = h->vm;
    for (int dev = 0; dev < 2 && h->kind == CTL_IO_DONE; dev++) {
        tell(r, h, dev, REC_COUNT, REC_N_DISK_OPS, 1);
        if (h->bytes > 0) tell(r, h, dev, REC_COUNT, REC_N_DISK_BYTES, (int64_t)h->bytes);
    }
    tell_queues(r, h, at, -1);
}

static void tell_taken(struct disklog *l, const struct happening *h, struct levels *at)
{
    int64_t *was = &l->taken[h->disk][h->bytes], more = h->value - *was;
    *was = h->value;
    at->vm_taken[h->vm] += more;
    at->disk_taken[h->disk] += more;
    tell(l->run, h, false, REC_LEVEL, REC_L_DISK_ALLOCATED, at->vm_taken[h->vm]);
    tell(l->run, h, true, REC_LEVEL, REC_L_DISK_ALLOCATED, at->disk_taken[h->disk]);
}

int disklog_report(struct disklog *l, char **why)
{
    struct run *r = l->run;
    if (l->lost) {
        *why = host_text("the host was too busy to follow its disks (records lost)");
        return -1;
    }
    for (uint32_t i = 0; i < r->n_vms; i++)
        forget(l, i);
    if (l->n > 0) qsort(l->v, l->n, sizeof *l->v, by_time);
    uint32_t n = r->n_vms > r->sc->n_disks ? r->n_vms : r->sc->n_disks;
    int64_t *block = calloc(4 * ((size_t)n + 1), sizeof *block);
    ASSERT(block);
    struct levels at = {block, block + n, block + 2 * n, block + 3 * n};
    for (size_t i = 0; i < l->n; i++) {
        const struct happening *h = &l->v[i];
        switch (h->kind) {
        case CTL_IO_ASKED: tell_queues(r, h, &at, 1); break;
        case CTL_IO_DONE:
        case FORGOTTEN: tell_end(r, h, &at); break;
        case CTL_IO_BUSY: tell(r, h, true, REC_LEVEL, REC_L_DISK_BUSY, h->value != 0); break;
        case CTL_IO_TAKEN: tell_taken(l, h, &at); break;
        default: tell(r, h, true, REC_EVENT, REC_EV_FAILED, 0); r->recs.v[r->recs.n - 1].to = REC_WHY_DISK;
        }
    }
    free(block);
    return 0;
}
