// SPDX-License-Identifier: GPL-3.0-or-later
/* book.h - what an entity counts, and the levels it is at: told as records, never one by one.
 *
 * Counters grow without a record; their growth is told at the end of the warm-up, at each sample and at
 * the end of the run (REC_COUNT), and belongs to the time before that boundary: what happens at the boundary
 * itself comes after it. A level is told when it changed (REC_LEVEL), but only once an instant, at its last
 * value, so that n requests that come at once are one record, and their queue has no states in between.
 * Every handler of an event that may change a level, or wake a task whose next step may, calls book_settle
 * before it returns: what is told late has the wrong time, and the meter's laws find it.
 *
 * A book belongs to whoever opens it, stays where it is, and outlives the run. */
#ifndef VLAB_MODEL_BOOK_H
#define VLAB_MODEL_BOOK_H

#include <stddef.h>

#include "base/rec.h"

struct model;

struct book {
    int64_t count[REC_NCOUNTS], told[REC_NCOUNTS]; /* so far, and of that in records */
    int64_t level[REC_NLEVELS], said[REC_NLEVELS]; /* now, and in the last record */
    uint32_t host; /* as a record has them: of a device its number, with dev */
    uint32_t vm;
    bool dev;
    uint32_t changed; /* a bit a level set since it was settled; > 0: in the list of those to settle */
};

struct books {
    struct book **all; /* every book there is, in the order they were opened */
    size_t n, cap;
    struct book **unsettled; /* room for all of them */
    size_t n_unsettled;
    uint32_t ev_boundary;
};

/* Sets up the boundaries' event; before any book is opened. */
void book_init(struct model *m);
void book_done(struct model *m);
/* A book begins, all at 0: of a VM (vm), of a host (vm UINT32_MAX), or of a device. */
void book_open(struct model *m, struct book *b, uint32_t host, uint32_t vm, bool dev);
static inline void book_add(struct book *b, enum rec_count what, int64_t n)
{
    b->count[what] += n;
}
_Static_assert(REC_NLEVELS <= 32, "changed has a bit for each");
/* Its first level was set since it was settled. */
void book_unsettle(struct model *m, struct book *b);
/* The level is `value` from now on. */
static inline void book_set(struct model *m, struct book *b, enum rec_level what, int64_t value)
{
    b->level[what] = value;
    if (!b->changed) book_unsettle(m, b);
    b->changed |= 1u << what;
}
static inline void book_shift(struct model *m, struct book *b, enum rec_level what, int64_t by)
{
    book_set(m, b, what, b->level[what] + by);
}
/* Tells the levels that changed at this instant. */
void book_settle(struct model *m);
/* Tells all counters, at the end of a run. */
void book_close(struct model *m);

#endif
