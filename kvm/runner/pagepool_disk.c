// SPDX-License-Identifier: GPL-3.0-or-later
/* The swap disk: as fast as the scenario says at most, and what is told of it. */
#include <stdlib.h>

#include "base/assert.h"
#include "kvm/runner/pagepool_int.h"

#define CELL_NS 1000000 /* requests that end in one are counted in one record */

void pagepool_disk_make(struct pagepool *p)
{
    if (p->sc->swap == SC_NONE) return;
    const struct sc_disk *d = &p->run->sc->disks[p->sc->swap];
    bucket_init(&p->bucket, d->iops_u, d->bandwidth_bps, d->burst_bytes, d->peak_bps, host_now());
    p->disk_latency_ns = d->latency_ns;
}

int64_t pagepool_disk_due(struct pagepool *p, int64_t now_ns)
{
    int64_t at = p->disk_free_ns > now_ns ? p->disk_free_ns : now_ns, due;
    p->disk_free_ns = bucket_take(&p->bucket, p->page_bytes, at);
    return __builtin_add_overflow(p->disk_free_ns, p->disk_latency_ns, &due) ? INT64_MAX : due;
}

void pagepool_disk_io(struct pagepool *p, int64_t asked_ns, int64_t due_ns)
{
    int64_t zero = __atomic_load_n(&p->zero_abs_ns, __ATOMIC_ACQUIRE), now = host_now();
    int64_t from = asked_ns - zero, to = (due_ns > now ? due_ns : now) - zero;
    if (zero == 0 || from < 0 || from >= p->run->end_ns) return;
    pagepool_grow((void **)&p->ios, p->n_ios, &p->ios_cap, sizeof *p->ios);
    p->ios[p->n_ios++] = (struct pagepool_io){from, to};
}

static struct rec of_disk(const struct pagepool *p, enum rec_kind kind, int64_t t, int64_t value)
{
    return (struct rec){.t_ns = t,
                        .value = value,
                        .host = p->sc->swap,
                        .vm = UINT32_MAX,
                        .vcpu = REC_NONE,
                        .pcpu = REC_DEV,
                        .kind = (uint8_t)kind};
}

static void add(struct pagepool *p, enum rec_kind kind, uint8_t cause, int64_t t, int64_t value)
{
    struct rec x = of_disk(p, kind, t, value);
    x.cause = cause;
    recs_add(&p->recs, x);
}

static void tell_counts(struct pagepool *p, int64_t t, int64_t n)
{
    if (n == 0) return;
    add(p, REC_COUNT, REC_N_DISK_OPS, t, n);
    add(p, REC_COUNT, REC_N_DISK_BYTES, t, n * p->page_bytes);
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* How many requests are inside, from when on. ends: sorted. */
static void tell_queue(struct pagepool *p, const int64_t *starts, const int64_t *ends, enum rec_level what,
                       bool one)
{
    int64_t inside = 0, said = 0;
    for (size_t i = 0, k = 0; k < p->n_ios && ends[k] < p->run->end_ns;) {
        int64_t t = i < p->n_ios && starts[i] < ends[k] ? starts[i] : ends[k];
        for (; i < p->n_ios && starts[i] <= t; i++)
            inside++;
        for (; k < p->n_ios && ends[k] <= t; k++)
            inside--;
        int64_t level = one ? inside > 0 : inside;
        if (level == said || t >= p->run->end_ns) continue;
        said = level;
        add(p, REC_LEVEL, (uint8_t)what, t, level);
    }
}

static void tell_done(struct pagepool *p, const int64_t *ends)
{
    size_t n = 0;
    for (size_t k = 0; k < p->n_ios && ends[k] < p->run->end_ns; k++) {
        if (k > 0 && ends[k] / CELL_NS != ends[k - 1] / CELL_NS) {
            tell_counts(p, ends[k - 1], (int64_t)n);
            n = 0;
        }
        n++;
        if (k + 1 == p->n_ios || ends[k + 1] >= p->run->end_ns) tell_counts(p, ends[k], (int64_t)n);
    }
    for (size_t i = 0; i < p->n_ios; i++)
        if (p->ios[i].to_ns < p->run->end_ns)
            recs_add(&p->recs, of_disk(p, REC_IO, p->ios[i].to_ns, p->ios[i].to_ns - p->ios[i].from_ns));
}

void pagepool_disk_tell(struct pagepool *p)
{
    int64_t *starts = malloc((p->n_ios + 1) * sizeof *starts), *ends = malloc((p->n_ios + 1) * sizeof *ends);
    ASSERT(starts && ends);
    for (size_t i = 0; i < p->n_ios; i++) {
        starts[i] = p->ios[i].from_ns;
        ends[i] = p->ios[i].to_ns;
    }
    qsort(starts, p->n_ios, sizeof *starts, by_time);
    qsort(ends, p->n_ios, sizeof *ends, by_time);
    tell_done(p, ends);
    tell_queue(p, starts, ends, REC_L_DISK_QUEUE, false);
    for (size_t i = 0; i < p->n_ios; i++) /* its latency passes without it */
        ends[i] = p->ios[i].to_ns - p->disk_latency_ns;
    qsort(ends, p->n_ios, sizeof *ends, by_time);
    tell_queue(p, starts, ends, REC_L_DISK_BUSY, true);
    free(starts);
    free(ends);
}
