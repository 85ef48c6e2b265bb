// SPDX-License-Identifier: GPL-3.0-or-later
/* csv_read.h - a table of comma-separated values (RFC 4180; bare line feeds will do), a row at a time. */
#ifndef VLAB_OUT_CSV_READ_H
#define VLAB_OUT_CSV_READ_H

#include <stddef.h>
#include <stdio.h>

#define CSV_MAX_FIELDS 32
#define CSV_MAX_ROW    65536 /* bytes */

struct csv_row {
    size_t n;
    const char *field[CSV_MAX_FIELDS]; /* into text */
    char text[CSV_MAX_ROW];
    size_t line; /* of the file, the row's last; 0 before the first row */
};

/* The next row; begin with zeros. 1; 0 at the end; -1: a row that is too long, has too many fields, or quotes
 * that do not close. */
int csv_read(FILE *f, struct csv_row *r);

#endif
