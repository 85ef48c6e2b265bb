// SPDX-License-Identifier: GPL-3.0-or-later
/* figure.h - what the makers of figures share: a script's beginning and end, and text that gnuplot takes as
 * it is.
 *
 * Only sim/out/fig*.c include this. */
#ifndef VLAB_OUT_FIGURE_H
#define VLAB_OUT_FIGURE_H

#include <stdio.h>

#include "out/report.h"
#include "out/rundir.h"

#define FIGURE_LINES 8 /* colours, dashes and points that can be told apart */

struct figure {
    struct rundir *rd;
    const struct report *rp;
    char name[32];
    FILE *gp, *data;
};

/* Opens NAME.gp and NAME.tsv. `note` is the caption's second line (may be ""); height 0: the style's own. */
void figure_begin(struct figure *fig, struct rundir *rd, const struct report *rp, const char *name,
                  const char *question, const char *note, int height);
/* Adds style and script, closes both. */
void figure_end(struct figure *fig, const char *script);

/* NAME = 'text', NAME = number: variables of the script. */
void figure_text(struct figure *fig, const char *name, const char *text);
void figure_number(struct figure *fig, const char *name, double x);
/* NAME = 'a b c', for gnuplot's word(): no blanks within a word. */
void figure_words(struct figure *fig, const char *name, const char *const *words, size_t n);
/* array NAME[n] = ['a', 'b']. */
void figure_array(struct figure *fig, const char *name, char *const *texts, size_t n);
/* A cell of the data: no tabs, line ends or quotes. */
void figure_cell(FILE *f, const char *text);
/* "\t" and the number, "nan" where it is none. */
void figure_value(FILE *f, double x);
/* `what`, the point where there is a sweep, how many runs and how sure; malloc'ed. */
char *figure_note(const struct report *rp, size_t point, const char *what);

/* The unit in which a time is a number between 1 and 1000 or so: 0.03 s is 30 ms, scale 1000; from 2 h on
 * hours. */
struct figure_unit {
    const char *name;
    double scale;
};
struct figure_unit figure_time_unit(double seconds);
/* The same of bytes and of rates in bytes, a network's in bits; other units are left as they are. */
struct figure_unit figure_size_unit(const char *metric, const char *unit, double x);

/* What an axis of this swept key is labelled with: its path, and what else its zip sets. Returns out. */
char *figure_axis_name(const struct report *rp, size_t key, char *out, size_t size);

void fig_gantt(struct rundir *rd, const struct report *rp);
void fig_shares(struct rundir *rd, const struct report *rp);
void fig_steal(struct rundir *rd, const struct report *rp);
void fig_ecdf(struct rundir *rd, const struct report *rp, const char *metric, const char *question,
              const char *axis);
void fig_overhead(struct rundir *rd, const struct report *rp);
void fig_memory(struct rundir *rd, const struct report *rp);
/* Of disks and stores: metric is disk.allocated or disk.queue. Of the cluster: power, vms.down. */
void fig_level(struct rundir *rd, const struct report *rp, const char *metric, const char *question,
               const char *axis);
void fig_sweep(struct rundir *rd, const struct report *rp);

#endif
