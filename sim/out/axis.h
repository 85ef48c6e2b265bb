// SPDX-License-Identifier: GPL-3.0-or-later
/* axis.h - the swept key that becomes the axis of a figure, its values read as numbers where they are.
 *
 * The key with most numeric values is taken, where there is none the one with most words (numbers that
 * are two say less of a curve than three words or more); of keys under `zip`
 * none that has fewer values than another. Values with
 * units are brought to the largest unit that keeps the greatest at 1 or more: 100us and 10ms are .1 and 10
 * ms. The axis is logarithmic where the values span a factor of 30 or more. */
#ifndef VLAB_OUT_AXIS_H
#define VLAB_OUT_AXIS_H

#include "out/report.h"

struct axis {
    size_t key; /* which of the point's keys */
    bool numeric, logarithmic;
    size_t n;    /* distinct values, ascending (words: as they first come) */
    double *x;   /* [n], where numeric */
    char **word; /* [n] as written; behind it, a line each, what else the zip sets that it does not settle */
    size_t *place;    /* [points]: which of the n a point is at */
    const char *unit; /* of x; "" where none */
    bool *other;      /* [keys]: not settled by the axis, nor by an earlier or finer key: it names a curve */
};

/* Whether the value of key `of` settles that of `key`, as under `zip`. */
bool axis_follows(const struct report *rp, size_t key, size_t of);
/* False: nothing varies. */
bool axis_make(struct axis *a, const struct report *rp);
void axis_done(struct axis *a);
/* "10ms" is 0.01 and "s"; false where it is no number with a unit that is known. */
bool axis_number(const char *text, double *x, const char **base);

#endif
