// SPDX-License-Identifier: GPL-3.0-or-later
/* gnuplot.h - renders the figures of a run directory. Only `plot`, `batch` and `report` start gnuplot.
 *
 * A word on stderr is a failure, also where gnuplot itself thinks it a warning: a figure that gnuplot has
 * doubts about is not shown as if there were none. */
#ifndef VLAB_OUT_GNUPLOT_H
#define VLAB_OUT_GNUPLOT_H

#include <stdbool.h>
#include <stddef.h>

#define GNUPLOT_REMEDY "apt-get install gnuplot-nox"

/* Whether there is a gnuplot in PATH. */
bool gnuplot_found(void);

/* The names of the figures in RUN/plots, sorted; the array and the names are malloc'ed (gnuplot_free_list).
 * -errno and *why where the directory cannot be read, else how many. */
int gnuplot_list(const char *run, char ***names, char **why);
void gnuplot_free_list(char **names, size_t n);

/* Renders RUN/plots/NAME.gp. term "svg" and "png" write RUN/plots/NAME.TERM; "dumb" yields the text in
 * *text (malloc'ed; else may be NULL). 0, or -1 with *why (malloc'ed): what gnuplot said. */
int gnuplot_render(const char *run, const char *name, const char *term, char **text, char **why);

#endif
