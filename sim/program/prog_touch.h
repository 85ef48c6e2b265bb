// SPDX-License-Identifier: GPL-3.0-or-later
/* prog_touch.h - which pages a `touch` step refers to, and whether it writes: the same sequence in the
 * simulator and in a guest, from a stream of its own, so it depends on nobody's schedule.
 *
 * Pages are numbered from 0 within the step's working set, which begins at the VM's page 0. PROG_UNIFORM:
 * each exactly as likely. PROG_CYCLIC: 0, 1, 2, ... and again; iteration i goes on where iteration i - 1 of
 * the same task, with the same constant amount, ended. PROG_ZIPF: page k with probability ~ 1/(k+1)^skew, by
 * rejection-inversion (Hoermann and Derflinger 1996): under the density x^-skew lie the histogram's columns
 * k-1/2 .. k+1/2; a point of the area is drawn and its column taken, unless it lies in the sliver that the
 * column lacks. It takes draw.h's logarithm and exponential, one of each a draw, and no libm.
 *
 * Freestanding: the same source is compiled into the guest. */
#ifndef VLAB_PROGRAM_PROG_TOUCH_H
#define VLAB_PROGRAM_PROG_TOUCH_H

#include "program/prog.h"

#define PROG_TOUCH_WRITE (UINT32_C(1) << 31) /* in a reference: it writes; the other bits are the page */
#define PROG_MAX_SKEW    20.0                /* there page 1 has a millionth of page 0's share */

struct prog_touch {
    struct rng rng;
    const struct step *step;
    int64_t left;  /* references still to come */
    uint32_t next; /* PROG_CYCLIC: the page */
    double sure;   /* PROG_ZIPF: so near below its column's middle a point need not be looked at again */
};

/* Fills the derived u and v of a touch step. False: span, skew or pattern out of range. */
bool prog_touch_make(struct step *s);
/* Whether the step's fields are those that prog_touch_make leaves, to the bit. */
bool prog_touch_valid(const struct step *s);
/* Begins the references of a step that prog_next has just returned for t. */
void prog_touch_begin(struct prog_touch *w, const struct prog_task *t, const struct prog_act *act);
/* The next n references (at most what is left) into out; returns how many there were. */
uint32_t prog_touch_fill(struct prog_touch *w, uint32_t *out, uint32_t n);

#endif
