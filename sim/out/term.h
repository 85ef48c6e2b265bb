// SPDX-License-Identifier: GPL-3.0-or-later
/* term.h - what the reader of our output can show: colour and UTF-8.
 *
 * Colour only on a terminal, never where NO_COLOR is set (to anything but nothing) or TERM is "dumb" or
 * unset. UTF-8 where the locale's character set says so, by the environment alone. */
#ifndef VLAB_OUT_TERM_H
#define VLAB_OUT_TERM_H

#include <stdbool.h>

struct term_style {
    bool colour, utf8;
};

struct term_style term_style_of(int fd);

enum term_ink { TERM_PLAIN, TERM_BOLD, TERM_DIM, TERM_GOOD, TERM_BAD, TERM_WARN, TERM_NINKS };

/* The escape sequence that switches to the ink; "" without colour. TERM_PLAIN ends every other. */
const char *term_ink(struct term_style s, enum term_ink ink);

#endif
