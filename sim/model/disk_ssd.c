// SPDX-License-Identifier: GPL-3.0-or-later
/* An SSD: dies that work side by side, each on one page at a time, first come first served.
 *
 * A request is a page operation on each die that its flash pages lie on (policy/ssd.h), several in a row
 * where it has more pages than there are dies; it is over when its last page is. The queue's policy decides
 * who comes in, and a request in there waits for its die: as long as fewer than 4 operations a die are
 * inside, the next is let in. So with few requests out each goes straight to its die, and under load the
 * policy still decides. With n requests always out, D dies and exponential times n * D / (n + D - 1) dies are
 * busy in the mean. A page written costs its program time as often as the write amplification says, and its
 * share of erasing a block; reading the pages that garbage collection moves, and the channels' transfers, are
 * left out: evenly spread, so no single write waits for an erase. */
#include "model/disk_inner.h"

#include <stdlib.h>

#include "policy/ssd.h"

#define OPS_A_DIE 4

void disk_ssd_init(struct ssd *s, const struct sc_disk *sc)
{
    uint64_t dies = (uint64_t)sc->channels * sc->dies;
    ASSERT(dies > 0 && dies < UINT32_MAX);
    *s = (struct ssd){.n_dies = (uint32_t)dies, .free_op = NONE};
    s->dies = calloc(dies, sizeof *s->dies);
    s->heap = calloc(dies, sizeof *s->heap);
    ASSERT(s->dies && s->heap);
    for (uint32_t i = 0; i < s->n_dies; i++)
        s->dies[i] = (struct die){.head = NONE, .tail = NONE};
    s->write_ppm = ssd_amplification_ppm(sc->spare_ppm);
    if (sc->spare_ppm)
        s->erase_ns = (int64_t)((__int128)sc->erase_ns * s->write_ppm / SSD_PAGES_PER_BLOCK / 1000000);
    s->read_mean_ns = (int64_t)draw_mean(&sc->read, NULL);
    s->write_mean_ns = (int64_t)draw_mean(&sc->program, NULL) * s->write_ppm / 1000000 + s->erase_ns;
}

void disk_ssd_done(struct ssd *s)
{
    free(s->dies);
    free(s->heap);
    free(s->ops);
}

int64_t disk_ssd_cost_ns(const struct ssd *s, const struct io *io)
{
    int64_t pages = ssd_pages(io->req.position, io->req.bytes);
    return pages * (io->req.write ? s->write_mean_ns : s->read_mean_ns) / s->n_dies;
}

bool disk_ssd_room(const struct ssd *s)
{
    return s->inside < OPS_A_DIE * s->n_dies;
}

/* --- dies at work, the earliest to finish first --- */

static bool sooner(const struct ssd *s, uint32_t a, uint32_t b)
{
    const struct die *x = &s->dies[a], *y = &s->dies[b];
    return x->until_ns != y->until_ns ? x->until_ns < y->until_ns : a < b;
}

static void heap_add(struct ssd *s, uint32_t die)
{
    uint32_t i = s->n_heap++;
    for (; i > 0 && sooner(s, die, s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = die;
}

static void heap_take(struct ssd *s)
{
    uint32_t die = s->heap[--s->n_heap], i = 0;
    for (;;) {
        uint32_t k = 2 * i + 1;
        if (k >= s->n_heap) break;
        if (k + 1 < s->n_heap && sooner(s, s->heap[k + 1], s->heap[k])) k++;
        if (!sooner(s, s->heap[k], die)) break;
        s->heap[i] = s->heap[k];
        i = k;
    }
    s->heap[i] = die;
}

static int64_t pages_ns(const struct ssd *s, const struct sc_disk *sc, struct io *io, int64_t pages)
{
    const struct dist *dist = io->req.write ? &sc->program : &sc->read;
    int64_t sum = 0;
    if (dist->kind == DIST_CONST)
        sum = pages * dist->a;
    else
        for (int64_t i = 0; i < pages; i++)
            sum += draw_amount(dist, &io->rng, NULL, 0);
    if (!io->req.write) return sum;
    return (int64_t)((__int128)sum * s->write_ppm / 1000000) + pages * s->erase_ns;
}

/* The die goes on with its first operation. */
static void work(struct ssd *s, const struct sc_disk *sc, uint32_t die, int64_t now)
{
    struct die *d = &s->dies[die];
    if (d->head == NONE) return;
    d->until_ns = now + pages_ns(s, sc, s->ops[d->head].io, s->ops[d->head].pages);
    heap_add(s, die);
}

static void give(struct ssd *s, const struct sc_disk *sc, uint32_t die, struct die_op op, int64_t now)
{
    uint32_t o = s->free_op;
    if (o != NONE) {
        s->free_op = s->ops[o].next;
    } else {
        if (s->n_ops == s->cap_ops) {
            s->cap_ops = s->cap_ops ? 2 * s->cap_ops : 64;
            s->ops = realloc(s->ops, s->cap_ops * sizeof *s->ops);
            ASSERT(s->ops);
        }
        o = s->n_ops++;
    }
    struct die *d = &s->dies[die];
    bool idle = d->head == NONE;
    s->ops[o] = op;
    if (idle)
        d->head = o;
    else
        s->ops[d->tail].next = o;
    d->tail = o;
    s->inside++;
    op.io->dies++;
    if (idle) work(s, sc, die, now);
}

void disk_ssd_start(struct ssd *s, const struct sc_disk *sc, struct io *io, int64_t now)
{
    int64_t pages = ssd_pages(io->req.position, io->req.bytes);
    uint32_t die = ssd_die(io->req.position, s->n_dies);
    if (pages == 0) pages = 1;
    for (uint32_t i = 0; i < s->n_dies && i < pages; i++) {
        int64_t here = pages / s->n_dies + (i < pages % s->n_dies);
        give(s, sc, die, (struct die_op){.io = io, .pages = here, .next = NONE}, now);
        die = die + 1 == s->n_dies ? 0 : die + 1;
    }
}

struct io *disk_ssd_finish(struct ssd *s, const struct sc_disk *sc, int64_t now)
{
    while (s->n_heap && s->dies[s->heap[0]].until_ns <= now) {
        uint32_t die = s->heap[0], o = s->dies[die].head;
        struct io *io = s->ops[o].io;
        heap_take(s);
        s->dies[die].head = s->ops[o].next;
        s->ops[o].next = s->free_op;
        s->free_op = o;
        s->inside--;
        work(s, sc, die, s->dies[die].until_ns);
        if (--io->dies == 0) return io;
    }
    return NULL;
}

void disk_ssd_delay(struct ssd *s, int64_t by_ns)
{
    for (uint32_t i = 0; i < s->n_heap; i++)
        s->dies[s->heap[i]].until_ns += by_ns;
}

int64_t disk_ssd_next_ns(const struct ssd *s)
{
    return s->n_heap ? s->dies[s->heap[0]].until_ns : INT64_MAX;
}
